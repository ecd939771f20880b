//! Secrets and signatures, by the Standard Webhooks specification; secrets are kept sealed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use domain::kernel::WebhookId;
use hmac::{Hmac, Mac};
use persistence::{Failure, Outcome};
use sha2::{Digest, Sha256};

/// Bytes of a nonce, which stands before what it sealed.
const NONCE: usize = 24;

/// The key that signs what is sent to one subscription.
#[derive(Clone)]
pub struct Secret([u8; 32]);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

/// Random bytes.
///
/// # Errors
/// Where the machine has none.
pub fn random<const N: usize>() -> Outcome<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|e| Failure::Broken(format!("no randomness: {e}")))?;
    Ok(bytes)
}

impl Secret {
    /// A new one.
    ///
    /// # Errors
    /// As [`random`].
    pub fn new() -> Outcome<Self> {
        Ok(Self(random()?))
    }

    /// As its owner keeps it.
    #[must_use]
    pub fn text(&self) -> String {
        format!("whsec_{}", STANDARD.encode(self.0))
    }

    /// The signature of a message, by the time at which it is sent in seconds since 1970.
    ///
    /// # Errors
    /// Never, in practice: the key has its length.
    pub fn sign(&self, id: &str, seconds: i64, body: &str) -> Outcome<String> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).map_err(|e| Failure::Broken(e.to_string()))?;
        for part in [id, ".", &seconds.to_string(), ".", body] {
            mac.update(part.as_bytes());
        }
        Ok(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
    }
}

/// Seals secrets for the store, with the server's key.
pub struct Seal(XChaCha20Poly1305);

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seal")
    }
}

impl Seal {
    /// With the content of the key file, 32 bytes or more.
    #[must_use]
    pub fn new(key: &[u8]) -> Self {
        Self(XChaCha20Poly1305::new(&Sha256::digest(key)))
    }

    /// The secret as it is stored: of no use without the key, nor for another subscription.
    ///
    /// # Errors
    /// Where the machine has no randomness.
    pub fn close(&self, of: WebhookId, secret: &Secret) -> Outcome<Vec<u8>> {
        let nonce = random::<NONCE>()?;
        let payload = Payload { msg: &secret.0, aad: of.0.as_bytes() };
        let sealed = self.0.encrypt(&XNonce::from(nonce), payload);
        let sealed = sealed.map_err(|_| Failure::Broken("a secret could not be sealed".to_owned()))?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// The secret that was stored; `None` where it was sealed with another key, or is another subscription's.
    #[must_use]
    pub fn open(&self, of: WebhookId, sealed: &[u8]) -> Option<Secret> {
        let (nonce, sealed) = sealed.split_at_checked(NONCE)?;
        let nonce: [u8; NONCE] = nonce.try_into().ok()?;
        let payload = Payload { msg: sealed, aad: of.0.as_bytes() };
        let opened = self.0.decrypt(&XNonce::from(nonce), payload).ok()?;
        opened.try_into().ok().map(Secret)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn what_is_sealed_opens_for_its_subscription_and_with_its_key_alone() {
        let (a, b) = (WebhookId(Uuid::from_u128(1)), WebhookId(Uuid::from_u128(2)));
        let seal = Seal::new(&[7; 32]);
        let secret = Secret::new().unwrap();
        let sealed = seal.close(a, &secret).unwrap();
        assert_eq!(seal.open(a, &sealed).unwrap().text(), secret.text());
        assert!(seal.open(b, &sealed).is_none());
        assert!(Seal::new(&[8; 32]).open(a, &sealed).is_none());
        assert!(seal.open(a, &sealed[1..]).is_none() && seal.open(a, b"short").is_none());
        assert!(!sealed.windows(32).any(|part| part == secret.0), "it is not there in clear");
        assert_ne!(seal.close(a, &secret).unwrap(), sealed, "each sealing has a nonce of its own");
    }

    #[test]
    fn the_example_of_the_specification_is_signed_as_there() {
        // The example in the specification's reference libraries.
        let key = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
        mac.update(br#"msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{"test": 2432232314}"#);
        let signature = STANDARD.encode(mac.finalize().into_bytes());
        assert_eq!(signature, "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
}

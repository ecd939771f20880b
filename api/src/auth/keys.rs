//! The public keys of an identity provider: from a file that is read again when it changes, or from an address that
//! is asked again from time to time and when a token names a key that is not known (CRD-05).

use std::collections::HashMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;

/// Seconds that a fetch may take in all.
const PATIENCE: Duration = Duration::from_secs(5);
/// Bytes of a key set at most.
const LARGEST: u64 = 1_048_576;

/// Where a JSON Web Key Set is published.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Source {
    /// In a file.
    File(PathBuf),
    /// At an address.
    Url {
        /// `https://…`.
        address: String,
        /// How often it is asked.
        every: Duration,
        /// How long ago it was asked at least, before an unknown key makes the server ask again.
        again: Duration,
    },
}

/// The keys for one algorithm, as they were last read.
pub struct Keys {
    source: Source,
    algorithm: Algorithm,
    known: RwLock<Known>,
    /// One fetch at a time.
    fetching: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Known {
    keys: HashMap<String, DecodingKey>,
    /// Counts the sets that were read: what was verified with an older set is verified anew.
    generation: u64,
    /// Which state of the file was read.
    file: Option<Written>,
    /// When the address was last asked.
    asked: Option<Instant>,
}

/// Device, file, size and time of change: a file that was replaced or written differs in one of them.
type Written = (u64, u64, u64, i64, i64);

impl Keys {
    /// The keys that `source` publishes. An address that does not answer is asked again later: until then its tokens
    /// are refused.
    ///
    /// # Errors
    /// Where a file cannot be read.
    pub fn open(source: Source, algorithm: Algorithm) -> Result<Self, String> {
        let keys = Self { source, algorithm, known: RwLock::default(), fetching: tokio::sync::Mutex::default() };
        match &keys.source {
            Source::File(path) => {
                let present = written(path);
                keys.take(read(path, algorithm)?, present);
            }
            Source::Url { address, .. } => keys.download(address),
        }
        Ok(keys)
    }

    /// Whether there is no key that could be used.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.known().keys.is_empty()
    }

    /// Which set is in force.
    pub fn generation(&self) -> u64 {
        self.look();
        self.known().generation
    }

    /// The key of that name, and the set that it is of. An unknown name has the address asked again, unless it was
    /// asked a moment ago: names that are made up cost no more than that.
    pub async fn find(self: &Arc<Self>, kid: &str) -> Option<(DecodingKey, u64)> {
        self.look();
        if let Some(found) = self.get(kid) {
            return Some(found);
        }
        let Source::Url { again, .. } = &self.source else { return None };
        self.fetch(*again).await;
        self.get(kid)
    }

    /// Asks the address from time to time, for as long as the server runs: a key that is withdrawn is soon forgotten,
    /// also where nobody calls.
    pub async fn run(self: Arc<Self>) {
        let Source::Url { every, .. } = self.source else { return };
        loop {
            tokio::time::sleep(every).await;
            self.fetch(Duration::ZERO).await;
        }
    }

    async fn fetch(self: &Arc<Self>, again: Duration) {
        let Source::Url { address, .. } = &self.source else { return };
        let _one = self.fetching.lock().await;
        if self.known().asked.is_some_and(|at| at.elapsed() < again) {
            return;
        }
        let (keys, address) = (self.clone(), address.clone());
        // Off the threads that serve: whoever waits for this waits alone.
        drop(tokio::task::spawn_blocking(move || keys.download(&address)).await);
    }

    /// Takes the set at the address; keeps the one it has where that fails.
    fn download(&self, address: &str) {
        self.change().asked = Some(Instant::now());
        match download(address).and_then(|text| parse(&text, self.algorithm)) {
            Ok(set) => self.take(set, None),
            Err(why) => tracing::warn!(%why, "the key set was not fetched; the one before stays in force"),
        }
    }

    /// Takes the file's set where the file has changed; keeps the one it has where it cannot be read.
    fn look(&self) {
        let Source::File(path) = &self.source else { return };
        let present = written(path);
        if present.is_none() || present == self.known().file {
            return;
        }
        match read(path, self.algorithm) {
            Ok(set) => self.take(set, present),
            Err(why) => {
                tracing::warn!(%why, "the key set was not read; the one before stays in force");
                self.change().file = present;
            }
        }
    }

    fn take(&self, keys: HashMap<String, DecodingKey>, file: Option<Written>) {
        if keys.is_empty() {
            tracing::warn!(algorithm = ?self.algorithm, "the key set has no key for the algorithm");
        }
        let mut known = self.change();
        known.keys = keys;
        known.file = file;
        known.generation += 1;
    }

    fn get(&self, kid: &str) -> Option<(DecodingKey, u64)> {
        let known = self.known();
        known.keys.get(kid).map(|key| (key.clone(), known.generation))
    }

    fn known(&self) -> RwLockReadGuard<'_, Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self) -> RwLockWriteGuard<'_, Known> {
        self.known.write().unwrap_or_else(PoisonError::into_inner)
    }
}

fn written(path: &Path) -> Option<Written> {
    let meta = std::fs::metadata(path).ok()?;
    Some((meta.dev(), meta.ino(), meta.size(), meta.mtime(), meta.mtime_nsec()))
}

fn read(path: &Path, algorithm: Algorithm) -> Result<HashMap<String, DecodingKey>, String> {
    let say = |e: &dyn std::fmt::Display| format!("the key set {}: {e}", path.display());
    let text = std::fs::read_to_string(path).map_err(|e| say(&e))?;
    parse(&text, algorithm).map_err(|e| say(&e))
}

fn download(address: &str) -> Result<String, String> {
    let agent: ureq::Agent =
        ureq::Agent::config_builder().timeout_global(Some(PATIENCE)).max_redirects(0).build().into();
    let say = |e: ureq::Error| format!("the key set {address}: {e}");
    agent.get(address).call().map_err(say)?.body_mut().with_config().limit(LARGEST).read_to_string().map_err(say)
}

/// Bits of an RSA key at least (RFC 7518, 3.3).
const RSA_BITS: usize = 2048;

/// Bits of a number in base64url, as a key set writes it.
fn bits(number: &str) -> usize {
    let bytes = URL_SAFE_NO_PAD.decode(number).unwrap_or_default();
    let significant = bytes.iter().skip_while(|byte| **byte == 0);
    significant.clone().next().map_or(0, |first| significant.count() * 8 - first.leading_zeros() as usize)
}

/// The keys of a set that sign with `algorithm`. Others are passed over: a provider may publish what we do not know. An RSA
/// key that is too short to be trusted is passed over too.
///
/// # Errors
/// Where it is no key set.
pub fn parse(text: &str, algorithm: Algorithm) -> Result<HashMap<String, DecodingKey>, String> {
    #[derive(Deserialize)]
    struct Set {
        keys: Vec<serde_json::Value>,
    }
    let set: Set = serde_json::from_str(text).map_err(|e| e.to_string())?;
    let usable = |value| {
        let jwk: Jwk = serde_json::from_value(value).ok()?;
        let public = match jwk.algorithm {
            AlgorithmParameters::RSA(ref rsa) if bits(&rsa.n) < RSA_BITS => {
                tracing::warn!(kid = ?jwk.common.key_id, "an RSA key of the set is shorter than 2048 bits, and not used");
                false
            }
            AlgorithmParameters::RSA(_)
            | AlgorithmParameters::EllipticCurve(_)
            | AlgorithmParameters::OctetKeyPair(_) => true,
            // A shared secret has no place in what is published.
            _ => false,
        };
        let signs = matches!(jwk.common.public_key_use, None | Some(PublicKeyUse::Signature));
        let fits = jwk.common.key_algorithm.is_none_or(|own| own.to_string().parse() == Ok(algorithm));
        let key = DecodingKey::from_jwk(&jwk).ok().filter(|key| key.family() == algorithm.family())?;
        (public && signs && fits).then_some((jwk.common.key_id?, key))
    };
    Ok(set.keys.into_iter().filter_map(usable).collect())
}

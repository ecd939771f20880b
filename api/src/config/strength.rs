//! Keys that are too weak to run on: told by `check-config`, and refused by a server.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::{Config, Profile, Tokens};
use crate::auth::keys;

/// Bytes of a key file at least.
const LEAST: usize = 32;

/// What is wrong with the files of keys as they are now, a line each, beginning with the setting's name. A file that is not
/// there yet is made by whoever first needs it; in production the sealing key is not, since what it sealed would be lost.
#[must_use]
pub fn faults(config: &Config) -> Vec<String> {
    let strict = config.profile == Profile::Production;
    let mut faults = Vec::new();
    let own = [("DPS_TOKEN_KEY_FILE", &config.key_file), ("DPS_SEAL_KEY_FILE", &config.seal_key_file)];
    let read = own.map(|(name, file)| {
        let mut say = |why: &str| faults.push(format!("{name}: {} {why}", file.display()));
        if strict && name == "DPS_SEAL_KEY_FILE" && !file.exists() {
            say("is not there; put 32 random bytes in it");
        }
        let key = std::fs::read(file).ok()?;
        if key.len() < LEAST {
            say("is shorter than 32 bytes");
        } else if key.iter().all(|byte| key.first() == Some(byte)) {
            say("is the same byte again and again; put 32 random bytes in it");
        }
        if strict && is_open(file) {
            say("can be read by every account of the machine; chmod o= takes that away");
        }
        Some(key)
    });
    if let [Some(tokens), Some(seal)] = &read
        && tokens == seal
    {
        faults.push("DPS_SEAL_KEY_FILE: it holds the key of DPS_TOKEN_KEY_FILE; each has its own".to_owned());
    }
    if let Tokens::Published { keys: keys::Source::File(file), algorithm, .. } = &config.tokens {
        match keys::Keys::open(keys::Source::File(file.clone()), *algorithm) {
            Err(why) => faults.push(format!("DPS_JWKS_FILE: {why}")),
            Ok(set) if strict && set.is_empty() => faults.push(format!(
                "DPS_JWKS_FILE: {} has no key for {algorithm:?} that can be used; RSA keys have 2048 bits at least",
                file.display()
            )),
            Ok(_) => {}
        }
    }
    faults
}

fn is_open(file: &Path) -> bool {
    std::fs::metadata(file).is_ok_and(|meta| meta.permissions().mode() & 0o007 != 0)
}

//! One function a parser: it may refuse anything, and panics where a promise is not kept.

use std::collections::BTreeSet;
use std::io::Cursor;
use std::sync::LazyLock;

use api::auth::token::Verifier;
use api::config::Config;
use api::http::Listing;
use api::record::cursor;
use jsonwebtoken::{Algorithm, AlgorithmFamily};
use tables::{Format, Limits, Reader, ofsted};

/// A file, as uploads are read: told by its content, then by each of the three readers.
pub fn tables(bytes: &[u8]) {
    drop(Format::sniff(bytes.get(..256).unwrap_or(bytes)));
    // Small, so that they are reached.
    let limits = Limits {
        bytes: 1 << 20,
        rows: 1_000,
        columns: 32,
        cell_bytes: 1_000,
        row_bytes: 1 << 14,
        inflated_bytes: 1 << 20,
        strings_bytes: 1 << 18,
        preamble: 5,
    };
    for format in [Format::Csv, Format::Ndjson, Format::Xlsx, Format::Ods] {
        let known = |heading: &str| ["urn", "name", "kind", "beds"].contains(&heading.to_lowercase().as_str());
        let reader = match Reader::open(Cursor::new(bytes), format, limits, &known) {
            Ok(reader) => reader,
            Err(fault) => {
                explained(fault.code);
                continue;
            }
        };
        let (width, mut rows) = (reader.headings().len(), 0);
        for row in reader {
            match row {
                Ok(row) => {
                    rows += 1;
                    assert_eq!(row.cells.len(), width, "a cell for each heading");
                    row.faults.iter().for_each(|fault| explained(fault.code));
                }
                Err(fault) => explained(fault.code),
            }
        }
        assert!(rows <= limits.rows, "no more rows than there may be");
    }
}

/// `/problems/{code}` knows every code.
fn explained(code: &str) {
    static KNOWN: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
        let code = |known| serde_json::to_value(known).ok()?["code"].as_str().map(str::to_owned);
        api::system::table().filter_map(code).collect()
    });
    assert!(KNOWN.contains(code), "nothing explains {code}");
}

/// The regulator's published list.
pub fn ofsted(bytes: &[u8]) {
    for error in ofsted::read(bytes).err().into_iter().flatten() {
        explained(error.code);
    }
}

/// Places in a list and in the feed.
pub fn cursors(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes).into_owned();
    if let Ok(Some(place)) = cursor::place(Some(&text), "/after") {
        assert_eq!(cursor::text(place), text, "what is taken is what was given");
    }
    drop(Listing { cursor: Some(text), ..Listing::default() }.page());
}

/// A bearer token, to a server that accepts its own.
pub fn tokens(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let verifier = Verifier::local(b"a key that no input can be signed with", "dps");
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let verified = runtime.map(|runtime| runtime.block_on(verifier.verify(text)));
    assert!(!matches!(verified, Ok(Ok(_))), "a token that nobody signed is accepted");
}

/// A key set, as an identity provider publishes it: no shared secret of it counts.
pub fn keys(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    for algorithm in [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA] {
        for key in api::auth::keys::parse(text, algorithm).iter().flat_map(|keys| keys.values()) {
            assert!(key.family() == algorithm.family() && key.family() != AlgorithmFamily::Hmac);
        }
    }
}

/// Where a webhook goes.
pub fn addresses(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(uri) = api::webhook::guard::url(&text, false) {
        assert_eq!(uri.scheme_str(), Some("https"));
        assert!(uri.host().is_some_and(|host| !host.is_empty()), "an address has a host");
    }
}

/// Values of settings, a line each.
pub fn settings(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let given =
        |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('=').map(str::to_owned));
    if let Ok(config) = Config::from(given) {
        assert!(config.workers > 0 && config.bounds.connections > 0);
    }
}

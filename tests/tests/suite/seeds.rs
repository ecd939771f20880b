//! The seeds of the fuzz targets, and what they once found, through the functions that they fuzz.

use std::path::{Path, PathBuf};

#[path = "../../../fuzz/src/parsers.rs"]
mod parsers;
#[path = "../../../fuzz/src/server.rs"]
mod server;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

fn each(folder: &str, parse: impl Fn(&[u8])) {
    let files: Vec<PathBuf> =
        Path::new(ROOT).join(folder).read_dir().unwrap().map(|file| file.unwrap().path()).collect();
    assert!(!files.is_empty(), "{folder} has files");
    for file in files.iter().filter(|file| file.is_file()) {
        let bytes = std::fs::read(file).unwrap();
        parse(&bytes);
        // Cut off anywhere, too.
        (0..bytes.len().min(4096)).step_by(7).for_each(|end| parse(&bytes[..end]));
    }
}

#[test]
fn no_seed_of_a_fuzz_target_finds_anything() {
    each("fuzz/seeds/tables", parsers::tables);
    each("fuzz/seeds/cursors", parsers::cursors);
    each("fuzz/seeds/tokens", parsers::tokens);
    each("fuzz/seeds/addresses", parsers::addresses);
    each("fuzz/seeds/settings", parsers::settings);
    each("samples", parsers::register);
}

#[test]
fn no_request_of_the_seeds_is_answered_with_a_defect() {
    let server = server::Server::start();
    each("fuzz/seeds/requests", |bytes| server.request(bytes));
    // Each operation, as each caller, with nothing and with what is no JSON.
    for operation in 0..=u8::MAX {
        for caller in 0..7 {
            server.request(&[operation, caller, 0]);
            server.request(
                &[&[operation, caller, 1], b"cursor=x&limit=0\n*\nkey\napplication/json\n[\xff".as_slice()].concat(),
            );
        }
    }
}

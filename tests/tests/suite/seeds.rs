//! The seeds of the fuzz targets, and what they once found, through the functions that they fuzz.

use std::path::{Path, PathBuf};

#[path = "../../../fuzz/src/parsers.rs"]
mod parsers;

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
    each("fuzz/seeds/keys", parsers::keys);
    each("fuzz/seeds/addresses", parsers::addresses);
    each("fuzz/seeds/settings", parsers::settings);
    each("samples", parsers::ofsted);
}

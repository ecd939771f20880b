//! The order of the subjects: each uses only those above it in the list, so that no two use each other in a circle. It is
//! read off the `use` lines and paths of the source, test modules included.

#![expect(clippy::expect_used, reason = "a test fails by panicking, and says where")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Every module of the crate, lowest first. `lib.rs` documents the same order.
const ORDER: [&str; 12] = [
    "tenancy",
    "caller",
    "command",
    "clockwork",
    "deadline",
    "client",
    "provider",
    "arrangement",
    "admission",
    "standing",
    "fee",
    "upload",
];
/// The last of all: what an event of one subject means for the others.
const LAST: &str = "lifecycle";

/// What the crate's root gives under its own name, and where it comes from.
const AT_THE_ROOT: [(&str, &str); 8] = [
    ("Caller", "caller"),
    ("Grant", "caller"),
    ("Side", "caller"),
    ("Accepted", "caller"),
    ("Command", "command"),
    ("Seen", "command"),
    ("lock_due", "command"),
    ("TenancyFacts", "tenancy"),
];

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of the crate").flatten() {
        if entry.path().is_dir() { files(&entry.path(), found) } else { found.push(entry.path()) }
    }
}

/// The names behind every `crate::` of a text, those in braces included.
fn used(text: &str) -> Vec<&str> {
    let mut names = Vec::new();
    for after in
        text.lines().filter(|line| !line.trim_start().starts_with("//")).flat_map(|l| l.split("crate::").skip(1))
    {
        let part = after.strip_prefix('{').map_or(after, |inside| inside.split('}').next().unwrap_or_default());
        let list = if after.starts_with('{') { part.split(',').collect() } else { vec![part] };
        names.extend(list.into_iter().filter_map(|name| {
            name.trim().split(|c: char| !c.is_alphanumeric() && c != '_').next().filter(|name| !name.is_empty())
        }));
    }
    names
}

#[test]
fn a_subject_uses_only_those_above_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let rank: BTreeMap<&str, usize> = ORDER.iter().copied().chain([LAST]).zip(0..).collect();
    let mut all = Vec::new();
    files(&root, &mut all);
    let (mut wrong, mut seen) = (Vec::new(), 0);
    for file in all {
        let inside = file.strip_prefix(&root).expect("a file of the crate");
        let module = inside.iter().next().and_then(|part| part.to_str()).unwrap_or_default().trim_end_matches(".rs");
        if module == "lib" {
            continue;
        }
        let own = rank.get(module).unwrap_or_else(|| panic!("{module} has no place in the order"));
        let text = fs::read_to_string(&file).expect("a file of the crate");
        for name in used(&text) {
            let name = AT_THE_ROOT.iter().find(|(known, _)| *known == name).map_or(name, |(_, module)| module);
            let other = rank.get(name).unwrap_or_else(|| panic!("{}: crate::{name} has no place", inside.display()));
            seen += 1;
            if other > own {
                wrong.push(format!("{} uses {name}, which stands above it", inside.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(seen > 30, "the uses were not found: {seen}");
}

#[test]
fn the_layer_knows_no_word_of_http() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest = fs::read_to_string(root.join("Cargo.toml")).expect("the manifest");
    for forbidden in ["actix", "ureq", "http"] {
        assert!(!manifest.contains(forbidden), "{forbidden} is a dependency");
    }
}

#[test]
fn the_order_is_the_documented_one() {
    let lib = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).expect("lib.rs");
    let rows = lib.lines().filter_map(|line| line.strip_prefix("//! | ")).skip(1);
    let rows = rows.filter_map(|row| row.split(" |").next()).flat_map(|cell| cell.split(", "));
    let told: Vec<&str> = rows.map(|name| name.trim_matches(|c: char| !c.is_alphanumeric() && c != '_')).collect();
    let mut places = told.iter().map(|name| ORDER.iter().chain([&LAST]).position(|known| known == name));
    assert_eq!(told.len(), ORDER.len() + 1, "{told:?}");
    assert!(places.all(|place| place.is_some()), "{told:?}");
}

//! What is on the disk, and what is on paper.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::app::TestApp;
use crate::database::Kind;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

#[test]
fn what_the_server_makes_is_its_owners_alone() {
    let mut home = PathBuf::new();
    let app = &TestApp::tuned(Kind::Sqlite, |config| {
        home = config.key_file.with_file_name("made");
        config.database = format!("sqlite:{}", home.join("dps.db").display());
        config.seal_key_file = home.join("seal.key");
    });
    app.lead("LGSS").post("/v1/arrangements", crate::market::cambridgeshire()).expect(201);
    let token_key = home.with_file_name("token.key");
    let made = ["dps.db", "dps.db-wal", "dps.db-shm", "seal.key"].map(|name| home.join(name));
    for file in made.iter().chain([&token_key]) {
        let mode = std::fs::metadata(file).unwrap_or_else(|e| panic!("{}: {e}", file.display())).permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", file.display());
    }
}

/// Every file of the workspace whose name ends so.
fn files(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        let name = entry.file_name().unwrap().to_string_lossy().into_owned();
        if entry.is_dir() {
            if !name.starts_with('.') && name != "target" {
                files(&entry, ending, found);
            }
        } else if name.ends_with(ending) {
            found.push(entry);
        }
    }
}

#[test]
fn every_proof_of_a_control_exists() {
    let table = std::fs::read_to_string(format!("{ROOT}/docs/security-controls.md")).unwrap();
    let makefile = std::fs::read_to_string(format!("{ROOT}/Makefile")).unwrap();
    let mut sources = Vec::new();
    files(Path::new(ROOT), ".rs", &mut sources);
    let (mut named, mut wrong) = (0, Vec::new());
    for quoted in table.split('`').skip(1).step_by(2) {
        let exists = if let Some((file, test)) = quoted.split_once(".rs::") {
            let file = format!("/{file}.rs");
            let of = sources.iter().filter(|source| source.display().to_string().ends_with(&file));
            of.into_iter().any(|source| std::fs::read_to_string(source).unwrap().contains(&format!("fn {test}(")))
        } else if let Some(target) = quoted.strip_prefix("make ") {
            makefile.lines().any(|line| line.starts_with(&format!("{target}:")))
        } else {
            continue;
        };
        named += 1;
        if !exists {
            wrong.push(quoted);
        }
    }
    assert!(named > 60 && wrong.is_empty(), "of {named} these do not exist: {wrong:#?}");
    // A row says what proves it, or why it does not apply.
    for row in table
        .lines()
        .filter(|line| line.starts_with('|'))
        .filter(|line| !line.starts_with("|---") && !line.contains("| control |"))
    {
        let cells: Vec<&str> = row.split(" | ").collect();
        assert!(
            cells.len() == 3 && (row.contains(".rs::") || row.contains("`make ") || row.contains("Not applicable")),
            "{row}"
        );
    }
}

#!/usr/bin/env bash
# rust_xlsxwriter 0.102.0 writes a text so that a reader of the format gets another: one that looks like the escape of a
# character but for its last underscore, before a character that the library then escapes, whose escape gives it that. ECMA-376 (22.9.2.19, ST_Xstring): `_xHHHH_` stands for a character, and a text that looks so is itself escaped.
# Seen: `_x0A00` before a carriage return comes back as another text; `_x0041_` and `_x0041_x0042_` come back.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/src"
cat >"$work/Cargo.toml" <<'TOML'
[package]
name = "seen"
version = "0.0.0"
edition = "2021"

[dependencies]
rust_xlsxwriter = "=0.102.0"
TOML
cat >"$work/src/main.rs" <<'RUST'
use rust_xlsxwriter::{Workbook, XlsxError};

fn main() -> Result<(), XlsxError> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    for (row, text) in (0..).zip(["_x0041_", "_x0A00\r", "_x0041_x0042_"]) {
        sheet.write_string(row, 0, text)?;
    }
    book.save(std::env::args().nth(1).unwrap())?;
    Ok(())
}
RUST
cargo run --quiet --manifest-path "$work/Cargo.toml" -- "$work/seen.xlsx"
python3 - "$work/seen.xlsx" <<'PYTHON'
import re, sys, xml.etree.ElementTree as tree, zipfile

name = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}t"
with zipfile.ZipFile(sys.argv[1]) as book:
    kept = [t.text for t in tree.fromstring(book.read("xl/sharedStrings.xml")).iter(name)]
read = [re.sub("_x([0-9A-Fa-f]{4})_", lambda m: chr(int(m[1], 16)), text) for text in kept]
for sent, back in zip(["_x0041_", "_x0A00\r", "_x0041_x0042_"], read):
    print("rust_xlsxwriter 0.102.0:", ascii(sent), "comes back as", ascii(back))
assert read[0] == "_x0041_" and read[1] != "_x0A00\r" and read[2] == "_x0041_x0042_", "it changed: see crates/tables/src/xlsx/write.rs"
PYTHON

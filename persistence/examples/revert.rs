//! Takes one migration of a database back, by its version. Only the proof of the rolling upgrade uses it (`tests/faults`):
//! the way down is not for operators.

fn main() -> Result<(), String> {
    let [url, version] =
        std::env::args().skip(1).collect::<Vec<_>>().try_into().map_err(|_| "which database, and what?")?;
    persistence::revert(&url, &version).map_err(|failure| failure.to_string())
}

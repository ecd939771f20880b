//! Takes the last migration of a database back. Only the proof of the rolling upgrade uses it (`tests/faults`): the way
//! down is not for operators.

fn main() -> Result<(), String> {
    let url = std::env::args().nth(1).ok_or("which database?")?;
    persistence::revert_last(&url).map_err(|failure| failure.to_string())
}

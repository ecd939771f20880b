//! What is done to outside bytes in each target. The tests do the same to the seeds of the parsers (`tests/tests/suite/seeds.rs`).

pub mod parsers;
pub mod server;

//! Fuzz targets: what is done to outside bytes in each. The tests do the same to the seeds of the parsers
//! (`tests/tests/suite/seeds.rs`).

pub mod parsers;
pub mod server;

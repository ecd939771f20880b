//! Authentication: the bearer of a token as the [`Caller`](usecase::Caller) of a use case.

pub mod keys;
pub mod token;

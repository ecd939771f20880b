//! From an application to a membership: how a provider comes onto a lot (A4 to A6).

pub mod membership;

//! The record as callers read it: the change feed, the audit and the proof that nothing was altered.

mod audit;
pub mod feed;

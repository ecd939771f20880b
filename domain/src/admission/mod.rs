//! From an application to its decision.

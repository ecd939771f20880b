//! Who reaches what, and how it is tried to reach more.

mod absent;
mod files;
mod headers;
mod named;
mod roles;
mod statements;
mod table;
mod tokens;
mod world;

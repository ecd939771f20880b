//! Measures against members: what they do to standing, in which order they may be taken, and how they end.

mod appeals;
mod ending;
mod escape;
mod joint;
mod ladder;
mod permissions;
mod register;
mod removals;
mod suspensions;

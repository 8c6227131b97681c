//! What the process stands on: how much memory there is.

pub mod memory;

//! One core's share of a job: inputs, operators and outputs, driven turn by turn.

mod io;

pub use io::{Input, InputCounters, IoContext, Output, Polled};

//! The log: nothing acknowledged is lost, nothing lost is hidden. One binary for all of it, as each links on its own.
//!
//! `PELTON_LOG_SEEDS` and `PELTON_LOG_KILLS` raise the number of runs; `PELTON_LOG_SEED` replays one.

mod basics;
mod command;
mod damage;
mod kill;
mod simulation;
mod support;

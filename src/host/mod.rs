//! What the process stands on: time, disk, mapped memory, helper threads (real and simulated), and
//! how much memory there is.
//!
//! The engine reaches the operating system only through these, so that a test can put a seeded disk that loses
//! writes, and a clock that it turns by hand, under unchanged code. `unsafe` lives in [`mmap`], [`zeroed`] and [`uring`] alone.

pub mod clock;
pub mod disk;
pub mod memory;
pub mod mmap;
mod read_only;
pub mod sim;
pub mod sync;
pub mod threads;
#[cfg(target_os = "linux")]
pub mod uring;
pub mod zeroed;

pub use clock::{Clock, ManualClock, SystemClock};
pub use disk::{Disk, DiskFile, Open, RealDisk};
pub use mmap::{Region, Tail};
pub use read_only::ReadOnlyDisk;
pub use sim::SimDisk;

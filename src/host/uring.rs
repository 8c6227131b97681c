//! `fdatasync` through io_uring: submitted by the committer, which goes on writing while the disk works.
//!
//! Only this one operation is used. Where io_uring is forbidden (Docker's default seccomp profile, the sysctl
//! `kernel.io_uring_disabled`), [`SyncRing::probe`] says so and a plain thread does the same.

use std::io;
use std::os::fd::RawFd;

use io_uring::{IoUring, opcode, types};

/// A ring for syncs.
pub struct SyncRing {
    ring: IoUring,
    in_flight: usize,
}

impl std::fmt::Debug for SyncRing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SyncRing({} in flight)", self.in_flight)
    }
}

/// Syncs that may be under way at once.
pub const DEPTH: usize = 64;

impl SyncRing {
    /// A ring, or why there is none.
    pub fn probe() -> io::Result<Self> {
        let ring = IoUring::new(DEPTH as u32)?;
        let mut probe = io_uring::Probe::new();
        ring.submitter().register_probe(&mut probe)?;
        if !probe.is_supported(opcode::Fsync::CODE) {
            return Err(io::Error::new(io::ErrorKind::Unsupported, "io_uring without fsync"));
        }
        Ok(Self { ring, in_flight: 0 })
    }

    /// Starts `fdatasync(fd)`; `tag` comes back with its result. False when [`DEPTH`] are under way. The caller keeps
    /// the file open until then: a number that is closed early syncs another file, it does not touch memory.
    #[expect(unsafe_code, reason = "io_uring's submission queue takes raw entries")]
    pub fn submit(&mut self, fd: RawFd, tag: u64) -> io::Result<bool> {
        if self.in_flight == DEPTH {
            return Ok(false);
        }
        let entry =
            opcode::Fsync::new(types::Fd(fd)).flags(types::FsyncFlags::DATASYNC).build().user_data(tag);
        // SAFETY: the operation refers to no memory of ours, only to a file descriptor.
        let pushed = unsafe { self.ring.submission().push(&entry) };
        if pushed.is_err() {
            return Ok(false);
        }
        self.ring.submit()?;
        self.in_flight += 1;
        Ok(true)
    }

    /// A sync that has ended: its tag and result.
    pub fn poll(&mut self) -> Option<(u64, io::Result<()>)> {
        let done = self.ring.completion().next()?;
        self.in_flight -= 1;
        let result =
            if done.result() < 0 { Err(io::Error::from_raw_os_error(-done.result())) } else { Ok(()) };
        Some((done.user_data(), result))
    }

    /// Syncs under way.
    pub fn in_flight(&self) -> usize {
        self.in_flight
    }
}

//! Files as the log uses them, behind two small traits, and the machine's own.
//!
//! What matters for durability is explicit: contents last after [`DiskFile::sync`], names after [`Disk::sync_dir`].
//! [`super::sim::SimDisk`] takes everything else away in a crash; this file forwards to the kernel.

use std::any::Any;
use std::fmt;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use super::mmap::Region;

/// How a file is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Open {
    /// For reading; it must exist.
    Read,
    /// For reading and writing; it must exist.
    Write,
    /// Made new, for reading and writing; one that exists is emptied.
    Create,
}

/// A folder tree on some storage.
pub trait Disk: Send + Sync + fmt::Debug {
    /// Makes a folder and those above it.
    fn create_dir(&self, path: &Path) -> io::Result<()>;
    /// Names in a folder, unsorted.
    fn list(&self, path: &Path) -> io::Result<Vec<String>>;
    /// Opens a file.
    fn open(&self, path: &Path, how: Open) -> io::Result<Box<dyn DiskFile>>;
    /// Renames, replacing the target in one step.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Removes a folder with everything in it.
    fn remove_dir(&self, path: &Path) -> io::Result<()>;
    /// Makes the names in a folder durable.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;
    /// Takes the exclusive lock that `path` stands for, until the guard is dropped or the process dies. `None`:
    /// somebody else holds it.
    fn lock(&self, path: &Path) -> io::Result<Option<LockGuard>>;
    /// Changes when the machine was started anew: then the page cache of the last run is gone.
    fn boot_id(&self) -> String;

    /// The whole file, refused when it is longer than `limit`.
    fn read_all(&self, path: &Path, limit: usize) -> io::Result<Vec<u8>> {
        let file = self.open(path, Open::Read)?;
        let len = file.len()?;
        if len > limit as u64 {
            return Err(io::Error::new(
                io::ErrorKind::FileTooLarge,
                format!("{len} bytes where at most {limit} are expected"),
            ));
        }
        let mut bytes = vec![0; len as usize];
        let n = file.read_at(&mut bytes, 0)?;
        bytes.truncate(n);
        Ok(bytes)
    }

    /// Puts `bytes` in the place of `path` so that after any crash it holds either the old or the new ones.
    fn replace(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut name = path.as_os_str().to_owned();
        name.push(".new");
        let temporary = Path::new(&name);
        let written = (|| {
            let file = self.open(temporary, Open::Create)?;
            file.write_at(bytes, 0)?;
            file.sync()
        })();
        if let Err(e) = written {
            let _ = self.remove(temporary);
            return Err(e);
        }
        self.rename(temporary, path)?;
        self.sync_dir(path.parent().unwrap_or(Path::new(".")))
    }
}

/// Holds a lock until dropped.
pub type LockGuard = Box<dyn Any + Send + Sync>;

/// A locked file. Let go by word and not by closing it: a child that another thread is about to start has a copy of the descriptor
/// until it runs its own program, and would keep the lock for that long.
struct FileLock(File);

impl Drop for FileLock {
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

/// An open file.
pub trait DiskFile: Send + Sync + fmt::Debug {
    /// Length in bytes.
    fn len(&self) -> io::Result<u64>;
    /// Fills `buf` from `at`; less than asked for only at the end of the file.
    fn read_at(&self, buf: &mut [u8], at: u64) -> io::Result<usize>;
    /// Writes all of `buf` at `at`.
    fn write_at(&self, buf: &[u8], at: u64) -> io::Result<()>;
    /// Cuts or (sparsely) lengthens.
    fn set_len(&self, len: u64) -> io::Result<()>;
    /// Lengthens to `len` with room reserved on the disk, reading as zero, so that writing there cannot fail for want
    /// of space.
    fn allocate(&self, len: u64) -> io::Result<()>;
    /// Makes contents and length durable (`fdatasync`).
    fn sync(&self) -> io::Result<()>;
    /// Maps the first `len` bytes, of which `published` hold data.
    fn map(&self, len: usize, published: usize, writable: bool) -> io::Result<Arc<Region>>;
    /// Where data ends: behind it there is only reserved room, which reads as zero. May be more than that, never less.
    fn data_end(&self) -> io::Result<u64> {
        self.len()
    }
    /// For io_uring; simulated files have none.
    fn fd(&self) -> Option<RawFd>;
    /// The file is empty.
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }
}

/// The machine's file systems.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealDisk;

impl Disk for RealDisk {
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        fs::create_dir_all(path)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        fs::read_dir(path)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
    }

    fn open(&self, path: &Path, how: Open) -> io::Result<Box<dyn DiskFile>> {
        let mut options = OpenOptions::new();
        options.read(true);
        match how {
            Open::Read => {}
            Open::Write => drop(options.write(true)),
            Open::Create => drop(options.write(true).create(true).truncate(true)),
        }
        Ok(Box::new(options.open(path)?))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        fs::remove_dir_all(path)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }

    fn lock(&self, path: &Path) -> io::Result<Option<LockGuard>> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Box::new(FileLock(file)))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(e)) => Err(e),
        }
    }

    fn boot_id(&self) -> String {
        // Elsewhere than on Linux every start counts as the same: then holes count as damage, which is reported.
        fs::read_to_string("/proc/sys/kernel/random/boot_id")
            .map_or_else(|_| "-".into(), |id| id.trim().into())
    }
}

impl DiskFile for File {
    fn len(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn read_at(&self, mut buf: &mut [u8], mut at: u64) -> io::Result<usize> {
        let mut total = 0;
        while !buf.is_empty() {
            match FileExt::read_at(self, buf, at) {
                Ok(0) => break,
                Ok(n) => {
                    total += n;
                    at += n as u64;
                    buf = &mut buf[n..];
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(total)
    }

    fn write_at(&self, buf: &[u8], at: u64) -> io::Result<()> {
        self.write_all_at(buf, at)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        File::set_len(self, len)
    }

    fn allocate(&self, len: u64) -> io::Result<()> {
        let old = self.metadata()?.len();
        if len <= old {
            return Ok(());
        }
        match rustix::fs::fallocate(self, rustix::fs::FallocateFlags::empty(), old, len - old) {
            Ok(()) => Ok(()),
            // A file system without fallocate: real zeros reserve the room too.
            Err(rustix::io::Errno::OPNOTSUPP) => {
                let zeros = [0u8; 64 * 1024];
                let mut at = old;
                while at < len {
                    let n = zeros.len().min((len - at) as usize);
                    if let Err(e) = self.write_all_at(&zeros[..n], at) {
                        File::set_len(self, old)?;
                        return Err(e);
                    }
                    at += n as u64;
                }
                Ok(())
            }
            Err(e) => {
                // A full tmpfs may have lengthened the file half-way.
                let _ = File::set_len(self, old);
                Err(e.into())
            }
        }
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }

    fn map(&self, len: usize, published: usize, writable: bool) -> io::Result<Arc<Region>> {
        Region::map(self, len, published, writable)
    }

    fn data_end(&self) -> io::Result<u64> {
        use rustix::fs::{SeekFrom, seek};
        let len = self.metadata()?.len();
        let (mut at, mut end) = (0, 0);
        while at < len {
            match seek(self, SeekFrom::Data(at)) {
                Ok(data) => {
                    end = seek(self, SeekFrom::Hole(data)).unwrap_or(len);
                    at = end;
                }
                Err(rustix::io::Errno::NXIO) => break,
                // A file system that cannot tell.
                Err(_) => return Ok(len),
            }
        }
        Ok(end.min(len))
    }

    fn fd(&self) -> Option<RawFd> {
        Some(self.as_raw_fd())
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    /// A process that starts another one while it closes a log can open it again at once.
    #[test]
    fn a_lock_is_free_when_its_guard_is_gone_whoever_has_a_copy_of_its_descriptor() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let file = File::create(&path).unwrap();
        file.try_lock().unwrap();
        // As a child has it between fork and exec.
        let copy = file.try_clone().unwrap();
        let guard = FileLock(file);
        assert!(RealDisk.lock(&path).unwrap().is_none());
        drop(guard);
        assert!(RealDisk.lock(&path).unwrap().is_some());
        drop(copy);
    }
}

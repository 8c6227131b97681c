//! A disk in memory that crashes as badly as a real one may: seeded, so that every run can be had again.
//!
//! Each file has a *page cache* (what the process reads back, shared with mappings) and *durable* contents (what
//! `sync` put down). [`SimDisk::power_loss`] decides, sector by sector and in no order, whether an unsynced write
//! arrived, did not, or arrived in part; lengths likewise; and of the names changed since the folder was last synced a
//! random prefix lasts. [`SimDisk::kill`] is `kill -9`: the page cache stays, the process's locks go. What a process got by
//! [`SimDisk::process`] does nothing after its death, so that the test can free its memory.
//! Faults on demand: a full disk, failing syncs, unreadable files.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::os::fd::RawFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use super::disk::{Disk, DiskFile, LockGuard, Open};
use super::mmap::Region;

const SECTOR_BYTES: usize = 512;

/// A small seeded generator (SplitMix64), enough to choose faults with.
#[derive(Clone, Debug)]
pub struct Rng(u64);

impl Rng {
    /// Same seed, same numbers.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n` (0 when `n` is 0).
    pub fn below(&mut self, n: usize) -> usize {
        if n == 0 { 0 } else { (self.next_u64() % n as u64) as usize }
    }

    /// True in `percent` of 100 calls.
    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}

/// A simulated disk; clones share it.
#[derive(Clone, Debug, Default)]
pub struct SimDisk {
    shared: Arc<Mutex<State>>,
    /// The life of the process that this handle belongs to; none for a handle of the test, which outlives them all.
    life: Option<u64>,
}

#[derive(Debug, Default)]
struct State {
    files: BTreeMap<u64, Inode>,
    next_inode: u64,
    /// Names as the process sees them.
    names: BTreeMap<PathBuf, u64>,
    /// Names that a power loss leaves.
    durable_names: BTreeMap<PathBuf, u64>,
    /// Changes of names since, in order, each with its folder.
    pending: Vec<Change>,
    dirs: BTreeSet<PathBuf>,
    locks: BTreeSet<PathBuf>,
    boots: u64,
    /// Counts lives of the process, so that a guard of a killed one does not free its successor's lock.
    life: u64,
    capacity: Option<u64>,
    failing_syncs: Option<String>,
    failing_reads: Option<String>,
    /// Removals of folders in which somebody makes a file meanwhile.
    disturbed_removals: u32,
    syncs: u64,
}

#[derive(Clone, Debug)]
enum Change {
    Set(PathBuf, u64),
    Unset(PathBuf),
    Rename(PathBuf, PathBuf),
}

impl Change {
    fn dir(&self) -> Option<&Path> {
        match self {
            Self::Set(p, _) | Self::Unset(p) | Self::Rename(p, _) => p.parent(),
        }
    }

    fn apply(&self, names: &mut BTreeMap<PathBuf, u64>) {
        match self {
            Self::Set(p, inode) => {
                names.insert(p.clone(), *inode);
            }
            Self::Unset(p) => {
                names.remove(p);
            }
            Self::Rename(from, to) => {
                if let Some(inode) = names.remove(from) {
                    names.insert(to.clone(), inode);
                }
            }
        }
    }
}

#[derive(Debug)]
struct Inode {
    cache: Arc<Region>,
    len: usize,
    /// Room reserved, for the disk's capacity.
    allocated: usize,
    durable: Vec<u8>,
}

impl SimDisk {
    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.lock().expect("no thread panics while it holds the simulated disk")
    }

    /// The state for a process, which must be alive.
    fn alive(&self) -> io::Result<MutexGuard<'_, State>> {
        let state = self.state();
        match self.life {
            Some(life) if life != state.life => Err(io::Error::other("the process was killed")),
            _ => Ok(state),
        }
    }

    /// The disk as the process that runs now sees it: until it is killed or the power goes.
    #[must_use]
    pub fn process(&self) -> Self {
        Self { shared: self.shared.clone(), life: Some(self.state().life) }
    }

    /// `kill -9`: nothing is lost but the process, its locks and what it had not yet handed to the kernel.
    pub fn kill(&self) {
        let mut state = self.state();
        state.locks.clear();
        state.life += 1;
        // The next process maps the files anew; mappings of the dead one keep their own frontier.
        for inode in state.files.values_mut() {
            inode.cache = heap_with(&inode.cache.snapshot(inode.len), inode.len);
        }
    }

    /// The power goes: see the module's documentation.
    pub fn power_loss(&self, rng: &mut Rng) {
        let mut state = self.state();
        state.locks.clear();
        state.life += 1;
        state.boots += 1;
        let keep = rng.below(state.pending.len() + 1);
        let pending = std::mem::take(&mut state.pending);
        let mut names = state.durable_names.clone();
        for change in &pending[..keep] {
            change.apply(&mut names);
        }
        state.names = names.clone();
        state.durable_names = names;
        let alive: BTreeSet<u64> = state.names.values().copied().collect();
        state.files.retain(|inode, _| alive.contains(inode));
        // Sometimes nearly all of the unsynced sectors arrived, sometimes nearly none.
        let arrives = [0, 10, 50, 90, 100][rng.below(5)];
        for inode in state.files.values_mut() {
            let cache = inode.cache.snapshot(inode.len);
            let len = if rng.chance(50) { inode.len } else { inode.durable.len() };
            let mut bytes = vec![0u8; len];
            for start in (0..len).step_by(SECTOR_BYTES) {
                let end = (start + SECTOR_BYTES).min(len);
                for (i, byte) in bytes[start..end].iter_mut().enumerate() {
                    *byte = inode.durable.get(start + i).copied().unwrap_or(0);
                }
                let new: Vec<u8> = (start..end).map(|i| cache.get(i).copied().unwrap_or(0)).collect();
                if new != bytes[start..end] && rng.chance(arrives) {
                    let n = if rng.chance(15) { rng.below(end - start) } else { end - start };
                    bytes[start..start + n].copy_from_slice(&new[..n]);
                }
            }
            inode.cache = heap_with(&bytes, len);
            inode.len = len;
            inode.allocated = len;
            inode.durable = bytes;
        }
    }

    /// Changes bytes of a file behind everybody's back; for damage.
    pub fn corrupt(&self, path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
        let mut state = self.state();
        let Some(&id) = state.names.get(path) else { return };
        let Some(inode) = state.files.get_mut(&id) else { return };
        let mut bytes = inode.cache.snapshot(inode.len);
        change(&mut bytes);
        inode.len = bytes.len();
        inode.cache = heap_with(&bytes, bytes.len());
        inode.durable = bytes;
    }

    /// Limits the room on the disk; `None` lifts the limit.
    pub fn set_capacity(&self, bytes: Option<u64>) {
        self.state().capacity = bytes;
    }

    /// Bytes reserved by all files.
    pub fn used(&self) -> u64 {
        self.state().used()
    }

    /// Syncs of files whose path contains `part` fail from now on.
    pub fn fail_syncs(&self, part: Option<&str>) {
        self.state().failing_syncs = part.map(Into::into);
    }

    /// Reads of files whose path contains `part` fail from now on.
    pub fn fail_reads(&self, part: Option<&str>) {
        self.state().failing_reads = part.map(Into::into);
    }

    /// In the next so many removals of a folder somebody makes a file there meanwhile: what was in it is gone, and it is not empty.
    pub fn disturb_removals(&self, times: u32) {
        self.state().disturbed_removals = times;
    }

    /// How many syncs succeeded.
    pub fn syncs(&self) -> u64 {
        self.state().syncs
    }

    /// All paths, sorted.
    pub fn paths(&self) -> Vec<PathBuf> {
        self.state().names.keys().cloned().collect()
    }
}

impl State {
    fn used(&self) -> u64 {
        self.files.values().map(|f| f.allocated as u64).sum()
    }

    fn reserve(&self, more: usize) -> io::Result<()> {
        match self.capacity {
            Some(capacity) if self.used() + more as u64 > capacity => {
                Err(io::Error::new(io::ErrorKind::StorageFull, "the simulated disk is full"))
            }
            _ => Ok(()),
        }
    }
}

fn heap_with(bytes: &[u8], len: usize) -> Arc<Region> {
    let region = Region::heap(len);
    assert!(region.write_through(0, &bytes[..bytes.len().min(len)]), "fresh memory takes writes");
    region
}

fn not_found(path: &Path) -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, format!("{}: no such file", path.display()))
}

fn eio() -> io::Error {
    // EIO by number, as the kernel would give it.
    io::Error::from_raw_os_error(5)
}

impl Disk for SimDisk {
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        // Folders are durable at once: the log syncs the parent, and what matters are the files.
        let mut state = self.alive()?;
        state.dirs.extend(path.ancestors().map(Path::to_path_buf));
        Ok(())
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        let state = self.alive()?;
        if !state.dirs.contains(path) {
            return Err(not_found(path));
        }
        let children = state.names.keys().chain(&state.dirs).filter(|p| p.parent() == Some(path));
        Ok(children.filter_map(|p| Some(p.file_name()?.to_string_lossy().into_owned())).collect())
    }

    fn open(&self, path: &Path, how: Open) -> io::Result<Box<dyn DiskFile>> {
        let mut state = self.alive()?;
        let known = state.names.get(path).copied();
        let id = match (how, known) {
            (Open::Read | Open::Write, Some(id)) => id,
            (Open::Read | Open::Write, None) => return Err(not_found(path)),
            (Open::Create, Some(id)) => {
                let inode = state.files.get_mut(&id).expect("a name leads to a file");
                inode.len = 0;
                inode.allocated = 0;
                inode.cache = Region::heap(0);
                id
            }
            (Open::Create, None) => {
                let id = state.next_inode;
                state.next_inode += 1;
                let inode = Inode { cache: Region::heap(0), len: 0, allocated: 0, durable: Vec::new() };
                state.files.insert(id, inode);
                state.names.insert(path.into(), id);
                state.pending.push(Change::Set(path.into(), id));
                id
            }
        };
        Ok(Box::new(SimFile { disk: self.clone(), id, path: path.into() }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.alive()?;
        let id = state.names.remove(from).ok_or_else(|| not_found(from))?;
        state.names.insert(to.into(), id);
        state.pending.push(Change::Rename(from.into(), to.into()));
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.alive()?;
        let id = state.names.remove(path).ok_or_else(|| not_found(path))?;
        state.pending.push(Change::Unset(path.into()));
        if let Some(inode) = state.files.get_mut(&id) {
            inode.allocated = 0;
        }
        Ok(())
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        let mut state = self.alive()?;
        let inside: Vec<_> = state.names.keys().filter(|p| p.starts_with(path)).cloned().collect();
        for name in inside {
            state.names.remove(&name);
            state.durable_names.remove(&name);
        }
        state.pending.retain(|change| !change.dir().is_some_and(|d| d.starts_with(path)));
        if state.disturbed_removals > 0 {
            state.disturbed_removals -= 1;
            return Err(io::ErrorKind::DirectoryNotEmpty.into());
        }
        state.dirs.retain(|d| !d.starts_with(path));
        Ok(())
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        let mut state = self.alive()?;
        let (done, rest) =
            std::mem::take(&mut state.pending).into_iter().partition(|change| change.dir() == Some(path));
        state.pending = rest;
        let done: Vec<Change> = done;
        for change in &done {
            change.apply(&mut state.durable_names);
        }
        Ok(())
    }

    fn lock(&self, path: &Path) -> io::Result<Option<LockGuard>> {
        let mut state = self.alive()?;
        if !state.locks.insert(path.into()) {
            return Ok(None);
        }
        Ok(Some(Box::new(SimLock { disk: self.clone(), path: path.into(), life: state.life })))
    }

    fn boot_id(&self) -> String {
        format!("boot-{}", self.state().boots)
    }
}

struct SimLock {
    disk: SimDisk,
    path: PathBuf,
    life: u64,
}

impl Drop for SimLock {
    fn drop(&mut self) {
        let mut state = self.disk.state();
        if state.life == self.life {
            state.locks.remove(&self.path);
        }
    }
}

#[derive(Debug)]
struct SimFile {
    disk: SimDisk,
    id: u64,
    path: PathBuf,
}

impl SimFile {
    fn with<T>(&self, f: impl FnOnce(&mut State, &Path, u64) -> io::Result<T>) -> io::Result<T> {
        let mut state = self.disk.alive()?;
        if !state.files.contains_key(&self.id) {
            return Err(not_found(&self.path));
        }
        f(&mut state, &self.path, self.id)
    }
}

impl State {
    fn inode(&mut self, id: u64) -> &mut Inode {
        self.files.get_mut(&id).expect("checked by SimFile::with")
    }

    fn grow(&mut self, id: u64, len: usize) -> io::Result<()> {
        let (old, allocated) = (self.inode(id).len, self.inode(id).allocated);
        if len > allocated {
            self.reserve(len - allocated)?;
        }
        let inode = self.inode(id);
        inode.cache = heap_with(&inode.cache.snapshot(old), len);
        inode.len = len;
        inode.allocated = allocated.max(len);
        Ok(())
    }
}

impl DiskFile for SimFile {
    fn len(&self) -> io::Result<u64> {
        self.with(|state, _, id| Ok(state.inode(id).len as u64))
    }

    fn read_at(&self, buf: &mut [u8], at: u64) -> io::Result<usize> {
        self.with(|state, path, id| {
            if state.failing_reads.as_ref().is_some_and(|part| path.to_string_lossy().contains(part.as_str()))
            {
                return Err(eio());
            }
            let inode = state.inode(id);
            let len = inode.len.min(inode.cache.len());
            let at = at.min(len as u64) as usize;
            let n = buf.len().min(len - at);
            inode.cache.copy_out(at, &mut buf[..n]);
            Ok(n)
        })
    }

    fn write_at(&self, buf: &[u8], at: u64) -> io::Result<()> {
        self.with(|state, _, id| {
            let end = at as usize + buf.len();
            if end > state.inode(id).len {
                state.grow(id, end)?;
            }
            if state.inode(id).cache.write_through(at as usize, buf) {
                Ok(())
            } else {
                Err(io::Error::other("a write below the published frontier"))
            }
        })
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.with(|state, _, id| {
            let len = len as usize;
            if len > state.inode(id).len {
                return state.grow(id, len);
            }
            let inode = state.inode(id);
            inode.len = len;
            inode.allocated = len;
            Ok(())
        })
    }

    fn allocate(&self, len: u64) -> io::Result<()> {
        if len <= self.len()? {
            return Ok(());
        }
        self.with(|state, _, id| state.grow(id, len as usize))
    }

    fn sync(&self) -> io::Result<()> {
        self.with(|state, path, id| {
            if state.failing_syncs.as_ref().is_some_and(|part| path.to_string_lossy().contains(part.as_str()))
            {
                return Err(eio());
            }
            state.syncs += 1;
            let inode = state.inode(id);
            inode.durable = inode.cache.snapshot(inode.len);
            Ok(())
        })
    }

    fn map(&self, len: usize, published: usize, _writable: bool) -> io::Result<Arc<Region>> {
        self.with(|state, path, id| {
            if state.failing_reads.as_ref().is_some_and(|part| path.to_string_lossy().contains(part.as_str()))
            {
                return Err(eio());
            }
            let inode = state.inode(id);
            if len > inode.len || published > len {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "mapping beyond the file"));
            }
            // A second mapping shares the first one's pages unless that one has published less.
            if inode.cache.published() != published || inode.cache.len() != len {
                inode.cache = heap_with(&inode.cache.snapshot(inode.len), len);
                let mut tail = inode.cache.tail().expect("fresh memory");
                tail.advance(published);
            }
            Ok(inode.cache.clone())
        })
    }

    fn fd(&self) -> Option<RawFd> {
        None
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn unsynced_bytes_may_go_and_synced_ones_stay() {
        let mut lost = 0;
        for seed in 0..200 {
            let disk = SimDisk::default();
            let dir = Path::new("/d");
            disk.create_dir(dir).unwrap();
            let file = disk.open(&dir.join("a"), Open::Create).unwrap();
            file.write_at(b"kept", 0).unwrap();
            file.sync().unwrap();
            disk.sync_dir(dir).unwrap();
            file.write_at(b"perhaps", 4).unwrap();
            disk.power_loss(&mut Rng::new(seed));
            let bytes = disk.read_all(&dir.join("a"), 100).unwrap();
            assert_eq!(&bytes[..4], b"kept");
            lost += usize::from(bytes != b"keptperhaps");
        }
        assert!((20..180).contains(&lost), "{lost} of 200");
    }

    #[test]
    fn a_replaced_file_is_old_or_new() {
        for seed in 0..200 {
            let disk = SimDisk::default();
            let (dir, path) = (Path::new("/d"), Path::new("/d/f"));
            disk.create_dir(dir).unwrap();
            disk.replace(path, b"old").unwrap();
            let again = disk.open(Path::new("/d/f.new"), Open::Create).unwrap();
            again.write_at(b"new", 0).unwrap();
            again.sync().unwrap();
            disk.rename(Path::new("/d/f.new"), path).unwrap();
            disk.power_loss(&mut Rng::new(seed));
            let bytes = disk.read_all(path, 100).unwrap();
            assert!(bytes == b"old" || bytes == b"new", "{bytes:?}");
        }
    }

    #[test]
    fn a_killed_process_changes_nothing_any_more() {
        let disk = SimDisk::default();
        let (dir, path) = (Path::new("/d"), Path::new("/d/f"));
        disk.create_dir(dir).unwrap();
        let process = disk.process();
        let file = process.open(path, Open::Create).unwrap();
        file.write_at(b"before", 0).unwrap();
        disk.kill();
        assert!(
            file.write_at(b"after", 0).is_err() && file.set_len(0).is_err() && process.remove(path).is_err()
        );
        assert_eq!(disk.process().read_all(path, 100).unwrap(), b"before");
    }
}

//! A log as a whole: the folder, its topics, its helpers; opening, closing, administration.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, RandomState};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use arc_swap::ArcSwap;

use super::catalog::{self, Catalog, Topic};
use super::commit::{self, Committer};
use super::config::{Helpers, LogConfig, SyncBy, TopicConfig};
use super::error::{LogError, LogResult};
use super::files::{self, Sheet};
use super::keeper::{self, Keeper, KeeperLink};
use super::moves::Moves;
use super::partition::{Home, Partition};
use super::prefault::{self, Prefaulter};
use super::reader::{Follow, Reader};
use super::recover::{CleanEnd, Finding, Recovery};
use super::segment::Place;
use super::sync::Syncer;
use super::writer::{Link, PartitionWriter, WriterSetup};
use crate::host::disk::LockGuard;
use crate::host::threads::{SideThread, Turn, Waker};
use crate::host::{Clock, Disk, ReadOnlyDisk, RealDisk, SystemClock};

/// Most owners that may be waiting to be taken up by the helpers.
const CONTROL_SLOTS: usize = 16 * 1024;
/// How often a folder is removed again in which a file has appeared meanwhile.
const REMOVALS: usize = 10_000;

/// A folder of topics, open for writing by this process (or for looking at, see [`Log::open_read_only`]).
pub struct Log {
    root: PathBuf,
    disk: Arc<dyn Disk>,
    clock: Arc<dyn Clock>,
    catalog: Arc<ArcSwap<Catalog>>,
    config: LogConfig,
    findings: Vec<Finding>,
    moves: Arc<Moves>,
    helpers: Option<Running>,
    _lock: Option<LockGuard>,
}

enum Running {
    Threads {
        /// Dropped (stopped) in this order.
        committer: SideThread,
        keeper: SideThread,
        prefaulter: SideThread,
        links: rtrb::Producer<Link>,
        keeper_links: rtrb::Producer<KeeperLink>,
        mapped: rtrb::Producer<Arc<Partition>>,
        returned: Returned,
        sync_name: String,
    },
    Manual {
        committer: Box<Committer>,
        keeper: Box<Keeper>,
        prefaulter: Prefaulter,
        links: rtrb::Producer<Link>,
        keeper_links: rtrb::Producer<KeeperLink>,
        mapped: rtrb::Producer<Arc<Partition>>,
    },
}

/// Where a stopped committer leaves itself, for the last flush.
type Returned = rtrb::Consumer<Box<Committer>>;

impl std::fmt::Debug for Log {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Log({})", self.root.display())
    }
}

impl Log {
    /// Opens (or makes) the log in `root` with the machine's disk and clock.
    pub fn open(root: impl AsRef<Path>, config: LogConfig) -> LogResult<Self> {
        Self::open_on(Arc::new(RealDisk), Arc::new(SystemClock::default()), root.as_ref(), config)
    }

    /// [`Log::open`] on any disk and clock.
    pub fn open_on(
        disk: Arc<dyn Disk>,
        clock: Arc<dyn Clock>,
        root: &Path,
        config: LogConfig,
    ) -> LogResult<Self> {
        let fail = |e: std::io::Error| LogError::io("opening", root, &e);
        disk.create_dir(root).map_err(fail)?;
        let lock = disk
            .lock(&root.join("LOCK"))
            .map_err(fail)?
            .ok_or_else(|| LogError::Taken(format!("{} is open in another process", root.display())))?;
        check_format(&*disk, root, true)?;
        let moves: Arc<Moves> = Arc::default();
        let (catalog, findings) =
            load(&Home { root, disk: disk.clone(), moves: moves.clone(), is_read_only: false })?;
        // From here on the folder is in use: a marker of the last close would be a lie.
        let clean = root.join("clean");
        match disk.remove(&clean) {
            Ok(()) => disk.sync_dir(root).map_err(fail)?,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
            Err(e) => return Err(fail(e)),
        }
        let mut log = Self {
            root: root.into(),
            disk,
            clock,
            catalog: Arc::new(ArcSwap::from_pointee(catalog)),
            config,
            findings,
            moves,
            helpers: None,
            _lock: Some(lock),
        };
        log.note_places()?;
        log.start()?;
        Ok(log)
    }

    /// Looks at a log without changing anything, even while another process writes it: what was published when it was
    /// opened can be read.
    pub fn open_read_only(root: impl AsRef<Path>) -> LogResult<Self> {
        Self::open_read_only_on(Arc::new(RealDisk), root.as_ref())
    }

    /// [`Log::open_read_only`] on any disk.
    pub fn open_read_only_on(disk: Arc<dyn Disk>, root: &Path) -> LogResult<Self> {
        let disk: Arc<dyn Disk> = Arc::new(ReadOnlyDisk(disk));
        check_format(&*disk, root, false)?;
        let moves: Arc<Moves> = Arc::default();
        let (catalog, findings) =
            load(&Home { root, disk: disk.clone(), moves: moves.clone(), is_read_only: true })?;
        Ok(Self {
            root: root.into(),
            disk,
            clock: Arc::new(SystemClock::default()),
            catalog: Arc::new(ArcSwap::from_pointee(catalog)),
            config: LogConfig { helpers: Helpers::Manual, ..LogConfig::default() },
            findings,
            moves,
            helpers: None,
            _lock: None,
        })
    }

    pub(super) fn start(&mut self) -> LogResult<()> {
        // Megabytes of rings would be most of the time of a simulated life.
        let slots = if self.config.helpers == Helpers::Manual { CONTROL_SLOTS / 8 } else { CONTROL_SLOTS };
        let (links, links_out) = rtrb::RingBuffer::new(slots);
        let (keeper_links, keeper_out) = rtrb::RingBuffer::new(slots);
        let (mapped, mapped_out) = rtrb::RingBuffer::new(slots);
        let prefaulter = Prefaulter::new(self.clock.clone(), mapped_out, self.config.prefault_bytes);
        let by = if self.config.helpers == Helpers::Manual && self.config.sync_by == SyncBy::Auto {
            SyncBy::Inline
        } else {
            self.config.sync_by
        };
        let syncer = Syncer::new(by)?;
        // Names of prepared files differ between runs, so that one left behind is never taken for another.
        let first_name = RandomState::new().hash_one(self.clock.wall_ms()) >> 24;
        let (clock, catalog) = (self.clock.clone(), self.catalog.clone());
        let keeper = Keeper::new(clock, catalog, keeper_out, self.config.clone(), first_name);
        let committer = |waker: Waker| {
            let outside = (self.root.clone(), self.disk.clone(), self.clock.clone());
            Box::new(Committer::new(outside, self.catalog.clone(), links_out, &self.config, syncer, waker))
        };
        self.helpers = Some(match self.config.helpers {
            Helpers::Manual => {
                let (committer, keeper) = (committer(Waker::default()), Box::new(keeper));
                Running::Manual { committer, keeper, prefaulter, links, keeper_links, mapped }
            }
            Helpers::Threads => {
                let failed = |e: std::io::Error| LogError::io("starting helpers of", &self.root, &e);
                let keeper = SideThread::spawn("pelton-keeper", keeper, |k| k.turn(), |k| k.has_work(), drop)
                    .map_err(failed)?;
                let committer = committer(keeper.waker());
                let sync_name = committer.sync_name().to_owned();
                let (mut back, returned) = rtrb::RingBuffer::new(1);
                let committer = SideThread::spawn(
                    "pelton-commit",
                    committer,
                    |c| c.turn(),
                    |c| c.has_work(),
                    move |c| drop(back.push(c)),
                )
                .map_err(failed)?;
                let prefaulter = SideThread::spawn(
                    "pelton-prefault",
                    prefaulter,
                    Prefaulter::turn,
                    |p| p.has_work(),
                    drop,
                )
                .map_err(failed)?;
                Running::Threads {
                    committer,
                    keeper,
                    prefaulter,
                    links,
                    keeper_links,
                    mapped,
                    returned,
                    sync_name,
                }
            }
        });
        Ok(())
    }

    /// Notes what recovery established, so that a crash soon after does not scan from further back, under this boot.
    pub(super) fn note_places(&self) -> LogResult<()> {
        let lines: Vec<String> =
            self.catalog.load().partitions().map(|p| commit::checkpoint_line(p, p.recovered)).collect();
        commit::write_checkpoint(&self.root, &*self.disk, &lines)
    }

    /// What recovery found when this log was opened.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// How syncs are done, in words.
    pub fn sync_name(&self) -> &str {
        match &self.helpers {
            Some(Running::Threads { sync_name, .. }) => sync_name,
            Some(Running::Manual { committer, .. }) => committer.sync_name(),
            None => "not at all",
        }
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The topics as they are now.
    pub fn catalog(&self) -> Arc<Catalog> {
        self.catalog.load_full()
    }

    pub(super) fn home(&self) -> Home<'_> {
        let (root, disk, moves) = (&*self.root, self.disk.clone(), self.moves.clone());
        Home { root, disk, moves, is_read_only: false }
    }

    /// Tells when offsets of any partition move.
    pub fn moves(&self) -> &Arc<Moves> {
        &self.moves
    }

    /// A partition, or which name is wrong.
    pub fn partition(&self, topic: &str, number: u32) -> LogResult<Arc<Partition>> {
        let catalog = self.catalog.load();
        let found = catalog.topics.get(topic).ok_or_else(|| {
            let known: Vec<&str> = catalog.topics.keys().take(20).map(String::as_str).collect();
            LogError::Config(format!("there is no topic '{topic}' (topics: {})", known.join(", ")))
        })?;
        found.partitions.get(number as usize).cloned().ok_or_else(|| {
            LogError::Config(format!("topic '{topic}' has partitions 0 to {}", found.partitions.len() - 1))
        })
    }

    /// Makes a topic, durably.
    pub fn create_topic(&mut self, name: &str, partitions: u32, config: TopicConfig) -> LogResult<()> {
        self.writable()?;
        files::check_topic_name(name)?;
        catalog::check_partitions(partitions)?;
        config.validate()?;
        let mut next = Catalog::clone(&self.catalog.load());
        if next.topics.contains_key(name) {
            return Err(LogError::Config(format!("topic '{name}' exists")));
        }
        let topic: Arc<str> = name.into();
        let config = Arc::new(config);
        let mut made = Vec::new();
        for number in 0..partitions {
            made.push(self.make_partition(&topic, number, &config)?);
        }
        self.disk.sync_dir(&self.root).map_err(|e| LogError::io("syncing", &self.root, &e))?;
        let hash = RandomState::new();
        let id = format!("{:016x}{:016x}", hash.hash_one(name), hash.hash_one(self.clock.wall_ms()));
        next.topics.insert(name.into(), Topic { name: topic, id, config, partitions: made });
        next.write(&*self.disk, &self.root)?;
        self.set_catalog(next);
        Ok(())
    }

    /// A partition's folder and what belongs to it, empty.
    pub(super) fn make_partition(
        &self,
        topic: &Arc<str>,
        number: u32,
        config: &Arc<TopicConfig>,
    ) -> LogResult<Arc<Partition>> {
        let dir = files::partition_dir(&self.root, topic, number);
        self.disk.create_dir(&dir).map_err(|e| LogError::io("making", &dir, &e))?;
        let mut recovery = Recovery {
            disk: &*self.disk,
            dir,
            checkpoint: None,
            clean: None,
            is_same_boot: true,
            is_read_only: false,
            findings: Vec::new(),
        };
        let found = recovery.run();
        let (topic, config) = (topic.clone(), config.clone());
        Ok(Arc::new(Partition::new(&self.home(), topic, number, config, found)))
    }

    /// Makes a catalog the current one whose list of topics is the one on disk.
    pub(super) fn set_catalog(&mut self, next: Catalog) {
        self.catalog.store(Arc::new(next));
        if let Some(Running::Threads { committer, .. }) = &self.helpers {
            committer.waker().wake();
        }
    }

    /// Writes the topics' list and makes it the current one.
    pub(super) fn swap_catalog(&mut self, next: Catalog) -> LogResult<()> {
        self.disk.sync_dir(&self.root).map_err(|e| LogError::io("syncing", &self.root, &e))?;
        next.write(&*self.disk, &self.root)?;
        self.set_catalog(next);
        Ok(())
    }

    /// Removes a topic and its data. Refused while it has owners.
    pub fn delete_topic(&mut self, name: &str) -> LogResult<()> {
        self.writable()?;
        let mut next = Catalog::clone(&self.catalog.load());
        let Some(topic) = next.topics.remove(name) else {
            return Err(LogError::Config(format!("there is no topic '{name}'")));
        };
        let mut taken: Vec<&Arc<Partition>> = Vec::new();
        for partition in &topic.partitions {
            if partition.is_owned.swap(true, Ordering::AcqRel) {
                for other in taken {
                    other.is_owned.store(false, Ordering::Release);
                }
                return Err(LogError::Taken(format!("{} has an owner", partition.name)));
            }
            taken.push(partition);
        }
        // The name first: folders without a topic are nobody's and are removed at the next open.
        next.write(&*self.disk, &self.root)?;
        self.set_catalog(next);
        for partition in &topic.partitions {
            partition.stop("the topic was deleted".into());
            self.remove_folder(&partition.dir)?;
        }
        Ok(())
    }

    /// Removes a folder whose partition has been stopped. The keeper may be at it: what it finishes there meanwhile, the index of a closed
    /// segment, makes a folder that was empty one with a file again.
    fn remove_folder(&self, dir: &Path) -> LogResult<()> {
        let mut left = REMOVALS;
        loop {
            match self.disk.remove_dir(dir) {
                Err(e) if e.kind() == std::io::ErrorKind::DirectoryNotEmpty && left > 0 => {
                    left -= 1;
                    std::thread::yield_now();
                }
                other => return other.map_err(|e| LogError::io("removing", dir, &e)),
            }
        }
    }

    pub(super) fn writable(&self) -> LogResult<()> {
        if self.helpers.is_none() {
            return Err(LogError::Config(format!("{} is open read-only", self.root.display())));
        }
        Ok(())
    }

    /// Becomes the owner of a partition. There is one at a time.
    pub fn writer(&mut self, topic: &str, number: u32) -> LogResult<PartitionWriter> {
        self.writable()?;
        let partition = self.partition(topic, number)?;
        let (prepared_in, prepared) = rtrb::RingBuffer::new(1);
        let (committer, keeper, prefaulter) = match &self.helpers {
            Some(Running::Threads { committer, keeper, prefaulter, .. }) => {
                (committer.waker(), keeper.waker(), prefaulter.waker())
            }
            _ => (Waker::default(), Waker::default(), Waker::default()),
        };
        let setup = WriterSetup {
            prepared,
            keeper: keeper.clone(),
            committer: committer.clone(),
            prefaulter: prefaulter.clone(),
            prefault: self.config.prefault_bytes.min(prefault::MIN_LEAD_BYTES),
            mapped_writes: self.config.mapped_writes,
        };
        let (writer, link) = PartitionWriter::new(partition.clone(), setup)?;
        let keeper_link = KeeperLink { partition: partition.clone(), prepared: prepared_in };
        let (links, keeper_links, mapped) = match &mut self.helpers {
            Some(
                Running::Threads { links, keeper_links, mapped, .. }
                | Running::Manual { links, keeper_links, mapped, .. },
            ) => (links, keeper_links, mapped),
            None => unreachable!("checked by writable"),
        };
        let full = || LogError::Taken("too many owners at once".into());
        keeper_links.push(keeper_link).map_err(|_| full())?;
        if let Some(link) = link {
            links.push(link).map_err(|_| full())?;
            committer.wake();
        }
        if writer.is_mapped() {
            mapped.push(partition).map_err(|_| full())?;
            prefaulter.wake();
        }
        keeper.wake();
        Ok(writer)
    }

    /// Reads a partition from `offset` on.
    pub fn reader(&self, topic: &str, number: u32, offset: i64, follow: Follow) -> LogResult<Reader> {
        Reader::new(self.partition(topic, number)?, offset, follow)
    }

    /// Forgets the records before `offset`, durably. Returns the new start.
    pub fn delete_before(&self, topic: &str, number: u32, offset: i64) -> LogResult<i64> {
        self.writable()?;
        self.partition(topic, number)?.delete_before(offset)
    }

    /// Stops the helpers after they have written what they hold. They know only what the catalog says when they start.
    pub(super) fn stop_helpers_and_flush(&mut self) {
        if let Some(mut committer) = self.stop_helpers() {
            committer.flush();
        }
    }

    /// One turn of the helpers, where they have no threads. True when they found work.
    pub fn turn(&mut self) -> bool {
        match &mut self.helpers {
            Some(Running::Manual { committer, keeper, prefaulter, .. }) => {
                [committer.turn(), keeper.turn(), prefaulter.turn()].contains(&Turn::Busy)
            }
            _ => false,
        }
    }

    /// What a turn of each helper says, where they have no threads.
    #[cfg(all(test, not(loom)))]
    pub(super) fn idle_turns(&mut self) -> (Turn, Turn) {
        match &mut self.helpers {
            Some(Running::Manual { committer, keeper, .. }) => (committer.turn(), keeper.turn()),
            _ => unreachable!("a log without threads"),
        }
    }

    /// What the keeper and the prefaulter would find before they sleep.
    #[cfg(all(test, not(loom)))]
    pub(super) fn helpers_have_work(&self) -> (bool, bool) {
        match &self.helpers {
            Some(Running::Manual { keeper, prefaulter, .. }) => (keeper.has_work(), prefaulter.has_work()),
            _ => unreachable!("a log without threads"),
        }
    }

    /// Retention and compaction now, where helpers have no threads.
    pub fn maintain(&mut self) -> LogResult<()> {
        match &mut self.helpers {
            Some(Running::Manual { keeper, .. }) => keeper.maintain_now(),
            _ => Ok(()),
        }
    }

    fn stop_helpers(&mut self) -> Option<Box<Committer>> {
        match self.helpers.take()? {
            Running::Threads { mut committer, mut keeper, mut prefaulter, mut returned, .. } => {
                prefaulter.stop();
                keeper.stop();
                committer.stop();
                returned.pop().ok()
            }
            Running::Manual { committer, .. } => Some(committer),
        }
    }

    /// Closes cleanly: everything durable, files trimmed, and a marker that spares the next open its scan. Refused (with
    /// the log still open, yet without helpers) while a partition has an owner.
    pub fn close(mut self) -> LogResult<()> {
        let Some(mut committer) = self.stop_helpers() else { return Ok(()) };
        committer.flush();
        let catalog = self.catalog.load_full();
        let mut lines = Vec::new();
        let mut problem = None;
        for partition in catalog.partitions() {
            if partition.stopped().is_some() || partition.is_owned.load(Ordering::Acquire) {
                if partition.is_owned.load(Ordering::Acquire) {
                    problem =
                        Some(LogError::Taken(format!("{} has an owner: drop it first", partition.name)));
                }
                continue;
            }
            match close_partition(partition) {
                Ok(end) => lines.push(format!(
                    "{} {} {} {} {}",
                    partition.topic, partition.number, end.base, end.size, end.next
                )),
                Err(e) => problem = Some(e),
            }
        }
        committer.write_checkpoint()?;
        Sheet { lines }.write(&*self.disk, &self.root.join("clean"), "pelton-clean")?;
        match problem {
            None => Ok(()),
            Some(e) => Err(e),
        }
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        // Without close: as after a crash, except that what was handed to the committer is written.
        drop(self.stop_helpers());
    }
}

/// Trims, names and syncs every segment of a partition that nobody writes.
fn close_partition(partition: &Arc<Partition>) -> LogResult<CleanEnd> {
    let disk = &*partition.disk;
    keeper::finish_segments(partition);
    partition.check_running()?;
    let segments = partition.segments();
    let next = partition.published().get();
    let Some(last) = segments.last() else { return Ok(CleanEnd { base: next, size: 0, next }) };
    if last.loaded().is_some() {
        last.rename(disk)?;
        last.trim_and_index(disk)?;
        let loaded = last.load(disk)?;
        loaded.file.sync().map_err(|e| LogError::io("syncing", &last.path(), &e))?;
    } else {
        // Nobody used it since recovery, which leaves reserved room where it is.
        last.trim(disk)?;
    }
    for name in disk.list(&partition.dir).map_err(|e| LogError::io("listing", &partition.dir, &e))? {
        if name.starts_with("prepared-") {
            let path = partition.dir.join(name);
            disk.remove(&path).map_err(|e| LogError::io("removing", &path, &e))?;
        }
    }
    disk.sync_dir(&partition.dir).map_err(|e| LogError::io("syncing", &partition.dir, &e))?;
    Ok(CleanEnd { base: last.base, size: last.size(), next: last.next_offset() })
}

/// Checks the folder's version; writes it where there is none yet.
fn check_format(disk: &dyn Disk, root: &Path, create: bool) -> LogResult<()> {
    let path = root.join("format");
    match Sheet::read(disk, &path, "pelton-log")? {
        Some(_) => Ok(()),
        None if create => {
            let names = disk.list(root).map_err(|e| LogError::io("listing", root, &e))?;
            if names.iter().any(|n| n == "topics" || n == "checkpoint") {
                return Err(LogError::BadFile {
                    file: path.display().to_string(),
                    reason: "is missing from a folder that holds a log".into(),
                    is_version: false,
                });
            }
            Sheet::default().write(disk, &path, "pelton-log")
        }
        None => Err(LogError::Config(format!("{} is not a log (no file 'format')", root.display()))),
    }
}

/// Reads the catalog and recovers every partition.
fn load(home: &Home<'_>) -> LogResult<(Catalog, Vec<Finding>)> {
    let Home { root, disk, is_read_only, .. } = home;
    let lines = Catalog::read(&**disk, root)?;
    let (boot, places) = read_checkpoint(&**disk, root)?;
    let is_same_boot = boot.as_deref() == Some(disk.boot_id().as_str());
    let clean = read_clean(&**disk, root)?;
    let mut findings = Vec::new();
    let mut topics = BTreeMap::new();
    for line in lines {
        let topic: Arc<str> = line.name.as_str().into();
        let config = Arc::new(line.config);
        let mut partitions = Vec::with_capacity(line.partitions as usize);
        for number in 0..line.partitions {
            let key = (line.name.clone(), number);
            let mut recovery = Recovery {
                disk: &**disk,
                dir: files::partition_dir(root, &line.name, number),
                checkpoint: places.get(&key).map(|(place, _)| *place),
                clean: clean.as_ref().and_then(|c| c.get(&key).copied()),
                is_same_boot: is_same_boot && places.get(&key).is_none_or(|(_, is_scanned)| *is_scanned),
                is_read_only: *is_read_only,
                findings: Vec::new(),
            };
            let found = recovery.run();
            findings.append(&mut recovery.findings);
            partitions.push(Arc::new(Partition::new(home, topic.clone(), number, config.clone(), found)));
        }
        topics.insert(line.name, Topic { name: topic, id: line.id, config, partitions });
    }
    Ok((Catalog { topics }, findings))
}

/// Each place, and whether the partition was scanned under the boot that the file names.
type Places = HashMap<(String, u32), (Place, bool)>;

fn read_checkpoint(disk: &dyn Disk, root: &Path) -> LogResult<(Option<String>, Places)> {
    let path = root.join("checkpoint");
    let mut sheet = match Sheet::read(disk, &path, "pelton-checkpoint") {
        Ok(Some(sheet)) => sheet,
        Ok(None) => return Ok((None, HashMap::new())),
        Err(e @ LogError::BadFile { is_version: true, .. }) => return Err(e),
        // Disposable: without it everything is scanned.
        Err(LogError::BadFile { .. }) => return Ok((None, HashMap::new())),
        Err(e) => return Err(e),
    };
    if sheet.lines.is_empty() {
        return Ok((None, HashMap::new()));
    }
    let boot = sheet.lines.remove(0).strip_prefix("boot ").map(str::to_owned);
    let places = files::parse_lines(&sheet, "checkpoint", |words| {
        let (words, is_scanned) = match words {
            [place @ .., "unscanned"] => (place, false),
            place => (place, true),
        };
        let [topic, number, base, position, offset] = words else { return None };
        let place = Place {
            base: base.parse().ok().filter(|&b: &i64| b >= 0)?,
            position: position.parse().ok()?,
            offset: offset.parse().ok().filter(|&o: &i64| o >= 0)?,
        };
        Some((((*topic).to_owned(), number.parse().ok()?), (place, is_scanned)))
    })?;
    Ok((boot, places.into_iter().collect()))
}

fn read_clean(disk: &dyn Disk, root: &Path) -> LogResult<Option<HashMap<(String, u32), CleanEnd>>> {
    let sheet = match Sheet::read(disk, &root.join("clean"), "pelton-clean") {
        Ok(Some(sheet)) => sheet,
        Err(e @ LogError::BadFile { is_version: true, .. }) => return Err(e),
        Ok(None) | Err(LogError::BadFile { .. }) => return Ok(None),
        Err(e) => return Err(e),
    };
    let ends = files::parse_lines(&sheet, "clean", |words| {
        let [topic, number, base, size, next] = words else { return None };
        let end = CleanEnd {
            base: base.parse().ok()?,
            size: size.parse().ok()?,
            next: next.parse().ok().filter(|&n: &i64| n >= 0)?,
        };
        Some((((*topic).to_owned(), number.parse().ok()?), end))
    })?;
    Ok(Some(ends.into_iter().collect()))
}

//! The part files of one shard's output, on the sink's thread.

use super::super::Target;
use super::super::writer::{Job, Work};
use crate::error::{Error, Result};
use std::collections::{BTreeSet, HashMap};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Which partition a piece of bytes belongs to: its folder below the table's.
pub(super) type Folder = std::sync::Arc<str>;

/// Part files that are seen at the end.
pub(super) struct Parts {
    root: PathBuf,
    /// Unlike the name of any other run.
    run: String,
    shard: usize,
    file_size: u64,
    /// Of partitions.
    success_file: Option<String>,
    open: HashMap<Folder, Open>,
    /// Hidden path and final path of files that are complete.
    complete: Vec<(PathBuf, PathBuf)>,
    /// Part files begun.
    count: usize,
}

struct Open {
    file: File,
    hidden: PathBuf,
    shown: PathBuf,
    bytes: u64,
}

impl Parts {
    /// Part files below `root`, which is made.
    pub(super) fn new(root: PathBuf, shard: usize, sink: &super::FilesystemSink) -> Result<Self> {
        let file_size = sink.file_size;
        let success_file = sink.success_file.clone().filter(|_| !sink.partitions.is_empty());
        fs::create_dir_all(&root).map_err(|e| failed(&root, &e))?;
        use std::hash::{BuildHasher, Hasher};
        // Two hashers of the standard library start from different random keys in every process.
        let random = || std::collections::hash_map::RandomState::new().build_hasher().finish();
        let run = format!("{:016x}{:016x}", random(), random());
        let (open, complete) = (HashMap::new(), vec![]);
        Ok(Self { root, run, shard, file_size, success_file, open, complete, count: 0 })
    }

    fn begin(&mut self, folder: &Folder) -> Result<Open> {
        let place = self.root.join(&**folder);
        fs::create_dir_all(&place).map_err(|e| failed(&place, &e))?;
        let name = format!("part-{}-{}-{}", self.run, self.shard, self.count);
        self.count += 1;
        let hidden = place.join(format!(".{name}.inprogress"));
        let file =
            OpenOptions::new().write(true).create_new(true).open(&hidden).map_err(|e| failed(&hidden, &e))?;
        Ok(Open { file, hidden, shown: place.join(name), bytes: 0 })
    }

    fn close(&mut self, open: Open) -> Result<()> {
        open.file.sync_all().map_err(|e| failed(&open.hidden, &e))?;
        self.complete.push((open.hidden, open.shown));
        Ok(())
    }
}

fn failed(path: &Path, e: &io::Error) -> Error {
    Error::io(path.display(), e)
}

impl Work<Folder> for Parts {
    fn job(&mut self, job: &Job<Folder>) -> Result<()> {
        let mut open = match self.open.remove(&job.kind) {
            Some(o) => o,
            None => self.begin(&job.kind)?,
        };
        open.file.write_all(&job.bytes).map_err(|e| failed(&open.hidden, &e))?;
        open.bytes += job.bytes.len() as u64;
        if open.bytes >= self.file_size {
            return self.close(open);
        }
        self.open.insert(job.kind.clone(), open);
        Ok(())
    }

    fn idle(&mut self) -> Result<()> {
        Ok(())
    }

    /// Commits: every file is complete on the disk before the first gets its name.
    fn finish(&mut self) -> Result<()> {
        let open: Vec<Open> = self.open.drain().map(|(_, o)| o).collect();
        open.into_iter().try_for_each(|o| self.close(o))?;
        let mut folders = BTreeSet::new();
        for (hidden, shown) in std::mem::take(&mut self.complete) {
            fs::rename(&hidden, &shown).map_err(|e| failed(&shown, &e))?;
            folders.extend(shown.parent().map(Path::to_path_buf));
        }
        for folder in folders {
            if let Some(name) = &self.success_file {
                let path = folder.join(name);
                File::create(&path).and_then(|f| f.sync_all()).map_err(|e| failed(&path, &e))?;
            }
            File::open(&folder).and_then(|f| f.sync_all()).map_err(|e| failed(&folder, &e))?;
        }
        Ok(())
    }
}

impl Drop for Parts {
    /// A job that did not finish leaves nothing behind; after a crash hidden files stay, which no reader takes.
    fn drop(&mut self) {
        for (hidden, _) in &self.complete {
            let _ = fs::remove_file(hidden);
        }
        for open in self.open.values() {
            let _ = fs::remove_file(&open.hidden);
        }
    }
}

/// Standard output, or what stands for it.
pub(super) struct Stream(pub(super) Target);

impl Work<Folder> for Stream {
    fn job(&mut self, job: &Job<Folder>) -> Result<()> {
        self.0.write_all(&job.bytes).map_err(|e| Error::io("standard output", &e))
    }

    fn idle(&mut self) -> Result<()> {
        self.0.flush().map_err(|e| Error::io("standard output", &e))
    }

    fn finish(&mut self) -> Result<()> {
        self.idle()
    }
}

//! `pelton log verify`: every byte checked, everything wrong told with its place.

use std::path::{Path, PathBuf};

use clap::Args;
use pelton::host::RealDisk;
use pelton::log::scan::Rules;
use pelton::log::verify::{self, Report};
use pelton::{Error, Result};

use super::{print, size_text};
use crate::exit::Exit;

/// Check every byte; tell what is wrong and where
#[derive(Args, Debug)]
pub(super) struct Verify {
    /// Only these topics
    topics: Vec<String>,
    /// Check segment files or a partition's folder instead of a log
    #[arg(long = "file", value_name = "FILE", conflicts_with = "topics")]
    files: Vec<PathBuf>,
    /// The files are Apache Kafka's: offsets may have gaps, epochs may grow
    #[arg(long, requires = "files")]
    kafka: bool,
}

impl Verify {
    /// It is about a log, not about files.
    pub(super) fn needs_folder(&self) -> bool {
        self.files.is_empty()
    }

    pub(super) fn run(&self, folder: &Path) -> Result<Exit> {
        let mut report = Report::default();
        if self.files.is_empty() {
            verify::folder(&RealDisk, folder, &self.topics, &mut report)?;
        }
        let rules = if self.kafka { Rules::Kafka } else { Rules::Pelton };
        for path in &self.files {
            if path.is_dir() {
                verify::partition(&RealDisk, path, rules, &mut report)?;
            } else if path.is_file() {
                verify::segment(&RealDisk, path, rules, None, &mut report)?;
            } else {
                return Err(Error::config(format!("{} is neither a file nor a folder", path.display())));
            }
        }
        let mut text = String::new();
        for problem in &report.problems {
            text.push_str(&format!("{problem}\n"));
        }
        let damaged = report.problems.iter().filter(|p| p.is_data).count();
        text.push_str(&format!(
            "{} segments, {} batches, {} records, {}: {}\n",
            report.segments,
            report.batches,
            report.records,
            size_text(report.bytes),
            if damaged == 0 { "whole".into() } else { format!("{damaged} damaged places") }
        ));
        print(text.as_bytes())?;
        Ok(if report.is_whole() { Exit::Done } else { Exit::Found })
    }
}

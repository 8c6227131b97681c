//! `pelton bench nexmark --from csv|json`: the same queries from bytes. The events are written to files in a folder of their own, and each
//! query reads them from there: as Flink's users have them, all kinds of event in one nested stream of json, or each in a flat
//! table of csv.

use super::TABLES;
use crate::run::now_us;
use pelton::{Engine, Error, Progress, Result};
use std::path::{Path, PathBuf};

/// What stands in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Form {
    /// Persons, auctions and bids, a flat table each
    Csv,
    /// All events, nested
    Json,
}

/// The flat tables: name, columns and where they come from.
const FLAT: [(&str, &str); 3] = [
    (
        "person",
        "id BIGINT, name STRING, emailAddress STRING, creditCard STRING, city STRING, state STRING, `dateTime` TIMESTAMP(3), extra STRING",
    ),
    (
        "auction",
        "id BIGINT, itemName STRING, description STRING, initialBid BIGINT, reserve BIGINT, `dateTime` TIMESTAMP(3), expires TIMESTAMP(3), \
         seller BIGINT, category BIGINT, extra STRING",
    ),
    (
        "bid",
        "auction BIGINT, bidder BIGINT, price BIGINT, channel STRING, url STRING, `dateTime` TIMESTAMP(3), extra STRING",
    ),
];

/// The generated events' connector in the tables.
const GENERATED: &str = "('connector' = 'nexmark', 'mode' = 'replay', 'events.num' = '${EVENTS}')";

/// A folder with events in files, which goes with this.
pub(super) struct Files {
    folder: PathBuf,
    form: Form,
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl Files {
    /// Writes `events` events.
    ///
    /// # Errors
    /// The folder cannot be made or filled.
    pub(super) fn write(form: Form, events: u64) -> Result<Files> {
        let folder = std::env::temp_dir().join(format!("pelton-nexmark-{}", std::process::id()));
        std::fs::create_dir_all(&folder).map_err(|e| {
            Error::config(format!("the events need room in {}: {e}", folder.display()))
                .hint("set TMPDIR to another folder")
        })?;
        let files = Files { folder, form };
        let mut script = TABLES.replace("${EVENTS}", &events.to_string());
        match form {
            Form::Json => {
                let declared = TABLES.split_once("`dateTime` AS").map_or("", |t| t.0);
                let columns = declared.split_once("datagen (").map_or("", |t| t.1);
                let columns = columns.trim_end().trim_end_matches(',');
                script += &format!("\nCREATE TABLE file ({columns}) WITH {};", files.connector("event"));
                script += "\nINSERT INTO file SELECT event_type, person, auction, bid FROM datagen;";
            }
            Form::Csv => {
                for (name, columns) in FLAT {
                    let with = files.connector(name);
                    script += &format!("\nCREATE TABLE {name}_file ({columns}) WITH {with};");
                }
                script += "\nEXECUTE STATEMENT SET BEGIN";
                for (name, _) in FLAT {
                    script += &format!("\nINSERT INTO {name}_file SELECT * FROM {name};");
                }
                script += "\nEND;";
            }
        }
        let script = Engine::builder().build()?.prepare(&script)?;
        for job in script.jobs() {
            let mut run = job.start()?;
            while run.step(now_us())? != Progress::Done {}
        }
        Ok(files)
    }

    /// The tables over these files, instead of [`TABLES`].
    pub(super) fn tables(&self) -> String {
        match self.form {
            Form::Json => TABLES.replace(GENERATED, &self.connector("event")),
            Form::Csv => {
                let watermark = "WATERMARK FOR `dateTime` AS `dateTime` - INTERVAL '4' SECOND";
                let table = |(name, columns): (&str, &str)| {
                    let with = self.connector(name);
                    format!("CREATE TABLE {name} ({columns}, {watermark}) WITH {with};\n")
                };
                FLAT.map(table).concat()
            }
        }
    }

    fn connector(&self, name: &str) -> String {
        let format = match self.form {
            Form::Csv => "csv",
            Form::Json => "json",
        };
        let path = text(&self.folder.join(name));
        format!("('connector' = 'filesystem', 'path' = '{path}', 'format' = '{format}')")
    }
}

fn text(path: &Path) -> String {
    path.display().to_string().replace('\'', "''")
}

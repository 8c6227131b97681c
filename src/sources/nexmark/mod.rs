//! `nexmark`: the auction events of the Nexmark benchmark, with the options of its Flink connector.
//!
//! Two options are Pelton's own. `base-time` (ms since the epoch) is the first event's time, fixed by default where the original takes
//! the start of the job, so that runs can be compared. `mode` is `generate`, which makes every event anew, or `replay`, which makes
//! `replay.events` of them once and gives them out again and again with shifted ids and times (see [`replay`]), so that a benchmark
//! measures the engine and not the generator.

mod events;
mod input;
pub mod replay;

pub use events::EventColumns;
pub use input::GenerateInput;
pub use replay::ReplayInput;

use crate::batch::{DataType, Field, Schema, TypeKind};
use crate::error::{Error, Result};
use crate::plan::Changelog;
use crate::plan::connector::{SourceInfo, SourceSpec, TableSpec};
use crate::plan::options::Options;
use crate::shard::{Comes, Input};
use ::nexmark::config::{NexmarkConfig, RateShape};

/// The default of `base-time`: 2023-11-14 22:13:20 UTC.
pub const BASE_TIME_MS: u64 = 1_700_000_000_000;
/// The default of `replay.events`.
pub const REPLAY_EVENTS: u64 = 1_000_000;

/// The options, checked.
#[derive(Clone, Debug)]
pub struct NexmarkSource {
    /// What the generator takes.
    pub config: NexmarkConfig,
    /// Events in all; `None`: no end.
    pub events: Option<u64>,
    /// After the last event the source stays open.
    pub keep_alive: bool,
    /// Events come no earlier than their times say, counted from the first poll.
    pub rate_limited: bool,
    /// Events to make once and replay; `None`: every event is made anew. A whole number of the generator's cycles.
    pub replay: Option<u64>,
}

/// The options that are Pelton's own.
pub const EXTENSIONS: &[&str] = &["base-time", "mode", "replay.events"];

const OPTIONS: &[&str] = &[
    "auction.avg-size",
    "auction.hot-ratio.sellers",
    "auction.proportion",
    "base-time",
    "bid.avg-size",
    "bid.hot-ratio.auctions",
    "bid.hot-ratio.bidders",
    "bid.proportion",
    "connector",
    "events.num",
    "first-event.rate",
    "keep-alive",
    "max-emit-speed",
    "mode",
    "next-event.rate",
    "person.avg-size",
    "person.proportion",
    "rate.limited",
    "rate.period",
    "rate.shape",
    "replay.events",
    "stop-at",
];

fn list(names: &str) -> Vec<String> {
    names.split(',').map(str::to_owned).collect()
}

/// The columns of the table.
pub fn schema() -> Schema {
    let bigint = || TypeKind::BigInt.nullable();
    let text = || TypeKind::STRING.nullable();
    let time = || TypeKind::Timestamp(3).nullable();
    let row = |fields: Vec<(&str, DataType)>| {
        TypeKind::Row(fields.into_iter().map(|(n, t)| Field::new(n, t)).collect()).nullable()
    };
    let person = row(vec![
        ("id", bigint()),
        ("name", text()),
        ("emailAddress", text()),
        ("creditCard", text()),
        ("city", text()),
        ("state", text()),
        ("dateTime", time()),
        ("extra", text()),
    ]);
    let auction = row(vec![
        ("id", bigint()),
        ("itemName", text()),
        ("description", text()),
        ("initialBid", bigint()),
        ("reserve", bigint()),
        ("dateTime", time()),
        ("expires", time()),
        ("seller", bigint()),
        ("category", bigint()),
        ("extra", text()),
    ]);
    let bid = row(vec![
        ("auction", bigint()),
        ("bidder", bigint()),
        ("price", bigint()),
        ("channel", text()),
        ("url", text()),
        ("dateTime", time()),
        ("extra", text()),
    ]);
    Schema::new(vec![
        Field::new("event_type", TypeKind::Int.nullable()),
        Field::new("person", person),
        Field::new("auction", auction),
        Field::new("bid", bid),
    ])
}

/// The same type but for NOT NULL and the length of texts.
fn alike(a: &DataType, b: &DataType) -> bool {
    match (&a.kind, &b.kind) {
        (TypeKind::Row(x), TypeKind::Row(y)) => {
            x.len() == y.len() && x.iter().zip(y).all(|(x, y)| x.name == y.name && alike(&x.ty, &y.ty))
        }
        (TypeKind::VarChar(_), TypeKind::VarChar(_)) => true,
        (x, y) => x == y,
    }
}

impl NexmarkSource {
    /// Checks the options and columns of a table.
    ///
    /// # Errors
    /// An option that is unknown or malformed; columns that are not the generator's.
    pub fn of(table: &TableSpec) -> Result<Self> {
        let options = Options::of(&table.connector);
        options.check_source_names(OPTIONS, &[])?;
        let expected = schema();
        let same = table.schema.len() == expected.len()
            && table
                .schema
                .fields
                .iter()
                .zip(&expected.fields)
                .all(|(a, b)| a.name == b.name && alike(&a.ty, &b.ty));
        if !same {
            let columns: Vec<String> =
                expected.fields.iter().map(|f| format!("`{}` {}", f.name, f.ty)).collect();
            return Err(Error::validation(
                format!("the columns of table '{}' are not those of the nexmark connector", table.name),
                options.span(),
            )
            .hint(format!("declare {}", columns.join(", "))));
        }
        let count = |key: &str, default: usize, min: i64| {
            options.integer(key, min..=1_000_000_000).map(|v| v.map_or(default, |v| v as usize))
        };
        let size = |key: &str, default: usize| {
            options.bytes(key).map(|v| v.map_or(default, |v| v.min(1 << 20) as usize))
        };
        let rate = count("first-event.rate", 10_000, 1)?;
        let shape = options.parsed("rate.shape", "write 'SQUARE' or 'SINE'", |t| {
            match t.to_ascii_uppercase().as_str() {
                "SQUARE" => Some(RateShape::Square),
                "SINE" => Some(RateShape::Sine),
                _ => None,
            }
        })?;
        options.flag("max-emit-speed", true)?;
        let config = NexmarkConfig {
            first_rate: rate,
            next_rate: count("next-event.rate", rate, 1)?,
            rate_shape: shape.unwrap_or(RateShape::Square),
            rate_period: (options.duration_ms("rate.period")?.unwrap_or(600_000) / 1000).max(1) as usize,
            avg_person_byte_size: size("person.avg-size", 200)?,
            avg_auction_byte_size: size("auction.avg-size", 500)?,
            avg_bid_byte_size: size("bid.avg-size", 100)?,
            // The generator divides by the first two.
            person_proportion: count("person.proportion", 1, 1)?,
            auction_proportion: count("auction.proportion", 3, 1)?,
            bid_proportion: count("bid.proportion", 46, 0)?,
            hot_auction_ratio: count("bid.hot-ratio.auctions", 2, 1)?,
            hot_bidder_ratio: count("bid.hot-ratio.bidders", 4, 1)?,
            hot_seller_ratio: count("auction.hot-ratio.sellers", 4, 1)?,
            base_time: options
                .integer("base-time", 0..=253_402_300_799_999)?
                .map_or(BASE_TIME_MS, |v| v as u64),
            // The crate writes these in small letters; the queries look for the original's.
            us_states: list("AZ,CA,ID,OR,WA,WY"),
            us_cities: list(
                "Phoenix,Los Angeles,San Francisco,Boise,Portland,Bend,Redmond,Seattle,Kent,Cheyenne",
            ),
            first_names: list("Peter,Paul,Luke,John,Saul,Vicky,Kate,Julie,Sarah,Deiter,Walter"),
            last_names: list("Shultz,Abrams,Spencer,White,Bartels,Walton,Smith,Jones,Noris"),
            ..NexmarkConfig::default()
        };
        let total = options.integer("events.num", 0..=i64::MAX)?.filter(|n| *n > 0);
        let stop = options.integer("stop-at", -1..=i64::MAX)?.filter(|n| *n >= 0);
        let events = match (total, stop) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        let replay = options.parsed("mode", "write 'generate' or 'replay'", |t| {
            match t.to_ascii_lowercase().as_str() {
                "generate" => Some(false),
                "replay" => Some(true),
                _ => None,
            }
        })?;
        let cycle = (config.person_proportion + config.auction_proportion + config.bid_proportion) as u64;
        let wanted = options.integer("replay.events", 1..=100_000_000)?.map(|n| n as u64);
        if wanted.is_some() && replay != Some(true) {
            return Err(options.error("replay.events", "'replay.events' needs 'mode' = 'replay'"));
        }
        Ok(Self {
            replay: (replay == Some(true)).then(|| wanted.unwrap_or(REPLAY_EVENTS).next_multiple_of(cycle)),
            config,
            events: events.map(|n| n as u64),
            keep_alive: options.flag("keep-alive", false)?,
            rate_limited: options.flag("rate.limited", false)?,
        })
    }

    /// What the planner may know.
    pub fn info(&self) -> SourceInfo {
        let bounded = self.events.is_some() && !self.keep_alive;
        SourceInfo { bounded, changelog: Changelog::INSERT, metadata: vec![], nested: true }
    }

    /// Opens `parallelism` inputs, which share the events out. In replay mode this makes the events.
    pub fn open(&self, spec: &SourceSpec, source: u32, parallelism: usize) -> Vec<Box<dyn Input>> {
        let parts = parallelism.max(1) as u64;
        match self.replay {
            None => (0..parts)
                .map(|p| Box::new(GenerateInput::new(self, spec, source, p, parts)) as Box<dyn Input>)
                .collect(),
            Some(events) => {
                let made = replay::Recording::make(&self.config, EventColumns::of(spec), events);
                (0..parts)
                    .map(|p| {
                        Box::new(ReplayInput::new(self, made.clone(), source, p, parts)) as Box<dyn Input>
                    })
                    .collect()
            }
        }
    }
}

/// When a rate-limited source may give out an event: how many ms have passed since its first poll.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pace {
    started_us: Option<i64>,
}

impl Pace {
    /// ms since the first call.
    pub(super) fn passed_ms(&mut self, now_us: i64) -> u64 {
        let start = *self.started_us.get_or_insert(now_us);
        (now_us - start).max(0) as u64 / 1000
    }

    /// When so many ms will have passed.
    pub(super) fn at(self, ms: u64) -> Comes {
        let at =
            |start: i64| start.saturating_add(i64::try_from(ms.saturating_mul(1000)).unwrap_or(i64::MAX));
        self.started_us.map_or(Comes::Unannounced, |start| Comes::At(at(start)))
    }
}

#[cfg(test)]
mod tests;

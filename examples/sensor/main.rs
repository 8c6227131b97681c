//! Readings beside their rolling statistics, with an alert on deviation: `cargo run --release --example sensor`.
//!
//! A scorer, kept over a restart: its state goes to a file and comes back.

use pelton::{Engine, Result, Scorer, Timestamp};
use std::path::Path;

pelton::row! {
    /// What a sensor says.
    #[derive(Clone, Debug)]
    pub(crate) struct Reading {
        pub(crate) sensor: i32,
        pub(crate) degree: f64,
        pub(crate) ts: Timestamp,
    }
}

pelton::row! {
    /// The reading beside the ones before it.
    #[derive(Clone, Debug, PartialEq)]
    pub(crate) struct Judged {
        pub(crate) sensor: i32,
        pub(crate) degree: f64,
        pub(crate) mean: Option<f64>,
        pub(crate) deviation: Option<f64>,
        pub(crate) lowest: Option<f64>,
        pub(crate) highest: Option<f64>,
        pub(crate) alert: Option<bool>,
    }
}

/// Readings of five sensors, one a second each. Each now and then shows what cannot be.
pub(crate) fn readings(seconds: i64) -> impl Iterator<Item = Reading> {
    (0..seconds * 5).map(|n| {
        let (second, sensor) = (n / 5, (n % 5) as i32);
        let broken = second % 200 == 150 + i64::from(sensor);
        let noise = (n * 7919 % 101) as f64 / 100.0;
        let degree = 20.0 + f64::from(sensor) + noise + if broken { 15.0 } else { 0.0 };
        Reading { sensor, degree, ts: Timestamp(second * 1_000_000) }
    })
}

/// The alerts of these readings. Half way the program is stopped and started, with its state in that file.
pub(crate) fn run(readings: &[Reading], state: &Path) -> Result<Vec<Judged>> {
    let engine = Engine::builder().build()?;
    let start = || -> Result<Scorer<Reading, Judged>> { engine.scorer(include_str!("sensor.sql")) };
    let mut alerts = vec![];
    let mut judge = |scorer: &mut Scorer<Reading, Judged>, readings: &[Reading]| -> Result<()> {
        for reading in readings {
            alerts.extend(scorer.score(reading)?.row.filter(|j| j.alert == Some(true)).cloned());
        }
        Ok(())
    };
    let (before, after) = readings.split_at(readings.len() / 2);
    let mut scorer = start()?;
    judge(&mut scorer, before)?;
    scorer.save(state)?;
    let mut scorer = start()?;
    scorer.load(state)?;
    judge(&mut scorer, after)?;
    Ok(alerts)
}

#[allow(dead_code, reason = "tests include this file")]
fn main() -> Result<()> {
    let readings: Vec<Reading> = readings(1000).collect();
    let state = std::env::temp_dir().join("pelton-sensor-example.state");
    for alert in run(&readings, &state)? {
        println!(
            "sensor {} shows {:.1}, usually {:.1}",
            alert.sensor,
            alert.degree,
            alert.mean.unwrap_or(0.0)
        );
    }
    Ok(())
}

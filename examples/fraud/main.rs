//! Decides card payments one by one: `cargo run --release --example fraud`, with a number of payments behind `--` where a million is not meant.
//!
//! The windows and the rule are `fraud.sql`; this file makes payments (those of `pelton bench latency`), asks for each, and counts the answers.

#[path = "../../src/bin/pelton/latency/payments.rs"]
mod payments;

use payments::{Decision, Payment, Payments};
use pelton::{Engine, Result, Scorer};
use std::collections::BTreeMap;
use std::time::Instant;

/// What came of the payments.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// Payments decided.
    pub(crate) payments: u64,
    /// How many were refused for each reason.
    pub(crate) refused: BTreeMap<String, u64>,
    /// What card and merchant had done when the last payment came.
    pub(crate) last: Decision,
}

/// A scorer of the example's query.
pub(crate) fn scorer() -> Result<Scorer<Payment, Decision>> {
    Engine::builder().build()?.scorer(include_str!("fraud.sql"))
}

/// Decides that many payments of that many cards, as they come in a day.
pub(crate) fn run(payments: u64, cards: u64) -> Result<Report> {
    let mut scorer = scorer()?;
    let mut source = Payments::new(cards, (cards / 50).max(1), payments, false);
    let mut report = Report::default();
    let mut payment = Payment::default();
    for n in 0..payments {
        source.fill(&mut payment);
        // Now and then somebody tries a stolen card at shop after shop.
        if n % 1000 < 5 {
            payment.card = -((n / 1000) as i64) - 1;
        }
        let scored = scorer.score(&payment)?;
        report.payments += 1;
        if let Some(decision) = scored.row {
            if let Some(reason) = &decision.reason {
                match report.refused.get_mut(reason) {
                    Some(count) => *count += 1,
                    None => drop(report.refused.insert(reason.clone(), 1)),
                }
            }
            if n + 1 == payments {
                report.last = decision.clone();
            }
        }
    }
    Ok(report)
}

#[allow(dead_code, reason = "tests include this file")]
fn main() -> Result<()> {
    let payments = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(1_000_000);
    let started = Instant::now();
    let report = run(payments, 1_000_000)?;
    let nanos = started.elapsed().as_nanos() as u64 / report.payments.max(1);
    println!("{} payments of a million cards, {nanos} ns each, making them included", report.payments);
    for (reason, count) in &report.refused {
        println!("{count:>8} refused: {reason}");
    }
    Ok(())
}

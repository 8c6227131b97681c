//! The log's figures: what an append costs its owner, how soon a tailing reader has it, how fast a log is replayed with its
//! checksums, how long recovery takes after a kill, what idle helpers cost.
//!
//! Informs decision 0020 (where appended bytes go). `cargo bench --bench log`; with a word (`append`, `commit`, `tail`, `replay`,
//! `recover`, `idle`) only that part. The folder is a fresh one under `PELTON_BENCH_DIR`, else under the temporary folder:
//! name a real disk for the syncs to mean something.

mod append;
mod measure;
mod recover;
mod replay;
mod tail;

use criterion::Criterion;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    let wants = |part: &str| words.is_empty() || words.iter().any(|w| w == part);
    println!("{} cores, load {}", measure::cores(), measure::load());
    if wants("append") {
        append::paced();
        append::unpaced();
    }
    if wants("commit") {
        append::group_commit();
    }
    if wants("tail") {
        tail::hops();
    }
    if wants("replay") {
        let mut criterion = Criterion::default().sample_size(10);
        replay::throughput(&mut criterion);
        criterion.final_summary();
    }
    if wants("recover") {
        recover::after_a_kill();
    }
    if wants("idle") {
        recover::idle();
    }
}

//! The command line: what can be typed, with the help that `pelton --help` prints.

use crate::script::Define;
use clap::{Args, Parser, Subcommand, ValueEnum};
use pelton::Engine;
use pelton::config::IdlePolicy;
use pelton::engine::EngineBuilder;
use std::path::PathBuf;

/// Flink SQL at microsecond latency, in one process.
#[derive(Debug, Parser)]
#[command(name = "pelton", version, max_term_width = 100, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str = "\
Exit codes:
    0  done
    1  check or verify found something
    2  a bad flag, setting or script file
    3  bad SQL
    4  bad input
    5  failed while running
  130  interrupted";

const RUN_EXAMPLES: &str = "\
Examples:
  pelton run alerts.sql
  pelton run -D DAY=2026-03-06 --format json day.sql | jq .
  pelton run -e \"CREATE TABLE t (a INT) WITH ('connector'='filesystem','path'='-','format'='csv');
                 SELECT SUM(a) FROM t\" < numbers.csv";

const EXPLAIN_EXAMPLES: &str = "\
Examples:
  pelton explain alerts.sql
  pelton explain -e 'SELECT a, COUNT(*) FROM (VALUES (1)) AS t (a) GROUP BY a'";

const CHECK_EXAMPLES: &str = "\
Examples:
  pelton check alerts.sql
  pelton check --flink alerts.sql     # will Flink run it too?";

const NEXMARK_EXAMPLES: &str = "\
Examples:
  pelton bench nexmark
  pelton bench nexmark --queries q1,tumble --events 50000000 --json
  pelton bench nexmark --from json --events 2000000";

const LATENCY_EXAMPLES: &str = "\
Examples:
  pelton bench latency --pin 1 --out latency
  pelton bench latency --scenarios score --rates 10000,100000 --preload 1000000 --json
  pelton bench latency --scenarios window --stall 50";

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  pelton completions bash > ~/.local/share/bash-completion/completions/pelton
  pelton completions zsh > ~/.zfunc/_pelton
  pelton completions fish > ~/.config/fish/completions/pelton.fish";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a script: its statements in order, until its inputs end
    #[command(after_help = RUN_EXAMPLES)]
    Run(Run),
    /// Show the plan of a script, with row kinds, watermarks, keys and state of every operator
    #[command(after_help = EXPLAIN_EXAMPLES)]
    Explain(Sql),
    /// Parse, bind and type a script without running it
    #[command(after_help = CHECK_EXAMPLES)]
    Check(Check),
    /// Serve topics to Kafka clients
    Serve(crate::serve::Serve),
    /// Look at topics, check them, write to them by hand
    Log(crate::log::Log),
    /// Measure the engine
    Bench(Bench),
    /// Say what of this machine costs latency, and what mends it
    Doctor,
    /// Print a script that lets a shell complete this command
    #[command(after_help = COMPLETIONS_EXAMPLES)]
    Completions {
        /// The shell
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
}

/// One of these two.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct From {
    /// The script; `-` reads standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<String>,
    /// The SQL itself
    #[arg(short = 'e', long = "execute", value_name = "SQL")]
    pub(crate) execute: Option<String>,
}

/// Where the SQL comes from.
#[derive(Debug, Args)]
pub(crate) struct Sql {
    #[command(flatten)]
    pub(crate) from: From,
    /// Replace ${NAME} in the script by VALUE
    #[arg(short = 'D', long = "define", value_name = "NAME=VALUE")]
    pub(crate) define: Vec<Define>,
}

#[derive(Debug, Args)]
pub(crate) struct Run {
    #[command(flatten)]
    pub(crate) sql: Sql,
    /// How the result of a query is printed
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub(crate) format: Format,
    /// The most rows that move together
    #[arg(long, value_name = "ROWS", default_value_t = 1024, value_parser = clap::value_parser!(u32).range(1..=65_536))]
    pub(crate) batch: u32,
    #[command(flatten)]
    pub(crate) cores: Cores,
    /// No progress on standard error
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

/// How a job uses the cores.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Cores {
    /// Over how many shards keyed operations are spread, each on a thread of its own: run takes the cores, less one where there are more
    /// than two, bench takes 1
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=64))]
    pub(crate) shards: Option<u32>,
    /// What a thread does while there is nothing to do: spin, spin-then-park or park
    #[arg(long, value_name = "POLICY", default_value = "spin-then-park")]
    pub(crate) idle: IdlePolicy,
    /// Keep the threads of shards on one core each
    #[arg(long)]
    pub(crate) pin: bool,
}

impl Cores {
    /// What `explain` and `check` assume: the settings of the script are all that counts.
    pub(crate) const ONE: Cores = Cores { shards: Some(1), idle: IdlePolicy::SpinThenPark, pin: false };

    /// An engine that runs jobs so; on `shards` shards where the command line does not say.
    pub(crate) fn builder(self, shards: usize) -> EngineBuilder {
        let shards = self.shards.map_or(shards, |n| n as usize);
        Engine::builder().shards(shards).idle(self.idle).pin(self.pin)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A live table on a terminal, aligned lines elsewhere
    Table,
    /// One JSON object a line
    Json,
    /// CSV with a header
    Csv,
    /// A header with types, then row kind and values with tabs between them
    Changelog,
}

#[derive(Debug, Args)]
pub(crate) struct Check {
    #[command(flatten)]
    pub(crate) sql: Sql,
    /// List what Apache Flink would not take
    #[arg(long)]
    pub(crate) flink: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Bench {
    #[command(subcommand)]
    pub(crate) suite: Suite,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Suite {
    /// The Nexmark queries over replayed events
    #[command(after_help = NEXMARK_EXAMPLES)]
    Nexmark(Nexmark),
    /// How long an event waits for its answer, at rates that do not wait for it
    #[command(after_help = LATENCY_EXAMPLES)]
    Latency(Latency),
}

#[derive(Debug, Args)]
pub(crate) struct Nexmark {
    /// Which queries, in this order (default: all)
    #[arg(long, value_name = "q0,q1,…", value_delimiter = ',', value_parser = crate::bench::names())]
    pub(crate) queries: Vec<String>,
    /// How many events of all three kinds to generate
    #[arg(long, value_name = "N", default_value_t = 10_000_000)]
    pub(crate) events: u64,
    /// Read the events from files of this format, which are written to a temporary folder before
    #[arg(long, value_name = "FORMAT")]
    pub(crate) from: Option<crate::bench::Form>,
    /// The most rows that move together
    #[arg(long, value_name = "ROWS", default_value_t = 1024, value_parser = clap::value_parser!(u32).range(1..=65_536))]
    pub(crate) batch: u32,
    #[command(flatten)]
    pub(crate) cores: Cores,
    /// Also draw events a second of processor time, a bar a query, beside the tenfold of Flink's
    #[arg(long, value_name = "FILE.svg")]
    pub(crate) plot: Option<std::path::PathBuf>,
    /// Print an array of objects instead of a table
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Latency {
    /// Which scenarios (default: all)
    #[arg(long, value_name = "nothing,score,score_zipf,window", value_delimiter = ',', value_parser = crate::latency::SCENARIOS)]
    pub(crate) scenarios: Vec<String>,
    /// Events a second, one run for each
    #[arg(long, value_name = "N,…", value_delimiter = ',', default_value = "10000,50000,100000,200000,500000,1000000",
          value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    pub(crate) rates: Vec<u64>,
    /// How long each run takes
    #[arg(long, value_name = "MS", default_value_t = 5_000, value_parser = clap::value_parser!(u64).range(10..))]
    pub(crate) millis: u64,
    /// Payments before the measured ones, spread over a day of event time
    #[arg(long, value_name = "N", default_value_t = 20_000_000)]
    pub(crate) preload: u64,
    /// How many cards pay
    #[arg(long, value_name = "N", default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) cards: u64,
    /// How many merchants are paid
    #[arg(long, value_name = "N", default_value_t = 20_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) merchants: u64,
    /// Stand still in the middle of each run: it has to show
    #[arg(long, value_name = "MS", default_value_t = 0)]
    pub(crate) stall: u64,
    /// Have two engines score the same payments and count the quicker answer: what is slow in both is not the machine's. Takes twice the memory
    #[arg(long)]
    pub(crate) twice: bool,
    /// Stay on this core
    #[arg(long, value_name = "N")]
    pub(crate) pin: Option<usize>,
    /// Write an .hgrm file for each run, and latency.svg, into this folder
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Print an array of objects instead of a table
    #[arg(long)]
    pub(crate) json: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn sql_comes_from_one_place() {
        let parse = |args: &[&str]| Cli::try_parse_from([&["pelton"], args].concat());
        assert!(parse(&["run", "a.sql"]).is_ok() && parse(&["run", "-e", "SELECT 1", "-D", "A=1"]).is_ok());
        assert!(parse(&["run"]).is_err() && parse(&["run", "a.sql", "-e", "SELECT 1"]).is_err());
        let Command::Bench(b) = parse(&["bench", "nexmark", "--queries", "q0,q1"]).unwrap().command else {
            panic!("bench")
        };
        let Suite::Nexmark(n) = b.suite else { panic!("nexmark") };
        assert_eq!(n.queries, ["q0", "q1"]);
    }
}

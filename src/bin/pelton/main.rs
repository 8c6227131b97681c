//! The `pelton` command: arguments in, exit code out. Uses only the public crate.

mod args;
mod bench;
mod doctor;
mod exit;
mod latency;
mod log;
mod look;
mod memory;
mod progress;
mod render;
mod run;
mod screen;
mod script;
mod serve;

use clap::{CommandFactory as _, Parser as _};

fn main() -> std::process::ExitCode {
    let exit = match args::Cli::parse().command {
        args::Command::Run(run) => run::run(&run),
        args::Command::Explain(sql) => look::explain(&sql),
        args::Command::Check(check) => look::check(&check),
        args::Command::Doctor => doctor::doctor(),
        args::Command::Bench(args::Bench { suite: args::Suite::Nexmark(nexmark) }) => {
            bench::nexmark(&nexmark)
        }
        args::Command::Bench(args::Bench { suite: args::Suite::Latency(args) }) => latency::latency(&args),
        args::Command::Log(log) => log.run(),
        args::Command::Serve(serve) => match serve.run() {
            Ok(()) => exit::Exit::Done,
            Err(e) => exit::failed(&e),
        },
        args::Command::Completions { shell } => {
            let mut script = vec![];
            clap_complete::generate(shell, &mut args::Cli::command(), "pelton", &mut script);
            exit::written(&script)
        }
    };
    exit.into()
}

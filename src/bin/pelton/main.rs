//! The `pelton` command: arguments in, exit code out. Uses only the public crate.
#![allow(dead_code, reason = "the engine that it drives is on its way")]

mod args;
mod exit;
mod memory;
mod progress;
mod render;
mod screen;
mod script;
mod serve;

use clap::Parser as _;

fn main() -> std::process::ExitCode {
    let cli = args::Cli::parse();
    if let args::Command::Serve(serve) = cli.command {
        return match serve.run() {
            Ok(()) => exit::Exit::Done.into(),
            Err(e) => {
                eprintln!("pelton: {e}");
                exit::Exit::of(&e).into()
            }
        };
    }
    println!("{cli:?}");
    exit::Exit::Done.into()
}

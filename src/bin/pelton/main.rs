//! The `pelton` command.
fn main() {
    eprintln!("pelton {}", env!("CARGO_PKG_VERSION"));
}

//! A row is answered while the input is still open, in little memory. How fast is measured by `benches/startup.rs`: a time in a
//! test would depend on the machine.
#![cfg(target_os = "linux")]

#[path = "../benches/startup/first_row.rs"]
mod first_row;

#[test]
fn the_first_row_comes_before_the_input_ends_in_under_30_mb() {
    let first = first_row::measure(env!("CARGO_BIN_EXE_pelton"));
    println!("first row after {:?}, {} kB", first.after, first.peak_kb);
    assert_eq!(first.row, "42,X");
    assert!(first.peak_kb < 30 << 10, "{} kB resident", first.peak_kb);
}

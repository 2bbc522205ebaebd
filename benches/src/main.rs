//! Load driver for side-by-side measurements.
fn main() {}

//! steadfast
fn main() {}

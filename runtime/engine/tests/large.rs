//! A long row of processes is built and run.

#[path = "../examples/large.rs"]
#[allow(
    dead_code,
    unused_qualifications,
    reason = "the example's main is not called here"
)]
mod example;

#[test]
fn a_long_row_is_built_and_run() {
    example::build_and_run(2_000, 10);
}

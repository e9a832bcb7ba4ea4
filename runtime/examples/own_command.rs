//! A command of one's own: every verb of `paperflow`, with one more component.
//!
//! ```sh
//! cargo run --example own_command -- describe own/shout
//! ```

use std::process::ExitCode;

use paperflow::{Out, Text, component};

/// Says every line louder.
#[component("own/shout", work = compute)]
#[example(line = ["to be"], loud = ["TO BE!"])]
pub(crate) fn shout(
    /// A line of text.
    line: Text,
    /// The same line, louder.
    loud: &mut Out<Text>,
) {
    loud.put(line.to_uppercase() + "!");
}

fn main() -> ExitCode {
    paperflow::cli(paperflow::standard().with(shout))
}

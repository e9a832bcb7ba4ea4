use paperflow_core::{Fault, Out, Text, component};

use std::io::Read;

use crate::source::{self, cannot_read};

/// Reads whole files, each as one text.
///
/// Line ends stay as they are; a byte order mark in front is left out. The whole text is held in
/// memory: for large files there is `file/lines`. A file that cannot be read or is not UTF-8 is a
/// fault that names it, and its path leaves by ERROR when that is connected.
#[component("file/read", work = thread, repeats)]
pub(super) fn read(
    /// The path of a file; `-` is standard input.
    input: Text,
    /// The text of each file, in the order of the paths.
    out: &mut Out<Text>,
) -> Result<(), Fault> {
    out.put(whole(&input)?);
    Ok(())
}

fn whole(path: &str) -> Result<String, Fault> {
    let name = source::name(path);
    let mut bytes = Vec::new();
    source::open(path)?
        .read_to_end(&mut bytes)
        .map_err(|error| cannot_read(&name, error))?;
    source::text(&name, 1, source::without_mark(bytes))
}

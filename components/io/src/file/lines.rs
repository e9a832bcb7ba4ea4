use paperflow_core::{Fault, Out, Param, Text, component};

use crate::source::Lines;

/// Reads a file line by line.
///
/// A line ends with `\n`, `\r\n` or the end of the file, and comes without its end; a byte order mark
/// in front is left out. An empty file gives nothing. A file that is missing, a directory, unreadable
/// or not UTF-8 is a fault that names it, and the line.
#[component("file/lines", work = thread, repeats)]
pub(super) async fn lines(
    /// The file to read; `-` is standard input.
    source: Param<String>,
    /// One line per packet, in order.
    out: Out<Text>,
) -> Result<(), Fault> {
    let mut lines = Lines::open(&source)?;
    while let Some(line) = lines.next()? {
        out.send(line).await?;
    }
    Ok(())
}

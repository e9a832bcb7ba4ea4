use paperflow_core::{Fault, Out, Text, component};

use crate::source::Lines;

/// Reads standard input line by line.
///
/// A line is on its way as soon as it has been read. Line ends, byte order mark and faults are those
/// of `file/lines`.
#[component("console/lines", work = thread)]
pub(super) async fn lines(
    /// One line per packet, in order.
    out: Out<Text>,
) -> Result<(), Fault> {
    let mut lines = Lines::open("-")?;
    while let Some(line) = lines.next()? {
        out.send(line).await?;
    }
    Ok(())
}

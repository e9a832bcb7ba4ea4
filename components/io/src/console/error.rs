use paperflow_core::{Fault, In, Out, Packet, component};

use super::write::show;
use crate::sink::Sink;

/// Writes each packet as a line on standard error.
///
/// In everything else it is `console/write`.
#[component("console/error", work = thread)]
#[example(input = ["to be", 7], out = ["to be", 7])]
pub(super) async fn error(
    /// Anything.
    input: In<Packet>,
    /// Every packet, written.
    #[optional]
    out: Out<Packet>,
) -> Result<(), Fault> {
    show(Sink::stderr(), &input, &out).await
}

use std::cmp::Ordering;

use paperflow_core::{Fault, In, Out, Packet, component};

use super::extreme;

/// Finds the smallest number of a stream, and sends it when the stream ends.
///
/// Of equals the first one is sent, as the packet it came in. An empty stream has none. Brackets are
/// dropped.
#[component("number/min", work = compute)]
#[example(input = [3, -1.5, 2], out = [-1.5])]
pub(crate) async fn min(
    /// Numbers.
    input: In<Packet>,
    /// The smallest one.
    #[at_end]
    out: Out<Packet>,
) -> Result<(), Fault> {
    extreme(input, Ordering::Less, out).await
}

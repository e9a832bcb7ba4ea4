use std::cmp::Ordering;

use paperflow_core::{Fault, In, Out, Packet, component};

use super::extreme;

/// Finds the largest number of a stream, and sends it when the stream ends.
///
/// Of equals the first one is sent, as the packet it came in. An empty stream has none. Brackets are
/// dropped.
#[component("number/max", work = compute)]
#[example(input = [3, 7.5, 2], out = [7.5])]
pub(crate) async fn max(
    /// Numbers.
    input: In<Packet>,
    /// The largest one.
    #[at_end]
    out: Out<Packet>,
) -> Result<(), Fault> {
    extreme(input, Ordering::Greater, out).await
}

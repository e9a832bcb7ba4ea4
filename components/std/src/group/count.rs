use paperflow_core::{Fault, In, Out, Packet, component};

use super::Groups;

/// Counts the packets of each group, and sends one number in the place of the group.
///
/// Data inside nested groups counts, their brackets do not. An empty group counts 0. A packet outside
/// all groups is a fault, and so is a stream that ends inside one.
#[component("group/count", work = compute)]
#[example(input = [open, "a", open, "b", close, close, open, close], out = [2, 0])]
pub(crate) async fn count(
    /// Groups.
    input: In<Packet>,
    /// One number per group.
    out: Out<i64>,
) -> Result<(), Fault> {
    let mut groups = Groups::default();
    let mut seen = 0;
    while let Some(packet) = input.next().await {
        let is_whole = groups.step(&packet)?;
        seen += i64::from(!packet.is_bracket());
        drop(packet);
        if is_whole {
            out.send(std::mem::take(&mut seen)).await?;
        }
    }
    groups.end()
}

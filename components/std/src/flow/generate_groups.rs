use paperflow_core::{Closed, Out, Packet, Param, component};

use super::generate::line;
use crate::param::{Count, Size};

/// Generates test data in groups: numbered texts, counting down, with brackets around every five.
///
/// The last group has what is left. COUNT 0 gives one empty group.
#[component("flow/generate-groups", work = compute, repeats)]
#[example(
    number = 3,
    size = 2,
    out = [open, "000003abcd", "000002abcd", close, open, "000001abcd", close]
)]
#[example(number = 0, out = [open, close])]
pub(crate) async fn generate_groups(
    /// How many texts in all.
    #[port("COUNT")]
    number: Param<Count>,
    /// How many in a group.
    #[default(5)]
    size: Param<Size>,
    /// The texts and the brackets.
    out: Out<Packet>,
) -> Result<(), Closed> {
    let mut room = size.0;
    out.send(Packet::open()).await?;
    for left in (1..=number.0).rev() {
        if room == 0 {
            out.send(Packet::close()).await?;
            out.send(Packet::open()).await?;
            room = size.0;
        }
        out.send(Packet::text(line(left))).await?;
        room -= 1;
    }
    out.send(Packet::close()).await
}

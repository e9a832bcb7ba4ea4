use std::future::poll_fn;
use std::task::Poll;

use paperflow_core::{Closed, Either, In, Out, Packet, Param, component, select};

use crate::item::Level;

/// A gate that opens and closes.
///
/// Each packet at TRIGGER turns it: `true` opens, `false` closes, anything else does what has not been
/// done last; brackets there say nothing. While it is closed the stream waits in its link, and its
/// sender with it; nothing is lost. A group that has begun to pass passes whole. After the last trigger
/// it stays as it is, and when that is closed it ends, and with it the stream.
///
/// For a gate that opens once and for all there is `flow/gate`.
#[component("flow/switch", work = compute, forgets)]
#[example(input = ["a", "b"], trigger = ["go"], out = ["a", "b"])]
#[example(open = true, input = [open, 1, close], trigger = [], out = [open, 1, close])]
pub(crate) async fn switch(
    /// The stream.
    input: In<Packet>,
    /// What turns it.
    trigger: In<Packet>,
    /// Whether it is open at the start.
    #[default(false)]
    open: Param<bool>,
    /// The stream, while it is open.
    out: Out<Packet>,
) -> Result<(), Closed> {
    let mut is_open = open.into_inner();
    let mut level = Level::default();
    loop {
        if is_open || !level.is_outside() {
            let next = async { Some(input.next().await) };
            match select(trigger.next(), next).await {
                Some(Either::Left(packet)) => is_open = turned(is_open, &packet),
                Some(Either::Right(Some(packet))) => {
                    level.completes(&packet);
                    out.send(packet).await?;
                }
                Some(Either::Right(None)) | None => return Ok(()),
            }
        } else {
            match select(trigger.next(), end(&input, &trigger)).await {
                Some(Either::Left(packet)) => is_open = turned(is_open, &packet),
                Some(Either::Right(())) | None => return Ok(()),
            }
        }
    }
}

/// Nothing will pass any more.
async fn end(input: &In<Packet>, trigger: &In<Packet>) -> Option<()> {
    let is_over = |_: &mut std::task::Context<'_>| match input.is_ended() || trigger.is_ended() {
        true => Poll::Ready(Some(())),
        false => Poll::Pending,
    };
    poll_fn(is_over).await
}

/// How it stands after a trigger.
fn turned(is_open: bool, trigger: &Packet) -> bool {
    if trigger.is_bracket() {
        return is_open;
    }
    let said = trigger.as_bool();
    let written = || trigger.as_text().and_then(|text| text.trim().parse().ok());
    said.or_else(written).unwrap_or(!is_open)
}

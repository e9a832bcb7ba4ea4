use std::collections::VecDeque;
use std::pin::pin;

use paperflow_core::{Closed, Either, In, Out, Packet, Param, component, select};

use crate::param::Size;

/// Holds up to SIZE packets while nobody can take them.
///
/// It takes whatever comes and keeps what does not fit behind it, in order; nothing is dropped. With
/// SIZE packets in it, it takes no more, so that its sender waits: together with the links before and
/// behind it there is room for so many packets and not for one more. It helps against deadlocks where
/// a stream parts and comes together again; the same is done on an arrow by its capacity. Brackets
/// count like data.
#[component("flow/balloon", work = compute)]
#[example(size = 2, input = ["a", open, "b", close], out = ["a", open, "b", close])]
pub(crate) async fn balloon(
    /// The stream.
    input: In<Packet>,
    /// The most packets in it.
    #[default(10000)]
    size: Param<Size>,
    /// The same, when there is room.
    out: Out<Packet>,
) -> Result<(), Closed> {
    let mut held = VecDeque::new();
    let mut is_ended = false;
    loop {
        let next = match held.pop_front() {
            Some(packet) => Some(packet),
            None if is_ended => None,
            None => input.next().await,
        };
        let Some(packet) = next else {
            return Ok(());
        };
        let mut sending = pin!(out.send(packet));
        loop {
            // The packet on its way out is one of those it holds.
            if is_ended || held.len() + 1 >= size.0 {
                sending.await?;
                break;
            }
            let sent = async { Some(sending.as_mut().await) };
            let taken = async { Some(input.next().await) };
            match select(sent, taken).await {
                Some(Either::Left(sent)) => {
                    sent?;
                    break;
                }
                Some(Either::Right(Some(packet))) => held.push_back(packet),
                Some(Either::Right(None)) | None => is_ended = true,
            }
        }
    }
}

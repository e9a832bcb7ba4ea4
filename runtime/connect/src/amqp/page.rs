//! Reading a stream of the server from an offset to an end that is known.

use std::sync::Arc;

use futures_util::StreamExt;
use lapin::options::{BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicQosOptions};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{Channel, Error};
use paperflow_core::connector::StoreFault;
use parking_lot::Mutex;

use super::line::{Line, Link, short};
use super::wire::Parcel;

/// How many records a server sends before some are acknowledged.
const WINDOW: u16 = 512;
/// Where a record of a stream lies.
pub(super) const OFFSET: &str = "x-stream-offset";

/// Where reading begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum From {
    /// At the first record that is kept.
    First,
    /// At this offset.
    Offset(u64),
}

/// What is read of a stream, record by record.
pub(super) struct Pages {
    line: Arc<Line>,
    queue: String,
    channel: Mutex<Option<(Arc<Link>, Channel)>>,
}

impl Pages {
    pub(super) fn of(line: &Arc<Line>, queue: String) -> Self {
        Self {
            line: Arc::clone(line),
            queue,
            channel: Mutex::default(),
        }
    }

    /// Reads records from a place on, until one is said to be the last. There must be such a one.
    ///
    /// # Errors
    /// The server cannot be reached, or does not send it in time.
    pub(super) fn read(
        &self,
        from: From,
        mut take: impl FnMut(u64, Parcel) -> bool,
    ) -> Result<(), StoreFault> {
        let queue = short(&self.queue)?;
        let mut kept = self.channel.lock();
        let link = self.line.link()?;
        let channel = match kept.take() {
            Some((own, channel)) if own.number == link.number && channel.status().connected() => {
                channel
            }
            _ => self.line.channel(&link)?,
        };
        let reading = read(&channel, queue, from, &mut take);
        self.line.wait(reading)?;
        *kept = Some((link, channel));
        Ok(())
    }
}

async fn read(
    channel: &Channel,
    queue: ShortString,
    from: From,
    take: &mut impl FnMut(u64, Parcel) -> bool,
) -> Result<(), Error> {
    channel
        .basic_qos(WINDOW, BasicQosOptions::default())
        .await?;
    let mut arguments = FieldTable::default();
    let (first, place) = match from {
        From::First => (0, AMQPValue::LongString("first".into())),
        From::Offset(offset) => (offset, AMQPValue::LongLongInt(offset.cast_signed())),
    };
    arguments.insert(OFFSET.into(), place);
    let options = BasicConsumeOptions::default();
    let mut consumer = channel
        .basic_consume(queue, "".into(), options, arguments)
        .await?;
    let mut unacknowledged = 0;
    while let Some(come) = consumer.next().await {
        let come = come?;
        let parcel = Parcel {
            properties: come.properties,
            body: come.data,
        };
        // A server sends whole pieces of its file, which may begin before.
        let offset = parcel.number(OFFSET).unwrap_or_default();
        if offset >= first && take(offset, parcel) {
            break;
        }
        unacknowledged += 1;
        if unacknowledged == WINDOW / 2 {
            unacknowledged = 0;
            let all = BasicAckOptions { multiple: true };
            channel.basic_ack(come.delivery_tag, all).await?;
        }
    }
    let cancel = BasicCancelOptions::default();
    channel.basic_cancel(consumer.tag(), cancel).await?;
    // All that was sent on this channel, also what nobody has looked at.
    let all = BasicAckOptions { multiple: true };
    channel.basic_ack(0, all).await
}

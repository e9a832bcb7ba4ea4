//! Publishing: many parcels at a time, and what the server says of each.

use std::sync::Arc;

use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::{Channel, Confirmation};
use paperflow_core::connector::StoreFault;
use parking_lot::Mutex;

use super::line::{Line, Link};
use super::wire::Parcel;

/// What became of a parcel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is safe.
    Safe,
    /// There is nowhere to put it.
    Unroutable,
    /// The server has refused it: where it goes to is full, or cannot be reached.
    Refused,
}

/// Where a parcel goes: an exchange, and a key there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct To {
    pub(super) exchange: String,
    pub(super) key: String,
}

impl To {
    /// A queue.
    pub(super) fn queue(name: impl Into<String>) -> Self {
        Self {
            exchange: String::new(),
            key: name.into(),
        }
    }
}

/// A channel with confirms, for one that sends.
pub(super) struct Outbox {
    line: Arc<Line>,
    channel: Mutex<Option<(Arc<Link>, Channel)>>,
}

impl Outbox {
    pub(super) fn new(line: &Arc<Line>) -> Self {
        Self {
            line: Arc::clone(line),
            channel: Mutex::default(),
        }
    }

    /// Sends parcels in order, and waits until the server has said of each what became of it.
    ///
    /// # Errors
    /// It cannot be reached, or does not answer: it may have any of them.
    pub(super) fn send(&self, parcels: &[(To, Parcel)]) -> Result<Vec<Fate>, StoreFault> {
        self.send_over(&*self.line.link()?, parcels)
    }

    /// The same, and only over this connection: who has lost it has nothing more to say.
    pub(super) fn send_over(
        &self,
        link: &Link,
        parcels: &[(To, Parcel)],
    ) -> Result<Vec<Fate>, StoreFault> {
        let mut kept = self.channel.lock();
        let current = self.line.link()?;
        if current.number != link.number {
            return Err(crate::fault::unavailable("the connection was lost"));
        }
        let channel = match kept.take() {
            Some((own, channel)) if own.number == link.number && channel.status().connected() => {
                channel
            }
            _ => self.open(&current)?,
        };
        let fates = self.line.wait(publish(&channel, parcels))?;
        *kept = Some((current, channel));
        Ok(fates)
    }

    fn open(&self, link: &Link) -> Result<Channel, StoreFault> {
        let channel = self.line.channel(link)?;
        let confirms = channel.confirm_select(ConfirmSelectOptions::default());
        self.line.wait(confirms)?;
        Ok(channel)
    }
}

async fn publish(channel: &Channel, parcels: &[(To, Parcel)]) -> Result<Vec<Fate>, lapin::Error> {
    let options = BasicPublishOptions {
        mandatory: true,
        ..BasicPublishOptions::default()
    };
    let mut confirms = Vec::with_capacity(parcels.len());
    for (to, parcel) in parcels {
        let (exchange, key) = (to.exchange.as_str().into(), to.key.as_str().into());
        let properties = parcel.properties.clone();
        let sent = channel.basic_publish(exchange, key, options, &parcel.body, properties);
        confirms.push(sent.await?);
    }
    let mut fates = Vec::with_capacity(parcels.len());
    for confirm in confirms {
        fates.push(match confirm.await? {
            Confirmation::Ack(None) | Confirmation::NotRequested => Fate::Safe,
            // What was returned counts as confirmed all the same.
            Confirmation::Ack(Some(_)) => Fate::Unroutable,
            Confirmation::Nack(_) => Fate::Refused,
        });
    }
    Ok(fates)
}

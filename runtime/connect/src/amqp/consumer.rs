//! A consumer of a stream.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use paperflow_core::connector::{
    Consumer, Delivery, Found, OnError, Outlook, Settlement, StoreFault, Subscription,
};
use paperflow_core::message::Id;
use parking_lot::Mutex;

use super::Inner;
use super::stream::Stream;
use super::team::Team;
use super::wire::{self, Parcel};
use crate::broker::patience::{PATIENCE, insist};
use crate::clock::moment;
use crate::fault::not_locked;
use crate::stream::group::{Follow, Now, Page, Prospect, Received, Verdict};
use crate::stream::handed::Handed;
use crate::stream::log::Record;
use crate::stream::mark::Offset;
use crate::stream::shares::Member;

/// How many records are read at a time, for each partition.
const PAGE: usize = 512;

/// See [`Subscription`].
pub(super) struct Reader {
    stream: Arc<Stream>,
    inner: Arc<Inner>,
    team: Arc<Team>,
    member: Member,
    /// The identities of what is in its hands, for what is set aside.
    ids: Mutex<std::collections::HashMap<u64, Id>>,
    has_left: AtomicBool,
}

impl Reader {
    pub(super) fn new(
        stream: Arc<Stream>,
        inner: Arc<Inner>,
        consumer: Consumer,
    ) -> Result<Self, StoreFault> {
        let (team, _) = stream.team(&consumer.group)?;
        let member = team.join(&stream, &consumer.name, consumer.waker)?;
        Ok(Self {
            stream,
            inner,
            team,
            member,
            ids: Mutex::default(),
            has_left: AtomicBool::new(false),
        })
    }

    /// Hands out records; nothing when some were read that only others want.
    fn hand_out(
        &self,
        most: usize,
        into: &mut Vec<Handed>,
    ) -> Result<Option<Prospect>, StoreFault> {
        let mut ends = self.stream.ends_known()?;
        let mut is_asked = false;
        loop {
            let here = self.team.ends_here(&ends);
            let now = self.inner.line.clock.elapsed();
            let received = {
                let mut group = self.team.group.lock();
                group.receive(self.member, (most, now), &here, into)
            };
            match received {
                Received::Some => return Ok(None),
                Received::Lacks(partition, _) if !self.team.has(partition) => {
                    self.team.forget_lost(partition);
                }
                Received::Lacks(partition, from) => self.read(partition, from)?,
                Received::Nothing(prospect) if is_asked => return Ok(Some(prospect)),
                Received::Nothing(_) => {
                    ends = self.stream.ends()?;
                    is_asked = true;
                }
            }
        }
    }

    fn read(&self, at: usize, from: Offset) -> Result<(), StoreFault> {
        let tails = self.stream.tails();
        let Some(tail) = tails.get(at) else {
            return Ok(());
        };
        let (records, end) = tail.page(from, PAGE)?;
        let records = records.into_iter().map(|(offset, parcel)| {
            self.team.is_back(&parcel);
            record(offset, &parcel, &self.stream.name)
        });
        let page = Page {
            from,
            end,
            records: records.collect(),
        };
        self.team.group.lock().put(at, page);
        Ok(())
    }

    fn outlook(&self, prospect: Prospect) -> Result<Outlook, StoreFault> {
        let mut ends = self.stream.ends_known()?;
        let mut back = self.team.back();
        if let OnError::Copy(via) = self.stream.declaration().on_error {
            back.extend(self.stream.resting(&via)?.1);
            // What rests no more may have come meanwhile.
            let before = std::mem::replace(&mut ends, self.stream.ends()?);
            if ends != before {
                back.push(self.inner.line.clock.elapsed());
            }
        }
        let (elsewhere, is_lost) = self.team.elsewhere(&ends)?;
        let elsewhere = usize::try_from(elsewhere).unwrap_or(usize::MAX);
        let now = Now::of(&*self.inner.line.clock);
        let due = back.into_iter().chain(prospect.due).min();
        Ok(Outlook {
            due: due.map(|due| now.wall_at(due)),
            unsettled: prospect.unsettled,
            elsewhere: prospect.elsewhere.saturating_add(elsewhere),
            is_moving: prospect.is_copying || is_lost,
        })
    }

    /// The delivery; nothing when the record cannot be read, which is then set aside.
    fn delivery(&self, handed: Handed) -> Option<Delivery> {
        let settled = |(ticket, settlement)| self.settle(ticket, settlement);
        let delivery = handed.delivery().map_err(settled).ok()?;
        let id = delivery.message.id;
        self.ids.lock().insert(delivery.ticket, id);
        Some(delivery)
    }

    fn save_later(&self) {
        if self.team.soil() {
            self.inner.save_later(&self.stream, &self.team);
        }
    }
}

/// A record, as it lies in a partition.
pub(super) fn record(offset: Offset, parcel: &Parcel, stream: &str) -> Record {
    let at = parcel.number(wire::AT).unwrap_or_default();
    let name = parcel
        .id()
        .map_or_else(|| offset.to_string(), str::to_owned);
    let message = parcel.message(format_args!("{stream} {name}"));
    Record {
        offset,
        at: moment(at.cast_signed()),
        attempt: parcel.attempts() + 1,
        only_for: parcel.note(wire::ONLY),
        bytes: parcel.size() as u64,
        message: message.map_err(|unreadable| unreadable.to_string()),
    }
}

impl Subscription for Reader {
    fn receive(&self, most: usize, into: &mut Vec<Delivery>) -> Result<Found, StoreFault> {
        if self.has_left.load(Ordering::Acquire) {
            return Ok(Found::Empty(Outlook::default()));
        }
        // What others have settled here counts, and the locks may have been lost.
        self.team.save(&self.stream)?;
        let before = into.len();
        while into.len() == before {
            let mut handed = Vec::new();
            let prospect = self.hand_out(most.max(1), &mut handed)?;
            if let Some(prospect) = prospect {
                return Ok(Found::Empty(self.outlook(prospect)?));
            }
            self.save_later();
            self.stream.call_writers();
            let deliveries = handed.into_iter();
            into.extend(deliveries.filter_map(|handed| self.delivery(handed)));
        }
        Ok(Found::Some)
    }

    fn settle(&self, ticket: u64, settlement: Settlement) {
        let own = (self.team.name.as_str(), ticket);
        let verdict = Verdict::of(settlement, own, || {
            (Now::of(&*self.inner.line.clock), self.stream.rules())
        });
        let id = self.ids.lock().remove(&ticket).unwrap_or(Id::of(""));
        let follow = {
            let mut group = self.team.group.lock();
            let follow = group.settle(self.member, ticket, verdict);
            group.call();
            follow
        };
        match follow {
            Follow::Nothing => {
                tracing::debug!("a late settlement in `{}` is not heard", self.stream.name);
                return;
            }
            Follow::Save => {}
            Follow::Copy(copy) => self.team.copy_later(*copy, id),
        }
        self.save_later();
    }

    fn requeue(&self, _: u64, _: Duration) -> Result<(), StoreFault> {
        Err(not_locked(&self.stream.name))
    }

    fn flush(&self) -> Result<(), StoreFault> {
        insist(&self.stream.name, PATIENCE, || self.team.save(&self.stream))
    }

    fn stop(&self) {
        let mut group = self.team.group.lock();
        group.retire(self.member);
        group.call();
        drop(group);
        self.stream.call_writers();
        self.save_later();
    }

    fn close(&self) {
        if self.has_left.swap(true, Ordering::AcqRel) {
            return;
        }
        let is_cut = self.inner.line.is_cut();
        if !is_cut && let Err(fault) = self.team.save(&self.stream) {
            tracing::warn!(
                "what was settled in `{}` comes again: {fault}",
                self.stream.name
            );
        }
        let mut group = self.team.group.lock();
        group.leave(self.member);
        group.call();
        drop(group);
        if !is_cut && let Err(fault) = self.team.balance(&self.stream) {
            tracing::debug!("partitions are free when the connection ends: {fault}");
        }
        self.stream.call_writers();
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.close();
    }
}

//! A consumer of a stream.

use std::sync::Arc;
use std::time::Duration;

use paperflow_core::connector::{
    Consumer, Delivery, Found, Outlook, Settlement, StoreFault, Subscription,
};

use super::group::{Follow, Prospect, Received, Verdict};
use super::handed::Handed;
use super::log::{self, Most};
use super::mark::Offset;
use super::shares::Member;
use super::{Stream, Team};
use crate::fault::not_locked;
use crate::writer::{Keeper, Safe, Tx};

/// How much is read from the file at a time, for each partition of a group.
const PAGE: Most = Most {
    records: 512,
    bytes: 1 << 20,
};

/// See [`Subscription`].
pub(super) struct Reader {
    stream: Arc<Stream>,
    team: Arc<Team>,
    keeper: Arc<Keeper>,
    member: Member,
}

impl Reader {
    pub(super) fn new(
        stream: Arc<Stream>,
        team: Arc<Team>,
        keeper: Arc<Keeper>,
        consumer: Consumer,
    ) -> Self {
        let member = team.group.lock().join(&consumer.name, consumer.waker);
        Self {
            stream,
            team,
            keeper,
            member,
        }
    }

    /// Hands out records; nothing when some were read that only others want.
    fn hand_out(
        &self,
        most: usize,
        into: &mut Vec<Handed>,
    ) -> Result<Option<Prospect>, StoreFault> {
        loop {
            let ends = self.stream.live.lock().ends.clone();
            let now = self.stream.clock.elapsed();
            let received = {
                let mut group = self.team.group.lock();
                group.receive(self.member, (most, now), &ends, into)
            };
            match received {
                Received::Some => return Ok(None),
                Received::Lacks(partition, from) => self.read(partition, from, &ends)?,
                // Who looked before something was written, and sat down after it, was not called.
                Received::Nothing(_) if self.stream.live.lock().ends != ends => {}
                Received::Nothing(prospect) => return Ok(Some(prospect)),
            }
        }
    }

    fn read(&self, at: usize, from: Offset, ends: &[Offset]) -> Result<(), StoreFault> {
        let end = ends.get(at).copied().unwrap_or_default();
        let (stream, team) = (Arc::clone(&self.stream), Arc::clone(&self.team));
        self.keeper.orders.call(Safe::FromCrash, move |tx| {
            let number = stream.live.lock().shelves.get(at).map(|shelf| shelf.number);
            let page = log::page(tx, number.unwrap_or_default(), (from, end), PAGE)?;
            team.group.lock().put(at, page);
            Ok(())
        })
    }

    fn outlook(&self, prospect: Prospect) -> Outlook {
        let now = self.stream.now();
        let due = [prospect.due, self.stream.first_copy(&self.team.name)];
        let due = due.into_iter().flatten().min();
        Outlook {
            due: due.map(|due: Duration| now.wall_at(due)),
            unsettled: prospect.unsettled,
            elsewhere: prospect.elsewhere,
            is_moving: prospect.is_copying,
        }
    }

    /// The delivery; nothing when the record cannot be read, which is then set aside.
    fn delivery(&self, handed: Handed) -> Option<Delivery> {
        let settled = |(ticket, settlement)| self.settle(ticket, settlement);
        handed.delivery().map_err(settled).ok()
    }
}

impl Subscription for Reader {
    fn receive(&self, most: usize, into: &mut Vec<Delivery>) -> Result<Found, StoreFault> {
        let before = into.len();
        while into.len() == before {
            let mut handed = Vec::new();
            let prospect = self.hand_out(most.max(1), &mut handed)?;
            if self.team.group.lock().is_unsaved() {
                self.stream.save_later(&self.team);
            }
            if let Some(prospect) = prospect {
                return Ok(Found::Empty(self.outlook(prospect)));
            }
            self.stream.call_writers();
            let deliveries = handed.into_iter();
            into.extend(deliveries.filter_map(|handed| self.delivery(handed)));
        }
        Ok(Found::Some)
    }

    fn settle(&self, ticket: u64, settlement: Settlement) {
        let own = (self.team.name.as_str(), ticket);
        let terms = || (self.stream.now(), self.stream.rules());
        let verdict = Verdict::of(settlement, own, terms);
        let follow = {
            let mut group = self.team.group.lock();
            let follow = group.settle(self.member, ticket, verdict);
            group.call();
            follow
        };
        match follow {
            Follow::Nothing => {
                tracing::debug!("a late settlement in `{}` is not heard", self.stream.name);
            }
            Follow::Save => self.stream.save_later(&self.team),
            Follow::Copy(copy) => self.stream.copy_later(&self.team, *copy),
        }
    }

    fn requeue(&self, _: u64, _: Duration) -> Result<(), StoreFault> {
        Err(not_locked(&self.stream.name))
    }

    fn flush(&self) -> Result<(), StoreFault> {
        // What is copied is finished, and to be saved, only when the copy is safe.
        for _ in 0..2 {
            let (stream, team) = (Arc::clone(&self.stream), Arc::clone(&self.team));
            let job = move |tx: &mut Tx<'_>| stream.save(tx, &team);
            self.keeper.orders.call(Safe::FromPowerCut, job)?;
        }
        Ok(())
    }

    fn stop(&self) {
        let mut group = self.team.group.lock();
        group.retire(self.member);
        group.call();
        drop(group);
        self.stream.call_writers();
    }

    fn close(&self) {
        let mut group = self.team.group.lock();
        group.leave(self.member);
        group.call();
        drop(group);
        self.stream.call_writers();
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.close();
    }
}

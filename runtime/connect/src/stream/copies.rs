//! Records that failed are copied: to where those go that are given up, or to a delay stream and back.
//!
//! A copy is safe before its record counts as finished. After a crash in between the record is delivered
//! again, and copied again if it fails again: to a dead-letter queue twice, with the same id.

use std::sync::Arc;
use std::time::Duration;

use paperflow_core::connector::{ConnectorKind, Declaration, OnError, StoreFault};
use paperflow_core::failpoint;

use super::group::{Copy, Now, To};
use super::log::{self, Delayed, Differs, Place};
use super::{Stream, Team, find, open};
use crate::clock::millis;
use crate::queue;
use crate::queue::aside::{Aside, Origin, Reason};
use crate::writer::Tx;

/// How long a record rests that could not be copied.
const REFUSED: Duration = Duration::from_secs(1);

impl Stream {
    /// Copies a record soon; it is finished when that is safe.
    pub(super) fn copy_later(self: &Arc<Self>, team: &Arc<Team>, copy: Copy) {
        let (stream, team) = (Arc::clone(self), Arc::clone(team));
        self.orders.later(move |tx| {
            let copied = stream.copy(tx, &team, &copy);
            tx.then(move |is_safe| {
                let rest = stream.clock.elapsed() + REFUSED;
                let refused = (!is_safe).then_some(rest);
                team.group.lock().copied(&copy, refused);
                stream.save_later(&team);
            });
            copied
        });
    }

    fn copy(self: &Arc<Self>, tx: &mut Tx<'_>, team: &Team, copy: &Copy) -> Result<(), StoreFault> {
        let (from, declaration) = {
            let live = self.live.lock();
            let shelf = live.shelves.get(copy.flight.partition);
            let number = shelf.map(|shelf| shelf.number).unwrap_or_default();
            (
                Place::of(number, copy.flight.offset),
                live.declaration.clone(),
            )
        };
        let (name, reason) = match (copy.to, &declaration.on_error) {
            (To::Delay(rest), OnError::Copy(via)) => {
                return self.delay(tx, team, (via, rest), (copy, from));
            }
            (To::Dead | To::Delay(_), _) => (declaration.dead_letter_name(), Reason::Delivery),
            (To::Rejected, _) => (declaration.dead_letter_name(), Reason::Rejected),
            (To::Invalid, _) => (declaration.invalid_name(), Reason::Invalid),
        };
        if reason == Reason::Invalid {
            failpoint!("before_invalid_copy");
        }
        let aside = self.aside(team, copy, reason);
        self.set_aside(tx, &name, from, &aside)
    }

    fn aside(&self, team: &Team, copy: &Copy, reason: Reason) -> Aside {
        let known = copy.failed.filter(|failed| failed.times > 0);
        Aside {
            reason,
            failure: copy.failure.clone().unwrap_or_default(),
            attempts: copy.flight.attempt,
            first: known.map(|failed| millis(failed.first)),
            origin: Some(Origin {
                partition: copy.flight.partition,
                offset: copy.flight.offset,
                group: team.name.clone(),
            }),
        }
    }

    /// Copies a record to a queue, or to a stream if there is one of that name.
    fn set_aside(
        self: &Arc<Self>,
        tx: &mut Tx<'_>,
        name: &str,
        from: Place,
        aside: &Aside,
    ) -> Result<(), StoreFault> {
        let sql = "SELECT lower(hex(id)) FROM records WHERE place = ?";
        let id: Option<String> = tx.row(sql, [from], |row| row.get(0))?;
        let Some(id) = id else {
            return Ok(());
        };
        let cause = aside.cause(tx, &self.name, &id)?;
        let Some(target) = find(tx, name)? else {
            return queue::aside::copy(
                tx,
                name,
                "records WHERE place",
                from.number(),
                Some(&cause),
            );
        };
        let differs = Differs {
            attempt: 1,
            only_for: None,
            cause: Some(cause),
        };
        target.take_copy(tx, from, &differs).map(|_| ())
    }

    /// Writes a message of a queue at the end of a partition, for one group or for all.
    pub(crate) fn take_message(
        self: &Arc<Self>,
        tx: &mut Tx<'_>,
        seq: i64,
        partition: usize,
        only_for: Option<&str>,
    ) -> Result<(), StoreFault> {
        let now = self.clock.wall();
        self.change(tx, |tx, shelves| {
            let at = partition % shelves.len().max(1);
            match shelves.get_mut(at) {
                Some(shelf) => log::take(tx, seq, shelf, only_for, now),
                None => Ok(()),
            }
        })
    }

    /// Writes a copy of a record of any stream at the end of this one.
    fn take_copy(
        self: &Arc<Self>,
        tx: &mut Tx<'_>,
        from: Place,
        differs: &Differs,
    ) -> Result<Option<Place>, StoreFault> {
        let now = self.clock.wall();
        self.change(tx, |tx, shelves| {
            // Those of one partition stay in one.
            let at = usize::try_from(from.partition()).unwrap_or_default() % shelves.len().max(1);
            log::copy(tx, from, &mut shelves[at], differs, now)
        })
    }

    /// Copies a record to a delay stream, from which it comes back.
    fn delay(
        self: &Arc<Self>,
        tx: &mut Tx<'_>,
        team: &Team,
        (via, rest): (&str, Duration),
        (copy, from): (&Copy, Place),
    ) -> Result<(), StoreFault> {
        let sql = "SELECT 1 FROM delays WHERE name = ? AND origin = ?";
        let known = tx.row(sql, rusqlite::params![team.name, from], |_| Ok(()))?;
        if known.is_some() {
            return Ok(());
        }
        let usual = Declaration::new(via, ConnectorKind::Stream);
        let target = match find(tx, via)? {
            Some(target) => target,
            None => open(tx, &usual)?,
        };
        let attempt = copy.flight.attempt.saturating_add(1);
        let differs = Differs {
            attempt,
            only_for: None,
            cause: Some(
                self.aside(team, copy, Reason::Delivery)
                    .cause(tx, &self.name, "")?,
            ),
        };
        let Some(place) = target.take_copy(tx, from, &differs)? else {
            return Ok(());
        };
        let delayed = Delayed {
            copy: place,
            partition: copy.flight.partition,
            group: team.name.clone(),
            origin: from,
            attempt,
            due: self.clock.elapsed() + rest,
        };
        log::delay(tx, self.number, &delayed, self.now())?;
        let stream = Arc::clone(self);
        tx.then(move |is_safe| {
            if is_safe {
                failpoint!("after_retry");
                stream.await_copy(delayed);
            }
        });
        Ok(())
    }

    /// A copy is to come back when it is due.
    pub(super) fn await_copy(self: &Arc<Self>, delayed: Delayed) {
        let due = delayed.due;
        let key = (due, delayed.copy);
        self.live.lock().delayed.insert(key, delayed);
        let stream = Arc::clone(self);
        self.orders.at(due, move |tx| stream.take_back(tx));
    }

    /// When the first copy comes back to a group.
    pub(super) fn first_copy(&self, group: &str) -> Option<Duration> {
        let live = self.live.lock();
        let mut copies = live.delayed.iter();
        let first = copies.find(|(_, copy)| copy.group == group);
        first.map(|((due, _), _)| *due)
    }

    /// Copies that are due are written at the end of the partition they came from, for their group alone,
    /// and the delay stream keeps them no more.
    fn take_back(self: &Arc<Self>, tx: &mut Tx<'_>) -> Result<(), StoreFault> {
        let now = self.now();
        let due: Vec<Delayed> = {
            let live = self.live.lock();
            let copies = live.delayed.iter();
            let due = copies.take_while(|((due, _), _)| *due <= now.elapsed);
            due.map(|(_, copy)| copy.clone()).collect()
        };
        let taken = self.take_back_due(tx, &due, now);
        // A copy is forgotten when its record is there, and not before: a reader who sees neither
        // would take it for the end.
        let stream = Arc::clone(self);
        tx.then(move |is_safe| stream.were_taken_back(&due, is_safe));
        taken
    }

    fn take_back_due(
        self: &Arc<Self>,
        tx: &mut Tx<'_>,
        due: &[Delayed],
        now: Now,
    ) -> Result<(), StoreFault> {
        for copy in due {
            let differs = Differs {
                attempt: copy.attempt,
                only_for: Some(copy.group.clone()),
                cause: None,
            };
            self.change(tx, |tx, shelves| match shelves.get_mut(copy.partition) {
                Some(shelf) => log::copy(tx, copy.copy, shelf, &differs, now.wall),
                None => Ok(None),
            })?;
            log::undelay(tx, copy.copy)?;
            self.remove_copy(tx, copy.copy)?;
        }
        Ok(())
    }

    /// The delay stream keeps a copy no more.
    fn remove_copy(&self, tx: &mut Tx<'_>, copy: Place) -> Result<(), StoreFault> {
        let sql = "SELECT name FROM connectors WHERE number = \
                   (SELECT stream FROM partitions WHERE number = ?)";
        let name: Option<String> = tx.row(sql, [copy.partition()], |row| row.get(0))?;
        let Some(via) = find(tx, &name.unwrap_or_default())? else {
            return Ok(());
        };
        via.change(tx, |tx, shelves| {
            let shelf = shelves
                .iter_mut()
                .find(|shelf| shelf.number == copy.partition());
            shelf.map_or(Ok(()), |shelf| log::remove(tx, shelf, copy.offset()))
        })
    }

    fn were_taken_back(self: &Arc<Self>, taken: &[Delayed], is_safe: bool) {
        if is_safe {
            let mut live = self.live.lock();
            for copy in taken {
                live.delayed.remove(&(copy.due, copy.copy));
            }
            drop(live);
            self.call_readers();
        } else if !taken.is_empty() {
            let stream = Arc::clone(self);
            let at = self.clock.elapsed() + REFUSED;
            self.orders.at(at, move |tx| stream.take_back(tx));
        }
    }
}

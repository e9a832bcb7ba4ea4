//! What a consumer of a stream and the server tell each other.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_nats::HeaderMap;
use paperflow_core::connector::StoreFault;
use paperflow_core::failpoint;

use super::docs::Copy;
use super::group::{Common, Delayed, Share, key_of, session_of};
use super::pages::{Cursor, Shelf, page};
use super::server::State as Kept;
use super::server::{message_at, remove};
use super::stream::{Stream, append};
use super::wire::{self, ATTEMPT, ONLY};
use super::{Inner, Order};
use crate::broker::consumer::{self, Copying, Side};
use crate::clock::{Clock, millis, moment, utc_of};
use crate::names;
use crate::stream::group::{Now, Report, Unsaved};
use crate::stream::mark::Offset;
use crate::stream::shares::Member;

/// A consumer of a stream of a server.
type Reading = consumer::Reading<Inner>;
type State = consumer::State<Own>;

/// What we know of a consumer.
#[derive(Default)]
pub(super) struct Own {
    /// The group as it was seen last.
    common: Option<Copy<Common>>,
    cursors: BTreeMap<usize, Option<Cursor>>,
}

/// What came of an exchange.
enum Turned {
    /// Others have given it up.
    Gone,
    Left,
    /// It is in the group.
    In(Member, Vec<Share>),
}

/// What a consumer says.
struct Said<'a> {
    token: &'a str,
    has_joined: bool,
    has_left: bool,
    has_retired: bool,
    reports: &'a [(Report, crate::stream::group::Kept)],
    saved: &'a [Unsaved],
    /// Partitions of which pages are wanted.
    wanted: BTreeSet<usize>,
    partitions: usize,
}

impl Said<'_> {
    /// Says it to the group.
    fn say(&self, common: &mut Common, now: Now) -> Turned {
        common.grow(self.partitions);
        let member = match common.member(self.token) {
            Some(member) => member,
            None if self.has_joined => return Turned::Gone,
            None => common.join(self.token),
        };
        let mut known = Vec::new();
        for (report, kept) in self.reports {
            let mut saved = self.saved.iter();
            let saved = saved.find(|saved| saved.partition == report.partition);
            if common.report(member, *report, *kept, saved, now) {
                known.push(report.partition);
            }
        }
        if self.has_left {
            common.leave(member);
            common.balance();
            return Turned::Left;
        }
        if self.has_retired {
            common.shares.retire(member);
        }
        common.balance();
        for at in &self.wanted {
            let owner = common.shares.owner(*at);
            if owner.is_some_and(|owner| owner.member == member && !owner.is_leaving) {
                common.parts[*at].is_busy = true;
            }
        }
        Turned::In(member, common.shares_of(member, &known, now))
    }
}

impl Side for Inner {
    type Own = Own;

    fn clock(&self) -> &dyn Clock {
        &self.clock
    }

    fn session(&self) -> &str {
        &self.line.session
    }

    fn is_cut(&self) -> bool {
        self.line.is_cut()
    }

    fn report_later(&self, stream: &Arc<Stream>) {
        // Nobody takes orders when the store is closed; then what is not settled is delivered again.
        let _ = self.orders.send(Order::Reported(Arc::downgrade(stream)));
    }

    fn turn(
        &self,
        reading: &Reading,
        state: &mut State,
        pages: &[(usize, Offset)],
    ) -> Result<(), StoreFault> {
        loop {
            let saved = state.group.unsaved();
            if !saved.is_empty() {
                failpoint!("settle_lost");
            }
            let turned = self.say(reading, state, &saved, pages);
            let turned = turned.inspect_err(|_| state.group.not_saved(&saved))?;
            if saved.iter().any(|saved| !saved.failures.is_empty()) {
                failpoint!("after_retry");
            }
            match turned {
                Turned::In(member, shares) => {
                    return self.heard(reading, state, (member, shares), pages);
                }
                Turned::Gone => {
                    tracing::warn!(
                        "`{}` lost its partitions: there was no sign of life in time",
                        reading.name
                    );
                    state.give_up(&reading.group);
                }
                Turned::Left => return Ok(()),
            }
        }
    }

    fn copy(&self, reading: &Reading, state: &State, copy: &Copying) -> Result<(), StoreFault> {
        let (flight, stream) = (&copy.flight, &reading.stream.name);
        let key = key_of(stream, &reading.group);
        let common = self.docs.get::<Common>(&key)?.value;
        let owner = common.shares.owner(flight.partition);
        let epoch = state.epochs.get(&flight.partition).copied();
        if owner.map(|owner| owner.epoch) != epoch {
            // Somebody else has the record by now.
            return Ok(());
        }
        let (shelf, seq) = (
            self.line.names.shelf(stream, flight.partition),
            flight.offset + 1,
        );
        let Some((headers, payload)) = message_at(&self.line, &shelf, seq)? else {
            return Ok(());
        };
        let now = millis(self.clock.wall());
        let mut headers = wire::bare(&headers, false);
        copy.why
            .iter()
            .for_each(|(name, value)| wire::put(&mut headers, name, value));
        let times = [
            (names::FIRST, utc_of(copy.first.unwrap_or(now))),
            (names::LAST, utc_of(now)),
        ];
        times
            .iter()
            .for_each(|(name, value)| wire::put(&mut headers, name, value));
        let origin = format!("{shelf}/{seq}/{}", key_of("", &reading.group));
        let copied = (headers, payload);
        match copy.rest {
            None => self.put_aside(&copy.to, &origin, flight.partition, copied),
            Some(rest) => {
                let due = now + i64::try_from(rest.as_millis()).unwrap_or(i64::MAX);
                let origin = format!("{origin}/{}", flight.attempt);
                let via = self.delay(&copy.to, &origin, flight.partition, copied)?;
                let delayed = Delayed {
                    partition: flight.partition,
                    attempt: flight.attempt + 1,
                    due,
                    ..via
                };
                self.docs.change(&key, |common: &mut Common| {
                    let is_same = |own: &Delayed| {
                        (&own.via, own.shelf, own.seq) == (&delayed.via, delayed.shelf, delayed.seq)
                    };
                    if !common.delayed.iter().any(is_same) {
                        common.delayed.push(delayed.clone());
                    }
                })
            }
        }
    }
}

impl Inner {
    /// Says how far a consumer is, and gives up those who gave no sign of life.
    fn say(
        &self,
        reading: &Reading,
        state: &mut State,
        saved: &[Unsaved],
        pages: &[(usize, Offset)],
    ) -> Result<Turned, StoreFault> {
        self.ready_stream(&reading.stream)?;
        let key = key_of(&reading.stream.name, &reading.group);
        let has_joined = state.token.is_some();
        let token = reading.token_in(self, state);
        let reports = state.group.reports().into_iter().map(|report| {
            let kept = state.group.standing(report.partition).state;
            (report, kept)
        });
        let reports: Vec<_> = reports.collect();
        let said = Said {
            token: &token,
            has_joined,
            has_left: state.has_left,
            has_retired: state.has_retired,
            reports: &reports,
            saved,
            wanted: pages.iter().map(|(at, _)| *at).collect(),
            partitions: reading.stream.partitions(),
        };
        if !has_joined {
            self.docs.live()?;
            self.know_group(&reading.stream.name, &reading.group)?;
        }
        self.take_back(&key, reading, state.own.common.as_ref())?;
        let now = Now::of(&self.clock);
        let before = state.own.common.as_ref().map(|copy| copy.value.clone());
        let mut turned = self
            .docs
            .change_from(&key, &mut state.own.common, |common, _| {
                said.say(common, now)
            })?;
        let dead = self.dead(state.own.common.as_ref())?;
        if !dead.is_empty() {
            turned = self
                .docs
                .change_from(&key, &mut state.own.common, |common, _| {
                    dead.iter().for_each(|member| common.leave(*member));
                    said.say(common, now)
                })?;
        }
        if before != state.own.common.as_ref().map(|copy| copy.value.clone()) {
            self.ring(&reading.stream.name, "settled", None);
        }
        Ok(turned)
    }

    /// Consumers of a group whose processes gave no sign of life in time.
    pub(super) fn dead(&self, common: Option<&Copy<Common>>) -> Result<Vec<Member>, StoreFault> {
        let Some(common) = common else {
            return Ok(Vec::new());
        };
        let consumers = &common.value.consumers;
        let sessions = consumers.values().map(|token| session_of(token));
        let living = self.docs.living(sessions)?;
        let dead = consumers
            .iter()
            .filter(|(_, token)| !living.contains(session_of(token)));
        Ok(dead.map(|(member, _)| *member).collect())
    }

    /// What the group is like for a consumer from now on.
    fn heard(
        &self,
        reading: &Reading,
        state: &mut State,
        (member, shares): (Member, Vec<Share>),
        pages: &[(usize, Offset)],
    ) -> Result<(), StoreFault> {
        state.is_dirty = false;
        let kept = self.shelves(&reading.stream.name, reading.stream.partitions())?;
        let ends: Vec<Offset> = kept.iter().map(|kept| kept.last_seq).collect();
        let mut own = BTreeMap::new();
        state.ends = vec![0; ends.len()];
        let mut open = BTreeSet::new();
        for share in shares {
            state.ends[share.at] = ends[share.at];
            if let Some(kept) = share.kept {
                state
                    .group
                    .give((share.at, state.member, share.epoch), kept);
                state.own.cursors.remove(&share.at);
            }
            state.group.leaves(share.at, share.is_leaving);
            own.insert(share.at, share.epoch);
            if !share.is_leaving {
                open.insert(share.at);
            }
        }
        let before = std::mem::replace(&mut state.epochs, own);
        for at in before.keys().filter(|at| !state.epochs.contains_key(at)) {
            state.group.take_away(*at);
            state.own.cursors.remove(at);
        }
        let now = Now::of(&self.clock);
        let common = state.own.common.as_ref().map(|copy| &copy.value);
        if let Some(common) = common {
            let (elsewhere, is_outside) = common.elsewhere(member, &self.line.session, &ends);
            let back = common.delayed.iter().map(|copy| copy.due).min();
            let back = back.map(|due| now.elapsed_at(moment(due)));
            // What is left there is ours when another process gives no sign of life.
            let ends = is_outside.then(|| now.elapsed + self.docs.lease());
            state.back = back.into_iter().chain(ends).min();
            state.elsewhere = usize::try_from(elsewhere).unwrap_or(usize::MAX);
        }
        for (at, from) in pages.iter().filter(|(at, _)| open.contains(at)) {
            self.read(reading, state, (*at, *from), &kept[*at])?;
        }
        Ok(())
    }

    fn read(
        &self,
        reading: &Reading,
        state: &mut State,
        (at, from): (usize, Offset),
        kept: &Kept,
    ) -> Result<(), StoreFault> {
        let name = self.line.names.shelf(&reading.stream.name, at);
        let shelf = Shelf {
            stream: &reading.stream.name,
            kept: &name,
        };
        let cursor = state.own.cursors.entry(at).or_default();
        let page = page(&self.line, &shelf, cursor, (from, kept))?;
        state.group.put(at, page);
        Ok(())
    }

    /// Copies that are due come back to the end of the partition they came from, for their group alone. Each
    /// step may be done again.
    fn take_back(
        &self,
        key: &str,
        reading: &Reading,
        common: Option<&Copy<Common>>,
    ) -> Result<(), StoreFault> {
        let now = millis(self.clock.wall());
        let delayed = common.iter().flat_map(|copy| &copy.value.delayed);
        let due: Vec<Delayed> = delayed.filter(|copy| copy.due <= now).cloned().collect();
        for copy in due {
            self.bring_back(&reading.stream.name, &reading.group, &copy)?;
            self.docs.change(key, |common: &mut Common| {
                common.delayed.retain(|other| *other != copy);
            })?;
            self.ring(&reading.stream.name, "message", None);
        }
        Ok(())
    }

    fn bring_back(&self, stream: &str, group: &str, copy: &Delayed) -> Result<(), StoreFault> {
        let shelf = self.line.names.shelf(&copy.via, copy.shelf);
        let Some((headers, payload)) = message_at(&self.line, &shelf, copy.seq)? else {
            return Ok(());
        };
        let mut headers: HeaderMap = wire::bare(&headers, true);
        wire::put(&mut headers, ATTEMPT, &copy.attempt.to_string());
        wire::put(&mut headers, ONLY, group);
        headers.insert("Nats-Msg-Id", format!("back/{shelf}/{}", copy.seq));
        let subject = self.line.names.partition(stream, copy.partition);
        append(self, subject, (headers, payload))?;
        remove(&self.line, &shelf, copy.seq)
    }
}

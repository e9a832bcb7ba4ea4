//! What a consumer of a stream and the server tell each other.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use ::redis::Value;
use paperflow_core::connector::{Disposition, OnError, StoreFault, StoreFaultKind};
use paperflow_core::failpoint;
use paperflow_core::message::Id;

use super::{Reading, State};
use crate::broker::aside;
use crate::clock::{millis, moment};
use crate::names;
use crate::redis::Inner;
use crate::redis::line::Call;
use crate::redis::scripts;
use crate::redis::wire::{field, item, list, lossy, message, number, payload};
use crate::stream::group::{Copy, Kept, Now, Page, Report, To, Unsaved};
use crate::stream::log::Record;
use crate::stream::mark::{Failed, Offset};

/// How many records are read at a time, for each partition.
const PAGE: u64 = 512;
/// How long a record rests that could not be copied.
const REFUSED: Duration = Duration::from_secs(1);

impl Reading {
    /// One exchange with the server: copies, how far it is, which partitions it has, and pages.
    pub(super) fn turn(
        &self,
        inner: &Inner,
        state: &mut State,
        pages: &[(usize, Offset)],
    ) -> Result<(), StoreFault> {
        self.copy(inner, state)?;
        loop {
            let (call, saved) = self.turning(inner, state, pages);
            let answer = inner.line.ask(call);
            let answer = match answer {
                Ok(answer) => answer,
                Err(fault) => {
                    state.group.not_saved(&saved);
                    return Err(fault);
                }
            };
            if saved.iter().any(|saved| !saved.failures.is_empty()) {
                failpoint!("after_retry");
            }
            let answer = list(&answer)?;
            match lossy(item(answer, 0)).as_str() {
                "turn" => return self.heard(inner, state, answer),
                "gone" => {
                    tracing::warn!(
                        "`{}` lost its partitions: there was no sign of life in time",
                        self.name
                    );
                    state.give_up(&self.group);
                }
                _ => return Ok(()),
            }
        }
    }

    /// What it says to the server.
    fn turning(
        &self,
        inner: &Inner,
        state: &mut State,
        pages: &[(usize, Offset)],
    ) -> (Call, Vec<Unsaved>) {
        let mode = match (&state.token, state.has_left, state.has_retired) {
            (None, ..) => "join",
            (_, true, _) => "leave",
            (_, _, true) => "retire",
            _ => "stay",
        };
        let lease = self.stream.local.lock().declaration.lease;
        let lease = lease.as_millis().max(1).to_string();
        let mut call = Call::of(&scripts::STREAM_TURN).with(&self.stream.name);
        call = call.with(&self.group).with(self.token(inner, state));
        call = call.with(lease).with(mode);
        let saved = state.group.unsaved();
        if !saved.is_empty() {
            failpoint!("settle_lost");
        }
        let reports = state.group.reports();
        call.add(reports.len().to_string());
        let now = inner.line.clock.elapsed();
        for report in reports {
            let own = saved.iter();
            let own = own.filter(|saved| saved.partition == report.partition);
            let failures: Vec<_> = own.flat_map(|saved| saved.failures.iter()).collect();
            let kept = state.group.standing(report.partition).state;
            say(&mut call, (report, kept, failures.len()));
            for (offset, failed) in failures {
                say_failure(&mut call, *offset, failed.unwrap_or_default(), now);
            }
        }
        for (partition, from) in pages {
            let page = [*partition as u64, *from, PAGE];
            page.iter().for_each(|number| call.add(number.to_string()));
        }
        (call, saved)
    }

    /// How the server knows it; a new name when it had been given up.
    fn token(&self, inner: &Inner, state: &mut State) -> String {
        let token = state.token.get_or_insert_with(|| {
            state.times += 1;
            let (session, number, times) = (&inner.line.session, self.number, state.times);
            format!("{session}:{number}.{times}:{}", self.name)
        });
        token.clone()
    }

    /// What the server says.
    fn heard(&self, inner: &Inner, state: &mut State, answer: &[Value]) -> Result<(), StoreFault> {
        state.is_dirty = false;
        let now = Now::of(&*inner.line.clock);
        let mut own = BTreeMap::new();
        for share in list(item(answer, 1))? {
            let share = list(share)?;
            let at =
                usize::try_from(number(item(share, 0)).unwrap_or_default()).unwrap_or_default();
            let epoch = number(item(share, 1)).unwrap_or_default();
            if state.ends.len() <= at {
                state.ends.resize(at + 1, 0);
            }
            state.ends[at] = number(item(share, 2)).unwrap_or_default();
            if share.len() > 4 {
                let kept = kept(share, now)?;
                state.group.give((at, state.member, epoch), kept);
            }
            state.group.leaves(at, lossy(item(share, 3)) == "1");
            own.insert(at, epoch);
        }
        let before = std::mem::replace(&mut state.epochs, own);
        for at in before.keys().filter(|at| !state.epochs.contains_key(at)) {
            state.group.take_away(*at);
            state.ends[*at] = 0;
        }
        for page in list(item(answer, 2))? {
            let page = list(page)?;
            let at = usize::try_from(number(item(page, 0)).unwrap_or_default()).unwrap_or_default();
            state.group.put(at, self.page(page)?);
        }
        let rest = number(item(answer, 3)).map(Duration::from_millis);
        state.back = rest.map(|rest| now.elapsed + rest);
        let elsewhere = number(item(answer, 4)).unwrap_or_default();
        state.elsewhere = usize::try_from(elsewhere).unwrap_or(usize::MAX);
        Ok(())
    }

    fn page(&self, page: &[Value]) -> Result<Page, StoreFault> {
        let mut records = VecDeque::new();
        for one in list(item(page, 3))? {
            let one = list(one)?;
            let offset = number(item(one, 0)).unwrap_or_default();
            records.push_back(record(offset, list(item(one, 1))?, &self.stream.name));
        }
        Ok(Page {
            from: number(item(page, 1)).unwrap_or_default(),
            end: number(item(page, 2)).unwrap_or_default(),
            records,
        })
    }

    /// Has records copied that failed; each is finished when its copy is safe.
    fn copy(&self, inner: &Inner, state: &mut State) -> Result<(), StoreFault> {
        while let Some((copy, id)) = state.copies.first().cloned() {
            let call = self.copying(state, &copy, id);
            if copy.to == To::Invalid {
                failpoint!("before_invalid_copy");
            }
            let answer = match inner.line.ask(call) {
                Err(fault) if fault.kind() == StoreFaultKind::Unavailable => return Err(fault),
                answer => answer,
            };
            state.copies.remove(0);
            if matches!(copy.to, To::Delay(_)) {
                failpoint!("after_retry");
            } else {
                failpoint!("after_dead_letter");
            }
            let refused = answer
                .is_err()
                .then(|| inner.line.clock.elapsed() + REFUSED);
            if let Err(fault) = answer {
                tracing::warn!(
                    "a record of `{}` cannot be copied: {fault}",
                    self.stream.name
                );
            }
            state.group.copied(&copy, refused);
            state.is_dirty = true;
        }
        Ok(())
    }

    fn copying(&self, state: &State, copy: &Copy, id: Id) -> Call {
        let Copy {
            flight,
            to,
            failure,
            failed,
            ..
        } = copy;
        let (what, place, disposition, rest) = self.target(*to);
        let first = failed.filter(|failed| failed.times > 0);
        let first = first.map(|failed| millis(failed.first).to_string());
        let epoch = state.epochs.get(&flight.partition).copied();
        let mut call = Call::of(&scripts::STREAM_COPY).with(&self.stream.name);
        call = call
            .with(&self.group)
            .with(state.token.as_deref().unwrap_or_default());
        call = call
            .number(flight.partition as u64)
            .number(epoch.unwrap_or_default());
        call = call.number(flight.offset).with(what).with(place);
        call = call
            .number(u64::from(flight.attempt))
            .with(rest.as_millis().to_string());
        call = call.with(first.unwrap_or_default());
        let of = (id, flight.attempt);
        let mut why = aside::why(disposition, failure.as_ref(), &self.stream.name, of);
        why.push((names::PARTITION, flight.partition.to_string()));
        why.push((names::OFFSET, flight.offset.to_string()));
        why.push((names::GROUP, self.group.clone()));
        for (name, value) in why {
            call.add(name);
            call.add(value);
        }
        call
    }

    /// What is done with a record that failed, to which connector, and for how long.
    fn target(&self, to: To) -> (&'static str, String, Disposition, Duration) {
        let local = self.stream.local.lock();
        let declaration = &local.declaration;
        let dead = declaration.dead_letter_name();
        match (to, &declaration.on_error) {
            (To::Delay(rest), OnError::Copy(via)) => {
                ("delay", via.clone(), Disposition::Retry, rest)
            }
            (To::Delay(_) | To::Dead, _) => ("aside", dead, Disposition::Retry, Duration::ZERO),
            (To::Rejected, _) => ("aside", dead, Disposition::Reject, Duration::ZERO),
            (To::Invalid, _) => {
                let invalid = declaration.invalid_name();
                ("aside", invalid, Disposition::Invalid, Duration::ZERO)
            }
        }
    }
}

/// A report of a partition, as arguments: how it stands, and how many failures follow.
fn say(call: &mut Call, (report, kept, failures): (Report, Kept, usize)) {
    let numbers = [
        report.partition as u64,
        report.epoch,
        report.unsettled as u64,
        report.again,
        report.reached,
        u64::from(report.is_idle),
        kept.mark,
        kept.replayed,
        kept.skipped,
        kept.expired,
        failures as u64,
    ];
    numbers
        .iter()
        .for_each(|number| call.add(number.to_string()));
}

fn say_failure(call: &mut Call, offset: Offset, failed: Failed, now: Duration) {
    let rest = failed.until.saturating_sub(now);
    call.add(offset.to_string());
    call.add(failed.times.to_string());
    call.add(rest.as_millis().to_string());
    call.add(millis(failed.first).to_string());
}

/// A record, as it lies in a partition.
pub(in crate::redis) fn record(offset: Offset, fields: &[Value], stream: &str) -> Record {
    let of = |name| field(fields, name);
    let at = of("pf_at").and_then(number).unwrap_or_default();
    let attempt = of("pf_attempt").and_then(number).unwrap_or(1);
    let message = message(fields, &format!("{stream} {offset}"));
    Record {
        offset,
        at: moment(i64::try_from(at).unwrap_or_default()),
        attempt: u32::try_from(attempt).unwrap_or(u32::MAX),
        only_for: of("pf_only").map(lossy),
        bytes: payload(fields) as u64,
        message: message.map_err(|unreadable| unreadable.to_string()),
    }
}

/// A partition as the server has kept it.
fn kept(share: &[Value], now: Now) -> Result<(Kept, Vec<(Offset, Failed)>), StoreFault> {
    let value = |at: usize| number(item(share, at)).unwrap_or_default();
    let state = Kept {
        mark: value(4),
        replayed: value(5),
        skipped: value(6),
        expired: value(7),
    };
    let mut all = Vec::new();
    for failed in list(item(share, 8))? {
        let failed = list(failed)?;
        let value = |at: usize| number(item(failed, at)).unwrap_or_default();
        let times = u32::try_from(value(1)).unwrap_or(u32::MAX);
        let first = i64::try_from(value(3)).unwrap_or_default();
        let known = Failed {
            times,
            until: now.elapsed + Duration::from_millis(value(2)),
            first: moment(first),
        };
        all.push((value(0), known));
    }
    Ok((state, all))
}

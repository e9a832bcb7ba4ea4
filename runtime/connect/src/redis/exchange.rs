//! What a consumer of a stream and the server tell each other.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use ::redis::Value;
use paperflow_core::connector::StoreFault;
use paperflow_core::failpoint;

use super::line::Call;
use super::stream::Stream;
use super::wire::{field, item, list, lossy, message, number, payload};
use super::{Inner, scripts};
use crate::broker::consumer::{self, Copying, Side};
use crate::clock::{Clock, millis, moment};
use crate::stream::group::{Kept, Now, Page, Report, Unsaved};
use crate::stream::log::Record;
use crate::stream::mark::{Failed, Offset};

/// How many records are read at a time, for each partition.
const PAGE: u64 = 512;

/// A consumer of a stream of a server.
pub(super) type Reading = consumer::Reading<Inner>;
type State = consumer::State<()>;

impl Side for Inner {
    type Own = ();

    fn clock(&self) -> &dyn Clock {
        &*self.line.clock
    }

    fn session(&self) -> &str {
        &self.line.session
    }

    fn is_cut(&self) -> bool {
        self.line.is_cut()
    }

    fn report_later(&self, stream: &Arc<Stream>) {
        self.tell_later(stream);
    }

    fn turn(
        &self,
        reading: &Reading,
        state: &mut State,
        pages: &[(usize, Offset)],
    ) -> Result<(), StoreFault> {
        loop {
            let (call, saved) = reading.turning(self, state, pages);
            let answer = self.line.ask(call);
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
                "turn" => return reading.heard(self, state, answer),
                "gone" => {
                    tracing::warn!(
                        "`{}` lost its partitions: there was no sign of life in time",
                        reading.name
                    );
                    state.give_up(&reading.group);
                }
                _ => return Ok(()),
            }
        }
    }

    fn copy(&self, reading: &Reading, state: &State, copy: &Copying) -> Result<(), StoreFault> {
        let Copying { flight, rest, .. } = copy;
        let epoch = state.epochs.get(&flight.partition).copied();
        let mut call = Call::of(&scripts::STREAM_COPY).with(&reading.stream.name);
        call = call
            .with(&reading.group)
            .with(state.token.as_deref().unwrap_or_default());
        call = call
            .number(flight.partition as u64)
            .number(epoch.unwrap_or_default());
        let what = if rest.is_some() { "delay" } else { "aside" };
        call = call.number(flight.offset).with(what).with(&copy.to);
        let rest = rest.unwrap_or_default().as_millis();
        call = call
            .number(u64::from(flight.attempt))
            .with(rest.to_string());
        let first = copy.first.map(|first| first.to_string());
        call = call.with(first.unwrap_or_default());
        for (name, value) in &copy.why {
            call.add(name);
            call.add(value);
        }
        self.line.ask(call).map(|_| ())
    }
}

impl Reading {
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
        call = call.with(&self.group).with(self.token_in(inner, state));
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
pub(super) fn record(offset: Offset, fields: &[Value], stream: &str) -> Record {
    let of = |name| field(fields, name);
    let at = of("pf_at").and_then(number).unwrap_or_default();
    let attempt = of("pf_attempt").and_then(number).unwrap_or(1);
    let message = message(fields, format_args!("{stream} {offset}"));
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

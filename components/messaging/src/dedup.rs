use std::collections::VecDeque;
use std::time::Duration;

use paperflow_core::headers::names;
use paperflow_core::{Fault, Field, In, Moment, Out, Packet, Param, Table, Timer, component};
use serde::{Deserialize, Serialize};

use crate::aside::set_aside;

/// Drops packets whose id has been seen before.
///
/// The id is the header `id`, or the value of FIELD in records. The last WINDOW ids are remembered, and
/// none for longer than WITHIN; both count from the first packet with that id. What has no id cannot be
/// told from others: it leaves by ERROR, or is set aside by the queue that it came from, or is a fault.
/// Brackets pass.
///
/// The ids are in a table. When a store keeps it they survive a crash, together with what has been
/// passed on. When it is in memory, a packet that its queue delivers again is passed on although its id
/// was seen: nobody knows what has become of it the first time.
#[component("messaging/dedup", work = compute, must_run)]
#[example(
    field = "id",
    input = [{"id": 1, "x": "a"}, {"id": 1, "x": "b"}, {"id": 2, "x": "c"}],
    out = [{"id": 1, "x": "a"}, {"id": 2, "x": "c"}],
    duplicates = [1]
)]
#[example(
    field = "id",
    window = 1,
    input = [{"id": 1}, {"id": 2}, {"id": 1}],
    out = [{"id": 1}, {"id": 2}, {"id": 1}],
    duplicates = [0]
)]
pub(crate) async fn dedup(
    /// Anything that has an id.
    input: In<Packet>,
    /// The field of a record that holds the id.
    field: Param<Option<Field>>,
    /// How many ids are remembered.
    #[default(10000)]
    window: Param<usize>,
    /// How long an id is remembered, such as `1h`.
    within: Param<Option<Duration>>,
    /// The ids, with their number and the time when they came, in milliseconds since the start of 1970.
    seen: Table<String, Seen>,
    /// The clock.
    timer: Timer,
    /// The first packet of each id.
    out: Out<Packet>,
    /// How many were dropped, at the end.
    #[optional]
    #[at_end]
    duplicates: Out<i64>,
    /// What has no id, with the reason in the header `error`.
    error: Out<Packet>,
) -> Result<(), Fault> {
    let mut ids = Window::new(seen, *window, *within);
    let mut dropped = 0;
    while let Some(packet) = input.next().await {
        if packet.is_bracket() {
            out.send(packet).await?;
            continue;
        }
        match id(&packet, field.as_ref()) {
            Err(fault) => set_aside(packet, fault.invalid(), &error).await?,
            Ok(id) if ids.is_new(&id, timer.now()) || ids.may_be_lost(&packet) => {
                out.send(packet).await?;
            }
            Ok(_) => dropped += 1,
        }
    }
    duplicates.send(dropped).await?;
    Ok(())
}

fn id(packet: &Packet, field: Option<&Field>) -> Result<String, Fault> {
    let Some(field) = field else {
        let id = packet.headers().and_then(|headers| headers.get(names::ID));
        let missing = || Fault::new("the packet has no header id");
        return id.map(str::to_owned).ok_or_else(missing);
    };
    let missing = || Fault::new(format!("expected record, got {}", packet.kind().word()));
    let record = packet.as_record().ok_or_else(missing)?;
    Ok(field.get(record)?.to_string())
}

/// What is remembered of an id.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Seen {
    number: u64,
    at: u64,
}

/// The ids that are remembered.
struct Window {
    seen: Table<String, Seen>,
    /// The same, oldest first.
    order: VecDeque<String>,
    most: usize,
    within: Option<Duration>,
    numbers: u64,
}

impl Window {
    fn new(seen: Table<String, Seen>, most: usize, within: Option<Duration>) -> Self {
        let mut rows: Vec<_> = seen.iter().map(|(id, row)| (row.number, id)).collect();
        rows.sort_unstable();
        let numbers = rows.last().map_or(0, |(number, _)| number + 1);
        let order = rows.into_iter().map(|(_, id)| id.clone()).collect();
        Self {
            seen,
            order,
            most,
            within,
            numbers,
        }
    }

    /// Whether this id is not remembered; it is from now on.
    fn is_new(&mut self, id: &str, now: Moment) -> bool {
        while self.is_oldest_over(now) {
            self.forget_oldest();
        }
        if self.seen.contains(id) {
            return false;
        }
        let at = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
        let number = self.numbers;
        self.numbers += 1;
        self.seen.put(id.to_owned(), Seen { number, at });
        self.order.push_back(id.to_owned());
        while self.order.len() > self.most {
            self.forget_oldest();
        }
        true
    }

    fn is_oldest_over(&self, now: Moment) -> bool {
        let oldest = self.order.front().and_then(|id| self.seen.get(id));
        let age = |seen: Seen| now.saturating_sub(Duration::from_millis(seen.at));
        match (oldest, self.within) {
            (Some(oldest), Some(within)) => age(oldest) >= within,
            _ => false,
        }
    }

    fn forget_oldest(&mut self) {
        if let Some(id) = self.order.pop_front() {
            self.seen.remove(&id);
        }
    }

    /// Whether a packet that was seen is delivered again and nobody remembers how it went on.
    fn may_be_lost(&self, packet: &Packet) -> bool {
        let attempt = packet
            .headers()
            .and_then(|headers| headers.get(names::ATTEMPT));
        let attempt: u32 = attempt.and_then(|text| text.parse().ok()).unwrap_or(1);
        attempt > 1 && !self.seen.is_kept()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: u64) -> Moment {
        Duration::from_secs(seconds)
    }

    #[test]
    fn an_id_is_forgotten_after_its_time() {
        let within = Some(Duration::from_secs(10));
        let mut ids = Window::new(Table::default(), 100, within);
        assert!(ids.is_new("a", at(1)));
        assert!(ids.is_new("b", at(5)));
        assert!(!ids.is_new("a", at(10)));
        assert!(ids.is_new("a", at(11)), "ten seconds after it first came");
        assert!(!ids.is_new("b", at(14)));
        assert_eq!(ids.seen.len(), 2);
    }

    #[test]
    fn what_was_seen_before_a_crash_is_forgotten_in_the_same_order() {
        let mut ids = Window::new(Table::default(), 3, None);
        for id in ["c", "a", "b"] {
            assert!(ids.is_new(id, at(0)));
        }
        let mut ids = Window::new(ids.seen, 3, None);
        assert!(ids.is_new("d", at(0)));
        assert_eq!(ids.order, ["a", "b", "d"]);
    }
}

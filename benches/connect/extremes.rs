//! Stores that hold much: how long it takes to open them, to look at them, and to work with what they hold.

use std::path::Path;
use std::sync::Arc;
use std::task::Waker;
use std::time::{Duration, Instant};

use paperflow::Packet;
use paperflow_bench::table::{self, Table};
use paperflow_bench::{Error, memory};
use paperflow_connect::{Answer, Ask, Embedded};
use paperflow_core::connector::{
    Connector, ConnectorKind, Consumer, Declaration, Delivery, Disposition, Settlement, Store,
    Subscription,
};
use paperflow_core::message::{Id, Message};

const HEAD: [&str; 5] = ["store", "step", "how many", "ms", "us each"];
const WIDTHS: [usize; 5] = [14, 28, 9, 9, 9];

/// What a store is measured with.
struct Bench<'a> {
    table: &'a Table<5>,
    name: String,
}

impl Bench<'_> {
    /// Does something to so many, and prints how long it took.
    fn step<T>(
        &self,
        step: &str,
        count: usize,
        work: impl FnOnce() -> Result<T, Error>,
    ) -> Result<T, Error> {
        let begun = Instant::now();
        let done = work()?;
        let taken = begun.elapsed();
        self.table.line([
            self.name.clone(),
            step.to_owned(),
            count.to_string(),
            format!("{:.1}", taken.as_secs_f64() * 1e3),
            format!("{:.2}", taken.as_secs_f64() * 1e6 / count as f64),
        ]);
        Ok(done)
    }
}

/// Measures all of them, at a part of their size and at the whole: what is linear takes as long for each.
pub(crate) fn print(is_markdown: bool, share: usize, folder: &Path) -> Result<(), Error> {
    let about =
        "stores that hold much, and the same at a tenth: what is linear takes as long for each";
    table::title(is_markdown, "extremes", about);
    let table = Table::begin(is_markdown, HEAD, WIDTHS, 2);
    for part in [10, 1] {
        let size = |whole: usize| (whole / part / share).max(1);
        for kind in [waiting, resting, queues, large] {
            let folder = tempfile::tempdir_in(folder)?;
            kind(&table, folder.path(), &size)?;
            table.gap();
        }
    }
    table.end();
    Ok(())
}

fn messages(packet: &Packet, numbers: std::ops::Range<usize>) -> Result<Vec<Message>, Error> {
    let place = Id::of("extremes");
    let ids = numbers.map(|number| place.derive(place, number as u64));
    Ok(ids
        .map(|id| Message::of(id, packet))
        .collect::<Result<_, _>>()?)
}

fn send(
    queue: &Arc<dyn Connector>,
    packet: &Packet,
    count: usize,
    batch: usize,
) -> Result<(), Error> {
    for first in (0..count).step_by(batch) {
        queue.send(&messages(packet, first..(first + batch).min(count))?)?;
    }
    Ok(())
}

fn declaration(name: &str) -> Declaration {
    let mut declaration = Declaration::new(name, ConnectorKind::Queue);
    declaration.delay.first = Duration::from_secs(3600);
    declaration.delay.most = Duration::from_secs(3600);
    declaration
}

fn reader(queue: &Arc<dyn Connector>) -> Result<Arc<dyn Subscription>, Error> {
    Ok(queue.subscribe(Consumer {
        name: "reader".into(),
        group: String::new(),
        waker: Waker::noop().clone(),
    })?)
}

/// Receives so many and says of each what is to become of it.
fn receive(
    reader: &Arc<dyn Subscription>,
    count: usize,
    disposition: Disposition,
) -> Result<(), Error> {
    let (mut left, mut found) = (count, Vec::<Delivery>::new());
    while left > 0 {
        reader.receive(left.min(256), &mut found)?;
        left -= found.len();
        for delivery in found.drain(..) {
            let settlement = Settlement {
                disposition,
                failure: None,
            };
            reader.settle(delivery.ticket, settlement);
        }
    }
    Ok(reader.flush()?)
}

fn list(store: &Embedded, expected: usize) -> Result<(), Error> {
    match store.ask(&Ask::Queues { queue: None })? {
        Answer::Queues(queues) if queues.len() == expected => Ok(()),
        other => Err(format!("{other:?}").into()),
    }
}

/// One queue with a million messages that wait.
fn waiting(table: &Table<5>, folder: &Path, size: &dyn Fn(usize) -> usize) -> Result<(), Error> {
    let count = size(1_000_000);
    let name = "waiting".to_owned();
    let bench = Bench { table, name };
    let packet = Packet::text("x".repeat(256));
    let store = Embedded::open(folder)?;
    let queue = store.connect(&declaration("q"))?;
    bench.step("send", count, || send(&queue, &packet, count, 256))?;
    bench.step("list, open", count, || list(&store, 1))?;
    bench.step("receive a tenth", count / 10, || {
        receive(&reader(&queue)?, count / 10, Disposition::Done)
    })?;
    drop((queue, store));
    let left = count - count / 10;
    let store = bench.step("open again", left, || Ok(Embedded::open(folder)?))?;
    let queue = bench.step("connect", left, || Ok(store.connect(&declaration("q"))?))?;
    bench.step("list", left, || list(&store, 1))?;
    bench.step("receive a tenth", count / 10, || {
        receive(&reader(&queue)?, count / 10, Disposition::Done)
    })?;
    let left = left - count / 10;
    bench.step("purge", left, || {
        Ok(store.ask(&Ask::Purge { queue: "q".into() })?)
    })?;
    Ok(())
}

/// A queue with a hundred thousand messages that rest.
fn resting(table: &Table<5>, folder: &Path, size: &dyn Fn(usize) -> usize) -> Result<(), Error> {
    let count = size(100_000);
    let name = "resting".to_owned();
    let bench = Bench { table, name };
    let packet = Packet::text("x".repeat(256));
    let store = Embedded::open(folder)?;
    let queue = store.connect(&declaration("q"))?;
    send(&queue, &packet, count, 256)?;
    bench.step("fail", count, || {
        receive(&reader(&queue)?, count, Disposition::Retry)
    })?;
    bench.step("list, open", count, || list(&store, 1))?;
    bench.step("send and receive a tenth", count / 10, || {
        let others = messages(&packet, count..count + count / 10)?;
        others.chunks(256).try_for_each(|some| {
            queue.send(some)?;
            receive(&reader(&queue)?, some.len(), Disposition::Done)
        })
    })?;
    drop((queue, store));
    let store = bench.step("open again", count, || Ok(Embedded::open(folder)?))?;
    let queue = bench.step("connect", count, || Ok(store.connect(&declaration("q"))?))?;
    bench.step("list", count, || list(&store, 1))?;
    bench.step("purge", count, || {
        Ok(store.ask(&Ask::Purge { queue: "q".into() })?)
    })?;
    drop(queue);
    Ok(())
}

/// A thousand queues with a message each.
fn queues(table: &Table<5>, folder: &Path, size: &dyn Fn(usize) -> usize) -> Result<(), Error> {
    let count = size(1_000);
    let name = "many queues".to_owned();
    let bench = Bench { table, name };
    let packet = Packet::text("x".repeat(256));
    let connect = |store: &Embedded| {
        let all = (0..count).map(|number| store.connect(&declaration(&format!("q{number}"))));
        Ok(all.collect::<Result<Vec<_>, _>>()?)
    };
    let store = Embedded::open(folder)?;
    let all = bench.step("make", count, || connect(&store))?;
    bench.step("send one to each", count, || {
        all.iter().try_for_each(|queue| send(queue, &packet, 1, 1))
    })?;
    bench.step("list, open", count, || list(&store, count))?;
    drop((all, store));
    let store = bench.step("open again", count, || Ok(Embedded::open(folder)?))?;
    bench.step("list", count, || list(&store, count))?;
    let all = bench.step("connect", count, || connect(&store))?;
    bench.step("receive one from each", count, || {
        all.iter()
            .try_for_each(|queue| receive(&reader(queue)?, 1, Disposition::Done))
    })?;
    Ok(())
}

/// Messages of a megabyte, some of which wait.
fn large(table: &Table<5>, folder: &Path, size: &dyn Fn(usize) -> usize) -> Result<(), Error> {
    let count = size(1_000);
    let name = "large packets".to_owned();
    let bench = Bench { table, name };
    let packet = Packet::text("x".repeat(1 << 20));
    let store = Embedded::open(folder)?;
    let queue = store.connect(&declaration("q"))?;
    let before = memory::peak().unwrap_or_default();
    let reader = reader(&queue)?;
    bench.step("send and receive, by 20", count, || {
        (0..count).step_by(20).try_for_each(|first| {
            let some = messages(&packet, first..(first + 20).min(count))?;
            // As the engine sends them: no more than 4 MB at a time.
            for few in some.chunks(4) {
                queue.send(few)?;
            }
            receive(&reader, some.len(), Disposition::Done)
        })
    })?;
    let more = memory::peak().unwrap_or_default() - before;
    bench.step(&format!("(memory + {} MB)", more >> 20), 1, || Ok(()))
}

//! What tests of several programs that share a broker have in common.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::task::{Wake, Waker};
use std::thread::{self, JoinHandle, Thread};
use std::time::{Duration, Instant};

use paperflow_core::Packet;
use paperflow_core::connector::{
    Connector, ConnectorKind, Consumer, Declaration, Delivery, Disposition, Notes, Settlement,
    Store, StoreFaultKind, Subscription,
};
use paperflow_core::message::{Id, Message};

/// How long a test waits for what must come.
pub(crate) const HOPELESS: Duration = Duration::from_secs(60);

pub(crate) fn message(number: usize) -> Message {
    let name = number.to_string();
    Message::of(Id::of(&name), &Packet::text(name.as_str())).unwrap()
}

pub(crate) fn body(delivery: &Delivery) -> String {
    String::from_utf8(delivery.message.body().unwrap().into_owned()).unwrap()
}

/// Wakes the thread that made it.
struct Bell(Thread);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

pub(crate) fn waker() -> Waker {
    Waker::from(Arc::new(Bell(thread::current())))
}

pub(crate) fn read(connector: &Arc<dyn Connector>, name: &str) -> Arc<dyn Subscription> {
    let consumer = Consumer {
        name: name.to_owned(),
        group: String::from("g"),
        waker: waker(),
    };
    connector.subscribe(consumer).unwrap()
}

/// Asks again and again, whenever there may be something, until it has what it wants.
pub(crate) fn until<T>(look: impl FnMut() -> Option<T>) -> T {
    until_within(HOPELESS, look)
}

/// The same with another limit.
pub(crate) fn until_within<T>(most: Duration, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < most, "it does not come");
        thread::park_timeout(Duration::from_millis(100));
    }
}

pub(crate) fn take(reader: &Arc<dyn Subscription>, most: usize) -> Vec<Delivery> {
    let mut found = Vec::new();
    reader.receive(most, &mut found).unwrap();
    found
}

/// What there is, or nothing while the broker is away.
pub(crate) fn perhaps(reader: &Arc<dyn Subscription>, most: usize) -> Vec<Delivery> {
    let mut found = Vec::new();
    match reader.receive(most, &mut found) {
        Err(fault) if fault.kind() != StoreFaultKind::Unavailable => panic!("{fault}"),
        _ => found,
    }
}

pub(crate) fn done(reader: &Arc<dyn Subscription>, deliveries: &[Delivery]) {
    for delivery in deliveries {
        reader.settle(delivery.ticket, Settlement::default());
    }
}

/// Sends so many messages, 50 at a time, each batch until it is safe: what was confirmed to nobody may be known
/// when it is sent again. After each it rests.
pub(crate) fn send(
    connector: &Arc<dyn Connector>,
    all: usize,
    (most, rest): (Duration, Duration),
) -> JoinHandle<()> {
    let connector = Arc::clone(connector);
    thread::spawn(move || {
        for first in (0..all).step_by(50) {
            let batch: Vec<Message> = (first..first + 50).map(message).collect();
            let sent = until_within(most, || match connector.send(&batch) {
                Ok(sent) => Some(sent),
                Err(fault) if fault.kind() == StoreFaultKind::Unavailable => None,
                Err(fault) => panic!("{fault}"),
            });
            assert_eq!(sent.written + sent.known, 50);
            if !rest.is_zero() {
                thread::park_timeout(rest);
            }
        }
    })
}

/// T5: three programs share the partitions of a stream; then the third dies.
pub(crate) fn share_partitions(
    stores: [&dyn Store; 3],
    facts: &Declaration,
    most: Duration,
    kill: impl FnOnce(),
) {
    let streams = stores.map(|store| store.connect(facts).unwrap());
    let all: Vec<Message> = (0..600).map(message).collect();
    streams[0].send(&all[..300]).unwrap();
    let first = read(&streams[0], "a");
    let held = take(&first, 10);
    let others = [read(&streams[1], "b"), read(&streams[2], "c")];
    streams[1].send(&all[300..]).unwrap();
    let mut seen: Vec<String> = held.iter().map(body).collect();
    done(&first, &held);
    let mut counts = [seen.len(), 0, 0];
    // A third of the partitions is enough for each to get some; then one of them dies.
    until_within(most, || {
        for (at, reader) in [&first, &others[0], &others[1]].into_iter().enumerate() {
            let found = take(reader, 5);
            seen.extend(found.iter().map(body));
            counts[at] += found.len();
            done(reader, &found);
            reader.flush().unwrap();
        }
        counts.iter().all(|count| *count > 0).then_some(())
    });
    kill();
    let readers = [&first, &others[0]];
    until_within(most, || {
        for reader in readers {
            let found = take(reader, 50);
            seen.extend(found.iter().map(body));
            done(reader, &found);
        }
        let distinct: BTreeSet<_> = seen.iter().collect();
        (distinct.len() == 600).then_some(())
    });
    // What the dead one had finished and said so is not delivered again.
    assert_eq!(seen.len(), 600);
}

/// What one program sends wakes a reader in another, whatever kind of connector it is.
pub(crate) fn wake_each_other(
    (one, two): (&dyn Store, &dyn Store),
    declared: impl Fn(&str, ConnectorKind) -> Declaration,
    most: Duration,
) {
    for kind in ConnectorKind::ALL {
        let declaration = declared(kind.word(), kind);
        let reader = read(&two.connect(&declaration).unwrap(), "r");
        assert!(take(&reader, 1).is_empty());
        let writer = one.connect(&declaration).unwrap();
        writer.send(&[message(7)]).unwrap();
        let found = until_within(most, || take(&reader, 1).pop());
        assert_eq!(body(&found), "7", "{kind}");
        done(&reader, &[found]);
    }
}

/// What a program holds takes no room in a stream with a bound, and a writer in another one learns that; it does
/// again once it is to be received by whoever comes after that program's reader.
pub(crate) fn know_what_others_hold(
    (one, two): (&dyn Store, &dyn Store),
    stream: Declaration,
    most: Duration,
) {
    let bounded = Declaration {
        lag: Some(2),
        ..stream
    };
    let [writer, other] = [one, two].map(|store| store.connect(&bounded).unwrap());
    let has_room = |room: usize| {
        until_within(most, || {
            (writer.room(&waker()).unwrap() == room).then_some(())
        });
    };
    let reader = read(&other, "holder");
    writer.send(&[message(0), message(1)]).unwrap();
    has_room(0);
    let mut held = Vec::new();
    until_within(most, || {
        held.extend(perhaps(&reader, 2));
        (held.len() == 2).then_some(())
    });
    has_room(2);
    drop(reader);
    let next = read(&other, "next");
    has_room(0);
    drop(next);
}

/// What one program notes for a graph under a name the other sees, and no other graph's.
pub(crate) fn see_notes(
    one: &dyn Store,
    other: &dyn Store,
    (graph, name): (&str, &str),
) -> Arc<dyn Notes> {
    let notes = one.notes(graph).unwrap().unwrap();
    notes.write(name, "first").unwrap();
    notes.write(name, "second").unwrap();
    let others = other.notes("h").unwrap().unwrap();
    others.write(name, "another").unwrap();
    let seen = other.notes(graph).unwrap().unwrap().read().unwrap();
    assert_eq!(seen, [(name.to_owned(), String::from("second"))]);
    notes
}

/// A run that two programs end has ended once, and its notes are gone with it.
pub(crate) fn end_once(
    one: &dyn Store,
    other: &dyn Store,
    (graph, run): (&str, u64),
    notes: &Arc<dyn Notes>,
) {
    one.finish(graph, run).unwrap();
    other.finish(graph, run).unwrap();
    assert_eq!(
        other.epoch(graph).unwrap(),
        run + 1,
        "both ended the same run"
    );
    assert_eq!(notes.read().unwrap(), [], "its notes are gone with it");
}

/// A program that has done everything may end while the broker is away, and waits for it.
pub(crate) fn finish_while_away(store: &dyn Store, stop: impl FnOnce(), start: impl FnOnce()) {
    let run = store.epoch("finished").unwrap();
    stop();
    thread::scope(|scope| {
        let finishing = scope.spawn(|| store.finish("finished", run));
        start();
        finishing.join().unwrap().unwrap();
    });
    let next = until(|| store.epoch("finished").ok());
    assert_eq!(next, run + 1);
}

/// The leases of what is done, and of what is in hand, are over when the server is back: none of it comes again, but
/// to who has failed with it.
pub(crate) fn outlast_their_leases(
    store: &dyn Store,
    declaration: &Declaration,
    kill: impl FnOnce(),
    start: impl FnOnce(),
) {
    let queue = store.connect(declaration).unwrap();
    let messages: Vec<_> = (1..=4).map(message).collect();
    queue.send(&messages).unwrap();
    let readers = [read(&queue, "first"), read(&queue, "second")];
    let [first, second] = &readers;
    let (found, other) = (take(first, 3), take(second, 1));
    assert_eq!((found.len(), other.len()), (3, 1));
    kill();
    done(first, &found[..1]);
    let away = Instant::now();
    until(|| (away.elapsed() > 2 * declaration.lease).then_some(()));
    start();
    // Until so many are not done; and none of them comes.
    let has = |unfinished: u64| {
        until(|| {
            let came = readers.iter().map(|reader| perhaps(reader, 2).len());
            assert_eq!(came.sum::<usize>(), 0);
            (queue.unfinished("").ok() == Some(Some(unfinished))).then_some(())
        });
    };
    has(3);
    done(first, &found[1..2]);
    has(2);
    done(second, &other);
    has(1);
    let given_back = Settlement {
        disposition: Disposition::Release,
        ..Settlement::default()
    };
    first.settle(found[2].ticket, given_back);
    let again = until(|| Some(perhaps(first, 2)).filter(|found| !found.is_empty()));
    let again_is: Vec<_> = again.iter().map(body).collect();
    assert_eq!(again_is, [body(&found[2])]);
    done(first, &again);
    has(0);
}

/// Sends 3,000 messages and receives all of them while the server is killed three times; gives who reads, and what
/// was read. A server that is away is unavailable.
pub(crate) fn outlive_kills(
    queue: &Arc<dyn Connector>,
    kill: impl Fn(),
    start: impl Fn(),
) -> (Arc<dyn Subscription>, BTreeSet<String>) {
    const ALL: usize = 3_000;
    let sender = send(queue, ALL, (HOPELESS, Duration::ZERO));
    let reader = read(queue, "r");
    let mut seen = BTreeSet::new();
    let mut kills = 0;
    until(|| {
        let found = perhaps(&reader, 64);
        seen.extend(found.iter().map(body));
        done(&reader, &found);
        if seen.len() > (kills + 1) * ALL / 4 && kills < 3 {
            kills += 1;
            kill();
            let away = reader.receive(1, &mut Vec::new()).unwrap_err();
            assert_eq!(away.kind(), StoreFaultKind::Unavailable);
            start();
        }
        (seen.len() == ALL).then_some(())
    });
    assert_eq!(kills, 3);
    sender.join().unwrap();
    (reader, seen)
}

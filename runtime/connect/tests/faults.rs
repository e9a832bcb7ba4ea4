//! What a store does when the disk, the clock or somebody else does not do what it should.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use paperflow_connect::Embedded;
use paperflow_connect::clock::ManualClock;
use paperflow_core::Packet;
use paperflow_core::connector::*;
use paperflow_core::message::{Id, Message};
use rusqlite::Connection;

fn message(name: &str, bytes: usize) -> Message {
    Message::of(Id::of(name), &Packet::text("x".repeat(bytes))).unwrap()
}

fn messages(count: usize, bytes: usize) -> Vec<Message> {
    (0..count)
        .map(|at| message(&at.to_string(), bytes))
        .collect()
}

fn queue(store: &Embedded, name: &str) -> Arc<dyn Connector> {
    let mut declaration = Declaration::new(name, ConnectorKind::Queue);
    declaration.delay.jitter = 0.0;
    store.connect(&declaration).unwrap()
}

fn reader(queue: &Arc<dyn Connector>) -> Arc<dyn Subscription> {
    let consumer = Consumer {
        name: "reader".to_owned(),
        group: String::new(),
        waker: Waker::noop().clone(),
    };
    queue.subscribe(consumer).unwrap()
}

fn take(reader: &Arc<dyn Subscription>) -> Vec<Delivery> {
    let mut found = Vec::new();
    while reader.receive(100, &mut found).unwrap() == Found::Some {}
    found
}

fn settle(reader: &Arc<dyn Subscription>, delivery: &Delivery, disposition: Disposition) {
    let settlement = Settlement {
        disposition,
        failure: None,
    };
    reader.settle(delivery.ticket, settlement);
}

/// A store with a hundred messages, closed.
fn stored() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let store = Embedded::open(folder.path()).unwrap();
    queue(&store, "q").send(&messages(100, 2_000)).unwrap();
    folder
}

fn refused(folder: &Path) -> StoreFault {
    let before = fs::read(folder.join("store.db")).unwrap();
    let fault = Embedded::open(folder).err().unwrap();
    let file = folder.join("store.db").display().to_string();
    assert!(fault.to_string().contains(&file), "{fault}");
    let after = fs::read(folder.join("store.db")).unwrap();
    assert!(before == after, "nothing is made anew");
    fault
}

#[test]
fn a_file_that_is_no_store_is_refused_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("store.db"),
        "minutes of the meeting\n".repeat(300),
    )
    .unwrap();
    let fault = refused(folder.path());
    assert_eq!(fault.kind(), StoreFaultKind::Damaged);
    assert!(
        fault.to_string().contains("move its folder away"),
        "{fault}"
    );
}

#[test]
fn a_database_of_somebody_else_is_refused_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let other = Connection::open(folder.path().join("store.db")).unwrap();
    other.execute_batch("CREATE TABLE songs (name)").unwrap();
    drop(other);
    let fault = Embedded::open(folder.path()).err().unwrap();
    assert_eq!(fault.kind(), StoreFaultKind::Damaged, "{fault}");
}

#[test]
fn a_file_that_was_cut_off_is_refused_and_kept() {
    let folder = stored();
    let file = fs::OpenOptions::new()
        .write(true)
        .open(folder.path().join("store.db"))
        .unwrap();
    let length = file.metadata().unwrap().len();
    file.set_len(length / 2).unwrap();
    assert_eq!(refused(folder.path()).kind(), StoreFaultKind::Damaged);
}

#[test]
fn a_file_with_pages_of_rubbish_is_refused_and_kept() {
    let folder = stored();
    let path = folder.path().join("store.db");
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2 / 4_096 * 4_096;
    bytes[middle..middle + 4_096].fill(0xA5);
    fs::write(&path, bytes).unwrap();
    assert_eq!(refused(folder.path()).kind(), StoreFaultKind::Damaged);
}

#[test]
fn a_store_of_a_newer_program_is_refused_and_kept() {
    let folder = stored();
    let connection = Connection::open(folder.path().join("store.db")).unwrap();
    connection
        .execute_batch("PRAGMA user_version = 999")
        .unwrap();
    drop(connection);
    let fault = refused(folder.path());
    assert_eq!(fault.kind(), StoreFaultKind::Unsupported);
    assert!(fault.to_string().contains("999"), "{fault}");
}

#[test]
fn a_message_that_was_changed_is_set_aside_and_never_handed_out() {
    let folder = stored();
    let connection = Connection::open(folder.path().join("store.db")).unwrap();
    let sql = "UPDATE messages SET body = CASE seq & 1 WHEN 0 THEN 'y' ELSE x'79' END WHERE seq & 0xFFFF IN (3, 6)";
    assert_eq!(connection.execute(sql, []).unwrap(), 2);
    drop(connection);
    let store = Embedded::open(folder.path()).unwrap();
    let found = take(&reader(&queue(&store, "q")));
    assert_eq!(found.len(), 98);
    let good = found
        .iter()
        .all(|delivery| delivery.message.size() == 2_000);
    assert!(good);
    let connection = Connection::open(folder.path().join("store.db")).unwrap();
    let sql = "SELECT queue, error FROM dead";
    let row = |row: &rusqlite::Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?));
    let (name, error) = connection.query_row(sql, [], row).unwrap();
    assert_eq!(name, "q.invalid");
    assert!(error.contains("checksum is wrong"), "{error}");
}

#[test]
fn k24_a_full_disk_refuses_and_nothing_is_half_written() {
    let folder = stored();
    let store = Embedded::open(folder.path()).unwrap();
    let q = queue(&store, "q");
    let one = reader(&q);
    let found = take(&one);
    store.allow_pages(Some(1)).unwrap();
    let many: Vec<Message> = (100..200)
        .map(|at| message(&at.to_string(), 9_000))
        .collect();
    let fault = q.send(&many).unwrap_err();
    assert_eq!(fault.kind(), StoreFaultKind::Unavailable, "{fault}");
    // What is smaller may fit, and what is settled waits for its turn.
    settle(&one, &found[0], Disposition::Done);
    store.allow_pages(None).unwrap();
    assert_eq!(
        q.send(&many).unwrap().written,
        100,
        "none of them was written before"
    );
    one.flush().unwrap();
    drop((one, q, store));
    let store = Embedded::open(folder.path()).unwrap();
    assert_eq!(take(&reader(&queue(&store, "q"))).len(), 199);
}

#[test]
fn a_clock_that_is_set_back_holds_nothing_up() {
    let folder = tempfile::tempdir().unwrap();
    let noon = Duration::from_secs(1_700_000_000);
    let clock = ManualClock::at(noon);
    let store = Embedded::open_with(folder.path(), Arc::new(clock.clone())).unwrap();
    let q = queue(&store, "q");
    q.send(&messages(1, 3)).unwrap();
    let one = reader(&q);
    settle(&one, &take(&one)[0], Disposition::Retry);
    clock.set_wall(noon - Duration::from_secs(100_000));
    assert!(take(&one).is_empty());
    clock.advance(Duration::from_secs(1));
    let found = take(&one);
    assert_eq!(found.len(), 1);
    // Also while nobody looks.
    clock.set_wall(noon);
    settle(&one, &found[0], Disposition::Retry);
    one.flush().unwrap();
    drop((one, q, store));
    let clock = ManualClock::at(noon - Duration::from_secs(100_000));
    let store = Embedded::open_with(folder.path(), Arc::new(clock.clone())).unwrap();
    let one = reader(&queue(&store, "q"));
    assert!(take(&one).is_empty());
    clock.advance(Duration::from_secs(66));
    assert_eq!(take(&one).len(), 1, "not longer than the longest rest");
}

#[test]
fn more_messages_than_fit_into_memory_come_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let store = Embedded::open(folder.path()).unwrap();
    let q = queue(&store, "q");
    for some in messages(20_000, 1).chunks(2_500) {
        q.send(some).unwrap();
    }
    let one = reader(&q);
    let found = take(&one);
    let expected = (0..20_000).map(|at: usize| Id::of(&at.to_string()));
    assert!(
        found
            .iter()
            .map(|delivery| delivery.message.id)
            .eq(expected)
    );
    for (at, delivery) in found.iter().enumerate() {
        let disposition = match at % 3 {
            0 => Disposition::Done,
            1 => Disposition::Release,
            _ => continue,
        };
        settle(&one, delivery, disposition);
    }
    one.flush().unwrap();
    drop(one);
    let found = take(&reader(&q));
    assert_eq!(found.len(), 20_000 - 20_000_usize.div_ceil(3));
    let attempts = |attempt| {
        found
            .iter()
            .filter(|delivery| delivery.attempt == attempt)
            .count()
    };
    assert_eq!((attempts(1), attempts(2)), (6_667, 6_666));
}

#[test]
fn many_senders_share_a_commit_and_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = Embedded::open(folder.path()).unwrap();
    let q = queue(&store, "q");
    std::thread::scope(|scope| {
        for sender in 0..8 {
            let q = &q;
            scope.spawn(move || {
                for at in 0..50 {
                    let name = format!("{sender} {at}");
                    assert_eq!(q.send(&[message(&name, 10)]).unwrap().written, 1);
                }
            });
        }
    });
    assert_eq!(take(&reader(&q)).len(), 400);
}

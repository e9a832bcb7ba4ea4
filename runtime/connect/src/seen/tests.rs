#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::sync::Arc;

use paperflow_core::Packet;
use paperflow_core::connector::{Connector, ConnectorKind, Declaration, Store};
use paperflow_core::message::Message;
use rusqlite::Connection;

use super::*;
use crate::Embedded;
use crate::clock::{Clock as _, ManualClock};

const ALL: usize = 2_000;

fn send(queue: &Arc<dyn Connector>, numbers: std::ops::Range<usize>) -> usize {
    let names = numbers.map(|number| number.to_string());
    let packet = Packet::null();
    let messages: Vec<Message> = names
        .map(|name| Message::of(Id::of(&name), &packet).unwrap())
        .collect();
    let sent = messages.chunks(70).map(|some| queue.send(some).unwrap());
    sent.map(|sent| sent.written).sum()
}

fn rows(folder: &tempfile::TempDir, table: &str) -> usize {
    let connection = Connection::open(folder.path().join("store.db")).unwrap();
    let sql = format!("SELECT count(*) FROM {table}");
    connection.query_row(&sql, [], |row| row.get(0)).unwrap()
}

/// A folder, its clock, and how the store in it is opened.
fn folder() -> (tempfile::TempDir, ManualClock) {
    let clock = ManualClock::at(Duration::from_secs(1_700_000_000));
    (tempfile::tempdir().unwrap(), clock)
}

fn open(folder: &tempfile::TempDir, clock: &ManualClock) -> (Embedded, Arc<dyn Connector>) {
    let store = Embedded::open_with(folder.path(), Arc::new(clock.clone())).unwrap();
    let queue = store.connect(&Declaration::new("q", ConnectorKind::Queue));
    (store, queue.unwrap())
}

/// Ids that are not in memory.
fn older(folder: &tempfile::TempDir) -> usize {
    let connection = Connection::open(folder.path().join("store.db")).unwrap();
    let sql = "SELECT coalesce(sum(length(ids)), 0) / 16 FROM seen";
    connection.query_row(sql, [], |row| row.get(0)).unwrap()
}

#[test]
fn ids_are_known_in_memory_and_out_of_it() {
    let (folder, clock) = folder();
    let (store, queue) = open(&folder, &clock);
    assert_eq!(send(&queue, 0..ALL), ALL);
    assert_eq!(send(&queue, 0..ALL + 5), 5);
    drop((queue, store));
    let moved = older(&folder);
    assert!(moved >= ALL - RECENT - MOVED, "{moved} of {ALL}");
    let (_store, queue) = open(&folder, &clock);
    assert_eq!(send(&queue, 0..ALL + 10), 5);
}

#[test]
fn ids_of_a_run_that_is_over_are_forgotten() {
    let (folder, clock) = folder();
    let (store, queue) = open(&folder, &clock);
    let epoch = store.epoch("g").unwrap();
    send(&queue, 0..ALL);
    store.finish("g", epoch).unwrap();
    assert_eq!(send(&queue, 0..50), 50);
    drop((queue, store));
    assert_eq!(rows(&folder, "seen"), 0);
    assert_eq!(rows(&folder, "sent"), 1);
}

#[test]
fn ids_are_forgotten_after_the_window() {
    let (folder, clock) = folder();
    let (store, queue) = open(&folder, &clock);
    send(&queue, 0..ALL);
    clock.advance(WINDOW / 2);
    send(&queue, ALL..ALL + 100);
    clock.advance(WINDOW / 2 + Duration::from_secs(1));
    assert_eq!(send(&queue, ALL..ALL + 100), 0, "not that old");
    drop((queue, store));
    assert_eq!(rows(&folder, "seen"), 0);
    assert_eq!(rows(&folder, "sent"), 2);
    let (_store, queue) = open(&folder, &clock);
    assert_eq!(send(&queue, 0..10), 10);
}

#[test]
fn ids_that_an_older_version_has_kept_one_by_one_are_known() {
    let (folder, clock) = folder();
    let connection = Connection::open(folder.path().join("store.db")).unwrap();
    for step in [
        include_str!("../schema.sql"),
        include_str!("../streams.sql"),
    ] {
        connection.execute_batch(step).unwrap();
    }
    let declaration = Declaration::new("q", ConnectorKind::Queue);
    let declaration = serde_json::to_string(&declaration).unwrap();
    let sql = "INSERT INTO connectors (name, kind, declaration) VALUES ('q', 'queue', ?)";
    connection.execute(sql, [declaration]).unwrap();
    let at = i64::try_from(clock.wall().as_millis()).unwrap();
    for number in 0..100 {
        let id = Id::of(&number.to_string()).to_bytes();
        let sql = "INSERT INTO seen VALUES (?, ?, ?)";
        connection
            .execute(sql, params![1_i64 << 32, id, at])
            .unwrap();
    }
    connection.execute_batch("PRAGMA user_version = 2").unwrap();
    drop(connection);
    let (_store, queue) = open(&folder, &clock);
    assert_eq!(send(&queue, 0..110), 10);
}

#[test]
fn ids_are_forgotten_when_all_have_finished_who_ran_when_it_was_connected() {
    let (folder, clock) = folder();
    let store = Embedded::open_with(folder.path(), Arc::new(clock.clone())).unwrap();
    let [one, two] = ["one", "two"].map(|graph| store.epoch(graph).unwrap());
    let queue = store.connect(&Declaration::new("q", ConnectorKind::Queue));
    let queue = queue.unwrap();
    assert_eq!(send(&queue, 0..10), 10);
    store.finish("one", one).unwrap();
    assert_eq!(send(&queue, 0..10), 0, "the other one may send again");
    store.finish("two", two).unwrap();
    assert_eq!(send(&queue, 0..10), 10);
}

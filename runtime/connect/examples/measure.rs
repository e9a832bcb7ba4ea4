//! How fast messages go through one queue, beside SQLite that writes and deletes the same rows in the same
//! batches: `cargo run --release -p paperflow-connect --example measure`.
#![allow(clippy::print_stdout, reason = "it is there to print")]
#![allow(clippy::unwrap_used, reason = "it stops at the first surprise")]

use std::path::Path;
use std::task::Waker;
use std::time::Instant;

use paperflow_connect::Embedded;
use paperflow_core::Packet;
use paperflow_core::connector::{ConnectorKind, Consumer, Declaration, Settlement, Store};
use paperflow_core::message::{Id, Message};
use rusqlite::{Connection, params};

const BYTES: usize = 256;

fn bare(folder: &Path, total: usize, batch: usize) -> f64 {
    let mut connection = Connection::open(folder.join("bare.db")).unwrap();
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 2000;
             CREATE TABLE m (seq INTEGER PRIMARY KEY, id BLOB, headers TEXT, body BLOB)",
        )
        .unwrap();
    let body = vec![b'x'; BYTES];
    let begun = Instant::now();
    for first in (0..total).step_by(batch) {
        let tx = connection.transaction().unwrap();
        {
            let mut insert = tx
                .prepare_cached("INSERT INTO m VALUES (?, ?, ?, ?)")
                .unwrap();
            for at in first..first + batch {
                let id = Id::of(&at.to_string()).to_bytes();
                insert
                    .execute(params![at as i64, id, None::<String>, body])
                    .unwrap();
            }
        }
        tx.commit().unwrap();
        let tx = connection.transaction().unwrap();
        {
            let mut delete = tx.prepare_cached("DELETE FROM m WHERE seq = ?").unwrap();
            for at in first..first + batch {
                delete.execute([at as i64]).unwrap();
            }
        }
        tx.commit().unwrap();
    }
    total as f64 / begun.elapsed().as_secs_f64()
}

fn ours(folder: &Path, total: usize, batch: usize) -> f64 {
    let store = Embedded::open(folder).unwrap();
    let queue = store
        .connect(&Declaration::new("q", ConnectorKind::Queue))
        .unwrap();
    let reader = queue
        .subscribe(Consumer {
            name: "reader".to_owned(),
            group: String::new(),
            waker: Waker::noop().clone(),
        })
        .unwrap();
    let packet = Packet::text("x".repeat(BYTES));
    let mut found = Vec::new();
    let begun = Instant::now();
    for first in (0..total).step_by(batch) {
        let ids = (first..first + batch).map(|at| Id::of(&at.to_string()));
        let messages: Vec<_> = ids.map(|id| Message::of(id, &packet).unwrap()).collect();
        queue.send(&messages).unwrap();
        let mut left = batch;
        while left > 0 {
            reader.receive(left, &mut found).unwrap();
            left -= found.len();
            for delivery in found.drain(..) {
                reader.settle(delivery.ticket, Settlement::default());
            }
        }
    }
    reader.flush().unwrap();
    total as f64 / begun.elapsed().as_secs_f64()
}

fn main() {
    println!("batch      bare       queue  ratio   ({BYTES} bytes, messages a second)");
    for (batch, total) in [
        (1, 2_000),
        (10, 20_000),
        (100, 100_000),
        (100, 400_000),
        (1_000, 400_000),
    ] {
        let folder = tempfile::tempdir_in(".").unwrap();
        let bare = bare(folder.path(), total, batch);
        let ours = ours(folder.path(), total, batch);
        println!("{batch:5} {bare:9.0} {ours:11.0}  {:5.2}", ours / bare);
    }
}

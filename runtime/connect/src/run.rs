//! Runs of graphs: from a start to a good end, with any number of crashes in between.

use std::sync::Arc;
use std::time::Duration;

use paperflow_core::connector::StoreFault;
use rusqlite::params;

use crate::clock::{Clock, millis};
use crate::seen::{self, WINDOW};
use crate::writer::{Orders, Safe, Tx};

/// Most rows that one transaction forgets.
const MOST: usize = 2_000;
/// How long until it is looked for again.
const FORGET: Duration = Duration::from_secs(6 * 60 * 60);

/// The number of the run that has not finished well. Connectors that are connected while it runs belong to it,
/// and those that were connected before and belong to none.
///
/// # Errors
/// It cannot be read or written.
pub(crate) fn epoch(orders: &Orders, graph: &str) -> Result<u64, StoreFault> {
    let graph = graph.to_owned();
    orders.call(Safe::FromPowerCut, move |tx| {
        let users = tx.opened.users.values_mut();
        for users in users.filter(|users| users.is_empty()) {
            users.insert(graph.clone());
        }
        tx.opened.running.insert(graph.clone());
        let sql = "INSERT INTO runs VALUES (?, 0) ON CONFLICT DO UPDATE SET epoch = epoch RETURNING epoch";
        let epoch: Option<i64> = tx.row(sql, [&graph], |row| row.get(0))?;
        Ok(epoch.unwrap_or_default().unsigned_abs())
    })
}

/// The run has finished well: what its connectors and processes remember of it is forgotten, bit by bit.
/// Nothing happens when it is over.
///
/// # Errors
/// It cannot be written; then the run has not finished.
pub(crate) fn finish(orders: &Orders, graph: &str, epoch: u64) -> Result<(), StoreFault> {
    let graph = graph.to_owned();
    let epoch = i64::try_from(epoch).unwrap_or(i64::MAX);
    orders.call(Safe::FromPowerCut, move |tx| {
        let sql = "INSERT INTO runs VALUES (?, 1) ON CONFLICT DO UPDATE SET epoch = epoch + 1 WHERE epoch = ?";
        if tx.execute(sql, params![graph, epoch])? == 0 {
            return Ok(());
        }
        tx.opened.running.remove(&graph);
        for number in own(tx, &graph) {
            let sql = "UPDATE connectors SET generation = generation + 1 WHERE number = ? \
                       RETURNING generation";
            let generation = tx.row(sql, [number], |row| row.get(0))?;
            let seen = tx.opened.seen.get(&number).cloned();
            if let (Some(seen), Some(generation)) = (seen, generation) {
                tx.then(move |is_safe| {
                    if is_safe {
                        seen.begin(generation);
                    }
                });
            }
        }
        let orders = tx.opened.orders.clone();
        tx.then(move |is_safe| {
            if is_safe {
                forget_later(&orders, Some(format!("{graph}/")));
            }
        });
        Ok(())
    })
}

/// Connectors that nobody else uses whose run goes on.
fn own(tx: &mut Tx<'_>, graph: &str) -> Vec<i64> {
    let users = tx.opened.users.iter_mut();
    let own = users.filter_map(|(number, users)| {
        let was_in_use = users.remove(graph);
        (was_in_use && users.is_empty()).then_some(*number)
    });
    own.collect()
}

/// Forgets what is not needed any more, now and every few hours.
pub(crate) fn forget_regularly(orders: &Orders, clock: Arc<dyn Clock>) {
    forget_later(orders, None);
    let again = orders.clone();
    orders.at(clock.elapsed() + FORGET, move |_| {
        forget_regularly(&again, clock);
        Ok(())
    });
}

/// Forgets what is not needed any more, in as many transactions as that takes: ids of generations that
/// are over, what is older than the window, and the inboxes of processes whose names begin so.
fn forget_later(orders: &Orders, processes: Option<String>) {
    let again = orders.clone();
    orders.later(move |tx| {
        let mut forgotten = seen::forget(tx)? + forget_old(tx)?;
        if let Some(prefix) = &processes {
            forgotten += forget_inboxes(tx, prefix)?;
        }
        tx.then(move |is_safe| {
            if is_safe && forgotten > 0 {
                forget_later(&again, processes);
            }
        });
        Ok(())
    });
}

fn forget_old(tx: &Tx<'_>) -> Result<usize, StoreFault> {
    let window = tx.opened.clock.wall().saturating_sub(WINDOW);
    let sql = "DELETE FROM inbox WHERE (process, id) IN \
               (SELECT process, id FROM inbox WHERE at < ? LIMIT ?)";
    tx.execute(sql, params![millis(window), MOST])
}

fn forget_inboxes(tx: &Tx<'_>, prefix: &str) -> Result<usize, StoreFault> {
    let sql = "DELETE FROM inbox WHERE (process, id) IN \
               (SELECT process, id FROM inbox WHERE process >= ?1 AND process < ?1 || char(1114111) LIMIT ?2)";
    tx.execute(sql, params![prefix, MOST])
}

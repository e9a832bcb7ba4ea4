//! Answers, as the writing thread finds them.

use std::sync::Arc;

use paperflow_core::connector::StoreFault;
use paperflow_core::message::Id;

use crate::admin::{Answer, Ask, Logged, Statistics, Status, redrive, show};
use crate::fault::unsupported;
use crate::names;
use crate::queue::{self, Queue, log};
use crate::seen::Seen;
use crate::streams;
use crate::writer::{Orders, Safe, Tx};

/// Does what is asked, when all that was settled is written.
///
/// # Errors
/// See [`answer`].
pub(crate) fn ask(orders: &Orders, ask: &Ask) -> Result<Answer, StoreFault> {
    orders.call(Safe::FromPowerCut, |tx| {
        let queues: Vec<_> = tx.opened.queues.values().cloned().collect();
        queues.iter().try_for_each(|queue| queue.write_changes(tx))
    })?;
    let ask = ask.clone();
    orders.call(Safe::FromPowerCut, move |tx| answer(tx, &ask))
}

/// Does what is asked.
///
/// # Errors
/// There is no such queue, or it cannot be read or written.
fn answer(tx: &mut Tx<'_>, ask: &Ask) -> Result<Answer, StoreFault> {
    match ask {
        Ask::Queues { queue: None } => all(tx).map(Answer::Queues),
        Ask::Queues { queue: Some(name) } => {
            let queue = known(tx, name)?;
            Ok(Answer::Queues(vec![statistics(tx, &queue)?]))
        }
        Ask::Peek { queue, most } => {
            let queue = known(tx, queue)?;
            show::peek(tx, &queue, *most).map(Answer::Messages)
        }
        Ask::Show { queue, id } => {
            let queue = known(tx, queue)?;
            show::by_id(tx, &queue, parsed(id)?).map(Answer::Messages)
        }
        Ask::Purge { queue } => {
            let queue = known(tx, queue)?;
            redrive::purge(tx, &queue).map(Answer::Changed)
        }
        Ask::Redrive { queue, ids, to } => {
            let queue = known(tx, queue)?;
            let ids = ids.iter().map(|id| parsed(id));
            let ids = ids.collect::<Result<Vec<_>, _>>()?;
            redrive::redrive(tx, &queue, &ids, to.as_deref()).map(Answer::Changed)
        }
        Ask::Log {
            connector,
            errors,
            most,
        } => logged(tx, connector, *errors, *most).map(Answer::Log),
        Ask::Status { id } => status(tx, parsed(id)?).map(Answer::Status),
        Ask::Streams { request } => {
            let answer = streams::answer(tx, request.clone());
            answer.map(Answer::Streams)
        }
    }
}

fn parsed(id: &str) -> Result<Id, StoreFault> {
    let whole = (id.len() == 32).then_some(id);
    let parsed = whole.and_then(|digits| digits.parse().ok());
    parsed.ok_or_else(|| unsupported(format!("`{id}` is no identity: 32 hexadecimal digits")))
}

/// A queue that is there, with everything settled written.
fn known(tx: &mut Tx<'_>, name: &str) -> Result<Arc<Queue>, StoreFault> {
    let sql = "SELECT kind FROM connectors WHERE name = ?";
    let kind: Option<String> = tx.row(sql, [name], |row| row.get(0))?;
    match kind.as_deref() {
        Some("queue") => {}
        Some(kind) => return Err(unsupported(format!("`{name}` is a {kind}, and no queue"))),
        None => return Err(unsupported(format!("there is no queue `{name}`"))),
    }
    let queue = queue::aside(tx, name)?;
    queue.write_changes(tx)?;
    Ok(queue)
}

fn all(tx: &mut Tx<'_>) -> Result<Vec<Statistics>, StoreFault> {
    let names = names_of(
        tx,
        "SELECT name FROM connectors WHERE kind = 'queue' ORDER BY name",
    )?;
    let mut all = Vec::with_capacity(names.len());
    for name in names {
        let queue = known(tx, &name)?;
        all.push(statistics(tx, &queue)?);
    }
    Ok(all)
}

fn names_of(tx: &Tx<'_>, sql: &str) -> Result<Vec<String>, StoreFault> {
    let mut names = Vec::new();
    tx.rows(sql, [], |row| {
        names.push(row.get(0)?);
        Ok(true)
    })?;
    Ok(names)
}

fn statistics(tx: &Tx<'_>, queue: &Queue) -> Result<Statistics, StoreFault> {
    let (first, end) = queue.range();
    let sql = "SELECT sent FROM messages WHERE seq >= ? AND seq < ? ORDER BY seq LIMIT 1";
    let oldest: Option<i64> = tx.row(sql, [first, end], |row| row.get(0))?;
    let age = |sent: i64| u64::try_from(queue.now().saturating_sub(sent)).unwrap_or_default();
    let mut live = queue.live.lock();
    live.rise(queue.elapsed());
    let counts = live.counts;
    let delayed = live.resting.len() as u64;
    Ok(Statistics {
        queue: queue.name.clone(),
        ready: live.waiting.messages - delayed,
        leased: live.leased.len() as u64,
        delayed,
        bytes: live.waiting.bytes,
        oldest_millis: oldest.map(age),
        sent: counts.sent,
        delivered: counts.delivered,
        done: counts.done,
        retried: counts.retried,
        dead: counts.dead,
        invalid: counts.invalid,
        discarded: counts.discarded,
        duplicates: counts.duplicates,
    })
}

fn logged(
    tx: &mut Tx<'_>,
    connector: &str,
    errors: bool,
    most: usize,
) -> Result<Vec<Logged>, StoreFault> {
    let mut lines = Vec::new();
    for queue in logging(tx, connector)? {
        let number = known(tx, &queue)?.number;
        log_of(tx, (&queue, number), errors, most, &mut lines)?;
    }
    lines.sort_by_key(|line| std::cmp::Reverse(line.at));
    lines.truncate(most);
    Ok(lines)
}

/// The queues whose deliveries are those of a connector: itself, or those of its subscribers.
fn logging(tx: &Tx<'_>, connector: &str) -> Result<Vec<String>, StoreFault> {
    let sql = "SELECT kind FROM connectors WHERE name = ?";
    let kind: Option<String> = tx.row(sql, [connector], |row| row.get(0))?;
    match kind.as_deref() {
        Some("queue") => Ok(vec![connector.to_owned()]),
        Some("stream") => Err(unsupported(format!(
            "`{connector}` is a stream, whose deliveries are not logged: its groups tell how far they are"
        ))),
        Some(_) => {
            let sql = "SELECT q.name FROM subscribers s JOIN connectors q ON q.number = s.queue \
                       JOIN connectors c ON c.number = s.channel WHERE c.name = ? ORDER BY q.name";
            let mut names = Vec::new();
            tx.rows(sql, [connector], |row| {
                names.push(row.get(0)?);
                Ok(true)
            })?;
            Ok(names)
        }
        None => Err(unsupported(format!("there is no connector `{connector}`"))),
    }
}

/// The last deliveries of a queue, the latest first.
fn log_of(
    tx: &Tx<'_>,
    (queue, number): (&str, i64),
    errors: bool,
    most: usize,
    lines: &mut Vec<Logged>,
) -> Result<(), StoreFault> {
    let mut left = most;
    log::read(tx, (number, queue), |line| {
        if left > 0 && (!errors || matches!(&*line.status, "retry" | "dead" | "invalid")) {
            lines.push(line);
            left -= 1;
        }
        left > 0
    })
}

fn status(tx: &mut Tx<'_>, id: Id) -> Result<Vec<Status>, StoreFault> {
    let names = names_of(
        tx,
        "SELECT name FROM connectors WHERE kind = 'queue' ORDER BY name",
    )?;
    let mut found = Vec::new();
    for name in names {
        let queue = known(tx, &name)?;
        let shown = show::by_id(tx, &queue, id)?;
        let states = shown.iter().map(|message| {
            let reason = message.cause.get(names::REASON);
            let state = match (reason, &*message.state) {
                (Some("invalid"), _) => "invalid",
                (Some(_), _) => "dead",
                (None, "delayed") => "retrying",
                (None, _) if message.attempts > 0 => "delivered",
                (None, _) => "sent",
            };
            (state, Some(message.attempts))
        });
        let mut states: Vec<_> = states.collect();
        if states.is_empty() {
            states.extend(gone(tx, &queue, id)?);
        }
        found.extend(states.into_iter().map(|(state, attempts)| Status {
            connector: name.clone(),
            state: state.to_owned(),
            attempts,
        }));
    }
    Ok(found)
}

/// What became of a message that is no longer in its queue, as the log has it, or as the ids tell that have
/// been sent in this run.
fn gone(
    tx: &mut Tx<'_>,
    queue: &Queue,
    id: Id,
) -> Result<Option<(&'static str, Option<u32>)>, StoreFault> {
    let is_known = Seen::of(tx, queue.number)?.knows(tx, id)?;
    let id = id.to_string();
    let mut found = None;
    log::read(tx, (queue.number, &queue.name), |line| {
        found = (line.id == id).then_some((line.status, line.attempt));
        found.is_none()
    })?;
    Ok(match found {
        Some((status, attempt)) if status == "dead" => Some(("dead", Some(attempt))),
        Some((status, attempt)) if status == "invalid" => Some(("invalid", Some(attempt))),
        Some((_, attempt)) => Some(("processed", Some(attempt))),
        None => is_known.then_some(("processed", None)),
    })
}

//! `queue`: what waits in queues.

use paperflow_connect::admin::{Answer, Ask, Statistics};

use crate::cli::exit::{Exit, Failure};
use crate::cli::{out, tabular};

use super::{Consent, Place, strange, table};

/// Looks into queues, empties them, and sends their messages again.
#[derive(Debug, clap::Subcommand)]
#[command(after_long_help = "\
Examples:
  paperflow queue ls --graph orders.fbp
  paperflow queue peek orders.Pay.IN --data /var/lib/orders
  paperflow queue ls --wiring production.toml --store broker
  paperflow queue redrive orders.Pay.IN.dead --yes")]
pub(in crate::cli) enum Verb {
    /// Lists the queues there are, with what waits in them.
    #[command(after_long_help = "Example:\n  paperflow queue ls --graph orders.fbp")]
    Ls {
        #[command(flatten)]
        place: Place,
    },
    /// Shows the next messages of a queue; nothing happens to them.
    #[command(after_long_help = "Example:\n  paperflow queue peek orders.Pay.IN --most 3")]
    Peek {
        /// The queue, by its name in the store.
        queue: String,
        /// So many at most.
        #[arg(long, default_value_t = 10)]
        most: usize,
        #[command(flatten)]
        place: Place,
    },
    /// Counts what has been sent, delivered, done, tried again and set aside.
    #[command(after_long_help = "Example:\n  paperflow queue stats orders.Pay.IN --json")]
    Stats {
        /// The queue; all of them by default.
        queue: Option<String>,
        #[command(flatten)]
        place: Place,
    },
    /// Removes every message of a queue that is in nobody's hands.
    #[command(after_long_help = "Example:\n  paperflow queue purge orders.Pay.IN.dead --yes")]
    Purge {
        /// The queue.
        queue: String,
        #[command(flatten)]
        consent: Consent,
        #[command(flatten)]
        place: Place,
    },
    /// Sends messages that were set aside again to where they came from, with their old identities.
    #[command(after_long_help = "Example:\n  paperflow queue redrive orders.Pay.IN.dead --yes")]
    Redrive(Redrive),
}

/// What is sent again, and where to.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Redrive {
    /// The queue in which the messages were set aside.
    queue: String,
    /// Only these messages, by identity; all by default.
    #[arg(value_name = "ID")]
    ids: Vec<String>,
    /// To this queue, not to where they came from.
    #[arg(long, value_name = "QUEUE")]
    to: Option<String>,
    #[command(flatten)]
    consent: Consent,
    #[command(flatten)]
    place: Place,
}

pub(in crate::cli) fn execute(verb: Verb) -> Result<Exit, Failure> {
    match verb {
        Verb::Ls { place } => {
            let queues = statistics(&place, None)?;
            place.print(&queues, |queues| waiting(queues))
        }
        Verb::Stats { queue, place } => {
            let queues = statistics(&place, queue)?;
            place.print(&queues, |queues| counted(queues))
        }
        Verb::Peek { queue, most, place } => {
            let messages = place.messages(&Ask::Peek { queue, most })?;
            place.print(&messages, |messages| table(messages))
        }
        Verb::Purge {
            queue,
            consent,
            place,
        } => {
            consent.obtain(&format!("to remove every message of `{queue}`"))?;
            place.change(&Ask::Purge { queue }, "removed")
        }
        Verb::Redrive(args) => redrive(args),
    }
}

pub(super) fn redrive(args: Redrive) -> Result<Exit, Failure> {
    let Redrive {
        queue,
        ids,
        to,
        consent,
        place,
    } = args;
    if ids.is_empty() {
        consent.obtain(&format!("to send every message of `{queue}` again"))?;
    }
    place.change(&Ask::Redrive { queue, ids, to }, "sent again")
}

fn statistics(place: &Place, queue: Option<String>) -> Result<Vec<Statistics>, Failure> {
    match place.ask(&Ask::Queues { queue })? {
        Answer::Queues(queues) => Ok(queues),
        other => Err(strange(&other)),
    }
}

fn waiting(queues: &[Statistics]) -> String {
    let row = |queue: &Statistics| {
        let age = queue.oldest_millis.map(std::time::Duration::from_millis);
        vec![
            queue.queue.clone(),
            queue.ready.to_string(),
            queue.leased.to_string(),
            queue.delayed.to_string(),
            queue.bytes.to_string(),
            age.map_or_else(|| String::from("-"), tabular::short),
        ]
    };
    let head = ["QUEUE", "READY", "LOCKED", "DELAYED", "BYTES", "OLDEST"];
    tabular::aligned(
        &tabular::rows(&head, queues.iter().map(row)),
        1,
        out::stdout_paint(),
    )
}

fn counted(queues: &[Statistics]) -> String {
    let row = |queue: &Statistics| {
        let counts = [
            queue.ready,
            queue.leased,
            queue.delayed,
            queue.sent,
            queue.delivered,
            queue.done,
            queue.retried,
            queue.dead,
            queue.invalid,
            queue.duplicates,
            queue.discarded,
        ];
        let counts = counts.map(|count| count.to_string());
        std::iter::once(queue.queue.clone()).chain(counts).collect()
    };
    let head = [
        "QUEUE",
        "READY",
        "LOCKED",
        "DELAYED",
        "SENT",
        "DELIVERED",
        "DONE",
        "RETRIED",
        "DEAD",
        "INVALID",
        "DUPLICATES",
        "DISCARDED",
    ];
    tabular::aligned(
        &tabular::rows(&head, queues.iter().map(row)),
        1,
        out::stdout_paint(),
    )
}

//! `dlq`: what was set aside, and why.

use std::fmt::Write;

use paperflow_connect::admin::{Admin, Ask, Shown, Statistics};
use paperflow_core::connector::StoreFault;

use crate::cli::exit::{Exit, Failure};
use crate::cli::{out, tabular};

use super::queue::{Redrive, redrive};
use super::{Place, table};

/// Looks at messages that were set aside, and sends them again.
#[derive(Debug, clap::Subcommand)]
#[command(after_long_help = "\
Examples:
  paperflow dlq ls --graph orders.fbp
  paperflow dlq show orders.Pay.IN.dead
  paperflow dlq ls --wiring production.toml
  paperflow dlq resend orders.Pay.IN.dead --yes")]
pub(in crate::cli) enum Verb {
    /// Lists the queues that hold messages which were set aside.
    #[command(after_long_help = "Example:\n  paperflow dlq ls --graph orders.fbp")]
    Ls {
        #[command(flatten)]
        place: Place,
    },
    /// Shows messages that were set aside; one of them, by its identity, with all that is known of it.
    #[command(after_long_help = "Example:\n  paperflow dlq show orders.Pay.IN.dead")]
    Show {
        /// The queue in which they were set aside.
        queue: String,
        /// One message.
        id: Option<String>,
        /// So many at most.
        #[arg(long, default_value_t = 100)]
        most: usize,
        #[command(flatten)]
        place: Place,
    },
    /// Sends messages again to where they came from, with their old identities; `queue redrive` is the
    /// same.
    #[command(after_long_help = "Example:\n  paperflow dlq resend orders.Pay.IN.dead --yes")]
    Resend(Redrive),
}

pub(in crate::cli) fn execute(verb: Verb) -> Result<Exit, Failure> {
    match verb {
        Verb::Ls { place } => {
            let queues = set_aside(&mut place.attach()?);
            let queues = queues.map_err(|fault| super::refused(&fault))?;
            place.print(&queues, |queues| listed(queues))
        }
        Verb::Show {
            queue,
            id: Some(id),
            place,
            ..
        } => {
            let message = format!("there is no message {id} in `{queue}`");
            let messages = place.messages(&Ask::Show { queue, id })?;
            if messages.is_empty() {
                return Err(Failure::Refused {
                    message,
                    help: None,
                });
            }
            place.print(&messages, |messages| messages.iter().map(whole).collect())
        }
        Verb::Show {
            queue, most, place, ..
        } => {
            let messages = place.messages(&Ask::Peek { queue, most })?;
            place.print(&messages, |messages| table(messages))
        }
        Verb::Resend(args) => redrive(args),
    }
}

/// Queues that hold what other connectors have set aside.
pub(in crate::cli) fn set_aside(admin: &mut Admin) -> Result<Vec<Statistics>, StoreFault> {
    let mut found = Vec::new();
    for queue in admin.queues()? {
        let first = admin.peek(&queue.queue, 1)?;
        if first.iter().any(|message| !message.cause.is_empty()) {
            found.push(queue);
        }
    }
    Ok(found)
}

fn listed(queues: &[Statistics]) -> String {
    let row = |queue: &Statistics| {
        let age = queue.oldest_millis.map(std::time::Duration::from_millis);
        vec![
            queue.queue.clone(),
            (queue.ready + queue.delayed).to_string(),
            age.map_or_else(|| String::from("-"), tabular::short),
        ]
    };
    let head = ["QUEUE", "MESSAGES", "OLDEST"];
    tabular::aligned(
        &tabular::rows(&head, queues.iter().map(row)),
        1,
        out::stdout_paint(),
    )
}

/// A message with all that is known of it.
fn whole(message: &Shown) -> String {
    let mut text = String::new();
    let paint = out::stdout_paint();
    let _ = writeln!(text, "{}", paint.strong(&message.id));
    let facts = [
        ("kind", message.kind.clone()),
        ("attempts", super::attempts(message)),
    ];
    let facts = facts.iter().map(|(name, value)| (*name, value.as_str()));
    for (name, value) in facts
        .chain(message.cause.iter())
        .chain(message.headers.iter())
    {
        let _ = writeln!(text, "  {name}: {value}");
    }
    let body = message.body.as_ref().or(message.body_hex.as_ref());
    let _ = writeln!(text, "\n{}", body.map_or("", String::as_str));
    text
}

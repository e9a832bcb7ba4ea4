//! `link`: the transport log, and what became of a message.

use std::time::Duration;

use paperflow_connect::admin::{Answer, Ask, Logged, Status};

use crate::cli::exit::{Exit, Failure};
use crate::cli::{out, tabular};

use super::{Place, ago, strange};

/// Tells what went over an arc, and what became of a message.
#[derive(Debug, clap::Subcommand)]
#[command(after_long_help = "\
Examples:
  paperflow link log orders.Pay.IN --errors
  paperflow link status 4f0c...")]
pub(in crate::cli) enum Verb {
    /// Shows the last deliveries that were settled, the latest first: attempt, bytes, duration, status.
    #[command(after_long_help = "Example:\n  paperflow link log orders.Pay.IN --errors")]
    Log {
        /// The connector, by its name in the store.
        connector: String,
        /// Only those that went wrong.
        #[arg(long)]
        errors: bool,
        /// So many at most.
        #[arg(long, default_value_t = 100)]
        most: usize,
        #[command(flatten)]
        place: Place,
    },
    /// Says whether a message was sent, delivered or processed, and where.
    #[command(
        after_long_help = "Example:\n  paperflow link status 4f0c1d2e3a4b5c6d7e8f9a0b1c2d3e4f"
    )]
    Status {
        /// Its identity, 32 hexadecimal digits.
        id: String,
        #[command(flatten)]
        place: Place,
    },
}

pub(in crate::cli) fn execute(verb: Verb) -> Result<Exit, Failure> {
    match verb {
        Verb::Log {
            connector,
            errors,
            most,
            place,
        } => match place.ask(&Ask::Log {
            connector,
            errors,
            most,
        })? {
            Answer::Log(log) => place.print(&log, |log| logged(log)),
            other => Err(strange(&other)),
        },
        Verb::Status { id, place } => match place.ask(&Ask::Status { id })? {
            Answer::Status(found) => place.print(&found, |found| told(found)),
            other => Err(strange(&other)),
        },
    }
}

fn logged(log: &[Logged]) -> String {
    let row = |one: &Logged| {
        vec![
            one.id.clone(),
            one.consumer.clone(),
            one.status.clone(),
            one.error.clone().unwrap_or_default(),
            one.attempt.to_string(),
            one.bytes.to_string(),
            tabular::short(Duration::from_micros(one.micros)),
            tabular::short(Duration::from_millis(one.age_millis)),
            ago(one.at),
        ]
    };
    let head = [
        "ID", "CONSUMER", "STATUS", "ERROR", "ATTEMPT", "BYTES", "DURATION", "LATENCY", "AGO",
    ];
    tabular::aligned(
        &tabular::rows(&head, log.iter().map(row)),
        4,
        out::stdout_paint(),
    )
}

fn told(found: &[Status]) -> String {
    if found.is_empty() {
        return String::from("nothing is known of a message of this identity\n");
    }
    let row = |one: &Status| {
        let attempts = one.attempts.map(|attempts| attempts.to_string());
        vec![
            one.connector.clone(),
            one.state.clone(),
            attempts.unwrap_or_else(|| String::from("-")),
        ]
    };
    let head = ["CONNECTOR", "STATE", "ATTEMPTS"];
    tabular::aligned(
        &tabular::rows(&head, found.iter().map(row)),
        2,
        out::stdout_paint(),
    )
}

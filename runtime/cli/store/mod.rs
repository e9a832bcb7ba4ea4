//! What is in a store: queues, streams, dead letters and the log, while a network runs and when it does
//! not.

pub(super) mod dlq;
pub(super) mod link;
pub(super) mod queue;
pub(super) mod stream;

use std::io::{self, BufRead, IsTerminal, Write};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use paperflow_connect::admin::{Admin, Answer, Ask, Shown};
use paperflow_core::connector::StoreFault;
use serde::Serialize;

use crate::stores::{DATA_FOLDER, data_folder};

use super::exit::{Exit, Failure};
use super::{out, tabular};

/// Which store, and how it is shown.
#[derive(Debug, clap::Args)]
pub(super) struct Place {
    /// The folder of the store; `.paperflow` in this folder by default.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The graph whose store is meant: the one beside it.
    #[arg(long, value_name = "GRAPH", conflicts_with = "data")]
    graph: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Place {
    fn folder(&self) -> PathBuf {
        let beside = self.graph.as_deref().map(data_folder);
        let folder = self.data.clone().or(beside);
        folder.unwrap_or_else(|| PathBuf::from(DATA_FOLDER))
    }

    fn attach(&self) -> Result<Admin, Failure> {
        Admin::attach(self.folder()).map_err(refused)
    }

    fn ask(&self, ask: &Ask) -> Result<Answer, Failure> {
        self.attach()?.ask(ask).map_err(refused)
    }

    /// The messages that a question is answered with.
    fn messages(&self, ask: &Ask) -> Result<Vec<Shown>, Failure> {
        match self.ask(ask)? {
            Answer::Messages(messages) => Ok(messages),
            other => Err(strange(&other)),
        }
    }

    /// Prints what was found, as JSON or as people read it.
    fn print<T: Serialize>(
        &self,
        found: &T,
        text: impl FnOnce(&T) -> String,
    ) -> Result<Exit, Failure> {
        let text = if self.json {
            let json = serde_json::to_string_pretty(found);
            json.map_err(|error| Failure::Unwritable(error.to_string()))? + "\n"
        } else {
            text(found)
        };
        out::print(&text)?;
        Ok(Exit::Fine)
    }

    /// Does something to messages and says to how many.
    fn change(&self, ask: &Ask, done: &str) -> Result<Exit, Failure> {
        match self.ask(ask)? {
            Answer::Changed(count) => self.print(&serde_json::json!({ "messages": count }), |_| {
                let messages =
                    super::render::count(usize::try_from(count).unwrap_or(usize::MAX), "message");
                format!("{messages} {done}\n")
            }),
            other => Err(strange(&other)),
        }
    }
}

/// What a store does not do is no mistake in the program.
fn refused(fault: StoreFault) -> Failure {
    Failure::Unwritable(fault.to_string())
}

fn strange(answer: &impl std::fmt::Debug) -> Failure {
    Failure::Unwritable(format!(
        "the store gave an answer to another question: {answer:?}"
    ))
}

/// Lets something that cannot be taken back be confirmed.
#[derive(Debug, clap::Args)]
pub(super) struct Consent {
    /// Do not ask.
    #[arg(long)]
    yes: bool,
}

impl Consent {
    /// Asks on a terminal; without one `--yes` has to be given.
    fn obtain(&self, what: &str) -> Result<(), Failure> {
        if self.yes {
            return Ok(());
        }
        let help = Some(String::from("say `--yes` to do it without being asked"));
        if !io::stdin().is_terminal() {
            return Err(Failure::misuse(format!("{what} needs a yes"), help));
        }
        out::tell(&format!("{what}? [y/N] "));
        let _ = io::stderr().flush();
        let mut answer = String::new();
        let read = io::stdin().lock().read_line(&mut answer);
        let is_yes = matches!(answer.trim().to_lowercase().as_str(), "y" | "yes");
        match read {
            Ok(_) if is_yes => Ok(()),
            _ => Err(Failure::misuse("nothing was done", None)),
        }
    }
}

/// A moment in milliseconds since 1970, as the time that has gone by since.
fn ago(millis: i64) -> String {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let now = now.unwrap_or_default();
    let then = Duration::from_millis(u64::try_from(millis).unwrap_or_default());
    tabular::short(now.saturating_sub(then))
}

/// A body on one line, cut where it gets long.
fn excerpt(text: Option<&str>, bytes: u64) -> String {
    const MOST: usize = 60;
    let Some(text) = text else {
        return format!("({bytes} bytes)");
    };
    let line: String = text
        .chars()
        .take(MOST)
        .map(|sign| if sign.is_control() { ' ' } else { sign })
        .collect();
    if text.chars().nth(MOST).is_some() {
        line + "..."
    } else {
        line
    }
}

/// Messages of a queue, a line each.
fn table(messages: &[Shown]) -> String {
    let row = |message: &Shown| {
        let reason = message.cause.get(paperflow_connect::names::ERROR);
        vec![
            message.id.clone(),
            message.state.clone(),
            reason.unwrap_or_default().to_owned(),
            excerpt(message.body.as_deref(), message.bytes),
            message.attempts.to_string(),
            ago(message.sent),
        ]
    };
    let head = ["ID", "STATE", "ERROR", "BODY", "ATTEMPTS", "AGE"];
    tabular::aligned(
        &tabular::rows(&head, messages.iter().map(row)),
        4,
        out::stdout_paint(),
    )
}

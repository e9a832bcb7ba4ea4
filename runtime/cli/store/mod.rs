//! What is in a store: queues, streams, channels, dead letters and the log, while a network runs and when it does
//! not.

pub(super) mod dlq;
pub(super) mod link;
pub(super) mod pubsub;
pub(super) mod queue;
pub(super) mod stream;

use std::io::{self, BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use paperflow_connect::admin::{Admin, Answer, Ask, Shown};
use paperflow_connect::streams::{self, Request};
use paperflow_core::connector::StoreFault;
use paperflow_graph::similar::suggest;
use serde::Serialize;

use crate::load::WiringFile;
use crate::stores::{DATA_FOLDER, data_folder, open_to_ask};

use super::exit::{Exit, Failure};
use super::{out, render, tabular};

/// Which store, and how it is shown.
#[derive(Debug, clap::Args)]
pub(super) struct Place {
    /// The folder of the store; `.paperflow` in this folder by default.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The graph whose store is meant: the one beside it.
    #[arg(long, value_name = "GRAPH", conflicts_with = "data")]
    graph: Option<PathBuf>,
    /// The wiring file that says where the store is: a broker, or a folder.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["data", "graph"])]
    wiring: Option<PathBuf>,
    /// The store that is meant, by its name in the wiring file, if it declares several.
    #[arg(long, value_name = "NAME", requires = "wiring")]
    store: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Place {
    /// A store that a wiring file declares.
    fn declared(&self, path: &Path) -> Result<Admin, Failure> {
        let file = WiringFile::read(path);
        let file = file.map_err(|error| Failure::unreadable(path.display(), &error))?;
        let (wiring, sources, diagnostics) = file.alone();
        out::tell(&render::all(&diagnostics, &sources, out::stderr_paint()));
        let variables = |name: &str| std::env::var(name).ok();
        open_to_ask(&wiring, self.store.as_deref(), variables).map_err(|fault| refused(&fault))
    }

    fn folder(&self) -> PathBuf {
        let beside = self.graph.as_deref().map(data_folder);
        let folder = self.data.clone().or(beside);
        folder.unwrap_or_else(|| PathBuf::from(DATA_FOLDER))
    }

    fn attach(&self) -> Result<Admin, Failure> {
        if let Some(wiring) = &self.wiring {
            return self.declared(wiring);
        }
        let folder = self.folder();
        let is_there = folder.join("store.db").exists();
        Admin::attach(folder).map_err(|fault| Failure::Refused {
            message: fault.to_string(),
            help: (!is_there).then(|| {
                String::from(
                    "say where it is: `--data DIR`, or `--graph GRAPH` for the store beside a graph",
                )
            }),
        })
    }

    fn ask(&self, ask: &Ask) -> Result<Answer, Failure> {
        let mut admin = self.attach()?;
        let answer = admin.ask(ask);
        answer.map_err(|fault| misnamed(&fault, &mut admin, named(ask)))
    }

    fn ask_streams(&self, request: Request) -> Result<streams::Answer, Failure> {
        match self.ask(&Ask::Streams { request })? {
            Answer::Streams(answer) => Ok(answer),
            other => Err(strange(&other)),
        }
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
                    render::count(usize::try_from(count).unwrap_or(usize::MAX), "message");
                format!("{messages} {done}\n")
            }),
            other => Err(strange(&other)),
        }
    }
}

/// The connectors that a question names.
fn named(ask: &Ask) -> Vec<&str> {
    let (one, other) = match ask {
        Ask::Queues { queue } => (queue.as_ref(), None),
        Ask::Redrive { queue, to, .. } => (Some(queue), to.as_ref()),
        Ask::Peek { queue, .. } | Ask::Show { queue, .. } | Ask::Purge { queue } => {
            (Some(queue), None)
        }
        Ask::Log { connector, .. } => (Some(connector), None),
        Ask::Streams { request } => match request {
            Request::Tail { stream, .. }
            | Request::Groups { stream }
            | Request::Replay { stream, .. } => (Some(stream), None),
            _ => (None, None),
        },
        Ask::Status { .. } => (None, None),
    };
    one.into_iter().chain(other).map(String::as_str).collect()
}

/// What a store does not do is no mistake in the program; perhaps a name is.
fn misnamed(fault: &StoreFault, admin: &mut Admin, named: Vec<&str>) -> Failure {
    let known = connectors(admin);
    let is_unknown = |name: &&str| !known.iter().any(|other| other == *name);
    let mut unknown = named.into_iter().filter(is_unknown);
    let near = unknown.find_map(|name| suggest(name, known.iter().map(String::as_str)));
    Failure::Refused {
        message: fault.to_string(),
        help: near.map(|near| format!("did you mean `{near}`?")),
    }
}

/// The names of all connectors; none when they cannot be had, as they are only to help.
fn connectors(admin: &mut Admin) -> Vec<String> {
    let mut names = Vec::new();
    if let Ok(Answer::Queues(queues)) = admin.ask(&Ask::Queues { queue: None }) {
        names.extend(queues.into_iter().map(|queue| queue.queue));
    }
    if let Ok(streams::Answer::Streams(streams)) = admin.ask_streams(Request::List) {
        names.extend(streams.into_iter().map(|stream| stream.name));
    }
    if let Ok(streams::Answer::Channels(channels)) = admin.ask_streams(Request::Channels) {
        names.extend(channels.into_iter().map(|channel| channel.name));
    }
    names
}

fn refused(fault: &StoreFault) -> Failure {
    Failure::Refused {
        message: fault.to_string(),
        help: None,
    }
}

fn strange(answer: &impl std::fmt::Debug) -> Failure {
    Failure::Refused {
        message: format!("the store gave an answer to another question: {answer:?}"),
        help: None,
    }
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
    let then = u64::try_from(millis).unwrap_or_default();
    tabular::short(Duration::from_millis(now().saturating_sub(then)))
}

/// Milliseconds since 1970.
fn now() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let now = now.unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
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

/// How often a message was delivered; of one that was set aside, where that happened.
fn attempts(message: &Shown) -> String {
    let before = message.cause.get(paperflow_connect::names::ATTEMPTS);
    let own = || message.attempts.to_string();
    before.map_or_else(own, str::to_owned)
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
            attempts(message),
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

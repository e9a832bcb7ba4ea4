//! `stream` and `replay`: facts that stay, who has read how far, and reading them again.

use std::collections::BTreeMap;
use std::str::FromStr;

use paperflow_connect::streams::{Answer, At, GroupStatus, Request, StreamRecord, StreamStatus};
use serde_json::{Value as Json, json};

use crate::cli::exit::{Exit, Failure};
use crate::cli::{out, tabular};

use super::{Place, ago, excerpt, now, strange};

/// Most records of one answer.
const PAGE: usize = 500;

/// Looks into streams, and sends their groups back.
#[derive(Debug, clap::Subcommand)]
#[command(after_long_help = "\
Examples:
  paperflow stream tail orders.Menus.OUT --from 0
  paperflow stream groups orders.Menus.OUT
  paperflow stream state balance --fold sum --at 41
  paperflow stream replay orders.Menus.OUT --group orders.Prices.IN --from 0")]
pub(in crate::cli) enum Verb {
    /// Lists the streams there are.
    #[command(after_long_help = "Example:\n  paperflow stream ls --graph orders.fbp")]
    Ls {
        #[command(flatten)]
        place: Place,
    },
    /// Shows records, which stay as they are.
    #[command(after_long_help = "Example:\n  paperflow stream tail orders.Menus.OUT --from 0")]
    Tail {
        /// The stream, by its name in the store.
        stream: String,
        /// One partition; all by default.
        #[arg(long)]
        partition: Option<u32>,
        /// The first record: `start`, an offset, `-N` for the last N, or `@MILLISECONDS` since 1970.
        #[arg(long, default_value = "-10", allow_hyphen_values = true)]
        from: Mark,
        /// The last record; the end by default.
        #[arg(long)]
        to: Option<Mark>,
        #[command(flatten)]
        place: Place,
    },
    /// Lists the groups of a stream: who reads which partition.
    #[command(after_long_help = "Example:\n  paperflow stream groups orders.Menus.OUT")]
    Groups {
        /// The stream.
        stream: String,
        #[command(flatten)]
        place: Place,
    },
    /// Shows how far each group has come, and what it has left.
    #[command(after_long_help = "Example:\n  paperflow stream offsets orders.Menus.OUT")]
    Offsets {
        /// The stream.
        stream: String,
        #[command(flatten)]
        place: Place,
    },
    /// Sends a group back, from where it reads again; nothing of the stream changes.
    #[command(
        after_long_help = "Example:\n  paperflow stream replay orders.Menus.OUT --group orders.Prices.IN --from 0"
    )]
    Replay(Replay),
    /// Folds records into a state, as it was at some place: a sum, a count, or the last of each key.
    #[command(after_long_help = "Example:\n  paperflow stream state balance --fold sum --at 41")]
    State {
        /// The stream.
        stream: String,
        /// The last record that counts: an offset, or `@MILLISECONDS` since 1970; the end by default.
        #[arg(long)]
        at: Option<Mark>,
        /// How records are folded.
        #[arg(long, value_enum, default_value_t)]
        fold: Fold,
        /// The field of a record that is summed; the whole body, if it is a number, by default.
        #[arg(long)]
        field: Option<String>,
        /// The field whose value tells records apart: a state for each value of it.
        #[arg(long)]
        key: Option<String>,
        #[command(flatten)]
        place: Place,
    },
}

/// Reads a stream again.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Example:
  paperflow replay orders.Menus.OUT --group orders.Prices.IN --from 0")]
pub(in crate::cli) struct Replay {
    /// The stream, by its name in the store.
    stream: String,
    /// The group that reads again; one that is not there is made.
    #[arg(long)]
    group: String,
    /// From where: `start`, `end`, an offset, `-N` for N back, or `@MILLISECONDS` since 1970.
    #[arg(long, default_value = "start", allow_hyphen_values = true)]
    from: Mark,
    /// One partition; all by default.
    #[arg(long)]
    partition: Option<u32>,
    #[command(flatten)]
    place: Place,
}

/// How records become a state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(in crate::cli) enum Fold {
    /// The last record.
    #[default]
    Last,
    /// The sum of a number.
    Sum,
    /// How many there are.
    Count,
}

/// A place in a stream, as it is written.
#[derive(Clone, Copy, Debug)]
pub(in crate::cli) struct Mark(At);

impl FromStr for Mark {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |text: &str| {
            let wrong = "it can be `start`, `end`, an offset, `-N` or `@MILLISECONDS`";
            text.parse().map_err(|_| String::from(wrong))
        };
        let at = match (text, text.strip_prefix('@'), text.strip_prefix('-')) {
            ("start", ..) => At::Start,
            ("end", ..) => At::End,
            (_, Some(time), _) => At::Time(number(time)?),
            (_, _, Some(back)) => At::Back(number(back)?),
            _ => At::Offset(number(text)?),
        };
        Ok(Self(at))
    }
}

pub(in crate::cli) fn execute(verb: Verb) -> Result<Exit, Failure> {
    match verb {
        Verb::Ls { place } => match place.ask_streams(Request::List)? {
            Answer::Streams(streams) => place.print(&streams, |streams| listed(streams)),
            other => Err(strange(&other)),
        },
        Verb::Tail {
            stream,
            partition,
            from,
            to,
            place,
        } => {
            let range = Range {
                stream,
                partition,
                from: from.0,
                to: to.map(|to| to.0),
            };
            tail(&place, range)
        }
        Verb::Groups { stream, place } => {
            let groups = groups(&place, Request::Groups { stream })?;
            place.print(&groups, |groups| owners(groups))
        }
        Verb::Offsets { stream, place } => {
            let groups = groups(&place, Request::Groups { stream })?;
            place.print(&groups, |groups| offsets(groups))
        }
        Verb::Replay(args) => replay(&args),
        Verb::State {
            stream,
            at,
            fold,
            field,
            key,
            place,
        } => {
            let range = Range {
                stream,
                partition: None,
                from: At::Start,
                to: at.map(|at| at.0),
            };
            let mut state = State::new(fold, field, key);
            each(&place, range, |record| state.add(&record))?;
            let state = state.json();
            place.print(&state, |state| format!("{state}\n"))
        }
    }
}

pub(in crate::cli) fn replay(args: &Replay) -> Result<Exit, Failure> {
    let request = Request::Replay {
        stream: args.stream.clone(),
        group: args.group.clone(),
        partition: args.partition,
        from: args.from.0,
    };
    let groups = groups(&args.place, request)?;
    args.place.print(&groups, |groups| offsets(groups))
}

fn groups(place: &Place, request: Request) -> Result<Vec<GroupStatus>, Failure> {
    match place.ask_streams(request)? {
        Answer::Groups(groups) => Ok(groups),
        other => Err(strange(&other)),
    }
}

/// Which records are meant.
struct Range {
    stream: String,
    partition: Option<u32>,
    from: At,
    to: Option<At>,
}

/// Reads records a page at a time, so that a long stream takes no more memory than a short one. What is
/// written meanwhile does not belong to it, unless that was asked for.
fn each(
    place: &Place,
    range: Range,
    mut work: impl FnMut(StreamRecord) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut next = Vec::new();
    let to = range.to.or(Some(At::Time(now())));
    loop {
        let request = Request::Tail {
            stream: range.stream.clone(),
            partition: range.partition,
            from: range.from,
            to,
            after: next,
            most: PAGE,
        };
        match place.ask_streams(request)? {
            Answer::Records { records, .. } if records.is_empty() => return Ok(()),
            Answer::Records { records, after } => {
                records.into_iter().try_for_each(&mut work)?;
                next = after;
            }
            other => return Err(strange(&other)),
        }
    }
}

/// A line for each record: of JSON, or as people read it.
fn tail(place: &Place, range: Range) -> Result<Exit, Failure> {
    each(place, range, |record| {
        let line = if place.json {
            let line = serde_json::to_string(&record);
            line.map_err(|error| Failure::Unwritable(error.to_string()))?
        } else {
            let bytes = record.bytes.as_ref().map_or(0, Vec::len);
            format!(
                "{}:{}  {}  {}",
                record.partition,
                record.offset,
                ago(i64::try_from(record.at).unwrap_or_default()),
                excerpt(record.text.as_deref(), bytes as u64)
            )
        };
        out::print(&(line + "\n"))
    })?;
    Ok(Exit::Fine)
}

fn listed(streams: &[StreamStatus]) -> String {
    let row = |stream: &StreamStatus| {
        let sum = |count: fn(&paperflow_connect::streams::PartitionStatus) -> u64| -> u64 {
            stream.partitions.iter().map(count).sum()
        };
        vec![
            stream.name.clone(),
            stream.groups.join(", "),
            stream.partitions.len().to_string(),
            sum(|partition| partition.records).to_string(),
            sum(|partition| partition.bytes).to_string(),
            stream.delayed.to_string(),
        ]
    };
    let head = [
        "STREAM",
        "GROUPS",
        "PARTITIONS",
        "RECORDS",
        "BYTES",
        "DELAYED",
    ];
    let rows = tabular::rows(&head, streams.iter().map(row));
    tabular::aligned(&rows, 2, out::stdout_paint())
}

fn owners(groups: &[GroupStatus]) -> String {
    let rows = groups.iter().flat_map(|group| {
        let partitions = group.partitions.iter().enumerate();
        partitions.map(|(at, partition)| {
            let owner = partition.owner.clone();
            vec![
                group.name.clone(),
                owner.unwrap_or_else(|| String::from("(nobody)")),
                at.to_string(),
                partition.epoch.to_string(),
                partition.unsettled.to_string(),
            ]
        })
    });
    let head = ["GROUP", "READ BY", "PARTITION", "EPOCH", "LOCKED"];
    tabular::aligned(&tabular::rows(&head, rows), 2, out::stdout_paint())
}

fn offsets(groups: &[GroupStatus]) -> String {
    let rows = groups.iter().flat_map(|group| {
        let partitions = group.partitions.iter().enumerate();
        partitions.map(|(at, partition)| {
            let counts = [
                at as u64,
                partition.offset,
                partition.lag,
                partition.skipped,
                partition.expired,
            ];
            let counts = counts.map(|count| count.to_string());
            std::iter::once(group.name.clone()).chain(counts).collect()
        })
    });
    let head = ["GROUP", "PARTITION", "OFFSET", "LAG", "SKIPPED", "EXPIRED"];
    tabular::aligned(&tabular::rows(&head, rows), 1, out::stdout_paint())
}

/// What records come to.
struct State {
    fold: Fold,
    field: Option<String>,
    key: Option<String>,
    by_key: BTreeMap<String, Json>,
}

impl State {
    const fn new(fold: Fold, field: Option<String>, key: Option<String>) -> Self {
        let by_key = BTreeMap::new();
        Self {
            fold,
            field,
            key,
            by_key,
        }
    }

    fn add(&mut self, record: &StreamRecord) -> Result<(), Failure> {
        let body = record.text.as_deref().unwrap_or_default();
        let body = serde_json::from_str(body).unwrap_or_else(|_| Json::from(body));
        let key = match &self.key {
            Some(field) => text(&body[field]),
            None => String::new(),
        };
        let before = self.by_key.get(&key);
        let next = match self.fold {
            Fold::Last => body,
            Fold::Count => json!(before.and_then(Json::as_u64).unwrap_or(0) + 1),
            Fold::Sum => sum(before, &self.number(&body, record)?),
        };
        self.by_key.insert(key, next);
        Ok(())
    }

    fn number(&self, body: &Json, record: &StreamRecord) -> Result<Json, Failure> {
        let number = self.field.as_ref().map_or(body, |field| &body[field]);
        if number.is_number() {
            return Ok(number.clone());
        }
        let (partition, offset) = (record.partition, record.offset);
        let what = self.field.as_deref().unwrap_or("its body");
        Err(Failure::misuse(
            format!("record {partition}:{offset} has no number to sum: {what} is {number}"),
            Some(String::from("name the field to sum with `--field NAME`")),
        ))
    }

    /// The state; by key, if there is one.
    fn json(mut self) -> Json {
        match self.key {
            Some(_) => json!(self.by_key),
            None => self.by_key.remove("").unwrap_or_else(|| match self.fold {
                Fold::Last => Json::Null,
                Fold::Sum | Fold::Count => json!(0),
            }),
        }
    }
}

/// Whole numbers stay whole.
fn sum(before: Option<&Json>, number: &Json) -> Json {
    let before = before.cloned().unwrap_or_else(|| json!(0));
    match (before.as_i64(), number.as_i64()) {
        (Some(one), Some(two)) => json!(one.saturating_add(two)),
        _ => json!(before.as_f64().unwrap_or(0.0) + number.as_f64().unwrap_or(0.0)),
    }
}

fn text(value: &Json) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

//! What a store has of a connector, beside what is asked of it.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use crate::connector::{ConnectorKind, Declaration, OnError};

/// What a store has of a connector that is declared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The store cannot tell.
    Unknown,
    /// It has nothing under that name, and would make it.
    Absent,
    /// It is there; in these settings it is not as it is declared.
    Present(Vec<Difference>),
}

/// A setting that is another one in the store than in the declaration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The setting, in the word that stands on an arrow.
    pub setting: &'static str,
    /// What the store has.
    pub there: String,
    /// What is asked.
    pub declared: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            setting,
            there,
            declared,
        } = self;
        write!(f, "{setting} is {there}, and is to be {declared}")
    }
}

/// The settings that mean something for a kind, as text.
fn settings(of: &Declaration) -> Vec<(&'static str, String)> {
    let mut all = vec![
        ("kind", of.kind.to_string()),
        ("retries", of.retries.to_string()),
        ("delay", time(of.delay.first)),
        ("backoff", of.delay.factor.to_string()),
        ("dead-letter", of.dead_letter_name()),
        ("invalid", of.invalid_name()),
    ];
    if of.kind == ConnectorKind::Stream {
        let none = || String::from("none");
        let number = |number: Option<u64>| number.map_or_else(none, |number| number.to_string());
        let lag = of.lag.map(|lag| lag as u64);
        all.extend([
            ("partitions", of.partitions.max(1).to_string()),
            ("key", of.key.clone().unwrap_or_else(none)),
            ("capacity", number(lag)),
            ("retain", of.retain.age.map_or_else(none, time)),
            ("retain-bytes", number(of.retain.bytes)),
            ("retain-messages", number(of.retain.messages)),
            (
                "on-error",
                match &of.on_error {
                    OnError::Skip => String::from("skip"),
                    OnError::Retry => String::from("retry"),
                    OnError::Copy(stream) => format!("copy to {stream}"),
                },
            ),
        ]);
        return all;
    }
    all.extend([
        ("capacity", of.capacity.to_string()),
        ("bytes", of.capacity_bytes.to_string()),
        ("lease", time(of.lease)),
    ]);
    if of.kind == ConnectorKind::Pubsub {
        let retained = if of.retained { "yes" } else { "no" };
        all.push(("retained", retained.to_owned()));
    }
    all
}

fn time(time: Duration) -> String {
    format!("{time:?}")
}

impl Declaration {
    /// In which settings something that is there is not as this declares it; if it is of another kind, only
    /// in that.
    #[must_use]
    pub fn differences(&self, there: &Self) -> Vec<Difference> {
        let other = settings(there);
        let pairs = settings(self)
            .into_iter()
            .filter_map(|(setting, declared)| {
                let (_, there) = other.iter().find(|(own, _)| *own == setting)?;
                let is_same = *there == declared;
                (!is_same).then(|| Difference {
                    setting,
                    there: there.clone(),
                    declared,
                })
            });
        let all: Vec<Difference> = pairs.collect();
        match all.iter().find(|difference| difference.setting == "kind") {
            Some(kind) => vec![kind.clone()],
            None => all,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(declared: &Declaration, there: &Declaration) -> Vec<String> {
        let all = declared.differences(there);
        all.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_means_nothing_for_a_kind_is_no_difference() {
        let queue = Declaration::new("q", ConnectorKind::Queue);
        let mut other = queue.clone();
        (other.partitions, other.retained) = (7, true);
        assert_eq!(told(&queue, &other), Vec::<String>::new());
        (other.capacity, other.lease) = (7, Duration::from_secs(5));
        assert_eq!(
            told(&queue, &other),
            [
                "capacity is 7, and is to be 10000",
                "lease is 5s, and is to be 30s"
            ]
        );
    }

    #[test]
    fn another_kind_is_all_that_is_told() {
        let queue = Declaration::new("q", ConnectorKind::Queue);
        let mut stream = Declaration::new("q", ConnectorKind::Stream);
        stream.partitions = 7;
        assert_eq!(
            told(&queue, &stream),
            ["kind is stream, and is to be queue"]
        );
        let mut wanted = stream.clone();
        wanted.partitions = 8;
        wanted.retain.age = Some(Duration::from_secs(60));
        assert_eq!(
            told(&wanted, &stream),
            [
                "partitions is 7, and is to be 8",
                "retain is none, and is to be 60s"
            ]
        );
    }
}

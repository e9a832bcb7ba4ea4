//! What streams promise.

mod failures;
mod keeping;
mod reading;

use std::sync::Arc;
use std::time::Duration;

use paperflow_core::Packet;
use paperflow_core::connector::{Connector, ConnectorKind, Declaration, Subscription};
use paperflow_core::message::{Id, Message};

use super::{Bench, body, connect, consumer};
use crate::streams::{Answer, At, GroupStatus, Request, StreamRecord, StreamStatus};

pub use failures::*;
pub use keeping::*;
pub use reading::*;

fn declaration(partitions: u32) -> Declaration {
    let mut declaration = Declaration::new("facts", ConnectorKind::Stream);
    declaration.partitions = partitions;
    declaration.delay.first = Duration::from_secs(1);
    declaration.delay.factor = 1.0;
    declaration.delay.jitter = 0.0;
    declaration
}

fn stream(bench: &dyn Bench, partitions: u32) -> Arc<dyn Connector> {
    connect(bench, &declaration(partitions))
}

fn read(stream: &Arc<dyn Connector>, name: &str, group: &str) -> Arc<dyn Subscription> {
    stream.subscribe(consumer(name, group)).unwrap()
}

/// A record with a key.
fn keyed(key: &str, number: u32) -> Message {
    let record = serde_json::json!({"key": key, "number": number});
    let id = Id::of(&format!("{key} {number}"));
    Message::of(id, &Packet::json(record)).unwrap()
}

fn key_of(message: &Message) -> (String, u64) {
    let json: serde_json::Value = serde_json::from_str(&body(message)).unwrap();
    (
        json["key"].as_str().unwrap().to_owned(),
        json["number"].as_u64().unwrap(),
    )
}

fn status(bench: &dyn Bench, name: &str) -> StreamStatus {
    match bench.ask(Request::List).unwrap() {
        Answer::Streams(streams) => {
            let found = streams.into_iter().find(|stream| stream.name == name);
            found.unwrap()
        }
        other => panic!("{other:?}"),
    }
}

fn group(bench: &dyn Bench, name: &str) -> GroupStatus {
    let request = Request::Groups {
        stream: "facts".to_owned(),
    };
    match bench.ask(request).unwrap() {
        Answer::Groups(groups) => groups.into_iter().find(|group| group.name == name).unwrap(),
        other => panic!("{other:?}"),
    }
}

fn replay(bench: &dyn Bench, group: &str, from: At) -> GroupStatus {
    let request = Request::Replay {
        stream: "facts".to_owned(),
        group: group.to_owned(),
        partition: None,
        from,
    };
    match bench.ask(request).unwrap() {
        Answer::Groups(mut groups) => groups.remove(0),
        other => panic!("{other:?}"),
    }
}

fn tail(bench: &dyn Bench, from: At, to: Option<At>, most: usize) -> Vec<StreamRecord> {
    let mut all = Vec::new();
    let mut after = Vec::new();
    loop {
        let request = Request::Tail {
            stream: "facts".to_owned(),
            partition: None,
            from,
            to,
            after,
            most,
        };
        match bench.ask(request).unwrap() {
            Answer::Records { records, .. } if records.is_empty() => return all,
            Answer::Records {
                records,
                after: next,
            } => {
                all.extend(records);
                after = next;
            }
            other => panic!("{other:?}"),
        }
    }
}

fn texts(records: &[StreamRecord]) -> Vec<&str> {
    let texts = records.iter().map(|record| record.text.as_deref());
    texts.map(Option::unwrap).collect()
}

fn numbers(range: std::ops::Range<u32>) -> Vec<String> {
    range.map(|at| at.to_string()).collect()
}

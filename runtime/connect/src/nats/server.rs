//! The server's own streams and consumers: made, asked about, read from.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use async_nats::{HeaderMap, HeaderName, HeaderValue, Message, StatusCode, Subscriber};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::StreamExt;
use paperflow_core::connector::StoreFault;
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::docs::nanos;
use super::line::{Line, Request, Wire, codes, is_refused, read};
use crate::fault::{damaged, unavailable};

/// How many messages are asked about at a time.
pub(super) const PAGE: usize = 64;

/// A stream as the server knows it.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Kept {
    pub(super) state: State,
}

/// What is in it.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct State {
    pub(super) messages: u64,
    pub(super) bytes: u64,
    pub(super) first_seq: u64,
    pub(super) last_seq: u64,
    #[serde(default)]
    pub(super) subjects: Option<BTreeMap<String, u64>>,
}

/// A consumer as the server knows it.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Reads {
    /// Delivered and not acknowledged: held, resting, or given back and not delivered again.
    pub(super) num_ack_pending: u64,
    /// Never delivered.
    pub(super) num_pending: u64,
    /// How far all is acknowledged.
    pub(super) ack_floor: Reached,
    /// How far all was delivered once.
    pub(super) delivered: Reached,
    pub(super) config: Waits,
}

/// How a consumer was made.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct Waits {
    /// How long it waits for an acknowledgement, in nanoseconds.
    pub(super) ack_wait: u64,
}

/// A place in a stream.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct Reached {
    pub(super) stream_seq: u64,
}

/// Makes a stream of this configuration, or lets the one that is there have it.
pub(super) fn ensure(line: &Line, config: &Json) -> Result<(), StoreFault> {
    let name = config["name"].as_str().unwrap_or_default();
    let made = line.ask::<Kept>(&format!("STREAM.CREATE.{name}"), config);
    let is_there = |fault: &StoreFault| {
        // While another program makes the same stream its subjects are taken before its name is.
        let codes = [codes::STREAM_NAME_IN_USE, codes::SUBJECTS_OVERLAP];
        codes.iter().any(|code| is_refused(fault, code))
    };
    let Err(fault) = made else {
        return Ok(());
    };
    if !is_there(&fault) {
        return Err(fault);
    }
    // Looked at before: NATS 2.9 falls when it is told to change a stream that it has not quite made.
    match line.ask::<Configured>(&format!("STREAM.INFO.{name}"), &Json::Null) {
        Ok(there) if there.has(config) => Ok(()),
        // The subjects are those of a stream of somebody else.
        Err(other) if is_refused(&other, codes::NO_STREAM) => Err(fault),
        Err(other) => Err(other),
        Ok(_) => line
            .ask::<Kept>(&format!("STREAM.UPDATE.{name}"), config)
            .map(|_| ()),
    }
}

/// How a stream was made.
#[derive(Deserialize)]
struct Configured {
    config: Json,
}

impl Configured {
    /// Whether it is so already.
    fn has(&self, config: &Json) -> bool {
        let mut wanted = config.as_object().into_iter().flatten();
        wanted.all(|(name, value)| self.config.get(name) == Some(value))
    }
}

/// How it stands with a stream; nothing when there is none.
pub(super) fn state(line: &Line, stream: &str) -> Result<Option<State>, StoreFault> {
    match line.ask::<Kept>(&format!("STREAM.INFO.{stream}"), &Json::Null) {
        Ok(kept) => Ok(Some(kept.state)),
        Err(fault) if is_refused(&fault, codes::NO_STREAM) => Ok(None),
        Err(fault) => Err(fault),
    }
}

/// The consumer that reads a queue, which all who read it share.
pub(super) const CONSUMER: &str = "paperflow";

/// Makes the consumer of a queue, or lets the one that is there have this lease.
pub(super) fn ensure_consumer(
    line: &Line,
    stream: &str,
    lease: Duration,
) -> Result<(), StoreFault> {
    let config = json!({
        "stream_name": stream,
        "config": {
            "durable_name": CONSUMER,
            "deliver_policy": "all",
            "replay_policy": "instant",
            "ack_policy": "explicit",
            "ack_wait": nanos(lease),
            // What has failed too often is set aside by whoever receives it.
            "max_deliver": -1,
            // How many are held at a time is the engine's business.
            "max_ack_pending": -1,
        },
    });
    let what = format!("CONSUMER.DURABLE.CREATE.{stream}.{CONSUMER}");
    line.ask::<Reads>(&what, &config).map(|_| ())
}

/// How it stands with the consumer of a queue.
pub(super) fn reads(line: &Line, stream: &str) -> Result<Reads, StoreFault> {
    line.ask(&format!("CONSUMER.INFO.{stream}.{CONSUMER}"), &Json::Null)
}

#[derive(Deserialize)]
struct Detailed {
    state: Gaps,
}

/// What is not in a stream any more.
#[derive(Deserialize)]
pub(super) struct Gaps {
    pub(super) first_seq: u64,
    #[serde(default)]
    pub(super) deleted: BTreeSet<u64>,
}

impl Gaps {
    /// Whether the message with this number is not missing.
    pub(super) fn may_have(&self, seq: u64) -> bool {
        seq >= self.first_seq && !self.deleted.contains(&seq)
    }
}

/// What is missing in a stream.
pub(super) fn gaps(line: &Line, stream: &str) -> Result<Gaps, StoreFault> {
    let asked = json!({"deleted_details": true});
    let found: Detailed = line.ask(&format!("STREAM.INFO.{stream}"), &asked)?;
    Ok(found.state)
}

/// How long a server may take to say that there are no more messages.
const SILENCE: Duration = Duration::from_secs(2);

/// Where the messages come that somebody fetches, one time after the other.
pub(super) struct Inbox {
    /// The connection that it belongs to.
    number: u64,
    subject: String,
    heard: Subscriber,
}

impl Inbox {
    async fn open(wire: &Wire) -> Result<Self, StoreFault> {
        let subject = wire.client.new_inbox();
        let heard = wire.client.subscribe(subject.clone()).await;
        Ok(Self {
            number: wire.number,
            subject,
            heard: heard.map_err(|error| unavailable(error.to_string()))?,
        })
    }
}

/// Takes up to `most` messages from a consumer, as many as there are now. They come to the inbox, if it is one of
/// this connection; gives an inbox for the next time, if there is one to which nothing can come any more.
pub(super) async fn fetch(
    wire: &Wire,
    inbox: Option<Inbox>,
    (stream, consumer): (&str, &str),
    most: usize,
) -> Result<(Vec<Message>, Option<Inbox>), StoreFault> {
    let mut inbox = match inbox.filter(|inbox| inbox.number == wire.number) {
        Some(inbox) => inbox,
        None => Inbox::open(wire).await?,
    };
    let away = |error: &dyn std::fmt::Display| unavailable(error.to_string());
    let mut is_over = true;
    let asked = json!({"batch": most, "no_wait": true}).to_string();
    let what = format!("$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}");
    let asked =
        wire.client
            .publish_with_reply(what, inbox.subject.clone(), asked.into_bytes().into());
    asked.await.map_err(|error| away(&error))?;
    let mut found = Vec::new();
    while found.len() < most {
        // A server that counts messages which it has not, as after it was killed, says nothing.
        let Ok(message) = tokio::time::timeout(SILENCE, inbox.heard.next()).await else {
            tracing::debug!("`{stream}` gave {} of {most}, and was silent", found.len());
            is_over = false;
            break;
        };
        let message = message.ok_or_else(|| away(&"the connection was lost"))?;
        match message.status {
            None | Some(StatusCode::OK) => found.push(message),
            // There are no more.
            Some(StatusCode::NOT_FOUND | StatusCode::TIMEOUT) => break,
            Some(StatusCode::NO_RESPONDERS) => {
                return Err(unavailable(format!("nobody answers for `{stream}`")));
            }
            // Whatever it is, what has come is ours.
            Some(_) if !found.is_empty() => {
                is_over = false;
                break;
            }
            Some(status) => {
                let why = message.description.unwrap_or_default();
                return Err(unavailable(format!(
                    "`{stream}` gives none: {status} {why}"
                )));
            }
        }
    }
    Ok((found, is_over.then_some(inbox)))
}

/// What the server says of a message that it delivers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Delivered {
    /// How often it was delivered, with this time.
    pub(super) times: u64,
    /// Its number in the stream, from 1.
    pub(super) seq: u64,
    /// When it was written, in nanoseconds since 1970.
    pub(super) at: u64,
    /// How many there are behind it that were never delivered.
    pub(super) behind: u64,
}

impl Delivered {
    /// From the subject on which a message is acknowledged:
    /// `$JS.ACK.[DOMAIN.ACCOUNT.]STREAM.CONSUMER.TIMES.SEQ.NUMBER.TIME.BEHIND[.TOKEN]`.
    pub(super) fn of(message: &Message) -> Result<Self, StoreFault> {
        let subject = message.reply.as_deref().unwrap_or_default();
        let tokens: Vec<&str> = subject.split('.').collect();
        let first = if tokens.len() > 9 { 6 } else { 4 };
        let number = |at: usize| tokens.get(first + at).and_then(|token| token.parse().ok());
        match (number(0), number(1), number(3), number(4)) {
            (Some(times), Some(seq), Some(at), Some(behind)) => Ok(Self {
                times,
                seq,
                at,
                behind,
            }),
            _ => Err(damaged(format!(
                "a server delivers with `{subject}`, which cannot be read"
            ))),
        }
    }
}

#[derive(Deserialize)]
pub(super) struct Raw {
    pub(super) message: Stored,
}

/// A message as it lies in a stream.
#[derive(Deserialize)]
pub(super) struct Stored {
    #[serde(default)]
    hdrs: String,
    #[serde(default)]
    data: String,
    /// When it was written, as RFC 3339 writes it.
    pub(super) time: String,
}

/// A message of a stream, by its number: its headers and payload; nothing when it is not there any more.
pub(super) fn message_at(
    line: &Line,
    stream: &str,
    seq: u64,
) -> Result<Option<(HeaderMap, Vec<u8>)>, StoreFault> {
    let found = line.ask::<Raw>(&format!("STREAM.MSG.GET.{stream}"), &json!({"seq": seq}));
    let Stored { hdrs, data, .. } = match found {
        Ok(found) => found.message,
        Err(fault) if is_refused(&fault, codes::NO_MESSAGE) => return Ok(None),
        Err(fault) => return Err(fault),
    };
    let bytes = |text: &str| {
        STANDARD
            .decode(text)
            .map_err(|error| damaged(format!("message {seq} cannot be read: {error}")))
    };
    let text = String::from_utf8_lossy(&bytes(&hdrs)?).into_owned();
    let lines = text.lines().skip(1).filter_map(|line| line.split_once(':'));
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        let pair = (name.trim().parse(), value.trim().parse());
        if let (Ok(name), Ok(value)) = pair {
            headers.insert::<HeaderName, HeaderValue>(name, value);
        }
    }
    Ok(Some((headers, bytes(&data)?)))
}

/// Removes a message of a stream, by its number; nothing happens when it is not there.
pub(super) fn remove(line: &Line, stream: &str, seq: u64) -> Result<(), StoreFault> {
    remove_all(line, line.number()?, stream, [seq])
}

/// Removes messages with these numbers, those of them that are there, over the connection of this number alone: a
/// server that begins anew may give theirs to others.
pub(super) fn remove_all(
    line: &Line,
    number: u64,
    stream: &str,
    seqs: impl IntoIterator<Item = u64>,
) -> Result<(), StoreFault> {
    let what = format!("STREAM.MSG.DELETE.{stream}");
    let asked = seqs.into_iter();
    let asked = asked.map(|seq| Request::api(&what, &json!({"seq": seq, "no_erase": true})));
    let asked: Vec<_> = asked.collect();
    for page in asked.chunks(PAGE) {
        for answer in line.exchange_still(number, page.to_vec())? {
            match read::<Json>(&answer) {
                Err(fault) if !is_refused(&fault, codes::NOT_DELETED) => return Err(fault),
                _ => {}
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delivered(reply: &str) -> Option<Delivered> {
        let message = Message {
            subject: "s".into(),
            reply: Some(reply.into()),
            payload: Default::default(),
            headers: None,
            status: None,
            description: None,
            length: 0,
        };
        Delivered::of(&message).ok()
    }

    #[test]
    fn what_the_server_says_of_a_delivery_is_read_in_both_forms() {
        let known = Delivered {
            times: 2,
            seq: 7,
            at: 9,
            behind: 3,
        };
        assert_eq!(delivered("$JS.ACK.S.paperflow.2.7.8.9.3"), Some(known));
        let newer = "$JS.ACK._.hash.S.paperflow.2.7.8.9.3.token";
        assert_eq!(delivered(newer), Some(known));
        assert_eq!(delivered("$JS.ACK.S.paperflow"), None);
    }
}

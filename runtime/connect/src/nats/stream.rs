//! Streams: a stream of the server for each partition, where the record at the offset N has the number N + 1,
//! and groups that share the partitions out among all processes (`group`).

use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use async_nats::HeaderMap;
use paperflow_core::connector::{Connector, Consumer, Declaration, Sent, StoreFault, Subscription};
use paperflow_core::failpoint;
use paperflow_core::message::Message;
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::Inner;
use super::docs::nanos;
use super::group::{Common, Delayed, key_of};
use super::known::About;
use super::line::{Request, read};
use super::queue::{published_still, when_there_is_room};
use super::server::{Kept, State, ensure};
use crate::broker::consumer::Reader;
use crate::stream::mark::Offset;

/// A stream of a server, as this process uses it.
pub(super) type Stream = crate::broker::stream::Stream<Inner>;

impl Stream {
    /// How many partitions it has, as far as this process knows.
    pub(super) fn partitions(&self) -> usize {
        let partitions = self.local.lock().declaration.partitions.max(1);
        usize::try_from(partitions).unwrap_or(usize::MAX)
    }

    /// Makes what keeps it, if that is not there.
    pub(super) fn make(&self, inner: &Inner) -> Result<(), StoreFault> {
        let declaration = self.local.lock().declaration.clone();
        (0..self.partitions())
            .try_for_each(|at| ensure(&inner.line, &kept(inner, &declaration, at)))
    }

    /// Says how far readers are, and looks whether others have written here.
    pub(super) fn look(&self, inner: &Inner) -> Result<(), StoreFault> {
        for reader in self.readers() {
            reader.live(inner)?;
        }
        if self.readers().is_empty() {
            self.local.lock().writers.call();
            return Ok(());
        }
        // Others may have given it more partitions.
        let partitions = inner.about(&self.name)?.partitions();
        {
            let mut local = self.local.lock();
            let known = &mut local.declaration.partitions;
            *known = partitions.max(*known);
        }
        let shelves = inner.shelves(&self.name, self.partitions())?;
        let last: u64 = shelves.iter().map(|shelf| shelf.last_seq).sum();
        let before = inner.ends.lock().insert(self.name.clone(), last);
        let mut local = self.local.lock();
        if before != Some(last) {
            local.readers.call();
        }
        local.writers.call();
        Ok(())
    }
}

/// The server's stream of a partition. Whoever writes under the name of the stream writes to the first.
fn kept(inner: &Inner, declaration: &Declaration, at: usize) -> Json {
    let (names, name) = (&inner.line.names, &declaration.name);
    let mut subjects = vec![names.partition(name, at)];
    if at == 0 {
        subjects.push(names.subject(name));
    }
    let retain = declaration.retain;
    let count = u64::from(declaration.partitions.max(1));
    let share = |bound: Option<u64>| bound.map_or(json!(-1), |bound| json!((bound / count).max(1)));
    let age = retain.age.unwrap_or_default();
    let window = match age {
        Duration::ZERO => inner.settings.window,
        age => inner.settings.window.min(age),
    };
    json!({
        "name": names.shelf(name, at),
        "subjects": subjects,
        "retention": "limits",
        "storage": "file",
        "discard": "old",
        "num_replicas": inner.settings.replicas,
        "max_age": nanos(age),
        "max_bytes": share(retain.bytes),
        "max_msgs": share(retain.messages),
        "duplicate_window": nanos(window),
    })
}

/// What the server says when it has written a record.
#[derive(Deserialize)]
struct Appended {
    seq: u64,
}

/// Writes a record to a partition, and gives its number.
pub(super) fn append(
    inner: &Inner,
    subject: String,
    (headers, payload): (HeaderMap, Vec<u8>),
) -> Result<u64, StoreFault> {
    let request = Request {
        subject,
        headers,
        payload,
    };
    Ok(read::<Appended>(&inner.line.exchange_one(request)?)?.seq)
}

impl Inner {
    /// How it stands with the partitions of a stream.
    pub(super) fn shelves(
        &self,
        stream: &str,
        partitions: usize,
    ) -> Result<Vec<State>, StoreFault> {
        let requests = (0..partitions).map(|at| {
            let shelf = self.line.names.shelf(stream, at);
            Request::api(&format!("STREAM.INFO.{shelf}"), &Json::Null)
        });
        let answers = self.line.exchange(requests.collect())?;
        let kept = answers.iter().map(|answer| Ok(read::<Kept>(answer)?.state));
        kept.collect()
    }

    /// Keeps in mind that a stream has this group.
    pub(super) fn know_group(&self, stream: &str, group: &str) -> Result<(), StoreFault> {
        self.docs.change(&About::key(stream), |about: &mut About| {
            about.groups.insert(group.to_owned());
        })
    }

    /// Copies a record to where it waits until it comes back; tells where it lies.
    pub(super) fn delay(
        &self,
        via: &str,
        origin: &str,
        partition: usize,
        (mut headers, payload): (HeaderMap, Vec<u8>),
    ) -> Result<Delayed, StoreFault> {
        let about = self.about(via)?;
        let partitions = match about.declaration {
            Some(_) => about.partitions(),
            None => {
                let declaration =
                    Declaration::new(via, paperflow_core::connector::ConnectorKind::Stream);
                self.stream(&declaration)?;
                1
            }
        };
        let shelf = partition % usize::try_from(partitions).unwrap_or(usize::MAX);
        headers.insert("Nats-Msg-Id", format!("delay/{origin}"));
        let subject = self.line.names.partition(via, shelf);
        let seq = append(self, subject, (headers, payload))?;
        Ok(Delayed {
            partition,
            attempt: 1,
            via: via.to_owned(),
            shelf,
            seq,
            due: 0,
        })
    }

    /// How many more records a stream takes whose slowest group that is there may lag so far behind.
    fn room_of(&self, stream: &Stream, lag: usize) -> Result<usize, StoreFault> {
        let mut most = 0;
        let mut ends: Option<Vec<Offset>> = None;
        for group in self.about(&stream.name)?.groups {
            let key = key_of(&stream.name, &group);
            let mut common = self.docs.get::<Common>(&key)?;
            let dead = self.dead(Some(&common))?;
            dead.iter().for_each(|member| common.value.leave(*member));
            if !common.value.shares.is_live() {
                continue;
            }
            let ends = match &mut ends {
                Some(ends) => ends,
                None => {
                    let shelves = self.shelves(&stream.name, stream.partitions())?;
                    ends.insert(shelves.iter().map(|shelf| shelf.last_seq).collect())
                }
            };
            most = most.max(common.value.unread(ends));
        }
        Ok(lag.saturating_sub(usize::try_from(most).unwrap_or(usize::MAX)))
    }
}

/// A stream, for the engine.
pub(super) struct Handle {
    pub(super) stream: Arc<Stream>,
    pub(super) inner: Arc<Inner>,
}

impl Connector for Handle {
    fn send(&self, messages: &[Message]) -> Result<Sent, StoreFault> {
        let (inner, name) = (&self.inner, &self.stream.name);
        let (key, partitions, lag) = {
            let local = self.stream.local.lock();
            let declaration = &local.declaration;
            (
                local.key.clone(),
                declaration.partitions.max(1),
                declaration.lag,
            )
        };
        let requests = inner.publishing(name, messages, |message| {
            let at = key.partition(message, partitions);
            let at = usize::try_from(at).unwrap_or(usize::MAX);
            inner.line.names.partition(name, at)
        })?;
        if let Some(lag) = lag {
            let has_room = || {
                let room = inner.room_of(&self.stream, lag)?;
                Ok((room >= messages.len() || room == lag).then_some(()))
            };
            when_there_is_room(name, has_room)?;
        }
        let number = inner.ready_stream(&self.stream)?;
        let sent = published_still(inner, number, requests)?;
        failpoint!("before_confirm");
        self.stream.local.lock().readers.call();
        if sent.written > 0 {
            inner.ring(name, "message", None);
        }
        Ok(sent)
    }

    fn room(&self, waker: &Waker) -> Result<usize, StoreFault> {
        let lag = {
            let mut local = self.stream.local.lock();
            let Some(lag) = local.declaration.lag else {
                return Ok(usize::MAX);
            };
            local.writers.add(waker);
            lag
        };
        self.stream.report(&self.inner)?;
        self.inner.room_of(&self.stream, lag)
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn unfinished(&self, group: &str) -> Result<Option<u64>, StoreFault> {
        self.stream.report(&self.inner)?;
        let key = key_of(&self.stream.name, group);
        let common = self.inner.docs.get::<Common>(&key)?.value;
        let shelves = self
            .inner
            .shelves(&self.stream.name, self.stream.partitions())?;
        let mut unfinished = common.delayed.len() as u64;
        for (at, shelf) in shelves.iter().enumerate() {
            let mark = common.parts.get(at).map_or(0, |part| part.mark);
            let first = mark.max(shelf.first_seq.saturating_sub(1));
            unfinished += shelf.last_seq.saturating_sub(first);
        }
        Ok(Some(unfinished))
    }

    fn subscribe(&self, consumer: Consumer) -> Result<Arc<dyn Subscription>, StoreFault> {
        let (stream, inner) = (Arc::clone(&self.stream), Arc::clone(&self.inner));
        Ok(Arc::new(Reader::new(stream, inner, consumer)?))
    }
}

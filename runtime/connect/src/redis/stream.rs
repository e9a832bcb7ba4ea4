//! Streams: a Redis stream for each partition, and groups that share them out among all processes.
//!
//! | key | what it holds |
//! |---|---|
//! | `NAME:0`, `NAME:1` ... | the records of a partition; the entry `N-0` is the record at the offset N - 1 |
//! | `NAME` | what others have written by themselves, until it is moved to its partition |
//! | `paperflow:NAME:about` | a hash: kind, declaration, partitions, their ends and sizes |
//! | `paperflow:NAME:groups` | the names of its groups |
//! | `paperflow:NAME:group:G:state` | a hash: how far the group is in each partition, who has it, its epoch |
//! | `paperflow:NAME:group:G:failed` | records that have failed, how often, until when they rest |
//! | `paperflow:NAME:group:G:consumers` | who reads, until when without a sign of life; `order`: as they came |
//! | `paperflow:NAME:group:G:delayed` | copies that are to come back, and when |
//! | `paperflow:NAME:ids` | a set: the ids that were sent last |
//! | `paperflow:NAME:ids-before` | a set: those that were sent before |
//! | `paperflow:NAME:seen` | ids that an older version has sent, and when |
//!
//! The server gives the partitions out; a consumer that has one reads it alone, keeps what is in its hands
//! in memory, and reports how far it is. Each time a partition changes hands it has a new epoch, and who
//! speaks of an older one is not heard.

use std::sync::Arc;
use std::task::Waker;

use ::redis::cmd;
use paperflow_core::connector::{Connector, Consumer, Sent, StoreFault, Subscription};
use paperflow_core::failpoint;
use paperflow_core::message::Message;

use super::line::Call;
use super::queue::{as_count, sent_of, told, when_there_is_room, written};
use super::wire::{item, list, lossy, message, number};
use super::{Inner, scripts};
use crate::broker::consumer::Reader;

/// Entries of others that are moved at a time.
const ABSORBED: usize = 100;

/// A stream of a server, as this process uses it.
pub(super) type Stream = crate::broker::stream::Stream<Inner>;

impl Stream {
    /// Gives signs of life, moves what others have written, and removes what is kept no longer.
    pub(super) fn look(&self, inner: &Inner) -> Result<(), StoreFault> {
        let readers = self.readers();
        // All first, so that none is given up while another one speaks.
        let lease = self.local.lock().declaration.lease;
        let call = Call::of(&scripts::STREAM_ALIVE).with(&self.name);
        let mut call = call.with(lease.as_millis().max(1).to_string());
        for reader in &readers {
            if let Some(token) = reader.token() {
                call.add(&reader.group);
                call.add(token);
            }
        }
        inner.line.ask(call)?;
        for reader in readers {
            reader.live(inner)?;
        }
        self.absorb(inner)?;
        self.trim(inner)?;
        self.local.lock().writers.call();
        Ok(())
    }

    /// Removes what is kept no longer, if the declaration says so.
    pub(super) fn trim(&self, inner: &Inner) -> Result<(), StoreFault> {
        let retain = self.local.lock().declaration.retain;
        if retain == Default::default() {
            return Ok(());
        }
        let text = |bound: Option<u64>| bound.map(|bound| bound.to_string()).unwrap_or_default();
        let age = retain
            .age
            .map(|age| u64::try_from(age.as_millis()).unwrap_or(u64::MAX));
        loop {
            let call = Call::of(&scripts::STREAM_TRIM).with(&self.name);
            let call = call
                .with(text(age))
                .with(text(retain.bytes))
                .with(text(retain.messages));
            if number(&inner.line.ask(call)?) != Some(1) {
                return Ok(());
            }
        }
    }

    /// Moves what others have written under the name of the stream to its partitions.
    pub(super) fn absorb(&self, inner: &Inner) -> Result<(), StoreFault> {
        let key = format!("{}{}", inner.line.prefix, self.name);
        let mut look = ::redis::pipe();
        let range = cmd("XRANGE")
            .arg(key)
            .arg("-")
            .arg("+")
            .arg("COUNT")
            .arg(ABSORBED)
            .to_owned();
        look.add_command(range);
        let found = inner.line.query(&look)?;
        let found = list(item(&found, 0))?;
        if found.is_empty() {
            return Ok(());
        }
        let mut call = Call::of(&scripts::STREAM_ABSORB).with(&self.name);
        for one in found {
            let one = list(one)?;
            let entry = lossy(item(one, 0));
            let place = format!("{} {entry}", self.name);
            let local = self.local.lock();
            let partitions = local.declaration.partitions.max(1);
            // What cannot be read is set aside by whoever receives it.
            let message = message(list(item(one, 1))?, &place);
            let partition = message.map_or(0, |message| local.key.partition(&message, partitions));
            call.add(entry);
            call.add(partition.to_string());
        }
        inner.line.ask(call)?;
        self.local.lock().readers.call();
        Ok(())
    }
}

/// A stream, for the engine.
pub(super) struct Handle {
    pub(super) stream: Arc<Stream>,
    pub(super) inner: Arc<Inner>,
}

impl Handle {
    /// Writes records; nothing when there is no room, or the stream has another number of partitions.
    fn write(&self, call: Call) -> Result<Option<usize>, StoreFault> {
        let answer = self.inner.line.ask(call)?;
        let said = list(&answer)?;
        if lossy(item(said, 0)) == "other" {
            let mut local = self.stream.local.lock();
            let partitions = number(item(said, 1)).unwrap_or(1);
            local.declaration.partitions = u32::try_from(partitions).unwrap_or(u32::MAX);
            return Ok(None);
        }
        Ok(told(&answer)?.map(|(sent, _)| sent))
    }
}

impl Connector for Handle {
    fn send(&self, messages: &[Message]) -> Result<Sent, StoreFault> {
        let (inner, name) = (&self.inner, &self.stream.name);
        let source = inner.settings.source(name);
        let texts = written(messages, &source, &inner.settings)?;
        let sent = when_there_is_room(name, || {
            let call = inner
                .settings
                .known(Call::of(&scripts::STREAM_SEND).with(name));
            let local = self.stream.local.lock();
            let partitions = local.declaration.partitions.max(1);
            let lag = local.declaration.lag.map(|lag| lag.to_string());
            let mut call = call
                .number(u64::from(partitions))
                .with(lag.unwrap_or_default());
            for (text, message) in texts.iter().zip(messages) {
                call.add(text.id.to_bytes());
                call.add(local.key.partition(message, partitions).to_string());
                text.write_fields(&mut call);
            }
            drop(local);
            self.write(call)
        })?;
        failpoint!("before_confirm");
        self.stream.local.lock().readers.call();
        self.stream.trim(inner)?;
        Ok(sent_of(messages, sent))
    }

    fn room(&self, waker: &Waker) -> Result<usize, StoreFault> {
        let lag = {
            let mut local = self.stream.local.lock();
            let Some(lag) = local.declaration.lag else {
                return Ok(usize::MAX);
            };
            local.writers.add(waker);
            lag as u64
        };
        let asked = self.stream.report(&self.inner).and_then(|()| {
            let call = Call::of(&scripts::STREAM_ROOM).with(&self.stream.name);
            self.inner.line.ask(call.number(lag))
        });
        Ok(as_count(number(&asked?)))
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn unfinished(&self, group: &str) -> Result<Option<u64>, StoreFault> {
        self.stream.report(&self.inner)?;
        let call = Call::of(&scripts::STREAM_UNFINISHED).with(&self.stream.name);
        Ok(number(&self.inner.line.ask(call.with(group))?))
    }

    fn subscribe(&self, consumer: Consumer) -> Result<Arc<dyn Subscription>, StoreFault> {
        let (stream, inner) = (Arc::clone(&self.stream), Arc::clone(&self.inner));
        Ok(Arc::new(Reader::new(stream, inner, consumer)?))
    }
}

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
//! | `paperflow:NAME:seen` | ids that were sent, and when |
//!
//! The server gives the partitions out; a consumer that has one reads it alone, keeps what is in its hands
//! in memory, and reports how far it is. Each time a partition changes hands it has a new epoch, and who
//! speaks of an older one is not heard.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::task::Waker;

use ::redis::cmd;
use paperflow_core::connector::{Connector, Consumer, Declaration, Sent, StoreFault, Subscription};
use paperflow_core::failpoint;
use paperflow_core::message::Message;
use parking_lot::Mutex;

use super::consumer::Reader;
use super::line::Call;
use super::queue::{as_count, sent_of, told, when_there_is_room, written};
use super::wire::{item, list, lossy, message, number};
use super::{Inner, scripts};
use crate::stream::group::Rules;
use crate::stream::ring::Key;

/// Entries of others that are moved at a time.
const ABSORBED: usize = 100;

/// A stream of a server, as this process uses it.
pub(super) struct Stream {
    pub(super) name: String,
    pub(super) local: Mutex<Local>,
}

/// What this process knows of a stream.
pub(super) struct Local {
    pub(super) declaration: Declaration,
    key: Key,
    pub(super) readers: BTreeMap<u64, Seat>,
    writers: Vec<Waker>,
    given: u64,
}

/// A reader of this process.
pub(super) struct Seat {
    pub(super) reader: Weak<super::consumer::Reading>,
    waker: Waker,
    is_waiting: bool,
}

impl Stream {
    pub(super) fn new(declaration: Declaration) -> Self {
        Self {
            name: declaration.name.clone(),
            local: Mutex::new(Local {
                key: Key::of(declaration.key.as_deref()),
                declaration,
                readers: BTreeMap::new(),
                writers: Vec::new(),
                given: 0,
            }),
        }
    }

    pub(super) fn declare(&self, declaration: Declaration) {
        let mut local = self.local.lock();
        local.key = Key::of(declaration.key.as_deref());
        local.declaration = declaration;
    }

    /// A number for a new reader.
    pub(super) fn number(&self) -> u64 {
        let mut local = self.local.lock();
        local.given += 1;
        local.given
    }

    pub(super) fn seat(&self, number: u64, reader: Weak<super::consumer::Reading>, waker: Waker) {
        let seat = Seat {
            reader,
            waker,
            is_waiting: false,
        };
        self.local.lock().readers.insert(number, seat);
    }

    pub(super) fn rules(&self) -> Rules {
        let local = self.local.lock();
        let declaration = &local.declaration;
        Rules {
            on_error: declaration.on_error.clone(),
            retries: declaration.retries,
            delay: declaration.delay,
        }
    }

    /// The readers of this process.
    pub(super) fn readers(&self) -> Vec<Arc<super::consumer::Reading>> {
        let local = self.local.lock();
        let readers = local.readers.values();
        readers.filter_map(|seat| seat.reader.upgrade()).collect()
    }

    /// Says of all readers of this process what the server does not know yet.
    pub(super) fn report(&self, inner: &Inner) -> Result<(), StoreFault> {
        let readers = self.readers();
        readers.iter().try_for_each(|reader| reader.report(inner))
    }

    /// Gives signs of life, moves what others have written, and removes what is kept no longer.
    pub(super) fn look(&self, inner: &Inner) -> Result<(), StoreFault> {
        let readers = self.readers();
        // All first, so that none is given up while another one speaks.
        let lease = self.local.lock().declaration.lease;
        let call = Call::of(&scripts::STREAM_ALIVE).with(&self.name);
        let mut call = call.with(lease.as_millis().max(1).to_string());
        readers.iter().for_each(|reader| reader.name_in(&mut call));
        inner.line.ask(call)?;
        for reader in readers {
            reader.live(inner)?;
        }
        self.absorb(inner)?;
        self.trim(inner)?;
        self.local.lock().call_writers();
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
        self.local.lock().call_readers();
        Ok(())
    }

    pub(super) fn call_all(&self) {
        let mut local = self.local.lock();
        local.call_readers();
        local.call_writers();
    }
}

impl Local {
    pub(super) fn set_waiting(&mut self, reader: u64, is_waiting: bool) {
        if let Some(seat) = self.readers.get_mut(&reader) {
            seat.is_waiting = is_waiting;
        }
    }

    /// Tells those who wait that there may be something.
    pub(super) fn call_readers(&mut self) {
        for seat in self.readers.values_mut() {
            if std::mem::take(&mut seat.is_waiting) {
                seat.waker.wake_by_ref();
            }
        }
    }

    /// Tells those who wait for room that there may be some.
    pub(super) fn call_writers(&mut self) {
        self.writers.drain(..).for_each(Waker::wake);
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
        let texts = written(messages, name, &inner.settings)?;
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
        self.stream.local.lock().call_readers();
        self.stream.trim(inner)?;
        Ok(sent_of(messages, sent))
    }

    fn room(&self, waker: &Waker) -> Result<usize, StoreFault> {
        let lag = {
            let mut local = self.stream.local.lock();
            let Some(lag) = local.declaration.lag else {
                return Ok(usize::MAX);
            };
            if !local.writers.iter().any(|other| other.will_wake(waker)) {
                local.writers.push(waker.clone());
            }
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

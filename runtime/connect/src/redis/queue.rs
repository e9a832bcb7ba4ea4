//! Queues: a Redis stream for the messages, and what this process knows of it.
//!
//! | key | what it holds |
//! |---|---|
//! | `NAME` | the messages, as a stream with the group `paperflow`; what is done is deleted |
//! | `paperflow:NAME:about` | a hash: kind, declaration, counts, bytes that wait, since when `ids` is filled |
//! | `paperflow:NAME:consumers` | who reads, until when without a sign of life |
//! | `paperflow:NAME:due` | what rests, until when |
//! | `paperflow:NAME:failed` | since when a message has failed |
//! | `paperflow:NAME:ids` | a set: the ids that were sent last |
//! | `paperflow:NAME:ids-before` | a set: those that were sent before |
//! | `paperflow:NAME:seen` | ids that an older version has sent, and when |
//!
//! A delivery belongs to the consumer under which the group lists it as pending, and is counted there.
//! What rests, or was given back, is pending too, under the names `(resting)` and `(ready)`.

use std::borrow::Cow;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use ::redis::{Value, pipe};
use paperflow_core::connector::{Declaration, Sent, StoreFault};
use paperflow_core::failpoint;
use paperflow_core::message::{Id, Message};
use parking_lot::Mutex;

use super::line::{Call, Line};
use super::reader::Settled;
use super::wire::{fields, item, list, lossy, number, pack};
use super::{Settings, scripts};
use crate::broker::patience::{PATIENCE, insist, wait_for};
use crate::broker::waiting::{Readers, Writers};
use crate::fault::{damaged, unavailable, unsupported};

/// Most bytes of a field that can be packed.
const MOST_BYTES: usize = u32::MAX as usize;

/// A queue of a server, as this process uses it.
pub(super) struct Queue {
    pub(super) line: Arc<Line>,
    pub(super) name: String,
    pub(super) settings: Arc<Settings>,
    pub(super) local: Mutex<Local>,
    /// Held while deliveries are received or settled, so that one sees what the other has done.
    pub(super) turn: Mutex<()>,
}

/// What this process knows of a queue.
pub(super) struct Local {
    pub(super) declaration: Declaration,
    /// Each with how the server knows it; nothing when it does not, or not yet.
    pub(super) readers: Readers<Option<String>>,
    /// Those who wait for room.
    pub(super) writers: Writers,
    /// What was settled and the server does not know yet.
    pub(super) settled: Vec<Settled>,
    /// How often that was taken to be told.
    pub(super) round: u64,
    /// Readers and deliveries that were given a number.
    pub(super) given: u64,
    /// Room that there was after the last send.
    room: usize,
    /// The last entry that has come.
    last: String,
}

impl Queue {
    pub(super) fn new(line: Arc<Line>, settings: Arc<Settings>, declaration: Declaration) -> Self {
        Self {
            line,
            name: declaration.name.clone(),
            settings,
            turn: Mutex::default(),
            local: Mutex::new(Local {
                declaration,
                readers: Readers::default(),
                writers: Writers::default(),
                settled: Vec::new(),
                round: 0,
                given: 0,
                room: 0,
                last: String::new(),
            }),
        }
    }

    /// Writes messages, and returns when they are safe; waits while there is no room for them.
    pub(super) fn send(&self, messages: &[Message]) -> Result<Sent, StoreFault> {
        let source = self.settings.source(&self.name);
        let texts = written(messages, &source, &self.settings)?;
        let (sent, room) = when_there_is_room(&self.name, || {
            let mut call = self.bounded(Call::of(&scripts::SEND).with(&self.name));
            texts.iter().for_each(|text| text.write(&mut call));
            told(&self.line.ask(call)?)
        })?;
        failpoint!("before_confirm");
        let mut local = self.local.lock();
        local.room = room;
        if sent > 0 {
            local.readers.call();
        }
        Ok(sent_of(messages, sent))
    }

    /// The bounds of the queue and of what is known of ids, as arguments.
    fn bounded(&self, call: Call) -> Call {
        let local = self.local.lock();
        let declaration = &local.declaration;
        self.settings
            .known(call)
            .number(declaration.capacity as u64)
            .number(declaration.capacity_bytes)
    }

    /// How many more messages may be sent now. Room that the last send has told of is good for one more.
    pub(super) fn room(&self, waker: &Waker) -> Result<usize, StoreFault> {
        let told = std::mem::take(&mut self.local.lock().room);
        if told > 0 {
            return Ok(told);
        }
        // First, so that room which is made meanwhile is heard of.
        self.local.lock().writers.add(waker);
        let room = self.ask_for_room()?;
        if room > 0 {
            let mut local = self.local.lock();
            local.writers.remove(waker);
        }
        Ok(room)
    }

    /// All that is in it: what is done is gone.
    pub(super) fn unfinished(&self) -> Result<u64, StoreFault> {
        self.write_settled()?;
        let mut pipeline = pipe();
        let key = format!("{}{}", self.line.prefix, self.name);
        pipeline.cmd("XLEN").arg(key);
        let answers = self.line.query(&pipeline)?;
        let count = answers.first().and_then(number);
        count.ok_or_else(|| damaged("a server cannot count"))
    }

    fn ask_for_room(&self) -> Result<usize, StoreFault> {
        self.write_settled()?;
        let call = {
            let local = self.local.lock();
            let declaration = &local.declaration;
            Call::of(&scripts::ROOM)
                .with(&self.name)
                .number(declaration.capacity as u64)
                .number(declaration.capacity_bytes)
        };
        Ok(as_count(number(&self.line.ask(call)?)))
    }

    /// Gives signs of life, and looks whether others have written here. Gives whether anybody waits.
    pub(super) fn look(&self) -> Result<(), StoreFault> {
        let call = {
            let local = self.local.lock();
            if local.readers.is_empty() && local.writers.is_empty() {
                return Ok(());
            }
            let mut call = Call::of(&scripts::ALIVE)
                .with(&self.name)
                .number(self.lease(&local))
                .number(local.declaration.capacity as u64)
                .number(local.declaration.capacity_bytes);
            let tokens = local.readers.seats().flatten();
            tokens.for_each(|token| call.add(token));
            call
        };
        let answer = self.line.ask(call)?;
        let answer = list(&answer)?;
        let has_lost = !list(item(answer, 0))?.is_empty();
        let last = lossy(item(answer, 1));
        let mut local = self.local.lock();
        let has_come = local.last != last;
        local.last = last;
        // Who is not known there has been given up, or is about to join; it hears which when it asks.
        if has_come || has_lost {
            local.readers.call();
        }
        // A bell may not have been heard.
        if number(item(answer, 2)) > Some(0) {
            local.writers.call();
        }
        Ok(())
    }

    pub(super) fn lease(&self, local: &Local) -> u64 {
        let lease = local.declaration.lease.max(Duration::from_millis(1));
        u64::try_from(lease.as_millis()).unwrap_or(u64::MAX)
    }

    /// Tells the server what was settled, and does not give up before patience is over.
    pub(super) fn flush(&self) -> Result<(), StoreFault> {
        insist(&self.name, PATIENCE, || self.write_settled())
    }

    /// Tells the server what was settled, if nobody has since.
    pub(super) fn write_settled_of(&self, round: u64) -> Result<(), StoreFault> {
        let is_there = self.local.lock().round == round;
        match is_there {
            true => self.write_settled(),
            false => Ok(()),
        }
    }

    /// Tells the server what was settled.
    pub(super) fn write_settled(&self) -> Result<(), StoreFault> {
        let _turn = self.turn.lock();
        let settled = self.local.lock().take_settled();
        if settled.is_empty() {
            return Ok(());
        }
        self.before_settling(&settled);
        let result = self.line.ask(self.settling(&settled));
        match result {
            Ok(_) => {
                self.after_settling(&settled);
                Ok(())
            }
            Err(fault) => {
                self.put_back(settled);
                Err(fault)
            }
        }
    }

    /// Places where a test may end the program before the server is told.
    pub(super) fn before_settling(&self, settled: &[Settled]) {
        if settled.iter().any(|one| one.what == "invalid") {
            failpoint!("before_invalid_copy");
        }
        failpoint!("settle_lost");
    }

    /// And after it was told.
    pub(super) fn after_settling(&self, settled: &[Settled]) {
        if settled.iter().any(|one| one.what == "rest") {
            failpoint!("after_retry");
        }
        if settled
            .iter()
            .any(|one| matches!(one.what, "dead" | "invalid"))
        {
            failpoint!("after_dead_letter");
        }
    }

    /// What was settled, as a run of a script.
    pub(super) fn settling(&self, settled: &[Settled]) -> Call {
        let mut call = Call::of(&scripts::SETTLE).with(&self.name);
        let (done, others): (Vec<_>, Vec<_>) = settled.iter().partition(|one| one.is_done());
        let by_consumer: Vec<_> = done.chunk_by(|one, next| one.token == next.token).collect();
        call.add(by_consumer.len().to_string());
        for own in by_consumer {
            call.add(own.first().map_or("", |first| &first.token));
            call.add(own.len().to_string());
            own.iter().for_each(|one| call.add(&one.entry));
        }
        let now = self.line.clock.elapsed();
        others.iter().for_each(|one| one.write(now, &mut call));
        call
    }

    /// It could not be told.
    pub(super) fn put_back(&self, mut settled: Vec<Settled>) {
        let mut local = self.local.lock();
        settled.append(&mut local.settled);
        local.settled = settled;
    }

    /// Everybody looks again.
    pub(super) fn call_all(&self) {
        let mut local = self.local.lock();
        local.readers.call();
        local.writers.call();
    }
}

impl Local {
    /// Something is to be told.
    pub(super) fn settle(&mut self, settled: Settled) {
        if settled.waits_again() {
            self.forget_room();
        }
        self.settled.push(settled);
    }

    /// What is to be told now.
    pub(super) fn take_settled(&mut self) -> Vec<Settled> {
        self.round += 1;
        std::mem::take(&mut self.settled)
    }

    /// There may be less room than there was: messages wait again that were held.
    pub(super) fn forget_room(&mut self) {
        self.room = 0;
    }
}

/// A message, ready to be sent.
pub(super) struct Text<'a> {
    pub(super) id: Id,
    pub(super) fields: Vec<Cow<'a, [u8]>>,
}

impl Text<'_> {
    pub(super) fn write(&self, call: &mut Call) {
        call.add(self.id.to_bytes());
        self.write_fields(call);
    }

    pub(super) fn write_fields(&self, call: &mut Call) {
        // The payload comes last.
        let payload = self.fields.last().map_or(0, |payload| payload.len());
        call.add(payload.to_string());
        call.write(|text| self.fields.iter().for_each(|field| pack(field, text)));
    }
}

/// Messages, as entries of a connector.
pub(super) fn written<'a>(
    messages: &'a [Message],
    source: &'a str,
    settings: &Settings,
) -> Result<Vec<Text<'a>>, StoreFault> {
    let texts = messages.iter().map(|message| {
        let fields = fields(message, source, settings.is_structured)?;
        // Nor would a server take it.
        if fields.iter().any(|field| field.len() > MOST_BYTES) {
            return Err(unsupported("a message of more than 4 gigabytes"));
        }
        Ok(Text {
            id: message.id,
            fields,
        })
    });
    texts.collect()
}

/// What a server says of a send: how many were new, and what room there is; nothing when there is not
/// enough.
pub(super) fn told(answer: &Value) -> Result<Option<(usize, usize)>, StoreFault> {
    let answer = list(answer)?;
    match lossy(item(answer, 0)).as_str() {
        "sent" => {
            let [sent, room] = [1, 2].map(|at| as_count(number(item(answer, at))));
            Ok(Some((sent, room)))
        }
        "full" => Ok(None),
        other => Err(damaged(format!("a server answered `{other}` to a send"))),
    }
}

/// Sends. Others may have taken the room that there was: then it waits until there is some again.
pub(super) fn when_there_is_room<T>(
    name: &str,
    send: impl FnMut() -> Result<Option<T>, StoreFault>,
) -> Result<T, StoreFault> {
    let full = || unavailable(format!("there is no room in `{name}`"));
    wait_for(name, send)?.ok_or_else(full)
}

/// So many of these messages were new.
pub(super) fn sent_of(messages: &[Message], new: usize) -> Sent {
    Sent {
        written: new,
        known: messages.len() - new.min(messages.len()),
    }
}

pub(super) fn as_count(number: Option<u64>) -> usize {
    usize::try_from(number.unwrap_or_default()).unwrap_or(usize::MAX)
}

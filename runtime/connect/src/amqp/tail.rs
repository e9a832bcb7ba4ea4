//! The end of a partition: what is written last comes by itself, and is kept for a while.
//!
//! A server does not tell where a stream ends. A consumer that begins with what was written last shows it:
//! what was confirmed before a question lies before its answer, as with [`intake`](super::intake).

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use futures_util::Stream;
use lapin::options::{BasicAckOptions, BasicConsumeOptions, BasicQosOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, Consumer};
use paperflow_core::connector::StoreFault;
use parking_lot::Mutex;

use super::line::{Line, Link, short};
use super::page::{From, OFFSET, Pages};
use super::wire::Parcel;
use crate::fault::unavailable;

/// Records that a server sends before they are acknowledged.
const WINDOW: u16 = 2_000;
/// Records and bytes that are kept in memory, and read again from the server if they are wanted later.
const KEPT: usize = 2_048;
const KEPT_BYTES: usize = 4 << 20;
/// Questions after which everything before them has come.
const QUESTIONS: usize = 3;

/// A partition, as this process reads it.
pub(super) struct Tail {
    line: Arc<Line>,
    queue: String,
    pages: Pages,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    hearing: Option<Hearing>,
    end: u64,
    last: VecDeque<(u64, Parcel)>,
    bytes: usize,
}

struct Hearing {
    link: Arc<Link>,
    channel: Channel,
    stream: Consumer,
}

impl Tail {
    pub(super) fn of(line: &Arc<Line>, queue: String) -> Self {
        Self {
            line: Arc::clone(line),
            pages: Pages::of(line, queue.clone()),
            queue,
            state: Mutex::default(),
        }
    }

    /// The offset behind the last record; `waker` is called when there is another one.
    pub(super) fn end(&self, waker: &Waker) -> Result<u64, StoreFault> {
        let mut state = self.state.lock();
        let is_there =
            |hearing: &Hearing| hearing.link.is_there() && hearing.channel.status().connected();
        if !state.hearing.as_ref().is_some_and(is_there) {
            state.hearing = Some(self.hear()?);
        }
        for _ in 0..QUESTIONS {
            let name = short(&self.queue)?;
            if let Some(hearing) = &state.hearing {
                let options = QueueDeclareOptions::durable().passive();
                let asked = hearing
                    .channel
                    .queue_declare(name, options, FieldTable::default());
                self.line.wait(asked)?;
            }
        }
        self.take(&mut state, waker)?;
        Ok(state.end)
    }

    /// The same, as far as it is known here.
    pub(super) fn known(&self, waker: &Waker) -> Result<u64, StoreFault> {
        let mut state = self.state.lock();
        self.take(&mut state, waker)?;
        Ok(state.end)
    }

    fn hear(&self) -> Result<Hearing, StoreFault> {
        let link = self.line.link()?;
        let channel = self.line.channel(&link)?;
        let mut arguments = FieldTable::default();
        arguments.insert(OFFSET.into(), AMQPValue::LongString("last".into()));
        let queue = short(&self.queue)?;
        let stream = self.line.wait(async {
            channel
                .basic_qos(WINDOW, BasicQosOptions::default())
                .await?;
            let options = BasicConsumeOptions::default();
            channel
                .basic_consume(queue, "".into(), options, arguments)
                .await
        })?;
        Ok(Hearing {
            link,
            channel,
            stream,
        })
    }

    /// Takes what has come.
    fn take(&self, state: &mut State, waker: &Waker) -> Result<(), StoreFault> {
        let mut cx = Context::from_waker(waker);
        let mut tag = None;
        let mut come = Vec::new();
        let Some(hearing) = &mut state.hearing else {
            return Ok(());
        };
        while let Poll::Ready(Some(one)) = Pin::new(&mut hearing.stream).poll_next(&mut cx) {
            let one = one
                .map_err(|error| unavailable(format!("`{}` sends no more: {error}", self.queue)))?;
            tag = Some(one.delivery_tag);
            come.push(Parcel {
                properties: one.properties,
                body: one.data,
            });
        }
        if let Some(tag) = tag {
            let all = BasicAckOptions { multiple: true };
            self.line.wait(hearing.channel.basic_ack(tag, all))?;
        }
        for parcel in come {
            let offset = parcel.number(OFFSET).unwrap_or_default();
            // Others have come in between, if the connection was lost.
            if offset > state.end {
                state.last.clear();
                state.bytes = 0;
            }
            if offset >= state.end {
                state.end = offset + 1;
                state.bytes += parcel.size();
                state.last.push_back((offset, parcel));
            }
        }
        while state.last.len() > KEPT || state.bytes > KEPT_BYTES {
            let Some((_, gone)) = state.last.pop_front() else {
                break;
            };
            state.bytes -= gone.size();
        }
        Ok(())
    }

    /// Up to so many records from an offset on, as far as they are kept, and the offset up to which these are
    /// all. It is before the end.
    pub(super) fn page(
        &self,
        from: u64,
        most: usize,
    ) -> Result<(Vec<(u64, Parcel)>, u64), StoreFault> {
        let state = self.state.lock();
        let end = state.end.min(from.saturating_add(most as u64));
        let first = state.last.front().map_or(state.end, |(offset, _)| *offset);
        if from >= first {
            let skipped = usize::try_from(from - first).unwrap_or(usize::MAX);
            let found = state.last.iter().skip(skipped).take(most).cloned();
            return Ok((found.collect(), end));
        }
        drop(state);
        let mut found = Vec::new();
        self.pages.read(From::Offset(from), |offset, parcel| {
            if offset < end {
                found.push((offset, parcel));
            }
            offset + 1 >= end
        })?;
        // Who is sent no more has not seen what is there.
        let is_all = found.last().is_some_and(|(offset, _)| offset + 1 >= end);
        if from < end && !is_all {
            let queue = &self.queue;
            return Err(unavailable(format!("`{queue}` gives less than it has")));
        }
        Ok((found, end))
    }

    /// The first record that is kept, if there is one before this end.
    pub(super) fn first(&self, end: u64) -> Result<Option<u64>, StoreFault> {
        if end == 0 {
            return Ok(None);
        }
        let mut first = None;
        self.pages.read(From::First, |offset, _| {
            first = Some(offset);
            true
        })?;
        Ok(first)
    }
}

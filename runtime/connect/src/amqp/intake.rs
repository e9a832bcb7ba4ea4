//! The channel on which the messages of a queue come.
//!
//! A server sends what it has to whoever has said that he takes so many, and each counts as delivered once
//! it is on its way. So nobody says so before he has been asked: one consumer after the other is begun,
//! each for as many as are wanted and do not come anyway. One that has got all that it takes is given up
//! then; one on the way to which there may be something is not, since the server would have that back and
//! count it. Who wants many at a time has the next ones sent while he works.
//!
//! No answer says that there is nothing. But what was sent before a question is answered lies before the
//! answer: two questions after a consumer has begun show all that there was.

use std::collections::BTreeSet;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_util::Stream;
use lapin::options::{
    BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicNackOptions, BasicQosOptions,
    QueueDeclareOptions,
};
use lapin::types::FieldTable;
use lapin::{Channel, Consumer};
use paperflow_core::connector::StoreFault;

use super::line::{Line, Link, short};
use super::wire::Parcel;

/// Who wants so many at a time has more sent meanwhile.
const MANY: usize = 64;
/// No consumer is begun for more.
const MOST: usize = u16::MAX as usize;
/// How often a server is asked that says that there is something and sends nothing.
const QUESTIONS: usize = 10;
/// How long each time it may take to send it.
const A_WHILE: Duration = Duration::from_millis(200);

/// A message that has come.
pub(super) struct Come {
    pub(super) tag: u64,
    pub(super) parcel: Parcel,
}

/// See the module.
pub(super) struct Intake {
    line: Arc<Line>,
    link: Arc<Link>,
    channel: Channel,
    queue: String,
    /// No other of this queue has it.
    pub(super) number: u64,
    consumers: Vec<Taking>,
    begun: u64,
    /// What has come and is not given back or settled.
    held: BTreeSet<u64>,
    waker: Waker,
}

/// A consumer, as the server knows it.
struct Taking {
    name: String,
    stream: Consumer,
    /// So many may come before one of them is settled.
    most: usize,
    /// What has come and is not settled.
    held: BTreeSet<u64>,
    is_given_up: bool,
}

impl Taking {
    /// Nothing can be on its way to it.
    fn is_full(&self) -> bool {
        self.held.len() >= self.most
    }
}

impl Intake {
    /// A channel for a queue; `waker` is called when something comes.
    pub(super) fn open(
        line: &Arc<Line>,
        queue: &str,
        number: u64,
        waker: Waker,
    ) -> Result<Self, StoreFault> {
        let link = line.link()?;
        let channel = line.channel(&link)?;
        Ok(Self {
            line: Arc::clone(line),
            link,
            channel,
            queue: queue.to_owned(),
            number,
            consumers: Vec::new(),
            begun: 0,
            held: BTreeSet::new(),
            waker,
        })
    }

    /// Whether what it holds is still its own.
    pub(super) fn is_there(&self) -> bool {
        self.link.is_there() && self.channel.status().connected()
    }

    /// How many more come without anybody asking.
    fn open_for(&self) -> usize {
        let taking = self.consumers.iter().filter(|one| !one.is_given_up);
        taking
            .map(|one| one.most.saturating_sub(one.held.len()))
            .sum()
    }

    /// Sees to it that so many more come, if there are as many, and takes what there is.
    pub(super) fn ask_for(&mut self, most: usize, into: &mut Vec<Come>) -> Result<(), StoreFault> {
        let most = most.clamp(1, MOST);
        self.take(into)?;
        if !into.is_empty() && most >= MANY {
            return Ok(());
        }
        let wanted = most.saturating_sub(self.open_for());
        if wanted > 0 && (most < MANY || self.open_for() == 0) {
            self.give_up(Taking::is_full, into)?;
            self.begin(wanted)?;
        }
        let mut quiet = 0;
        for _ in 0..QUESTIONS {
            let ready = self.ready()?;
            self.take(into)?;
            if into.len() >= most || (most >= MANY && !into.is_empty()) {
                break;
            }
            if ready > 0 && self.open_for() > 0 {
                quiet = 0;
                self.await_one(into)?;
                continue;
            }
            quiet += 1;
            if quiet == 2 {
                break;
            }
        }
        Ok(())
    }

    /// Waits a while until something comes.
    fn await_one(&mut self, into: &mut Vec<Come>) -> Result<(), StoreFault> {
        let before = into.len();
        let mut fault = None;
        let line = Arc::clone(&self.line);
        let coming = poll_fn(|cx| {
            match self.take_with(cx, into) {
                Ok(()) if into.len() == before => return Poll::Pending,
                Ok(()) => {}
                Err(found) => fault = Some(found),
            }
            Poll::Ready(())
        });
        // Nothing may come after all: somebody else may have it.
        let _ = line.wait_for(A_WHILE, coming);
        fault.map_or_else(|| self.take(into), Err)
    }

    /// Says that so many are taken.
    fn begin(&mut self, most: usize) -> Result<(), StoreFault> {
        let most = if most >= MANY {
            (2 * most).min(MOST)
        } else {
            most
        };
        self.begun += 1;
        let name = format!("paperflow.{}", self.begun);
        let (queue, tag) = (short(&self.queue)?, short(&name)?);
        let channel = &self.channel;
        let prefetch = u16::try_from(most).unwrap_or(u16::MAX);
        let stream = self.line.wait(async {
            let qos = BasicQosOptions::default();
            channel.basic_qos(prefetch, qos).await?;
            let options = BasicConsumeOptions::default();
            channel
                .basic_consume(queue, tag, options, FieldTable::default())
                .await
        })?;
        self.consumers.push(Taking {
            name,
            stream,
            most,
            held: BTreeSet::new(),
            is_given_up: false,
        });
        Ok(())
    }

    /// Takes what has come by now.
    pub(super) fn take(&mut self, into: &mut Vec<Come>) -> Result<(), StoreFault> {
        let waker = self.waker.clone();
        self.take_with(&mut Context::from_waker(&waker), into)
    }

    fn take_with(&mut self, cx: &mut Context<'_>, into: &mut Vec<Come>) -> Result<(), StoreFault> {
        for taking in &mut self.consumers {
            while let Poll::Ready(Some(come)) = Pin::new(&mut taking.stream).poll_next(cx) {
                let come = come.map_err(|error| {
                    crate::fault::unavailable(format!("`{}` sends no more: {error}", self.queue))
                })?;
                taking.held.insert(come.delivery_tag);
                self.held.insert(come.delivery_tag);
                into.push(Come {
                    tag: come.delivery_tag,
                    parcel: Parcel {
                        properties: come.properties,
                        body: come.data,
                    },
                });
            }
        }
        Ok(())
    }

    /// Nothing more comes; what was on its way is taken.
    pub(super) fn stop(&mut self, into: &mut Vec<Come>) -> Result<(), StoreFault> {
        self.give_up(|_| true, into)
    }

    fn give_up(
        &mut self,
        which: impl Fn(&Taking) -> bool,
        into: &mut Vec<Come>,
    ) -> Result<(), StoreFault> {
        let given_up = self.consumers.iter_mut();
        for taking in given_up.filter(|one| !one.is_given_up && which(one)) {
            let tag = short(&taking.name)?;
            let cancelled = self
                .channel
                .basic_cancel(tag, BasicCancelOptions::default());
            self.line.wait(cancelled)?;
            taking.is_given_up = true;
        }
        self.take(into)?;
        self.consumers.retain(|one| !one.is_given_up);
        Ok(())
    }

    /// Says that these are done.
    pub(super) fn done(&mut self, tags: &BTreeSet<u64>) -> Result<(), StoreFault> {
        self.forget(tags);
        let first_held = self.held.first().copied().unwrap_or(u64::MAX);
        // Of those before all that is held the last one stands for all.
        let all_up_to = tags.range(..first_held).next_back().copied();
        let alone = tags.range(first_held..).map(|tag| (*tag, false));
        let acks: Vec<(u64, bool)> = all_up_to
            .map(|tag| (tag, true))
            .into_iter()
            .chain(alone)
            .collect();
        let channel = &self.channel;
        self.line.wait(async {
            for (tag, multiple) in acks {
                channel.basic_ack(tag, BasicAckOptions { multiple }).await?;
            }
            Ok(())
        })
    }

    /// Gives these back to the server, which counts that.
    pub(super) fn give_back(&mut self, tags: &BTreeSet<u64>) -> Result<(), StoreFault> {
        self.forget(tags);
        let channel = &self.channel;
        self.line.wait(async {
            for tag in tags {
                let options = BasicNackOptions {
                    requeue: true,
                    multiple: false,
                };
                channel.basic_nack(*tag, options).await?;
            }
            Ok(())
        })
    }

    fn forget(&mut self, tags: &BTreeSet<u64>) {
        for tag in tags {
            self.held.remove(tag);
            for taking in &mut self.consumers {
                taking.held.remove(tag);
            }
        }
    }

    /// How many are ready; whatever was said before on this channel has been heard.
    pub(super) fn ready(&self) -> Result<u64, StoreFault> {
        let name = short(&self.queue)?;
        let options = QueueDeclareOptions::durable().passive();
        let asked = self
            .channel
            .queue_declare(name, options, FieldTable::default());
        self.line
            .wait(asked)
            .map(|queue| u64::from(queue.message_count()))
    }

    /// Gives back all that it holds.
    pub(super) fn close(self) {
        if self.is_there()
            && let Err(fault) = self.line.wait(self.channel.close(200, "done".into()))
        {
            tracing::debug!("a channel ends with its connection: {fault}");
        }
    }
}

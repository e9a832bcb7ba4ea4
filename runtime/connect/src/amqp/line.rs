//! The line to a server: one connection, which may be away for a while, and channels over it.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use lapin::options::{
    ExchangeDeclareOptions, ExchangeDeleteOptions, QueueDeclareOptions, QueueDeleteOptions,
};
use lapin::protocol::{AMQPErrorKind, AMQPHardError, AMQPSoftError};
use lapin::types::{FieldTable, ShortString};
use lapin::{Channel, Connection, ConnectionProperties, ErrorKind, ExchangeKind};
use paperflow_core::connector::{StoreFault, StoreFaultKind};
use parking_lot::Mutex;
use tokio::runtime::Handle;

use super::place::Place;
use crate::broker::Address;
use crate::broker::patience::insist;
use crate::broker::presence::{Presence, session};
use crate::broker::tasks;
use crate::clock::Clock;
use crate::fault::{unavailable, unsupported};

/// How long somebody else may take to make a stream.
const MAKING: Duration = Duration::from_secs(5);
/// After this a server has found a connection to be dead on which nothing has come.
const SILENT: Duration = Duration::from_secs(25);
/// After this it has what was held over one that has ended.
const SOON: Duration = Duration::from_secs(1);

/// A line to a server.
pub(super) struct Line {
    runtime: Handle,
    place: Place,
    pub(super) address: Address,
    /// What all names begin with.
    pub(super) prefix: String,
    pub(super) clock: Arc<dyn Clock>,
    /// Who this is, among all who use the server.
    pub(super) session: String,
    pub(super) presence: Presence,
    /// How long the server may take to answer.
    answer: Duration,
    link: Mutex<Option<Arc<Link>>>,
    /// Until when a server may not yet have back what was held over a connection that was lost.
    recovers: Mutex<Option<Instant>>,
    /// Held by whoever calls the server.
    dialling: Mutex<()>,
    is_cut: AtomicBool,
    made: AtomicU64,
}

/// A connection.
pub(super) struct Link {
    connection: Connection,
    /// No other connection of this line has it.
    pub(super) number: u64,
    /// The server has not answered over it.
    is_given_up: AtomicBool,
    /// For what is asked about queues and exchanges.
    control: Mutex<Option<Channel>>,
}

impl Link {
    pub(super) fn is_there(&self) -> bool {
        !self.is_given_up.load(Ordering::Acquire) && self.connection.status().connected()
    }
}

/// What a declaration says of a queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// Messages that nobody holds.
    pub(super) ready: u64,
    pub(super) consumers: u32,
}

impl Line {
    /// A line to the server at an address; nobody has been called yet.
    pub(super) fn new(
        address: &Address,
        place: Place,
        prefix: String,
        answer: Duration,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StoreFault> {
        let session = session();
        Ok(Self {
            runtime: tasks::runtime()?,
            place,
            presence: Presence::new(address, &session),
            address: address.clone(),
            prefix,
            clock,
            session,
            answer,
            link: Mutex::default(),
            recovers: Mutex::default(),
            dialling: Mutex::default(),
            is_cut: AtomicBool::new(false),
            made: AtomicU64::new(0),
        })
    }

    /// Does something on the runtime, and waits for it for as long as a server may take to answer. One that
    /// does not is given up.
    pub(super) fn wait<T>(
        &self,
        what: impl Future<Output = Result<T, lapin::Error>>,
    ) -> Result<T, StoreFault> {
        self.answered(what)?.map_err(|error| self.fault(&error))
    }

    fn answered<T>(
        &self,
        what: impl Future<Output = Result<T, lapin::Error>>,
    ) -> Result<Result<T, lapin::Error>, StoreFault> {
        let asked = Instant::now();
        if let Some(answer) = tasks::wait(&self.runtime, self.answer, what) {
            return Ok(answer);
        }
        let silent = self.silent();
        self.presence.missed(asked, &silent);
        self.give_up();
        Err(unavailable(format!("`{}` {silent}", self.address)))
    }

    /// Gives up a connection over which nobody answers, and says so as long as somebody may hear it.
    fn give_up(&self) {
        let Some(link) = self.link.lock().take() else {
            return;
        };
        link.is_given_up.store(true, Ordering::Release);
        *self.recovers.lock() = Some(Instant::now() + SILENT);
        drop(self.runtime.spawn(async move {
            let closing = link.connection.close(200, "nobody answers".into());
            if tokio::time::timeout(SILENT, closing).await.is_err() {
                tracing::debug!("a connection is left to the server, which will find it dead");
            }
        }));
    }

    /// Whether a server may not yet have back what was held over a connection that was lost: it has less
    /// than it will.
    pub(super) fn recovers(&self) -> bool {
        let until = *self.recovers.lock();
        until.is_some_and(|until| Instant::now() < until)
    }

    fn silent(&self) -> String {
        let most = self.answer.as_secs_f64();
        format!("has not answered within {most:.1} s")
    }

    /// Waits for something on the runtime, but not longer than this; nothing when it takes longer.
    pub(super) fn wait_for<T>(&self, most: Duration, what: impl Future<Output = T>) -> Option<T> {
        tasks::wait(&self.runtime, most, what)
    }

    /// The connection; a new one if there is none, unless the server was away a moment ago, or somebody
    /// else is calling it.
    pub(super) fn link(&self) -> Result<Arc<Link>, StoreFault> {
        if self.is_cut() {
            let message = format!("the store at `{}` is closed", self.address);
            return Err(StoreFault::new(StoreFaultKind::Taken, message));
        }
        let current = || {
            let kept = self.link.lock();
            let there = kept.as_ref().filter(|link| link.is_there());
            there.map(Arc::clone)
        };
        if let Some(link) = current() {
            return Ok(link);
        }
        let refused = |reason: String| {
            Err(unavailable(format!(
                "`{}` cannot be reached: {reason}",
                self.address
            )))
        };
        let Some(_calling) = self.dialling.try_lock() else {
            return refused(String::from("it is being called"));
        };
        if let Some(link) = current() {
            return Ok(link);
        }
        if let Some(reason) = self.presence.rests() {
            return refused(reason);
        }
        let dialled = self.dial();
        match &dialled {
            Ok(_) => self.presence.note(None),
            Err((why, _)) => self.presence.note(Some(why)),
        }
        let link = dialled.map_err(|(_, fault)| fault)?;
        let lost = self.link.lock().replace(Arc::clone(&link));
        if lost.is_some() {
            let soon = Instant::now() + SOON;
            let mut recovers = self.recovers.lock();
            *recovers = Some(recovers.map_or(soon, |until| until.max(soon)));
        }
        Ok(link)
    }

    /// Calls the server: a connection, or in a few words why there is none.
    fn dial(&self) -> Result<Arc<Link>, (String, StoreFault)> {
        let properties = ConnectionProperties::default().with_connection_name("paperflow".into());
        let dialled = self.place.dial(properties);
        let connection = match tasks::wait(&self.runtime, self.answer, dialled) {
            Some(Ok(connection)) => connection,
            Some(Err(error)) => return Err((error.to_string(), self.fault(&error))),
            None => {
                let silent = self.silent();
                let fault = unavailable(format!("`{}` {silent}", self.address));
                return Err((silent, fault));
            }
        };
        Ok(Arc::new(Link {
            connection,
            number: self.made.fetch_add(1, Ordering::AcqRel) + 1,
            is_given_up: AtomicBool::new(false),
            control: Mutex::default(),
        }))
    }

    /// A new channel of the connection.
    pub(super) fn channel(&self, link: &Link) -> Result<Channel, StoreFault> {
        self.wait(link.connection.create_channel())
    }

    /// The channel on which things are asked; another one after something was refused, which ends a
    /// channel.
    fn control(&self, link: &Link) -> Result<Channel, StoreFault> {
        let mut control = link.control.lock();
        if let Some(channel) = control.as_ref().filter(|one| one.status().connected()) {
            return Ok(channel.clone());
        }
        let channel = self.channel(link)?;
        *control = Some(channel.clone());
        Ok(channel)
    }

    /// Asks something on the channel for it.
    pub(super) fn ask<T, F>(&self, what: impl FnOnce(Channel) -> F) -> Result<T, StoreFault>
    where
        F: Future<Output = Result<T, lapin::Error>>,
    {
        let link = self.link()?;
        let channel = self.control(&link)?;
        self.wait(what(channel))
    }

    /// Does something that a server may refuse, on a channel of its own: a refusal ends a channel, and
    /// whoever else waits there for something would be told of it.
    fn ask_alone<T, F>(&self, what: impl FnOnce(Channel) -> F) -> Result<T, StoreFault>
    where
        F: Future<Output = Result<T, lapin::Error>>,
    {
        let channel = self.channel(&*self.link()?)?;
        let asking = what(channel.clone());
        self.wait(async {
            let answer = asking.await?;
            channel.close(200, "done".into()).await?;
            Ok(answer)
        })
    }

    /// Makes a queue, if it is not there.
    pub(super) fn declare_queue(
        &self,
        name: &str,
        arguments: &[(&str, Argument)],
    ) -> Result<Counts, StoreFault> {
        let (name, arguments) = (short(name)?, table(arguments));
        let counts = self.ask_alone(async |channel| {
            let options = QueueDeclareOptions::durable();
            channel.queue_declare(name, options, arguments).await
        })?;
        Ok(of(&counts))
    }

    /// Makes a stream, if it is not there. A server fails when a stream is made twice at once, or written to
    /// while it is made and shows already; so one at a time looks.
    pub(super) fn declare_stream(
        &self,
        name: &str,
        arguments: &[(&str, Argument)],
    ) -> Result<(), StoreFault> {
        let making = format!("{name}.making");
        insist(name, MAKING, || {
            if !self.declare_exclusive(&making)? {
                return Err(unavailable(format!("somebody else makes `{name}`")));
            }
            let made = match self.count(name)? {
                Some(_) => Ok(()),
                None => self.declare_queue(name, arguments).map(|_| ()),
            };
            self.remove_queue(&making)?;
            made
        })
    }

    /// Makes an exchange, if it is not there.
    pub(super) fn declare_exchange(
        &self,
        name: &str,
        kind: ExchangeKind,
    ) -> Result<(), StoreFault> {
        let name = short(name)?;
        let options = ExchangeDeclareOptions {
            durable: true,
            ..ExchangeDeclareOptions::default()
        };
        self.ask_alone(async |channel| {
            channel
                .exchange_declare(name, kind, options, FieldTable::default())
                .await
        })
    }

    /// Lets an exchange give what is sent there under a key to a queue.
    pub(super) fn bind(&self, queue: &str, exchange: &str, key: &str) -> Result<(), StoreFault> {
        let (queue, exchange, key) = (short(queue)?, short(exchange)?, short(key)?);
        self.ask(async |channel| {
            let (options, none) = (Default::default(), FieldTable::default());
            channel
                .queue_bind(queue, exchange, key, options, none)
                .await
        })
    }

    /// How much is in queues that are there, all asked in one go.
    pub(super) fn counts(&self, names: &[String]) -> Result<Vec<Counts>, StoreFault> {
        let names: Vec<ShortString> = names
            .iter()
            .map(|name| short(name))
            .collect::<Result<_, _>>()?;
        self.ask(async |channel| {
            let asked = names.into_iter().map(|name| {
                let options = QueueDeclareOptions::durable().passive();
                channel.queue_declare(name, options, FieldTable::default())
            });
            let counts = futures_util::future::try_join_all(asked).await?;
            Ok(counts.iter().map(of).collect())
        })
    }

    /// How much is in a queue; nothing when there is no such queue.
    pub(super) fn count(&self, name: &str) -> Result<Option<Counts>, StoreFault> {
        let link = self.link()?;
        let (channel, name) = (self.channel(&link)?, short(name)?);
        let options = QueueDeclareOptions::durable().passive();
        let asked = self.answered(async {
            let counts = channel.queue_declare(name, options, FieldTable::default());
            let counts = counts.await;
            if counts.is_ok() {
                channel.close(200, "done".into()).await?;
            }
            counts
        })?;
        match asked {
            Ok(counts) => Ok(Some(of(&counts))),
            Err(error) if soft(&error) == Some(&AMQPSoftError::NOTFOUND) => Ok(None),
            Err(error) => Err(self.fault(&error)),
        }
    }

    /// Ends what [`bind`](Self::bind) has begun.
    pub(super) fn unbind(&self, queue: &str, exchange: &str, key: &str) -> Result<(), StoreFault> {
        let (queue, exchange, key) = (short(queue)?, short(exchange)?, short(key)?);
        self.ask(async |channel| {
            let none = FieldTable::default();
            channel.queue_unbind(queue, exchange, key, none).await
        })
    }

    /// Removes a queue and what is in it; nothing happens when it is not there.
    pub(super) fn remove_queue(&self, name: &str) -> Result<(), StoreFault> {
        let name = short(name)?;
        let options = QueueDeleteOptions::default();
        self.ask(async |channel| channel.queue_delete(name, options).await)
            .map(|_| ())
    }

    /// Removes an exchange; nothing happens when it is not there.
    pub(super) fn remove_exchange(&self, name: &str) -> Result<(), StoreFault> {
        let name = short(name)?;
        let options = ExchangeDeleteOptions::default();
        self.ask(async |channel| channel.exchange_delete(name, options).await)
    }

    /// Makes a queue that is there as long as this connection, or until it is removed; gives whether it
    /// is ours, and not another connection's.
    pub(super) fn declare_exclusive(&self, name: &str) -> Result<bool, StoreFault> {
        let name = short(name)?;
        let made = self.ask_alone(async |channel| {
            let options = QueueDeclareOptions::exclusive();
            channel
                .queue_declare(name, options, FieldTable::default())
                .await
        });
        match made {
            Err(fault) if fault.kind() == StoreFaultKind::Taken && !self.is_cut() => Ok(false),
            made => made.map(|_| true),
        }
    }

    /// Whether there is such a queue, whoever has it.
    pub(super) fn is_exclusive(&self, name: &str) -> Result<bool, StoreFault> {
        match self.count(name) {
            Err(fault) if fault.kind() == StoreFaultKind::Taken && !self.is_cut() => Ok(true),
            found => found.map(|counts| counts.is_some()),
        }
    }

    /// Nothing goes over the line any more.
    pub(super) fn cut(&self) {
        self.is_cut.store(true, Ordering::Release);
        let link = self.link.lock().take();
        if let Some(link) = link.filter(|link| link.is_there()) {
            // Who does not hear that we go will see it.
            let closed = self.wait(link.connection.close(200, "done".into()));
            if let Err(fault) = closed {
                tracing::debug!("the line is cut off: {fault}");
            }
        }
    }

    pub(super) fn is_cut(&self) -> bool {
        self.is_cut.load(Ordering::Acquire)
    }

    /// A name on the server.
    pub(super) fn named(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// An error, as a fault of the store.
    fn fault(&self, error: &lapin::Error) -> StoreFault {
        let address = &self.address;
        let ErrorKind::ProtocolError(said) = error.kind() else {
            return unavailable(format!("`{address}` cannot be reached: {error}"));
        };
        match said.kind() {
            AMQPErrorKind::Soft(AMQPSoftError::RESOURCELOCKED) => {
                let message = format!("`{address}`: somebody else has it: {said}");
                StoreFault::new(StoreFaultKind::Taken, message)
            }
            AMQPErrorKind::Soft(AMQPSoftError::ACCESSREFUSED)
            | AMQPErrorKind::Hard(AMQPHardError::NOTALLOWED | AMQPHardError::INVALIDPATH) => {
                unsupported(format!("`{address}` refuses us: {said}"))
            }
            AMQPErrorKind::Soft(AMQPSoftError::PRECONDITIONFAILED)
            | AMQPErrorKind::Hard(AMQPHardError::NOTIMPLEMENTED) => {
                unsupported(format!("`{address}` keeps it otherwise: {said}"))
            }
            _ => unavailable(format!("`{address}` cannot do it now: {said}")),
        }
    }
}

/// A value in a table of arguments.
pub(super) enum Argument {
    Text(String),
    Number(i64),
}

fn table(arguments: &[(&str, Argument)]) -> FieldTable {
    let mut table = FieldTable::default();
    for (name, value) in arguments {
        let value = match value {
            Argument::Text(text) => lapin::types::AMQPValue::LongString(text.as_str().into()),
            Argument::Number(number) => lapin::types::AMQPValue::LongLongInt(*number),
        };
        table.insert((*name).into(), value);
    }
    table
}

fn of(queue: &lapin::Queue) -> Counts {
    Counts {
        ready: u64::from(queue.message_count()),
        consumers: queue.consumer_count(),
    }
}

/// What a server says that ends a channel, and not the connection.
pub(super) fn soft(error: &lapin::Error) -> Option<&AMQPSoftError> {
    match error.kind() {
        ErrorKind::ProtocolError(said) => match said.kind() {
            AMQPErrorKind::Soft(soft) => Some(soft),
            AMQPErrorKind::Hard(_) => None,
        },
        _ => None,
    }
}

/// A name, as the protocol has it.
pub(super) fn short(name: &str) -> Result<ShortString, StoreFault> {
    ShortString::try_new(name).map_err(|_| {
        unsupported(format!(
            "`{name}` is longer than the 255 bytes that a name may have in RabbitMQ"
        ))
    })
}

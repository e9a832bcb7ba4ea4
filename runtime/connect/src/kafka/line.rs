//! What is asked of the brokers: each question is answered in bounded time, or refused.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use paperflow_core::connector::StoreFault;
use parking_lot::Mutex;
use rdkafka::admin::{AdminClient, AdminOptions, NewPartitions, NewTopic, TopicReplication};
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::topic_partition_list::TopicPartitionListElem;
use rdkafka::{Offset as Place, TopicPartitionList};

use super::book;
use super::health::{Ear, Health, is_settling};
use super::roll::Roll;
use super::settings::Settings;
use super::topic::topic;
use crate::broker::Address;
use crate::broker::patience::{Backoff, insist};
use crate::broker::presence::{Presence, session};
use crate::clock::Clock;
use crate::fault::{unavailable, unsupported};
use crate::stream::mark::Offset;

/// How long it may take until all brokers know of a new topic.
const SPREAD: Duration = Duration::from_secs(20);

/// How long one looks whether any broker is there.
const GLANCE: Duration = Duration::from_secs(2);

/// Nobody has been asked for so long: it is looked whether any broker is there. The client tells of it at times,
/// and an error that it has told before it keeps to itself for 30 s.
const QUIET: Duration = Duration::from_secs(3);

/// So long one listens why there was no answer.
const HEARING: Duration = Duration::from_millis(50);

/// A client that is younger has not asked in vain for long.
const FRESH: Duration = Duration::from_secs(5);

/// A partition: its topic, and its number there.
pub(super) type Part<'a> = (&'a str, i32);

/// Asks the brokers.
pub(super) struct Line {
    pub(super) health: Arc<Health>,
    pub(super) settings: Settings,
    pub(super) clock: Arc<dyn Clock>,
    /// Names this opening of the store.
    pub(super) session: String,
    config: ClientConfig,
    clients: Mutex<Arc<Clients>>,
    /// A topic that is there, to ask for when it is only of interest whether anybody answers.
    known: String,
    /// When that was last done.
    looked: Mutex<Instant>,
    is_cut: AtomicBool,
}

/// Those who ask.
struct Clients {
    asker: BaseConsumer<Ear>,
    admin: AdminClient<Ear>,
    /// Those who ask for groups, of which they are no members.
    clerks: Mutex<BTreeMap<String, Arc<BaseConsumer<Ear>>>>,
    made: Instant,
}

impl Clients {
    fn new(config: &ClientConfig, ear: &Ear) -> KafkaResult<Self> {
        Ok(Self {
            asker: config.create_with_context(ear.clone())?,
            admin: config.create_with_context(ear.clone())?,
            clerks: Mutex::default(),
            made: Instant::now(),
        })
    }
}

impl Line {
    pub(super) fn new(
        address: &Address,
        settings: Settings,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StoreFault> {
        let session = session();
        let health = Arc::new(Health::new(Presence::new(address, &session)));
        let config = settings.config(address);
        let refused = |error: KafkaError| unsupported(format!("no client can be made: {error}"));
        let clients = Clients::new(&config, &Ear(Arc::clone(&health))).map_err(refused)?;
        Ok(Self {
            health,
            known: topic(&settings.prefix, book::NAME)?,
            settings,
            clock,
            session,
            config,
            clients: Mutex::new(Arc::new(clients)),
            looked: Mutex::new(Instant::now()),
            is_cut: AtomicBool::new(false),
        })
    }

    /// What every client is made with.
    pub(super) fn config(&self) -> ClientConfig {
        self.config.clone()
    }

    /// A client with settings of its own.
    pub(super) fn consumer<C: ConsumerContext>(
        &self,
        own: &[(&str, &str)],
        context: C,
    ) -> Result<BaseConsumer<C>, StoreFault> {
        let mut config = self.config();
        for (name, value) in own {
            config.set(*name, *value);
        }
        let made = config.create_with_context(context);
        made.map_err(|error| self.health.fault(&error))
    }

    /// A client that is in no group and is told what to read.
    pub(super) fn browser(&self) -> Result<BaseConsumer<Ear>, StoreFault> {
        let own = [
            ("group.id", "paperflow-browser"),
            ("enable.auto.commit", "false"),
            ("auto.offset.reset", "earliest"),
        ];
        self.consumer(&own, Ear(Arc::clone(&self.health)))
    }

    /// Nothing is asked any more.
    pub(super) fn cut(&self) {
        self.is_cut.store(true, Ordering::Release);
    }

    pub(super) fn is_cut(&self) -> bool {
        self.is_cut.load(Ordering::Acquire)
    }

    /// Asks, unless it is known that nobody would answer; asks again while the brokers have yet to agree on who
    /// is to answer.
    pub(super) fn ask<T>(
        &self,
        what: impl Fn(Duration) -> KafkaResult<T>,
    ) -> Result<T, StoreFault> {
        let end = Instant::now() + self.settings.answer;
        let mut backoff = Backoff::of(&self.session);
        loop {
            if self.is_cut() {
                return Err(unavailable("the store is closed"));
            }
            if self.health.is_away() {
                return Err(self.health.away());
            }
            let asked = Instant::now();
            let error = match what(self.settings.answer) {
                Ok(answer) => {
                    self.health.heard();
                    return Ok(answer);
                }
                Err(error) => error,
            };
            tracing::debug!("`{}`: {error}", self.health.presence.address());
            let rest = backoff.rest();
            match error.rdkafka_error_code() {
                Some(code) if is_settling(code) && Instant::now() + rest < end => {
                    thread::sleep(rest);
                }
                _ => {
                    self.hear();
                    return Err(self.health.fault_since(asked, &error));
                }
            }
        }
    }

    fn clients(&self) -> Arc<Clients> {
        Arc::clone(&self.clients.lock())
    }

    /// Hears why the client that asks has no answer, which it tells one by one.
    fn hear(&self) {
        let (clients, end) = (self.clients(), Instant::now() + HEARING);
        while Instant::now() < end {
            let left = end.saturating_duration_since(Instant::now());
            if let Some(Err(error)) = clients.asker.poll(left) {
                tracing::debug!("{error}");
            }
        }
    }

    /// Hears what has happened; whether a broker is there again that was not.
    pub(super) fn look(&self, wait: Duration) -> bool {
        let clients = self.clients();
        if let Some(Err(error)) = clients.asker.poll(wait) {
            tracing::debug!("{error}");
        }
        let was_away = self.health.is_away();
        let is_doubtful = self.health.is_doubted();
        let is_to_try = match was_away {
            true => self.health.presence.rests().is_none(),
            false => is_doubtful || self.looked.lock().elapsed() >= QUIET,
        };
        if is_to_try {
            let asked = Instant::now();
            // Who only asks to be sure waits as long as anybody.
            let wait = match was_away || is_doubtful {
                true => self.settings.answer.min(GLANCE),
                false => self.settings.answer,
            };
            match clients.asker.fetch_metadata(Some(&self.known), wait) {
                Ok(_) => self.health.heard(),
                Err(error) if was_away => {
                    self.health.tried(&error);
                    self.renew(&clients);
                }
                Err(error) => self.health.lost(asked, &error),
            }
            *self.looked.lock() = Instant::now();
        }
        was_away && !self.health.is_away()
    }

    /// Others ask the next time. A client that has heard of no broker any more, as it does while the last one
    /// goes in good order, may not find one again (librdkafka 2.12).
    fn renew(&self, clients: &Clients) {
        if clients.made.elapsed() < FRESH {
            return;
        }
        match Clients::new(&self.config, &Ear(Arc::clone(&self.health))) {
            Ok(new) => *self.clients.lock() = Arc::new(new),
            Err(error) => tracing::debug!("no client can be made: {error}"),
        }
    }

    /// How many partitions a topic has; nothing when it is not there.
    pub(super) fn partitions(&self, topic: &str) -> Result<Option<usize>, StoreFault> {
        let metadata = self.ask(|wait| self.clients().asker.fetch_metadata(Some(topic), wait))?;
        let found = metadata.topics().iter().find(|found| found.name() == topic);
        let found = found.filter(|found| found.error().is_none());
        Ok(found
            .map(|found| found.partitions().len())
            .filter(|count| *count > 0))
    }

    /// The names of all topics.
    pub(super) fn topics(&self) -> Result<Vec<String>, StoreFault> {
        let metadata = self.ask(|wait| self.clients().asker.fetch_metadata(None, wait))?;
        let topics = metadata.topics().iter();
        Ok(topics.map(|topic| topic.name().to_owned()).collect())
    }

    /// Makes a topic if it is not there, with at least so many partitions; gives how many it has.
    pub(super) fn make(
        &self,
        topic: &str,
        partitions: u32,
        config: &[(&str, String)],
    ) -> Result<usize, StoreFault> {
        let wanted = partitions.max(1) as usize;
        match self.partitions(topic)? {
            None => self.create(topic, wanted, config)?,
            Some(known) if known < wanted => self.grow(topic, wanted)?,
            Some(known) => return Ok(known),
        }
        insist(topic, SPREAD, || {
            let known = self.partitions(topic)?.filter(|known| *known >= wanted);
            known.ok_or_else(|| unavailable(format!("the topic `{topic}` is not there yet")))
        })
    }

    fn create(
        &self,
        topic: &str,
        partitions: usize,
        config: &[(&str, String)],
    ) -> Result<(), StoreFault> {
        let replicas = TopicReplication::Fixed(self.settings.replicas);
        let count = i32::try_from(partitions).unwrap_or(i32::MAX);
        let new = NewTopic::new(topic, count, replicas);
        let new = config
            .iter()
            .fold(new, |new, (name, value)| new.set(name, value));
        let made = self.administer(|admin, options| admin.create_topics([&new], options))?;
        self.unless_done(made, RDKafkaErrorCode::TopicAlreadyExists)
    }

    fn grow(&self, topic: &str, partitions: usize) -> Result<(), StoreFault> {
        let new = NewPartitions::new(topic, partitions);
        let made = self.administer(|admin, options| admin.create_partitions([&new], options))?;
        // Somebody else has made as many, or more.
        self.unless_done(made, RDKafkaErrorCode::InvalidPartitions)
    }

    /// Whether it was done, now or before.
    fn unless_done(
        &self,
        results: Vec<Result<String, (String, RDKafkaErrorCode)>>,
        done: RDKafkaErrorCode,
    ) -> Result<(), StoreFault> {
        for result in results {
            match result {
                Err((_, code)) if code != done => {
                    return Err(self.health.fault(&KafkaError::Global(code)));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn administer<T, F: Future<Output = KafkaResult<T>>>(
        &self,
        what: impl Fn(&AdminClient<Ear>, &AdminOptions) -> F,
    ) -> Result<T, StoreFault> {
        self.ask(|wait| {
            let options = AdminOptions::new()
                .request_timeout(Some(wait))
                .operation_timeout(Some(wait));
            let clients = self.clients();
            wait_for(what(&clients.admin, &options), 2 * wait).unwrap_or(Err(KafkaError::Canceled))
        })
    }

    /// Forgets a group that nobody reads for.
    pub(super) fn forget(&self, group: &str) -> Result<(), StoreFault> {
        let results = self.administer(|admin, options| admin.delete_groups(&[group], options))?;
        for result in results {
            result.map_err(|(group, code)| {
                unsupported(format!("the group `{group}` cannot be forgotten: {code}"))
            })?;
        }
        Ok(())
    }

    /// A place in each of some partitions: `End`, `Beginning`, or, as an offset, the first record of that time
    /// or later, in milliseconds since 1970; nothing where there is no such record.
    pub(super) fn places(
        &self,
        parts: &[Part<'_>],
        at: Place,
    ) -> Result<Vec<Option<Offset>>, StoreFault> {
        if parts.is_empty() {
            return Ok(Vec::new());
        }
        let mut list = TopicPartitionList::with_capacity(parts.len());
        for (topic, partition) in parts {
            let added = list.add_partition_offset(topic, *partition, at);
            added.map_err(|error| self.health.fault(&error))?;
        }
        self.ask(|wait| {
            let list = self.clients().asker.offsets_for_times(list.clone(), wait)?;
            each(&list, parts, |found| offset_of(found.offset()))
        })
    }

    /// The end of each of some partitions.
    pub(super) fn ends(&self, parts: &[Part<'_>]) -> Result<Vec<Offset>, StoreFault> {
        let ends = self.places(parts, Place::End)?.into_iter();
        Ok(ends.map(Option::unwrap_or_default).collect())
    }

    /// The first offset that is kept in each of some partitions.
    pub(super) fn starts(&self, parts: &[Part<'_>]) -> Result<Vec<Offset>, StoreFault> {
        let starts = self.places(parts, Place::Beginning)?.into_iter();
        Ok(starts.map(Option::unwrap_or_default).collect())
    }

    /// What is committed for some partitions, by whoever asks for a group, with its note.
    pub(super) fn committed<C: ConsumerContext>(
        &self,
        clerk: &BaseConsumer<C>,
        parts: &[Part<'_>],
    ) -> Result<Vec<Option<(Offset, String)>>, StoreFault> {
        let mut list = TopicPartitionList::with_capacity(parts.len());
        for (topic, partition) in parts {
            list.add_partition(topic, *partition);
        }
        self.ask(|wait| {
            let list = clerk.committed_offsets(list.clone(), wait)?;
            each(&list, parts, |found| {
                let offset = offset_of(found.offset())?;
                Some((offset, found.metadata().to_owned()))
            })
        })
    }

    /// Somebody who asks for a group, and is no member of it.
    pub(super) fn clerk(&self, group: &str) -> Result<Arc<BaseConsumer<Ear>>, StoreFault> {
        let clients = self.clients();
        let mut clerks = clients.clerks.lock();
        if let Some(clerk) = clerks.get(group) {
            return Ok(Arc::clone(clerk));
        }
        let own = [("group.id", group), ("enable.auto.commit", "false")];
        let clerk = Arc::new(self.consumer(&own, Ear(Arc::clone(&self.health)))?);
        clerks.insert(group.to_owned(), Arc::clone(&clerk));
        Ok(clerk)
    }

    /// The groups that there are, by the beginning of their names.
    pub(super) fn groups(&self, beginning: &str) -> Result<Vec<Roll>, StoreFault> {
        let groups = self.ask(|wait| self.clients().asker.fetch_group_list(None, wait))?;
        let groups = groups.groups().iter();
        let own = groups.filter(|group| group.name().starts_with(beginning));
        Ok(own.map(Roll::of).collect())
    }

    /// Who is in a group.
    pub(super) fn roll(&self, group: &str) -> Result<Roll, StoreFault> {
        let groups = self.ask(|wait| self.clients().asker.fetch_group_list(Some(group), wait))?;
        let found = groups.groups().iter().find(|found| found.name() == group);
        Ok(found.map(Roll::of).unwrap_or_default())
    }
}

/// What is found for each of some partitions, unless one could not be looked up.
fn each<T>(
    list: &TopicPartitionList,
    parts: &[Part<'_>],
    found: impl Fn(&TopicPartitionListElem<'_>) -> Option<T>,
) -> KafkaResult<Vec<Option<T>>> {
    let parts = parts.iter();
    parts
        .map(
            |(topic, partition)| match list.find_partition(topic, *partition) {
                Some(element) => element.error().map(|()| found(&element)),
                None => Ok(None),
            },
        )
        .collect()
}

fn offset_of(place: Place) -> Option<Offset> {
    match place {
        Place::Offset(offset) => Offset::try_from(offset).ok(),
        _ => None,
    }
}

/// Wakes the thread that waits.
struct Bell(Thread);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Waits for something on this thread; nothing when it takes longer.
fn wait_for<T>(what: impl Future<Output = T>, most: Duration) -> Option<T> {
    let end = Instant::now() + most;
    let mut what = pin!(what);
    let waker = Waker::from(Arc::new(Bell(thread::current())));
    loop {
        if let Poll::Ready(done) = what.as_mut().poll(&mut Context::from_waker(&waker)) {
            return Some(done);
        }
        let left = end.checked_duration_since(Instant::now())?;
        thread::park_timeout(left);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_never_comes_is_not_waited_for() {
        assert_eq!(wait_for(std::future::ready(1), Duration::ZERO), Some(1));
        let never = std::future::pending::<()>();
        assert_eq!(wait_for(never, Duration::from_millis(1)), None);
    }
}

//! A network that is one part of a graph: what it tells the other parts, and learns from them.
//!
//! Each program that runs a part keeps one note in the store that the parts share, an [`Account`]: what
//! it writes to no more, and whether anything moves in it. A thread reads the notes of the others now and
//! then. From them it knows which connectors nobody elsewhere writes to any more, so that their receivers
//! may end; and when nothing moves in any part and nothing is on its way between them (see `quiet`), so
//! that cycles that lead through several parts end as they would in one.

mod account;
mod anew;
mod cycles;
mod quiet;
mod seen;
mod watch;

pub(crate) use account::Account;
pub(crate) use watch::keep_on;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};
use paperflow_core::connector::{Connector, Notes, Outlook, Store, StoreFault};
use paperflow_graph::plan::{self, Plan};
use parking_lot::Mutex;

use seen::Seen;

/// A part that cannot read notes for so long is not ready.
const DEAF: Duration = Duration::from_secs(3);

/// What a network knows of its being a part.
pub(crate) struct Part {
    graph: String,
    notes: Arc<dyn Notes>,
    /// The number of the run.
    epoch: u64,
    /// Stores that several parts use, each with the number of its run.
    stores: Vec<(Arc<dyn Store>, u64)>,
    /// The name of its part, and that of its note.
    pub(crate) name: String,
    note: String,
    whole: Plan,
    connectors: BTreeMap<String, Crossing>,
    /// The processes that send to them.
    pub(crate) senders: Vec<(String, usize)>,
    /// Links to which nothing is sent in this life.
    closed: Vec<usize>,
    account: Mutex<Account>,
    seen: Mutex<Seen>,
    /// When the notes of the others were last read.
    heard: Mutex<Instant>,
    poke: Receiver<()>,
    bell: Sender<()>,
}

/// A connector that a store keeps which several parts can reach.
struct Crossing {
    connector: Arc<dyn Connector>,
    kind: plan::ConnectorKind,
    /// The parts that write to it.
    writers: BTreeSet<String>,
    /// The parts that read it.
    readers: BTreeSet<String>,
    /// The groups that read it.
    groups: BTreeSet<String>,
    shore: Arc<Shore>,
}

/// One such connector, as its sender and its receivers in this part see it.
pub(crate) struct Shore {
    /// Whoever reads it elsewhere and gets only what is sent from then on is there, or is not waited for any
    /// more.
    is_listened_to: AtomicBool,
    /// Nobody elsewhere writes to it any more.
    is_over: AtomicBool,
    /// Nobody elsewhere reads it any more.
    is_deserted: AtomicBool,
    /// Its sender here has ended.
    has_ended: AtomicBool,
    /// Its sender had ended before, in this same run: whatever it is given now has been sent.
    was_ended: bool,
    bell: Sender<()>,
}

impl Shore {
    pub(crate) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Acquire)
    }

    /// Nobody elsewhere reads it any more.
    pub(crate) fn is_deserted(&self) -> bool {
        self.is_deserted.load(Ordering::Acquire)
    }

    /// Whether all are there who would miss what is sent.
    pub(crate) fn is_listened_to(&self) -> bool {
        self.is_listened_to.load(Ordering::Acquire)
    }

    pub(crate) const fn was_ended(&self) -> bool {
        self.was_ended
    }

    /// Nothing is sent from here any more, and all that was sent is safe.
    pub(crate) fn end(&self) {
        self.has_ended.store(true, Ordering::Release);
        // It has been rung when it is full.
        let _rung = self.bell.try_send(());
    }
}

/// What a receiver has handed out.
#[derive(Default)]
pub(crate) struct Unsettled {
    /// Messages so far.
    pub(crate) delivered: AtomicU64,
    /// Those that nobody has settled, when it last found nothing.
    pub(crate) here: AtomicUsize,
    /// Those in other hands.
    pub(crate) elsewhere: AtomicUsize,
}

impl Unsettled {
    pub(crate) fn delivered(&self, messages: usize) {
        self.delivered.fetch_add(messages as u64, Ordering::AcqRel);
    }

    pub(crate) fn found(&self, outlook: Outlook) {
        self.here.store(outlook.unsettled, Ordering::Release);
        self.elsewhere.store(outlook.elsewhere, Ordering::Release);
    }
}

/// The name of a connector among all of a graph.
pub(crate) fn key(store: Option<&str>, name: &str) -> String {
    store.map_or_else(|| name.to_owned(), |store| format!("{store}:{name}"))
}

pub(crate) fn key_of(connector: &plan::Connector) -> String {
    key(connector.store.as_deref(), &connector.name)
}

/// What a part is made of before it is told of its connectors.
pub(crate) struct Beginning {
    pub(crate) graph: String,
    pub(crate) share: plan::Share,
    pub(crate) copy: String,
    pub(crate) notes: Arc<dyn Notes>,
    pub(crate) epoch: u64,
}

impl Part {
    /// Makes itself known, before anything of it runs: from now on nobody takes it for gone. `connectors`
    /// are all of the graph that parts share.
    pub(crate) fn begin(
        beginning: Beginning,
        stores: Vec<(Arc<dyn Store>, u64)>,
        connectors: BTreeMap<String, Arc<dyn Connector>>,
    ) -> Result<Self, StoreFault> {
        let Beginning {
            graph,
            share,
            copy,
            notes,
            epoch,
        } = beginning;
        let name = share.whole.parts[share.part].name.clone();
        let note = format!("{name}/{copy}");
        let seen = Seen::of(notes.read()?, epoch);
        let account = Account::new(epoch, seen.account(&note));
        account.write(&*notes, &note)?;
        let (bell, poke) = bounded(1);
        let part = Self {
            connectors: crossings((&share.whole, &name), connectors, &account, &bell),
            whole: share.whole,
            senders: Vec::new(),
            closed: Vec::new(),
            account: Mutex::new(account),
            seen: Mutex::new(seen),
            graph,
            notes,
            epoch,
            stores,
            name,
            note,
            heard: Mutex::new(Instant::now()),
            poke,
            bell,
        };
        Ok(part)
    }

    /// As its sender and its receivers see a connector; nothing when it belongs to this part alone.
    pub(crate) fn shore(&self, connector: &plan::Connector) -> Option<Arc<Shore>> {
        let crossing = self.connectors.get(&key_of(connector))?;
        Some(Arc::clone(&crossing.shore))
    }

    /// The last word of this program: it has ended, or it has been cut short. If it is the last part of the
    /// graph to end, so has the run.
    pub(crate) fn conclude(
        &self,
        is_finished: bool,
        deserted: BTreeSet<String>,
    ) -> Result<(), StoreFault> {
        let mut account = self.account.lock();
        let sent = self.senders.iter().map(|(key, _)| key.clone());
        account.conclude(is_finished, sent.collect(), deserted);
        let mut seen = self.seen.lock();
        seen.update(self.notes.read()?, self.epoch);
        let found = seen.account(&self.note);
        if found.is_some_and(|found| account.is_replaced_by(found)) {
            // It is another program's note by now.
            return Ok(());
        }
        account.beat(&*self.notes, &self.note)?;
        if !is_finished {
            return Ok(());
        }
        seen.update(self.notes.read()?, self.epoch);
        let parts = self.whole.parts.iter();
        if parts
            .map(|part| &*part.name)
            .all(|part| seen.is_finished(part))
        {
            tracing::debug!(graph = %self.graph, run = self.epoch, "every part has ended");
            let mut stores = self.stores.iter();
            return stores.try_for_each(|(store, epoch)| store.finish(&self.graph, *epoch));
        }
        Ok(())
    }

    /// The connectors to which this part sends nothing any more: their senders have said so, or are over
    /// without having had anything to send.
    fn ended(&self, is_over: impl Fn(usize) -> bool) -> BTreeSet<String> {
        let ended = self.senders.iter().filter(|(key, sender)| {
            let shore = self.connectors.get(key).map(|crossing| &crossing.shore);
            let has_said =
                |shore: &Arc<Shore>| shore.was_ended || shore.has_ended.load(Ordering::Acquire);
            shore.is_some_and(has_said) || is_over(*sender)
        });
        ended.map(|(key, _)| key.clone()).collect()
    }

    /// Says that nothing is heard of the other parts, if that is so.
    pub(crate) fn is_deaf(&self) -> Option<String> {
        let silent = self.heard.lock().elapsed();
        (silent > DEAF).then(|| {
            let seconds = silent.as_secs();
            format!("the store in which the parts meet has not answered for {seconds} s")
        })
    }

    /// Wakes its thread, which ends if the network has.
    pub(crate) fn ring(&self) {
        let _rung = self.bell.try_send(());
    }
}

/// Who writes to each connector and who reads it.
fn crossings(
    (whole, own): (&Plan, &str),
    connectors: BTreeMap<String, Arc<dyn Connector>>,
    account: &Account,
    bell: &Sender<()>,
) -> BTreeMap<String, Crossing> {
    let of = |process: usize| {
        let mut parts = whole.parts.iter();
        let part = parts.find(|part| part.processes.contains(&process));
        part.map(|part| part.name.clone())
    };
    let mut all = BTreeMap::new();
    for (key, connector) in connectors {
        let links = whole.links.iter().filter_map(|link| {
            let found = link.connector.as_deref()?;
            (key_of(found) == key).then_some((link, found))
        });
        let mut crossing = Crossing {
            connector,
            kind: plan::ConnectorKind::default(),
            writers: BTreeSet::new(),
            readers: BTreeSet::new(),
            groups: BTreeSet::new(),
            shore: Arc::new(Shore {
                is_listened_to: AtomicBool::new(true),
                is_over: AtomicBool::new(false),
                is_deserted: AtomicBool::new(false),
                has_ended: AtomicBool::new(false),
                was_ended: account.has_ended(&key),
                bell: bell.clone(),
            }),
        };
        for (link, found) in links {
            crossing.kind = found.kind;
            crossing.groups.insert(found.group.clone());
            let writers = link.from.iter();
            let writers = writers.filter_map(|writer| of(writer.end.process));
            crossing.writers.extend(writers);
            crossing.readers.extend(of(link.to.process));
        }
        let is_heard = crossing.kind != plan::ConnectorKind::Pubsub
            || crossing.readers.iter().all(|part| part == own);
        let shore = &crossing.shore;
        shore.is_listened_to.store(is_heard, Ordering::Release);
        all.insert(key, crossing);
    }
    all
}

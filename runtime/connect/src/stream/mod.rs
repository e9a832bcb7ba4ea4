//! Streams: facts, appended in order and kept after they are read, for any number of groups.
//!
//! A stream is split into partitions ([`ring`]); each is a log of records ([`log`]). A group of consumers
//! reads all of it: its partitions are shared out among those who are there ([`shares`]), and how far it
//! has come in each is its *mark* ([`mark`]), which is written soon after it moves. After a crash a
//! group goes on from the marks that were written, so what was finished behind them comes again.
//!
//! A record that fails is left behind, tried again in its place, or copied, as the declaration says;
//! there is no lock on it, and it cannot be given back alone. Attempts are counted when they fail: a
//! crash is none.
//!
//! What bounds a stream is how long it is kept, not who has read it. Only with a `lag` its writers wait
//! for the slowest group that is there. Pages of records are read from the file as they are wanted, so
//! a slow group costs no memory.

pub mod admin;
mod copies;
pub(crate) mod group;
pub(crate) mod handed;
pub(crate) mod log;
pub(crate) mod mark;
mod reader;
mod retention;
pub(crate) mod ring;
pub(crate) mod shares;
mod write;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Waker;
use std::time::Duration;

use paperflow_core::connector::{
    Capabilities, Connector, ConnectorKind, Consumer, Declaration, Sent, StoreFault, Subscription,
};
use paperflow_core::failpoint;
use paperflow_core::message::Message;
use parking_lot::Mutex;

use crate::clock::Clock;
use crate::embedded;
use crate::fault::unsupported;
use crate::seen::Seen;
use crate::stream::group::{Group, Now, Rules};
use crate::stream::log::{Delayed, Shelf};
use crate::stream::mark::Offset;
use crate::stream::reader::Reader;
use crate::stream::ring::Key;
use crate::writer::{Keeper, Orders, Safe, Tx};

/// What streams can do here.
pub(crate) const CAPABILITIES: Capabilities = Capabilities {
    settles_each: false,
    requeues: false,
    delays: false,
    dead_letters: true,
    renews: false,
    orders: true,
    replays: true,
    knows_ids: true,
    transactions: true,
};

/// A stream of this store.
pub(crate) struct Stream {
    pub(crate) number: i64,
    pub(crate) name: String,
    orders: Orders,
    clock: Arc<dyn Clock>,
    seen: Seen,
    live: Mutex<Live>,
    teams: Mutex<BTreeMap<String, Arc<Team>>>,
}

/// What this process knows of a stream.
struct Live {
    declaration: Declaration,
    key: Key,
    /// The partitions as they are written, perhaps not safe yet. Only jobs look at them.
    shelves: Vec<Shelf>,
    /// The ends of the partitions, as they are safe.
    ends: Vec<Offset>,
    /// Copies that are to come back, by when, see [`Clock::elapsed`].
    delayed: BTreeMap<(Duration, log::Place), Delayed>,
    /// Those who wait for room.
    writers: Vec<Waker>,
    /// A job is ordered that removes records.
    is_trimming: bool,
    /// Or they will be, at a certain time.
    is_trim_timed: bool,
}

/// A group, and whether it will be saved.
struct Team {
    name: String,
    group: Mutex<Group>,
    is_ordered: AtomicBool,
}

/// A stream of this declaration, for whoever uses it.
pub(crate) fn connect(
    keeper: &Arc<Keeper>,
    declaration: &Declaration,
) -> Result<Arc<dyn Connector>, StoreFault> {
    let asked = declaration.clone();
    let stream = keeper.orders.call(Safe::FromPowerCut, move |tx| {
        let stream = open(tx, &asked)?;
        stream.declare(tx, asked)?;
        tx.opened.use_now(stream.number);
        Ok(stream)
    })?;
    let keeper = Arc::clone(keeper);
    Ok(Arc::new(Handle { stream, keeper }))
}

/// The stream of this name, if there is one.
pub(crate) fn find(tx: &mut Tx<'_>, name: &str) -> Result<Option<Arc<Stream>>, StoreFault> {
    if let Some(stream) = tx.opened.streams.get(name) {
        return Ok(Some(Arc::clone(stream)));
    }
    let sql = "SELECT declaration FROM connectors WHERE name = ? AND kind = 'stream'";
    let known: Option<String> = tx.row(sql, [name], |row| row.get(0))?;
    let Some(known) = known else {
        return Ok(None);
    };
    let known = serde_json::from_str(&known);
    let usual = |_| Declaration::new(name, ConnectorKind::Stream);
    open(tx, &known.unwrap_or_else(usual)).map(Some)
}

fn open(tx: &mut Tx<'_>, declaration: &Declaration) -> Result<Arc<Stream>, StoreFault> {
    if let Some(stream) = tx.opened.streams.get(&declaration.name) {
        return Ok(Arc::clone(stream));
    }
    let number = embedded::number(tx, declaration)?;
    let now = Now::of(&*tx.opened.clock);
    let shelves = log::partitions(tx, number, declaration.partitions.max(1))?;
    let delayed = log::delayed(tx, number, now)?;
    let live = Live {
        declaration: declaration.clone(),
        key: Key::of(declaration.key.as_deref()),
        ends: shelves.iter().map(|shelf| shelf.next).collect(),
        shelves,
        delayed: BTreeMap::new(),
        writers: Vec::new(),
        is_trimming: false,
        is_trim_timed: false,
    };
    let stream = Arc::new(Stream {
        number,
        name: declaration.name.clone(),
        orders: tx.opened.orders.clone(),
        clock: Arc::clone(&tx.opened.clock),
        seen: Seen::of(tx, number)?,
        live: Mutex::new(live),
        teams: Mutex::default(),
    });
    for copy in delayed {
        stream.await_copy(copy);
    }
    for name in log::groups(tx, number)? {
        stream.team(tx, &name)?;
    }
    let name = declaration.name.clone();
    tx.opened.streams.insert(name, Arc::clone(&stream));
    Ok(stream)
}

impl Stream {
    /// Somebody asks for a stream of this declaration: the last one counts.
    fn declare(self: &Arc<Self>, tx: &mut Tx<'_>, asked: Declaration) -> Result<(), StoreFault> {
        let known = self.live.lock().shelves.len();
        let wanted = asked.partitions.max(1);
        if (wanted as usize) < known {
            return Err(unsupported(format!(
                "the stream `{}` has {known} partitions, and cannot have {wanted}: \
                 records would lose their place",
                self.name
            )));
        }
        if (wanted as usize) > known {
            let shelves = log::partitions(tx, self.number, wanted)?;
            self.live.lock().shelves = shelves;
            self.grow_later(tx, known);
        }
        embedded::number(tx, &asked)?;
        let mut live = self.live.lock();
        live.key = Key::of(asked.key.as_deref());
        live.declaration = asked;
        drop(live);
        self.trim_later(tx);
        Ok(())
    }

    /// There are more partitions once that is safe.
    fn grow_later(self: &Arc<Self>, tx: &mut Tx<'_>, known: usize) {
        let stream = Arc::clone(self);
        tx.then(move |is_safe| {
            let mut live = stream.live.lock();
            if !is_safe {
                live.shelves.truncate(known);
                return;
            }
            let partitions = live.shelves.len();
            live.ends.resize(partitions, 0);
            drop(live);
            let teams = stream.teams.lock();
            for team in teams.values() {
                team.group.lock().grow(vec![Default::default(); partitions]);
            }
        });
    }

    /// The group of a name, which begins before the first record if it is new.
    fn team(self: &Arc<Self>, tx: &Tx<'_>, name: &str) -> Result<Arc<Team>, StoreFault> {
        if let Some(team) = self.teams.lock().get(name) {
            return Ok(Arc::clone(team));
        }
        let partitions = self.live.lock().shelves.len();
        let kept = log::group(tx, (self.number, name), partitions, self.now())?;
        let team = Arc::new(Team {
            name: name.to_owned(),
            group: Mutex::new(Group::new(name, kept)),
            is_ordered: AtomicBool::new(false),
        });
        self.teams.lock().insert(name.to_owned(), Arc::clone(&team));
        Ok(team)
    }

    fn now(&self) -> Now {
        Now::of(&*self.clock)
    }

    fn rules(&self) -> Rules {
        Rules::of(&self.live.lock().declaration)
    }

    /// Writes how far a group has come, soon.
    fn save_later(self: &Arc<Self>, team: &Arc<Team>) {
        if !team.is_ordered.swap(true, Ordering::AcqRel) {
            let (stream, team) = (Arc::clone(self), Arc::clone(team));
            self.orders.later(move |tx| stream.save(tx, &team));
        }
    }

    /// Writes how far a group has come. If it is refused it is tried again after a while.
    fn save(self: &Arc<Self>, tx: &mut Tx<'_>, team: &Arc<Team>) -> Result<(), StoreFault> {
        team.is_ordered.store(false, Ordering::Release);
        let unsaved = Arc::new(team.group.lock().unsaved());
        if !unsaved.is_empty() {
            failpoint!("settle_lost");
        }
        let (stream, again, taken) = (Arc::clone(self), Arc::clone(team), Arc::clone(&unsaved));
        tx.then(move |is_safe| {
            if is_safe && taken.iter().any(|unsaved| !unsaved.failures.is_empty()) {
                failpoint!("after_retry");
            }
            if !is_safe {
                again.group.lock().not_saved(&taken);
                stream.save_after_a_rest(&again);
            }
        });
        let now = self.now();
        for unsaved in unsaved.iter() {
            log::save_group(tx, (self.number, &team.name), unsaved, now)?;
        }
        Ok(())
    }

    fn save_after_a_rest(self: &Arc<Self>, team: &Arc<Team>) {
        const REST: Duration = Duration::from_millis(100);
        let (stream, team) = (Arc::clone(self), Arc::clone(team));
        let at = self.clock.elapsed() + REST;
        self.orders.at(at, move |tx| stream.save(tx, &team));
    }
}

/// A stream, for the engine.
struct Handle {
    stream: Arc<Stream>,
    keeper: Arc<Keeper>,
}

impl Connector for Handle {
    fn send(&self, messages: &[Message]) -> Result<Sent, StoreFault> {
        self.stream.send(messages)
    }

    fn room(&self, waker: &Waker) -> Result<usize, StoreFault> {
        Ok(self.stream.room(waker))
    }

    fn subscribe(&self, consumer: Consumer) -> Result<Arc<dyn Subscription>, StoreFault> {
        let stream = Arc::clone(&self.stream);
        let name = consumer.group.clone();
        let team = self
            .keeper
            .orders
            .call(Safe::FromCrash, move |tx| stream.team(tx, &name))?;
        let (stream, keeper) = (Arc::clone(&self.stream), Arc::clone(&self.keeper));
        Ok(Arc::new(Reader::new(stream, team, keeper, consumer)))
    }
}

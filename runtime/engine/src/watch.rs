//! The watch over a network that runs: who holds a worker for too long, and who holds up everybody.
//!
//! One thread looks now and then while anybody is busy, and sleeps while nobody is. It stops nothing:
//! it hires a spare worker, and it tells.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::network::Net;
use crate::options::Watch;
use crate::process::Life;
use crate::sync::Mutex;

/// A turn of a pooled process that takes longer is counted and reported.
pub const LONG_TURN: Duration = Duration::from_millis(10);

/// So many long turns are worth a notice, if at least one turn in so many was long.
pub(crate) const OFTEN: u64 = 10;

/// The watch looks so many times in the shortest time that is too long.
const LOOKS: u32 = 5;

/// So many notices are kept, the latest: a line that breaks every minute may do so for months.
const KEPT: usize = 1_000;

/// The watch sleeps after so many looks at which nobody was busy: waking it costs those who wake it.
const IDLE_LOOKS: u32 = 20;

/// A process that holds up others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Holder {
    /// The process.
    pub address: String,
    /// Its component.
    pub component: String,
    /// `file:line:column` of the process.
    pub origin: String,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} ({}) in component {}",
            self.address, self.origin, self.component
        )
    }
}

/// Something that goes on in a running network and ought not to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Notice {
    /// Nothing has moved for a while, because these processes do not come back from their code. They
    /// are not outside; whether they ever come back nobody can tell.
    Held {
        /// The processes, in text order.
        by: Vec<Holder>,
        /// For how long at least.
        time: Duration,
        /// Processes that could run if they had a worker.
        queued: usize,
    },
    /// A process has often held a worker of the pool for more than [`LONG_TURN`]. Told once.
    LongTurns {
        /// The process.
        by: Holder,
        /// How often so far.
        turns: u64,
        /// The longest so far.
        longest: Duration,
    },
    /// A store cannot do what it is asked, and is asked again and again.
    Refused {
        /// Who asks, such as `CONNECTOR[send]`.
        by: String,
        /// What the store says.
        message: String,
        /// For how long it is asked.
        limit: Duration,
    },
    /// A store cannot be reached, and is tried again.
    Away {
        /// What the graph calls it.
        store: String,
        /// What is wrong.
        message: String,
    },
    /// A store that could not be reached can be again.
    Back {
        /// What the graph calls it.
        store: String,
        /// How long it was away.
        time: Duration,
    },
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Held { by, time, queued } => {
                let names: Vec<_> = by.iter().map(ToString::to_string).collect();
                write!(
                    f,
                    "waiting on {}: active for {time:?}; ",
                    names.join(" and ")
                )?;
                match queued {
                    0 => f.write_str("nothing else can run"),
                    1 => f.write_str("1 other process waits for a worker"),
                    _ => write!(f, "{queued} other processes wait for a worker"),
                }
            }
            Self::LongTurns { by, turns, longest } => write!(
                f,
                "{by} has held a worker for more than {LONG_TURN:?} in {turns} turns, {longest:.0?} at worst; \
                 declare it `work = thread`, or let it do less at a time"
            ),
            Self::Refused { by, message, limit } => write!(
                f,
                "{by} is refused by its store: {message}; it goes on trying, for {limit:?} at most"
            ),
            Self::Away { store, message } => {
                write!(
                    f,
                    "the store `{store}` is away: {message}; it is tried again"
                )
            }
            Self::Back { store, time } => {
                write!(f, "the store `{store}` is back after {time:.1?}")
            }
        }
    }
}

type Listener = Arc<dyn Fn(&Notice) + Send + Sync>;

/// The notices so far, and who hears them.
#[derive(Default)]
pub(crate) struct Told(Mutex<Notices>);

#[derive(Default)]
struct Notices {
    all: Vec<Notice>,
    /// Who is refused by a store at this moment, and what it says.
    refused: BTreeMap<String, String>,
    /// The stores that cannot be reached at this moment, and why.
    away: BTreeMap<String, String>,
    listener: Option<Listener>,
}

impl Told {
    pub(crate) fn notify(&self, notice: Notice) {
        tracing::warn!("{notice}");
        let listener = {
            let mut notices = self.0.lock();
            if notices.all.len() == KEPT {
                notices.all.remove(0);
            }
            notices.all.push(notice.clone());
            match &notice {
                Notice::Refused { by, message, .. } => {
                    notices.refused.insert(by.clone(), message.clone());
                }
                Notice::Away { store, message } => {
                    notices.away.insert(store.clone(), message.clone());
                }
                Notice::Back { store, .. } => {
                    notices.away.remove(store);
                }
                Notice::Held { .. } | Notice::LongTurns { .. } => {}
            }
            notices.listener.clone()
        };
        if let Some(tell) = listener {
            tell(&notice);
        }
    }

    /// A store has done again what it was asked.
    pub(crate) fn served(&self, by: &str) {
        self.0.lock().refused.remove(by);
    }

    /// The stores that cannot be reached at this moment, who is refused, and what is said.
    pub(crate) fn troubles(&self) -> Vec<String> {
        let notices = self.0.lock();
        let away = notices.away.iter();
        let away = away.map(|(store, message)| format!("the store `{store}` is away: {message}"));
        let refused = notices.refused.iter();
        let refused = refused.map(|(by, message)| format!("{by}: {message}"));
        away.chain(refused).collect()
    }

    pub(crate) fn all(&self) -> Vec<Notice> {
        self.0.lock().all.clone()
    }

    pub(crate) fn listen(&self, listener: Listener) {
        let before = {
            let mut notices = self.0.lock();
            notices.listener = Some(Arc::clone(&listener));
            notices.all.clone()
        };
        before.iter().for_each(|notice| listener(notice));
    }
}

impl Net {
    /// Changes with every wake-up, every turn and every packet that moves.
    fn motion(&self) -> Motion {
        let turns = |sum: u64, process: &crate::process::Process| {
            sum.wrapping_add(process.tally.turns.load(Ordering::Relaxed))
        };
        let packets = self.links.iter().map(|link| link.counts());
        Motion {
            epoch: self.roster.epoch(),
            turns: self.processes.iter().fold(0, turns),
            packets: packets.fold(0, |sum, counts| sum + counts.sent + counts.received),
        }
    }

    /// The processes whose code runs and does not wait for the world.
    fn active(&self) -> Vec<Holder> {
        let is_active = |process: &&crate::process::Process| {
            process.life.get() == Life::Active
                && !process.is_outside.load(Ordering::Acquire)
                && !process.is_over.load(Ordering::Acquire)
        };
        let active = self.processes.iter().filter(is_active);
        active.map(crate::process::Process::holder).collect()
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Motion {
    epoch: u64,
    turns: u64,
    packets: u64,
}

/// The thread that watches.
pub(crate) struct Watching {
    net: Arc<Net>,
    limits: Watch,
    /// By post: what ran there, and since when.
    runs: Vec<(Option<u64>, Instant)>,
    spares: Vec<JoinHandle<()>>,
    still: Still,
}

/// Since when nothing has moved.
struct Still {
    motion: Motion,
    since: Instant,
    looked: Instant,
    /// The next notice comes after so long.
    notice: Duration,
}

impl Watching {
    pub(crate) fn new(net: Arc<Net>, limits: Watch) -> Self {
        let now = Instant::now();
        Self {
            runs: vec![(None, now); net.roster.posts().len()],
            spares: Vec::new(),
            still: Still {
                motion: net.motion(),
                since: now,
                looked: now,
                notice: limits.notice,
            },
            net,
            limits,
        }
    }

    /// Watches until the network stops.
    pub(crate) fn keep_on(mut self) {
        let shortest = if self.net.roster.workers() == 0 {
            self.limits.notice
        } else {
            self.limits.notice.min(self.limits.turn)
        };
        let pause = (shortest / LOOKS).max(Duration::from_millis(1));
        let mut idle = 0;
        while self.net.roster.pause(pause) {
            self.net.watched.fetch_add(1, Ordering::Relaxed);
            idle = if self.net.roster.is_busy() {
                0
            } else {
                idle + 1
            };
            if idle > IDLE_LOOKS {
                if !self.net.roster.sleep_while_idle() {
                    break;
                }
                idle = 0;
            }
            let now = Instant::now();
            self.relieve(now);
            self.look(now);
        }
        for spare in self.spares {
            // What a process panics with is caught at its turn.
            let _ended = spare.join();
        }
    }

    /// Hires a spare worker for each that is held up while others wait for one.
    fn relieve(&mut self, now: Instant) {
        let net = Arc::clone(&self.net);
        for (post, (run, since)) in net.roster.posts().iter().zip(&mut self.runs) {
            let mark = post.mark();
            if mark != *run {
                (*run, *since) = (mark, now);
            } else if mark.is_some()
                && now.duration_since(*since) >= self.limits.turn
                && let Some(number) = net.roster.relieve(post)
            {
                hire(&net, number, &mut self.spares);
            }
        }
    }

    /// Tells who holds up everybody, when nothing has moved for too long.
    fn look(&mut self, now: Instant) {
        let still = &mut self.still;
        if now.duration_since(still.looked) < self.limits.notice / LOOKS {
            return;
        }
        still.looked = now;
        let motion = self.net.motion();
        if motion != still.motion || !self.net.roster.is_busy() {
            (still.motion, still.since) = (motion, now);
            still.notice = self.limits.notice;
            return;
        }
        let by = if now.duration_since(still.since) >= still.notice {
            self.net.active()
        } else {
            Vec::new()
        };
        if !by.is_empty() {
            let (time, queued) = (still.notice, self.net.roster.queued());
            still.notice *= 2;
            self.net.told.notify(Notice::Held { by, time, queued });
        }
    }
}

fn hire(net: &Arc<Net>, number: usize, spares: &mut Vec<JoinHandle<()>>) {
    spares.retain(|spare| !spare.is_finished());
    let shared = Arc::clone(net);
    let body = move || shared.roster.work(number, |index| _ = shared.run(index));
    let thread = thread::Builder::new().name(format!("paperflow spare {number}"));
    match thread.spawn(body) {
        Ok(spare) => spares.push(spare),
        Err(error) => {
            net.roster.unrelieve(number);
            tracing::warn!("the system refused a spare worker: {error}");
        }
    }
}

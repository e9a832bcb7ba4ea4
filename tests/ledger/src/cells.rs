//! A row of the table of faults for one connector: what is done, and what must be so afterwards.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use nix::errno::Errno;
use nix::mount::{MsFlags, mount, umount};
use nix::sys::signal::Signal;

use crate::books::{Books, compare};
use crate::brokers;
use crate::chance::Chance;
use crate::child::{Child, End};
use crate::rows::{Deed, Reason, Row, why_not};
use crate::scene::{Connector, Plot, Scene};

/// What came of a row for a connector.
#[derive(Debug)]
pub(crate) enum Outcome {
    Passed(Passed),
    NotApplicable(Reason),
    Failed(String),
}

#[derive(Debug, Default)]
pub(crate) struct Passed {
    /// How often it was killed.
    pub(crate) kills: u32,
    /// Before the inbox of the ledger, and of those who count what was set aside.
    pub(crate) duplicates: u64,
    /// Calls of the handler whose effect outside was there already.
    pub(crate) repeated: u64,
    pub(crate) note: String,
}

/// What goes wrong in a cell, in one sentence.
#[derive(Debug)]
pub(crate) struct Wrong(String);

impl From<io::Error> for Wrong {
    fn from(error: io::Error) -> Self {
        Self(error.to_string())
    }
}

impl From<nix::Error> for Wrong {
    fn from(error: nix::Error) -> Self {
        Self(error.to_string())
    }
}

impl From<String> for Wrong {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Numbered packets in each network.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Packets {
    pub(crate) embedded: u64,
    pub(crate) broker: u64,
}

impl Packets {
    const fn of(self, connector: Connector) -> u64 {
        match connector.broker {
            None => self.embedded,
            Some(_) => self.broker,
        }
    }
}

/// Where cells are run, and how.
pub(crate) struct Stage {
    pub(crate) office: PathBuf,
    pub(crate) folder: PathBuf,
    /// With the embedded store, and with a broker.
    pub(crate) packets: Packets,
    pub(crate) seed: u64,
    /// How often a network is killed at its place before it may finish.
    pub(crate) kills: u32,
    pub(crate) servers: Servers,
}

/// Brokers of the ledger's own, by their names: what it leaves in them goes with them.
#[derive(Default)]
pub(crate) struct Servers(RefCell<BTreeMap<&'static str, brokers::Private>>);

impl Servers {
    /// Where one is; it is started for the first who asks.
    fn url(&self, name: &'static str) -> io::Result<String> {
        let mut servers = self.0.borrow_mut();
        let server = match servers.entry(name) {
            Entry::Occupied(server) => server.into_mut(),
            Entry::Vacant(place) => place.insert(private(name)?),
        };
        Ok(server.url().to_owned())
    }
}

fn private(name: &str) -> io::Result<brokers::Private> {
    let none = || io::Error::other(format!("there is no {name} here"));
    brokers::Private::new(name).ok_or_else(none)
}

impl Stage {
    /// Runs a row for a connector.
    pub(crate) fn run(&self, row: &Row, connector: Connector) -> Outcome {
        if let Some(reason) = why_not(row, connector) {
            return match reason.is_idle() {
                None => Outcome::NotApplicable(reason),
                Some(idle) => Outcome::Failed(format!("its reason leads nowhere: {idle}")),
            };
        }
        match self.play(row, connector) {
            Ok(passed) => Outcome::Passed(passed),
            Err(wrong) => Outcome::Failed(wrong.to_string()),
        }
    }

    fn play(&self, row: &Row, connector: Connector) -> Result<Passed, Wrong> {
        let plot = Plot::new(connector, self.packets.of(connector));
        let name = format!("{}-{}", row.name, connector.word());
        match row.deed {
            Deed::Kill {
                place,
                each,
                plot: change,
            } => {
                let mut plot = plot;
                change(&mut plot);
                self.kill(&name, plot, (place, each))
            }
            Deed::Pause => self.pause(&name, plot),
            Deed::Outage => self.outage(&name, plot),
            Deed::Rebalance => Err(String::from("the ledger cannot do that").into()),
            Deed::Drain => self.drain(&name, plot),
            Deed::Abandon => self.abandon(&name, plot),
            Deed::SecondSignal => self.second_signal(&name, plot),
            Deed::FullDisk => self.full_disk(&name, plot),
            Deed::Poison => self.poison(&name, plot),
        }
    }

    fn scene(&self, name: &str, mut plot: Plot) -> io::Result<Scene> {
        if let (Some(broker), None) = (plot.connector.broker, &plot.server) {
            plot.server = Some(self.servers.url(broker)?);
        }
        Scene::set(&self.office, self.folder.join(name), plot)
    }

    /// Kills a network at a place, again and again, and lets it finish.
    fn kill(&self, name: &str, plot: Plot, place: (&str, u64)) -> Result<Passed, Wrong> {
        let mut chance = Chance::of(self.seed, name);
        let mut most = (plot.packets / place.1).max(1);
        loop {
            let scene = self.scene(name, plot.clone())?;
            let (kills, is_over) = self.kill_at(&scene, place.0, (most, &mut chance))?;
            if kills > 0 {
                if !is_over {
                    finish(&scene)?;
                }
                return settled(&scene, kills);
            }
            if most == 1 {
                return Err(format!("it was never at `{}`", place.0).into());
            }
            most /= 2;
        }
    }

    /// Kills it at a place often enough, or until it finishes. Gives how often, and whether it has.
    fn kill_at(
        &self,
        scene: &Scene,
        place: &str,
        (most, chance): (u64, &mut Chance),
    ) -> Result<(u32, bool), Wrong> {
        for kills in 0..self.kills {
            let point = format!("{place}:kill@{}", chance.up_to(most));
            let child = scene.start(Some(&point), &[])?;
            match child.wait()? {
                End::Killed(Signal::SIGABRT) => {}
                End::Exit(0) => return Ok((kills, true)),
                end => return Err(unexpected(&child, end)),
            }
        }
        Ok((self.kills, false))
    }

    /// K19: nothing runs for longer than a lease; then whoever had something leased is at work with
    /// others who have it now. Where a lease is a connection, that is ended meanwhile.
    fn pause(&self, name: &str, mut plot: Plot) -> Result<Passed, Wrong> {
        plot.lease = 300;
        plot.workers = 2;
        let lease = plot.connector.lease();
        let broker = match lease {
            Some(_) => None,
            None => Some(own_broker(&mut plot)?),
        };
        let scene = self.scene(name, plot)?;
        let mut chance = Chance::of(self.seed, name);
        let point = format!("after_admit:stop@{}", chance.up_to(scene.plot.packets / 2));
        let child = scene.start(Some(&point), &[])?;
        match child.wait()? {
            End::Stopped => {}
            end => return Err(unexpected(&child, end)),
        }
        let other = scene.start_beside()?;
        let refused = other.wait()?;
        if refused != End::Exit(1) || !other.complaints()?.contains("in use by process") {
            return Err(unexpected(&other, refused));
        }
        if let Some(broker) = &broker {
            broker.hang_up();
        }
        // Time must go by: three leases.
        sleep(lease.unwrap_or_default() * 3);
        child.signal(Signal::SIGCONT)?;
        match child.wait()? {
            End::Exit(0) => {}
            end => return Err(unexpected(&child, end)),
        }
        let passed = settled(&scene, 0)?;
        let also = match broker {
            Some(_) => ", its connections are ended",
            None => "",
        };
        Ok(Passed {
            note: format!("another process is refused meanwhile{also}"),
            ..passed
        })
    }

    /// K20: the broker is killed again and again while the network runs, which waits for it.
    fn outage(&self, name: &str, mut plot: Plot) -> Result<Passed, Wrong> {
        // So that there is something left to do after each kill: 5 seconds in all, in which a broker comes back
        // several times.
        plot.pause = (5000 / plot.packets.max(1)).max(2);
        let broker = own_broker(&mut plot)?;
        let forgets = plot.connector.broker == Some("amqp");
        let scene = self.scene(name, plot)?;
        let child = scene.start(None, &[])?;
        if forgets {
            child.wait_for_lines(1);
            child.signal(Signal::SIGSTOP)?;
            // Time must go by.
            sleep(FORGETS);
            child.signal(Signal::SIGCONT)?;
        }
        for time in 1..=self.kills {
            child.wait_for_lines(scene.plot.packets / 10);
            broker.kill();
            child.wait_for_complaints(time, "the store `broker` is away")?;
            broker.start();
            child.wait_for_complaints(time, "the store `broker` is back")?;
        }
        match child.wait()? {
            End::Exit(0) => {}
            end => return Err(unexpected(&child, end)),
        }
        let passed = settled(&scene, 0)?;
        Ok(Passed {
            note: format!("{} kills of the broker", self.kills),
            ..passed
        })
    }

    /// K22: a signal stops the sources, and what is in the network is handled: the next run goes on
    /// there, and does nothing again. Only a source sends again what its broker does not know, which is
    /// known by who has a table.
    fn drain(&self, name: &str, plot: Plot) -> Result<Passed, Wrong> {
        let scene = self.scene(name, plot)?;
        let child = scene.start(None, &["--drain", "60s"])?;
        child.wait_for_lines(scene.plot.packets / 20);
        child.signal(Signal::SIGTERM)?;
        match child.wait()? {
            End::Exit(0) => {}
            end => return Err(unexpected(&child, end)),
        }
        let books = scene.books()?;
        let through = books.handled.len();
        compare("drained", &books.counted, books.arrived.keys().copied())?;
        finish(&scene)?;
        let passed = settled(&scene, 0)?;
        let knows_ids = scene.plot.connector.knows_ids();
        if passed.repeated > 0 || (knows_ids && passed.duplicates > 0) {
            return Err(format!("{passed:?} after a good end").into());
        }
        let also = match knows_ids {
            true => "",
            false => ", sent again to a broker that knows no ids",
        };
        Ok(Passed {
            note: format!("{through} drained{also}"),
            ..passed
        })
    }

    /// K22: what is not done at the deadline is told, and is there for the next run.
    fn abandon(&self, name: &str, plot: Plot) -> Result<Passed, Wrong> {
        let scene = self.scene(name, plot)?;
        let slow = ["--drain", "200ms", "--set", "Handle.PAUSE=10"];
        let child = scene.start(None, &slow)?;
        child.wait_for_lines(3);
        child.signal(Signal::SIGTERM)?;
        self.given_up(&scene, child)
    }

    /// K23: a second signal ends at once, as `kill -9` would.
    fn second_signal(&self, name: &str, plot: Plot) -> Result<Passed, Wrong> {
        let scene = self.scene(name, plot)?;
        let slow = ["--drain", "600s", "--set", "Handle.PAUSE=10"];
        let child = scene.start(None, &slow)?;
        child.wait_for_lines(3);
        child.signal(Signal::SIGTERM)?;
        child.wait_for_complaints(1, "stopping")?;
        child.signal(Signal::SIGTERM)?;
        self.given_up(&scene, child)
    }

    fn given_up(&self, scene: &Scene, child: Child) -> Result<Passed, Wrong> {
        let end = child.wait()?;
        let told = child.complaints()?;
        if end != End::Exit(5) || !told.contains("Handle") {
            return Err(unexpected(&child, end));
        }
        finish(scene)?;
        let passed = settled(scene, 0)?;
        Ok(Passed {
            note: String::from("exit 5, those who were not done are named"),
            ..passed
        })
    }

    /// K24: nothing can be written; then there is room again.
    fn full_disk(&self, name: &str, plot: Plot) -> Result<Passed, Wrong> {
        let scene = self.scene(name, plot)?;
        let disk = Disk::mount(scene.folder.join("store"))?;
        let patience = ["--patience", "200ms"];
        let child = match &disk {
            Some(_) => scene.start(None, &patience)?,
            None => scene.start_limited(LIMIT, &patience)?,
        };
        let is_told = |told: String| told.contains("full") || told.contains("disk I/O error");
        match child.wait()? {
            End::Exit(1) if is_told(child.complaints()?) => {}
            end => return Err(unexpected(&child, end)),
        }
        if let Some(disk) = &disk {
            disk.grow()?;
        }
        finish(&scene)?;
        let passed = settled(&scene, 0)?;
        let note = match &disk {
            Some(_) => format!("a tmpfs of {SMALL}, then of {LARGE}"),
            None => format!("files of {} KiB at most, then of any size", LIMIT / 2),
        };
        Ok(Passed { note, ..passed })
    }

    /// K25: what always fails is set aside after so many tries, and holds nobody up.
    fn poison(&self, name: &str, mut plot: Plot) -> Result<Passed, Wrong> {
        plot.poison = (plot.packets / 10).max(1);
        plot.retries = 2;
        plot.delay = 300;
        plot.is_copied = true;
        let scene = self.scene(name, plot)?;
        finish(&scene)?;
        let passed = settled(&scene, 0)?;
        let books = scene.books()?;
        for number in scene.poison() {
            let runs = books.handled.get(&number).copied().unwrap_or_default();
            if runs != 3 {
                return Err(format!("{number} was handled {runs} times with retries=2").into());
            }
        }
        let between = between_tries(&books, scene.poison().max());
        if between == 0 {
            return Err(String::from("nobody was handled between two tries").into());
        }
        Ok(Passed {
            repeated: 0,
            note: format!("3 runs each, {between} others between two of them"),
            ..passed
        })
    }
}

/// RabbitMQ forgets, for good, a queue that was made so shortly before it is killed (`tests/brokers/README.md`).
const FORGETS: Duration = Duration::from_secs(3);

/// A broker for this network alone.
fn own_broker(plot: &mut Plot) -> Result<brokers::Private, Wrong> {
    let broker = private(plot.connector.broker.unwrap_or_default())?;
    plot.server = Some(broker.url().to_owned());
    Ok(broker)
}

/// How many others were handled between the first two tries of a number.
fn between_tries(books: &Books, number: Option<u64>) -> usize {
    let mut tries = books
        .calls
        .iter()
        .enumerate()
        .filter(|(_, call)| Some(**call) == number);
    let first = tries.next().map(|(at, _)| at).unwrap_or_default();
    tries.next().map_or(0, |(second, _)| second - first - 1)
}

/// Lets a network run to its end.
fn finish(scene: &Scene) -> Result<(), Wrong> {
    let child = scene.start(None, &[])?;
    match child.wait()? {
        End::Exit(0) => Ok(()),
        end => Err(unexpected(&child, end)),
    }
}

/// Everything came through, and what was to be set aside was.
fn settled(scene: &Scene, kills: u32) -> Result<Passed, Wrong> {
    let child = scene.count_aside()?;
    match child.wait()? {
        End::Exit(0) => {}
        end => return Err(unexpected(&child, end)),
    }
    let books = scene.books()?;
    books.check(scene.good())?;
    compare("dead letters", &books.dead.counted, scene.poison())?;
    compare("invalid", &books.invalid.counted, scene.invalid())?;
    let aside = books.dead.duplicates() + books.invalid.duplicates();
    Ok(Passed {
        kills,
        duplicates: books.duplicates() + aside,
        repeated: books.repeated(scene.good()),
        note: match aside {
            0 => String::new(),
            aside => format!("{aside} of them set aside twice"),
        },
    })
}

fn unexpected(child: &Child, end: End) -> Wrong {
    Wrong(format!("it ended by {end:?}: {}", child.last_words()))
}

/// A disk of its own, in memory, for a store.
struct Disk(PathBuf);

const SMALL: &str = "512k";
const LARGE: &str = "256m";
/// Where no disk can be mounted, the size of a file, in blocks of 512 bytes.
const LIMIT: u64 = 1_200;

impl Disk {
    /// Nothing if this user may not mount any.
    fn mount(at: PathBuf) -> Result<Option<Self>, Wrong> {
        fs::create_dir_all(&at)?;
        match tmpfs(&at, MsFlags::empty(), SMALL) {
            Ok(()) => Ok(Some(Self(at))),
            Err(Errno::EPERM | Errno::EACCES) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn grow(&self) -> Result<(), Wrong> {
        Ok(tmpfs(&self.0, MsFlags::MS_REMOUNT, LARGE)?)
    }
}

fn tmpfs(at: &Path, flags: MsFlags, size: &str) -> nix::Result<()> {
    let size = format!("size={size}");
    mount(Some("ledger"), at, Some("tmpfs"), flags, Some(&*size))
}

impl Drop for Disk {
    fn drop(&mut self) {
        // What is left behind is seen.
        let _ = umount(&self.0);
    }
}

//! The networks that the ledger kills, each in a folder of its own.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use paperflow_graph::capabilities::{Can, EMBEDDED, STORES};
use paperflow_graph::plan::ConnectorKind;

use crate::books::Books;
use crate::brokers;
use crate::child::{Child, Order};

/// What the arcs of a scene are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Queue,
    Stream,
    Pubsub,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Queue, Self::Stream, Self::Pubsub];

    const fn of_graph(self) -> ConnectorKind {
        match self {
            Self::Queue => ConnectorKind::Queue,
            Self::Stream => ConnectorKind::Stream,
            Self::Pubsub => ConnectorKind::Pubsub,
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Queue => "queue",
            Self::Stream => "stream",
            Self::Pubsub => "pubsub",
        }
    }
}

/// What keeps the arcs of a scene: the embedded store, or a broker by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Connector {
    pub(crate) kind: Kind,
    pub(crate) broker: Option<&'static str>,
}

/// Brokers that connectors can be kept by: all that are known, so that none is left out in silence.
fn all_brokers() -> impl Iterator<Item = &'static str> {
    let others = STORES
        .iter()
        .filter(|store| store.feature != EMBEDDED.feature);
    others.map(|store| store.feature)
}

/// How long a program may be silent.
const LEASE: Duration = Duration::from_millis(300);
/// The same for Kafka.
const SESSION: Duration = Duration::from_secs(1);

/// All connectors, by this name.
pub(crate) const ALL: &str = "all";

impl Connector {
    /// Those of the embedded store.
    pub(crate) const EMBEDDED: [Self; 3] = {
        let [queue, stream, pubsub] = Kind::ALL;
        [Self::of(queue), Self::of(stream), Self::of(pubsub)]
    };

    const fn of(kind: Kind) -> Self {
        Self { kind, broker: None }
    }

    /// `queue`, or `redis-queue`.
    pub(crate) fn word(self) -> String {
        match self.broker {
            None => self.kind.word().to_owned(),
            Some(broker) => format!("{broker}-{}", self.kind.word()),
        }
    }

    /// What it can do; nothing where its broker has no such one.
    fn can(self) -> Option<Can> {
        let feature = self.broker.unwrap_or(EMBEDDED.feature);
        let mut stores = STORES.iter();
        let store = stores.find(|store| store.feature == feature)?;
        store.with(self.kind.of_graph())
    }

    /// Whether there is such a one at its broker.
    pub(crate) fn is_kept(self) -> bool {
        self.can().is_some()
    }

    /// Whether what is sent again is left out: a source that begins anew sends all of it once more.
    pub(crate) fn knows_ids(self) -> bool {
        self.can().is_some_and(|can| can.knows_ids)
    }

    /// How long a silent program keeps what it holds; nothing where that is its own for as long as its
    /// connection lives.
    pub(crate) fn lease(self) -> Option<Duration> {
        match self.broker {
            Some("amqp") => None,
            Some("kafka") => Some(SESSION),
            _ => Some(LEASE),
        }
    }

    /// The connectors of this name: `queue`, `redis-queue`, `redis` for all of a broker, or `all`.
    pub(crate) fn named(name: &str) -> Result<Vec<Self>, String> {
        let brokers = std::iter::once(None).chain(all_brokers().map(Some));
        let all = brokers.flat_map(|broker| Kind::ALL.map(|kind| Self { kind, broker }));
        let is_it = |one: &Self| name == ALL || one.word() == name || one.broker == Some(name);
        let found: Vec<Self> = all.filter(is_it).collect();
        match found.is_empty() {
            true => Err(format!("no connector is called `{name}`")),
            false => Ok(found),
        }
    }

    /// Where its broker is, with keys of its own for this scene; nothing for the embedded store.
    fn url(self, folder: &Path, server: Option<String>) -> io::Result<Option<String>> {
        let Some(broker) = self.broker else {
            return Ok(None);
        };
        let server = server.ok_or_else(|| io::Error::other("nobody said where it is"))?;
        let scene = folder.file_name().unwrap_or_default().to_string_lossy();
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.unwrap_or_default().as_millis();
        let url = brokers::corner(&server, &format!("{scene}-{now}"));
        Ok(Some(match broker {
            "amqp" | "mqtt" => url,
            "kafka" => format!("{url}&session={}", SESSION.as_secs_f64()),
            _ => format!("{url}&lease={}", LEASE.as_secs_f64()),
        }))
    }
}

/// What is asked of the handler and of the arc before it.
#[derive(Clone, Debug)]
pub(crate) struct Plot {
    pub(crate) connector: Connector,
    /// Where its broker is, if it has one.
    pub(crate) server: Option<String>,
    pub(crate) packets: u64,
    /// Every so many numbers cannot be read, fail once, fail always; 0 for none.
    pub(crate) invalid: u64,
    pub(crate) fails: u64,
    pub(crate) poison: u64,
    /// Milliseconds that the handler takes.
    pub(crate) pause: u64,
    pub(crate) workers: u32,
    pub(crate) retries: u32,
    /// Milliseconds.
    pub(crate) delay: u32,
    pub(crate) lease: u32,
    /// A record that fails is copied, others go on; for streams.
    pub(crate) is_copied: bool,
}

impl Plot {
    pub(crate) fn new(connector: Connector, packets: u64) -> Self {
        Self {
            connector,
            server: None,
            packets,
            invalid: 0,
            fails: 0,
            poison: 0,
            pause: 0,
            workers: 1,
            retries: 5,
            delay: 10,
            lease: 30_000,
            is_copied: false,
        }
    }

    /// Source, decode, three processes on bounded links, the one with the table last; and from there
    /// to the ledger, which counts what has not come before.
    fn graph(&self) -> String {
        let Self {
            packets,
            invalid,
            fails,
            poison,
            pause,
            workers,
            ..
        } = self;
        let instances = match workers {
            1 => String::new(),
            workers => format!(":instances={workers}"),
        };
        format!(
            "'{packets}' -> COUNT Numbers(flow/generate) OUT -> IN Decode(ledger/decode)\n\
             Decode OUT ->(8) IN First(flow/pass) OUT ->(8) IN Second(flow/pass) OUT ->(8) IN Handle(ledger/handle{instances})\n\
             Handle OUT -> IN Arrived(file/write) OUT -> IN Count(ledger/count) OUT -> IN Show(console/write)\n\
             '{invalid}' -> INVALID Decode\n\
             'effects.log' -> EFFECTS Handle\n\
             '{fails}' -> FAILS Handle\n\
             '{poison}' -> POISON Handle\n\
             '{pause}' -> PAUSE Handle\n\
             'arrived.log' -> DESTINATION Arrived\n\
             'true' -> APPEND Arrived\n\
             'counted.log' -> FILE Count\n"
        )
    }

    /// What is kept: the arcs into the decoder and into the ledger, and the tables.
    fn wiring(&self, via: &str) -> String {
        let Self {
            retries,
            delay,
            lease,
            workers,
            ..
        } = self;
        let kind = self.connector.kind.word();
        // Several workers have no table in common: what they send has the same ids, and that is all.
        let handled = match workers {
            1 => "[table.\"Handle.HANDLED\"]\n",
            _ => "",
        };
        let own = match self.connector.kind {
            Kind::Queue => format!("lease = \"{lease}ms\"\n"),
            Kind::Stream if self.is_copied => {
                String::from("on-error = \"copy\"\ncopy-to = \"later\"\n")
            }
            Kind::Stream => String::from("on-error = \"retry\"\n"),
            Kind::Pubsub => String::new(),
        };
        format!(
            "[arc.\"Numbers.OUT -> Decode.IN\"]\nkind = \"{kind}\"\nname = \"source\"\n{via}{own}\
             retries = {retries}\ndelay = \"{delay}ms\"\ndead-letter = \"dead\"\ninvalid = \"invalid\"\n\
             [arc.\"Handle.OUT -> Arrived.IN\"]\nkind = \"{kind}\"\nname = \"sink\"\n{via}\
             {handled}[table.\"Count.SEEN\"]\n"
        )
    }
}

/// What was set aside goes to ledgers as well.
const ASIDE: &str = "\
'0' -> COUNT Nobody(flow/generate) OUT -> IN Dead(file/write) OUT -> IN CountDead(ledger/count)
'0' -> COUNT NobodyElse(flow/generate) OUT -> IN Invalid(file/write) OUT -> IN CountInvalid(ledger/count)
'dead.log' -> DESTINATION Dead
'true' -> APPEND Dead
'dead-counted.log' -> FILE CountDead
'invalid.log' -> DESTINATION Invalid
'true' -> APPEND Invalid
'invalid-counted.log' -> FILE CountInvalid
";

fn aside_wiring(via: &str, broker: Option<&str>) -> String {
    // Kafka sets aside in streams: it keeps nothing else.
    let kind = match broker {
        Some("kafka") => "stream",
        _ => "queue",
    };
    format!(
        "[arc.\"Nobody.OUT -> Dead.IN\"]\nkind = \"{kind}\"\nname = \"dead\"\n{via}\
         [arc.\"NobodyElse.OUT -> Invalid.IN\"]\nkind = \"{kind}\"\nname = \"invalid\"\n{via}\
         [table.\"CountDead.SEEN\"]\n[table.\"CountInvalid.SEEN\"]\n"
    )
}

/// A folder with a graph, a store, and what the ledgers wrote.
pub(crate) struct Scene {
    pub(crate) folder: PathBuf,
    office: PathBuf,
    pub(crate) plot: Plot,
}

impl Scene {
    /// An empty folder with the graphs.
    pub(crate) fn set(office: &Path, folder: PathBuf, plot: Plot) -> io::Result<Self> {
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
        fs::write(folder.join("ledger.fbp"), plot.graph())?;
        let url = plot.connector.url(&folder, plot.server.clone())?;
        let store = url.map_or_else(String::new, |url| {
            format!("[store.broker]\nurl = \"{url}\"\n")
        });
        let via = match store.is_empty() {
            true => "",
            false => "via = \"broker\"\n",
        };
        let wiring = |arcs: String| arcs + &store;
        fs::write(folder.join("ledger.toml"), wiring(plot.wiring(via)))?;
        fs::write(folder.join("aside.fbp"), ASIDE)?;
        fs::write(
            folder.join("aside.toml"),
            wiring(aside_wiring(via, plot.connector.broker)),
        )?;
        let office = office.to_owned();
        Ok(Self {
            folder,
            office,
            plot,
        })
    }

    /// Starts the network, with a failpoint or none.
    pub(crate) fn start(&self, failpoint: Option<&str>, more: &[&str]) -> io::Result<Child> {
        self.order(("ledger", "stderr.log"), (failpoint, more, None))
    }

    /// Starts it when no file may have more blocks of 512 bytes.
    pub(crate) fn start_limited(&self, blocks: u64, more: &[&str]) -> io::Result<Child> {
        self.order(("ledger", "stderr.log"), (None, more, Some(blocks)))
    }

    /// Starts it while it runs already; what it says is kept apart.
    pub(crate) fn start_beside(&self) -> io::Result<Child> {
        self.order(("ledger", "beside.log"), (None, &[], None))
    }

    /// Counts what was set aside.
    pub(crate) fn count_aside(&self) -> io::Result<Child> {
        self.order(("aside", "aside.log"), (None, &[], None))
    }

    fn order(
        &self,
        (graph, complaints): (&str, &str),
        (failpoint, more, limit): (Option<&str>, &[&str], Option<u64>),
    ) -> io::Result<Child> {
        Child::start(&Order {
            office: &self.office,
            folder: &self.folder,
            graph: Path::new(&format!("{graph}.fbp")),
            wiring: Path::new(&format!("{graph}.toml")),
            data: Path::new("store"),
            failpoint,
            complaints: Path::new(complaints),
            more,
            limit,
        })
    }

    /// What the ledgers wrote.
    pub(crate) fn books(&self) -> io::Result<Books> {
        Books::read(&self.folder)
    }

    /// Numbers that are to be counted.
    pub(crate) fn good(&self) -> impl Iterator<Item = u64> {
        let Plot {
            packets,
            invalid,
            poison,
            ..
        } = self.plot;
        (1..=packets)
            .filter(move |number| !is_every(*number, invalid) && !is_every(*number, poison))
    }

    /// Numbers that cannot be read.
    pub(crate) fn invalid(&self) -> impl Iterator<Item = u64> {
        let interval = self.plot.invalid;
        (1..=self.plot.packets).filter(move |number| is_every(*number, interval))
    }

    /// Numbers that always fail.
    pub(crate) fn poison(&self) -> impl Iterator<Item = u64> {
        let Plot {
            packets,
            invalid,
            poison,
            ..
        } = self.plot;
        (1..=packets).filter(move |number| !is_every(*number, invalid) && is_every(*number, poison))
    }
}

const fn is_every(number: u64, interval: u64) -> bool {
    interval > 0 && number.is_multiple_of(interval)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_broker_is_left_out() {
        let all = Connector::named(ALL).unwrap();
        for store in STORES {
            let own = all.iter().filter(|one| match one.broker {
                None => store.feature == EMBEDDED.feature,
                Some(broker) => store.feature == broker,
            });
            let kept = own.filter(|one| one.is_kept()).count();
            let known = store.can.iter().flatten().count();
            assert_eq!(kept, known, "{}", store.name);
        }
    }
}

//! The networks that the ledger kills, each in a folder of its own.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::books::Books;
use crate::child::{Child, Order};

/// What keeps the arcs of a scene.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Connector {
    Queue,
    Stream,
    Pubsub,
}

impl Connector {
    pub(crate) const ALL: [Self; 3] = [Self::Queue, Self::Stream, Self::Pubsub];

    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Queue => "queue",
            Self::Stream => "stream",
            Self::Pubsub => "pubsub",
        }
    }
}

/// What is asked of the handler and of the arc before it.
#[derive(Clone, Debug)]
pub(crate) struct Plot {
    pub(crate) connector: Connector,
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
    fn wiring(&self) -> String {
        let Self {
            retries,
            delay,
            lease,
            workers,
            ..
        } = self;
        let kind = self.connector.word();
        // Several workers have no table in common: what they send has the same ids, and that is all.
        let handled = match workers {
            1 => "[table.\"Handle.HANDLED\"]\n",
            _ => "",
        };
        let own = match self.connector {
            Connector::Queue => format!("lease = \"{lease}ms\"\n"),
            Connector::Stream if self.is_copied => {
                String::from("on-error = \"copy\"\ncopy-to = \"later\"\n")
            }
            Connector::Stream => String::from("on-error = \"retry\"\n"),
            Connector::Pubsub => String::new(),
        };
        format!(
            "[arc.\"Numbers.OUT -> Decode.IN\"]\nkind = \"{kind}\"\nname = \"source\"\n{own}\
             retries = {retries}\ndelay = \"{delay}ms\"\ndead-letter = \"dead\"\ninvalid = \"invalid\"\n\
             [arc.\"Handle.OUT -> Arrived.IN\"]\nkind = \"{kind}\"\nname = \"sink\"\n\
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

const ASIDE_WIRING: &str = "\
[arc.\"Nobody.OUT -> Dead.IN\"]
kind = \"queue\"
name = \"dead\"
[arc.\"NobodyElse.OUT -> Invalid.IN\"]
kind = \"queue\"
name = \"invalid\"
[table.\"CountDead.SEEN\"]
[table.\"CountInvalid.SEEN\"]
";

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
        fs::write(folder.join("ledger.toml"), plot.wiring())?;
        fs::write(folder.join("aside.fbp"), ASIDE)?;
        fs::write(folder.join("aside.toml"), ASIDE_WIRING)?;
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
        self.order(("aside", "stderr.log"), (None, &[], None))
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

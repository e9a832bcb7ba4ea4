//! What networks do to the line between a program and a broker: it is slow, it breaks, nobody answers. The
//! program says so, makes no more than there is room for, rests, and when all is well again has lost nothing.
#![cfg(feature = "broker")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "brokers/mod.rs"]
mod brokers;
#[allow(dead_code, reason = "other tests use the rest of it")]
mod command;
mod proxy;

use std::fs::{self, File};
use std::io::Write;
use std::net::TcpListener;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use brokers::Private;
use command::{Folder, PAPERFLOW};
use proxy::{Fault, Proxy};

/// What is written is counted before it goes to the broker, and kept once behind it.
const GRAPH: &str = "\
INPORT=Made.IN:LINES
Made(console/write) OUT ->(KIND, via=broker) IN Once(flow/distinct)
Once OUT -> IN Kept(file/write)
'kept.txt' -> DESTINATION Kept
";

const WIRING: &str = "\
[store.broker]
url = \"${BROKER_URL}\"

[table.\"Once.SEEN\"]
";

/// Capacity of each link in memory.
const CAPACITY: usize = 16;

/// What may be made and not be at a broker: in the links before and behind MADE, in the hands of those between
/// them, and in one batch of the sender, which is longer where a stream has room for everything.
fn on_the_way(broker: &str) -> usize {
    let batch = if broker == "kafka" { 1_024 } else { 256 };
    2 * CAPACITY + 2 + batch
}

/// How long a test waits for what must come.
const HOPELESS: Duration = Duration::from_secs(60);

/// A program whose line to its broker goes through a proxy.
struct Program {
    broker: String,
    folder: Folder,
    proxy: Proxy,
    child: Child,
    health: String,
    fed: usize,
    feeder: mpsc::Sender<usize>,
    /// Gone with this, if it is the test's own.
    _own: Option<Private>,
}

/// A line to a broker, which may be the test's own, with the URL for whoever goes by it; nothing if there is
/// no such broker.
fn line(broker: &str) -> Option<(Proxy, String, Option<Private>)> {
    if broker == "kafka" {
        // Its clients go where it says that it is.
        let proxy = Proxy::bound();
        let own = Private::behind(&proxy.address())?;
        proxy.lead_to(own.url());
        let url = proxy.address();
        return Some((proxy, url, Some(own)));
    }
    let url = brokers::url(broker)?;
    let (before, place, behind) = taken_apart(&url);
    let proxy = Proxy::to(place);
    let url = format!("{before}{}{behind}", proxy.address());
    Some((proxy, url, None))
}

impl Program {
    /// Nothing if there is no such broker.
    fn start(broker: &str, name: &str) -> Option<Self> {
        let (proxy, url, own) = line(broker)?;
        // RabbitMQ leases nothing: what a process holds is free when its connection ends.
        let settings = match broker {
            "amqp" => "&timeout=1",
            "kafka" => "&timeout=1&session=2",
            _ => "&timeout=1&lease=2",
        };
        let url = brokers::corner(&url, name) + settings;
        let folder = Folder::new(&format!("faults-{broker}-{name}"));
        let kind = if broker == "kafka" { "stream" } else { "queue" };
        folder.write("line.fbp", &GRAPH.replace("KIND", kind));
        folder.write("line.toml", WIRING);
        // Free again before the program takes it.
        let health = TcpListener::bind("127.0.0.1:0")
            .and_then(|free| free.local_addr())
            .unwrap()
            .to_string();
        let mut command = folder.command(&format!(
            "run line.fbp --wiring line.toml --in LINES=- --capacity {CAPACITY} --health {health}"
        ));
        let file = |name| File::create(folder.path(name)).unwrap();
        command
            .env("BROKER_URL", url)
            .stdin(Stdio::piped())
            .stdout(file("made.txt"))
            .stderr(file("told.txt"));
        let mut child = command.spawn().unwrap();
        let input = child.stdin.take().unwrap();
        let (feeder, orders) = mpsc::channel();
        thread::spawn(move || feed(input, &orders));
        Some(Self {
            broker: broker.to_owned(),
            folder,
            proxy,
            child,
            health,
            fed: 0,
            feeder,
            _own: own,
        })
    }

    /// So many lines more are there to be made.
    fn feed(&mut self, lines: usize) {
        self.fed += lines;
        self.feeder.send(self.fed).unwrap();
    }

    fn lines(&self, file: &str) -> Vec<String> {
        let text = fs::read_to_string(self.folder.path(file)).unwrap_or_default();
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        whole.lines().map(str::to_owned).collect()
    }

    fn made(&self) -> usize {
        self.lines("made.txt").len()
    }

    /// The lines that are kept. RabbitMQ and Kafka give again what they have handed out when a line breaks, also
    /// what was done and not told in time: such a line may be written again (K5), but not handled again.
    fn kept(&self) -> Vec<usize> {
        let lines = self.lines("kept.txt");
        let mut kept: Vec<usize> = lines.iter().map(|line| line.parse().unwrap()).collect();
        kept.sort_unstable();
        if matches!(&*self.broker, "amqp" | "kafka") {
            kept.dedup();
        }
        kept
    }

    fn told(&self) -> String {
        self.folder.read("told.txt")
    }

    fn ready(&self) -> String {
        let mut health = Command::new(PAPERFLOW);
        let output = health.args(["health", "--ready", &self.health]).output();
        String::from_utf8(output.unwrap().stdout).unwrap()
    }

    fn until(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let begun = Instant::now();
        while !is_so(self) {
            let told = self.told();
            assert!(
                begun.elapsed() < HOPELESS,
                "not {what}; {} made, {} kept, ready: {}; it says: {told}",
                self.made(),
                self.kept().len(),
                self.ready(),
            );
            thread::park_timeout(Duration::from_millis(20));
        }
    }

    /// All that was fed has gone through.
    fn until_all_is_kept(&self) {
        self.until("all is kept", |own| own.kept().len() == own.fed);
    }

    /// Processor time of the program, of all its threads.
    fn busy(&self) -> Duration {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let fields: Vec<&str> = stat
            .rsplit_once(')')
            .unwrap()
            .1
            .split_whitespace()
            .collect();
        // A tick is a hundredth of a second wherever Linux runs.
        let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
        Duration::from_millis(ticks * 10)
    }

    /// The program ends well, and each line is where it should be, once.
    fn finish(mut self) {
        let (closed, _) = mpsc::channel();
        self.feeder = closed;
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status}: {}", self.told());
        let expected: Vec<String> = (1..=self.fed).map(|number| number.to_string()).collect();
        assert!(self.lines("made.txt") == expected, "made in order");
        let kept = self.kept();
        assert!(
            kept == (1..=self.fed).collect::<Vec<_>>(),
            "each is kept once"
        );
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It has ended, or its test has failed.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Writes numbers up to those that are ordered, until nobody orders any more.
fn feed(mut input: ChildStdin, orders: &mpsc::Receiver<usize>) {
    let mut written = 0;
    while let Ok(order) = orders.recv() {
        for number in written + 1..=order {
            // When the program has ended its test says so.
            if writeln!(input, "{number}").is_err() {
                return;
            }
        }
        written = order;
    }
}

/// What stands before the place of a broker in its URL, the place, and what stands behind.
fn taken_apart(url: &str) -> (&str, &str, &str) {
    let begin = url.find("://").map_or(0, |at| at + 3);
    let begin = url[begin..].find('@').map_or(begin, |at| begin + at + 1);
    let end = url[begin..].find('/').map_or(url.len(), |at| begin + at);
    (&url[..begin], &url[begin..end], &url[end..])
}

/// The line is slow, and is cut again and again: nobody notices.
fn cut(broker: &str) {
    let Some(mut program) = Program::start(broker, "cut") else {
        return;
    };
    for time in [0, 2, 5] {
        program.proxy.set(Fault::Slow(Duration::from_millis(time)));
        for lines in [1, 300, 20] {
            let before = program.made();
            program.feed(lines);
            program.until("something is made", |own| own.made() > before);
            program.proxy.cut();
        }
        program.until_all_is_kept();
    }
    program.until("ready again", |own| own.ready() == "ready\n");
    program.finish();
}

/// Nobody is there for a while.
fn away(broker: &str, name: &str, fault: Fault) {
    let Some(mut program) = Program::start(broker, name) else {
        return;
    };
    program.feed(300);
    program.until_all_is_kept();
    assert_eq!(program.ready(), "ready\n");
    let tries = program.proxy.taken();
    program.proxy.set(fault);
    let (begun, made) = (Instant::now(), program.made());
    // Many more than may be made.
    program.feed(10 * on_the_way(broker));
    program.until("away", |own| {
        own.told().contains("the store `broker` is away: ")
    });
    let (resting, busy) = (Instant::now(), program.busy());
    program.until("refused", |own| {
        own.told().contains("is refused by its store: ")
    });
    if fault != Fault::Refuse {
        program.until("tried again", |own| own.proxy.taken() >= tries + 4);
    }
    let ready = program.ready();
    assert!(ready.contains("the store `broker` is away: `"), "{ready}");
    let more = program.made() - made;
    assert!(more <= on_the_way(broker), "{more} were made meanwhile");
    let (rested, busy) = (resting.elapsed(), program.busy() - busy);
    assert!(
        busy <= Duration::from_millis(300) + rested / 4,
        "busy for {busy:?} of {rested:?}"
    );
    let tries = program.proxy.taken() - tries;
    // Kafka's library pauses little at first, and there are several clients: 32 tries in 1.2 s were seen.
    let clients = if broker == "kafka" { 4 } else { 1 };
    let most = clients * (10 + 2 * usize::try_from(begun.elapsed().as_secs()).unwrap());
    assert!(tries <= most, "{tries} tries in {:?}", begun.elapsed());
    program.proxy.set(Fault::None);
    program.until("back", |own| {
        own.told().contains("the store `broker` is back after ")
    });
    program.until_all_is_kept();
    program.until("ready again", |own| own.ready() == "ready\n");
    program.finish();
}

macro_rules! faults {
    ($($feature:literal $broker:ident),*) => {$(
        #[cfg(feature = $feature)]
        mod $broker {
            use super::*;

            #[test]
            fn a_line_that_is_slow_and_cut_loses_nothing() {
                cut($feature);
            }

            #[test]
            fn k20_a_broker_that_hangs_up_is_tried_again() {
                away($feature, "hangs-up", Fault::HangUp);
            }

            #[test]
            fn k20_a_broker_that_refuses_connections_is_tried_again() {
                away($feature, "refuses", Fault::Refuse);
            }

            #[test]
            fn k20_a_broker_that_neither_answers_nor_hangs_up_is_found() {
                away($feature, "silent", Fault::Silence);
            }
        }
    )*};
}

faults!("amqp" amqp, "kafka" kafka, "nats" nats, "redis" redis);

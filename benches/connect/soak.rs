//! Millions of packets through one arc to a consumer that is slower than its producer: how much memory and
//! how much disk that takes on the way.

use std::fmt;
use std::fs;
use std::path::Path;
use std::str::FromStr;
use std::thread;
use std::time::{Duration, Instant};

use paperflow::{Observer, Options, Scheduler, Verdict};
use paperflow_bench::shape::Flow;
use paperflow_bench::table::{self, Table};
use paperflow_bench::{Error, memory, stopwatch, work};

use crate::network;

/// What it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Queue,
    Stream,
}

impl Kind {
    /// The arc as it is drawn. A stream is bounded by what is kept of it, and its writer waits for readers.
    const fn arc(self) -> &'static str {
        match self {
            Self::Queue => "queue",
            Self::Stream => "stream, retain=20000, 10000",
        }
    }
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "queue" => Ok(Self::Queue),
            "stream" => Ok(Self::Stream),
            _ => Err(format!("{text} is none of queue, stream")),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Queue => "queue",
            Self::Stream => "stream",
        })
    }
}

const HEAD: [&str; 6] = [
    "run",
    "packets",
    "seconds",
    "memory MB",
    "file MB",
    "WAL MB",
];
const WIDTHS: [usize; 6] = [6, 9, 7, 9, 7, 6];

/// How often each run is looked at.
const LOOKS: u64 = 10;
/// Nanoseconds that the consumer works for each packet.
const TOIL: u32 = 15_000;

/// Runs it and prints how it is doing on the way.
pub(crate) fn print(
    is_markdown: bool,
    kind: Kind,
    (packets, bytes): (u64, usize),
    folder: &Path,
) -> Result<(), Error> {
    let about = format!(
        "{packets} packets of {bytes} bytes over `->({})`, each of which the consumer works on for {} us",
        kind.arc(),
        TOIL / 1000
    );
    table::title(is_markdown, &format!("soak {kind}"), &about);
    if !is_markdown {
        println!("{about}");
    }
    let table = Table::begin(is_markdown, HEAD, WIDTHS, 1);
    let folder = tempfile::tempdir_in(folder)?;
    run(&table, ("first", kind), (packets, bytes), folder.path())?;
    // What the first has left is forgotten soon, and its room used again.
    run(
        &table,
        ("second", kind),
        (packets / 5, bytes),
        folder.path(),
    )?;
    table.end();
    Ok(())
}

fn run(
    table: &Table<6>,
    (name, kind): (&str, Kind),
    (packets, bytes): (u64, usize),
    folder: &Path,
) -> Result<(), Error> {
    let text = format!(
        "INPORT=G.GO:GO\n'{bytes}' -> SIZE G(bench/text-source) OUT ->({}) IN T(bench/toil)\n\
         '{}' -> ROUNDS T OUT -> IN S(bench/text-sink)\n",
        kind.arc(),
        work::rounds(TOIL)
    );
    let options = Options {
        scheduler: Scheduler::Auto,
        ..Options::default()
    };
    let (running, inputs, _) = network::start(&text, folder, options, &["GO"])?;
    stopwatch::arm(Flow {
        hops: 3.0,
        numbers: 1,
        lasts: 1,
    });
    for input in &inputs {
        input.send(i64::try_from(packets)?)?;
    }
    drop(inputs);
    watch(table, name, packets, &running.observer(), folder)?;
    let outcome = running.wait();
    if outcome.verdict != Verdict::Finished {
        return Err(format!("it ended so: {:?}", outcome.verdict).into());
    }
    Ok(())
}

/// A line whenever so many packets more have come through.
fn watch(
    table: &Table<6>,
    name: &str,
    packets: u64,
    observer: &Observer,
    folder: &Path,
) -> Result<(), Error> {
    let begun = Instant::now();
    for look in 1..=LOOKS {
        // Each is received by the sender, the one who toils, and the sink.
        let until = packets * 3 / LOOKS * look;
        let (mut received, mut moved) = (observer.received(), Instant::now());
        while received < until {
            if moved.elapsed() > stopwatch::PATIENCE {
                return Err(format!("nothing moves any more: {:?}", observer.states()).into());
            }
            thread::sleep(Duration::from_millis(50));
            let now = observer.received();
            if now > received {
                (received, moved) = (now, Instant::now());
            }
        }
        let size = |file: &str| fs::metadata(folder.join(file)).map_or(0, |file| file.len());
        table.line([
            name.to_owned(),
            (observer.received() / 3).to_string(),
            format!("{:.0}", begun.elapsed().as_secs_f64()),
            megabytes(memory::resident().unwrap_or_default()),
            megabytes(size("store.db")),
            megabytes(size("store.db-wal")),
        ]);
    }
    Ok(())
}

fn megabytes(bytes: u64) -> String {
    format!("{:.1}", bytes as f64 / f64::from(1 << 20))
}

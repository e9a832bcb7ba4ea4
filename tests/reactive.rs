//! The mechanisms that keep a network on its feet: breaker, bulkhead, supervisor, shedding.

mod support;

use std::fs;
use std::path::Path;
use std::pin::pin;
use std::time::Duration;

use paperflow::{Either, Fault, In, Out, Packet, Param, Text, Timer, component, select};
use support::{Bench, Ran, ways};

fn shows_what_it_says(folder: &Path) {
    let name = folder.file_name().expect("it has a name").to_string_lossy();
    let read = |file: &str| {
        let path = folder.join(file);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    let expected = read("expected.txt");
    assert!(read("README.md").len() > 100, "{name} is not explained");
    let bench = Bench::file(&folder.join(format!("{name}.fbp")));
    assert_eq!(bench.diagnostics(), [], "{name}");
    bench.every_way(|ran| {
        let verdict = &ran.outcome.verdict;
        assert_eq!(*verdict, paperflow::Verdict::Finished, "{name}");
        let lines: Vec<&str> = expected.lines().collect();
        assert_eq!(ran.shown, lines, "{name} with {:?}", ran.way);
    });
}

/// Sends the numbers from 1, and tells when each has left.
#[component("test/source")]
async fn source(
    /// How many.
    #[port("COUNT")]
    number: Param<i64>,
    /// The pause after each.
    #[default("0s")]
    pause: Param<Duration>,
    /// The clock.
    timer: Timer,
    /// The numbers.
    out: Out<i64>,
    /// `sent` and the seconds since the start, for each.
    #[optional]
    log: Out<Text>,
) -> Result<(), Fault> {
    let start = timer.now();
    for at in 1..=*number {
        out.send(at).await?;
        let entry = format!("sent {}", seconds(timer.now() - start));
        log.send(entry).await?;
        if !pause.is_zero() {
            timer.sleep(*pause).await;
        }
    }
    Ok(())
}

fn seconds(time: Duration) -> i64 {
    i64::try_from(time.as_secs()).expect("a test is short")
}

/// Fails at its 3rd to 6th packet, and tells when each came.
#[component("test/flaky")]
async fn flaky(
    /// Work.
    input: In<i64>,
    /// The clock.
    timer: Timer,
    /// What went well.
    out: Out<i64>,
    /// What did not.
    failed: Out<i64>,
    /// `tried`, number and seconds since the first packet.
    #[optional]
    log: Out<Text>,
) -> Result<(), Fault> {
    let mut seen = 0;
    let mut start = None;
    while let Some(number) = input.next().await {
        seen += 1;
        let start = *start.get_or_insert(timer.now());
        let entry = format!("tried {}@{}s", *number, seconds(timer.now() - start));
        log.send(entry).await?;
        match (3..=6).contains(&seen) {
            true => failed.send(number).await?,
            false => out.send(number).await?,
        }
    }
    Ok(())
}

fn breaker() -> Bench {
    let text = "'12' -> COUNT S(test/source) OUT -> IN B(reactive/breaker)
        '2' -> FAILURES B
        '10s' -> PAUSE B
        B OUT -> IN W(test/flaky) OUT -> DONE B
        W FAILED -> FAILED B
        B RESULT -> IN Done(Drop)
        B REJ -> IN Failed(Drop)
        B STATE -> IN State(text/affix) OUT -> IN Write(WriteToConsole)
        'state ' -> PRE State
        W LOG -> IN Write
        S LOG -> IN Write";
    Bench::of(text).with(source).with(flaky)
}

/// What the console shows of one kind, without the word for it. The console is a process of the
/// network, so that virtual time waits for it, which it does not for a reader outside.
fn shown<'a>(ran: &'a Ran, kind: &str) -> Vec<&'a str> {
    let lines = ran.shown.iter();
    lines
        .filter_map(|line| line.strip_prefix(kind)?.strip_prefix(' '))
        .collect()
}

/// Takes what it can get, and answers only a second after it has been mended.
#[component("test/stuck")]
async fn stuck(
    /// Work.
    input: In<i64>,
    /// What mends it.
    mend: In<Packet>,
    /// The clock.
    timer: Timer,
    /// Answers.
    out: Out<i64>,
    /// How many packets it held when it was mended.
    held: Out<i64>,
) -> Result<(), Fault> {
    let mut hand = Vec::new();
    let mut mended = pin!(async {
        mend.next().await;
        timer.sleep(Duration::from_secs(1)).await;
        Some(())
    });
    while let Some(Either::Left(number)) = select(input.next(), mended.as_mut()).await {
        hand.push(number);
    }
    held.send(i64::try_from(hand.len()).expect("not many"))
        .await?;
    for number in hand {
        out.send(number).await?;
    }
    while let Some(number) = input.next().await {
        out.send(number).await?;
    }
    Ok(())
}

/// The numbers that the console shows.
fn numbers(ran: &Ran) -> Vec<i64> {
    let lines = ran.shown.iter();
    lines.filter_map(|line| line.parse().ok()).collect()
}

/// Fails at every tenth number.
#[component("test/fragile")]
async fn fragile(
    /// Numbers.
    input: In<i64>,
    /// The same.
    out: Out<i64>,
) -> Result<(), Fault> {
    while let Some(number) = input.next().await {
        if *number % 10 == 0 {
            return Err(Fault::new(format!("{} is too much", *number)));
        }
        out.send(number).await?;
    }
    Ok(())
}

/// A hundred packets a second, for a second, into a desk that does ten.
fn too_fast(how: &str, between: &str) -> Bench {
    let text = format!(
        "'100' -> COUNT S(test/source) OUT {between} {how} IN Desk(flow/delay)
         '10ms' -> PAUSE S
         '103ms' -> INTERVAL Desk
         S LOG -> IN Write(WriteToConsole)
         Desk OUT -> IN Write"
    );
    Bench::of(&text).with(source)
}

/// How many packets came through, and how many seconds the source took.
fn outcome(ran: &Ran) -> (u64, i64) {
    ran.succeeds();
    let log = shown(ran, "sent");
    let last = log.last().expect("all are sent").parse().expect("a number");
    (ran.process("Desk").sent, last)
}

#[test]
fn b10_a_component_that_ignores_keeps_its_pace_and_counts_what_it_shed() {
    let between = "-> IN Shed(flow/shed) OUT";
    let text = |text: String| text + "\nOUTPORT=Shed.COUNT:OUT";
    let bench = too_fast("->(2)", between).change(text);
    bench.every_way(|ran| {
        let (through, seconds) = outcome(ran);
        assert!((11..=13).contains(&through), "{through} {:?}", ran.way);
        assert_eq!(seconds, 0, "{:?}", ran.way);
        assert_eq!(ran.out["OUT"], [(100 - through).to_string()]);
    });
}

#[test]
fn b10_a_component_that_halts_loses_nothing_and_holds_up_its_source() {
    let between = "-> IN Shed(flow/shed) OUT";
    let text = |text: String| text + "\n'halt' -> POLICY Shed\nOUTPORT=Shed.COUNT:OUT";
    let bench = too_fast("->(2)", between).change(text);
    for way in ways().filter(|way| way.capacity < 10) {
        let ran = bench.run(way);
        let (through, seconds) = outcome(&ran);
        assert_eq!((through, &*ran.out["OUT"]), (100, &[String::from("0")][..]));
        assert!((9..=10).contains(&seconds), "{seconds} {way:?}");
    }
}

#[test]
fn b10_an_arrow_that_waits_loses_nothing_and_holds_up_its_source() {
    too_fast("->(capacity=2, full=wait)", "").every_way(|ran| {
        let (through, seconds) = outcome(ran);
        assert_eq!((through, ran.outcome.statistics.totals.shed), (100, 0));
        assert!((9..=10).contains(&seconds), "{seconds} {:?}", ran.way);
    });
}

#[test]
fn b10_an_arrow_that_sheds_keeps_the_pace_and_counts() {
    for full in ["drop-oldest", "drop-new"] {
        too_fast(&format!("->(capacity=2, full={full})"), "").every_way(|ran| {
            let (through, seconds) = outcome(ran);
            assert!((11..=13).contains(&through), "{through} {:?}", ran.way);
            assert_eq!(seconds, 0, "{:?}", ran.way);
            assert_eq!(ran.outcome.statistics.totals.shed, 100 - through);
            assert_eq!(ran.link("Desk.IN").counts.shed, 100 - through);
        });
    }
}

#[test]
fn b10_an_arrow_that_diverts_keeps_the_pace_and_loses_nothing() {
    let how = "->(capacity=2, full=divert, divert=Spill.IN)";
    let text = |text: String| text + "\nSpill(Pass) OUT -> IN Spilt(Drop)";
    too_fast(how, "").change(text).every_way(|ran| {
        let (through, seconds) = outcome(ran);
        assert!((11..=13).contains(&through), "{through} {:?}", ran.way);
        assert_eq!(seconds, 0, "{:?}", ran.way);
        assert_eq!(ran.process("Spilt").received, 100 - through);
        assert_eq!(ran.outcome.statistics.totals.shed, 0);
    });
}

/// Every tenth number is important.
#[component("test/rank")]
fn rank(
    /// Numbers.
    input: Packet,
    /// The same, with their priority.
    out: &mut Out<Packet>,
) {
    let is_important = input.as_int().is_some_and(|number| number % 10 == 0);
    let mut headers = paperflow_core::Headers::default();
    headers.set("priority", if is_important { "1" } else { "0" });
    out.put(input.with_headers(headers));
}

#[test]
fn b10_only_what_matters_least_is_shed() {
    for full in ["drop-oldest", "drop-new"] {
        let how = format!("->(capacity=2, full={full})");
        let bench = too_fast(&how, "-> IN Rank(test/rank) OUT").with(rank);
        bench.every_way(|ran| {
            outcome(ran);
            let important = |number: &i64| number % 10 == 0;
            let through: Vec<i64> = numbers(ran).into_iter().filter(important).collect();
            let all: Vec<i64> = (1..=10).map(|number| number * 10).collect();
            assert_eq!(through, all, "{full} {:?}", ran.way);
        });
    }
}

/// Every network of `graphs/reactive` gives what its folder says.
#[test]
fn y06_every_mechanism_has_a_graph_that_shows_it() {
    let entries = fs::read_dir("graphs/reactive").expect("the folder is there");
    let paths = entries.map(|entry| entry.expect("it can be listed").path());
    let folders: Vec<_> = paths.filter(|path| path.is_dir()).collect();
    assert!(folders.len() >= 5, "{folders:?}");
    for folder in folders {
        shows_what_it_says(&folder);
    }
}

#[test]
fn y06_an_open_breaker_stops_consuming_and_then_probes() {
    breaker().every_way(|ran| {
        ran.succeeds();
        let attempts = shown(ran, "tried");
        // Two failures; a probe after ten seconds fails, and one after twenty; then it goes on.
        let first = ["1@0s", "2@0s", "3@0s", "4@0s", "5@10s", "6@20s", "7@30s"];
        assert_eq!(attempts[..7], first, "{:?}", ran.way);
        assert!(attempts[7..].iter().all(|entry| entry.ends_with("@30s")));
        assert_eq!(ran.process("Failed").received, 4);
        assert_eq!(ran.process("Done").received, 8);
        let states = "open half-open open half-open open half-open closed";
        assert_eq!(shown(ran, "state").join(" "), states);
    });
}

#[test]
fn y06_the_source_of_an_open_breaker_waits() {
    breaker().every_way(|ran| {
        let sent = |second: &str| {
            let entries = shown(ran, "sent").into_iter();
            entries.filter(|entry| *entry == second).count()
        };
        let room = ran.way.capacity;
        assert_eq!(sent("0"), (4 + room).min(12), "{:?}", ran.way);
        assert_eq!(sent("10"), usize::from(room < 8), "{:?}", ran.way);
    });
}

#[test]
fn y06_a_stuck_compartment_holds_its_limit_and_no_more() {
    let text = "'100' -> COUNT S(test/source) OUT -> IN Deal(RoundRobinSender)
        Deal OUT[0] ->(50) IN Left(reactive/bulkhead) OUT -> IN Stuck(test/stuck) OUT -> DONE Left
        Deal OUT[1] ->(50) IN Right(reactive/bulkhead) OUT -> IN Works(Pass) OUT -> DONE Right
        '3' -> LIMIT Left
        Right RESULT -> IN Done(Counter) COUNT -> MEND Stuck
        Left RESULT -> IN Mended(Drop)
        OUTPORT=Stuck.HELD:OUT";
    let bench = Bench::of(text).with(source).with(stuck);
    bench.every_way(|ran| {
        ran.succeeds();
        assert_eq!(ran.out["OUT"], ["3"], "{:?}", ran.way);
        assert_eq!(ran.process("Done").received, 50);
        assert_eq!(ran.process("Mended").received, 50);
    });
}

#[test]
fn y06_a_supervisor_restarts_its_workers() {
    let text = "'1000' -> COUNT G(test/source) OUT -> IN W(test/fragile:instances=4,fault=restart,retries=1000)
        W OUT -> IN Write(WriteToConsole)";
    let bench = Bench::of(text).with(source).with(fragile);
    bench.every_way(|ran| {
        let mut numbers: Vec<i64> = numbers(ran);
        numbers.sort_unstable();
        let good: Vec<i64> = (1..=1000).filter(|number| number % 10 != 0).collect();
        assert_eq!(numbers, good, "{:?}", ran.way);
    });
}

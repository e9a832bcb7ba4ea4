//! The sample networks of the literature, with what they count and how they end.

mod support;

#[path = "classic/joins.rs"]
mod joins;
#[path = "classic/loops.rs"]
mod loops;
#[path = "classic/sources.rs"]
mod sources;
#[path = "classic/subnets.rs"]
mod subnets;

use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::Instant;

use paperflow::report::{Deadlock, State};
use paperflow::{Fault, In, Out, Packet, Param, Verdict, component};
use support::{Bench, Ran};

fn classic(name: &str) -> Bench {
    Bench::file(&PathBuf::from(format!("graphs/classic/{name}/{name}.fbp")))
}

fn numbered(count: u32) -> Vec<String> {
    let all = (1..=count).rev();
    all.map(|number| format!("{number:06}abcd")).collect()
}

/// Created, dropped, sent.
fn counts(ran: &Ran) -> [u64; 3] {
    let totals = ran.outcome.statistics.totals;
    [totals.created, totals.dropped, totals.sent]
}

/// It finishes every way, shows these lines, and counts these as created, dropped and sent.
fn finishes<T: AsRef<str>>(name: &str, shown: &[T], counted: [u64; 3]) {
    classic(name).every_way(|ran| {
        ran.succeeds();
        assert_shown(ran, shown);
        assert_eq!(counts(ran), counted, "{:?}", ran.way);
    });
}

/// It finishes every way and shows these lines; what it counts depends on who was faster.
fn shows<T: AsRef<str>>(name: &str, shown: &[T]) {
    classic(name).every_way(|ran| {
        ran.succeeds();
        assert_shown(ran, shown);
    });
}

fn assert_shown<T: AsRef<str>>(ran: &Ran, shown: &[T]) {
    let shown: Vec<&str> = shown.iter().map(AsRef::as_ref).collect();
    assert_eq!(ran.shown, shown, "{:?}", ran.way);
}

/// It is stuck every way, with these processes in these states.
fn deadlocks(name: &str, stuck: &[&str], check: impl Fn(&Deadlock)) {
    classic(name).every_way(|ran| {
        let Verdict::Deadlock(deadlock) = &ran.outcome.verdict else {
            panic!("{:?}: {:?}", ran.way, ran.outcome.verdict);
        };
        assert_eq!(states(deadlock), stuck, "{:?}", ran.way);
        assert!(ran.shown.is_empty(), "{:?}: {:?}", ran.way, ran.shown);
        check(deadlock);
    });
}

fn ascending(mut lines: Vec<String>) -> Vec<String> {
    lines.sort();
    lines
}

const NOTHING: [&str; 0] = [];

#[test]
fn row_01_copy() {
    classic("copy").every_way(|ran| {
        ran.succeeds();
        assert_eq!(ran.shown, numbered(100));
        assert_eq!(counts(ran), [100, 101, 100]);
    });
}

#[test]
fn row_02_a_replica_is_a_new_packet() {
    classic("copy-replicated").every_way(|ran| {
        ran.succeeds();
        assert_eq!(ran.shown, numbered(2000));
        assert_eq!(counts(ran), [4000, 4001, 4000]);
    });
}

#[test]
fn row_03_nobody_runs_on_an_empty_stream_but_who_must() {
    classic("empty").every_way(|ran| {
        ran.succeeds();
        assert_eq!(ran.shown, ["0"]);
        let opened = ["Generate", "Copy", "Count", "Write"].map(|name| ran.process(name).opened);
        assert_eq!(opened, [1, 0, 1, 1]);
    });
}

#[test]
fn row_06_deadlock() {
    classic("deadlock").every_way(|ran| {
        let Verdict::Deadlock(deadlock) = &ran.outcome.verdict else {
            panic!("{:?}: {:?}", ran.way, ran.outcome.verdict);
        };
        assert_eq!(states(deadlock), DEADLOCKED, "{:?}", ran.way);
        assert_eq!(origins(deadlock), [4, 4, 5, 8], "{:?}", ran.way);
        assert_fills(deadlock, ran.way.capacity);
        assert_cycle(deadlock);
    });
}

const DEADLOCKED: [&str; 4] = [
    "Gen suspended(send OUT)",
    "ReplString suspended(send OUT[1])",
    "ConcatStreams suspended(receive IN[0])",
    "Discard dormant",
];

fn states(deadlock: &Deadlock) -> Vec<String> {
    let all = deadlock.stuck.iter();
    all.map(|stuck| format!("{} {}", stuck.address, stuck.state))
        .collect()
}

/// The lines of the file where the processes are written.
fn origins(deadlock: &Deadlock) -> Vec<u32> {
    let all = deadlock.stuck.iter().map(|stuck| {
        let place = stuck
            .origin
            .strip_prefix("graphs/classic/deadlock/deadlock.fbp:");
        let place = place.unwrap_or_else(|| panic!("{}", stuck.origin));
        let line = place.split(':').next().expect("a line");
        line.parse().expect("a number")
    });
    all.collect()
}

fn assert_fills(deadlock: &Deadlock, capacity: usize) {
    let link = |at: usize| {
        let link = &deadlock.stuck[at].links[0];
        (
            link.port.as_str(),
            link.peers.join(" "),
            link.fill,
            link.capacity,
        )
    };
    let peer = String::from;
    assert_eq!(link(0), ("OUT", peer("ReplString.IN"), capacity, capacity));
    assert_eq!(
        link(1),
        ("OUT[1]", peer("ConcatStreams.IN[2]"), capacity, capacity)
    );
    assert_eq!(link(2), ("IN[0]", peer("ReplString.OUT[0]"), 0, capacity));
}

fn assert_cycle(deadlock: &Deadlock) {
    let cycle = &deadlock.cycle;
    assert_eq!(cycle.len(), 2, "{cycle:#?}");
    for name in ["ReplString", "ConcatStreams"] {
        assert!(cycle.iter().all(|line| line.contains(name)), "{cycle:#?}");
    }
}

#[test]
fn row_06_deadlock_from_the_command_line() {
    let started = Instant::now();
    let output = command(&["run", "graphs/classic/deadlock/deadlock.fbp"]);
    println!(
        "deadlock reported {:?} after the start of the command",
        started.elapsed()
    );
    let report = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(4), "{report}");
    for words in [
        "Gen",
        "suspended(send OUT[1])",
        "suspended(receive IN[0])",
        "dormant",
        "128/128",
    ] {
        assert!(report.contains(words), "no {words:?} in:\n{report}");
    }
}

fn command(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_paperflow"));
    command
        .args(arguments)
        .output()
        .expect("the command starts")
}

#[test]
fn the_command_prints_what_a_network_shows() {
    for name in ["copy", "nested-substreams", "early-close"] {
        let output = command(&["run", &format!("graphs/classic/{name}/{name}.fbp")]);
        let expected = std::fs::read(format!("graphs/classic/{name}/expected.txt"));
        assert_eq!(output.stdout, expected.expect("it is there"), "{name}");
        assert_eq!(output.status.code(), Some(0), "{name}");
    }
}

#[test]
fn the_command_tells_failure_and_error_apart() {
    for (name, code) in [("exception", 1), ("fan-out", 3)] {
        let output = command(&["run", &format!("graphs/classic/{name}/{name}.fbp")]);
        assert_eq!(output.status.code(), Some(code), "{name}");
    }
}

#[test]
fn row_09_no_deadlock() {
    classic("no-deadlock").every_way(|ran| {
        ran.succeeds();
        assert_eq!(ran.outcome.statistics.totals.sent, 1000 + 1000 + 969 + 1000);
    });
}

#[test]
fn row_12_count_down_loop() {
    let network = Bench::of(
        "'10' -> SOURCE Kick(KickWD) OUT -> IN L(flow/countdown) OUT ->(2) IN C(Copy) OUT ->(2) IN L",
    );
    network.every_way(|ran| {
        ran.succeeds();
        assert_eq!(ran.outcome.statistics.totals.created, 10, "{:?}", ran.way);
        assert_eq!(ran.outcome.statistics.totals.sent, 21, "{:?}", ran.way);
    });
}

#[test]
fn row_15_infinite_queue() {
    let own = std::env::temp_dir().join(format!("queue-{}", std::process::id()));
    let queue = own.to_str().expect("a plain path");
    let network = classic("infinite-queue")
        .change(|text| text.replace("graphs/classic/infinite-queue/queue.tmp", queue));
    network.every_way(|ran| {
        ran.succeeds();
        assert_eq!(ran.shown, numbered(40));
    });
    std::fs::remove_file(own).expect("the network made it");
}

#[test]
fn row_17_automatic_ports() {
    classic("automatic-ports").every_way(|ran| {
        ran.succeeds();
        assert_eq!(ran.shown, ["after"]);
    });
}

#[test]
fn row_18_telegram() {
    let network = Bench::file(&PathBuf::from("graphs/telegram/telegram.fbp"));
    network.every_way(|ran| {
        ran.succeeds();
        let (count, lines) = ran.shown.split_last().expect("it shows something");
        let too_long = lines.iter().filter(|line| line.chars().count() > 20);
        assert_eq!(too_long.collect::<Vec<_>>(), ["incomprehensibilities"]);
        let text = std::fs::read_to_string("graphs/telegram/text.txt").expect("it is there");
        assert_eq!(
            lines.join(" ").split(' ').count() + 1,
            text.lines().flat_map(|line| line.split(' ')).count()
        );
        assert_eq!(count, "57");
    });
}

#[test]
fn row_21_nested_substreams() {
    classic("nested-substreams").every_way(|ran| {
        ran.succeeds();
        assert_eq!(
            ran.shown,
            ["OPEN(1)", "A", "OPEN(2)", "B", "CLOSE(2)", "CLOSE(1)"]
        );
    });
}

#[test]
fn row_22_substream_count() {
    classic("substream-count").every_way(|ran| {
        ran.succeeds();
        assert_eq!(ran.shown, ["5", "5", "5", "5", "3"]);
        assert_eq!(ran.process("Counting/Count").opened, 5);
    });
}

#[test]
fn row_26_load_balancer() {
    classic("load-balancer").every_way(|ran| {
        ran.succeeds();
        let mut expected = numbered(5000);
        expected.reverse();
        assert_eq!(ran.shown, expected);
        assert_eq!(ran.outcome.statistics.totals.sent, 20_000);
    });
}

#[test]
fn row_28_drop_oldest() {
    let network = Bench::of(
        "'2000' -> COUNT G(GenerateTestData) OUT ->(capacity=1, full=drop-oldest) IN S(SlowPass)
         '1' -> INTVL S OUT -> IN W(WriteToConsole)",
    );
    network.every_way(|ran| {
        ran.succeeds();
        assert_eq!(ran.shown.last().map(String::as_str), Some("000001abcd"));
        let shed = ran.outcome.statistics.totals.shed;
        assert!(shed > 0, "{:?}", ran.way);
        assert_eq!(ran.shown.len() as u64 + shed, 2000);
    });
}

#[test]
fn row_37_early_close() {
    classic("early-close").every_way(|ran| {
        ran.succeeds();
        assert_eq!(ran.shown, numbered(200)[..19]);
        let generated = ran.process("Generate").sent;
        assert!(generated < 200, "{:?}: {generated}", ran.way);
    });
}

#[test]
fn row_38_the_first_exception_is_reported() {
    classic("exception").every_way(|ran| {
        let Verdict::Failed(report) = &ran.outcome.verdict else {
            panic!("{:?}: {:?}", ran.way, ran.outcome.verdict);
        };
        assert_eq!(report.address, "Crash");
        assert_eq!(report.message, "failed at packet 5, as it was told to");
        assert!(
            report
                .origin
                .starts_with("graphs/classic/exception/exception.fbp:4:")
        );
        assert!(ran.outcome.faults.is_empty(), "no echo of the neighbours");
        assert!(!ran.outcome.is_success());
    });
}

#[test]
fn row_40_fan_out_proposes_the_two_legal_ways() {
    let error = classic("fan-out").error();
    let help = error.help.expect("a way out");
    for way in ["flow/replicate", "pubsub"] {
        assert!(help.contains(way), "{help}");
    }
}

/// Passes numbers that are no multiple of the first one, which is a prime.
///
/// The prime is sent to PRIME.
#[component("test/sieve", work = compute)]
async fn sieve(
    /// Numbers, ascending.
    input: In<i64>,
    /// The first of them.
    prime: Out<i64>,
    /// What is left.
    #[optional]
    out: Out<i64>,
) -> Result<(), Fault> {
    let Some(first) = input.next().await else {
        return Ok(());
    };
    let divisor = *first;
    prime.send(first).await?;
    prime.close();
    while let Some(number) = input.next().await {
        if *number % divisor != 0 {
            out.send(number).await?;
        }
    }
    Ok(())
}

/// Sends the numbers from 2 to LAST.
#[component("test/from-two", work = compute)]
async fn from_two(
    /// The last one.
    last: Param<i64>,
    /// The numbers.
    out: Out<i64>,
) -> Result<(), Fault> {
    for number in 2..=*last {
        out.send(number).await?;
    }
    Ok(())
}

#[test]
fn the_sieve_of_eratosthenes() {
    let links = (0..24).map(|at| {
        format!(
            "S{at}(test/sieve) PRIME -> IN[{at}] C\nS{at} OUT -> IN S{}(test/sieve)\n",
            at + 1
        )
    });
    let text = format!(
        "'100' -> LAST G(test/from-two) OUT -> IN S0(test/sieve)\n{}S24 PRIME -> IN[24] C(ConcatStreams)\nC OUT -> IN W(WriteToConsole)",
        links.collect::<String>()
    );
    Bench::of(&text)
        .with(sieve)
        .with(from_two)
        .every_way(|ran| {
            ran.succeeds();
            let is_prime = |number: &i32| (2..*number).all(|divisor| number % divisor != 0);
            let primes: Vec<_> = (2..=100)
                .filter(is_prime)
                .map(|prime| prime.to_string())
                .collect();
            assert_eq!(ran.shown, primes);
        });
}

/// Fails on the first packet.
#[component("test/fails", work = compute)]
fn fails(
    /// Anything.
    input: Packet,
) -> Result<(), Fault> {
    Err(Fault::new(format!("cannot bear {input}")))
}

#[test]
fn of_two_exceptions_one_is_told() {
    let network = Bench::of(
        "'5' -> COUNT G(GenerateTestData) OUT -> IN R(ReplString)
         R OUT[0] -> IN A(test/fails)
         R OUT[1] -> IN B(test/fails)",
    );
    network.with(fails).every_way(|ran| {
        let Verdict::Failed(report) = &ran.outcome.verdict else {
            panic!("{:?}", ran.outcome.verdict);
        };
        assert!(["A", "B"].contains(&report.address.as_str()));
        assert_eq!(report.message, "cannot bear 000005abcd");
        assert_eq!(report.packet.as_deref(), Some("000005abcd"));
    });
}

#[test]
fn a_dormant_process_is_not_suspended() {
    let states = [
        State::Dormant,
        State::SuspendedReceive(vec![String::from("IN")]),
    ];
    let shown = states.map(|state| state.to_string());
    assert_eq!(shown, ["dormant", "suspended(receive IN)"]);
}

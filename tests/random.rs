//! Random small networks.
//!
//! The steady ones are deterministic: every process decides by what it receives, never by when. Whoever
//! runs them, the same comes out, and the same ones get stuck: output, verdict and states may depend on
//! the capacities, and on nothing else. The wild ones merge by arrival, shed, divert, fail, leave early,
//! and are stopped: every packet of theirs is accounted for, and they end.
//!
//! `PAPERFLOW_CASES` says how many networks of each sort are tried.

mod support;

use std::fmt::Write as _;
use std::thread;
use std::time::Duration;

use paperflow::{Closed, Fault, In, Out, Outcome, Packet, Param, Scheduler, Started, TrySend};
use paperflow::{Verdict, component};
use proptest::collection::vec;
use proptest::prelude::*;
use support::{Bench, Ran, Way, finish, ways};

/// A part of a network with one stream in and one stream out.
#[derive(Clone, Debug)]
enum Part {
    /// A component that passes something on.
    Plain(&'static str),
    /// A component with a number for a parameter.
    Numbered(&'static str, &'static str, u8),
    /// One that leaves its stream early.
    Leaving(&'static str, &'static str, u8),
    /// Sends so many into a loop before it takes them back, and then the next ones.
    Loop(u8, Chain),
    /// Dealt out to branches that all write to one port, and put in order behind it.
    Funnel(Vec<Chain>),
    /// Dealt out to branches that all write to one port, as they come.
    Merged(Vec<Chain>),
    /// Given to whichever branch has the least to do.
    Balanced(Vec<Chain>),
    /// Behind an arrow that drops what it has no room for.
    Shedding(&'static str, &'static str),
    /// Behind an arrow that diverts what it has no room for, past the part.
    Diverting(&'static str),
    /// One that fails and panics now and then, with a policy, and with its ERROR port connected or not.
    Failing(&'static str, u8, bool),
    /// One whose work is shared by workers.
    Shared(u8),
    /// One that starts when a chain behind it has ended.
    After(Chain),
    /// Dealt out in turn to branches, taken back in turn.
    Dealt(Vec<Chain>),
    /// Copied to branches, joined one after the other or in turn.
    Copied(Vec<Chain>, &'static str),
    /// A subnet.
    Subnet(Chain),
    /// A subnet that lives once for every group.
    Scope(Chain),
}

/// Parts one after the other, each with the capacity of the arrow into it.
type Chain = Vec<(Part, Option<usize>)>;

fn capacity() -> impl Strategy<Value = usize> {
    prop_oneof![Just(1), Just(2), Just(7), Just(1000)]
}

fn simple() -> impl Strategy<Value = Part> {
    let plain = [
        "Passthru",
        "Copy",
        "Sort",
        "EncloseBrackets",
        "RemoveBrackets",
        "Counter",
    ];
    prop_oneof![
        6 => prop::sample::select(plain.to_vec()).prop_map(Part::Plain),
        2 => Just(Part::Plain("test/own-thread")),
        2 => (1..5_u8).prop_map(|size| Part::Numbered("group/every", "SIZE", size)),
        1 => (0..9_u8).prop_map(|number| Part::Numbered("flow/skip", "NUMBER", number)),
    ]
}

/// Parts whose behaviour depends on time, or that may end the network.
fn rough() -> impl Strategy<Value = Part> {
    let plain = [
        "test/try",
        "SlowPass",
        "Passthru",
        "test/own-thread",
        "flow/priority",
    ];
    let full = ["drop-oldest", "drop-new"];
    let policies = [
        "",
        ":fault=stop-network",
        ":fault=stop-process",
        ":fault=park",
        ":fault=retry, retries=2",
        ":fault=restart, retries=3",
    ];
    let plain = prop::sample::select(plain.to_vec());
    prop_oneof![
        4 => simple(),
        3 => plain.clone().prop_map(Part::Plain),
        2 => (plain.clone(), prop::sample::select(full.to_vec()))
            .prop_map(|(component, full)| Part::Shedding(component, full)),
        1 => plain.prop_map(Part::Diverting),
        2 => (prop::sample::select(policies.to_vec()), 2..20_u8, any::<bool>())
            .prop_map(|(policy, number, has_error)| Part::Failing(policy, number, has_error)),
        1 => (2..4_u8).prop_map(Part::Shared),
        1 => (0..9_u8).prop_map(|number| Part::Leaving("Take", "NUMBER", number)),
        1 => (1..9_u8).prop_map(|number| Part::Leaving("CopierCloser", "NUMBER", number)),
    ]
}

/// Parts that send one packet for each.
fn even() -> impl Strategy<Value = Part> {
    prop::sample::select(vec!["Passthru", "Copy", "test/own-thread"]).prop_map(Part::Plain)
}

fn chain(part: impl Strategy<Value = Part>) -> impl Strategy<Value = Chain> {
    vec((part, prop::option::of(capacity())), 0..4)
}

fn steady() -> impl Strategy<Value = Part> {
    simple().prop_recursive(3, 20, 3, |inner| {
        let inner = chain(inner).boxed();
        let branches = vec(inner.clone(), 1..4).boxed();
        let joins = prop::sample::select(vec!["ConcatStreams", "RRMerge"]);
        prop_oneof![
            branches.clone().prop_map(Part::Dealt),
            branches.clone().prop_map(Part::Funnel),
            (branches, joins).prop_map(|(branches, join)| Part::Copied(branches, join)),
            (1..5_u8, chain(even())).prop_map(|(burst, chain)| Part::Loop(burst, chain)),
            inner.clone().prop_map(Part::Subnet),
            inner.prop_map(Part::Scope),
        ]
    })
}

fn wild() -> impl Strategy<Value = Part> {
    rough().prop_recursive(3, 20, 3, |inner| {
        let inner = chain(inner).boxed();
        let branches = vec(inner.clone(), 1..4).boxed();
        let joins = prop::sample::select(vec!["ConcatStreams", "RRMerge"]);
        prop_oneof![
            branches.clone().prop_map(Part::Dealt),
            branches.clone().prop_map(Part::Merged),
            branches.clone().prop_map(Part::Balanced),
            (branches, joins).prop_map(|(branches, join)| Part::Copied(branches, join)),
            (1..5_u8, inner.clone()).prop_map(|(burst, chain)| Part::Loop(burst, chain)),
            inner.clone().prop_map(Part::After),
            inner.clone().prop_map(Part::Subnet),
            inner.prop_map(Part::Scope),
        ]
    })
}

/// Writes a chain of parts as a graph.
#[derive(Default)]
struct Writer {
    processes: usize,
    subnets: String,
}

impl Writer {
    fn process(&mut self) -> String {
        self.processes += 1;
        format!("P{}", self.processes)
    }

    /// Writes the chain behind `from`, and tells the end it has.
    fn chain(&mut self, chain: &Chain, from: &str, text: &mut String) -> String {
        let mut end = from.to_owned();
        for (part, capacity) in chain {
            let arrow = capacity.map_or(String::from("->"), |capacity| format!("->({capacity})"));
            end = self.part(part, &format!("{end} {arrow}"), text);
        }
        end
    }

    fn part(&mut self, part: &Part, from: &str, text: &mut String) -> String {
        let name = self.process();
        match part {
            Part::Plain(component) => line(text, format!("{from} IN {name}({component})")),
            Part::Numbered(component, param, number) | Part::Leaving(component, param, number) => {
                line(
                    text,
                    format!("{from} IN {name}({component})\n'{number}' -> {param} {name}"),
                );
            }
            Part::Dealt(branches) => {
                line(text, format!("{from} IN {name}(RoundRobinSender)"));
                return self.branches(branches, &name, "RRMerge", text);
            }
            Part::Copied(branches, join) => {
                line(text, format!("{from} IN {name}(ReplString)"));
                return self.branches(branches, &name, join, text);
            }
            Part::Funnel(branches) => {
                line(text, format!("{from} IN {name}(RoundRobinSender)"));
                return self.funnel(branches, &name, "RemoveBrackets", "Sort", text);
            }
            Part::Merged(branches) => {
                line(text, format!("{from} IN {name}(RoundRobinSender)"));
                return self.funnel(branches, &name, "Passthru", "Copy", text);
            }
            Part::Balanced(branches) => {
                line(text, format!("{from} IN {name}(LoadBalance)"));
                return self.funnel(branches, &name, "Passthru", "Copy", text);
            }
            Part::Loop(burst, chain) => {
                line(
                    text,
                    format!("{from} IN {name}(test/ring)\n'{burst}' -> BURST {name}"),
                );
                let end = self.chain(chain, &format!("{name} ROUND"), text);
                line(text, format!("{end} -> BACK {name}"));
            }
            Part::Shedding(component, full) => {
                let from = from.rsplit_once("->").map_or(from, |(from, _)| from);
                line(
                    text,
                    format!("{from} ->(capacity=2, full={full}) IN {name}({component})"),
                );
            }
            Part::Diverting(component) => {
                let from = from.rsplit_once("->").map_or(from, |(from, _)| from);
                let (spill, both) = (self.process(), self.process());
                line(
                    text,
                    format!(
                        "{from} ->(capacity=2, full=divert, divert={spill}.IN) IN {name}({component})\n\
                         {spill}(SlowPass) OUT -> IN {both}(Copy)\n{name} OUT -> IN {both}"
                    ),
                );
                return format!("{both} OUT");
            }
            Part::Failing(policy, number, has_error) => {
                line(
                    text,
                    format!("{from} IN {name}(test/stumble{policy})\n'{number}' -> NUMBER {name}"),
                );
                if *has_error {
                    line(text, format!("{name} ERROR -> IN {}(Drop)", self.process()));
                }
            }
            Part::Shared(instances) => line(
                text,
                format!("{from} IN {name}(test/slow:instances={instances})"),
            ),
            Part::After(chain) => {
                let (first, last) = (self.process(), self.process());
                line(text, format!("{from} IN {first}(ReplString)"));
                let end = self.chain(chain, &format!("{first} OUT[1]"), text);
                line(
                    text,
                    format!(
                        "{end} -> IN {last}(Drop)\n{first} OUT[0] ->(1000) IN {name}(Copy)\n\
                         {last} * -> * {name}"
                    ),
                );
            }
            Part::Subnet(chain) => self.subnet(chain, &name, from, text),
            Part::Scope(chain) => self.scope(chain, &name, from, text),
        }
        let port = match part {
            Part::Plain("Counter") => "COUNT",
            Part::Leaving("Take", ..) => "ACC",
            Part::Numbered("flow/skip", ..) => "ACC",
            _ => "OUT",
        };
        format!("{name} {port}")
    }

    fn branches(
        &mut self,
        branches: &[Chain],
        from: &str,
        join: &str,
        text: &mut String,
    ) -> String {
        let name = self.process();
        line(text, format!("{name}({join})"));
        for (at, branch) in branches.iter().enumerate() {
            let end = self.chain(branch, &format!("{from} OUT[{at}]"), text);
            line(text, format!("{end} -> IN[{at}] {name}"));
        }
        format!("{name} OUT")
    }

    /// Branches whose ends all lead to one in-port.
    fn funnel(
        &mut self,
        branches: &[Chain],
        from: &str,
        before: &str,
        behind: &str,
        text: &mut String,
    ) -> String {
        let name = self.process();
        line(text, format!("{name}({behind})"));
        for (at, branch) in branches.iter().enumerate() {
            let (end, last) = (
                self.chain(branch, &format!("{from} OUT[{at}]"), text),
                self.process(),
            );
            line(
                text,
                format!("{end} -> IN {last}({before}) OUT -> IN {name}"),
            );
        }
        format!("{name} OUT")
    }

    fn subnet(&mut self, chain: &Chain, name: &str, from: &str, text: &mut String) {
        let (first, mut inner) = (self.process(), String::new());
        let end = self.chain(chain, &format!("{first} OUT"), &mut inner);
        let block = format!("Sub{name}:\nIN => IN {first}(Copy)\n{inner}{end} => OUT;");
        line(&mut self.subnets, block);
        line(text, format!("{from} IN {name}(Sub{name})"));
    }

    fn scope(&mut self, chain: &Chain, name: &str, from: &str, text: &mut String) {
        let (entry, exit, mut inner) = (self.process(), self.process(), String::new());
        let end = self.chain(chain, &format!("{entry} OUT"), &mut inner);
        let borders = format!("'IN' -> NAME {entry}(SubInSS)\n'OUT' -> NAME {exit}(SubOutSS)");
        let block = format!("Sub{name}:\n{borders}\n{inner}{end} -> IN {exit};");
        line(&mut self.subnets, block);
        line(text, format!("{from} IN {name}(Sub{name})"));
    }
}

fn line(text: &mut String, line: impl AsRef<str>) {
    writeln!(text, "{}", line.as_ref()).expect("a text takes everything");
}

/// A whole network.
fn network(part: impl Strategy<Value = Part>) -> impl Strategy<Value = String> {
    let source = prop::sample::select(vec!["GenerateTestData", "GenSS"]);
    (source, 0..60_u8, chain(part)).prop_map(|(source, count, chain)| {
        let mut writer = Writer::default();
        let mut text = String::new();
        line(
            &mut text,
            format!("Main:\n'{count}' -> COUNT Source({source})"),
        );
        let end = writer.chain(&chain, "Source OUT", &mut text);
        line(
            &mut text,
            format!("{end} -> IN Last(Copy)\nOUTPORT=Last.OUT:OUT;"),
        );
        text + &writer.subnets
    })
}

/// Passes everything on, on a thread of its own.
#[component("test/own-thread", work = thread)]
async fn own_thread(
    /// Anything.
    input: In<Packet>,
    /// The same.
    out: Out<Packet>,
) -> Result<(), Fault> {
    while let Some(packet) = input.next().await {
        out.send(packet).await?;
    }
    Ok(())
}

/// Sends BURST packets into a loop, takes as many back and passes them on; then the next ones.
#[component("test/ring", work = compute, reads = in_step)]
async fn ring(
    /// Anything.
    input: In<Packet>,
    /// What comes out of the loop.
    back: In<Packet>,
    /// How many at a time.
    burst: Param<i64>,
    /// Into the loop.
    round: Out<Packet>,
    /// What has been through the loop.
    out: Out<Packet>,
) -> Result<(), Closed> {
    loop {
        let mut sent = 0;
        while sent < *burst
            && let Some(packet) = input.next().await
        {
            round.send(packet).await?;
            sent += 1;
        }
        if sent == 0 {
            break;
        }
        for _ in 0..sent {
            let Some(packet) = back.next().await else {
                return Ok(());
            };
            out.send(packet).await?;
        }
    }
    round.close();
    while let Some(packet) = back.next().await {
        out.send(packet).await?;
    }
    Ok(())
}

/// Passes on what has room, and ends the rest.
#[component("test/try", work = compute)]
async fn hasty(
    /// Anything.
    input: In<Packet>,
    /// Some of it.
    out: Out<Packet>,
) {
    while let Some(packet) = input.next().await {
        if !out.has_room() {
            continue;
        }
        if let Err(TrySend::Closed(_)) = out.try_send(packet) {
            return;
        }
    }
}

/// Fails at every packet whose number divides by NUMBER, and panics at every third of those.
#[component("test/stumble", work = compute)]
fn stumble(
    /// Texts that begin with their number.
    input: Packet,
    /// How often.
    number: &Param<i64>,
    /// The rest.
    out: &mut Out<Packet>,
) -> Result<(), Fault> {
    let text = input.to_string();
    let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
    let which: i64 = digits.parse().unwrap_or(1);
    assert_ne!(which % (**number * 3), 0, "asked to panic");
    if which % **number == 0 {
        return Err(Fault::new("asked to fail"));
    }
    out.put(input);
    Ok(())
}

/// Passes everything on after a while that differs from packet to packet.
#[component("test/slow", work = compute)]
fn slow(
    /// Anything.
    input: Packet,
    /// The same.
    out: &mut Out<Packet>,
) {
    for _ in 0..input.to_string().len() % 4 {
        thread::yield_now();
    }
    out.put(input);
}

fn bench(text: &str) -> Bench {
    Bench::of(text)
        .with(own_thread)
        .with(ring)
        .with(hasty)
        .with(stumble)
        .with(slow)
}

/// What must be the same for everybody: who is stuck in which state, and what comes out.
fn result(ran: &Ran) -> (Vec<String>, Vec<String>) {
    let Ran { way, outcome, .. } = ran;
    assert!(outcome.leaks.is_empty(), "{way:?}: {:?}", outcome.leaks);
    let stuck = match &outcome.verdict {
        Verdict::Finished => Vec::new(),
        Verdict::Deadlock(deadlock) => {
            let stuck = deadlock.stuck.iter();
            let stuck: Vec<_> = stuck
                .map(|stuck| format!("{} {}", stuck.address, stuck.state))
                .collect();
            assert!(!stuck.is_empty(), "{way:?}: nobody is stuck");
            stuck
        }
        other => panic!("{way:?}: {other:?}"),
    };
    (stuck, ran.out["OUT"].clone())
}

/// What the program around a wild network does.
#[derive(Clone, Copy, Debug)]
enum Around {
    /// Reads everything.
    Reads,
    /// Leaves after so many packets.
    Leaves(usize),
    /// Stops the sources after so many packets, and reads on.
    Stops(usize),
    /// Stops everything after so many packets.
    Kills(usize),
}

fn around() -> impl Strategy<Value = Around> {
    prop_oneof![
        3 => Just(Around::Reads),
        1 => (0..20_usize).prop_map(Around::Leaves),
        1 => (0..20_usize).prop_map(Around::Stops),
        1 => (0..20_usize).prop_map(Around::Kills),
    ]
}

/// Runs a network in which nothing can be foretold but that it ends.
fn run_wild(text: &str, way: Way, around: Around) -> Outcome {
    let Started {
        running, outputs, ..
    } = bench(text).start(way, &[], &["OUT"]);
    let control = running.control();
    let reader = thread::spawn(move || {
        let mut output = outputs.into_iter().flatten();
        match around {
            Around::Reads => {}
            Around::Leaves(packets) => {
                output.by_ref().take(packets).for_each(drop);
                return;
            }
            Around::Stops(packets) => {
                output.by_ref().take(packets).for_each(drop);
                control.stop(Duration::from_secs(30));
            }
            Around::Kills(packets) => {
                output.by_ref().take(packets).for_each(drop);
                control.kill();
            }
        }
        output.for_each(drop);
    });
    let outcome = finish(running, way);
    assert!(reader.join().is_ok(), "the reader ends");
    outcome
}

/// Everything that was made has ended, was lost, was shed or was handed out, and no link holds more than
/// it may.
fn is_lawful(outcome: &Outcome, way: Way, around: Around) {
    let statistics = &outcome.statistics;
    let totals = &statistics.totals;
    assert_eq!(
        totals.created + totals.iip_delivered + totals.fed,
        totals.dropped + totals.shed + totals.lost_on_close + totals.handed_out,
        "{way:?} {around:?}: {statistics:#?}"
    );
    for link in &statistics.links {
        let counts = link.counts;
        let gone = counts.received + counts.shed + counts.lost_on_close + link.waiting;
        assert_eq!(counts.sent, gone, "{way:?} {around:?}: {link:?}");
        assert!(counts.high_water <= link.capacity, "{way:?}: {link:?}");
    }
    match (&outcome.verdict, around) {
        (Verdict::Deadlock(deadlock), _) => assert!(!deadlock.stuck.is_empty(), "{way:?}"),
        (Verdict::Abandoned(_), Around::Reads | Around::Leaves(_)) => {
            panic!(
                "{way:?} {around:?}: nobody has stopped it: {:?}",
                outcome.verdict
            )
        }
        _ => {}
    }
}

fn cases() -> u32 {
    let asked = std::env::var("PAPERFLOW_CASES").ok();
    asked.and_then(|cases| cases.parse().ok()).unwrap_or(200)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: cases(),
        max_shrink_iters: 2_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn every_scheduler_gives_the_same(text in network(steady())) {
        let bench = bench(&text);
        for capacity in [1, 2, 7, 1000] {
            let run = |scheduler| result(&bench.run(Way { scheduler, capacity }));
            let threads = run(Scheduler::Threads);
            for scheduler in [Scheduler::Pool(1), Scheduler::Pool(2)] {
                let result = run(scheduler);
                prop_assert_eq!(&threads, &result, "{:?} at {}:\n{}", scheduler, capacity, text);
            }
        }
    }

    #[test]
    fn every_packet_is_accounted_for(
        text in network(wild()),
        way in 0..ways().count(),
        around in around(),
    ) {
        let way = ways().nth(way).expect("there are so many");
        is_lawful(&run_wild(&text, way, around), way, around);
    }
}

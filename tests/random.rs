//! Random small networks: whoever runs them, the same comes out, and the same ones get stuck.
//!
//! The networks are deterministic: every process decides by what it receives, never by when. So output,
//! verdict and the states of those that are stuck may depend on the capacities, and on nothing else.
//! `PAPERFLOW_CASES` says how many networks are tried.

mod support;

use std::fmt::Write as _;

use paperflow::{Fault, In, Out, Packet, Scheduler, Verdict, component};
use proptest::collection::vec;
use proptest::prelude::*;
use support::{Bench, Ran, Way};

/// A part of a network with one stream in and one stream out.
#[derive(Clone, Debug)]
enum Part {
    /// A component that passes something on.
    Plain(&'static str),
    /// A component with a number for a parameter.
    Numbered(&'static str, &'static str, u8),
    /// One that leaves its stream early.
    Leaving(&'static str, &'static str, u8),
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
        1 => (0..9_u8).prop_map(|number| Part::Leaving("Take", "NUMBER", number)),
        1 => (1..9_u8).prop_map(|number| Part::Leaving("CopierCloser", "NUMBER", number)),
    ]
}

fn chain(part: impl Strategy<Value = Part>) -> impl Strategy<Value = Chain> {
    vec((part, prop::option::of(capacity())), 0..4)
}

fn part() -> impl Strategy<Value = Part> {
    simple().prop_recursive(3, 20, 3, |inner| {
        let inner = chain(inner).boxed();
        let branches = vec(inner.clone(), 1..4).boxed();
        let joins = prop::sample::select(vec!["ConcatStreams", "RRMerge"]);
        prop_oneof![
            branches.clone().prop_map(Part::Dealt),
            (branches, joins).prop_map(|(branches, join)| Part::Copied(branches, join)),
            inner.clone().prop_map(Part::Subnet),
            inner.prop_map(Part::Scope),
        ]
    })
}

fn has_branches(chain: &Chain) -> bool {
    chain.iter().any(|(part, _)| match part {
        Part::Dealt(_) | Part::Copied(..) => true,
        Part::Subnet(chain) | Part::Scope(chain) => has_branches(chain),
        Part::Plain(_) | Part::Numbered(..) | Part::Leaving(..) => false,
    })
}

/// Writes a chain of parts as a graph.
#[derive(Default)]
struct Writer {
    processes: usize,
    subnets: String,
    /// Nobody may leave early: when a sender learns of it depends on time, and where streams are dealt
    /// out or joined that shows.
    is_steady: bool,
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
            Part::Leaving(..) if self.is_steady => line(text, format!("{from} IN {name}(Copy)")),
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
            Part::Subnet(chain) => self.subnet(chain, &name, from, text),
            Part::Scope(chain) => self.scope(chain, &name, from, text),
        }
        let port = match part {
            Part::Plain("Counter") => "COUNT",
            Part::Leaving("Take", ..) if !self.is_steady => "ACC",
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
fn network() -> impl Strategy<Value = String> {
    let source = prop::sample::select(vec!["GenerateTestData", "GenSS"]);
    (source, 0..60_u8, chain(part())).prop_map(|(source, count, chain)| {
        let is_steady = has_branches(&chain);
        let mut writer = Writer {
            is_steady,
            ..Writer::default()
        };
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

/// What must be the same for everybody: who is stuck in which state, and what comes out.
fn result(ran: &Ran) -> (Vec<String>, Vec<String>) {
    let Ran { way, outcome, .. } = ran;
    assert!(outcome.leaks.is_empty(), "{way:?}: {:?}", outcome.leaks);
    let stuck = match &outcome.verdict {
        Verdict::Finished => Vec::new(),
        Verdict::Deadlock(deadlock) => {
            let stuck = deadlock.stuck.iter();
            stuck
                .map(|stuck| format!("{} {}", stuck.address, stuck.state))
                .collect()
        }
        other => panic!("{way:?}: {other:?}"),
    };
    (stuck, ran.out["OUT"].clone())
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
    fn every_scheduler_gives_the_same(text in network(), capacity in capacity()) {
        let bench = Bench::of(&text).with(own_thread);
        let run = |scheduler| result(&bench.run(Way { scheduler, capacity }));
        let threads = run(Scheduler::Threads);
        for scheduler in [Scheduler::Pool(1), Scheduler::Pool(2)] {
            let result = run(scheduler);
            prop_assert_eq!(&threads, &result, "{:?} at {}:\n{}", scheduler, capacity, text);
        }
    }
}

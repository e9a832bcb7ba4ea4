//! Graphs cut at any arc into programs that meet over a broker: together they show what the graph shows in
//! one piece, also when one of them is killed in the middle and begins again.
//!
//! The graphs are those of `graphs/`, and such as are drawn by chance. `PAPERFLOW_TEST_CUTS` is how many graphs
//! each test cuts, each at one arc; with the name of a graph, such as `classic/copy` or `drawn/3`, it is this one
//! at every arc, and with `all` every graph at every arc, or as many drawn ones as `PAPERFLOW_TEST_DRAWN` says.
//! Which graphs, at which arcs, and when which part is killed follows from `PAPERFLOW_TEST_SEED`;
//! `PAPERFLOW_TEST_KILLS` is how many kills there are, one when nothing is said. An arc whose ends are joined in
//! another way is cut together with those that `split` says join them.
//!
//! What a cut leaves at the broker stays there. With `all` that is some 5,000 queues, more than one RabbitMQ with
//! quorum queues may answer for, so begin it anew between graphs.
#![cfg(feature = "broker")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(
    clippy::print_stdout,
    reason = "a seed is shown, and what fails before all is tried"
)]

mod brokers;
#[path = "cuts/chance.rs"]
mod chance;
#[path = "cuts/drawn.rs"]
mod drawn;
#[path = "cuts/graphs.rs"]
mod graphs;
#[path = "cuts/programs.rs"]
mod programs;

use std::env;
use std::fmt::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use chance::{Chance, given};
use graphs::Graph;
use programs::{Agency, Office, Ran, Split};

/// How many graphs a test cuts when nothing else is said.
const USUAL: usize = 6;

/// The test whose graphs are drawn.
const DRAWN_TEST: &str = "drawn";

/// How many of them are tried at a time: programs that meet wait for each other most of the time.
const AT_A_TIME: usize = 3;

/// How many graphs are drawn by chance when all of them are asked for.
const DRAWN: usize = 20;

/// What has come of the cuts of a test.
#[derive(Default)]
struct Tally {
    ran: usize,
    killed: usize,
    refused: usize,
    wrong: Vec<String>,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.ran += other.ran;
        self.killed += other.killed;
        self.refused += other.refused;
        self.wrong.extend(other.wrong);
    }
}

/// How many graphs are asked for; nothing when it is all, or one of some name.
fn count() -> Option<usize> {
    match env::var("PAPERFLOW_TEST_CUTS") {
        Ok(asked) => asked.parse().ok(),
        Err(_) => Some(USUAL),
    }
}

/// Whether a graph is asked for by its name, or all are.
fn is_asked(name: &str) -> bool {
    let asked = env::var("PAPERFLOW_TEST_CUTS").unwrap_or_default();
    asked == "all" || asked == name
}

/// The graphs of `graphs/` that are asked for.
fn kept(broker: &str, chance: &mut Chance) -> Vec<Graph> {
    let mut all = graphs::all();
    all.retain(|graph| graph.goes_over(broker));
    match count() {
        Some(count) => {
            for last in (1..all.len()).rev() {
                all.swap(last, chance.below(last + 1));
            }
            all.truncate(count);
        }
        None => all.retain(|graph| is_asked(&graph.name)),
    }
    all
}

/// Graphs drawn by chance, as many as are asked for.
fn drawn(broker: &str, agency: &Agency, seed: u64) -> Vec<Graph> {
    let names = 0..count().unwrap_or_else(|| given("PAPERFLOW_TEST_DRAWN", DRAWN));
    let names = names.map(|number| format!("drawn/{number}"));
    let some = names.filter(|name| count().is_some() || is_asked(name));
    some.map(|name| drawn::draw(agency.folder(), &name, Chance::new(seed, &[broker, &name])))
        .collect()
}

/// The arcs at which graphs are cut: each of them, or one.
fn cuts(graphs: Vec<Graph>, chance: &mut Chance) -> Vec<(Graph, String)> {
    let mut cuts = Vec::new();
    for graph in graphs {
        let mut arcs = graph.arcs.clone();
        if count().is_some() {
            arcs = vec![arcs.swap_remove(chance.below(arcs.len()))];
        }
        cuts.extend(arcs.into_iter().map(|arc| (graph.clone(), arc)));
    }
    cuts
}

/// Cuts graphs over a broker, some at a time, and tells what was wrong when all of them have been tried.
fn each(broker: &str, test: &str, cut: impl Fn(&Trial<'_>, &mut Chance) -> Tally + Sync) {
    let Some(url) = brokers::url(broker) else {
        return;
    };
    let seed = chance::seed();
    let agency = Agency::new(test, broker, &url);
    let mut chance = Chance::new(seed, &[broker, test]);
    let graphs = match test {
        DRAWN_TEST => drawn(broker, &agency, seed),
        _ => kept(broker, &mut chance),
    };
    let cuts = cuts(graphs, &mut chance);
    let (cuts, agency, cut) = (&cuts, &agency, &cut);
    let next = AtomicUsize::new(0);
    let work = || {
        let mut tally = Tally::default();
        while let Some((graph, arc)) = cuts.get(next.fetch_add(1, Ordering::Relaxed)) {
            let mut chance = Chance::new(seed, &[broker, test, &graph.name, arc]);
            tally.add(cut(&Trial { agency, graph, arc }, &mut chance));
        }
        tally
    };
    let mut tally = Tally::default();
    thread::scope(|scope| {
        let workers: Vec<_> = (0..AT_A_TIME).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            tally.add(worker.join().unwrap());
        }
    });
    let Tally {
        ran,
        killed,
        refused,
        wrong,
    } = tally;
    let told = format!(
        "{broker}, PAPERFLOW_TEST_SEED={seed}: {ran} cuts ran, {killed} of their parts were killed, {refused} were refused"
    );
    println!("{told}");
    assert!(wrong.is_empty(), "{told}\n{}", wrong.join("\n\n"));
    assert!(ran > 0, "{told}");
}

/// A graph that is to be cut at an arc.
struct Trial<'a> {
    agency: &'a Agency,
    graph: &'a Graph,
    arc: &'a str,
}

impl Trial<'_> {
    /// Splits the graph at arcs, and at those that still join their ends; nothing when that is refused.
    fn split(&self, at: &[String], tally: &mut Tally) -> Option<Office<'_>> {
        match self.agency.split(self.graph, at) {
            Split::Parts(office) => Some(office).filter(|office| self.graph.bears(&office.at)),
            Split::Refused(reason) => {
                tally.refused += 1;
                if !is_reason(&reason) {
                    let name = &self.graph.name;
                    let told = format!("{name} at {at:?}: refused with: {reason}");
                    tally.wrong.push(told);
                }
                None
            }
        }
    }

    /// Whether a run has shown what it must, and nothing else.
    fn is_same(&self, ran: &Ran) -> bool {
        let expected = &self.graph.expected;
        match self.graph.is_by_time() {
            true => ran.has_all(expected),
            false => ran.is_same(expected),
        }
    }

    /// Tells what is wrong with a run: somebody did not end well, or it has not shown what it must.
    fn judge(&self, office: &Office<'_>, ran: &Ran, how: &str, is_right: bool, tally: &mut Tally) {
        let mut told = String::new();
        // Killed when it had said its last word, it waits for the next run.
        let may_wait = |at: usize| {
            let mut others = ran.ends.iter().enumerate();
            let is_alone = others.all(|(other, end)| other == at || end.is_success);
            ran.victims.contains(&at) && ran.ends[at].is_waiting && is_alone && is_right
        };
        let ends = ran.ends.iter().enumerate();
        for (_, end) in ends.filter(|(at, end)| !end.is_success && !may_wait(*at)) {
            let _ = writeln!(told, "`{}` {}: {}", end.part, end.how, end.told);
        }
        if !is_right {
            let (shown, expected) = (ran.shown(), &self.graph.expected);
            let _ = writeln!(told, "shown {shown:?}\nexpected {expected:?}");
        }
        if !told.is_empty() {
            let (name, at, folder) = (&self.graph.name, &office.at, ran.folder.display());
            let told = format!("{name} at {at:?}{how}, in {folder}:\n{told}");
            println!("{told}");
            tally.wrong.push(told);
        }
    }
}

/// `split` has said what keeps a graph from being cut there.
fn is_reason(told: &str) -> bool {
    let reasons = [
        "its ends start anew together for each group",
        "keeps none",
        "cannot do",
        "error[P",
    ];
    reasons.iter().any(|reason| told.contains(reason))
}

/// Cut at an arc it shows the same, and so it does when a part is killed at some moment.
fn gives_the_same(broker: &str, test: &str) {
    each(broker, test, |trial, chance| {
        let mut tally = Tally::default();
        let Some(office) = trial.split(&[trial.arc.to_owned()], &mut tally) else {
            return tally;
        };
        let expected = &trial.graph.expected;
        let ran = office.run(&[]);
        tally.ran += 1;
        trial.judge(&office, &ran, "", trial.is_same(&ran), &mut tally);
        if !trial.graph.outlives_kills(&office.at) {
            return tally;
        }
        // The first not near its end: who is killed when it has said its last word would wait for the next run.
        let some = (0..given("PAPERFLOW_TEST_KILLS", 1)).map(|_| {
            let victim = chance.below(office.parts.len());
            let moment = u32::try_from(chance.below(1000)).unwrap();
            (victim, ran.took * moment / 2000)
        });
        let kills: Vec<_> = some.collect();
        let mut ran = office.run(&kills);
        if !ran.victims.is_empty() {
            tally.killed += ran.victims.len();
            let victims = ran.victims.iter().map(|victim| &office.parts[*victim]);
            let names: Vec<_> = victims.clone().map(|(name, _)| name.as_str()).collect();
            let how = format!(" with {names:?} killed by {kills:?}");
            let processes: Vec<_> = victims.flat_map(|(_, all)| all.iter().cloned()).collect();
            ran.is_known &= !trial.graph.divides_anew(&processes);
            // What comes twice is counted twice, in whatever part.
            let remembers = match ran.is_known {
                true => trial.graph.remembers(&processes),
                false => trial.graph.remembers(&trial.graph.addresses()),
            };
            // Who has forgotten it again and again may wait for what has been.
            if !remembers || kills.len() == 1 {
                let is_right = remembers || ran.has_all(expected);
                trial.judge(&office, &ran, &how, is_right, &mut tally);
            }
        }
        tally
    });
}

/// Cut at two arcs it shows the same.
fn gives_the_same_in_three(broker: &str) {
    each(broker, "three", |trial, chance| {
        let mut tally = Tally::default();
        let mut arcs = trial.graph.arcs.clone();
        arcs.retain(|other| other != trial.arc);
        if arcs.is_empty() {
            return tally;
        }
        let other = arcs.swap_remove(chance.below(arcs.len()));
        let Some(office) = trial.split(&[trial.arc.to_owned(), other], &mut tally) else {
            return tally;
        };
        let ran = office.run(&[]);
        tally.ran += 1;
        let is_right = trial.is_same(&ran);
        trial.judge(&office, &ran, "", is_right, &mut tally);
        tally
    });
}

/// A loop goes round although a part holds what it has received last, and there is room for no more than that.
fn goes_round(broker: &str) {
    let Some(url) = brokers::url(broker) else {
        return;
    };
    let agency = Agency::new("round", broker, &url);
    let mut all = graphs::all().into_iter();
    let found = all.find(|graph| graph.name == "classic/count-down");
    let mut graph = found.unwrap();
    assert!(graph.text.contains("->(2)"), "{}", graph.text);
    graph.text = graph.text.replace("->(2)", "->(1)");
    let trial = Trial {
        agency: &agency,
        graph: &graph,
        arc: "Count.OUT -> Loop.IN",
    };
    let mut tally = Tally::default();
    let office = trial.split(&[trial.arc.to_owned()], &mut tally).unwrap();
    let ran = office.run(&[]);
    trial.judge(&office, &ran, "", trial.is_same(&ran), &mut tally);
    assert!(tally.wrong.is_empty(), "{}", tally.wrong.join("\n"));
}

macro_rules! over {
    ($($feature:literal $broker:ident),*) => {$(
        #[cfg(feature = $feature)]
        mod $broker {
            use super::*;

            #[test]
            fn graphs_cut_at_any_arc_give_the_same_also_when_a_part_is_killed() {
                gives_the_same($feature, "same");
            }

            #[test]
            fn graphs_drawn_by_chance_give_the_same_cut_at_any_arc_also_when_a_part_is_killed() {
                gives_the_same($feature, DRAWN_TEST);
            }

            #[test]
            fn graphs_cut_at_any_two_arcs_give_the_same() {
                gives_the_same_in_three($feature);
            }

            #[test]
            fn a_loop_with_room_for_one_goes_round_when_it_is_cut() {
                goes_round($feature);
            }
        }
    )*};
}

over!("amqp" amqp, "kafka" kafka, "nats" nats, "redis" redis);

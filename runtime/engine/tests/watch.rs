//! Who holds up others is relieved where that can be, and named in any case.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod common;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, unbounded};
use paperflow_core::*;
use paperflow_engine::report::State;
use paperflow_engine::{
    LONG_TURN, Network, Notice, Options, Running, Scheduler, Started, Verdict, Waited, WaitedFor,
    Watch, describe,
};
use paperflow_graph::{FileId, Graph, Resolve, Sources, examine};
use parking_lot::{Condvar, Mutex};

// ---- gates: code that does not come back until the test says so ----

#[derive(Default)]
struct Gate {
    is_open: Mutex<bool>,
    opened: Condvar,
}

impl Gate {
    fn of(name: &str) -> Arc<Self> {
        static GATES: LazyLock<Mutex<BTreeMap<String, Arc<Gate>>>> = LazyLock::new(Mutex::default);
        Arc::clone(GATES.lock().entry(name.to_owned()).or_default())
    }

    fn open(&self) {
        *self.is_open.lock() = true;
        self.opened.notify_all();
    }

    fn wait(&self) {
        let mut is_open = self.is_open.lock();
        while !*is_open {
            self.opened.wait(&mut is_open);
        }
    }
}

/// Blocks in its own code, in the pool, where nothing may block.
#[component("t/block", work = compute)]
fn block(
    /// Anything.
    input: Packet,
    /// Which gate it waits for.
    gate: &Param<String>,
    /// The same.
    out: &mut Out<Packet>,
) {
    Gate::of(gate).wait();
    out.put(input);
}

/// Blocks in its own code, on its own thread.
#[component("t/block-on-thread")]
fn block_on_thread(
    /// Anything.
    input: Packet,
    /// Which gate it waits for.
    gate: &Param<String>,
) {
    let _ = input;
    Gate::of(gate).wait();
}

/// Waits for the world, and says so.
#[component("t/block-outside")]
async fn block_outside(
    /// Which gate it waits for.
    gate: Param<String>,
    /// Nothing.
    out: Out<i64>,
) {
    let _ = out;
    outside(|| Gate::of(&gate).wait());
}

/// Takes its time for each packet.
#[component("t/crunch", work = compute)]
fn crunch(
    /// Numbers.
    input: i64,
    /// The same, late.
    out: &mut Out<i64>,
) {
    let begun = Instant::now();
    while begun.elapsed() < LONG_TURN {
        std::hint::spin_loop();
    }
    out.put(input);
}

/// Runs a network of its own for each packet, and sends what comes out.
#[component("t/nest", work = compute)]
fn nest(
    /// How many numbers the inner network makes.
    input: i64,
    /// How many came out.
    out: &mut Out<i64>,
) {
    let text = format!("'{input}' -> COUNT E(t/emit) OUT -> IN A(t/pass)\nOUTPORT=A.OUT:OUT");
    let ran = common::run_with(&text, Scheduler::Pool(1), 2);
    out.put(i64::try_from(ran.out.len()).unwrap());
}

// ---- networks ----

struct NoSubnets;

impl Resolve for NoSubnets {
    fn subnet(&mut self, _: &str, _: FileId) -> Option<Arc<Graph>> {
        None
    }
}

fn network(text: &str, scheduler: Scheduler, watch: Watch) -> Network {
    network_in(text, scheduler, watch, false)
}

fn network_in(text: &str, scheduler: Scheduler, watch: Watch, virtual_time: bool) -> Network {
    let mut sources = Sources::new();
    let file = sources.add(Path::new("test.fbp"), text);
    let parsed = paperflow_syntax::parse(&sources, file, paperflow_syntax::Options::default());
    assert_eq!(parsed.diagnostics, []);
    let catalogue = common::catalogue()
        .with(block)
        .with(block_on_thread)
        .with(block_outside)
        .with(crunch)
        .with(ask_each)
        .with(answer)
        .with(nest);
    let checked = examine(&parsed.graph, &describe(&catalogue), &mut NoSubnets);
    let options = Options {
        scheduler,
        watch: Some(watch),
        virtual_time,
        ..Options::default()
    };
    Network::new(checked.plan, &catalogue, &sources, options)
}

const QUICK: Watch = Watch {
    turn: Duration::from_millis(5),
    notice: Duration::from_millis(20),
};

/// One that never says anything.
const PATIENT: Watch = Watch {
    turn: Duration::from_millis(5),
    notice: Duration::from_secs(100_000),
};

fn start(text: &str, scheduler: Scheduler) -> Running {
    network(text, scheduler, QUICK).start().unwrap().running
}

fn notices(running: &Running) -> Receiver<Notice> {
    let (told, heard) = unbounded();
    running.on_notice(move |notice| told.send(notice.clone()).unwrap_or_default());
    heard
}

// ---- a spare worker ----

#[test]
fn a_worker_that_is_held_up_is_relieved_and_the_network_goes_on() {
    for workers in [1, 2] {
        let gate = format!("relieved {workers}");
        let text = format!(
            "'1' -> COUNT One(t/emit) OUT -> IN A(t/block) OUT -> IN DropA(t/discard)
             '{gate}' -> GATE A
             '1' -> COUNT Other(t/emit) OUT -> IN B(t/block) OUT -> IN DropB(t/discard)
             '{gate}' -> GATE B
             '500' -> COUNT Many(t/emit) OUT -> (4) IN C(t/pass) OUT -> (4) IN D(t/walk)
             OUTPORT=D.OUT:OUT"
        );
        let mut network = network(&text, Scheduler::Pool(workers), PATIENT);
        network.output("OUT").unwrap();
        let Started {
            running, outputs, ..
        } = network.start().unwrap();
        // The rest of the network runs to its end, although two processes hold two workers.
        assert_eq!(outputs.into_iter().flatten().count(), 500, "{workers}");
        let states = running.observer().states();
        assert!(
            states.contains(&(String::from("A"), State::Active)),
            "{states:?}"
        );
        Gate::of(&gate).open();
        let outcome = running.wait();
        assert_eq!(outcome.verdict, Verdict::Finished, "{workers}");
        let mut processes = outcome.statistics.processes.iter();
        let held = processes.find(|process| process.address == "A").unwrap();
        assert_eq!(held.origin, "test.fbp:1:36");
        assert!(held.busy >= PATIENT.turn, "{held:?}");
    }
}

#[test]
fn what_a_held_up_worker_was_to_run_next_runs_elsewhere() {
    // A takes the first number, which wakes E by making room: E is to run next on this very worker.
    let text = "'9' -> COUNT E(t/emit) OUT -> (1) IN A(t/block) OUT -> IN Drop(t/discard)
                'next' -> GATE A";
    let running = start(text, Scheduler::Pool(1));
    let heard = notices(&running);
    let full = State::SuspendedSend(vec![String::from("OUT")]);
    let has_run = (String::from("E"), full);
    // On a busy machine whoever has hardly begun may be named before, and so may A while the spare
    // worker is on its way. In the end it is A alone, and nobody waits for a worker: E has run, and
    // waits for room.
    loop {
        let Notice::Held { by, queued, .. } = heard.recv().unwrap() else {
            continue;
        };
        let names: Vec<_> = by.iter().map(|holder| &*holder.address).collect();
        if names == ["A"] && queued == 0 && running.observer().states().contains(&has_run) {
            break;
        }
    }
    Gate::of("next").open();
    assert_eq!(running.wait().verdict, Verdict::Finished);
}

#[test]
fn spare_workers_are_bounded() {
    let stuck = 40;
    let mut text = String::new();
    for number in 0..stuck {
        text += &format!(
            "'1' -> IN P{number}(t/block) OUT -> IN D{number}(t/discard)\n'many' -> GATE P{number}\n"
        );
    }
    let running = start(&text, Scheduler::Pool(2));
    let heard = notices(&running);
    let most = loop {
        let Notice::Held { by, queued, .. } = heard.recv().unwrap() else {
            continue;
        };
        // Each spare comes a while after the one before.
        if by.len() + queued >= stuck && by.len() == 2 + 16 {
            break by.len();
        }
        assert!(by.len() <= 2 + 16, "{}", by.len());
    };
    assert_eq!(most, 18);
    Gate::of("many").open();
    assert_eq!(running.wait().verdict, Verdict::Finished);
}

// ---- notices ----

#[test]
fn who_holds_up_everybody_is_named_again_and_again() {
    for (scheduler, component) in [
        (Scheduler::Pool(1), "t/block-on-thread"),
        (Scheduler::Threads, "t/block-on-thread"),
        (Scheduler::Pool(1), "t/block"),
    ] {
        let gate = format!("named {scheduler:?} {component}");
        let text = format!(
            "'3' -> COUNT E(t/emit) OUT -> IN P(t/pass)\nP OUT -> IN Stuck({component})\n'{gate}' -> GATE Stuck"
        );
        let running = start(&text, scheduler);
        let heard = notices(&running);
        let mut times = Vec::new();
        while times.len() < 2 {
            let notice = heard.recv().unwrap();
            let Notice::Held { by, time, .. } = &notice else {
                continue;
            };
            assert_eq!(by.len(), 1, "{notice}");
            times.push(*time);
            let said = format!(
                "waiting on Stuck (test.fbp:2:13) in component {component}: active for {time:?}; nothing else can run"
            );
            assert_eq!(notice.to_string(), said);
        }
        assert_eq!(times[1], 2 * times[0], "{times:?}");
        Gate::of(&gate).open();
        let outcome = running.wait();
        // It is no deadlock, and no fault.
        assert_eq!(outcome.verdict, Verdict::Finished);
        assert!(outcome.notices.len() >= 2);
    }
}

#[test]
fn who_is_outside_is_not_blamed() {
    let text = "'sea' -> GATE Away(t/block-outside) OUT -> IN D(t/discard)
                '1' -> IN Stuck(t/block-on-thread)
                'land' -> GATE Stuck";
    let running = start(text, Scheduler::Auto);
    let heard = notices(&running);
    let Notice::Held { by, .. } = heard.recv().unwrap() else {
        panic!("something else")
    };
    let named: Vec<_> = by.iter().map(|holder| holder.address.as_str()).collect();
    assert_eq!(named, ["Stuck"]);
    Gate::of("land").open();
    Gate::of("sea").open();
    assert_eq!(running.wait().verdict, Verdict::Finished);
}

#[test]
fn nobody_watches_while_nobody_is_busy() {
    let idle = start(
        "'idle' -> GATE Away(t/block-outside) OUT -> IN D(t/discard)",
        Scheduler::Auto,
    );
    let observer = idle.observer();
    // Time passes: another network is watched meanwhile, by the same limits.
    let busy = start(
        "'1' -> IN Stuck(t/block-on-thread)\n'busy' -> GATE Stuck",
        Scheduler::Auto,
    );
    let pass = || {
        let until = busy.observer().watched() + 100;
        while busy.observer().watched() < until {
            std::thread::yield_now();
        }
    };
    let is_asleep = || {
        let before = observer.watched();
        pass();
        observer.watched() == before
    };
    assert!((0..10).any(|_| is_asleep()), "{} looks", observer.watched());
    let before = observer.watched();
    pass();
    assert_eq!(observer.watched(), before);
    assert_eq!(observer.notices(), []);
    Gate::of("idle").open();
    Gate::of("busy").open();
    assert_eq!(idle.wait().verdict, Verdict::Finished);
    assert_eq!(busy.wait().verdict, Verdict::Finished);
}

#[test]
fn long_turns_are_counted_and_told_once() {
    let text = "'60' -> COUNT E(t/emit) OUT -> IN Slow(t/crunch) OUT -> IN D(t/discard)";
    let outcome = start(text, Scheduler::Pool(2)).wait();
    assert_eq!(outcome.verdict, Verdict::Finished);
    let processes = outcome.statistics.processes.iter();
    let slow = processes
        .filter(|process| process.address == "Slow")
        .collect::<Vec<_>>()[0];
    assert!(slow.long_turns >= 10, "{slow:?}");
    assert!(slow.longest_turn >= LONG_TURN, "{slow:?}");
    assert!(slow.longest_turn <= slow.busy, "{slow:?}");
    let about_slow =
        |notice: &&Notice| matches!(notice, Notice::LongTurns { by, .. } if by.address == "Slow");
    let told: Vec<_> = outcome.notices.iter().filter(about_slow).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    let said = told[0].to_string();
    assert!(
        said.starts_with("Slow (test.fbp:1:35) in component t/crunch has held a worker for more than 10ms in 10 turns, "),
        "{said}"
    );
}

#[test]
fn a_process_with_its_own_thread_has_no_long_turns() {
    let text = "'5' -> COUNT E(t/emit) OUT -> IN Slow(t/crunch) OUT -> IN D(t/discard)";
    let outcome = start(text, Scheduler::Threads).wait();
    let processes = outcome.statistics.processes.iter();
    assert_eq!(processes.map(|process| process.long_turns).sum::<u64>(), 0);
}

#[test]
fn a_component_may_run_a_network_on_a_worker_of_another() {
    let text = "'3' -> COUNT E(t/emit) OUT -> IN N(t/nest)\nOUTPORT=N.OUT:OUT";
    let mut network = network(text, Scheduler::Pool(1), PATIENT);
    network.output("OUT").unwrap();
    let Started {
        running, outputs, ..
    } = network.start().unwrap();
    let out: Vec<_> = outputs
        .into_iter()
        .flatten()
        .map(|packet| packet.to_string())
        .collect();
    assert_eq!(out, ["1", "2", "3"]);
    assert_eq!(running.wait().verdict, Verdict::Finished);
}

// ---- who waited for whom ----

/// Asks about each item, and waits for the answer.
#[component("t/ask-each", work = compute)]
async fn ask_each(
    /// Items.
    item: In<i64>,
    /// Answers.
    result: In<i64>,
    /// Questions.
    lookup: Out<i64>,
    /// Answers, in the order of the items.
    out: Out<i64>,
) -> Result<(), Fault> {
    while let Some(item) = item.next().await {
        lookup.send(*item).await?;
        if let Some(answer) = result.next().await {
            out.send(*answer).await?;
        }
    }
    Ok(())
}

/// Answers after a second.
#[component("t/answer", work = compute)]
async fn answer(
    /// Questions.
    input: In<i64>,
    /// Time.
    timer: Timer,
    /// Answers.
    out: Out<i64>,
) -> Result<(), Fault> {
    while let Some(number) = input.next().await {
        timer.sleep(Duration::from_secs(1)).await;
        out.send(*number).await?;
    }
    Ok(())
}

fn waits(text: &str, scheduler: Scheduler) -> Vec<Waited> {
    let network = network_in(text, scheduler, QUICK, true);
    let outcome = network.start().unwrap().running.wait();
    assert_eq!(outcome.verdict, Verdict::Finished);
    outcome.statistics.waits()
}

#[test]
fn who_asks_over_and_over_waits_for_answers() {
    let text = "'10' -> COUNT E(t/emit) OUT -> ITEM Price(t/ask-each) LOOKUP -> IN A(t/answer)
                A OUT -> RESULT Price
                Price OUT -> IN D(t/discard)";
    for scheduler in [Scheduler::Pool(2), Scheduler::Threads] {
        let waits = waits(text, scheduler);
        let asked: Vec<_> = waits
            .iter()
            .filter(|wait| wait.what == WaitedFor::Answers && wait.who == ["Price.RESULT"])
            .collect();
        let [wait] = asked[..] else {
            panic!("{waits:?}")
        };
        assert_eq!(
            (&wait.whom[..], wait.packets),
            (&["A.OUT".to_owned()][..], 10)
        );
        assert!(wait.time >= Duration::from_secs(10), "{wait}");
        let said = wait.to_string();
        assert!(said.starts_with("Price.RESULT waited 10."), "{said}");
        assert!(said.contains("for 10 answers from A.OUT, 1.0"), "{said}");
        assert!(said.contains("a walk of shame"), "{said}");
    }
}

#[test]
fn who_is_slow_holds_up_its_writer() {
    let text = "'5' -> COUNT E(t/emit) OUT -> (1) IN A(t/answer) OUT -> IN D(t/discard)";
    for scheduler in [Scheduler::Pool(2), Scheduler::Threads] {
        let waits = waits(text, scheduler);
        let is_room = |wait: &&Waited| wait.what == WaitedFor::Room;
        let room: Vec<_> = waits.iter().filter(is_room).collect();
        let [wait] = room[..] else {
            panic!("{waits:?}")
        };
        assert_eq!((&wait.who[0][..], &wait.whom[0][..]), ("E.OUT", "A.IN"));
        assert!(wait.time >= Duration::from_secs(3), "{wait}");
        let from_a = |wait: &&Waited| wait.whom == ["A.OUT"];
        let late = waits.iter().find(from_a).map(|wait| wait.what);
        assert_eq!(late, Some(WaitedFor::Packets));
    }
}

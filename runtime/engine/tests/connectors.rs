//! Links that are not memory, kept by a store that is: what the engine makes of any store.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod common;

use std::collections::BTreeSet;
use std::sync::Arc;

use common::DRIVERS;
use common::shelf::{Shelf, body};
use paperflow_core::connector::{Disposition, Failure, Store};
use paperflow_core::*;
use paperflow_engine::{Network, Options, Outcome, Scheduler, Started, Stores, Verdict};
use paperflow_graph::{Sources, plan};

/// Passes each number on and keeps it in its hands until the next one has come.
#[component("q/hold", work = compute)]
async fn hold(
    /// Numbers.
    input: In<i64>,
    /// The same.
    out: Out<i64>,
) -> Result<(), Fault> {
    let mut held = input.next().await;
    while let Some(number) = &held {
        out.send(**number).await?;
        held = input.next().await;
    }
    Ok(())
}

/// Emits 2 for each number, once there are no more of them.
#[component("q/raise", work = compute)]
async fn raise(
    /// Numbers.
    input: In<i64>,
    /// A 2 for each.
    out: Out<i64>,
) -> Result<(), Fault> {
    let mut count = 0;
    while input.next().await.is_some() {
        count += 1;
    }
    for _ in 0..count {
        out.send(2).await?;
    }
    Ok(())
}

/// Passes what it gets and says which delivery it was.
#[component("q/attempts", work = compute)]
async fn attempts(
    /// Anything.
    input: In<Packet>,
    /// The number of the delivery.
    out: Out<Text>,
) -> Result<(), Fault> {
    while let Some(packet) = input.next().await {
        let attempt = packet.headers().and_then(|headers| headers.get("attempt"));
        let attempt = attempt.unwrap_or("none").to_owned();
        drop(packet);
        out.send(attempt.as_str()).await?;
    }
    Ok(())
}

/// Handles each packet when it is delivered for the second time, and sets some aside.
#[component("q/later", work = compute)]
async fn later(
    /// Numbers.
    input: In<i64>,
    /// Those that it has seen, with the number of the delivery.
    mut seen: Table<i64, i64>,
    /// The number of the delivery and the number.
    #[optional]
    out: Out<Text>,
    /// Those that came from no store.
    #[optional]
    back: Out<i64>,
) -> Result<(), Fault> {
    while let Some(number) = input.next().await {
        let attempt = number.headers().and_then(|headers| headers.get("attempt"));
        let attempt: i64 = attempt.unwrap_or("0").parse()?;
        seen.put(*number, attempt);
        let refused = match *number {
            7 => number.reject("never"),
            8 => number.invalid("no number"),
            _ if attempt < 2 => number.retry_later("not yet"),
            _ => {
                out.send(format!("{attempt}:{}", *number)).await?;
                continue;
            }
        };
        if let Err(number) = refused {
            back.send(number).await?;
        }
    }
    Ok(())
}

fn catalogue() -> Catalogue {
    common::catalogue()
        .with(later)
        .with(raise)
        .with(hold)
        .with(attempts)
}

/// Runs a text in which the arrows into these in-ports are queues of the same name.
fn run(
    shelf: &Arc<Shelf>,
    text: &str,
    queues: &[(&str, usize, u32)],
    way: (Scheduler, usize),
    read: impl FnOnce(&paperflow_engine::Control, paperflow_engine::Output) -> Vec<String> + Send,
) -> (Outcome, Vec<String>) {
    let (mut plan, sources) = common::planned(text, &catalogue());
    for (into, capacity, retries) in queues {
        let to = |plan: &plan::Plan, end: &plan::End| {
            let element = end.index.filter(|at| *at > 0);
            let element = element.map_or_else(String::new, |at| format!("[{at}]"));
            format!(
                "{}.{}{element}",
                plan.processes[end.process].address, end.port
            )
        };
        let at = plan
            .links
            .iter()
            .position(|link| to(&plan, &link.to) == **into);
        let link = at.map(|at| &mut plan.links[at]);
        link.unwrap().connector = Some(Box::new(plan::Connector {
            name: (*into).to_owned(),
            capacity: Some(*capacity),
            retries: Some(*retries),
            ..plan::Connector::default()
        }));
    }
    let options = Options {
        scheduler: way.0,
        capacity: way.1,
        // Nobody needs to wait for a store that does not answer.
        virtual_time: shelf.is_down(),
        ..Options::default()
    };
    let mut network = Network::new(plan, &catalogue(), &sources, options);
    network.keep(Stores::new("test").usual(Arc::clone(shelf) as Arc<dyn Store>));
    network.output("OUT").unwrap();
    let Started {
        running,
        mut outputs,
        ..
    } = network.start().unwrap();
    let (output, control) = (outputs.remove(0), running.control());
    std::thread::scope(|scope| {
        let reader = scope.spawn(move || read(&control, output));
        let outcome = running.wait();
        assert!(
            outcome.statistics.is_conserved(),
            "{way:?} {:#?}",
            outcome.statistics
        );
        (outcome, reader.join().unwrap())
    })
}

fn all(_: &paperflow_engine::Control, output: paperflow_engine::Output) -> Vec<String> {
    output.map(|packet| packet.to_string()).collect()
}

/// The same output as with memory alone, nothing left behind, every way.
fn expect(text: &str, queues: &[(&str, usize, u32)], expected: &[&str]) {
    for way in DRIVERS {
        let shelf = Arc::new(Shelf::default());
        let (outcome, out) = run(&shelf, text, queues, way, all);
        assert_eq!(outcome.verdict, Verdict::Finished, "{way:?}");
        assert_eq!(out, expected, "{way:?}");
        assert_eq!(outcome.leaks, [], "{way:?}");
        for (queue, ..) in queues {
            assert_eq!(shelf.left(queue), [""; 0], "{way:?}");
            shelf.with(queue, |state| {
                assert!(state.leased.is_empty(), "{way:?}");
                assert!(state.dead.is_empty(), "{way:?}");
            });
        }
    }
}

fn numbers(numbers: impl IntoIterator<Item = i64>) -> Vec<String> {
    numbers
        .into_iter()
        .map(|number| number.to_string())
        .collect()
}

#[test]
fn a_queue_gives_what_a_link_in_memory_gives() {
    let expected = numbers(1..=100);
    let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
    let text = "'100' -> COUNT E(t/emit) -> A(t/pass) -> B(t/walk)\nOUTPORT=B.OUT:OUT";
    expect(text, &[("A.IN", 1000, 3)], &expected);
    expect(text, &[("A.IN", 3, 3), ("B.IN", 1, 3)], &expected);
}

#[test]
fn a_full_queue_makes_its_writer_wait() {
    for way in DRIVERS {
        let shelf = Arc::new(Shelf::default());
        let text = "'100' -> COUNT E(t/emit) -> A(t/pass)\nOUTPORT=A.OUT:OUT";
        let (_, out) = run(&shelf, text, &[("A.IN", 5, 3)], way, all);
        assert_eq!(out, numbers(1..=100), "{way:?}");
        assert!(shelf.with("A.IN", |state| state.most) <= 5, "{way:?}");
    }
}

#[test]
fn who_keeps_everything_to_the_end_sees_the_end() {
    let expected = numbers((1..=40).rev());
    let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
    let text = "'40' -> COUNT E(t/emit) -> A(t/sort) -> B(t/pass)\nOUTPORT=B.OUT:OUT";
    expect(text, &[("A.IN", 1000, 3)], &expected);
    expect(text, &[("A.IN", 1000, 3), ("B.IN", 1000, 3)], &expected);
}

#[test]
fn a_cycle_over_a_queue_does_not_end_before_another_that_leads_to_it() {
    let text = "'3' -> COUNT E(t/emit) OUT -> IN[0] J(t/join) OUT -> IN G(q/hold) OUT -> IN S(t/step)\n\
                S BACK -> IN[1] J\n\
                S OUT -> IN R(q/raise) OUT -> IN[0] K(t/join) OUT -> IN H(q/hold) OUT -> IN U(t/step)\n\
                U BACK -> IN[1] K\n\
                '2' -> COUNT F(t/emit) OUT -> IN[2] K\nOUTPORT=U.OUT:OUT";
    expect(
        text,
        &[("J.IN[1]", 100, 0), ("K.IN[1]", 100, 0)],
        &["0", "0", "0", "0", "0"],
    );
}

#[test]
fn a_cycle_over_a_queue_ends_by_itself() {
    let text = "'4' -> COUNT E(t/emit) OUT -> IN[0] J(t/join) OUT -> IN S(t/step)\n\
                S BACK -> IN[1] J\nOUTPORT=S.OUT:OUT";
    expect(text, &[("J.IN[1]", 100, 0)], &["0", "0", "0", "0"]);
    expect(text, &[("S.IN", 100, 0)], &["0", "0", "0", "0"]);
    expect(
        text,
        &[("S.IN", 100, 0), ("J.IN[1]", 100, 0)],
        &["0", "0", "0", "0"],
    );
}

#[test]
fn a_group_is_one_message() {
    for way in DRIVERS {
        let shelf = Arc::new(Shelf::default());
        let text = "'3' -> COUNT E(t/groups) OUT -> IN A(t/pass)\n'2' -> SIZE E\nOUTPORT=A.OUT:OUT";
        let memory = common::run_with(text, way.0, way.1).out;
        let (outcome, out) = run(&shelf, text, &[("A.IN", 1000, 3)], way, all);
        assert_eq!(outcome.verdict, Verdict::Finished, "{way:?}");
        assert_eq!(out, memory, "{way:?}");
    }
}

#[test]
fn a_message_that_fails_is_delivered_again_and_then_set_aside() {
    for way in DRIVERS {
        let shelf = Arc::new(Shelf::default());
        let text =
            "'9' -> COUNT E(t/emit) OUT -> IN A(t/fail-on)\n'4' -> NUMBER A\nOUTPORT=A.OUT:OUT";
        let (outcome, out) = run(&shelf, text, &[("A.IN", 1000, 3)], way, all);
        assert_eq!(outcome.verdict, Verdict::Finished, "{way:?}");
        assert_eq!(out, numbers((1..=9).filter(|at| *at != 4)), "{way:?}");
        shelf.with("A.IN", |state| {
            let (message, settlement) = &state.dead[0];
            assert_eq!(
                (state.dead.len(), body(message)),
                (1, "4".to_owned()),
                "{way:?}"
            );
            let failure = settlement.failure.clone().unwrap();
            assert_eq!(failure.message, "will not take 4");
            assert_eq!((&*failure.process, &*failure.component), ("A", "t/fail-on"));
        });
    }
}

#[test]
fn a_delivery_says_which_it_is() {
    let text = "'2' -> COUNT E(t/emit) OUT -> IN A(q/attempts)\nOUTPORT=A.OUT:OUT";
    expect(text, &[("A.IN", 1000, 3)], &["1", "1"]);
}

#[test]
fn what_a_run_leaves_behind_the_next_one_finds_and_nothing_twice() {
    for way in DRIVERS {
        let shelf = Arc::new(Shelf::default());
        let text = "'3000' -> COUNT E(t/emit) OUT -> IN A(t/pass)\nOUTPORT=A.OUT:OUT";
        let queues = [("A.IN", 1000, 100)];
        let (_, first) = run(&shelf, text, &queues, way, |control, output| {
            let seen: Vec<String> = (0..7)
                .map_while(|_| output.recv())
                .map(|packet| packet.to_string())
                .collect();
            control.kill();
            seen
        });
        let (outcome, second) = run(&shelf, text, &queues, way, all);
        assert_eq!(outcome.verdict, Verdict::Finished, "{way:?}");
        let seen: BTreeSet<i64> = first
            .iter()
            .chain(&second)
            .map(|text| text.parse().unwrap())
            .collect();
        assert_eq!(seen, (1..=3000).collect(), "{way:?}: nothing lost");
        let mut again = second.clone();
        again.sort();
        again.dedup();
        assert_eq!(again.len(), second.len(), "{way:?}: nothing twice in a run");
        assert_eq!(shelf.left("A.IN"), [""; 0], "{way:?}");
    }
}

#[test]
fn a_second_run_after_a_good_end_is_another_one() {
    for way in DRIVERS {
        let shelf = Arc::new(Shelf::default());
        let text = "'5' -> COUNT E(t/emit) OUT -> IN A(t/pass)\nOUTPORT=A.OUT:OUT";
        for _ in 0..2 {
            let (_, out) = run(&shelf, text, &[("A.IN", 9, 3)], way, all);
            assert_eq!(out, numbers(1..=5), "{way:?}");
        }
    }
}

#[test]
fn what_comes_from_outside_is_never_taken_for_what_came_in_an_earlier_run() {
    for way in DRIVERS {
        let shelf = Arc::new(Shelf::default());
        let text = "N(t/news) OUT -> IN A(t/pass)\nOUTPORT=A.OUT:OUT";
        run(&shelf, text, &[("A.IN", 9, 3)], way, |control, output| {
            let seen = (0..2).map_while(|_| output.recv()).count();
            control.kill();
            vec![seen.to_string()]
        });
        let (outcome, out) = run(&shelf, text, &[("A.IN", 9, 3)], way, all);
        assert_eq!(outcome.verdict, Verdict::Finished, "{way:?}");
        let is_news = out.ends_with(&numbers(1..=5));
        assert!(is_news, "{way:?}: {out:?}");
    }
}

#[test]
fn a_connector_without_a_store_is_refused() {
    let shelf = Arc::new(Shelf::default());
    let error = {
        let store = Stores::new("test");
        let mut plan = plan::Plan::default();
        plan.processes.push(plan::Process {
            address: "A".into(),
            component: "t/pass".into(),
            ..plan::Process::default()
        });
        let end = |port: &str| plan::End {
            port: port.into(),
            ..plan::End::default()
        };
        plan.links.push(plan::Link {
            to: end("IN"),
            from: vec![plan::Writer {
                end: end("OUT"),
                ..plan::Writer::default()
            }],
            connector: Some(Box::default()),
            ..plan::Link::default()
        });
        let mut network = Network::new(plan, &catalogue(), &Sources::new(), Options::default());
        network.keep(store);
        network.start().err().unwrap()
    };
    assert_eq!(
        error.to_string(),
        "`` is to be kept by a store, and there is none"
    );
    assert!(shelf.queues.lock().is_empty());
}

const LATER: &str = "'9' -> COUNT E(t/emit) OUT -> IN A(q/later)\nOUTPORT=A.OUT:OUT";

/// What was set aside, and why.
fn dead(shelf: &Shelf) -> Vec<(String, Disposition, Failure)> {
    shelf.with("A.IN", |state| {
        let dead = state.dead.iter().map(|(message, settlement)| {
            let failure = settlement.failure.clone().unwrap();
            (body(message), settlement.disposition, failure)
        });
        dead.collect()
    })
}

fn failure(message: &str) -> Failure {
    Failure {
        message: message.to_owned(),
        process: String::from("A"),
        component: String::from("q/later"),
        port: None,
    }
}

#[test]
fn a_looper_settles_one_packet_and_goes_on() {
    for way in DRIVERS {
        let shelf = Arc::new(Shelf::default());
        let (outcome, mut out) = run(&shelf, LATER, &[("A.IN", 1000, 3)], way, all);
        assert_eq!(outcome.verdict, Verdict::Finished, "{way:?}");
        assert_eq!(outcome.leaks, [], "{way:?}");
        out.sort();
        let others = (1..=9).filter(|at| ![7, 8].contains(at));
        let others: Vec<String> = others.map(|at| format!("2:{at}")).collect();
        assert_eq!(out, others, "{way:?}");
        let rejected = ("7".to_owned(), Disposition::Reject, failure("never"));
        let invalid = ("8".to_owned(), Disposition::Invalid, failure("no number"));
        assert_eq!(dead(&shelf), [rejected, invalid], "{way:?}");
    }
}

#[test]
fn a_packet_whose_tries_are_used_up_is_set_aside_with_the_reason() {
    for way in DRIVERS {
        let shelf = Arc::new(Shelf::default());
        let (outcome, out) = run(&shelf, LATER, &[("A.IN", 1000, 0)], way, all);
        assert_eq!(outcome.verdict, Verdict::Finished, "{way:?}");
        assert_eq!(out, [""; 0], "{way:?}");
        let dead = dead(&shelf);
        assert_eq!(dead.len(), 9, "{way:?}");
        let first = ("1".to_owned(), Disposition::Retry, failure("not yet"));
        assert_eq!(dead[0], first, "{way:?}");
    }
}

#[test]
fn a_packet_from_memory_cannot_be_delivered_again() {
    for way in DRIVERS {
        let text = LATER.replace("A.OUT", "A.BACK");
        let shelf = Arc::new(Shelf::default());
        let (outcome, out) = run(&shelf, &text, &[], way, all);
        assert_eq!(outcome.verdict, Verdict::Finished, "{way:?}");
        assert_eq!(out, numbers(1..=9), "{way:?}");
    }
}

#[test]
fn a_store_that_does_not_answer_for_a_while_loses_nothing() {
    let text = "'100' -> COUNT E(t/emit) -> A(t/pass)\nOUTPORT=A.OUT:OUT";
    for way in DRIVERS {
        let shelf = Arc::new(Shelf::default());
        shelf.go_down(7);
        let (outcome, out) = run(&shelf, text, &[("A.IN", 5, 3)], way, all);
        assert_eq!(outcome.verdict, Verdict::Finished, "{way:?}");
        assert_eq!(out, numbers(1..=100), "{way:?}");
    }
}

#[test]
fn a_store_that_never_answers_again_is_a_failure_that_names_it() {
    let text = "'100' -> COUNT E(t/emit) -> A(t/pass)\nOUTPORT=A.OUT:OUT";
    for way in DRIVERS {
        let shelf = Arc::new(Shelf::default());
        shelf.go_down(usize::MAX);
        let (outcome, out) = run(&shelf, text, &[("A.IN", 5, 3)], way, all);
        let Verdict::Failed(fault) = &outcome.verdict else {
            panic!("{way:?}: {:?}", outcome.verdict)
        };
        assert!(fault.address.starts_with("A.IN["), "{way:?}: {fault}");
        assert_eq!(fault.message, "nobody there", "{way:?}");
        assert_eq!(out, [""; 0], "{way:?}");
        let told = outcome.notices.iter().map(ToString::to_string);
        let told: Vec<_> = told.collect();
        assert!(
            told[0].contains("is refused by its store: nobody there"),
            "{told:?}"
        );
    }
}

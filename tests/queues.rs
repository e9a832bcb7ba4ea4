//! Queues between processes: what is told in the rows Q1 to Q12, over the embedded store.
#![cfg(feature = "sqlite")]

mod kept;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{LazyLock, Mutex};
use std::time::{Duration, Instant};

use kept::{Gate, Kept};
use paperflow::graph::guarantee::Guarantee;
use paperflow::{Fault, Got, In, Out, Packet, Scheduler, Text, Verdict, component, outside};
use paperflow_connect::admin::{Answer, Ask};
use paperflow_connect::streams;

const WAYS: [Scheduler; 3] = [Scheduler::Threads, Scheduler::Pool(1), Scheduler::Pool(2)];

/// One test at a time has the gate and the log, which components cannot be given otherwise.
static TURN: Mutex<()> = Mutex::new(());
static GATE: LazyLock<Mutex<Gate>> = LazyLock::new(Mutex::default);
static LOG: Mutex<Vec<(String, Instant)>> = Mutex::new(Vec::new());

fn gate() -> Gate {
    GATE.lock().expect("nobody panics here").clone()
}

fn log(what: &str) {
    let mut log = LOG.lock().expect("nobody panics here");
    log.push((what.to_owned(), Instant::now()));
}

fn logged() -> Vec<String> {
    let log = LOG.lock().expect("nobody panics here");
    log.iter().map(|(what, _)| what.clone()).collect()
}

fn moments(of: &str) -> Vec<Instant> {
    let log = LOG.lock().expect("nobody panics here");
    let of = log.iter().filter(|(what, _)| what == of);
    of.map(|(_, at)| *at).collect()
}

/// Alone with a new gate and an empty log.
fn alone() -> (std::sync::MutexGuard<'static, ()>, Gate) {
    let turn = TURN
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    let gate = Gate::default();
    *GATE.lock().expect("nobody panics here") = gate.clone();
    LOG.lock().expect("nobody panics here").clear();
    (turn, gate)
}

/// Handles each task once it may pass the gate.
#[component("test/gated")]
fn gated(
    /// Tasks.
    task: Text,
    /// The same.
    out: &mut Out<Text>,
) {
    log(&task);
    outside(|| gate().pass(&task));
    out.put(task);
}

/// Fails on the task `1` as often as is said.
#[component("test/fails", work = compute)]
async fn fails(
    /// What is read to its end before the first task.
    #[optional]
    first: In<Text>,
    /// Tasks.
    input: In<Text>,
    /// How often it fails; for ever by default.
    #[default(1000000)]
    times: paperflow::Param<u32>,
    /// The others, and those whose attempt it was.
    out: Out<Packet>,
) -> Result<(), Fault> {
    while first.next().await.is_some() {}
    while let Some(task) = input.next().await {
        log(&task);
        let attempt = task.headers().and_then(|headers| headers.get("attempt"));
        let attempt: u32 = attempt.and_then(|text| text.parse().ok()).unwrap_or(0);
        if &**task == "1" && attempt <= *times {
            let given_back: Result<(), Got<Text>> = task.retry_later("not today");
            assert!(given_back.is_ok(), "it came from a store");
        } else {
            let count = attempt.saturating_sub(1);
            let text = format!("{}/{count}", &**task);
            out.send(text.as_str()).await?;
        }
    }
    Ok(())
}

/// Emits `1` to the number.
#[component("test/tasks", work = compute, repeats)]
async fn tasks(
    /// How many.
    count: paperflow::Param<u32>,
    /// Tasks.
    out: Out<Text>,
) -> Result<(), paperflow::Closed> {
    for number in 1..=*count {
        out.send(number.to_string()).await?;
    }
    Ok(())
}

/// A dependency that is down until so many have asked and 3 seconds have gone by.
static DOWN_UNTIL: Mutex<Option<Instant>> = Mutex::new(None);
static ASKED: AtomicU32 = AtomicU32::new(0);

/// Asks a dependency that is down for a while.
#[component("test/sick", work = compute)]
fn sick(
    /// Tasks.
    task: Text,
    /// Those that were done.
    out: &mut Out<Text>,
) -> Result<(), Fault> {
    ASKED.fetch_add(1, Ordering::Relaxed);
    let until = *DOWN_UNTIL.lock().expect("nobody panics here");
    if until.is_some_and(|until| Instant::now() < until) {
        return Err(Fault::new("the dependency is down"));
    }
    out.put(task);
    Ok(())
}

fn bench(name: &str, text: &str) -> Kept {
    let kept = Kept::new(name, text);
    kept.with(gated).with(fails).with(tasks).with(sick)
}

fn numbers(numbers: impl IntoIterator<Item = u32>) -> BTreeSet<String> {
    numbers
        .into_iter()
        .map(|number| number.to_string())
        .collect()
}

#[test]
fn q01_a_source_ends_without_waiting_for_a_worker_that_is_paused() {
    for way in WAYS {
        let (_turn, gate) = alone();
        let text =
            "'10' -> COUNT E(test/tasks) OUT ->(queue) TASK W(test/gated)\nOUTPORT=W.OUT:OUT";
        let kept = bench("q01", text).under(way);
        let mut run = kept.start();
        run.until("E", "terminated");
        gate.wait_for(1);
        kept.until("g.W.TASK", |queue| queue.ready + queue.leased == 10);
        gate.open();
        let out: BTreeSet<String> = run.output("OUT").map(|packet| packet.to_string()).collect();
        assert_eq!(run.finish().verdict, Verdict::Finished);
        let queue = kept.queue("g.W.TASK");
        assert_eq!((queue.ready, queue.leased, queue.done), (0, 0, 10));
        assert_eq!(out, numbers(1..=10));
    }
}

#[test]
fn q02_a_task_that_one_worker_holds_is_locked_for_the_other() {
    for way in WAYS {
        let (_turn, gate) = alone();
        let text = "'1' -> COUNT E(test/tasks) OUT ->(queue) TASK W(test/gated:instances=2) OUT -> IN Z(flow/pass)\nOUTPORT=Z.OUT:OUT";
        let kept = bench("q02", text).under(way);
        let mut run = kept.start();
        let out = run.output("OUT");
        assert_eq!(gate.wait_for(1), ["1"]);
        run.until("E", "terminated");
        let queue = kept.queue("g.W.TASK");
        assert_eq!((queue.ready, queue.leased), (0, 1));
        gate.open();
        assert_eq!(out.count(), 1);
        assert_eq!(run.finish().verdict, Verdict::Finished);
    }
}

#[test]
fn q03_a_worker_reads_past_what_another_holds() {
    for way in WAYS {
        let (_turn, gate) = alone();
        let text = "'3' -> COUNT E(test/tasks) OUT ->(queue) TASK W(test/gated:instances=2) OUT -> IN Z(flow/pass)\nOUTPORT=Z.OUT:OUT";
        let kept = bench("q03", text).under(way);
        let mut run = kept.start();
        let out = run.output("OUT");
        assert_eq!(gate.wait_for(2), ["1", "2"]);
        kept.until("g.W.TASK", |queue| (queue.leased, queue.ready) == (2, 1));
        gate.open();
        assert_eq!(out.count(), 3);
        assert_eq!(run.finish().verdict, Verdict::Finished);
    }
}

#[test]
fn q04_what_is_done_never_comes_again() {
    let (_turn, gate) = alone();
    let text = "'3' -> COUNT E(test/tasks) OUT ->(queue) TASK W(test/gated)\nOUTPORT=W.OUT:OUT";
    let kept = bench("q04", text);
    let mut run = kept.start();
    let out = run.output("OUT");
    gate.let_one_pass();
    assert_eq!(out.recv().expect("the first").to_string(), "1");
    kept.until("g.W.TASK", |queue| queue.done == 1);
    gate.wait_for(1);
    run.control.kill();
    gate.open();
    run.finish();
    LOG.lock().expect("nobody panics here").clear();
    let rest = kept.run();
    assert!(!rest.contains(&String::from("1")), "{rest:?}");
    assert!(!logged().contains(&String::from("1")));
    assert_eq!(kept.queue("g.W.TASK").done, 3);
}

#[test]
fn q05_a_task_that_fails_is_unlocked_for_another_try() {
    for way in WAYS {
        let (_turn, _gate) = alone();
        let text = "'1' -> COUNT E(test/tasks) OUT ->(queue, delay=1ms) IN W(test/fails:instances=2) OUT -> IN Z(flow/pass)\n\
                    '1' -> TIMES W\nOUTPORT=Z.OUT:OUT";
        let kept = bench("q05", text).under(way);
        // `1/1`: it was redelivered once.
        assert_eq!(kept.run(), ["1/1"]);
        assert_eq!(kept.queue("g.W.IN").retried, 1);
    }
}

#[test]
fn q06_a_task_that_failed_rests_while_others_go_on() {
    for way in WAYS {
        let (_turn, _gate) = alone();
        let text = "'3' -> COUNT E(test/tasks) OUT ->(queue, delay=400ms) IN W(test/fails)\n\
                    '1' -> TIMES W\nOUTPORT=W.OUT:OUT";
        let kept = bench("q06", text).under(way);
        assert_eq!(kept.run(), ["2/0", "3/0", "1/1"]);
        let tries = moments("1");
        assert_eq!(tries.len(), 2);
        // The default delay differs by a tenth, by chance.
        assert!(tries[1] - tries[0] >= Duration::from_millis(360));
    }
}

#[test]
fn q07_requeue_limit_dead_letters() {
    for way in WAYS {
        let (_turn, _gate) = alone();
        let text = "'1' -> COUNT E(test/tasks) OUT ->(queue, delay=1ms, retries=3, dead-letter=failed) IN W(test/fails)\n\
                    OUTPORT=W.OUT:OUT";
        let kept = bench("q07", text).under(way);
        assert_eq!(kept.run(), [""; 0]);
        assert_eq!(logged(), ["1"; 4], "three tries after the first");
        let queue = kept.queue("g.W.IN");
        assert_eq!((queue.ready, queue.delayed, queue.leased), (0, 0, 0));
        let dead = kept.admin().peek("failed", 9).expect("it is there");
        assert_eq!(dead.len(), 1);
        let cause = |name: &str| dead[0].cause.get(name).unwrap_or_default().to_owned();
        assert_eq!(cause("failure-attempts"), "4");
        assert_eq!(cause("failure-connector"), "g.W.IN");
        assert_eq!(cause("failure-error"), "not today");
        assert_eq!(cause("failure-reason"), "delivery-error");
        assert!(cause("failure-first") <= cause("failure-last"));
        assert_eq!(dead[0].body.as_deref(), Some("1"));
    }
}

#[test]
fn q07_a_task_that_waits_for_the_end_of_another_queue_has_its_tries_after_that() {
    for way in WAYS {
        let (_turn, _gate) = alone();
        let text = "'1' -> COUNT A(test/tasks) OUT ->(queue) FIRST W(test/fails)\n\
                    '3' -> COUNT E(test/tasks) OUT ->(queue, delay=1ms, retries=3) IN W\n\
                    '1' -> TIMES W\nOUTPORT=W.OUT:OUT";
        let mut out = bench("q07-first", text).under(way).run();
        out.sort();
        assert_eq!(out, ["1/1", "2/0", "3/0"]);
    }
}

#[test]
fn q08_a_task_that_was_done_is_not_done_again() {
    for way in WAYS {
        let (_turn, gate) = alone();
        gate.open();
        let text = "'2' -> COUNT E(test/tasks) OUT ->(queue) TASK W(test/gated) OUT -> IN[0] M(flow/merge)\n\
                    '2' -> COUNT E2(test/tasks) OUT -> IN[1] M\nOUTPORT=M.OUT:OUT";
        let kept = bench("q08", text).under(way);
        let mut run = kept.start();
        let out = run.output("OUT");
        let first: Vec<String> = (0..4)
            .map_while(|_| out.recv())
            .map(|packet| packet.to_string())
            .collect();
        assert_eq!(first.len(), 4);
        run.kill();
        drop(out);
        // The run is not over: its source gives the same tasks again, with the same identities.
        let before = kept.queue("g.W.TASK");
        let _again = kept.run();
        let after = kept.queue("g.W.TASK");
        assert_eq!(
            after.duplicates - before.duplicates,
            2,
            "{before:?} {after:?}"
        );
        assert_eq!(after.sent, 2);
    }
}

#[test]
fn q09_what_a_dead_worker_held_is_done_by_another() {
    for way in WAYS {
        let (_turn, gate) = alone();
        let text = "'1' -> COUNT E(test/tasks) OUT ->(queue) TASK W(test/gated)\nOUTPORT=W.OUT:OUT";
        let kept = bench("q09", text).under(way);
        let run = kept.start();
        gate.wait_for(1);
        run.control.kill();
        gate.open();
        run.finish();
        assert_eq!(kept.queue("g.W.TASK").ready, 1);
        assert_eq!(kept.run(), ["1"]);
        let first = kept.queue("g.W.TASK");
        assert_eq!((first.done, first.delivered), (1, 2));
    }
}

#[test]
fn q10_workers_compete_and_each_task_is_handled_once() {
    for way in WAYS {
        let (_turn, gate) = alone();
        let text = "'40' -> COUNT E(test/tasks) OUT ->(queue) TASK W(test/gated:instances=4) OUT -> IN Z(flow/pass)\nOUTPORT=Z.OUT:OUT";
        let kept = bench("q10", text).under(way);
        let mut run = kept.start();
        let out = run.output("OUT");
        // Four at a time are at work, so the whole takes a quarter of the time.
        assert_eq!(gate.wait_for(4).len(), 4);
        gate.open();
        let done: Vec<String> = out.map(|packet| packet.to_string()).collect();
        assert_eq!(run.finish().verdict, Verdict::Finished);
        assert_eq!(done.len(), 40);
        assert_eq!(done.into_iter().collect::<BTreeSet<_>>(), numbers(1..=40));
        assert_eq!(logged().len(), 40, "each once");
    }
}

#[test]
fn q11_a_queue_cannot_be_read_again() {
    let (_turn, gate) = alone();
    gate.open();
    let text = "'2' -> COUNT E(test/tasks) OUT ->(queue) TASK W(test/gated)\nOUTPORT=W.OUT:OUT";
    let kept = bench("q11", text);
    assert_eq!(kept.run(), ["1", "2"]);
    let mut admin = kept.admin();
    let refused = admin.ask_streams(streams::Request::Replay {
        stream: String::from("g.W.TASK"),
        group: String::from("again"),
        partition: None,
        from: streams::At::Start,
    });
    let fault = refused.expect_err("it is a queue").to_string();
    assert!(
        fault.contains("is a queue") && fault.contains("send it again"),
        "{fault}"
    );
    drop(admin);
    // Asking the sender is all there is: the next run sends them again, as other messages.
    assert_eq!(kept.run(), ["1", "2"]);
    assert_eq!(kept.queue("g.W.TASK").sent, 4);
}

#[test]
fn q12_a_delay_slows_the_attempts_at_what_is_down() {
    let (_turn, _gate) = alone();
    ASKED.store(0, Ordering::Relaxed);
    *DOWN_UNTIL.lock().expect("nobody panics here") =
        Some(Instant::now() + Duration::from_millis(900));
    let text = "'1' -> COUNT E(test/tasks) OUT ->(queue, delay=300ms, backoff=fixed, retries=20) TASK W(test/sick)\n\
                OUTPORT=W.OUT:OUT";
    let kept = bench("q12", text);
    assert_eq!(kept.run(), ["1"]);
    let asked = ASKED.load(Ordering::Relaxed);
    assert!(
        (2..=5).contains(&asked),
        "{asked} attempts in 900 ms, 300 ms apart"
    );
}

#[test]
fn r02_a_message_that_was_received_is_delivered_and_not_processed() {
    let (_turn, gate) = alone();
    let text = "'1' -> COUNT E(test/tasks) OUT ->(queue) TASK W(test/gated)\nOUTPORT=W.OUT:OUT";
    let kept = bench("r02", text);
    let mut run = kept.start();
    let out = run.output("OUT");
    gate.wait_for(1);
    let id = kept.admin().peek("g.W.TASK", 1).expect("it is there")[0]
        .id
        .clone();
    let state = |kept: &Kept| match kept.admin().ask(&Ask::Status { id: id.clone() }) {
        Ok(Answer::Status(found)) => found[0].state.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(state(&kept), "delivered");
    gate.open();
    assert_eq!(out.count(), 1);
    run.finish();
    assert_eq!(state(&kept), "processed");
}

#[test]
fn p13_the_log_of_a_line_tells_each_delivery_and_which_failed() {
    let (_turn, _gate) = alone();
    let text = "'5' -> COUNT E(test/tasks) OUT ->(queue, retries=1, delay=1ms) IN W(test/fails)\n\
                OUTPORT=W.OUT:OUT";
    let kept = bench("p13", text);
    assert_eq!(kept.run().len(), 4);
    let rows = |errors| match kept.admin().ask(&Ask::Log {
        connector: String::from("g.W.IN"),
        errors,
        most: 100,
    }) {
        Ok(Answer::Log(rows)) => rows,
        other => panic!("{other:?}"),
    };
    assert_eq!(
        rows(false).len(),
        6,
        "four jobs that went well, one that failed twice"
    );
    let failed = rows(true);
    let status: Vec<&str> = failed.iter().map(|row| row.status.as_str()).collect();
    assert_eq!(status, ["dead", "retry"]);
    assert!(
        failed
            .iter()
            .all(|row| row.error.as_deref() == Some("not today") && row.bytes == 1)
    );
}

#[test]
fn r03_the_latency_of_a_queue_is_how_long_its_reader_was_away() {
    let (_turn, gate) = alone();
    let text = "'10' -> COUNT E(test/tasks) OUT ->(queue) TASK W(test/gated)\nOUTPORT=W.OUT:OUT";
    let kept = bench("r03", text);
    let mut run = kept.start();
    let out = run.output("OUT");
    run.until("E", "terminated");
    let away = Instant::now();
    gate.wait_for(1);
    kept.until("g.W.TASK", |queue| {
        queue.oldest_millis.is_some_and(|age| age >= 200)
    });
    let away = away.elapsed();
    gate.open();
    assert_eq!(out.count(), 10);
    assert!(run.finish().is_success());
    let Ok(Answer::Log(rows)) = kept.admin().ask(&Ask::Log {
        connector: String::from("g.W.TASK"),
        errors: false,
        most: 10,
    }) else {
        panic!("no log")
    };
    let most = rows.iter().map(|row| row.age_millis).max().unwrap_or(0);
    assert!(
        u128::from(most) + 50 >= away.as_millis(),
        "{most} ms, away for {away:?}"
    );
}

/// Runs it until its source has ended and a task is at the gate, and kills it there.
fn kill_at_work(kept: &Kept, gate: &Gate) {
    let run = kept.start();
    run.until("E", "terminated");
    gate.wait_for(1);
    run.control.kill();
    gate.open();
    run.finish();
}

#[test]
fn m3_what_was_accepted_arrives_after_the_program_is_gone() {
    let (_turn, gate) = alone();
    let text = "'100' -> COUNT E(test/tasks) OUT ->(queue) TASK W(test/gated)\nOUTPORT=W.OUT:OUT";
    let mut kept = bench("m3", text);
    kill_at_work(&kept, &gate);
    // Nobody sends any more; the messages are there.
    kept.text("'0' -> COUNT E(test/tasks) OUT ->(queue) TASK W(test/gated)\nOUTPORT=W.OUT:OUT");
    let arrived: BTreeSet<String> = kept.run().into_iter().collect();
    assert_eq!(arrived, numbers(1..=100));
}

#[test]
fn m4_what_was_done_and_not_yet_marked_is_done_again() {
    let text = "'20' -> COUNT E(test/tasks) OUT ->(queue) TASK W(test/gated)\nOUTPORT=W.OUT:OUT";
    for way in WAYS {
        let (_turn, gate) = alone();
        let kept = bench("m4", text).under(way);
        assert_eq!(kept.guarantees(), [Guarantee::AtLeastOnce], "{way:?}");
        kill_at_work(&kept, &gate);
        let arrived: BTreeSet<String> = kept.run().into_iter().collect();
        assert_eq!(arrived, numbers(1..=20), "{way:?}");
        let logged = logged();
        let times = |task: &str| logged.iter().filter(|what| *what == task).count();
        assert_eq!(times("1"), 2, "{way:?}: it was done when the program went");
        assert!(numbers(1..=20).iter().all(|task| times(task) >= 1));
    }
}

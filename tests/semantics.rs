//! The flow-based rules, one test for each: rows B1 to B16 of the mission, the choices of the semantics
//! page, and its exact semantics. All in memory, under both schedulers and every capacity.

mod support;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::Context;
use std::thread;
use std::time::{Duration, Instant};

use paperflow::report::{Deadlock, State};
use paperflow::{
    Activity, Closed, Component, Fault, In, Number, Observer, Out, Packet, Param, Params, PortSpec,
    Spec, Started, Step, Take, Timer, TrySend, Turn, Verdict, Work, component, outside,
};
use support::{Bench, Ran, Way, finish, ways};

// ---- components of the tests ----

/// Sends the numbers from 1 to COUNT, and notes each one that has left.
struct Emit {
    spec: Spec,
    left: Arc<AtomicU64>,
}

impl Emit {
    fn noting(left: &Arc<AtomicU64>) -> Self {
        let spec = Spec::new("test/emit", "Sends five numbers.")
            .work(Work::Compute)
            .output(PortSpec::new("OUT", "The numbers.", Vec::new()));
        Self {
            spec,
            left: Arc::clone(left),
        }
    }
}

impl Component for Emit {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn open(&self, params: &Params) -> Result<Box<dyn Activity>, Fault> {
        let out = params.output::<i64>("OUT")?;
        let left = Arc::clone(&self.left);
        Ok(paperflow_core::looper(async move {
            for number in 1..=5_i64 {
                out.send(number).await?;
                left.fetch_add(1, Ordering::SeqCst);
            }
            Ok(())
        }))
    }
}

/// Takes packets and forgets them: neither sent nor dropped.
struct Hoard(Spec);

impl Hoard {
    fn new() -> Self {
        let spec = Spec::new("test/hoard", "Keeps what comes for ever.")
            .work(Work::Compute)
            .input(PortSpec::new("IN", "Anything.", Vec::new()));
        Self(spec)
    }
}

impl Component for Hoard {
    fn spec(&self) -> &Spec {
        &self.0
    }

    fn open(&self, _: &Params) -> Result<Box<dyn Activity>, Fault> {
        Ok(Box::new(Hoarding(Vec::new())))
    }
}

struct Hoarding(Vec<Packet>);

impl Activity for Hoarding {
    fn step(&mut self, turn: &mut Turn, _: &mut Context<'_>) -> Result<Step, Fault> {
        loop {
            match turn.take(0) {
                Take::Packet(packet) => self.0.push(packet),
                Take::Empty if turn.is_spent() => return Ok(Step::More),
                Take::Empty => return Ok(Step::Wait),
                Take::End => return Ok(Step::Done),
            }
        }
    }
}

/// Holds the first packet until the test lets it go; waiting counts as outside.
struct Hold {
    spec: Spec,
    go: Arc<Mutex<mpsc::Receiver<()>>>,
}

impl Hold {
    fn new() -> (mpsc::Sender<()>, Self) {
        let (go, wait) = mpsc::channel();
        let spec = Spec::new(
            "test/hold",
            "Passes on what comes, the first one when it may.",
        )
        .work(Work::Thread)
        .input(PortSpec::new("IN", "Anything.", Vec::new()))
        .output(PortSpec::new("OUT", "The same.", Vec::new()).optional());
        let go_on = Arc::new(Mutex::new(wait));
        (go, Self { spec, go: go_on })
    }
}

impl Component for Hold {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn open(&self, params: &Params) -> Result<Box<dyn Activity>, Fault> {
        let input = params.input::<Packet>("IN")?;
        let out = params.output::<Packet>("OUT")?;
        let go = Arc::clone(&self.go);
        Ok(paperflow_core::looper(async move {
            let mut is_first = true;
            while let Some(packet) = input.next().await {
                if is_first {
                    let go = go.lock().expect("nobody panics here");
                    let _ = outside(|| go.recv());
                }
                is_first = false;
                out.send(packet).await?;
            }
            Ok(())
        }))
    }
}

/// Sends numbers whether or not there is room, and tells how many found none.
#[component("test/careless", work = compute)]
async fn careless(
    /// How many.
    count: Param<i64>,
    /// Those that found room.
    out: Out<i64>,
    /// How many did not.
    refused: Out<i64>,
) -> Result<(), Fault> {
    let mut lost = 0_i64;
    for number in 1..=*count {
        match out.try_send(number) {
            Ok(()) => {}
            Err(TrySend::Full(_)) => lost += 1,
            Err(TrySend::Closed(_)) => return Ok(()),
        }
    }
    refused.send(lost).await?;
    Ok(())
}

/// Adds value added tax.
#[component("test/vat", work = compute)]
fn vat(
    /// A price.
    price: i64,
    /// Percents.
    vat: &Param<i64>,
    /// The price with tax.
    out: &mut Out<i64>,
) {
    out.put(price + price * **vat / 100);
}

/// Compares two streams of ascending numbers.
#[component("test/match", work = compute)]
async fn matcher(
    /// One stream.
    in_a: In<i64>,
    /// The other stream.
    in_b: In<i64>,
    /// In both.
    ok: Out<i64>,
    /// Only in the first.
    miss: Out<i64>,
    /// Twice in the first.
    dup: Out<i64>,
) -> Result<(), Fault> {
    let mut last = None;
    let mut other = in_b.next().await.map(|got| *got);
    while let Some(number) = in_a.next().await.map(|got| *got) {
        while other.is_some_and(|other| other < number) {
            other = in_b.next().await.map(|got| *got);
        }
        let target = match (last == Some(number), other == Some(number)) {
            (true, _) => &dup,
            (_, true) => &ok,
            _ => &miss,
        };
        target.send(number).await?;
        last = Some(number);
    }
    Ok(())
}

/// Lowers numbers until they are 0: 0 leaves at OUT, others go round by AGAIN. Tells at the end how
/// many it saw, at TOTAL and into the loop.
#[component("test/lower", work = compute)]
async fn lower(
    /// Numbers.
    input: In<i64>,
    /// Those above 0, less one.
    again: Out<i64>,
    /// Zeros.
    #[optional]
    out: Out<i64>,
    /// How many came.
    #[optional]
    total: Out<i64>,
) -> Result<(), Closed> {
    let mut seen = 0_i64;
    while let Some(number) = input.next().await {
        seen += 1;
        if *number > 0 {
            again.send(*number - 1).await?;
        } else if out.is_connected() {
            out.send(0).await?;
        }
    }
    again.send(seen).await?;
    if total.is_connected() {
        total.send(seen).await?;
    }
    Ok(())
}

/// Sleeps an hour, then passes everything on.
#[component("test/late", work = compute)]
async fn late(
    /// Anything.
    input: In<Packet>,
    /// The clock.
    timer: Timer,
    /// The same.
    out: Out<Packet>,
) -> Result<(), Closed> {
    while let Some(packet) = input.next().await {
        timer.sleep(Duration::from_secs(3600)).await;
        out.send(packet).await?;
    }
    Ok(())
}

/// Sends until it is told that nobody listens; then tells what came back.
#[component("test/stubborn", work = compute)]
async fn stubborn(
    /// The numbers 1, 2, 3...
    out: Out<i64>,
    /// The number that came back.
    back: Out<Packet>,
) -> Result<(), Closed> {
    for number in 1_i64.. {
        if let Err(Closed(packet)) = out.send(number).await {
            return back.send(packet).await;
        }
    }
    Ok(())
}

/// Asks again and again after the end of its stream.
#[component("test/insistent", work = compute, must_run)]
async fn insistent(
    /// Anything.
    input: In<Packet>,
    /// How often it was told of the end.
    out: Out<i64>,
) -> Result<(), Closed> {
    while input.next().await.is_some() {}
    let mut ends = 0_i64;
    for _ in 0..10 {
        ends += i64::from(input.next().await.is_none());
    }
    out.send(ends).await
}

/// Sums up numbers.
#[component("test/sum", work = compute, must_run)]
async fn sum(
    /// Numbers.
    input: In<Number>,
    /// Their sum.
    out: Out<i64>,
) -> Result<(), Closed> {
    let mut total = 0;
    while let Some(number) = input.next().await {
        if let Number::Int(number) = *number {
            total += number;
        }
    }
    out.send(total).await
}

/// Waits until the states are those that are asked for.
fn until(observer: &Observer, are: impl Fn(&[(String, State)]) -> bool) {
    let start = Instant::now();
    while !are(&observer.states()) {
        thread::yield_now();
        let is_hopeless = start.elapsed() > Duration::from_secs(60);
        assert!(!is_hopeless, "it hangs: {:#?}", observer.states());
    }
}

fn state(states: &[(String, State)], address: &str) -> String {
    let found = states.iter().find(|(name, _)| name == address);
    found
        .map(|(_, state)| state.to_string())
        .unwrap_or_default()
}

fn deadlock(ran: &Ran) -> &Deadlock {
    match &ran.outcome.verdict {
        Verdict::Deadlock(deadlock) => deadlock,
        other => panic!("{:?}: {other:?}", ran.way),
    }
}

// ---- rows of the mission ----

#[test]
fn b01_information_packet() {
    let leaking =
        Bench::of("'1 2 3' -> WHAT S(test/say) OUT -> IN H(test/hoard)").with(Hoard::new());
    leaking.every_way(|ran| {
        let leaks = ran.outcome.leaks.iter();
        let leaks: Vec<_> = leaks
            .map(|leak| (&*leak.address, leak.packets, &*leak.origin))
            .collect();
        assert_eq!(leaks, [("H", 3, "test.fbp:1:39")], "{:?}", ran.way);
        assert!(!ran.outcome.is_success());
    });
    let clean = Bench::of("'1000' -> COUNT G(Generate) OUT -> IN P(Pass) OUT -> IN D(Drop)");
    clean.every_way(|ran| {
        ran.succeeds();
        let totals = ran.outcome.statistics.totals;
        assert_eq!((totals.created, totals.iip_delivered), (1000, 1));
        assert_eq!(totals.dropped, totals.created + totals.iip_delivered);
    });
}

#[test]
fn b02_port() {
    let sorted = |low: &str, high: &str| {
        Bench::of(&format!(
            "'1 20 3 40' -> WHAT S(test/say) OUT -> IN F(flow/select)
             '< 10' -> TEST F
             F {low} -> IN A(Pass)
             F {high} -> IN B(Pass)
             OUTPORT=A.OUT:OUT
             OUTPORT=B.OUT:OTHER"
        ))
    };
    sorted("ACC", "REJ").expect(&["1", "3"]);
    sorted("REJ", "ACC").expect(&["20", "40"]);
}

#[test]
fn b03_connector_memory() {
    for attributes in [
        "",
        "(1)",
        "(7)",
        "(capacity=3, full=wait)",
        "(memory, capacity=1000)",
    ] {
        Bench::of(&format!(
            "'1 2 3 4 5 6 7 8 9' -> WHAT S(test/say) OUT ->{attributes} IN P(Pass) OUT ->{attributes} IN C(Copy)
             OUTPORT=C.OUT:OUT"
        ))
        .expect(&["1", "2", "3", "4", "5", "6", "7", "8", "9"]);
    }
}

#[test]
fn b04_always_asynchronous() {
    let network = |way: Way| {
        let (go, hold) = Hold::new();
        let left = Arc::new(AtomicU64::new(0));
        let text = "A(test/emit) OUT ->(10) IN B(test/hold)";
        let bench = Bench::of(text).with(hold).with(Emit::noting(&left));
        let running = bench.start(way, &[], &[]).running;
        until(&running.observer(), |states| {
            state(states, "A") == "terminated"
        });
        assert_eq!(
            left.load(Ordering::SeqCst),
            5,
            "A is done before B handles the first"
        );
        drop(go);
        assert!(finish(running, way).is_success());
    };
    ways().for_each(network);
}

#[test]
fn b05_bounded_buffers_and_back_pressure() {
    let network = |way: Way| {
        let (go, hold) = Hold::new();
        let left = Arc::new(AtomicU64::new(0));
        let text = "A(test/emit) OUT ->(2) IN B(test/hold)\nB OUT -> IN D(Drop)";
        let bench = Bench::of(text).with(hold).with(Emit::noting(&left));
        let running = bench.start(way, &[], &[]).running;
        until(&running.observer(), |states| {
            let is_full = state(states, "A") == "suspended(send OUT)";
            is_full && state(states, "B") == "outside" && left.load(Ordering::SeqCst) >= 3
        });
        assert_eq!(
            left.load(Ordering::SeqCst),
            2 + 1,
            "{way:?}: two wait, one is in B's hand"
        );
        drop(go);
        let outcome = finish(running, way);
        assert!(outcome.is_success(), "{outcome:#?}");
        let statistics = &outcome.statistics;
        assert!(statistics.processes[0].blocked_send > Duration::ZERO);
        assert_eq!(statistics.links[0].counts.received, 5);
        assert_eq!(statistics.links[0].counts.high_water, 2);
    };
    ways().for_each(network);
}

#[test]
fn b07_initial_packet() {
    let bench =
        Bench::of("'20' -> VAT V(test/vat)\nINPORT=V.PRICE:IN\nOUTPORT=V.OUT:OUT").with(vat);
    for way in ways() {
        let Started {
            running,
            inputs,
            outputs,
        } = bench.start(way, &["IN"], &["OUT"]);
        let ask = |price: i64| {
            inputs[0].send(price).expect("it listens");
            outputs[0].recv().expect("it answers").as_int()
        };
        assert_eq!([100, 200, 300].map(ask), [Some(120), Some(240), Some(360)]);
        assert_eq!([400, 500, 600].map(ask), [Some(480), Some(600), Some(720)]);
        drop(inputs);
        assert!(outputs[0].recv().is_none());
        let outcome = finish(running, way);
        assert!(outcome.is_success());
        assert_eq!(outcome.statistics.totals.iip_delivered, 1, "read once");
    }
}

#[test]
fn b08_control_packets() {
    Bench::of("'( 1 2 ) ( 3 )' -> WHAT S(test/say) OUT -> IN C(group/count)\nOUTPORT=C.OUT:OUT")
        .expect(&["2", "1"]);
    for (said, open) in [("( 1 2 ) ( 3", 1), ("( 1 ) )", -1)] {
        let text = format!("'{said}' -> WHAT S(test/say) OUT -> IN P(Pass) OUT -> IN D(Drop)");
        Bench::of(&text).every_way(|ran| {
            assert_eq!(ran.outcome.verdict, Verdict::Finished);
            assert!(!ran.outcome.is_success());
            let told = ran.outcome.unbalanced.iter();
            let told: Vec<_> = told.map(|one| (&*one.to, one.open)).collect();
            assert!(told.contains(&("P.IN", open)), "{:?}: {told:?}", ran.way);
        });
    }
}

#[test]
fn b09_multiple_writers() {
    let network = Bench::of(
        "'1 2 3 4 5 6 7 8 9' -> WHAT A(test/say) OUT -> IN C(Copy)
         '101 102 103 104' -> WHAT B(test/say) OUT -> IN L(test/late) OUT -> IN C
         OUTPORT=C.OUT:OUT",
    );
    network.with(late).every_way(|ran| {
        ran.succeeds();
        let (low, high): (Vec<_>, Vec<_>) = ran.out["OUT"].iter().partition(|word| word.len() == 1);
        assert_eq!(low, ["1", "2", "3", "4", "5", "6", "7", "8", "9"]);
        assert_eq!(high, ["101", "102", "103", "104"]);
    });
}

#[test]
fn b10_capacity_test_ignore() {
    let network = |way: Way| {
        let (go, hold) = Hold::new();
        let text = "'10' -> COUNT A(test/careless) OUT ->(2) IN B(test/hold) OUT -> IN D(Drop)
                    OUTPORT=A.REFUSED:REFUSED";
        let bench = Bench::of(text).with(hold).with(careless);
        let Started {
            running, outputs, ..
        } = bench.start(way, &[], &["REFUSED"]);
        let refused = outputs[0]
            .recv()
            .and_then(|packet| packet.as_int())
            .expect("A goes on");
        assert!((7..=8).contains(&refused), "{way:?}: {refused}");
        drop(go);
        let outcome = finish(running, way);
        let received = outcome.statistics.links[0].counts.received;
        assert_eq!(received, 10 - u64::try_from(refused).expect("not negative"));
    };
    ways().for_each(network);
}

#[test]
fn b10_policies_of_an_arrow() {
    for (full, first, last) in [
        ("drop-new", "000200abcd", None),
        ("drop-oldest", "", Some("000001abcd")),
    ] {
        let text = format!(
            "'200' -> COUNT G(Generate) OUT ->(capacity=3, full={full}) IN L(test/late)
             OUTPORT=L.OUT:OUT"
        );
        Bench::of(&text).with(late).every_way(|ran| {
            ran.succeeds();
            let out = &ran.out["OUT"];
            assert!(out[0].ends_with(first));
            assert!(last.is_none() || out.last().map(String::as_str) == last);
            let link = ran.link("L.IN");
            assert_eq!(link.counts.shed + out.len() as u64, 200);
            assert!(link.counts.shed > 0);
        });
    }
}

#[test]
fn b11_single_writer() {
    let error =
        Bench::of("'1' -> COUNT G(Generate) OUT -> IN A(Drop)\nG OUT -> IN B(Drop)").error();
    let help = error.help.expect("the way out");
    assert!(
        help.contains("replicate") && help.contains("pubsub"),
        "{help}"
    );
}

#[test]
fn b12_multiple_in_and_out_ports() {
    let network = Bench::of(
        "'1 2 2 3 5' -> WHAT A(test/say) OUT -> IN_A M(test/match)
         '2 3 4' -> WHAT B(test/say) OUT -> IN_B M
         OUTPORT=M.OK:OK
         OUTPORT=M.MISS:MISS
         OUTPORT=M.DUP:DUP",
    );
    network.with(matcher).every_way(|ran| {
        ran.succeeds();
        assert_eq!(ran.out["OK"], ["2", "3"]);
        assert_eq!(ran.out["MISS"], ["1", "5"]);
        assert_eq!(ran.out["DUP"], ["2"]);
    });
}

#[test]
fn b16_subnet() {
    let flat = Bench::of(
        "'30' -> COUNT G(Generate) OUT -> IN A(Copy) OUT -> IN B(Pass) OUT -> IN C(Copy)
         OUTPORT=C.OUT:OUT",
    );
    let nested = Bench::of(
        "Main: '30' -> COUNT G(Generate) OUT -> IN S(Outer) OUT -> IN C(Copy)
         OUTPORT=C.OUT:OUT;
         Outer: IN => IN A(Copy) OUT -> IN T(Inner)
         T OUT => OUT;
         Inner: IN => IN B(Pass)
         B OUT => OUT;",
    );
    for way in ways() {
        let (flat, nested) = (flat.run(way), nested.run(way));
        assert_eq!(flat.out, nested.out);
        assert_eq!(trace(&flat), trace(&nested), "{way:?}");
    }
}

/// What each process did, without the subnets it is in.
fn trace(ran: &Ran) -> Vec<(String, [u64; 5])> {
    ran.succeeds();
    let all = ran.outcome.statistics.processes.iter().map(|process| {
        let name = process.address.rsplit('/').next().unwrap_or_default();
        let counts = [
            process.opened,
            process.received,
            process.sent,
            process.created,
            process.dropped,
        ];
        (name.to_owned(), counts)
    });
    all.collect()
}

// ---- choices 1 to 4: states, starting, quiescence, deadlock ----

#[test]
fn choice_1_the_words_of_a_running_network() {
    let text = "A(test/emit) OUT ->(1) IN H(test/hold) OUT -> IN W(Copy) OUT -> IN D(Drop)
                '1' -> WHAT X(test/say) OUT -> IN P(Pass) OUT -> IN Q(Copy)
                H2(test/hold2)
                Q OUT -> IN E(Drop)";
    for way in ways() {
        let (go, hold) = Hold::new();
        let text = text.replace("H2(test/hold2)\n", "");
        let bench = Bench::of(&text)
            .with(hold)
            .with(Emit::noting(&Arc::default()));
        let running = bench.start(way, &[], &[]).running;
        until(&running.observer(), |states| {
            let of = ["A", "H", "W", "X", "P", "Q", "E"].map(|name| state(states, name));
            of == [
                "suspended(send OUT)",
                "outside",
                "not-started",
                "terminated",
                "terminated",
                "terminated",
                "terminated",
            ]
        });
        drop(go);
        assert!(finish(running, way).is_success());
    }
}

#[test]
fn choice_1_dormant_and_suspended_between_two_packets() {
    let bench = Bench::of("P(Pass) OUT -> IN C(Copy)\nINPORT=P.IN:IN\nOUTPORT=C.OUT:OUT");
    for way in ways() {
        let Started {
            running,
            inputs,
            outputs,
        } = bench.start(way, &["IN"], &["OUT"]);
        let is = |expected: [&'static str; 2]| {
            until(&running.observer(), |states| {
                ["P", "C"].map(|name| state(states, name)) == expected
            });
        };
        is(["not-started", "not-started"]);
        for number in [1_i64, 2] {
            inputs[0].send(number).expect("it listens");
            assert_eq!(
                outputs[0].recv().and_then(|packet| packet.as_int()),
                Some(number)
            );
            is(["dormant", "suspended(receive IN)"]);
        }
        drop(inputs);
        is(["terminated", "terminated"]);
        assert!(outputs[0].recv().is_none());
        let outcome = finish(running, way);
        assert!(outcome.is_success());
        assert_eq!(outcome.statistics.processes[1].opened, 1, "one life");
    }
}

#[test]
fn choice_2_a_network_of_cycles_is_an_error_that_names_them() {
    let error = Bench::of("A(Copy) OUT -> IN B(Copy) OUT -> IN A").error();
    let told = format!("{} {} {:?}", error.message, error.note, error.labels);
    assert!(told.contains('A') && told.contains('B'), "{error:#?}");
}

const LOOP: &str = "'3 0 2' -> WHAT S(test/say) OUT -> IN M(Merge) OUT -> IN L(test/lower)
L AGAIN -> IN P(Pass) OUT -> IN[1] M
L OUT -> IN Z(Copy)
L TOTAL -> IN T(Copy)
OUTPORT=Z.OUT:OUT
OUTPORT=T.OUT:TOTAL";

#[test]
fn choice_3_a_quiescent_cycle_ends_and_its_total_gets_out() {
    Bench::of(LOOP).with(lower).every_way(|ran| {
        ran.succeeds();
        assert_eq!(ran.out["OUT"], ["0", "0", "0"], "{:?}", ran.way);
        assert_eq!(ran.out["TOTAL"], ["8"], "{:?}", ran.way);
    });
}

#[test]
fn choice_3_what_is_sent_into_an_ended_loop_is_counted_as_lost() {
    Bench::of(LOOP).with(lower).every_way(|ran| {
        let lost = ran.outcome.statistics.totals.lost_on_close;
        assert_eq!(lost, 1, "{:?}: the total into the loop", ran.way);
    });
}

#[test]
fn choice_3_the_order_of_the_text_does_not_matter() {
    let mut lines: Vec<&str> = LOOP.lines().collect();
    for _ in 0..lines.len() {
        lines.rotate_left(1);
        let network = Bench::of(&lines.join("\n")).with(lower);
        network.every_way(|ran| {
            ran.succeeds();
            assert_eq!(ran.out["OUT"], ["0", "0", "0"], "{:?}", ran.way);
            assert_eq!(
                ran.out["TOTAL"],
                ["8"],
                "{:?}: {}",
                ran.way,
                lines.join("\n")
            );
        });
    }
}

#[test]
fn choice_3_a_process_outside_elsewhere_does_not_matter() {
    for way in ways() {
        let (go, hold) = Hold::new();
        let text = LOOP.replace("OUTPORT=Z.OUT:OUT", "Z OUT -> IN D(Drop)");
        let text = format!("{text}\n'1' -> WHAT X(test/say) OUT -> IN H(test/hold)");
        let bench = Bench::of(&text).with(hold).with(lower);
        let Started {
            running,
            mut outputs,
            ..
        } = bench.start(way, &[], &["TOTAL"]);
        let total: Vec<Packet> = outputs.remove(0).collect();
        assert_eq!(
            total,
            [Packet::int(8)],
            "{way:?}: the loop has ended by itself"
        );
        assert_eq!(state(&running.observer().states(), "H"), "outside");
        drop(go);
        assert!(finish(running, way).is_success());
    }
}

#[test]
fn choice_3_a_process_outside_that_feeds_the_cycle_keeps_it_open() {
    for way in ways() {
        let (go, hold) = Hold::new();
        let text = LOOP.replace("OUT -> IN M", "OUT -> IN H(test/hold) OUT -> IN M");
        let bench = Bench::of(&text).with(hold).with(lower);
        let Started {
            running, outputs, ..
        } = bench.start(way, &[], &["OUT", "TOTAL"]);
        until(&running.observer(), |states| {
            state(states, "H") == "outside"
        });
        drop(go);
        let mut out = outputs.into_iter().map(Iterator::collect::<Vec<Packet>>);
        assert_eq!(out.next(), Some(vec![Packet::int(0); 3]), "{way:?}");
        assert_eq!(out.next(), Some(vec![Packet::int(8)]), "{way:?}");
        assert!(finish(running, way).is_success());
    }
}

#[test]
fn choice_3_a_process_outside_inside_the_cycle_keeps_it_open() {
    let text = LOOP.replace("P(Pass)", "P(test/late)");
    Bench::of(&text).with(lower).with(late).every_way(|ran| {
        ran.succeeds();
        assert_eq!(ran.out["TOTAL"], ["8"], "{:?}", ran.way);
    });
}

#[test]
fn choice_3_one_cycle_behind_another_and_one_in_another() {
    let chained = "'3 0 2' -> WHAT S(test/say) OUT -> IN M(Merge) OUT -> IN L(test/lower)
        L AGAIN -> IN[1] M
        L TOTAL -> IN N(Merge) OUT -> IN K(test/lower)
        K AGAIN -> IN[1] N
        K TOTAL -> IN T(Copy)
        OUTPORT=T.OUT:OUT";
    Bench::of(chained).with(lower).expect(&["9"]);
    let nested = "'4' -> WHAT S(test/say) OUT -> IN[0] M(Merge) OUT -> IN L(test/lower)
        L AGAIN -> IN[1] N(Merge) OUT -> IN K(test/lower)
        K AGAIN -> IN[2] N
        K OUT -> IN[1] M
        L OUT -> IN T(Copy)
        OUTPORT=T.OUT:OUT";
    Bench::of(nested).with(lower).every_way(|ran| {
        ran.succeeds();
        assert_eq!(
            ran.out["OUT"].first().map(String::as_str),
            Some("0"),
            "{:?}",
            ran.way
        );
    });
}

#[test]
fn choice_3_a_cycle_that_is_entered_at_two_places() {
    let text = "'2 3' -> WHAT S(test/say) OUT -> IN[0] M(Merge) OUT -> IN F(flow/select)
        '1 5' -> WHAT T(test/say) OUT -> IN[1] N(Merge) OUT -> IN[1] M
        '> 0' -> TEST F
        F ACC -> IN A(number/add) OUT -> IN[0] N
        '-1' -> VALUE A
        F REJ -> IN C(Counter)
        C COUNT -> IN O(Copy)
        OUTPORT=O.OUT:OUT";
    Bench::of(text).expect(&["4"]);
}

#[test]
fn choice_3_the_end_of_a_cycle_starts_what_waits_for_it() {
    let text = "'2 3' -> WHAT S(test/say) OUT -> IN[0] M(Merge) OUT -> IN F(flow/select)
        '> 0' -> TEST F
        F ACC -> IN A(number/add) OUT -> IN[1] M
        '-1' -> VALUE A
        F REJ -> IN Z(Counter) * -> * L(test/say)
        'last' -> WHAT L OUT -> IN O(Copy)
        Z COUNT -> IN D(Drop)
        OUTPORT=O.OUT:OUT";
    Bench::of(text).expect(&["last"]);
}

#[test]
fn choice_4_a_loop_that_grows_is_a_deadlock() {
    let text = "'1' -> WHAT S(test/say) OUT -> IN[0] M(Merge) OUT -> IN R(Replicate)
        R OUT[0] -> IN[1] M
        R OUT[1] -> IN[2] M";
    Bench::of(text).every_way(|ran| {
        let deadlock = deadlock(ran);
        let stuck = deadlock.stuck.iter().map(|stuck| &*stuck.address);
        assert_eq!(stuck.collect::<Vec<_>>(), ["M", "R"], "{:?}", ran.way);
        assert!(deadlock.cycle.len() >= 2, "{deadlock:#?}");
    });
}

#[test]
fn choice_4_data_may_not_be_held_back_by_the_end_of_its_own_sender() {
    let text =
        "'1 2 3' -> WHAT S(test/say) OUT -> IN A(Copy) OUT ->(2) IN B(Copy) OUT -> IN D(Drop)
        A * -> * B";
    Bench::of(text).every_way(|ran| {
        let stuck = deadlock(ran).stuck.iter();
        let stuck: Vec<_> = stuck
            .map(|stuck| format!("{} {}", stuck.address, stuck.state))
            .collect();
        let expected = [
            "A suspended(send OUT)",
            "B suspended(receive *)",
            "D not-started",
        ];
        assert_eq!(stuck, expected, "{:?}", ran.way);
    });
}

#[test]
fn choice_3_a_cycle_in_a_subnet() {
    let text = "Main: '3 0 2' -> WHAT S(test/say) OUT -> IN R(Round)
        R OUT -> IN Z(Copy) OUT -> IN C(Counter)
        C COUNT -> IN O(Copy)
        OUTPORT=O.OUT:OUT;
        Round: IN => IN[0] M(Merge) OUT -> IN L(test/lower)
        L AGAIN -> IN[1] M
        L OUT => OUT;";
    Bench::of(text).with(lower).expect(&["3"]);
}

const DEADLOCK: &str = "'5000' -> COUNT Gen(Generate) OUT -> IN R(Replicate)
R OUT[0] -> IN[0] Cat(Concat)
R OUT[1] -> IN[1] Cat
Cat OUT -> IN D(Drop)";

#[test]
fn choice_12_a_network_of_the_same_text_goes_before_the_catalogue() {
    let text = "Main: '1 2' -> WHAT S(test/say) OUT -> IN F(Filter) OUT -> IN C(Copy)
        OUTPORT=C.OUT:OUT;
        Filter: IN => IN P(Copy) OUT => OUT;";
    Bench::of(text).expect(&["1", "2"]);
}

#[test]
fn choice_4_a_finished_subnet_hides_no_deadlock() {
    let text = format!(
        "Main: {DEADLOCK}\n'1' -> COUNT Sub(Done);
         Done: COUNT => COUNT G(Generate) OUT -> IN D(Drop);"
    );
    Bench::of(&text).every_way(|ran| {
        let stuck: Vec<_> = deadlock(ran)
            .stuck
            .iter()
            .map(|stuck| &*stuck.address)
            .collect();
        assert_eq!(stuck, ["Gen", "R", "Cat", "D"], "{:?}", ran.way);
    });
}

#[test]
fn choice_4_a_subnet_that_never_started_hides_no_deadlock() {
    let text = format!(
        "Main: {} Sub(Idle);
         Idle: IN => IN A(Copy) OUT -> IN B(Drop);",
        DEADLOCK.replace("D(Drop)", "N(Counter)\nN COUNT -> IN ")
    );
    Bench::of(&text).every_way(|ran| {
        let stuck = deadlock(ran).stuck.iter();
        let stuck: Vec<_> = stuck
            .map(|stuck| format!("{} {}", stuck.address, stuck.state))
            .collect();
        assert_eq!(stuck.len(), 6, "{:?}: {stuck:?}", ran.way);
        assert!(
            stuck.contains(&String::from("Sub/A not-started")),
            "{stuck:?}"
        );
    });
}

#[test]
fn choice_4_a_deadlock_inside_a_substream_sensitive_subnet() {
    let text = "Main: '3000' -> COUNT G(GenSS) OUT -> IN Sub(Bad) OUT -> IN D(Drop)
        '1500' -> SIZE G;
        Bad: 'IN' -> NAME E(SubInSS) OUT -> IN R(Replicate)
        R OUT[0] -> IN[0] Cat(Concat)
        R OUT[1] -> IN[1] Cat
        Cat OUT -> IN X(SubOutSS)
        'OUT' -> NAME X;";
    Bench::of(text).every_way(|ran| {
        let stuck: Vec<_> = deadlock(ran)
            .stuck
            .iter()
            .map(|stuck| &*stuck.address)
            .collect();
        for name in ["Sub/E", "Sub/R", "Sub/Cat"] {
            assert!(stuck.contains(&name), "{:?}: {stuck:?}", ran.way);
        }
    });
}

#[test]
fn choice_4_a_timer_is_no_deadlock() {
    let text = "'1 2' -> WHAT S(test/say) OUT -> IN L(test/late)\nOUTPORT=L.OUT:OUT";
    Bench::of(text).with(late).expect(&["1", "2"]);
}

// ---- choices 5 to 12 ----

#[test]
fn choice_5_the_sender_gets_its_packet_back() {
    let text = "S(test/stubborn) OUT ->(2) IN C(flow/close-early) OUT -> IN D(Drop)
        '3' -> NUMBER C
        OUTPORT=S.BACK:OUT";
    Bench::of(text).with(stubborn).every_way(|ran| {
        ran.succeeds();
        let back: Vec<i64> = ran.out["OUT"]
            .iter()
            .map(|word| word.parse().expect("a number"))
            .collect();
        assert_eq!(back.len(), 1);
        assert!((4..=8).contains(&back[0]), "{:?}: {back:?}", ran.way);
        let link = ran.link("C.IN").counts;
        assert_eq!(link.received, 3);
        assert_eq!(
            link.sent,
            u64::try_from(back[0]).expect("positive") - 1,
            "{:?}",
            ran.way
        );
    });
}

#[test]
fn choice_5_leaving_cascades_and_nothing_hangs() {
    let text =
        "'1000000' -> COUNT G(Generate) OUT -> IN A(Pass) OUT -> IN B(Copy) OUT -> IN C(Pass)
        C OUT -> IN T(Take)
        '2' -> NUMBER T
        OUTPORT=T.ACC:OUT";
    Bench::of(text).every_way(|ran| {
        ran.succeeds();
        assert_eq!(ran.out["OUT"].len(), 2);
        assert!(
            ran.process("G").created < 1_000_000,
            "{:?}: it stopped early",
            ran.way
        );
    });
}

#[test]
fn choice_6_what_nobody_wants_is_dropped_and_counted() {
    let text = "'1 20 3' -> WHAT S(test/say) OUT -> IN F(flow/select)\n'< 10' -> TEST F\nOUTPORT=F.ACC:OUT";
    Bench::of(text).every_way(|ran| {
        ran.succeeds();
        assert_eq!(ran.out["OUT"], ["1", "3"]);
        let totals = ran.outcome.statistics.totals;
        assert_eq!(
            (totals.dropped, totals.handed_out),
            (1 + 2, 2),
            "one packet, two initial ones"
        );
    });
}

#[test]
fn choice_8_an_initial_packet_shares_its_port_with_nobody() {
    let two = Bench::of("'1' -> COUNT G(Generate) OUT -> IN D(Drop)\n'2' -> COUNT G").error();
    assert_eq!(two.code, "P0304", "{two:#?}");
    let beside = Bench::of(
        "'1' -> SOURCE K(Kick) OUT -> IN D(Drop)\n'1' -> COUNT G(Generate) OUT -> SOURCE K",
    )
    .error();
    assert_eq!(beside.code, "P0303", "{beside:#?}");
}

#[test]
fn choice_8_an_initial_packet_is_delivered_once_per_life() {
    let text = "Main: '23' -> COUNT G(GenSS) OUT -> IN S(Fill) OUT -> IN C(Copy)
        OUTPORT=C.OUT:OUT;
        Fill: 'IN' -> NAME E(SubInSS) OUT -> IN F(WordsToLine) OUT -> IN N(Counter)
        '21' -> MEASURE F
        N COUNT -> IN X(SubOut)
        'OUT' -> NAME X;";
    Bench::of(text).every_way(|ran| {
        ran.succeeds();
        assert_eq!(ran.out["OUT"], ["3", "3", "3", "3", "2"]);
        let fill = ran.process("S/F");
        assert_eq!((fill.opened, fill.iip_delivered), (5, 5));
    });
}

#[test]
fn choice_8_an_initial_packet_on_an_ordinary_port_comes_once_and_ends() {
    Bench::of("'x' -> SOURCE K(Kick)\nOUTPORT=K.OUT:OUT").expect(&["x"]);
    Bench::of("'x' -> IN P(Pass)\nOUTPORT=P.OUT:OUT").expect(&["x"]);
    Bench::of(
        "'x' -> IN[0] C(Concat)\n'y z' -> WHAT S(test/say) OUT -> IN[1] C\nOUTPORT=C.OUT:OUT",
    )
    .expect(&["x", "y", "z"]);
}

#[test]
fn choice_10_brackets_use_capacity() {
    for way in ways() {
        let (go, hold) = Hold::new();
        let text =
            "'( 1 ( 2 ) )' -> WHAT S(test/say) OUT ->(3) IN H(test/hold)\nH OUT -> IN D(Drop)";
        let running = Bench::of(text).with(hold).start(way, &[], &[]).running;
        until(&running.observer(), |states| {
            state(states, "S") == "suspended(send OUT)"
        });
        drop(go);
        let outcome = finish(running, way);
        assert!(outcome.is_success(), "{way:?}: {outcome:#?}");
        assert_eq!(outcome.statistics.links[0].counts.high_water, 3);
    }
}

#[test]
fn choice_10_unbalanced_brackets_name_the_place() {
    Bench::of("'( 1' -> WHAT S(test/say) OUT -> IN D(Drop)").every_way(|ran| {
        let told = ran.outcome.unbalanced.iter();
        let told: Vec<_> = told.map(|one| (&*one.to, one.open, &*one.origin)).collect();
        assert_eq!(told, [("D.IN", 1, "test.fbp:1:37")], "{:?}", ran.way);
    });
}

#[test]
fn choice_10_a_group_that_is_left_early_is_not_unbalanced() {
    let text = "'5000' -> COUNT G(GenSS) OUT -> IN U(RemoveBrackets) OUT -> IN T(Take)
        '3' -> NUMBER T
        OUTPORT=T.ACC:OUT";
    Bench::of(text).every_way(|ran| {
        ran.succeeds();
        assert_eq!(ran.out["OUT"].len(), 3, "{:?}", ran.way);
    });
}

#[test]
fn choice_11_capacities() {
    let text =
        "'100' -> COUNT G(Generate) OUT ->(3) IN P(Pass) OUT -> IN C(Copy) OUT -> IN D(Drop)";
    Bench::of(text).every_way(|ran| {
        ran.succeeds();
        assert_eq!(ran.link("P.IN").capacity, 3);
        assert_eq!(ran.link("C.IN").capacity, ran.way.capacity);
    });
    let error = Bench::of(
        "'1' -> COUNT G(Generate) OUT ->(3) IN D(Drop)\n'1' -> COUNT H(Generate) OUT ->(4) IN D",
    )
    .error();
    assert_eq!(error.code, "P0306");
    let agreed = Bench::of(
        "'1' -> COUNT G(Generate) OUT ->(3) IN D(Drop)\n'1' -> COUNT H(Generate) OUT -> IN D",
    );
    agreed.every_way(|ran| {
        ran.succeeds();
        assert_eq!(ran.link("D.IN").capacity, 3);
    });
}

#[test]
fn choice_12_classic_names_and_any_case_of_port() {
    Bench::of("'2' -> count G(GenerateTestData) out -> In P(Passthru) Out -> iN C(Copy)\nOUTPORT=C.out:OUT")
        .expect(&["000002abcd", "000001abcd"]);
    let catalogue = paperflow::standard();
    for (alias, name) in catalogue.aliases() {
        assert!(
            catalogue.get(alias).is_some(),
            "{alias} stands for {name}, which is not there"
        );
    }
}

// ---- exact semantics ----

#[test]
fn activation_nobody_runs_without_a_packet_but_who_must() {
    let text = "'0' -> COUNT G(Generate) OUT -> IN P(Pass) OUT -> IN C(Copy) OUT -> IN N(Counter)
        N COUNT -> IN Q(Copy)
        N OUT -> IN R(Copy) OUT -> IN D(Drop)
        OUTPORT=Q.OUT:OUT";
    Bench::of(text).every_way(|ran| {
        ran.succeeds();
        assert_eq!(ran.out["OUT"], ["0"]);
        let opened = ["G", "P", "C", "N", "Q", "R", "D"].map(|name| ran.process(name).opened);
        assert_eq!(opened, [1, 0, 0, 1, 1, 0, 0], "{:?}", ran.way);
    });
}

#[test]
fn activation_one_life_for_many_packets() {
    Bench::of("'100' -> COUNT G(Generate) OUT -> IN P(Pass) OUT -> IN C(Copy) OUT -> IN D(Drop)")
        .every_way(|ran| {
            let opened = ["G", "P", "C", "D"].map(|name| ran.process(name).opened);
            assert_eq!(opened, [1; 4], "{:?}", ran.way);
        });
}

#[test]
fn activation_an_automatic_input_is_a_gate() {
    let text = "'1 2 3' -> WHAT S(test/say) OUT -> IN C(Copy)
        '9' -> COUNT G(Generate) OUT -> IN L(test/late) OUT -> IN D(Drop)
        D * -> * C
        C OUT -> IN E(Copy)
        OUTPORT=E.OUT:OUT";
    for way in ways() {
        let (go, hold) = Hold::new();
        let text = text.replace("L(test/late)", "L(test/hold)");
        let Started {
            running, outputs, ..
        } = Bench::of(&text).with(hold).start(way, &[], &["OUT"]);
        // On a thread of its own it may just begin to wait.
        until(&running.observer(), |states| {
            let waits = ["not-started", "suspended(receive *)"];
            state(states, "L") == "outside" && waits.contains(&&*state(states, "C"))
        });
        drop(go);
        let out: Vec<Packet> = outputs.into_iter().flatten().collect();
        assert_eq!(out, [1, 2, 3].map(Packet::int));
        assert!(finish(running, way).is_success());
    }
}

#[test]
fn activation_an_automatic_input_takes_a_packet_as_well() {
    let text = "'go' -> WHAT T(test/say) OUT -> * C(Copy)
        '1 2 3' -> WHAT S(test/say) OUT -> IN C
        OUTPORT=C.OUT:OUT";
    Bench::of(text).expect(&["1", "2", "3"]);
}

#[test]
fn close_the_end_is_told_for_ever() {
    for said in ["1 2 3", ""] {
        let text =
            format!("'{said}' -> WHAT S(test/say) OUT -> IN I(test/insistent)\nOUTPORT=I.OUT:OUT");
        Bench::of(&text).with(insistent).expect(&["10"]);
    }
}

#[test]
fn close_an_early_close_counts_what_is_lost() {
    let text = "'50' -> COUNT G(Generate) OUT ->(100) IN T(Take)\n'1' -> NUMBER T\nT ACC -> IN L(test/late)\nOUTPORT=L.OUT:OUT";
    Bench::of(text).with(late).every_way(|ran| {
        ran.succeeds();
        let link = ran.link("T.IN").counts;
        assert_eq!(
            link.sent,
            link.received + link.lost_on_close,
            "{:?}",
            ran.way
        );
    });
}

const COUNTING: &str = "Sub: 'IN' -> NAME E(SubInSS) OUT -> IN N(Counter)
    N COUNT -> IN X(SubOut)
    'OUT' -> NAME X;";

#[test]
fn substreams_each_group_is_a_life() {
    let text = format!(
        "Main: 'x ( a b ) ( ) ( ( c ) )' -> WHAT S(test/say) OUT -> IN C(Sub)
         C OUT -> IN O(Copy)
         OUTPORT=O.OUT:OUT;
         {COUNTING}"
    );
    Bench::of(&text).expect(&["3", "0", "3"]);
}

#[test]
fn substreams_must_run_also_in_empty_groups() {
    let text = format!(
        "Main: '( ) ( ) ( )' -> WHAT S(test/say) OUT -> IN C(Sub)
         C OUT -> IN O(Copy)
         OUTPORT=O.OUT:OUT;
         {COUNTING}"
    );
    Bench::of(&text).expect(&["0", "0", "0"]);
}

#[test]
fn substreams_a_subnet_with_sources_of_its_own() {
    let text = "Main: '( a ) ( b )' -> WHAT S(test/say) OUT -> IN A(Head) OUT -> IN O(Copy)
        OUTPORT=O.OUT:OUT;
        Head: 'IN' -> NAME E(SubInSS) OUT -> IN[1] C(Concat)
        'head' -> WHAT H(test/say) OUT -> IN[0] C
        C OUT -> IN X(SubOutSS)
        'OUT' -> NAME X;";
    Bench::of(text).every_way(|ran| {
        ran.succeeds();
        assert_eq!(
            ran.out["OUT"].join(" "),
            "( head a ) ( head b )",
            "{:?}",
            ran.way
        );
        assert_eq!(ran.process("A/H").opened, 2);
    });
}

#[test]
fn substreams_a_loop_inside_ends_with_every_group() {
    let text = "Main: '( 3 0 ) ( ) ( 2 )' -> WHAT S(test/say) OUT -> IN A(Round) OUT -> IN O(Copy)
        OUTPORT=O.OUT:OUT;
        Round: 'IN' -> NAME E(SubInSS) OUT -> IN[0] M(Merge) OUT -> IN L(test/lower)
        L AGAIN -> IN[1] M
        L OUT -> IN X(SubOutSS)
        'OUT' -> NAME X;";
    Bench::of(text).with(lower).every_way(|ran| {
        ran.succeeds();
        assert_eq!(
            ran.out["OUT"].join(" "),
            "( 0 0 ) ( ) ( 0 )",
            "{:?}",
            ran.way
        );
    });
}

#[test]
fn substreams_an_early_leaver_inside_loses_only_its_group() {
    let text =
        "Main: '( 1 2 3 4 ) ( 5 6 7 ) ( )' -> WHAT S(test/say) OUT -> IN A(First) OUT -> IN O(Copy)
        OUTPORT=O.OUT:OUT;
        First: 'IN' -> NAME E(SubInSS) OUT -> IN T(Take)
        '1' -> NUMBER T
        T ACC -> IN X(SubOutSS)
        'OUT' -> NAME X;";
    Bench::of(text).every_way(|ran| {
        ran.succeeds();
        assert_eq!(ran.out["OUT"].join(" "), "( 1 ) ( 5 ) ( )", "{:?}", ran.way);
    });
}

#[test]
fn substreams_nested_subnets_are_rearmed_inside_out() {
    let text = "Main: '( ( a b ) ( c ) ) ( ) ( ( ) ( d e f ) )' -> WHAT S(test/say) OUT -> IN A(Each) OUT -> IN O(Copy)
        OUTPORT=O.OUT:OUT;
        Each: 'IN' -> NAME E(SubInSS) OUT -> IN I(Inner) OUT -> IN X(SubOutSS)
        'OUT' -> NAME X;
        Inner: 'IN' -> NAME E(SubInSS) OUT -> IN N(Counter)
        N COUNT -> IN X(SubOut)
        'OUT' -> NAME X;";
    Bench::of(text).every_way(|ran| {
        ran.succeeds();
        assert_eq!(
            ran.out["OUT"].join(" "),
            "( 2 1 ) ( ) ( 0 3 )",
            "{:?}",
            ran.way
        );
    });
}

/// A subnet `Sub` of these lines between its borders, fed by S and read by O.
fn scope(said: &str, inner: &str) -> Bench {
    Bench::of(&format!(
        "Main: '{said}' -> WHAT S(test/say) OUT -> IN A(Sub) OUT -> IN O(Copy)
         OUTPORT=O.OUT:OUT;
         Sub: 'IN' -> NAME E(SubInSS)
         'OUT' -> NAME X(SubOutSS)
         {inner};"
    ))
}

fn expect_joined(network: &Bench, expected: &str) {
    network.every_way(|ran| {
        ran.succeeds();
        assert_eq!(ran.out["OUT"].join(" "), expected, "{:?}", ran.way);
    });
}

#[test]
fn substreams_without_a_group_there_is_no_life() {
    let inner = "E OUT -> IN N(Counter)\nN COUNT -> IN X";
    expect_joined(&scope("", inner), "");
    expect_joined(&scope("( a ) x y", inner), "( 1 ) ( 2 )");
}

#[test]
fn substreams_automatic_ports_work_in_every_life() {
    let inner = "E OUT -> IN D(Drop) * -> * Z(test/say) OUT -> IN X\n'z' -> WHAT Z";
    expect_joined(&scope("( a ) ( b ) ( )", inner), "( z ) ( z ) ( z )");
}

#[test]
fn substreams_a_pause_inside_is_no_end() {
    let late_one = scope("( 1 2 ) ( ) ( 3 )", "E OUT -> IN L(test/late) OUT -> IN X").with(late);
    expect_joined(&late_one, "( 1 2 ) ( ) ( 3 )");
}

#[test]
fn substreams_a_process_that_fails_is_there_again_for_the_next_group() {
    let inner = "E OUT -> IN N(number/add:fault=stop-process) OUT -> IN X\n'1' -> VALUE N";
    scope("( 1 ten 3 ) ( 4 )", inner).every_way(|ran| {
        assert_eq!(ran.outcome.verdict, Verdict::Finished);
        assert_eq!(ran.out["OUT"].join(" "), "( 2 ) ( 5 )", "{:?}", ran.way);
        assert_eq!(ran.outcome.faults.len(), 1);
    });
}

#[test]
fn substreams_two_streams_of_groups_go_in_step() {
    let said = |other: &str| {
        Bench::of(&format!(
            "Main: '( a ) ( b c )' -> WHAT S(test/say) OUT -> IN A(Sub) OUT -> IN O(Copy)
             '{other}' -> WHAT T(test/say) OUT -> OTHER A
             OUTPORT=O.OUT:OUT;
             Sub: 'IN' -> NAME E(SubInSS) OUT -> IN[0] C(Concat)
             'OTHER' -> NAME F(SubInSS) OUT -> IN[1] C
             C OUT -> IN X(SubOutSS)
             'OUT' -> NAME X;"
        ))
    };
    expect_joined(&said("( 1 2 ) ( 3 )"), "( a 1 2 ) ( b c 3 )");
    expect_joined(&said("( 1 2 )"), "( a 1 2 ) ( b c )");
}

#[test]
fn substreams_automatic_ports_of_the_subnet_frame_all_its_lives() {
    let text = "Main: '( a ) ( b )' -> WHAT S(test/say) OUT -> IN A(Sub) OUT -> IN O(Copy)
        'x' -> WHAT W(test/say) OUT -> IN D(Drop)
        D * -> * A * -> * Z(test/say)
        'z' -> WHAT Z OUT -> IN Y(Copy)
        OUTPORT=O.OUT:OUT
        OUTPORT=Y.OUT:AFTER;
        Sub: 'IN' -> NAME E(SubInSS) OUT -> IN N(Copy) OUT -> IN X(SubOutSS)
        'OUT' -> NAME X;";
    Bench::of(text).every_way(|ran| {
        ran.succeeds();
        assert_eq!(ran.out["OUT"].join(" "), "( a ) ( b )", "{:?}", ran.way);
        assert_eq!(ran.out["AFTER"], ["z"], "{:?}", ran.way);
    });
}

#[test]
fn brackets_a_balancer_never_splits_a_group() {
    let workers = (0..3).map(|at| format!("B OUT[{at}] -> IN P{at}(Pass) OUT -> IN[{at}] M\n"));
    let text = format!(
        "'( 1 ( 2 ) 3 ) 4 ( ( ( 5 ) 6 ) ) ( 7 8 ) 9' -> WHAT S(test/say) OUT -> IN B(LoadBalance)
         {}M(SubstreamSensitiveMerge) OUT -> IN O(Copy)
         OUTPORT=O.OUT:OUT",
        workers.collect::<String>()
    );
    let groups = ["( ( ( 5 ) 6 ) )", "( 1 ( 2 ) 3 )", "( 7 8 )", "4", "9"];
    Bench::of(&text).every_way(|ran| {
        ran.succeeds();
        let mut items = items(&ran.out["OUT"]);
        items.sort();
        assert_eq!(items, groups, "{:?}", ran.way);
    });
}

/// Packets and whole groups outside all brackets.
fn items(words: &[String]) -> Vec<String> {
    let mut items: Vec<String> = Vec::new();
    let mut level = 0;
    for word in words {
        match items.last_mut().filter(|_| level > 0) {
            Some(item) => item.push_str(&format!(" {word}")),
            None => items.push(word.clone()),
        }
        level += i32::from(word == "(") - i32::from(word == ")");
    }
    items
}

#[test]
fn the_law_holds_for_a_network_that_is_fed_and_read() {
    let bench = Bench::of("S(test/sum)\nINPORT=S.IN:IN\nOUTPORT=S.OUT:OUT").with(sum);
    for way in ways() {
        let Started {
            running,
            inputs,
            outputs,
        } = bench.start(way, &["IN"], &["OUT"]);
        (1..=50_i64).for_each(|number| inputs[0].send(number).expect("it listens"));
        drop(inputs);
        assert_eq!(
            outputs[0].recv().and_then(|packet| packet.as_int()),
            Some(1275)
        );
        let totals = finish(running, way).statistics.totals;
        assert!(totals.is_conserved());
        assert_eq!((totals.fed, totals.handed_out), (50, 1));
    }
}

#[test]
fn a_fault_goes_to_the_error_port_when_that_is_connected() {
    let text = "'1 ten 3' -> WHAT S(test/say) OUT -> IN A(number/add)
        '1' -> VALUE A
        A ERROR -> IN E(Copy)
        OUTPORT=A.OUT:OUT
        OUTPORT=E.OUT:BAD";
    Bench::of(text).every_way(|ran| {
        ran.succeeds();
        assert_eq!(ran.out["OUT"], ["2", "4"]);
        assert_eq!(ran.out["BAD"], ["ten"]);
    });
}

#[test]
fn activation_an_automatic_input_makes_a_source_wait() {
    Bench::of(
        "'1 2' -> WHAT A(test/say) OUT -> IN O(Copy)
        '3 4' -> WHAT B(test/say) OUT -> IN O
        '5' -> WHAT C(test/say) OUT -> IN O
        A * -> * B * -> * C
        OUTPORT=O.OUT:OUT",
    )
    .expect(&["1", "2", "3", "4", "5"]);
}

#[test]
fn control_ports_of_subnets_gate_and_fire() {
    let text = "Main: '1 2' -> WHAT A(Two) OUT -> IN O(Copy)
        '3 4' -> WHAT B(Two) OUT -> IN O
        '5' -> WHAT C(test/say) OUT -> IN O
        A * -> * B * -> * C
        OUTPORT=O.OUT:OUT;
        Two: WHAT => WHAT S(test/say) OUT -> IN P(Copy) OUT -> IN Q(Pass)
        Q OUT => OUT;";
    Bench::of(text).expect(&["1", "2", "3", "4", "5"]);
}

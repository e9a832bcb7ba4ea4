//! Runs a graph text with a handful of small components, every way.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test binary uses a part of it"
)]
#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a failed test is a failed test"
)]

pub mod shelf;

use std::path::Path;
use std::sync::Arc;

use paperflow_core::*;
use paperflow_engine::{Network, Options, Outcome, Scheduler, describe};
use paperflow_graph::{FileId, Graph, Resolve, Severity, Sources, examine};

pub const DRIVERS: [(Scheduler, usize); 10] = [
    (Scheduler::Threads, 1),
    (Scheduler::Threads, 2),
    (Scheduler::Threads, 1000),
    (Scheduler::Pool(1), 1),
    (Scheduler::Pool(1), 2),
    (Scheduler::Pool(1), 1000),
    (Scheduler::Pool(2), 1),
    (Scheduler::Pool(2), 2),
    (Scheduler::Pool(2), 1000),
    (Scheduler::Auto, 7),
];

/// What came out of the exported port OUT, and how the run ended.
pub struct Ran {
    pub out: Vec<String>,
    pub outcome: Outcome,
}

/// Runs a text whose exported out-port, if it has one, is called OUT.
pub fn run_with(text: &str, scheduler: Scheduler, capacity: usize) -> Ran {
    run_library(text, None, scheduler, capacity)
}

/// The one subnet that any unknown component name stands for.
struct Only(Option<Arc<Graph>>);

impl Resolve for Only {
    fn subnet(&mut self, _: &str, _: FileId) -> Option<Arc<Graph>> {
        self.0.clone()
    }
}

/// The plan of a text without subnets, which must be fine.
pub fn planned(text: &str, catalogue: &Catalogue) -> (paperflow_graph::Plan, Sources) {
    let mut sources = Sources::new();
    let file = sources.add(Path::new("test.fbp"), text);
    let parsed = paperflow_syntax::parse(&sources, file, paperflow_syntax::Options::default());
    let checked = examine(&parsed.graph, &describe(catalogue), &mut Only(None));
    let found = parsed.diagnostics.iter().chain(&checked.diagnostics);
    let errors: Vec<_> = found
        .filter(|found| found.severity == Severity::Error)
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
    (checked.plan, sources)
}

/// Runs a text in which unknown components stand for the subnet.
pub fn run_library(text: &str, subnet: Option<&str>, scheduler: Scheduler, capacity: usize) -> Ran {
    let mut sources = Sources::new();
    let file = sources.add(Path::new("test.fbp"), text);
    let parsed = paperflow_syntax::parse(&sources, file, paperflow_syntax::Options::default());
    let subnet = subnet.map(|text| {
        let file = sources.add(Path::new("subnet.fbp"), text);
        let parsed = paperflow_syntax::parse(&sources, file, paperflow_syntax::Options::default());
        assert_eq!(parsed.diagnostics, []);
        Arc::new(parsed.graph)
    });
    let catalogue = catalogue();
    let checked = examine(&parsed.graph, &describe(&catalogue), &mut Only(subnet));
    let errors: Vec<_> = parsed
        .diagnostics
        .iter()
        .chain(&checked.diagnostics)
        .collect();
    assert!(
        errors.iter().all(|error| error.severity != Severity::Error),
        "{errors:#?}"
    );
    let has_out = !checked.plan.outports.is_empty();
    let options = Options {
        scheduler,
        capacity,
        virtual_time: true,
        ..Options::default()
    };
    let mut network = Network::new(checked.plan, &catalogue, &sources, options);
    if has_out {
        network.output("OUT").unwrap();
    }
    let mut started = network.start().unwrap();
    let reader = started.outputs.pop().map(|output| {
        std::thread::spawn(move || output.map(|packet| packet.to_string()).collect::<Vec<_>>())
    });
    let outcome = started.running.wait();
    let out = reader
        .map(|reader| reader.join().unwrap())
        .unwrap_or_default();
    assert!(
        outcome.statistics.totals.is_conserved(),
        "{:?} {outcome:#?}",
        (scheduler, capacity)
    );
    let inner = outcome.statistics.links.iter();
    let inner = inner.filter(|link| link.to != "(outside)");
    let received: u64 = inner.map(|link| link.counts.received).sum();
    assert_eq!(outcome.statistics.totals.received, received, "{outcome:#?}");
    for link in &outcome.statistics.links {
        if link.to != "(outside)" {
            let counts = link.counts;
            assert_eq!(
                counts.sent,
                counts.received + counts.shed + counts.lost_on_close,
                "{link:?}"
            );
        }
        assert!(link.counts.high_water <= link.capacity, "{link:?}");
    }
    Ran { out, outcome }
}

/// Runs it every way; `check` sees each run.
pub fn every_way(text: &str, check: impl Fn(Ran, &str)) {
    for (scheduler, capacity) in DRIVERS {
        check(
            run_with(text, scheduler, capacity),
            &format!("{scheduler:?} at {capacity}"),
        );
    }
}

/// Runs it every way and compares what leaves by OUT.
pub fn expect(text: &str, expected: &[&str]) {
    every_way(text, |ran, way| {
        assert_eq!(ran.out, expected, "{way}");
        assert_eq!(
            ran.outcome.verdict,
            paperflow_engine::Verdict::Finished,
            "{way}"
        );
    });
}

/// Sends each number back less one, until nothing is left of it.
#[component("t/step", work = compute)]
pub fn step(
    /// Numbers.
    input: i64,
    /// Less one.
    back: &mut Out<i64>,
    /// Nothing.
    out: &mut Out<i64>,
) {
    if input > 0 {
        back.put(input - 1);
    } else {
        out.put(input);
    }
}

/// Collects everything and sends the greatest first.
#[component("t/sort", work = compute)]
pub async fn sort(
    /// Numbers.
    input: In<i64>,
    /// The same, the greatest first.
    out: Out<i64>,
) -> Result<(), Fault> {
    let mut all = Vec::new();
    while let Some(number) = input.next().await {
        all.push(number);
    }
    all.sort_by_key(|number| std::cmp::Reverse(**number));
    for number in all {
        out.send(number).await?;
    }
    Ok(())
}

/// Emits 1 to 5, as if they came from outside: another run may give others.
#[component("t/news", work = compute)]
pub async fn news(
    /// Numbers.
    out: Out<i64>,
) -> Result<(), Closed> {
    for number in 1..=5 {
        out.send(number).await?;
    }
    Ok(())
}

pub fn catalogue() -> Catalogue {
    Catalogue::new()
        .with(emit)
        .with(emit_slowly)
        .with(pass)
        .with(pass_on_thread)
        .with(walk)
        .with(discard)
        .with(copies)
        .with(chain)
        .with(join)
        .with(tally)
        .with(countdown)
        .with(leaver)
        .with(fail_on)
        .with(step)
        .with(sort)
        .with(news)
        .with(panic_on)
        .with(ticks)
        .with(groups)
        .with(in_ss)
        .with(out_ss)
        .with(say)
        .with(sit)
        .with(holder)
        .with(dawdle)
        .with(stumble)
        .with(freeze)
        .with(deal)
        .with(choose)
        .alias("SubInSS", "subnet/in-ss")
        .alias("SubOutSS", "subnet/out-ss")
}

/// Sends the numbers from 1 to COUNT.
#[component("t/emit", work = compute, repeats)]
pub async fn emit(
    /// How many.
    count: Param<i64>,
    /// The numbers.
    out: Out<i64>,
) -> Result<(), Fault> {
    for number in 1..=*count {
        out.send(number).await?;
    }
    Ok(())
}

/// Sends the numbers from 1 to COUNT from a thread of its own.
#[component("t/emit-slowly")]
pub async fn emit_slowly(
    /// How many.
    count: Param<i64>,
    /// The numbers.
    out: Out<i64>,
) -> Result<(), Fault> {
    for number in 1..=*count {
        outside(std::thread::yield_now);
        out.send(number).await?;
    }
    Ok(())
}

/// Passes packets.
#[component("t/pass", work = compute)]
pub fn pass(
    /// Anything.
    input: Packet,
    /// The same.
    out: &mut Out<Packet>,
) {
    out.put(input);
}

/// Passes packets on a thread of its own.
#[component("t/pass-on-thread")]
pub fn pass_on_thread(
    /// Anything.
    input: Packet,
    /// The same.
    out: &mut Out<Packet>,
) {
    out.put(input);
}

/// Passes packets, as a looper.
#[component("t/walk", work = compute)]
pub async fn walk(
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

/// Drops packets.
#[component("t/discard", work = compute)]
pub fn discard(
    /// Anything.
    input: Packet,
) {
    let _ = input;
}

/// Copies every packet to every element.
#[component("t/copies", work = compute)]
pub fn copies(
    /// Anything.
    input: Packet,
    /// The copies.
    outs: &mut Outs<Packet>,
) {
    for out in outs.iter_mut() {
        out.put(input.clone());
    }
}

/// Sends all of element 0, then all of element 1, and so on.
#[component("t/chain", work = compute)]
pub async fn chain(
    /// Streams.
    inputs: Ins<Packet>,
    /// One after the other.
    out: Out<Packet>,
) -> Result<(), Fault> {
    for input in inputs.iter() {
        while let Some(packet) = input.next().await {
            out.send(packet).await?;
        }
    }
    Ok(())
}

/// Merges by arrival.
#[component("t/join", work = compute)]
pub async fn join(
    /// Streams.
    inputs: Ins<Packet>,
    /// All of them.
    out: Out<Packet>,
) -> Result<(), Fault> {
    let mut last = 0;
    while let Some((at, packet)) = inputs.next_after(last).await {
        last = at;
        out.send(packet).await?;
    }
    Ok(())
}

/// Counts packets; sends the number at the end.
#[component("t/tally", work = compute, must_run)]
pub async fn tally(
    /// Anything.
    input: In<Packet>,
    /// The number.
    out: Out<i64>,
) -> Result<(), Fault> {
    let mut count: i64 = 0;
    while let Some(packet) = input.next().await {
        drop(packet);
        count += 1;
    }
    out.send(count).await?;
    Ok(())
}

/// Sends each number less one, until nothing is left; then it leaves.
#[component("t/countdown", work = compute)]
pub async fn countdown(
    /// Numbers.
    input: In<i64>,
    /// Numbers.
    out: Out<i64>,
) -> Result<(), Fault> {
    while let Some(number) = input.next().await {
        if *number == 0 {
            out.close();
            break;
        }
        out.send(*number - 1).await?;
    }
    Ok(())
}

/// Passes 19 packets and leaves at the twentieth.
#[component("t/leaver", work = compute)]
pub async fn leaver(
    /// Anything.
    input: In<Packet>,
    /// The first nineteen.
    out: Out<Packet>,
) -> Result<(), Fault> {
    for _ in 0..19 {
        let Some(packet) = input.next().await else {
            return Ok(());
        };
        out.send(packet).await?;
    }
    drop(input.next().await);
    input.close();
    Ok(())
}

/// Refuses one number.
#[component("t/fail-on", work = compute)]
pub fn fail_on(
    /// A number.
    input: i64,
    /// The number that fails.
    number: &Param<i64>,
    /// The others.
    out: &mut Out<i64>,
) -> Result<(), Fault> {
    if input == **number {
        return Err(Fault::new(format!("will not take {input}")));
    }
    out.put(input);
    Ok(())
}

/// Panics at one number.
#[component("t/panic-on", work = compute)]
pub fn panic_on(
    /// A number.
    input: i64,
    /// The number.
    number: &Param<i64>,
    /// The others.
    out: &mut Out<i64>,
) {
    assert!(input != **number, "cannot bear {input}");
    out.put(input);
}

/// Sends a number each second.
#[component("t/ticks", work = compute)]
pub async fn ticks(
    /// How many.
    count: Param<i64>,
    /// Time.
    timer: Timer,
    /// The numbers.
    out: Out<i64>,
) -> Result<(), Fault> {
    for number in 1..=*count {
        timer.sleep(std::time::Duration::from_secs(1)).await;
        out.send(number).await?;
    }
    Ok(())
}

/// Sends COUNT numbers in groups of SIZE.
#[component("t/groups", work = compute, repeats)]
pub async fn groups(
    /// How many.
    count: Param<i64>,
    /// How large.
    size: Param<i64>,
    /// Groups.
    out: Out<Packet>,
) -> Result<(), Fault> {
    for number in 1..=*count {
        if (number - 1) % *size == 0 {
            out.send(Packet::open()).await?;
        }
        out.send(number).await?;
        if number % *size == 0 || number == *count {
            out.send(Packet::close()).await?;
        }
    }
    Ok(())
}

/// The entry of a substream-sensitive subnet. When the receiver leaves early the rest of the group is
/// dropped.
#[component("subnet/in-ss", work = compute, again)]
pub async fn in_ss(
    /// Its name.
    name: Param<Option<String>>,
    /// Groups.
    input: In<Packet>,
    /// Their inside.
    out: Out<Packet>,
) {
    let _ = name;
    let mut level = 0;
    let mut has_receiver = true;
    while let Some(packet) = input.next().await {
        let kind = packet.kind();
        match kind {
            Kind::Open => level += 1,
            Kind::Close if level <= 1 => return,
            Kind::Close => level -= 1,
            _ => {}
        }
        let is_outermost = kind == Kind::Open && level == 1;
        if has_receiver && !is_outermost {
            has_receiver = out.send(packet).await.is_ok();
        }
    }
}

/// The exit of a substream-sensitive subnet.
#[component("subnet/out-ss", work = compute, again, must_run)]
pub async fn out_ss(
    /// Its name.
    name: Param<Option<String>>,
    /// Packets.
    input: In<Packet>,
    /// A group of them.
    out: Out<Packet>,
) -> Result<(), Fault> {
    let _ = name;
    out.send(Packet::open()).await?;
    while let Some(packet) = input.next().await {
        out.send(packet).await?;
    }
    out.send(Packet::close()).await?;
    Ok(())
}

/// Sends what it is given as an initial packet.
#[component("t/say", work = compute)]
pub fn say(
    /// Anything.
    what: Packet,
    /// The same.
    out: &mut Out<Packet>,
) {
    out.put(what);
}

/// Waits for the world for ever.
#[component("t/sit", work = compute)]
pub async fn sit(
    /// Time.
    timer: Timer,
    /// Nothing.
    out: Out<i64>,
) -> Result<(), Fault> {
    timer
        .sleep(std::time::Duration::from_secs(1_000_000_000))
        .await;
    out.send(1).await?;
    Ok(())
}

/// Keeps what it gets where nobody can drop it.
#[component("t/holder", work = compute)]
pub async fn holder(
    /// Anything.
    input: In<Packet>,
) {
    while let Some(packet) = input.next().await {
        std::mem::forget(packet);
    }
}

/// Waits for an answer that never comes, within a limit.
#[component("t/dawdle")]
pub async fn dawdle(
    /// How long.
    limit: Param<std::time::Duration>,
    /// Nothing.
    out: Out<i64>,
) -> Result<(), Fault> {
    let (_asked, answers) = std::sync::mpsc::channel::<i64>();
    let answer = outside_within(*limit, || {
        answers.recv_timeout(std::time::Duration::from_millis(300))
    });
    out.send(answer.unwrap_or(0)).await?;
    Ok(())
}

/// Passes packets, and yields its thread now and then.
#[component("t/stumble", work = compute)]
pub async fn stumble(
    /// Anything.
    input: In<Packet>,
    /// The same.
    out: Out<Packet>,
) -> Result<(), Fault> {
    let mut dice: u32 = 12_345;
    while let Some(packet) = input.next().await {
        dice = dice.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        if dice >> 30 == 0 {
            std::thread::yield_now();
        }
        out.send(packet).await?;
    }
    Ok(())
}

/// Deals packets to its elements in turn.
#[component("t/deal", work = compute)]
pub async fn deal(
    /// Anything.
    input: In<Packet>,
    /// In turn.
    outs: Outs<Packet>,
) -> Result<(), Fault> {
    let mut next = 0;
    while let Some(packet) = input.next().await {
        outs[next].send(packet).await?;
        next = (next + 1) % outs.len();
    }
    Ok(())
}

/// Gives every other packet to each of two elements, beginning with the one at FIRST, as one that chooses by
/// time may in one run and not in the next; what is for one that has left goes to the other.
#[component("t/choose", work = compute, passes_over)]
pub async fn choose(
    /// Which gets the first.
    first: Param<i64>,
    /// Anything.
    input: In<Packet>,
    /// Two.
    outs: Outs<Packet>,
) -> Result<(), Fault> {
    let mut next = usize::try_from(*first)?;
    while let Some(packet) = input.next().await {
        if let Err(Closed(packet)) = outs[next].send(packet).await {
            outs[1 - next].send(packet).await?;
        }
        next = 1 - next;
    }
    Ok(())
}

/// Takes one packet and never comes back from its own code.
#[component("t/freeze")]
pub fn freeze(
    /// Anything.
    input: Packet,
) {
    let _ = input;
    loop {
        std::thread::park();
    }
}

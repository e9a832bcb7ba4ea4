//! Runs a drawing, and watches.

use std::fmt::Write as _;
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, bounded};
use paperflow::graph::Sources;
use paperflow::{Control, Input, Network, Observer, Options, Outcome, Running, Verdict};

use super::components::{catalogue, mark};
use super::draw::SINKS;
use super::{Drawing, Ending};
use crate::Error;

/// What a run came to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ran {
    /// Processes of the network.
    pub processes: usize,
    /// Packets received by all processes.
    pub received: u64,
}

/// No run takes this long without a packet.
const PATIENCE: Duration = Duration::from_secs(20);
const LOOK: Duration = Duration::from_millis(5);

/// Runs it, and sees to it that what must hold held.
///
/// # Errors
/// Something did not hold, or nothing moves any more: then the state of every process is told.
pub fn run(drawing: &Drawing) -> Result<Ran, Error> {
    let options = Options {
        scheduler: drawing.scheduler,
        ..Options::default()
    };
    let catalogue = catalogue();
    let plan = drawing.plan.clone();
    let mut network = Network::new(plan, &catalogue, &Sources::new(), options);
    if drawing.fed > 0 {
        network.input("FEED")?;
    }
    let mut started = network.start()?;
    let feeder = started.inputs.pop().map(|input| {
        let fed = drawing.fed;
        thread::spawn(move || feed(&input, fed))
    });
    let (observer, control) = (started.running.observer(), started.running.control());
    let ended = ended(started.running);
    let outcome = watch(drawing, &observer, &control, &ended)?;
    if let Some(feeder) = feeder {
        feeder.join().map_err(|_| "the feeder has panicked")?;
    }
    judge(drawing, &outcome)?;
    Ok(Ran {
        processes: drawing.plan.processes.len(),
        received: outcome.statistics.totals.received,
    })
}

fn feed(input: &Input, count: u64) {
    let mut numbers = 0..i64::try_from(count).unwrap_or(i64::MAX);
    // It is refused once the network stops; until then it must go on.
    numbers.find(|number| input.send(mark(0, *number)).is_err());
}

/// Waits for the end on a thread of its own, so that this one can watch.
fn ended(running: Running) -> Receiver<Outcome> {
    let (tell, ended) = bounded(1);
    thread::spawn(move || {
        // Nobody listens when the watch has given up.
        let _unheard = tell.send(running.wait());
    });
    ended
}

fn watch(
    drawing: &Drawing,
    observer: &Observer,
    control: &Control,
    ended: &Receiver<Outcome>,
) -> Result<Outcome, Error> {
    let mut last = (0, Instant::now());
    let mut is_told = false;
    loop {
        match ended.recv_timeout(LOOK) {
            Ok(outcome) => return Ok(outcome),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Err("waiting has panicked".into()),
        }
        let received = observer.received();
        if received != last.0 {
            last = (received, Instant::now());
        } else if last.1.elapsed() > PATIENCE {
            return Err(stuck(observer, received).into());
        }
        if !is_told {
            is_told = tell(drawing.ending, received, control);
        }
    }
}

fn tell(ending: Ending, received: u64, control: &Control) -> bool {
    match ending {
        Ending::Stop(after) if received >= after => control.stop(PATIENCE),
        Ending::Kill(after) if received >= after => control.kill(),
        _ => return false,
    }
    true
}

fn stuck(observer: &Observer, received: u64) -> String {
    let mut text = format!("nothing has moved for {PATIENCE:?} after {received} packets:");
    for (address, state) in observer.states() {
        // Writing to a text cannot fail.
        let _written = write!(text, "\n  {address} {state}");
    }
    text
}

fn judge(drawing: &Drawing, outcome: &Outcome) -> Result<(), Error> {
    let totals = outcome.statistics.totals;
    let may_be_cut = matches!(drawing.ending, Ending::Kill(_));
    if outcome.verdict != Verdict::Finished
        && !(may_be_cut && matches!(outcome.verdict, Verdict::Abandoned(_)))
    {
        return Err(format!("it ended so: {:#?}", outcome.verdict).into());
    }
    if !outcome.is_accounted || !outcome.leaks.is_empty() {
        return Err(format!("{totals:?}, leaks: {:?}", outcome.leaks).into());
    }
    for link in &outcome.statistics.links {
        if link.counts.high_water > link.capacity {
            return Err(format!("more packets than fit: {link:?}").into());
        }
    }
    let arrived: u64 = sinks(outcome).sum();
    if drawing.ending == Ending::Dry && arrived != drawing.arriving {
        return Err(format!("{arrived} of {} packets arrived", drawing.arriving).into());
    }
    Ok(())
}

/// Packets received by each process that sends none.
fn sinks(outcome: &Outcome) -> impl Iterator<Item = u64> {
    let processes = outcome.statistics.processes.iter();
    processes
        .filter(|process| SINKS.contains(&process.component.as_str()))
        .map(|process| process.received)
}

//! The clock of a burst: it starts when the first source is about to send, and stops when the last
//! packets have reached their sinks.
//!
//! One burst runs at a time, so there is one stopwatch. Sources and sinks find it without being told:
//! a component has no way to carry it, and a plain function has nothing to keep it in.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, unbounded};
use nix::sys::resource::{UsageWho, getrusage};
use nix::time::{ClockId, clock_gettime};

use crate::Error;
use crate::shape::Flow;

/// What one burst took.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sample {
    /// From before the first send to after the last receive.
    pub wall: Duration,
    /// Processor time of all threads of this program meanwhile.
    pub cpu: Duration,
    /// Context switches of all threads of this program meanwhile, asked for or not.
    pub switches: u64,
}

/// What has been used at a moment.
#[derive(Clone, Copy)]
struct Mark {
    wall: Instant,
    cpu: Duration,
    switches: u64,
}

static IS_RUNNING: AtomicBool = AtomicBool::new(false);
static NUMBERS: AtomicI64 = AtomicI64::new(0);
static LASTS: AtomicU64 = AtomicU64::new(0);

/// When the first source was about to send.
static BEGUN: Mutex<Option<Mark>> = Mutex::new(None);

struct Ends {
    tell: Sender<Mark>,
    heard: Receiver<Mark>,
}

fn ends() -> &'static Ends {
    static ENDS: OnceLock<Ends> = OnceLock::new();
    ENDS.get_or_init(|| {
        let (tell, heard) = unbounded();
        Ends { tell, heard }
    })
}

/// How long nothing may arrive before a burst is given up.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Sets the stopwatch for the next burst.
pub fn arm(flow: Flow) {
    let numbers = i64::try_from(flow.numbers).unwrap_or(i64::MAX);
    ends();
    NUMBERS.store(numbers, Ordering::Relaxed);
    LASTS.store(flow.lasts, Ordering::Relaxed);
    IS_RUNNING.store(false, Ordering::Release);
}

/// A source is about to send. The first starts the clock.
pub fn start() {
    if !IS_RUNNING.swap(true, Ordering::AcqRel) {
        let mut begun = BEGUN.lock().unwrap_or_else(PoisonError::into_inner);
        let (cpu, switches) = used();
        *begun = Some(Mark {
            wall: Instant::now(),
            cpu,
            switches,
        });
    }
}

/// A sink has received this number. The last of the last stops the clock.
#[inline]
pub fn arrived(number: i64) {
    if number < NUMBERS.load(Ordering::Relaxed) {
        last();
    }
}

#[cold]
fn last() {
    if LASTS.fetch_sub(1, Ordering::AcqRel) == 1 {
        let wall = Instant::now();
        let (cpu, switches) = used();
        // The other end lives as long as the program.
        let _always_heard = ends().tell.send(Mark {
            wall,
            cpu,
            switches,
        });
    }
}

/// Waits for the end of the burst.
///
/// # Errors
/// It has not ended within [`PATIENCE`].
pub fn wait() -> Result<Sample, Error> {
    let too_long = |_| format!("not all packets have arrived after {PATIENCE:?}");
    let ended = ends().heard.recv_timeout(PATIENCE).map_err(too_long)?;
    let begun = BEGUN.lock().unwrap_or_else(PoisonError::into_inner).take();
    let begun = begun.ok_or("packets have arrived before any was sent")?;
    Ok(Sample {
        wall: ended.wall - begun.wall,
        cpu: ended.cpu.saturating_sub(begun.cpu),
        switches: ended.switches.saturating_sub(begun.switches),
    })
}

/// Waits until nothing in this program runs any more, such as threads that spin for a while before
/// they sleep; gives up soon.
pub fn settle() {
    let (mut before, _) = used();
    for _ in 0..100 {
        std::thread::sleep(Duration::from_micros(100));
        let (now, _) = used();
        if now - before < Duration::from_micros(40) {
            return;
        }
        before = now;
    }
}

/// Processor time and context switches of all threads of this program so far.
///
/// A system that does not tell is one where they show as zero.
#[must_use]
pub fn used() -> (Duration, u64) {
    let cpu =
        clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID).map_or(Duration::ZERO, Duration::from);
    let switches = getrusage(UsageWho::RUSAGE_SELF).map_or(0, |usage| {
        usage.voluntary_context_switches() + usage.involuntary_context_switches()
    });
    (cpu, u64::try_from(switches).unwrap_or(0))
}

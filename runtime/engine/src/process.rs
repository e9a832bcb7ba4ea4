//! One process: its ports, its life, and the turn it takes.

use std::any::Any;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::Waker;
use std::time::{Duration, Instant};

use paperflow_core::component::Deskside;
use paperflow_core::connector::Settlement;
use paperflow_core::turn::{Counts, Places, Pulled, Waits};
use paperflow_core::{Activity, Fault, Packet, Step, Turn, failpoint};

use paperflow_graph::{Sources, Span};

use crate::form::Form;
use crate::initial::Template;
use crate::link::{Writer, number};
use crate::network::Net;
use crate::options::Policy;
use crate::patience::Refused;
use crate::report::State;
use crate::resume::Fate;
use crate::sync::{AtomicU8, Brief, yield_now};
use crate::watch::{Holder, LONG_TURN, Notice, OFTEN};

/// Packets a pooled process may move in its first turn before it goes to the back of the queue.
const FIRST_BATCH: usize = 16;
/// The same for one that is quick.
const MOST: usize = 256;
/// The same for one that is slow.
const LEAST: usize = 4;
/// A turn that took longer makes the next one smaller.
const SLOW_TURN: Duration = Duration::from_millis(5);
/// A turn that took less makes the next one larger.
const QUICK_TURN: Duration = Duration::from_millis(1);

/// The size of the turn after one of this size that took so long.
fn batch_after(batch: usize, busy: Duration) -> usize {
    if busy > SLOW_TURN {
        (batch / 2).max(LEAST)
    } else if busy < QUICK_TURN {
        (batch * 2).min(MOST)
    } else {
        batch
    }
}

pub(crate) struct Process {
    pub(crate) index: usize,
    pub(crate) address: Box<str>,
    pub(crate) origin: Origin,
    pub(crate) form: Arc<Form>,
    pub(crate) special: Arc<Special>,
    /// Of its in-port elements, and behind them of its out-port elements up to the last that leads anywhere.
    pub(crate) sockets: Box<[Socket]>,
    pub(crate) fate: Fate,
    pub(crate) policy: Policy,
    /// No arrow leads to its in-ports: it starts by itself, once its subnet lives.
    pub(crate) is_source: bool,
    /// No arrow leads to it at all, nor to a re-armed subnet around it: it ends when the network is
    /// told to stop.
    pub(crate) is_origin: bool,
    /// It reads from a connector, and starts at once: what it waits for comes by no link.
    pub(crate) is_receiver: bool,
    pub(crate) has_own_thread: bool,
    pub(crate) waker: Waker,
    pub(crate) is_outside: AtomicBool,
    pub(crate) is_over: AtomicBool,
    pub(crate) life: LifeCell,
    pub(crate) body: Brief<Body>,
    pub(crate) tally: Tally,
}

/// Where a process is written: told in words only when somebody asks.
pub(crate) struct Origin {
    pub(crate) sources: Arc<Sources>,
    /// Nothing for one that stands for a connector.
    pub(crate) span: Option<Span>,
}

/// What only some processes have; the others share one in which there is nothing.
#[derive(Default)]
pub(crate) struct Special {
    /// Links to its automatic in-port.
    pub(crate) gates: Box<[usize]>,
    /// Links from its automatic out-port.
    pub(crate) signals: Box<[Writer]>,
    /// In the order of the description.
    pub(crate) params: Box<[ParamSource]>,
    /// Initial packets for its in-ports.
    pub(crate) templates: Box<[Arc<Template>]>,
    /// The out-port element ERROR, if it leads anywhere.
    pub(crate) error: Option<usize>,
    /// What a store keeps for it.
    pub(crate) desk: Option<Arc<Deskside>>,
    /// The innermost re-armed subnet that it belongs to.
    pub(crate) scope: Option<usize>,
}

impl Special {
    pub(crate) const fn is_nothing(&self) -> bool {
        let Self {
            gates,
            signals,
            params,
            templates,
            error,
            desk,
            scope,
        } = self;
        let has_lists =
            gates.is_empty() && signals.is_empty() && params.is_empty() && templates.is_empty();
        has_lists && error.is_none() && desk.is_none() && scope.is_none()
    }
}

/// Where a port element leads.
#[derive(Debug)]
pub(crate) struct Socket {
    /// The link, counted from one.
    link: Option<NonZeroU32>,
    writer: u32,
    /// How long the process has waited here.
    pub(crate) waited: AtomicU64,
}

impl Socket {
    /// Of an in-port.
    pub(crate) fn reading(link: Option<usize>) -> Self {
        Self::writing(link.map(|link| (link, 0)))
    }

    /// Of an out-port: its link, and which writer of that it is.
    pub(crate) fn writing(link: Option<(usize, usize)>) -> Self {
        let (link, writer) = link.unzip();
        Self {
            link: link.and_then(|link| NonZeroU32::new(number(link + 1))),
            writer: writer.map_or(0, number),
            waited: AtomicU64::new(0),
        }
    }

    pub(crate) fn link(&self) -> Option<usize> {
        self.link.map(|link| link.get() as usize - 1)
    }

    pub(crate) const fn writer(&self) -> usize {
        self.writer as usize
    }

    fn waited(sockets: &[Self], elements: &Places, time: u64) {
        for socket in elements.iter().filter_map(|at| sockets.get(at)) {
            socket.waited.fetch_add(time, Ordering::Relaxed);
        }
    }
}

/// Where a parameter comes from.
pub(crate) enum ParamSource {
    Nowhere,
    Initial(Packet),
    /// The first packet of a link.
    Link(usize),
}

/// What is known of a process while it does not run.
#[derive(Clone)]
pub(crate) struct Status {
    pub(crate) life: Life,
    pub(crate) waits: Waits,
}

/// Where a process is in its life; written by whoever runs it, read by anybody.
pub(crate) struct LifeCell(AtomicU8);

impl Default for LifeCell {
    fn default() -> Self {
        Self(AtomicU8::new(Life::NotStarted as u8))
    }
}

impl LifeCell {
    pub(crate) fn set(&self, life: Life) {
        self.0.store(life as u8, Ordering::Release);
    }

    pub(crate) fn get(&self) -> Life {
        Life::ALL[usize::from(self.0.load(Ordering::Acquire))]
    }

    /// Where it is and what its body says it waits for, which both are written under the lock of the
    /// body; nothing while it runs.
    pub(crate) fn look<B>(&self, body: &Brief<B>, waits: impl Fn(&B) -> Waits) -> Status {
        loop {
            let life = self.get();
            match body.try_lock() {
                Some(body) => {
                    let (life, waits) = (self.get(), waits(&body));
                    return Status { life, waits };
                }
                // Its turn may last; nobody waits for that.
                None if life == Life::Active => {
                    let waits = Waits::default();
                    return Status { life, waits };
                }
                None => yield_now(),
            }
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Life {
    #[default]
    NotStarted,
    /// Runs, or is in `outside(...)`.
    Active,
    /// Waits for the first packet or the end of its automatic in-port.
    Gated,
    Dormant,
    Suspended,
    /// Has ended this life of a re-armed subnet.
    RoundOver,
    Terminated,
}

impl Life {
    /// In the order of their numbers.
    const ALL: [Self; 7] = [
        Self::NotStarted,
        Self::Active,
        Self::Gated,
        Self::Dormant,
        Self::Suspended,
        Self::RoundOver,
        Self::Terminated,
    ];
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Between activations, or before the first.
    Waiting,
    Working,
    /// The activation has ended; its last packets have not all left.
    Flushing,
    RoundOver,
    /// Tells for its whole re-armed subnet that a life is over.
    Announcing,
    Ended,
}

pub(crate) struct Body {
    pub(crate) turn: Turn,
    pub(crate) activity: Option<Box<dyn Activity>>,
    pub(crate) stage: Stage,
    pub(crate) passed_gate: bool,
    pub(crate) received_params: Box<[Option<Packet>]>,
    pub(crate) opened: u64,
    /// Packets received before this activation.
    pub(crate) reads_before: u64,
    pub(crate) retries: u32,
    pub(crate) restarts: u32,
    /// Packets it may move in its next turn, if it runs in the pool.
    pub(crate) batch: usize,
    /// Its tables are to be read again, once everything that it has committed has left.
    pub(crate) is_to_reopen: bool,
    /// What its last step came to, if a store would not commit it then.
    pub(crate) uncommitted: Option<Step>,
    /// How its store has refused it.
    pub(crate) refused: Option<Box<Refused>>,
    /// Its code has panicked: what it held is gone, and that is not a leak.
    pub(crate) has_panicked: bool,
    /// What becomes of the deliveries that it holds when its activation ends.
    pub(crate) settlement: Option<Box<Settlement>>,
    /// Packets on its stack when it was last to end.
    pub(crate) stacked_before: usize,
    /// What it waits for since its last turn.
    pub(crate) waits: Waits,
    /// It waits for room, and counts among those that do.
    is_blocked: bool,
    /// When its last turn ended, by the network's clock, if that was measured.
    since: Option<Duration>,
    sampling: Sampling,
}

/// What was counted, summed when read.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) created: AtomicU64,
    pub(crate) dropped: AtomicU64,
    pub(crate) received: AtomicU64,
    pub(crate) sent: AtomicU64,
    pub(crate) iip: AtomicU64,
    pub(crate) parked: AtomicU64,
    pub(crate) opened: AtomicU64,
    pub(crate) turns: AtomicU64,
    pub(crate) busy: AtomicU64,
    pub(crate) long_turns: AtomicU64,
    pub(crate) longest_turn: AtomicU64,
    pub(crate) blocked_send: AtomicU64,
    pub(crate) blocked_receive: AtomicU64,
}

impl Tally {
    pub(crate) fn add(&self, counts: Counts) {
        bump(&self.created, counts.created);
        bump(&self.dropped, counts.dropped);
        bump(&self.received, counts.received);
        bump(&self.sent, counts.sent);
    }
}

/// Adds to a count that only the process's own thread writes, the one that runs its turn.
pub(crate) fn bump(count: &AtomicU64, more: u64) {
    count.store(count.load(Ordering::Relaxed) + more, Ordering::Relaxed);
}

/// Which turns are measured, and the waits after them: each of the first ones, each of a process whose
/// turns or waits are not short, and one of many of the rest. Two looks at the clock would cost a short
/// turn a third of its time.
pub(crate) struct Sampling {
    interval: u8,
    left: u8,
    has_waited_long: bool,
}

/// So many turns are measured one by one.
const FIRST_TURNS: u64 = 16;

/// After them, one turn in so many is.
const SAMPLED: u8 = 16;

/// Turns that last longer are all measured.
const NOT_SHORT: Duration = Duration::from_micros(50);

impl Sampling {
    const fn new() -> Self {
        Self {
            interval: 1,
            left: 1,
            has_waited_long: false,
        }
    }

    /// A turn begins: whether it is to be measured.
    fn is_due(&mut self) -> bool {
        self.left -= 1;
        self.left == 0
    }

    /// The time, in nanoseconds, that a measured one stands for: a short one for those that were not
    /// measured as well, a long one for itself.
    fn stands_for(&self, time: Duration) -> u64 {
        if time >= NOT_SHORT {
            nanos(time)
        } else {
            nanos(time) * u64::from(self.interval)
        }
    }

    /// A wait has been measured.
    fn waited(&mut self, time: Duration) -> u64 {
        self.has_waited_long = time >= NOT_SHORT;
        self.stands_for(time)
    }

    /// A turn has been measured: whether every one is to be, or as many as it takes.
    fn next(&mut self, busy: Duration, is_exact: bool) {
        let all = is_exact || busy >= NOT_SHORT || self.has_waited_long;
        self.interval = if all { 1 } else { SAMPLED };
        self.left = self.interval;
    }
}

/// What a turn came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum After {
    /// It has more to do.
    Again,
    /// It waits.
    Idle,
    /// It has ended this life of its re-armed subnet.
    RoundOver,
    /// It has ended.
    Ended,
}

impl Body {
    pub(crate) fn new(turn: Turn, params: usize) -> Self {
        Self {
            turn,
            activity: None,
            stage: Stage::Waiting,
            passed_gate: false,
            received_params: vec![None; params].into(),
            opened: 0,
            reads_before: 0,
            retries: 0,
            restarts: 0,
            batch: FIRST_BATCH,
            is_to_reopen: false,
            uncommitted: None,
            refused: None,
            has_panicked: false,
            settlement: None,
            stacked_before: usize::MAX,
            waits: Waits::default(),
            is_blocked: false,
            since: None,
            sampling: Sampling::new(),
        }
    }

    /// Ready for the next life of its subnet.
    pub(crate) fn rearm(&mut self) {
        self.turn.rearm();
        self.stage = Stage::Waiting;
        self.passed_gate = false;
        self.opened = 0;
    }

    pub(crate) const fn is_ended(&self) -> bool {
        matches!(self.stage, Stage::Ended)
    }
}

impl Process {
    /// Runs it once. Called by one thread at a time.
    pub(crate) fn turn(&self, net: &Net) -> After {
        let mut guard = self.body.lock();
        let body = &mut *guard;
        match body.stage {
            Stage::Ended => return After::Ended,
            Stage::RoundOver if !net.is_cancelled(self) => return After::Idle,
            _ => {}
        }
        let begun = self.begin_turn(body, net);
        let budget = if self.has_own_thread {
            usize::MAX
        } else {
            body.batch
        };
        body.turn.begin(budget);
        let after = if net.is_cancelled(self) {
            self.finish(body, net)
        } else {
            self.advance(body, net)
        };
        failpoint!("in_turn");
        self.end_turn(body, net, after, begun)
    }

    /// A turn was measured: it stands for those that were not. Gives the time at its end, by the network's
    /// clock.
    fn measured(&self, body: &mut Body, net: &Net, begun: Instant) -> Duration {
        // One look at the clock for this turn and for the wait after it.
        let ended = Instant::now();
        let busy = ended.duration_since(begun);
        bump(&self.tally.busy, body.sampling.stands_for(busy));
        // Virtual time jumps: what is missed would be missed altogether.
        let is_first = self.tally.turns.load(Ordering::Relaxed) < FIRST_TURNS;
        body.sampling.next(busy, is_first || net.clock.is_virtual());
        if !self.has_own_thread {
            body.batch = batch_after(body.batch, busy);
            if busy >= LONG_TURN {
                self.long_turn(net, busy);
            }
        }
        net.elapsed(ended)
    }

    /// A turn has held its worker for long.
    fn long_turn(&self, net: &Net, busy: Duration) {
        let so_far = self.tally.long_turns.fetch_add(1, Ordering::Relaxed) + 1;
        let longest = self
            .tally
            .longest_turn
            .fetch_max(nanos(busy), Ordering::Relaxed);
        let longest = busy.max(Duration::from_nanos(longest));
        let turns = self.tally.turns.load(Ordering::Relaxed);
        if so_far == OFTEN && so_far * OFTEN >= turns {
            net.told.notify(Notice::LongTurns {
                by: self.holder(),
                turns: so_far,
                longest,
            });
        }
    }

    pub(crate) fn inputs(&self) -> &[Socket] {
        &self.sockets[..self.form.inputs.len()]
    }

    /// Up to the last one that leads anywhere.
    pub(crate) fn outputs(&self) -> &[Socket] {
        &self.sockets[self.form.inputs.len()..]
    }

    /// The innermost re-armed subnet that it belongs to.
    pub(crate) fn scope(&self) -> Option<usize> {
        self.special.scope
    }

    /// The in-port elements that a link leads to.
    pub(crate) fn connected_inputs(&self) -> impl Iterator<Item = usize> + '_ {
        let inputs = self.inputs().iter().enumerate();
        inputs.filter_map(|(element, socket)| socket.link().map(|_| element))
    }

    /// What an in-port element is called.
    pub(crate) fn input_name(&self, element: usize) -> Option<&str> {
        self.form.inputs.get(element).map(|input| &*input.name)
    }

    /// Where it is written, for reports.
    pub(crate) fn origin(&self) -> String {
        let Origin { sources, span } = &self.origin;
        span.map_or_else(String::new, |span| sources.locate(span))
    }

    /// Itself, for a notice.
    pub(crate) fn holder(&self) -> Holder {
        Holder {
            address: self.address.to_string(),
            component: self.form.spec.name.clone(),
            origin: self.origin(),
        }
    }

    /// Gives the time when this turn is to be measured.
    fn begin_turn(&self, body: &mut Body, net: &Net) -> Option<Instant> {
        bump(&self.tally.turns, 1);
        self.life.set(Life::Active);
        if std::mem::take(&mut body.is_blocked) {
            net.blocked.fetch_sub(1, Ordering::AcqRel);
        }
        let is_due = body.sampling.is_due();
        if !is_due && body.since.is_none() {
            return None;
        }
        let now = Instant::now();
        if let Some(since) = body.since.take() {
            let time = net.elapsed(now).saturating_sub(since);
            let blocked = body.sampling.waited(time);
            if !body.waits.send.is_empty() {
                bump(&self.tally.blocked_send, blocked);
                Socket::waited(self.outputs(), &body.waits.send, blocked);
            } else if !body.waits.receive.is_empty() {
                bump(&self.tally.blocked_receive, blocked);
                Socket::waited(self.inputs(), &body.waits.receive, blocked);
            }
        }
        is_due.then_some(now)
    }

    fn end_turn(&self, body: &mut Body, net: &Net, after: After, begun: Option<Instant>) -> After {
        let spent = body.turn.end(&mut body.waits);
        let ended = begun.map(|begun| self.measured(body, net, begun));
        self.tally.add(body.turn.counts());
        tracing::trace!(process = %self.address, ?after, "turn");
        let life = match (after, body.stage) {
            (After::Idle, _) if spent => return After::Again,
            (_, Stage::Waiting) => self.waiting_life(body),
            (_, Stage::RoundOver) => Life::RoundOver,
            (_, Stage::Ended) => Life::Terminated,
            (_, Stage::Working) if body.waits.send.is_empty() && body.is_dormant() => Life::Dormant,
            (_, Stage::Working | Stage::Flushing | Stage::Announcing) => Life::Suspended,
        };
        body.since = ended;
        if life == Life::Suspended && !body.waits.send.is_empty() {
            body.is_blocked = true;
            net.blocked.fetch_add(1, Ordering::AcqRel);
        }
        self.life.set(life);
        after
    }

    pub(crate) fn waiting_life(&self, body: &Body) -> Life {
        if !self.special.gates.is_empty() && !body.passed_gate {
            Life::Gated
        } else if body.opened == 0 {
            Life::NotStarted
        } else {
            Life::Dormant
        }
    }

    // ---- what others ask ----

    /// Whether a packet waits at an in-port of a process that is not running.
    fn is_called(&self) -> bool {
        let Some(mut body) = self.body.try_lock() else {
            return false;
        };
        let mut connected = self.connected_inputs();
        connected.any(|element| body.turn.look(element) == Pulled::Some)
    }

    /// Where it is and what it waits for; nothing while it runs.
    pub(crate) fn status(&self) -> Status {
        self.life.look(&self.body, |body| body.waits.clone())
    }

    pub(crate) fn state(&self) -> State {
        if self.is_over.load(Ordering::Acquire) {
            return State::Terminated;
        }
        if self.is_outside.load(Ordering::Acquire) {
            return State::Outside;
        }
        let status = self.status();
        let input = |at: usize| self.input_name(at).map(str::to_owned);
        let output = |at: usize| self.form.output_name(at).to_owned();
        match status.life {
            Life::NotStarted => State::NotStarted,
            Life::Active => State::Active,
            Life::Gated if !self.is_called() => State::NotStarted,
            Life::Gated => State::SuspendedReceive(vec![String::from("*")]),
            Life::Dormant | Life::RoundOver => State::Dormant,
            Life::Terminated => State::Terminated,
            Life::Suspended if !status.waits.send.is_empty() => {
                State::SuspendedSend(status.waits.send.iter().map(output).collect())
            }
            Life::Suspended if status.waits.outside || status.waits.is_empty() => State::Outside,
            Life::Suspended => {
                State::SuspendedReceive(status.waits.receive.iter().filter_map(input).collect())
            }
        }
    }
}

impl Body {
    pub(crate) fn is_dormant(&self) -> bool {
        self.activity
            .as_ref()
            .is_some_and(|activity| activity.is_dormant_when_waiting())
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

pub(crate) fn panicked(panic: &(dyn Any + Send)) -> Fault {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    Fault::new(format!(
        "the component panicked: {}",
        text.unwrap_or("no message")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: Duration = Duration::from_micros(1);
    const LONG: Duration = Duration::from_millis(50);

    /// What is told of waits after turns that are all short.
    fn told(waits: &[Duration]) -> u64 {
        let mut sampling = Sampling::new();
        let mut is_measured = false;
        let mut sum = 0;
        for (turns, wait) in (0..).zip(waits) {
            if std::mem::take(&mut is_measured) {
                sum += sampling.waited(*wait);
            }
            if sampling.is_due() {
                is_measured = true;
                sampling.next(SHORT, turns < FIRST_TURNS);
            }
        }
        sum
    }

    #[test]
    fn long_waits_are_told_as_they_are_from_the_first_turns_on() {
        let waits = vec![LONG; 100];
        assert_eq!(
            told(&waits),
            nanos(LONG * 99),
            "there is none before the first turn"
        );
    }

    #[test]
    fn one_long_wait_among_short_ones_is_not_taken_for_many() {
        for at in 0..200 {
            let mut waits = vec![SHORT; 200];
            waits[at] = LONG;
            let told = told(&waits);
            assert!(told <= nanos(LONG + SHORT * 240), "{at}: {told}");
        }
    }

    #[test]
    fn short_waits_are_told_by_samples() {
        let told = told(&[SHORT; 1000]);
        let all = nanos(SHORT * 1000);
        assert!(told.abs_diff(all) <= nanos(SHORT) * 32, "{told} of {all}");
    }
}

//! One process: its ports, its life, and the turn it takes.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Waker};
use std::time::Instant;

use paperflow_core::component::Layout;
use paperflow_core::headers::names;
use paperflow_core::turn::{Counts, Inlet, Outlet, Pulled, Waits};
use paperflow_core::{Activity, Component, Fault, Headers, Packet, Params, Spec, Step, Turn, slot};
use parking_lot::Mutex;

use crate::initial::Template;
use crate::link::{Link, Writer};
use crate::network::Net;
use crate::options::Policy;
use crate::report::{FaultReport, State};

/// Packets a pooled process may move before it goes to the back of the queue.
const TURN: usize = 256;

pub(crate) struct Process {
    pub(crate) index: usize,
    pub(crate) address: String,
    pub(crate) origin: String,
    pub(crate) component: Arc<dyn Component>,
    pub(crate) spec: Arc<Spec>,
    pub(crate) layout: Arc<Layout>,
    pub(crate) inputs: Vec<Socket>,
    pub(crate) outputs: Vec<Socket>,
    pub(crate) templates: Vec<Arc<Template>>,
    pub(crate) gates: Vec<usize>,
    pub(crate) signals: Vec<Writer>,
    pub(crate) params: Vec<ParamSource>,
    pub(crate) error: Option<usize>,
    pub(crate) policy: Policy,
    pub(crate) scope: Option<usize>,
    /// No arrow leads to it: it starts by itself and ends when the network is told to stop.
    pub(crate) is_source: bool,
    pub(crate) has_own_thread: bool,
    pub(crate) waker: Waker,
    pub(crate) is_outside: AtomicBool,
    pub(crate) is_over: AtomicBool,
    pub(crate) status: Mutex<Status>,
    pub(crate) body: Mutex<Body>,
    pub(crate) tally: Tally,
}

/// A port element, for reports.
#[derive(Clone, Debug)]
pub(crate) struct Socket {
    /// `IN` or `IN[2]`.
    pub(crate) name: String,
    pub(crate) link: Option<usize>,
    /// Which writer of the link it is, for an out-port.
    pub(crate) writer: usize,
}

/// Where a parameter comes from.
pub(crate) enum ParamSource {
    Nowhere,
    Initial(Packet),
    /// The first packet of a link.
    Link(usize),
}

/// What is known of a process while it does not run.
#[derive(Clone, Default)]
pub(crate) struct Status {
    pub(crate) life: Life,
    pub(crate) waits: Waits,
    since: Option<Instant>,
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

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Between activations, or before the first.
    Waiting,
    Working,
    /// The activation has ended; its last packets have not all left.
    Flushing,
    RoundOver,
    Ended,
}

pub(crate) struct Body {
    pub(crate) turn: Turn,
    activity: Option<Box<dyn Activity>>,
    stage: Stage,
    passed_gate: bool,
    received_params: Vec<Option<Packet>>,
    opened: u64,
    retries: u32,
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
    pub(crate) blocked_send: AtomicU64,
    pub(crate) blocked_receive: AtomicU64,
}

impl Tally {
    fn add(&self, counts: Counts) {
        self.created.fetch_add(counts.created, Ordering::Relaxed);
        self.dropped.fetch_add(counts.dropped, Ordering::Relaxed);
        self.received.fetch_add(counts.received, Ordering::Relaxed);
        self.sent.fetch_add(counts.sent, Ordering::Relaxed);
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

/// Whether an activation may start.
enum Start {
    Now,
    Later,
    Never,
}

impl Body {
    pub(crate) fn new(turn: Turn, params: usize) -> Self {
        Self {
            turn,
            activity: None,
            stage: Stage::Waiting,
            passed_gate: false,
            received_params: vec![None; params],
            opened: 0,
            retries: 0,
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
        let mut body = self.body.lock();
        match body.stage {
            Stage::Ended => return After::Ended,
            Stage::RoundOver if !net.is_cancelled(self) => return After::Idle,
            _ => {}
        }
        let begun = self.begin_turn();
        let budget = if self.has_own_thread {
            usize::MAX
        } else {
            TURN
        };
        body.turn.begin(budget);
        let after = if net.is_cancelled(self) {
            self.finish(&mut body, net)
        } else {
            self.advance(&mut body, net)
        };
        let after = self.end_turn(&mut body, after);
        self.tally.busy.fetch_add(nanos(begun), Ordering::Relaxed);
        after
    }

    fn begin_turn(&self) -> Instant {
        self.tally.turns.fetch_add(1, Ordering::Relaxed);
        let running = Status {
            life: Life::Active,
            ..Status::default()
        };
        let status = std::mem::replace(&mut *self.status.lock(), running);
        if let Some(since) = status.since {
            let blocked = nanos(since);
            if !status.waits.send.is_empty() {
                self.tally
                    .blocked_send
                    .fetch_add(blocked, Ordering::Relaxed);
            } else if !status.waits.receive.is_empty() {
                self.tally
                    .blocked_receive
                    .fetch_add(blocked, Ordering::Relaxed);
            }
        }
        Instant::now()
    }

    fn end_turn(&self, body: &mut Body, after: After) -> After {
        let (waits, spent) = body.turn.end();
        self.tally.add(body.turn.counts());
        tracing::trace!(process = %self.address, ?after, "turn");
        let life = match (after, body.stage) {
            (After::Idle, _) if spent => return After::Again,
            (_, Stage::Waiting) => self.waiting_life(body),
            (_, Stage::RoundOver) => Life::RoundOver,
            (_, Stage::Ended) => Life::Terminated,
            (_, Stage::Working) if waits.send.is_empty() && body.is_dormant() => Life::Dormant,
            (_, Stage::Working | Stage::Flushing) => Life::Suspended,
        };
        *self.status.lock() = Status {
            life,
            waits,
            since: Some(Instant::now()),
        };
        after
    }

    const fn waiting_life(&self, body: &Body) -> Life {
        if !self.gates.is_empty() && !body.passed_gate {
            Life::Gated
        } else if body.opened == 0 {
            Life::NotStarted
        } else {
            Life::Dormant
        }
    }

    fn advance(&self, body: &mut Body, net: &Net) -> After {
        if body.stage == Stage::Waiting {
            match self.start(body, net) {
                Start::Later => return After::Idle,
                Start::Never => return self.finish(body, net),
                Start::Now => {
                    if let Err(fault) = self.open(body, net) {
                        return self.fail(body, net, fault);
                    }
                }
            }
        }
        if body.stage == Stage::Working {
            self.step(body, net)
        } else {
            self.flush(body, net)
        }
    }

    // ---- activation ----

    fn start(&self, body: &mut Body, net: &Net) -> Start {
        if !body.passed_gate && !self.pass_gate(body, net) {
            return Start::Later;
        }
        if !self.receive_params(body, net) {
            return Start::Later;
        }
        if self.scope.is_some_and(|scope| net.is_closing(scope)) {
            return Start::Never;
        }
        let connected = || {
            self.inputs
                .iter()
                .enumerate()
                .filter(|(_, socket)| socket.link.is_some())
        };
        if connected().next().is_none() {
            return self.start_without_input(body, net);
        }
        let looks: Vec<Pulled> = connected()
            .map(|(element, _)| body.turn.look(element))
            .collect();
        if looks.contains(&Pulled::Some) {
            self.scope.inspect(|scope| net.activate(*scope));
            return Start::Now;
        }
        if looks.contains(&Pulled::Empty) {
            return Start::Later;
        }
        if self
            .scope
            .is_some_and(|scope| net.try_closing(scope, self.index))
        {
            return Start::Never;
        }
        if self.spec.must_run && body.opened == 0 {
            Start::Now
        } else {
            Start::Never
        }
    }

    fn start_without_input(&self, body: &Body, net: &Net) -> Start {
        if self.scope.is_some_and(|scope| !net.is_active(scope)) {
            Start::Later
        } else if body.opened == 0 {
            Start::Now
        } else {
            Start::Never
        }
    }

    /// Drops the first packet of the automatic in-port, or sees its end, and closes it.
    fn pass_gate(&self, body: &mut Body, net: &Net) -> bool {
        let mut passed = true;
        for gate in &self.gates {
            passed &= self.receive_one(net, *gate, drop) != Pulled::Empty;
        }
        body.passed_gate = passed;
        passed
    }

    fn receive_params(&self, body: &mut Body, net: &Net) -> bool {
        let mut complete = true;
        for (slot, source) in body.received_params.iter_mut().zip(&self.params) {
            if let (ParamSource::Link(link), None) = (source, &slot) {
                complete &=
                    self.receive_one(net, *link, |packet| *slot = Some(packet)) != Pulled::Empty;
            }
        }
        complete
    }

    /// Takes one packet from a link that is read only once, and leaves the link.
    fn receive_one(&self, net: &Net, link: usize, keep: impl FnOnce(Packet)) -> Pulled {
        let link = &net.links[link];
        let mut window = std::collections::VecDeque::new();
        let pulled = link.pull(&mut window, 1);
        if let Some(packet) = window.pop_front() {
            link.release(1);
            self.tally.add(Counts {
                received: 1,
                dropped: 1,
                ..Counts::default()
            });
            keep(packet);
        }
        if pulled != Pulled::Empty {
            link.close(0);
        }
        pulled
    }

    fn open(&self, body: &mut Body, net: &Net) -> Result<(), Fault> {
        let sources = self.params.iter().zip(&body.received_params);
        let values = sources.map(|(source, received)| match source {
            ParamSource::Initial(packet) => {
                self.tally.iip.fetch_add(1, Ordering::Relaxed);
                self.tally.dropped.fetch_add(1, Ordering::Relaxed);
                Some(packet.clone())
            }
            ParamSource::Nowhere | ParamSource::Link(_) => received.clone(),
        });
        let values = values.collect();
        self.templates.iter().for_each(|template| template.rearm());
        body.turn.rearm_inputs();
        body.opened += 1;
        self.tally.opened.fetch_add(1, Ordering::Relaxed);
        let (spec, layout) = (Arc::clone(&self.spec), Arc::clone(&self.layout));
        let params = Params::new(spec, values, layout, net.clock.shared());
        let opened = catch_unwind(AssertUnwindSafe(|| self.component.open(&params)));
        body.activity = Some(opened.unwrap_or_else(|panic| Err(panicked(&*panic)))?);
        body.stage = Stage::Working;
        Ok(())
    }

    // ---- work ----

    fn step(&self, body: &mut Body, net: &Net) -> After {
        let Body { turn, activity, .. } = body;
        let Some(activity) = activity else {
            return self.finish(body, net);
        };
        let mut cx = Context::from_waker(&self.waker);
        let stepped = catch_unwind(AssertUnwindSafe(|| activity.step(turn, &mut cx)));
        let result = stepped.unwrap_or_else(|panic| {
            if let Some(lent) = slot::reclaim() {
                *turn = lent;
            }
            Err(panicked(&*panic))
        });
        if result.is_ok() {
            body.retries = 0;
        }
        match result {
            Ok(Step::More) => After::Again,
            Ok(Step::Wait) => After::Idle,
            Ok(Step::Done) => {
                body.stage = Stage::Flushing;
                self.flush(body, net)
            }
            Err(fault) => self.fail(body, net, fault),
        }
    }

    fn flush(&self, body: &mut Body, net: &Net) -> After {
        match body.turn.flush() {
            Ok(false) => return After::Idle,
            Err(_) => body.turn.drop_hand(),
            Ok(true) => {}
        }
        if self.spec.again && self.scope.is_none() {
            self.let_go(body, net);
            body.stage = Stage::Waiting;
            return After::Again;
        }
        self.finish(body, net)
    }

    // ---- faults ----

    fn fail(&self, body: &mut Body, net: &Net, mut fault: Fault) -> After {
        if fault.is_quiet() {
            return self.finish(body, net);
        }
        let packet = fault.take_packet();
        let report = self.report(&fault, packet.as_ref());
        let goes_on = body.is_dormant();
        match (packet, self.error) {
            (Some(packet), Some(error)) => self.divert(body, error, packet, &fault),
            (packet, _) => return self.apply_policy(body, net, report, fault, packet),
        }
        if goes_on {
            return After::Again;
        }
        net.note(report);
        body.stage = Stage::Flushing;
        self.flush(body, net)
    }

    fn divert(&self, body: &mut Body, error: usize, packet: Packet, fault: &Fault) {
        let mut headers = packet
            .headers()
            .map_or_else(Headers::default, |headers| (**headers).clone());
        headers.set(names::ERROR, fault.message());
        body.turn.divert(error, packet.with_headers(headers));
    }

    fn apply_policy(
        &self,
        body: &mut Body,
        net: &Net,
        report: FaultReport,
        fault: Fault,
        packet: Option<Packet>,
    ) -> After {
        let goes_on = body.is_dormant();
        match (self.policy, packet) {
            (Policy::Retry(times), Some(packet)) if goes_on && body.retries < times => {
                body.retries += 1;
                body.turn.retry(fault.element().unwrap_or_default(), packet);
                After::Again
            }
            (Policy::Park | Policy::Retry(_), Some(packet)) if goes_on => {
                body.retries = 0;
                body.turn.drop_packet(packet);
                self.tally.parked.fetch_add(1, Ordering::Relaxed);
                net.note(report);
                After::Again
            }
            (policy, packet) => {
                if let Some(packet) = packet {
                    body.turn.drop_packet(packet);
                }
                if policy == Policy::StopProcess {
                    net.note(report);
                } else {
                    net.fail(report);
                }
                self.finish(body, net)
            }
        }
    }

    fn report(&self, fault: &Fault, packet: Option<&Packet>) -> FaultReport {
        let socket = fault.element().and_then(|element| self.inputs.get(element));
        FaultReport {
            address: self.address.clone(),
            component: self.spec.name.clone(),
            port: socket.map(|socket| socket.name.clone()),
            message: fault.message().to_owned(),
            packet: packet.map(ToString::to_string),
            origin: self.origin.clone(),
        }
    }

    // ---- the end ----

    /// Ends the activation: lets go of what the component holds, and reports what it leaked.
    fn let_go(&self, body: &mut Body, net: &Net) {
        let Body { turn, activity, .. } = body;
        if let Some(mut ended) = activity.take() {
            let ending = catch_unwind(AssertUnwindSafe(|| {
                ended.end(turn);
                drop(ended);
            }));
            if ending.is_err()
                && let Some(lent) = slot::reclaim()
            {
                *turn = lent;
            }
        }
        turn.drop_hand();
        let owned = turn.owned();
        if owned != 0 {
            net.leak(self, owned);
            turn.forgive();
        }
    }

    fn finish(&self, body: &mut Body, net: &Net) -> After {
        self.let_go(body, net);
        if self.scope.is_some() && !net.is_cancelled(self) {
            self.close_inner(body, net);
            body.stage = Stage::RoundOver;
            return After::RoundOver;
        }
        self.terminate(body, net);
        After::Ended
    }

    /// Closes everything, for good.
    pub(crate) fn terminate(&self, body: &mut Body, net: &Net) {
        self.let_go(body, net);
        self.signals.iter().for_each(Outlet::close);
        body.turn.close();
        self.close_single_reads(net);
        self.tally.add(body.turn.counts());
        body.stage = Stage::Ended;
        *self.status.lock() = Status {
            life: Life::Terminated,
            ..Status::default()
        };
        net.terminated(self);
    }

    fn close_single_reads(&self, net: &Net) {
        let params = self.params.iter().filter_map(|source| match source {
            ParamSource::Link(link) => Some(*link),
            _ => None,
        });
        for link in self.gates.iter().copied().chain(params) {
            net.links[link].close(0);
        }
    }

    /// Closes the links within its re-armed subnet; those across its border stay open.
    fn close_inner(&self, body: &mut Body, net: &Net) {
        for writer in &self.signals {
            if self.is_inner(&writer.link) {
                writer.close();
            }
        }
        let inner = |socket: &Socket| {
            socket
                .link
                .is_some_and(|link| self.is_inner(&net.links[link]))
        };
        for element in (0..self.outputs.len()).filter(|at| inner(&self.outputs[*at])) {
            body.turn.close_output(element);
        }
        for element in (0..self.inputs.len()).filter(|at| inner(&self.inputs[*at])) {
            body.turn.close_input(element);
        }
    }

    /// Whether both ends of the link lie in this process's re-armed subnet.
    fn is_inner(&self, link: &Link) -> bool {
        self.scope.is_some() && link.home == self.scope
    }

    /// Whether something could still come from outside its subnet.
    pub(crate) fn has_outer_input(&self, body: &mut Body, net: &Net) -> bool {
        self.outer_inputs(net)
            .any(|element| body.turn.look(element) != Pulled::End)
    }

    pub(crate) fn outer_inputs<'a>(&'a self, net: &'a Net) -> impl Iterator<Item = usize> + 'a {
        self.inputs
            .iter()
            .enumerate()
            .filter_map(|(element, socket)| {
                (!self.is_inner(&net.links[socket.link?])).then_some(element)
            })
    }

    // ---- what others ask ----

    pub(crate) fn state(&self) -> State {
        if self.is_over.load(Ordering::Acquire) {
            return State::Terminated;
        }
        if self.is_outside.load(Ordering::Acquire) {
            return State::Outside;
        }
        let status = self.status.lock().clone();
        let names = |sockets: &[Socket], elements: &[usize]| {
            elements
                .iter()
                .filter_map(|at| Some(sockets.get(*at)?.name.clone()))
                .collect()
        };
        match status.life {
            Life::NotStarted => State::NotStarted,
            Life::Active => State::Active,
            Life::Gated => State::SuspendedReceive(vec![String::from("*")]),
            Life::Dormant | Life::RoundOver => State::Dormant,
            Life::Terminated => State::Terminated,
            Life::Suspended if !status.waits.send.is_empty() => {
                State::SuspendedSend(names(&self.outputs, &status.waits.send))
            }
            Life::Suspended if status.waits.outside || status.waits.is_empty() => State::Outside,
            Life::Suspended => State::SuspendedReceive(names(&self.inputs, &status.waits.receive)),
        }
    }
}

impl Body {
    fn is_dormant(&self) -> bool {
        self.activity
            .as_ref()
            .is_some_and(|activity| activity.is_dormant_when_waiting())
    }
}

fn nanos(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

fn panicked(panic: &(dyn Any + Send)) -> Fault {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    Fault::new(format!(
        "the component panicked: {}",
        text.unwrap_or("no message")
    ))
}

/// The network's side of `outside(...)`: the process's credit is given up meanwhile.
pub(crate) struct Door {
    pub(crate) net: std::sync::OnceLock<std::sync::Weak<Net>>,
    pub(crate) process: usize,
}

impl paperflow_core::turn::Outside for Door {
    fn enter(&self, counts: Counts) {
        let Some(net) = self.net.get().and_then(std::sync::Weak::upgrade) else {
            return;
        };
        net.processes[self.process].tally.add(counts);
        net.processes[self.process]
            .is_outside
            .store(true, Ordering::Release);
        if net.roster.rest() {
            net.judge();
        }
    }

    fn leave(&self) {
        let Some(net) = self.net.get().and_then(std::sync::Weak::upgrade) else {
            return;
        };
        net.roster.resume();
        net.processes[self.process]
            .is_outside
            .store(false, Ordering::Release);
    }
}

//! The life of a process: when an activation starts, what follows a step, and how it ends.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Context;

use paperflow_core::connector::{Disposition, Failure, Settlement};
use paperflow_core::headers::names;
use paperflow_core::turn::{Counts, Inlet, Outlet, Pulled, Received};
use paperflow_core::{Fault, Packet, Params, Step, slot};

use crate::link::Link;
use crate::network::Net;
use crate::options::Policy;
use crate::process::{After, Body, Life, ParamSource, Process, Socket, Stage, panicked};
use crate::report::FaultReport;

/// Whether an activation may start.
enum Start {
    Now,
    Later,
    Never,
}

impl Process {
    pub(crate) fn advance(&self, body: &mut Body, net: &Net) -> After {
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
        if body.stage == Stage::Announcing {
            return Self::finish_announcing(body);
        }
        if body.stage == Stage::Working {
            self.step(body, net)
        } else {
            self.flush(body, net)
        }
    }

    // ---- the end of a group ----

    /// Puts a packet without content to the automatic out-port of the re-armed subnet.
    pub(crate) fn announce(&self, body: &mut Body) {
        for element in self.form.outputs.len()..self.outputs().len() {
            body.turn.put(element, Packet::null(), false);
        }
    }

    /// The subnet goes on when the packet has left, or nobody wants it.
    fn finish_announcing(body: &mut Body) -> After {
        match body.turn.flush() {
            Ok(false) => return After::Idle,
            Err(_) => body.turn.drop_hand(),
            Ok(true) => {}
        }
        body.stage = Stage::RoundOver;
        After::RoundOver
    }

    // ---- activation ----

    fn start(&self, body: &mut Body, net: &Net) -> Start {
        if !body.passed_gate && !self.pass_gate(body, net) {
            return Start::Later;
        }
        if !self.receive_params(body, net) {
            return Start::Later;
        }
        if self.scope().is_some_and(|scope| net.is_closing(scope)) {
            return Start::Never;
        }
        if self.is_receiver || self.connected_inputs().next().is_none() {
            return self.start_without_input(body, net);
        }
        let looks: Vec<Pulled> = self
            .connected_inputs()
            .map(|element| body.turn.look(element))
            .collect();
        if looks.contains(&Pulled::Some) {
            self.scope().inspect(|scope| net.activate(*scope));
            return Start::Now;
        }
        if looks.contains(&Pulled::Empty) {
            return Start::Later;
        }
        if self
            .scope()
            .is_some_and(|scope| net.try_closing(scope, self.index))
        {
            return Start::Never;
        }
        if self.form.spec.must_run && body.opened == 0 || self.has_stack_to_work_off(body) {
            Start::Now
        } else {
            Start::Never
        }
    }

    /// Whether packets lie on its stack, and fewer than the last time it was activated because of that.
    fn has_stack_to_work_off(&self, body: &mut Body) -> bool {
        let stacked = body.turn.stacked();
        let is_less = self.form.spec.again && stacked > 0 && stacked < body.stacked_before;
        body.stacked_before = stacked;
        is_less
    }

    fn start_without_input(&self, body: &Body, net: &Net) -> Start {
        if self.scope().is_some_and(|scope| !net.is_active(scope)) {
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
        for gate in &self.special.gates {
            passed &= self.receive_one(net, *gate, drop) != Pulled::Empty;
        }
        body.passed_gate = passed;
        passed
    }

    fn receive_params(&self, body: &mut Body, net: &Net) -> bool {
        let mut complete = true;
        for (slot, source) in body.received_params.iter_mut().zip(&self.special.params) {
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
        let pulled = link.pull(&mut window, 1, Received::default());
        if let Some(packet) = window.pop_front() {
            link.release(Received::of(&packet));
            self.tally.add(Counts {
                received: 1,
                dropped: packet.weight() as u64,
                ..Counts::default()
            });
            keep(packet);
        }
        if pulled != Pulled::Empty {
            link.close_reader(Received::default(), true);
        }
        pulled
    }

    fn open(&self, body: &mut Body, net: &Net) -> Result<(), Fault> {
        let sources = self.special.params.iter().zip(&body.received_params);
        let values = sources.map(|(source, received)| match source {
            ParamSource::Initial(packet) => {
                self.tally.iip.fetch_add(1, Ordering::Relaxed);
                self.tally.dropped.fetch_add(1, Ordering::Relaxed);
                Some(packet.clone())
            }
            ParamSource::Nowhere | ParamSource::Link(_) => received.clone(),
        });
        let values = values.collect();
        let templates = self.special.templates.iter();
        templates.for_each(|template| template.rearm());
        body.turn.rearm_inputs();
        body.opened += 1;
        body.reads_before = self.received();
        self.tally.opened.fetch_add(1, Ordering::Relaxed);
        let (spec, layout) = (Arc::clone(&self.form.spec), Arc::clone(&self.form.layout));
        let params = Params::new(spec, values, layout, net.clock.shared());
        let params = params.at_desk(self.special.desk.as_deref().cloned());
        let opened = catch_unwind(AssertUnwindSafe(|| self.form.component.open(&params)));
        body.activity = Some(opened.unwrap_or_else(|panic| Err(panicked(&*panic)))?);
        body.stage = Stage::Working;
        body.turn.send_owed()
    }

    // ---- work ----

    fn step(&self, body: &mut Body, net: &Net) -> After {
        if body.activity.is_none() {
            return self.finish(body, net);
        }
        let before = body.uncommitted.take();
        let stepped = before.map_or_else(|| self.work(body), Ok);
        let committed = stepped.and_then(|step| match self.commit(&mut body.turn, step) {
            Ok(()) => {
                Self::served(body);
                Ok((step, true))
            }
            Err(fault) => self
                .wait_for_store(body, net, fault)
                .map(|()| (step, false)),
        });
        match committed {
            Ok((step, false)) => {
                body.uncommitted = Some(step);
                After::Idle
            }
            Ok((Step::More, true)) => After::Again,
            // What it waits for it has said before it waited for the store.
            Ok((Step::Wait, true)) if before.is_some() => After::Again,
            Ok((Step::Wait, true)) => After::Idle,
            Ok((Step::Done, true)) => {
                body.stage = Stage::Flushing;
                self.flush(body, net)
            }
            Err(fault) => self.fail(body, net, fault),
        }
    }

    /// Lets the component work.
    fn work(&self, body: &mut Body) -> Result<Step, Fault> {
        let Body {
            turn,
            activity: Some(activity),
            has_panicked,
            ..
        } = body
        else {
            return Ok(Step::Done);
        };
        let mut cx = Context::from_waker(&self.waker);
        if self.special.desk.is_some() {
            turn.skip_known()?;
        }
        let stepped = catch_unwind(AssertUnwindSafe(|| activity.step(turn, &mut cx)));
        stepped.unwrap_or_else(|panic| {
            if let Some(lent) = slot::reclaim() {
                *turn = lent;
            }
            let fault = panicked(&*panic);
            Err(match turn.take_kept() {
                Some((element, packet)) => fault.with(packet).at(element),
                None => {
                    *has_panicked = true;
                    fault
                }
            })
        })
    }

    fn flush(&self, body: &mut Body, net: &Net) -> After {
        if self.special.desk.is_some()
            && let Err(fault) = body.turn.commit()
        {
            return match self.wait_for_store(body, net, fault) {
                Ok(()) => After::Idle,
                Err(fault) => self.fail(body, net, fault),
            };
        }
        Self::served(body);
        match body.turn.flush() {
            Ok(false) => return After::Idle,
            Err(_) => body.turn.drop_hand(),
            Ok(true) => {}
        }
        if std::mem::take(&mut body.is_to_reopen) {
            return Self::reopen(body);
        }
        if self.form.spec.again && self.scope().is_none() {
            self.let_go(body, net);
            self.tally.add(body.turn.counts());
            if let Some(fault) = self.idled(body) {
                return self.fail(body, net, fault);
            }
            body.stage = Stage::Waiting;
            return After::Again;
        }
        if let Some(fault) = body.turn.take_undone() {
            return self.fail(body, net, fault);
        }
        self.finish(body, net)
    }

    /// An activation that received nothing while packets wait: the next would be the same, and so on
    /// for ever.
    fn idled(&self, body: &mut Body) -> Option<Fault> {
        if self.received() > body.reads_before {
            return None;
        }
        let mut elements = self.connected_inputs();
        let element = elements.find(|at| body.turn.look(*at) == Pulled::Some)?;
        let port = self.input_name(element).unwrap_or_default();
        let message = format!(
            "has returned without receiving anything while packets wait at {port}; it would be started again for ever"
        );
        Some(Fault::new(message).at(element))
    }

    /// Packets received from links.
    pub(crate) fn received(&self) -> u64 {
        let templates = self.special.templates.iter();
        let initial = templates.map(|template| template.received());
        let received = self.tally.received.load(Ordering::Relaxed);
        received.saturating_sub(initial.sum())
    }

    // ---- faults ----

    fn fail(&self, body: &mut Body, net: &Net, fault: Fault) -> After {
        if self.special.desk.is_none() {
            return self.blame(body, net, fault);
        }
        // What was complete before may be committed yet; if not, all of it is done again.
        let committed = body.turn.commit();
        body.turn.discard();
        if let Err(fault) = committed {
            tracing::warn!(process = %self.address, "{fault}; what was done is done again");
        }
        let after = self.blame(body, net, fault);
        if after == After::Again && body.stage == Stage::Working {
            body.turn.rest(true);
            Self::reopen_later(body);
        }
        after
    }

    /// Its tables may have rows that were not committed: they are read again, once all that was committed
    /// has left.
    const fn reopen_later(body: &mut Body) {
        body.is_to_reopen = true;
        body.stage = Stage::Flushing;
    }

    /// The next packet finds a new activation, and tables as they were committed.
    fn reopen(body: &mut Body) -> After {
        if let Some(mut ended) = body.activity.take() {
            ended.end(&mut body.turn);
        }
        body.stage = Stage::Waiting;
        body.opened = 0;
        After::Again
    }

    fn blame(&self, body: &mut Body, net: &Net, mut fault: Fault) -> After {
        if fault.is_quiet() {
            if !body.turn.is_sated() {
                body.settlement.get_or_insert_default().disposition = Disposition::Release;
            }
            return self.finish(body, net);
        }
        let goes_on = body.is_dormant();
        let mut packet = fault.take_packet();
        let report = self.report(&fault, packet.as_ref());
        if goes_on {
            packet = packet.map(|packet| body.turn.regain(packet));
        }
        let settlement = settlement(&fault, &report);
        match (packet, self.special.error) {
            (Some(packet), Some(error)) => self.divert(body, error, packet, &fault),
            (packet, _) => {
                return self.apply_policy(body, net, (report, fault, settlement), packet);
            }
        }
        if goes_on {
            return After::Again;
        }
        body.settlement = Some(Box::new(settlement));
        net.note(report);
        body.stage = Stage::Flushing;
        self.flush(body, net)
    }

    fn divert(&self, body: &mut Body, error: usize, packet: Packet, fault: &Fault) {
        let packet = packet.with_header(names::ERROR, fault.message());
        body.turn.divert(error, packet);
    }

    fn apply_policy(
        &self,
        body: &mut Body,
        net: &Net,
        (report, fault, settlement): (FaultReport, Fault, Settlement),
        packet: Option<Packet>,
    ) -> After {
        let goes_on = body.is_dormant();
        if !body.turn.is_retrying() {
            body.retries = 0;
        }
        match (self.policy, packet) {
            (Policy::Retry(times), Some(packet)) if goes_on && body.retries < times => {
                body.retries += 1;
                body.turn.retry(fault.element().unwrap_or_default(), packet);
                After::Again
            }
            (policy, Some(packet)) if goes_on && policy.sets_aside(&packet) => {
                self.set_aside(body, policy, settlement, packet);
                After::Again
            }
            (Policy::Park | Policy::Retry(_) | Policy::Reject | Policy::Invalid, Some(packet))
                if goes_on =>
            {
                body.turn.drop_packet(packet);
                self.tally.parked.fetch_add(1, Ordering::Relaxed);
                net.note(report);
                After::Again
            }
            (policy, packet) => {
                let mut is_from_store = body.turn.is_holding();
                if let Some(packet) = packet {
                    is_from_store |= !packet.tokens().is_empty();
                    packet.worsen(settlement.disposition, settlement.failure.as_ref());
                    body.turn.drop_packet(packet);
                }
                body.settlement = Some(Box::new(settlement));
                // Nobody gives it again better than before.
                let is_to_blame = fault.of_store().is_none();
                self.give_up(body, net, policy, report, is_from_store && is_to_blame)
            }
        }
    }

    /// The store that a packet came from is told that it failed, and gives it again or sets it aside.
    fn set_aside(&self, body: &mut Body, policy: Policy, settlement: Settlement, packet: Packet) {
        let Settlement {
            disposition,
            failure,
        } = settlement;
        let disposition = match policy {
            Policy::Park | Policy::Reject => Disposition::Reject,
            Policy::Invalid => Disposition::Invalid,
            _ => disposition,
        };
        packet.worsen(disposition, failure.as_ref());
        body.turn.drop_packet(packet);
        if let Some(failure) = failure {
            tracing::warn!(process = %self.address, ?disposition, "{}", failure.message);
        }
    }

    /// A fault that its packet does not settle: the process starts afresh, or ends, or takes the
    /// network with it.
    fn give_up(
        &self,
        body: &mut Body,
        net: &Net,
        policy: Policy,
        report: FaultReport,
        is_from_store: bool,
    ) -> After {
        match policy {
            // The store counts the tries.
            Policy::Usual if is_from_store => {
                tracing::warn!(process = %self.address, "{}; starts afresh", report.message);
                return self.start_afresh(body, net);
            }
            Policy::Restart(times) if body.restarts < times => {
                body.restarts += 1;
                net.note(report);
                return self.start_afresh(body, net);
            }
            Policy::StopProcess => net.note(report),
            _ => net.fail(report),
        }
        self.finish(body, net)
    }

    /// The next packet finds a new activation.
    fn start_afresh(&self, body: &mut Body, net: &Net) -> After {
        if self.special.desk.is_some() {
            let settled = body.settlement.take().unwrap_or_default();
            let turn = &mut body.turn;
            turn.let_go_of_deliveries(settled.disposition, settled.failure.as_ref());
            Self::reopen_later(body);
            return After::Again;
        }
        self.let_go(body, net);
        body.stage = Stage::Waiting;
        body.opened = 0;
        After::Again
    }

    pub(crate) fn report(&self, fault: &Fault, packet: Option<&Packet>) -> FaultReport {
        let port = fault.element().and_then(|element| self.input_name(element));
        FaultReport {
            address: self.address.to_string(),
            component: self.form.spec.name.clone(),
            port: port.map(str::to_owned),
            message: fault.message().to_owned(),
            packet: packet.map(ToString::to_string),
            origin: self.origin(),
        }
    }

    // ---- the end ----

    /// Ends the activation: lets go of what the component holds, and reports what it leaked. Whether it
    /// ended well.
    fn let_go(&self, body: &mut Body, net: &Net) -> bool {
        if net.is_cancelled(self) {
            body.settlement.get_or_insert_default().disposition = Disposition::Release;
        }
        let Body {
            turn,
            activity,
            has_panicked,
            settlement,
            ..
        } = body;
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
        let settled = settlement.take().unwrap_or_default();
        turn.let_go_of_deliveries(settled.disposition, settled.failure.as_ref());
        let owned = turn.owned();
        if owned != 0 {
            if !*has_panicked {
                net.leak(self, owned, false);
            }
            turn.forgive();
        }
        *has_panicked = false;
        settled.disposition == Disposition::Done
    }

    pub(crate) fn finish(&self, body: &mut Body, net: &Net) -> After {
        let is_sated = self.let_go(body, net);
        if self.scope().is_some() && !net.is_cancelled(self) {
            self.close_inner(body, net, is_sated);
            body.stage = Stage::RoundOver;
            return After::RoundOver;
        }
        self.terminate(body, net);
        After::Ended
    }

    /// Closes everything, for good.
    pub(crate) fn terminate(&self, body: &mut Body, net: &Net) {
        self.let_go(body, net);
        let stacked = body.turn.drop_stack();
        if stacked > 0 && !net.is_cancelled(self) {
            net.leak(self, i64::try_from(stacked).unwrap_or(i64::MAX), true);
        }
        // Whoever waits for the end of this process finds everything that it has sent.
        body.turn.publish();
        self.special.signals.iter().for_each(Outlet::close);
        body.turn.close();
        self.close_single_reads(net);
        self.tally.add(body.turn.counts());
        body.stage = Stage::Ended;
        self.life.set(Life::Terminated);
        net.terminated(self);
    }

    fn close_single_reads(&self, net: &Net) {
        self.single_reads().for_each(|link| {
            net.links[link].close_reader(Received::default(), false);
        });
    }

    /// Links that are read only once: automatic in-ports and parameters.
    pub(crate) fn single_reads(&self) -> impl Iterator<Item = usize> + '_ {
        let params = self.special.params.iter();
        let params = params.filter_map(|source| match source {
            ParamSource::Link(link) => Some(*link),
            _ => None,
        });
        self.special.gates.iter().copied().chain(params)
    }

    /// Every link that it reads.
    pub(crate) fn links_in(&self) -> impl Iterator<Item = usize> + '_ {
        let inputs = self.inputs().iter().filter_map(Socket::link);
        inputs.chain(self.single_reads())
    }

    /// Ready for the next life of its subnet, as a part of a life of `scope`. A parameter that came by
    /// a link in there comes anew.
    pub(crate) fn rearm(&self, net: &Net, scope: usize) {
        let mut body = self.body.lock();
        for (slot, source) in body.received_params.iter_mut().zip(&self.special.params) {
            if let ParamSource::Link(link) = source
                && net.links[*link]
                    .home()
                    .is_some_and(|home| net.is_within(home, scope))
            {
                *slot = None;
            }
        }
        body.rearm();
        body.waits.clear();
        self.life.set(self.waiting_life(&body));
    }

    /// Closes the links within its re-armed subnet; those across its border stay open.
    fn close_inner(&self, body: &mut Body, net: &Net, is_sated: bool) {
        body.turn.publish();
        for writer in &self.special.signals {
            if self.is_inner(&writer.link) {
                writer.close();
            }
        }
        let inner = |socket: &Socket| {
            socket
                .link()
                .is_some_and(|link| self.is_inner(&net.links[link]))
        };
        let (inputs, outputs) = (self.inputs(), self.outputs());
        for element in (0..outputs.len()).filter(|at| inner(&outputs[*at])) {
            body.turn.end_output(element);
        }
        for element in (0..inputs.len()).filter(|at| inner(&inputs[*at])) {
            body.turn.end_input(element, is_sated);
        }
        self.single_reads()
            .filter(|link| self.is_inner(&net.links[*link]))
            .for_each(|link| {
                net.links[link].close_reader(Received::default(), is_sated);
            });
    }

    /// Whether both ends of the link lie in this process's re-armed subnet.
    fn is_inner(&self, link: &Link) -> bool {
        self.scope().is_some() && link.home() == self.scope()
    }

    /// Tells its turn which links outlive its lives.
    pub(crate) fn mark_border(&self, net: &Net) {
        let crosses = |socket: &Socket| {
            let link = socket.link().map(|link| &net.links[link]);
            link.is_some_and(|link| self.scope().is_some() && !self.is_inner(link))
        };
        let (inputs, outputs) = (self.inputs(), self.outputs());
        let inputs = (0..inputs.len()).filter(|at| crosses(&inputs[*at]));
        let outputs = (0..outputs.len()).filter(|at| crosses(&outputs[*at]));
        self.body.lock().turn.set_border(inputs, outputs);
    }

    /// Whether something could still come from outside its subnet, whatever the process itself has
    /// closed in this life.
    pub(crate) fn has_outer_input(&self, body: &mut Body, net: &Net) -> bool {
        body.turn.rearm_inputs();
        self.outer_inputs(net)
            .any(|element| body.turn.look(element) != Pulled::End)
    }

    pub(crate) fn outer_inputs<'a>(&'a self, net: &'a Net) -> impl Iterator<Item = usize> + 'a {
        self.inputs()
            .iter()
            .enumerate()
            .filter_map(|(element, socket)| {
                (!self.is_inner(&net.links[socket.link()?])).then_some(element)
            })
    }
}

/// What a store is told of the packets that led to a fault.
fn settlement(fault: &Fault, report: &FaultReport) -> Settlement {
    Settlement {
        disposition: fault.disposition(),
        failure: Some(Failure {
            message: report.message.clone(),
            process: report.address.clone(),
            component: report.component.clone(),
            port: report.port.clone(),
        }),
    }
}

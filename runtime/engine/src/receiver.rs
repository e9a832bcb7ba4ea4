//! The process that reads from a connector.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Waker};

use paperflow_core::connector::{
    Connector, Consumer, Delivery, Disposition, Failure, Found, Outlook, StoreFault,
    StoreFaultKind, Subscription,
};
use paperflow_core::headers::names;
use paperflow_core::message::{Message, Unreadable};
use paperflow_core::settle::{Token, Tokens, Trail};
use paperflow_core::{
    Activity, Component, Fault, Give, Packet, Params, PortSpec, Spec, Step, Take, Timer, Turn,
    failpoint,
};
use parking_lot::Mutex;

use crate::connect::BELL;
use crate::part::{Shore, Unsettled};
use crate::patience::{Patience, Refused};

/// Most deliveries that are asked for at a time, when the link to the reader takes no more.
const MOST: usize = 256;
/// Most deliveries that are asked for at a time when it does: as many as are sent at a time, so that a
/// transaction of the store does as much for those who receive as for those who send.
const MOST_FOR_MORE: usize = 1_024;

/// Makes the process that reads a connector for one in-port.
///
/// It ends when nobody sends any more, here or in other parts, and nothing is ready, leased, resting or
/// unsettled; or when nothing moves any more and others can only settle what they hold once they see the
/// end.
pub(crate) struct Receiver {
    spec: Spec,
    station: Arc<Station>,
    patience: Patience,
    /// Most deliveries that are asked for at a time.
    most: usize,
}

/// What the network knows of a receiver.
pub(crate) struct Station {
    name: String,
    group: String,
    connector: Arc<dyn Connector>,
    /// Others read the same queue: nothing is taken before its process has nothing else to do.
    competes: bool,
    /// Nothing more will be settled before it ends.
    is_last_call: AtomicBool,
    /// Its reader has left.
    is_forsaken: AtomicBool,
    /// What the connector has to do with other parts, with its name among all of the graph.
    shore: Option<(String, Arc<Shore>)>,
    pub(crate) unsettled: Unsettled,
    subscription: Mutex<Subscribed>,
}

/// What a store said to who subscribed.
type Subscribed = Option<Result<Arc<dyn Subscription>, StoreFault>>;

impl Station {
    /// Subscribes, before anything runs: so a channel has all its subscribers, and a group all its
    /// consumers, before the first message. A refusal is the receiver's fault, once it runs.
    pub(crate) fn subscribe(&self, waker: &Waker) {
        let subscribed = self.connector.subscribe(Consumer {
            name: self.name.clone(),
            group: self.group.clone(),
            waker: waker.clone(),
        });
        *self.subscription.lock() = Some(subscribed);
    }

    fn subscription(&self) -> Option<Arc<dyn Subscription>> {
        let subscription = self.subscription.lock();
        subscription.as_ref()?.as_ref().ok().map(Arc::clone)
    }

    pub(crate) fn has_subscribed(&self) -> bool {
        self.subscription().is_some()
    }

    /// The name of its connector among all of the graph, if other parts use it as well.
    pub(crate) fn key(&self) -> Option<&str> {
        self.shore.as_ref().map(|(key, _)| key.as_str())
    }

    /// Something may come from another part, or others are at it.
    pub(crate) fn is_open_elsewhere(&self) -> bool {
        self.shore.as_ref().is_some_and(|(_, shore)| {
            !shore.is_over() || self.unsettled.elsewhere.load(Ordering::Acquire) > 0
        })
    }

    /// Whether nobody elsewhere sends any more.
    pub(crate) fn is_over_elsewhere(&self) -> bool {
        self.shore.as_ref().is_none_or(|(_, shore)| shore.is_over())
    }

    pub(crate) fn call_for_the_last_time(&self) {
        self.is_last_call.store(true, Ordering::Release);
    }

    /// Whether its reader has left, so that it receives no more.
    pub(crate) fn is_forsaken(&self) -> bool {
        self.is_forsaken.load(Ordering::Acquire)
    }

    /// Gives back what is not settled: a run is cut short.
    pub(crate) fn close(&self) {
        if let Some(subscription) = self.subscription() {
            subscription.close();
        }
    }

    /// Waits until everything settled is safe.
    pub(crate) fn flush(&self) -> Result<(), StoreFault> {
        self.subscription()
            .map_or(Ok(()), |subscription| subscription.flush())
    }
}

impl Receiver {
    pub(crate) fn new(
        name: &str,
        group: &str,
        connector: Arc<dyn Connector>,
        competes: bool,
        (shore, patience, capacity): (Option<(String, Arc<Shore>)>, &Patience, usize),
    ) -> Self {
        let spec = Spec::new(name, "Reads packets from a connector.")
            .input(PortSpec::new(
                BELL,
                "Ends when nothing is sent any more.",
                Vec::new(),
            ))
            .output(PortSpec::new("OUT", "What was sent.", Vec::new()));
        let station = Arc::new(Station {
            name: name.to_owned(),
            group: group.to_owned(),
            connector,
            competes,
            is_last_call: AtomicBool::new(false),
            is_forsaken: AtomicBool::new(false),
            shore,
            unsettled: Unsettled::default(),
            subscription: Mutex::default(),
        });
        Self {
            spec,
            station,
            patience: patience.clone(),
            most: if competes {
                1
            } else {
                capacity.clamp(MOST, MOST_FOR_MORE)
            },
        }
    }

    pub(crate) fn station(&self) -> Arc<Station> {
        Arc::clone(&self.station)
    }
}

impl Component for Receiver {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn open(&self, params: &Params) -> Result<Box<dyn Activity>, Fault> {
        Ok(Box::new(Receiving {
            station: Arc::clone(&self.station),
            most: self.most,
            subscription: None,
            refused: Refused::new(&self.spec.name, &self.patience, params.timer()),
            timer: params.timer(),
            alarm: None,
            deliveries: Vec::new(),
            leaving: VecDeque::new(),
        }))
    }
}

struct Receiving {
    station: Arc<Station>,
    most: usize,
    subscription: Option<Arc<dyn Subscription>>,
    refused: Refused,
    timer: Timer,
    alarm: Option<u64>,
    deliveries: Vec<Delivery>,
    /// Packets that have not left.
    leaving: VecDeque<Packet>,
}

impl Activity for Receiving {
    fn step(&mut self, turn: &mut Turn, cx: &mut Context<'_>) -> Result<Step, Fault> {
        if let Some(alarm) = self.alarm.take() {
            self.timer.cancel(alarm);
        }
        self.refused.wake();
        let subscription = match self.subscription(cx) {
            Ok(subscription) => subscription,
            Err(fault) => return self.refused.rest(fault, turn, cx),
        };
        loop {
            while let Some(packet) = self.leaving.pop_front() {
                match turn.give_new(0, packet) {
                    Give::Sent => {}
                    Give::Full(packet) => {
                        self.leaving.push_front(packet);
                        return Ok(Step::Wait);
                    }
                    Give::Closed(packet) => {
                        self.leaving.push_front(packet);
                        return Ok(self.leave());
                    }
                }
            }
            if turn.is_spent() {
                return Ok(Step::More);
            }
            if self.station.is_last_call.load(Ordering::Acquire) {
                return Ok(Step::Done);
            }
            if self.station.competes && !turn.is_awaited(0) {
                return Ok(Step::Wait);
            }
            // What was sent before the end is there when the store is asked after it, here and elsewhere.
            let is_over_here = matches!(turn.take(0), Take::End);
            let is_over_elsewhere = self.station.is_over_elsewhere();
            failpoint!("before_receive");
            match subscription.receive(self.most, &mut self.deliveries) {
                Ok(Found::Some) => {
                    failpoint!("after_receive");
                    self.refused.served();
                    self.station.unsettled.delivered(self.deliveries.len());
                    self.unpack(&subscription);
                }
                // Its reader has left: nobody is told of the next message.
                Ok(Found::Empty(_)) if turn.is_deserted(0) => return Ok(self.leave()),
                Ok(Found::Empty(outlook)) => {
                    self.refused.served();
                    let is_over = (is_over_here, is_over_elsewhere);
                    return Ok(self.wait(turn, cx, outlook, is_over));
                }
                Err(fault) => return self.refused.rest(fault, turn, cx),
            }
        }
    }

    fn end(&mut self, _: &mut Turn) {
        self.refused.wake();
        for packet in self.leaving.drain(..) {
            packet.release();
        }
        if let Some(subscription) = &self.subscription {
            subscription.stop();
        }
        if let Some(alarm) = self.alarm.take() {
            self.timer.cancel(alarm);
        }
    }
}

impl Receiving {
    fn subscription(&mut self, cx: &Context<'_>) -> Result<Arc<dyn Subscription>, StoreFault> {
        if let Some(subscription) = &self.subscription {
            return Ok(Arc::clone(subscription));
        }
        let is_refused = |subscribed: &Subscribed| {
            let fault = subscribed
                .as_ref()
                .map(|subscribed| subscribed.as_ref().err());
            fault.is_none_or(|fault| fault.is_some())
        };
        if is_refused(&self.station.subscription.lock()) {
            self.station.subscribe(cx.waker());
        }
        let subscribed = self.station.subscription.lock().clone();
        let gone = || StoreFault::new(StoreFaultKind::Unavailable, "nobody has subscribed");
        let subscription = subscribed.ok_or_else(gone)??;
        self.subscription = Some(Arc::clone(&subscription));
        Ok(subscription)
    }

    /// Its reader has left, and other parts are told so.
    fn leave(&self) -> Step {
        self.station.is_forsaken.store(true, Ordering::Release);
        Step::Done
    }

    /// There is nothing to receive now: what it waits for, or that there is nothing to wait for.
    fn wait(
        &mut self,
        turn: &mut Turn,
        cx: &Context<'_>,
        outlook: Outlook,
        (is_over_here, is_over_elsewhere): (bool, bool),
    ) -> Step {
        self.station.unsettled.found(outlook);
        if let Some(due) = outlook.due {
            self.alarm = Some(self.timer.wake_at(due, cx.waker().clone()));
            turn.wait_outside();
        } else if outlook.is_moving {
            turn.wait_outside();
        } else if outlook.unsettled + outlook.elsewhere > 0 || !is_over_elsewhere {
            turn.wait_for_settlement();
        } else if is_over_here {
            return Step::Done;
        }
        Step::Wait
    }

    fn unpack(&mut self, subscription: &Arc<dyn Subscription>) {
        for delivery in std::mem::take(&mut self.deliveries) {
            let Delivery { ticket, recall, .. } = delivery;
            let token = Token::with_recall(Arc::clone(subscription), ticket, recall);
            let tokens = Tokens::from(token);
            match packets(delivery.message, delivery.attempt, &tokens) {
                Ok(packets) => self.leaving.extend(packets),
                Err(unreadable) => {
                    let failure = Failure {
                        message: unreadable.to_string(),
                        process: self.station.name.clone(),
                        ..Failure::default()
                    };
                    tokens.worsen(Disposition::Invalid, Some(&failure));
                }
            }
        }
    }
}

/// The packets of a message, each of which follows from its delivery.
fn packets(message: Message, attempt: u32, tokens: &Tokens) -> Result<Vec<Packet>, Unreadable> {
    let Message { id, headers, parts } = message;
    let mut headers = Some(headers);
    let mut packets = Vec::with_capacity(parts.len());
    for (at, part) in (0..).zip(parts) {
        let packet = part.packet()?;
        let trail = Trail {
            id: Some(if at == 0 { id } else { id.derive(id, at) }),
            tokens: tokens.clone(),
        };
        packets.push(match headers.take() {
            Some(mut headers) => {
                headers.set(names::ATTEMPT, attempt.to_string());
                packet.with_headers(headers.with_trail(trail))
            }
            None => packet.with_trail(trail),
        });
    }
    Ok(packets)
}

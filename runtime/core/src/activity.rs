//! The two shapes of a component function, lowered to the contract.

use std::future::Future;
use std::marker::PhantomData;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::vec;

use crate::component::{Activity, Step};
use crate::fault::Fault;
use crate::packet::Packet;
use crate::port::{In, OutPorts};
use crate::receive::wrong_kind;
use crate::slot;
use crate::turn::{Batch, Take, Turn};
use crate::value::Value;

/// An activity that calls a function once for each packet of one in-port.
///
/// Brackets pass to every connected out-port, in place. `FALLIBLE`: the packet is kept until the call
/// is over, to go to the ERROR port or to the policy.
pub fn plain<const FALLIBLE: bool, T: Value, P: OutPorts>(
    input: &In<T>,
    ports: P,
    call: impl FnMut(T, &mut P) -> Result<(), Fault> + Send + 'static,
) -> Box<dyn Activity> {
    Box::new(Plain::<FALLIBLE, T, P, _> {
        element: input.element(),
        ports,
        call,
        batch: Vec::new().into_iter(),
        lent: 0,
        dropped: 0,
        value: PhantomData,
    })
}

/// Handles a batch of packets at a time: what is received and put meanwhile is known to the turn only
/// when the batch is settled.
struct Plain<const FALLIBLE: bool, T, P, F> {
    element: usize,
    ports: P,
    call: F,
    /// The packets that are to be handled. They count in their link.
    batch: vec::IntoIter<Packet>,
    /// How many there were before calls that the turn does not know of: the rest was received.
    lent: usize,
    /// How many packets have ended in those calls.
    dropped: usize,
    value: PhantomData<fn(T)>,
}

impl<const FALLIBLE: bool, T: Value, P: OutPorts, F: FnMut(T, &mut P) -> Result<(), Fault> + Send>
    Activity for Plain<FALLIBLE, T, P, F>
{
    fn step(&mut self, turn: &mut Turn, _: &mut Context<'_>) -> Result<Step, Fault> {
        if self.lent > 0 {
            // A call that panicked has left its batch behind.
            self.settle(turn);
        }
        loop {
            match turn.lend_batch(self.element, &mut self.batch)? {
                Batch::One(packet) => {
                    if self.handle_one(turn, packet)? {
                        return Ok(Step::Wait);
                    }
                    continue;
                }
                Batch::Lent => match next_if(&mut self.batch, Packet::is_special) {
                    Some(packet) => {
                        turn.admit(self.element, &packet);
                        self.receive(turn, packet)?;
                    }
                    None => self.handle_batch(turn)?,
                },
                Batch::Single => match turn.take_quietly(self.element) {
                    Take::Packet(packet) => self.receive(turn, packet)?,
                    Take::Empty => return Ok(Step::Wait),
                    Take::End => return Ok(Step::Done),
                },
                Batch::Empty => return Ok(Step::Wait),
                Batch::Spent => return Ok(Step::More),
                Batch::End => return Ok(Step::Done),
            }
            if self.batch.as_slice().is_empty() && turn.rests(self.element) {
                return Ok(Step::Wait);
            }
        }
    }

    fn end(&mut self, turn: &mut Turn) {
        self.settle(turn);
        turn.return_batch(self.element, &mut self.batch);
    }

    fn is_dormant_when_waiting(&self) -> bool {
        true
    }
}

/// A call that went wrong.
struct Failure {
    fault: Fault,
    /// Its packet, if that was kept.
    kept: Option<Packet>,
    /// The process still owns the packet.
    is_here: bool,
}

impl<const FALLIBLE: bool, T: Value, P: OutPorts, F: FnMut(T, &mut P) -> Result<(), Fault>>
    Plain<FALLIBLE, T, P, F>
{
    /// Calls the function for packets that have no brackets and no headers among them, until one is
    /// special, one fails, or something that was put did not fit.
    #[inline(never)]
    fn handle_batch(&mut self, turn: &mut Turn) -> Result<(), Fault> {
        self.lent = self.batch.len();
        let rest = self.lent.saturating_sub(turn.begin_batch());
        // Most functions put at most as much as they get; who puts more asks for more.
        self.ports.lend(turn, self.lent);
        let result = slot::lend(turn, || {
            slot::set_direct(true);
            while self.batch.len() > rest
                && slot::is_direct()
                && let Some(packet) = next_if(&mut self.batch, |packet| !packet.is_special())
            {
                if self.call(packet)? {
                    self.dropped += 1;
                }
            }
            Ok(())
        });
        self.settle(turn);
        result.map_err(|failure: Box<Failure>| self.blame(turn, *failure))
    }

    /// Does the same for a batch of one. Whether it was all there was.
    fn handle_one(&mut self, turn: &mut Turn, packet: Packet) -> Result<bool, Fault> {
        self.lent = 1;
        self.ports.lend(turn, 1);
        let result = slot::lend(turn, || {
            slot::set_direct(true);
            self.call_once(packet)
        });
        self.ports.settle(turn);
        self.lent = 0;
        match result {
            Ok(is_here) => Ok(turn.settle_one(self.element, is_here)),
            Err(failure) => {
                turn.settle(self.element, 1, 0);
                Err(self.blame(turn, *failure))
            }
        }
    }

    /// A packet that the turn knows of.
    fn receive(&mut self, turn: &mut Turn, packet: Packet) -> Result<(), Fault> {
        if packet.is_bracket() {
            turn.pass_bracket(packet);
            return Ok(());
        }
        self.handle(turn, packet)
    }

    /// Handles one packet, with the turn at hand for every put.
    fn handle(&mut self, turn: &mut Turn, packet: Packet) -> Result<(), Fault> {
        turn.begin_call(&packet);
        let weight = packet.weight();
        let is_kept = turn.keep(self.element, &packet, T::RAW);
        let packet = if T::RAW {
            packet
        } else {
            packet.without_trail()
        };
        let result = slot::lend(turn, || self.call_once(packet));
        if is_kept {
            turn.let_go();
        }
        self.settle(turn);
        match result {
            Ok(is_here) => {
                if is_here {
                    turn.dropped_all(weight);
                }
                turn.end_call();
            }
            Err(failure) => {
                // What was kept is a clone, which goes without what the packet owned.
                if failure.is_here {
                    turn.dropped_all(weight - failure.kept.as_ref().map_or(1, Packet::weight));
                }
                return Err(self.blame(turn, *failure));
            }
        }
        Ok(())
    }

    /// As `call`, for places where a call costs little beside the rest.
    #[inline(never)]
    fn call_once(&mut self, packet: Packet) -> Result<bool, Box<Failure>> {
        self.call(packet)
    }

    /// Calls the function. True: the packet has not left, so it ends here.
    #[inline(always)]
    fn call(&mut self, packet: Packet) -> Result<bool, Box<Failure>> {
        let kept = FALLIBLE.then(|| packet.clone());
        let value = match T::from_packet(packet) {
            Ok(value) => value,
            Err(packet) => return Err(mistaken::<T>(packet)),
        };
        if T::RAW {
            slot::begin_forward();
        }
        let result = (self.call)(value, &mut self.ports);
        let is_here = !T::RAW || slot::take_forward();
        match result {
            Ok(()) => Ok(is_here),
            Err(fault) => Err(Box::new(Failure {
                fault,
                kept,
                is_here,
            })),
        }
    }

    /// The turn takes back the room, and learns what was received and dropped.
    fn settle(&mut self, turn: &mut Turn) {
        self.ports.settle(turn);
        let lent = mem::take(&mut self.lent);
        if lent > self.batch.len() {
            let dropped = mem::take(&mut self.dropped);
            turn.settle(self.element, lent - self.batch.len(), dropped);
        }
    }

    /// The fault with the packet that caused it, which the process owns (again).
    fn blame(&self, turn: &mut Turn, failure: Failure) -> Fault {
        let Failure {
            fault,
            kept,
            is_here,
        } = failure;
        if !is_here {
            turn.owns_again();
        }
        match kept {
            Some(packet) => fault.with(packet).at(self.element),
            None => {
                turn.dropped();
                fault.at(self.element)
            }
        }
    }
}

/// The next packet, if it is so. It is looked at where it lies: what is looked at on its way is copied in
/// pieces.
#[inline(always)]
fn next_if(
    batch: &mut vec::IntoIter<Packet>,
    is_so: impl FnOnce(&Packet) -> bool,
) -> Option<Packet> {
    if is_so(batch.as_slice().first()?) {
        batch.next()
    } else {
        None
    }
}

#[cold]
fn mistaken<T: Value>(packet: Packet) -> Box<Failure> {
    let mut fault = wrong_kind::<T>(packet);
    let kept = fault.take_packet();
    Box::new(Failure {
        fault,
        kept,
        is_here: true,
    })
}

/// An activity that runs an async function from its start to its end.
pub fn looper(body: impl Future<Output = Result<(), Fault>> + Send + 'static) -> Box<dyn Activity> {
    Box::new(Looper {
        body: Some(Box::pin(body)),
    })
}

/// A component function on its way.
type Running = Pin<Box<dyn Future<Output = Result<(), Fault>> + Send>>;

struct Looper {
    body: Option<Running>,
}

impl Activity for Looper {
    fn step(&mut self, turn: &mut Turn, cx: &mut Context<'_>) -> Result<Step, Fault> {
        let Some(body) = &mut self.body else {
            return Ok(Step::Done);
        };
        if !turn.empty_hand()? {
            return Ok(Step::Wait);
        }
        turn.allow_ways();
        let polled = slot::lend(turn, || body.as_mut().poll(cx));
        if let Some(fault) = turn.take_fault() {
            self.end(turn);
            return Err(fault);
        }
        match polled {
            Poll::Pending => Ok(Step::Wait),
            Poll::Ready(result) => {
                self.end(turn);
                result.map(|()| Step::Done)
            }
        }
    }

    fn end(&mut self, turn: &mut Turn) {
        slot::lend(turn, || self.body = None);
    }
}

/// What an async component function may return: nothing, or a result.
pub trait Outcome {
    /// As a result.
    ///
    /// # Errors
    /// What the function answered.
    fn outcome(self) -> Result<(), Fault>;
}

impl Outcome for () {
    fn outcome(self) -> Result<(), Fault> {
        Ok(())
    }
}

impl<E: Into<Fault>> Outcome for Result<(), E> {
    fn outcome(self) -> Result<(), Fault> {
        self.map_err(Into::into)
    }
}

//! The two shapes of a component function, lowered to the contract.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::component::{Activity, Step};
use crate::fault::Fault;
use crate::packet::Packet;
use crate::port::In;
use crate::receive::wrong_kind;
use crate::slot;
use crate::turn::{Take, Turn};
use crate::value::Value;

/// An activity that calls a function once for each packet of one in-port.
///
/// Brackets pass to every connected out-port, in place. `fallible`: the packet is kept until the call
/// is over, to go to the ERROR port or to the policy.
pub fn plain<T: Value>(
    input: &In<T>,
    fallible: bool,
    call: impl FnMut(T) -> Result<(), Fault> + Send + 'static,
) -> Box<dyn Activity> {
    Box::new(Plain {
        element: input.element(),
        fallible,
        call,
        value: std::marker::PhantomData::<fn(T)>,
    })
}

struct Plain<T, F> {
    element: usize,
    fallible: bool,
    call: F,
    value: std::marker::PhantomData<fn(T)>,
}

impl<T: Value, F: FnMut(T) -> Result<(), Fault> + Send> Activity for Plain<T, F> {
    fn step(&mut self, turn: &mut Turn, _: &mut Context<'_>) -> Result<Step, Fault> {
        loop {
            if !turn.empty_hand()? {
                return Ok(Step::Wait);
            }
            if turn.is_spent() {
                return Ok(Step::More);
            }
            match turn.take(self.element) {
                Take::Packet(packet) if packet.is_bracket() => turn.pass_bracket(packet),
                Take::Packet(packet) => self.handle(turn, packet)?,
                Take::Empty => return Ok(Step::Wait),
                Take::End => return Ok(Step::Done),
            }
        }
    }

    fn is_dormant_when_waiting(&self) -> bool {
        true
    }
}

impl<T: Value, F: FnMut(T) -> Result<(), Fault>> Plain<T, F> {
    fn handle(&mut self, turn: &mut Turn, packet: Packet) -> Result<(), Fault> {
        let kept = self.fallible.then(|| packet.clone());
        let is_kept = turn.keep(self.element, &packet, T::RAW);
        let value =
            T::from_packet(packet).map_err(|packet| wrong_kind::<T>(packet).at(self.element))?;
        if T::RAW {
            turn.begin_forward();
        }
        let result = slot::lend(turn, || (self.call)(value));
        if is_kept {
            turn.let_go();
        }
        let is_here = !T::RAW || turn.take_forward();
        match result {
            Ok(()) if is_here => turn.dropped(),
            Ok(()) => {}
            Err(fault) => return Err(self.blame(turn, fault, kept, is_here)),
        }
        Ok(())
    }

    /// The fault with the packet that caused it, which the process owns (again).
    fn blame(&self, turn: &mut Turn, fault: Fault, kept: Option<Packet>, is_here: bool) -> Fault {
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

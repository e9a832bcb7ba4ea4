//! Ports as a component sees them.

use std::future::{Future, poll_fn};
use std::marker::PhantomData;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use crate::component::Elements;
use crate::fault::Closed;
use crate::got::Got;
use crate::packet::Packet;
use crate::receive::Receive;
use crate::slot;
use crate::turn::{Give, Lane, Turn};
use crate::value::IntoPort;

/// A parameter: read once, before work starts.
#[derive(Clone, Debug)]
pub struct Param<T>(T);

impl<T> Param<T> {
    /// Made by the activation.
    #[must_use]
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> Deref for Param<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// An in-port.
pub struct In<T: Receive> {
    element: usize,
    state: T::State,
}

impl<T: Receive> In<T> {
    pub(crate) fn new(element: usize) -> Self {
        Self {
            element,
            state: T::State::default(),
        }
    }

    /// Which element of the turn it is.
    pub(crate) const fn element(&self) -> usize {
        self.element
    }

    /// The next item; `None` once every writer has left and everything has been received.
    ///
    /// Nothing is lost when the future is dropped before it is ready.
    #[inline]
    pub fn next(&self) -> impl Future<Output = Option<Got<T>>> + Send + '_ {
        Next(self)
    }

    /// Leaves: the sender learns it with its next packet.
    pub fn close(&self) {
        slot::with(|turn| turn.close_input(self.element));
    }

    /// Whether nothing will come any more.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        slot::with(|turn| turn.is_ended(self.element))
    }
}

/// The next item of an in-port.
struct Next<'a, T: Receive>(&'a In<T>);

impl<T: Receive> Future for Next<'_, T> {
    type Output = Option<Got<T>>;

    #[inline(always)]
    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        let port = self.0;
        slot::with(|turn| T::poll(turn, port.element, &port.state))
    }
}

/// An array in-port.
pub struct Ins<T: Receive> {
    ports: Vec<In<T>>,
    numbers: Arc<[u32]>,
}

impl<T: Receive> Ins<T> {
    pub(crate) fn new(elements: Elements) -> Self {
        let ports = (0..elements.numbers.len())
            .map(|at| In::new(elements.first + at))
            .collect();
        Self {
            ports,
            numbers: elements.numbers,
        }
    }

    /// The elements, in the order of their numbers.
    pub fn iter(&self) -> impl Iterator<Item = &In<T>> {
        self.ports.iter()
    }

    /// The number `PORT[i]` of each element.
    #[must_use]
    pub fn numbers(&self) -> &[u32] {
        &self.numbers
    }

    /// How many elements are connected.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.ports.len()
    }

    /// Whether none is connected.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.ports.is_empty()
    }

    /// The next item from whichever element has one, with the element's position; the search starts
    /// behind the element `after`, so that none is starved. `None` once all have ended.
    pub fn next_after(
        &self,
        after: usize,
    ) -> impl Future<Output = Option<(usize, Got<T>)>> + Send + '_ {
        let count = self.ports.len();
        poll_fn(move |_| {
            let mut ended = 0;
            for at in (1..=count).map(|step| (after + step) % count) {
                let port = &self.ports[at];
                match slot::with(|turn| T::poll(turn, port.element, &port.state)) {
                    Poll::Ready(Some(got)) => return Poll::Ready(Some((at, got))),
                    Poll::Ready(None) => ended += 1,
                    Poll::Pending => {}
                }
            }
            if ended == count {
                Poll::Ready(None)
            } else {
                Poll::Pending
            }
        })
    }
}

impl<T: Receive> std::ops::Index<usize> for Ins<T> {
    type Output = In<T>;

    fn index(&self, at: usize) -> &In<T> {
        &self.ports[at]
    }
}

/// An out-port.
pub struct Out<T> {
    element: usize,
    /// Locked only where the port is shared; a put has the port to itself.
    lane: Mutex<Lane>,
    carries: PhantomData<fn(T)>,
}

/// What becomes of a packet that a component tries to send.
#[derive(Debug)]
pub enum TrySend {
    /// The link is full; the packet is back.
    Full(Packet),
    /// The receiver has left; the packet is back.
    Closed(Packet),
}

impl<T> Out<T> {
    pub(crate) fn new(element: usize) -> Self {
        Self {
            element,
            lane: Mutex::default(),
            carries: PhantomData,
        }
    }

    /// Uses the turn, after it has taken back what was put.
    fn with_turn<R>(&self, work: impl FnOnce(&mut Turn) -> R) -> R {
        let mut lane = self.lane.lock().unwrap_or_else(PoisonError::into_inner);
        slot::with(|turn| {
            turn.absorb(self.element, &mut lane);
            work(turn)
        })
    }

    /// The turn takes back what was put, and the room.
    #[inline]
    pub(crate) fn settle(&mut self, turn: &mut Turn) {
        let lane = self.lane.get_mut().unwrap_or_else(PoisonError::into_inner);
        turn.absorb(self.element, lane);
    }

    /// The turn lends room for up to `most` packets, if it has it at hand.
    #[inline]
    pub(crate) fn lend(&mut self, turn: &mut Turn, most: usize) {
        let lane = self.lane.get_mut().unwrap_or_else(PoisonError::into_inner);
        turn.lend_own_room(self.element, lane, most);
    }

    /// Sends a value, or a received packet as itself, and waits while the link is full.
    ///
    /// # Errors
    /// The packet, when the receiver has left.
    #[inline]
    pub fn send<V: IntoPort<T>>(
        &self,
        value: V,
    ) -> impl Future<Output = Result<(), Closed>> + Send + use<T, V> {
        let (packet, forwarded) = value.parcel();
        Parcel {
            packet,
            is_here: true,
            forwarded,
            element: self.element,
        }
    }

    /// Puts a packet: what does not fit waits in the process's hand and leaves, in order, before the
    /// process does anything else. This is how a plain function sends.
    #[inline]
    pub fn put<V: IntoPort<T>>(&mut self, value: V) {
        let (packet, forwarded) = value.parcel();
        let forwarded = forwarded || (V::RAW && slot::take_forward());
        let lane = self.lane.get_mut().unwrap_or_else(PoisonError::into_inner);
        let put = if slot::is_direct() {
            lane.put(packet, forwarded)
        } else {
            Err(packet)
        };
        if let Err(packet) = put {
            put_slowly(self.element, lane, packet, forwarded);
        }
    }

    /// Whether a packet sent now would leave at once.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.with_turn(|turn| turn.has_room(self.element))
    }

    /// Sends a packet only if it can leave at once.
    ///
    /// # Errors
    /// The packet, when the link is full or the receiver has left; it has ended if it is not sent
    /// again.
    pub fn try_send(&self, value: impl IntoPort<T>) -> Result<(), TrySend> {
        let (packet, forwarded) = value.parcel();
        self.with_turn(|turn| {
            let given = turn.try_give(self.element, packet, forwarded);
            if forwarded && !matches!(given, Give::Sent) {
                turn.dropped();
            }
            match given {
                Give::Sent => Ok(()),
                Give::Full(packet) => Err(TrySend::Full(packet)),
                Give::Closed(packet) => Err(TrySend::Closed(packet)),
            }
        })
    }

    /// Whether the port leads anywhere.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        slot::with(|turn| turn.is_connected(self.element))
    }

    /// Whether its reader has left: what is sent is given back.
    #[must_use]
    pub fn is_deserted(&self) -> bool {
        self.with_turn(|turn| turn.is_deserted(self.element))
    }

    /// Packets that wait behind the port.
    #[must_use]
    pub fn backlog(&self) -> usize {
        self.with_turn(|turn| turn.backlog(self.element))
    }

    /// Closes the port before the process ends.
    pub fn close(&self) {
        self.with_turn(|turn| turn.close_output(self.element));
    }
}

/// A put that has to look at the turn: the lane has no room, or the hand is not empty.
#[inline(never)]
fn put_slowly(element: usize, lane: &mut Lane, packet: Packet, forwarded: bool) {
    slot::with(|turn| {
        turn.absorb(element, lane);
        turn.put(element, packet, forwarded);
        if slot::is_direct() {
            if turn.has_empty_hand() {
                turn.lend_room(element, lane);
            } else {
                slot::set_direct(false);
            }
        }
    });
}

/// The out-ports of a plain function, nested as `(first, (second, ()))`.
pub trait OutPorts: Send + 'static {
    /// The turn lends each room for up to `most` packets, if it has it at hand.
    fn lend(&mut self, turn: &mut Turn, most: usize);

    /// The turn takes back what was put, and the room.
    fn settle(&mut self, turn: &mut Turn);
}

impl OutPorts for () {
    fn lend(&mut self, _: &mut Turn, _: usize) {}

    fn settle(&mut self, _: &mut Turn) {}
}

impl<T: 'static, R: OutPorts> OutPorts for (Out<T>, R) {
    #[inline]
    fn lend(&mut self, turn: &mut Turn, most: usize) {
        self.0.lend(turn, most);
        self.1.lend(turn, most);
    }

    #[inline]
    fn settle(&mut self, turn: &mut Turn) {
        self.0.settle(turn);
        self.1.settle(turn);
    }
}

impl<T: 'static, R: OutPorts> OutPorts for (Outs<T>, R) {
    fn lend(&mut self, turn: &mut Turn, most: usize) {
        self.0.iter_mut().for_each(|port| port.lend(turn, most));
        self.1.lend(turn, most);
    }

    fn settle(&mut self, turn: &mut Turn) {
        self.0.iter_mut().for_each(|port| port.settle(turn));
        self.1.settle(turn);
    }
}

/// A packet on its way out; ends with the future when that is dropped first.
struct Parcel {
    packet: Packet,
    /// It has not left yet.
    is_here: bool,
    forwarded: bool,
    element: usize,
}

impl Future for Parcel {
    type Output = Result<(), Closed>;

    #[inline(always)]
    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        if self.is_here && self.leave() {
            Poll::Ready(Ok(()))
        } else {
            self.poll_slowly()
        }
    }
}

impl Parcel {
    /// Leaves, if the way is open.
    #[inline(always)]
    fn leave(&mut self) -> bool {
        slot::with(|turn| {
            let exit = turn.exit(self.element, self.forwarded);
            exit.map(|exit| exit.take(self.take())).is_some()
        })
    }

    #[inline(always)]
    fn take(&mut self) -> Packet {
        self.is_here = false;
        std::mem::replace(&mut self.packet, Packet::null())
    }

    #[inline(never)]
    fn poll_slowly(&mut self) -> Poll<Result<(), Closed>> {
        slot::with(|turn| self.poll_in(turn))
    }

    fn poll_in(&mut self, turn: &mut Turn) -> Poll<Result<(), Closed>> {
        match turn.empty_hand() {
            Ok(true) => {}
            Ok(false) => return Poll::Pending,
            Err(fault) => {
                turn.fail(fault);
                return Poll::Pending;
            }
        }
        if !self.is_here {
            return Poll::Ready(Ok(()));
        }
        let packet = self.take();
        match turn.send(self.element, packet, self.forwarded) {
            Give::Sent => Poll::Ready(Ok(())),
            Give::Full(packet) => {
                self.packet = packet;
                self.is_here = true;
                Poll::Pending
            }
            Give::Closed(packet) => {
                let is_new = !std::mem::take(&mut self.forwarded);
                turn.dropped_all(packet.weight() - usize::from(is_new));
                Poll::Ready(Err(Closed(packet)))
            }
        }
    }
}

impl Drop for Parcel {
    #[inline(always)]
    fn drop(&mut self) {
        if self.is_here && self.forwarded {
            dropped(&self.packet);
        }
    }
}

/// A packet that was received ends on its way out.
#[cold]
fn dropped(packet: &Packet) {
    slot::try_with(|turn| turn.dropped_all(packet.weight()));
}

/// An array out-port.
pub struct Outs<T> {
    ports: Vec<Out<T>>,
    numbers: Arc<[u32]>,
}

impl<T> Outs<T> {
    pub(crate) fn new(elements: Elements) -> Self {
        let ports = (0..elements.numbers.len())
            .map(|at| Out::new(elements.first + at))
            .collect();
        Self {
            ports,
            numbers: elements.numbers,
        }
    }

    /// The elements, in the order of their numbers.
    pub fn iter(&self) -> impl Iterator<Item = &Out<T>> {
        self.ports.iter()
    }

    /// The elements, to put into.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Out<T>> {
        self.ports.iter_mut()
    }

    /// The number `PORT[i]` of each element.
    #[must_use]
    pub fn numbers(&self) -> &[u32] {
        &self.numbers
    }

    /// How many elements are connected.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.ports.len()
    }

    /// Whether none is connected.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.ports.is_empty()
    }
}

impl<T> std::ops::Index<usize> for Outs<T> {
    type Output = Out<T>;

    fn index(&self, at: usize) -> &Out<T> {
        &self.ports[at]
    }
}

impl<T> std::ops::IndexMut<usize> for Outs<T> {
    fn index_mut(&mut self, at: usize) -> &mut Out<T> {
        &mut self.ports[at]
    }
}

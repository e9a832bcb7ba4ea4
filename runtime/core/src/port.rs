//! Ports as a component sees them.

use std::future::{Future, poll_fn};
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;
use std::task::Poll;

use crate::component::Elements;
use crate::fault::Closed;
use crate::got::Got;
use crate::packet::Packet;
use crate::receive::Receive;
use crate::slot;
use crate::turn::{Give, Turn};
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
    pub fn next(&self) -> impl Future<Output = Option<Got<T>>> + Send + '_ {
        poll_fn(|_| slot::with(|turn| T::poll(turn, self.element, &self.state)))
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
    pub(crate) const fn new(element: usize) -> Self {
        Self {
            element,
            carries: PhantomData,
        }
    }

    /// Sends a value, or a received packet as itself, and waits while the link is full.
    ///
    /// # Errors
    /// The packet, when the receiver has left.
    pub fn send<V: IntoPort<T>>(
        &self,
        value: V,
    ) -> impl Future<Output = Result<(), Closed>> + Send + use<T, V> {
        let (packet, forwarded) = value.parcel();
        let mut parcel = Parcel {
            packet: Some(packet),
            forwarded,
        };
        let element = self.element;
        poll_fn(move |_| slot::with(|turn| parcel.poll(turn, element)))
    }

    /// Puts a packet: what does not fit waits in the process's hand and leaves, in order, before the
    /// process does anything else. This is how a plain function sends.
    pub fn put<V: IntoPort<T>>(&mut self, value: V) {
        let (packet, forwarded) = value.parcel();
        slot::with(|turn| {
            let forwarded = forwarded || (V::RAW && turn.take_forward());
            turn.put(self.element, packet, forwarded);
        });
    }

    /// Whether a packet sent now would leave at once.
    #[must_use]
    pub fn has_room(&self) -> bool {
        slot::with(|turn| turn.has_room(self.element))
    }

    /// Sends a packet only if it can leave at once.
    ///
    /// # Errors
    /// The packet, when the link is full or the receiver has left; it has ended if it is not sent
    /// again.
    pub fn try_send(&self, value: impl IntoPort<T>) -> Result<(), TrySend> {
        let (packet, forwarded) = value.parcel();
        slot::with(|turn| {
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

    /// Packets that wait behind the port.
    #[must_use]
    pub fn backlog(&self) -> usize {
        slot::with(|turn| turn.backlog(self.element))
    }

    /// Closes the port before the process ends.
    pub fn close(&self) {
        slot::with(|turn| turn.close_output(self.element));
    }
}

/// A packet on its way out; ends with the future when that is dropped first.
struct Parcel {
    packet: Option<Packet>,
    forwarded: bool,
}

impl Parcel {
    fn poll(&mut self, turn: &mut Turn, element: usize) -> Poll<Result<(), Closed>> {
        match turn.empty_hand() {
            Ok(true) => {}
            Ok(false) => return Poll::Pending,
            Err(fault) => {
                turn.fail(fault);
                return Poll::Pending;
            }
        }
        let Some(packet) = self.packet.take() else {
            return Poll::Ready(Ok(()));
        };
        if turn.is_spent() {
            self.packet = Some(packet);
            return Poll::Pending;
        }
        let given = if self.forwarded {
            turn.give(element, packet)
        } else {
            turn.give_new(element, packet)
        };
        match given {
            Give::Sent => Poll::Ready(Ok(())),
            Give::Full(packet) => {
                self.packet = Some(packet);
                Poll::Pending
            }
            Give::Closed(packet) => {
                if std::mem::take(&mut self.forwarded) {
                    turn.dropped();
                }
                Poll::Ready(Err(Closed(packet)))
            }
        }
    }
}

impl Drop for Parcel {
    fn drop(&mut self) {
        if self.packet.is_some() && self.forwarded {
            slot::try_with(Turn::dropped);
        }
    }
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

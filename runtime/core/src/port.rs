//! Ports as a component sees them.

use std::fmt;
use std::future::{Future, poll_fn};
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;

use crate::component::Elements;
use crate::fault::{Closed, Fault};
use crate::headers::Headers;
use crate::packet::{Kind, Packet};
use crate::slot;
use crate::turn::{Give, Take, Turn};
use crate::value::{IntoPort, Value};

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

/// A received value, with the packet's identity.
///
/// It is the process's property: sending it forwards the packet, dropping it ends the packet.
pub struct Got<T> {
    value: Option<T>,
    packets: u32,
    headers: Option<Arc<Headers>>,
}

impl<T> Got<T> {
    const fn new(value: T, packets: u32, headers: Option<Arc<Headers>>) -> Self {
        Self {
            value: Some(value),
            packets,
            headers,
        }
    }

    /// The headers of the packet, if it has any.
    #[must_use]
    pub fn headers(&self) -> Option<&Headers> {
        self.headers.as_deref()
    }

    /// The value itself; the packet it came in ends here.
    ///
    /// # Panics
    /// Never: the value leaves only here or in a send, and both consume it.
    #[must_use]
    pub fn into_inner(mut self) -> T {
        match self.value.take() {
            Some(value) => {
                ended(self.packets);
                value
            }
            None => unreachable!("a received value is taken once"),
        }
    }
}

impl<T> Deref for Got<T> {
    type Target = T;

    fn deref(&self) -> &T {
        match &self.value {
            Some(value) => value,
            None => unreachable!("a received value is there until it is consumed"),
        }
    }
}

impl<T> DerefMut for Got<T> {
    fn deref_mut(&mut self) -> &mut T {
        match &mut self.value {
            Some(value) => value,
            None => unreachable!("a received value is there until it is consumed"),
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for Got<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl<T> Drop for Got<T> {
    fn drop(&mut self) {
        if self.value.is_some() {
            ended(self.packets);
        }
    }
}

impl<T: Value> IntoPort<T> for Got<T> {
    fn into_port(self) -> Packet {
        self.parcel().0
    }

    fn parcel(mut self) -> (Packet, bool) {
        let packet = self.value.take().map_or_else(Packet::null, T::into_packet);
        match self.headers.take() {
            Some(headers) if packet.headers().is_none() => (packet.with_headers(headers), true),
            _ => (packet, true),
        }
    }
}

/// Packets dropped outside a turn stay owned and are reported as leaked.
fn ended(packets: u32) {
    for _ in 0..packets {
        slot::try_with(Turn::dropped);
    }
}

/// What can be received from an in-port: any [`Value`], or whole groups.
pub trait Receive: Sized + Send + 'static {
    /// What has been received of an item that is not complete.
    type State: Default + Send + Sync;

    /// Payload kinds.
    fn kinds() -> Vec<String>;

    /// Takes the next item.
    #[doc(hidden)]
    fn poll(turn: &mut Turn, element: usize, state: &Self::State) -> Poll<Option<Got<Self>>>;
}

impl<T: Value> Receive for T {
    type State = ();

    fn kinds() -> Vec<String> {
        <T as Value>::kinds()
    }

    fn poll(turn: &mut Turn, element: usize, (): &()) -> Poll<Option<Got<Self>>> {
        loop {
            let Poll::Ready(packet) = poll_packet(turn, element) else {
                return Poll::Pending;
            };
            let Some(packet) = packet else {
                return Poll::Ready(None);
            };
            if packet.is_bracket() && !T::RAW {
                if bypass(turn, element, packet) {
                    continue;
                } else {
                    return Poll::Pending;
                }
            }
            let headers = packet.headers().cloned();
            return match T::from_packet(packet) {
                Ok(value) => Poll::Ready(Some(Got::new(value, 1, headers))),
                Err(packet) => mismatch::<T>(turn, element, packet),
            };
        }
    }
}

/// The next packet, after everything in the hand has left.
fn poll_packet(turn: &mut Turn, element: usize) -> Poll<Option<Packet>> {
    match turn.empty_hand() {
        Ok(true) => {}
        Ok(false) => return Poll::Pending,
        Err(fault) => {
            turn.fail(fault);
            return Poll::Pending;
        }
    }
    match turn.take(element) {
        Take::Packet(packet) => Poll::Ready(Some(packet)),
        Take::End => Poll::Ready(None),
        Take::Empty => Poll::Pending,
    }
}

fn bypass(turn: &mut Turn, element: usize, packet: Packet) -> bool {
    if let Some(out) = turn.bypass() {
        turn.put(out, packet, true);
        return true;
    }
    let what = packet.kind().word();
    let message = format!("got an {what}, and has no single way to pass it on");
    turn.fail(Fault::new(message).with(packet).at(element));
    false
}

fn mismatch<T: Value>(turn: &mut Turn, element: usize, packet: Packet) -> Poll<Option<Got<T>>> {
    turn.fail(wrong_kind::<T>(packet).at(element));
    Poll::Pending
}

/// The fault of a packet that a port does not carry.
pub(crate) fn wrong_kind<T: Value>(packet: Packet) -> Fault {
    let wanted = <T as Value>::kinds().join(" or ");
    let got = packet.kind().word();
    let message = if wanted == got {
        format!(
            "expected {}, got another {got}: {}",
            std::any::type_name::<T>(),
            excerpt(&packet)
        )
    } else {
        format!("expected {wanted}, got {got} {}", excerpt(&packet))
    };
    Fault::new(message).with(packet)
}

fn excerpt(packet: &Packet) -> String {
    let text = format!("{packet:?}");
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}

/// A whole bracketed group.
#[derive(Clone, Debug, PartialEq)]
pub struct Grouped<T> {
    /// What was between the brackets, in order.
    pub items: Vec<Item<T>>,
}

/// A member of a group.
#[derive(Clone, Debug, PartialEq)]
pub enum Item<T> {
    /// Data.
    Data(T),
    /// A nested group.
    Group(Grouped<T>),
}

impl<T> Grouped<T> {
    /// The data directly in this group, nested groups left out.
    pub fn data(&self) -> impl Iterator<Item = &T> {
        self.items.iter().filter_map(|item| match item {
            Item::Data(value) => Some(value),
            Item::Group(_) => None,
        })
    }
}

/// The groups that are open, outermost first, and the packets they are made of.
pub struct OpenGroups<T> {
    stack: Vec<Grouped<T>>,
    packets: u32,
}

impl<T> Default for OpenGroups<T> {
    fn default() -> Self {
        Self {
            stack: Vec::new(),
            packets: 0,
        }
    }
}

impl<T: Value> Receive for Grouped<T> {
    type State = Mutex<OpenGroups<T>>;

    fn kinds() -> Vec<String> {
        <T as Value>::kinds()
    }

    fn poll(turn: &mut Turn, element: usize, state: &Self::State) -> Poll<Option<Got<Self>>> {
        let mut open = state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let Poll::Ready(packet) = poll_packet(turn, element) else {
                return Poll::Pending;
            };
            let fault = match packet {
                None if open.stack.is_empty() => return Poll::Ready(None),
                None => Fault::new("the stream ends inside a group"),
                Some(packet) => match open.add(packet) {
                    Ok(None) => continue,
                    Ok(whole) => {
                        return Poll::Ready(
                            whole.map(|(group, packets)| Got::new(group, packets, None)),
                        );
                    }
                    Err(fault) => fault,
                },
            };
            turn.fail(fault.at(element));
            return Poll::Pending;
        }
    }
}

impl<T: Value> OpenGroups<T> {
    fn add(&mut self, packet: Packet) -> Result<Option<(Grouped<T>, u32)>, Fault> {
        self.packets += 1;
        match packet.kind() {
            Kind::Open => self.stack.push(Grouped { items: Vec::new() }),
            Kind::Close => return self.close(packet),
            _ => match self.stack.last_mut() {
                Some(group) => {
                    let value = T::from_packet(packet).map_err(wrong_kind::<T>)?;
                    group.items.push(Item::Data(value));
                }
                None => return Err(Fault::new("got a packet outside any group").with(packet)),
            },
        }
        Ok(None)
    }

    fn close(&mut self, packet: Packet) -> Result<Option<(Grouped<T>, u32)>, Fault> {
        let Some(group) = self.stack.pop() else {
            return Err(Fault::new("got a close bracket without its open bracket").with(packet));
        };
        match self.stack.last_mut() {
            Some(outer) => outer.items.push(Item::Group(group)),
            None => return Ok(Some((group, std::mem::take(&mut self.packets)))),
        }
        Ok(None)
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
            let given = turn.offer(self.element, packet, forwarded);
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

/// One of two.
#[derive(Debug)]
pub enum Either<L, R> {
    /// From the first.
    Left(L),
    /// From the second.
    Right(R),
}

/// The next item of either of two ports, the first one preferred; `None` once both have ended.
///
/// Work with feedback takes the feedback first: `select(answers.next(), orders.next())`.
pub async fn select<L, R>(
    left: impl Future<Output = Option<L>>,
    right: impl Future<Output = Option<R>>,
) -> Option<Either<L, R>> {
    let (mut left, mut right) = (std::pin::pin!(left), std::pin::pin!(right));
    let (mut left_ended, mut right_ended) = (false, false);
    poll_fn(move |cx| {
        if !left_ended && let Poll::Ready(item) = left.as_mut().poll(cx) {
            if let Some(item) = item {
                return Poll::Ready(Some(Either::Left(item)));
            }
            left_ended = true;
        }
        if !right_ended && let Poll::Ready(item) = right.as_mut().poll(cx) {
            if let Some(item) = item {
                return Poll::Ready(Some(Either::Right(item)));
            }
            right_ended = true;
        }
        if left_ended && right_ended {
            Poll::Ready(None)
        } else {
            Poll::Pending
        }
    })
    .await
}

/// Runs something that waits for the world: a read, a child process, a device.
///
/// Everything sent before is on its way meanwhile, and the process counts as outside, so that nobody
/// calls it deadlocked. Only for components that may block (`work = thread`).
pub fn outside<R>(work: impl FnOnce() -> R) -> R {
    let guard = slot::try_with(Turn::outside).flatten();
    let Some((outside, counts)) = guard else {
        return work();
    };
    outside.enter(counts);
    let result = work();
    outside.leave();
    result
}

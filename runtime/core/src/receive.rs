//! What can be received from an in-port: values, bare packets, whole groups.

use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;

use crate::fault::Fault;
use crate::got::Got;
use crate::headers::Headers;
use crate::packet::{Kind, Packet};
use crate::settle::{Tokens, Trail};
use crate::turn::{Take, Turn};
use crate::value::Value;

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

    #[inline(always)]
    fn poll(turn: &mut Turn, element: usize, (): &()) -> Poll<Option<Got<Self>>> {
        match turn.receive_bare(element) {
            Some(packet) => got(turn, element, packet, 1, None),
            None => poll_slowly(turn, element),
        }
    }
}

/// The value of a packet.
#[inline(always)]
fn got<T: Value>(
    turn: &mut Turn,
    element: usize,
    packet: Packet,
    weight: usize,
    headers: Option<Arc<Headers>>,
) -> Poll<Option<Got<T>>> {
    let packet = if T::RAW || headers.is_none() {
        packet
    } else {
        packet.without_trail()
    };
    match T::from_packet(packet) {
        Ok(value) => Poll::Ready(Some(Got::new(value, weight, headers))),
        Err(packet) => mismatch::<T>(turn, element, packet, headers),
    }
}

/// Takes packets until one is no bracket.
#[inline(never)]
fn poll_slowly<T: Value>(turn: &mut Turn, element: usize) -> Poll<Option<Got<T>>> {
    loop {
        let packet = match poll_packet(turn, element) {
            Poll::Ready(Some(packet)) => packet,
            Poll::Ready(None) => return Poll::Ready(None),
            Poll::Pending => return Poll::Pending,
        };
        if T::RAW || !packet.is_bracket() {
            let (weight, headers) = (packet.weight(), packet.headers().cloned());
            turn.open_in(element);
            return got(turn, element, packet, weight, headers);
        }
        if !bypass(turn, element, packet) {
            return Poll::Pending;
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
    match turn.take_next(element) {
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

#[cold]
fn mismatch<T: Value>(
    turn: &mut Turn,
    element: usize,
    packet: Packet,
    headers: Option<Arc<Headers>>,
) -> Poll<Option<Got<T>>> {
    let packet = match headers {
        Some(headers) => packet.with_headers(headers),
        None => packet,
    };
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
    Fault::new(message).with(packet).invalid()
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
    packets: usize,
    /// The deliveries that they follow from.
    tokens: Tokens,
}

impl<T> Default for OpenGroups<T> {
    fn default() -> Self {
        Self {
            stack: Vec::new(),
            packets: 0,
            tokens: Tokens::default(),
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
        // Packets of a group that is not complete are no progress for whoever else is polled with it.
        let waits = turn.waits();
        loop {
            let Poll::Ready(packet) = poll_packet(turn, element) else {
                turn.wait_also(waits);
                return Poll::Pending;
            };
            let fault = match packet {
                None if open.stack.is_empty() => return Poll::Ready(None),
                None => Fault::new("the stream ends inside a group"),
                Some(packet) => match open.add(packet) {
                    Ok(None) => continue,
                    Ok(whole) => return Poll::Ready(whole),
                    Err(fault) => fault,
                },
            };
            turn.fail(fault.at(element));
            return Poll::Pending;
        }
    }
}

impl<T: Value> OpenGroups<T> {
    fn add(&mut self, packet: Packet) -> Result<Option<Got<Grouped<T>>>, Fault> {
        self.packets += packet.weight();
        if let Some(trail) = packet.trail() {
            self.tokens = self.tokens.join(&trail.tokens);
        }
        match packet.kind() {
            Kind::Open => self.stack.push(Grouped { items: Vec::new() }),
            Kind::Close => return self.close(packet),
            _ => match self.stack.last_mut() {
                Some(group) => {
                    let value = T::from_packet(packet.without_trail()).map_err(wrong_kind::<T>)?;
                    group.items.push(Item::Data(value));
                }
                None => return Err(Fault::new("got a packet outside any group").with(packet)),
            },
        }
        Ok(None)
    }

    fn close(&mut self, packet: Packet) -> Result<Option<Got<Grouped<T>>>, Fault> {
        let Some(group) = self.stack.pop() else {
            return Err(Fault::new("got a close bracket without its open bracket").with(packet));
        };
        match self.stack.last_mut() {
            Some(outer) => outer.items.push(Item::Group(group)),
            None => {
                let (packets, tokens) = (self.packets, std::mem::take(&mut self.tokens));
                self.packets = 0;
                let trail = Trail { id: None, tokens };
                let headers = || Arc::new(Headers::default().with_trail(trail.clone()));
                let headers = (!trail.is_empty()).then(headers);
                return Ok(Some(Got::new(group, packets, headers)));
            }
        }
        Ok(None)
    }
}

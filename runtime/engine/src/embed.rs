//! Driving a network from a Rust program: feed packets in, get packets out.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use paperflow_core::turn::{Inlet, Outlet, Pulled, Received, Room, Window};
use paperflow_core::{IntoPort, Packet, TrySend};

use crate::link::{Link, Writer};
use crate::network::Net;
use crate::roster::External;

/// The embedding program's side of a network.
pub(crate) struct Feed {
    pub(crate) net: Arc<Net>,
    pub(crate) external: Arc<External>,
}

/// Feeds an exported in-port. Dropping it ends the stream.
pub struct Input {
    feed: Feed,
    writer: Writer,
}

impl Input {
    pub(crate) const fn new(feed: Feed, writer: Writer) -> Self {
        Self { feed, writer }
    }

    /// Sends a packet, and blocks this thread while the link is full.
    ///
    /// # Errors
    /// The packet, when nobody will receive it any more.
    pub fn send(&self, value: impl IntoPort<Packet>) -> Result<(), Refused> {
        let mut packet = value.into_port();
        loop {
            let calls = self.feed.external.calls();
            packet = match self.offer(packet) {
                Ok(()) => return Ok(()),
                Err(TrySend::Closed(packet)) => return Err(Refused(packet)),
                Err(TrySend::Full(packet)) => packet,
            };
            self.feed.external.wait(calls);
        }
    }

    /// Sends a packet only if there is room.
    ///
    /// # Errors
    /// The packet, when the link is full or nobody will receive it any more.
    pub fn try_send(&self, value: impl IntoPort<Packet>) -> Result<(), TrySend> {
        self.offer(value.into_port())
    }

    fn offer(&self, packet: Packet) -> Result<(), TrySend> {
        if self.feed.net.roster.is_stopped() || self.feed.net.is_stopping.load(Ordering::Acquire) {
            return Err(TrySend::Closed(packet));
        }
        match self.writer.reserve(1, 0) {
            Room::Closed => Err(TrySend::Closed(packet)),
            Room::Full => Err(TrySend::Full(packet)),
            Room::For(_) => {
                self.writer.publish(&mut Window::from(packet), 0);
                Ok(())
            }
        }
    }
}

impl Drop for Input {
    fn drop(&mut self) {
        self.feed.net.busily(|| self.writer.close());
    }
}

/// Reads an exported out-port. Dropping it leaves the stream, and its sender stops.
///
/// A packet that follows from what a store delivered is settled when the program drops it, so such a run is
/// not over before the program has read what there is, and has asked for more or dropped this. Who waits
/// for the end first and reads then is given up after a second: what it reads is delivered again in the next run.
pub struct Output {
    feed: Feed,
    link: Arc<Link>,
}

impl Output {
    pub(crate) const fn new(feed: Feed, link: Arc<Link>) -> Self {
        Self { feed, link }
    }

    /// The next packet; blocks this thread until there is one. `None` at the end of the stream, or
    /// when the network has stopped.
    #[must_use]
    pub fn recv(&self) -> Option<Packet> {
        loop {
            let calls = self.feed.external.calls();
            // Asked first: what was sent before the network stopped is found by the look that follows.
            let is_stopped = self.feed.net.roster.is_stopped();
            match self.try_recv() {
                Ok(packet) => return packet,
                Err(NothingYet) if is_stopped => return None,
                Err(NothingYet) => self.feed.external.wait(calls),
            }
        }
    }

    /// The next packet, if there is one; `Ok(None)` at the end of the stream.
    ///
    /// # Errors
    /// There is nothing yet.
    pub fn try_recv(&self) -> Result<Option<Packet>, NothingYet> {
        let mut window = VecDeque::new();
        self.feed.external.asks();
        match self.link.pull(&mut window, 1, Received::default()) {
            Pulled::Empty => {
                self.rest();
                Err(NothingYet)
            }
            Pulled::End => {
                self.rest();
                Ok(None)
            }
            Pulled::Some | Pulled::All => {
                let packet = window.pop_front();
                packet
                    .iter()
                    .for_each(|packet| self.link.release(Received::of(packet)));
                self.feed.external.has_taken();
                Ok(packet)
            }
        }
    }

    /// What has been received is done with, as far as the network can know.
    fn rest(&self) {
        self.feed.external.is_idle();
        self.feed.net.caught_up();
    }
}

impl Iterator for Output {
    type Item = Packet;

    fn next(&mut self) -> Option<Packet> {
        self.recv()
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        self.link.close_reader(Received::default(), false);
        self.rest();
    }
}

/// No packet has come yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NothingYet;

/// A packet that came back because nobody will receive it any more.
#[derive(Clone, Debug, PartialEq)]
pub struct Refused(pub Packet);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the network takes no packet any more")
    }
}

impl std::error::Error for Refused {}

//! What a turn has to do with the deliveries of a store that its packets follow from.

use crate::connector::{Disposition, Failure};
use crate::packet::Packet;
use crate::settle::Trail;
use crate::turn::Turn;

impl Turn {
    /// What these deliveries led to is this process's business until it has sent something and
    /// received again.
    pub(crate) fn hold(&mut self, trail: &Trail) {
        let inner = self.inner();
        if let Some(holding) = &mut inner.holding {
            holding.keep(trail.tokens.clone());
        }
        if let Some(staging) = &mut inner.staging {
            staging.handle(trail.id, !trail.tokens.is_empty());
        }
    }

    /// The process has nothing more to do with a packet and its deliveries; the failure says which process
    /// it was.
    pub(crate) fn part_with(&mut self, trail: &Trail, failure: &mut Failure) {
        let inner = self.inner();
        if let Some(holding) = &mut inner.holding {
            holding.part_with(&trail.tokens, failure);
        }
        if let Some(staging) = &mut inner.staging {
            staging.part_with(trail.id);
        }
    }

    /// A call begins that handles this packet and nothing else.
    pub(crate) fn begin_call(&mut self, packet: &Packet) {
        if let Some(holding) = &mut self.inner().holding {
            holding.begin_call(packet.tokens());
        }
    }

    /// The call is over, and all it has sent has the deliveries that follow from it.
    pub(crate) fn end_call(&mut self) {
        let inner = self.inner();
        if let (Some(staging), Some(holding)) = (&mut inner.staging, &mut inner.holding) {
            staging.handle(holding.base(), holding.is_holding());
            staging.end_unit(Some(holding));
        } else {
            self.let_go_of_deliveries(Disposition::Done, None);
        }
    }

    /// The packet with all deliveries that the process holds: it alone stands for them.
    #[must_use]
    pub fn regain(&mut self, packet: Packet) -> Packet {
        match &mut self.inner().holding {
            Some(holding) => {
                let trail = holding.regain(&packet.tokens());
                packet.with_trail(trail)
            }
            None => packet,
        }
    }

    /// Whether the process holds deliveries that nothing it has sent stands for.
    pub fn is_holding(&mut self) -> bool {
        let holding = self.inner().holding.as_ref();
        holding.is_some_and(|holding| holding.is_holding())
    }

    /// Lets go of the deliveries that the process holds, and says what has become of them.
    pub fn let_go_of_deliveries(&mut self, disposition: Disposition, failure: Option<&Failure>) {
        if let Some(holding) = &mut self.inner().holding {
            holding.let_go(disposition, failure);
        }
    }

    /// Whether the reader behind an out-port element waits for a packet. When it does not, the process is
    /// woken once it does; that is a wait for room.
    pub fn is_awaited(&mut self, element: usize) -> bool {
        let inner = self.inner();
        let outlet = inner.outlet(element);
        let is_awaited = outlet.is_none_or(|outlet| outlet.is_awaited());
        if !is_awaited {
            inner.wait_for_room(element);
        }
        is_awaited
    }
}

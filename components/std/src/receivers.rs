//! Array out-ports whose receivers may leave one by one.

use paperflow_core::{Closed, IntoPort, Out, Outs, Packet};

/// The elements of an array out-port, and who of the receivers has left.
pub(crate) struct Receivers<'a> {
    outs: &'a Outs<Packet>,
    gone: Vec<bool>,
}

impl<'a> Receivers<'a> {
    pub(crate) fn new(outs: &'a Outs<Packet>) -> Self {
        Self {
            outs,
            gone: outs.iter().map(Out::is_deserted).collect(),
        }
    }

    /// Whether anybody is left.
    pub(crate) fn any(&self) -> bool {
        self.gone.contains(&false)
    }

    /// The positions of those who are left.
    pub(crate) fn left(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.gone.len()).filter(|at| !self.gone[*at])
    }

    /// The first one left at or behind a position, in a circle.
    pub(crate) fn from(&self, start: usize) -> Option<usize> {
        self.left()
            .find(|at| *at >= start)
            .or_else(|| self.left().next())
    }

    /// The one with the least packets waiting; of equals the first.
    pub(crate) fn idlest(&self) -> Option<usize> {
        self.left().min_by_key(|at| self.outs[*at].backlog())
    }

    /// Sends to one element, or gives the packet back when its receiver has left.
    pub(crate) async fn send(
        &mut self,
        at: usize,
        packet: impl IntoPort<Packet>,
    ) -> Option<Packet> {
        let Err(Closed(packet)) = self.outs[at].send(packet).await else {
            return None;
        };
        self.gone[at] = true;
        Some(packet)
    }
}

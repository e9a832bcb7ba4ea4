//! What a component has received, as its link counts it.

use crate::packet::{Kind, Packet};

/// Packets that a component has received.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Received {
    /// How many.
    pub packets: usize,
    /// Open brackets less close brackets among them.
    pub depth: i64,
    /// Packets that they own.
    pub members: u64,
}

impl Received {
    /// Adds more.
    #[inline]
    pub fn add(&mut self, more: Self) {
        self.packets += more.packets;
        self.depth += more.depth;
        self.members += more.members;
    }

    /// Several packets.
    pub(crate) fn all<'a>(packets: impl IntoIterator<Item = &'a Packet>) -> Self {
        let mut sum = Self::default();
        let packets = packets.into_iter().map(Self::of);
        packets.for_each(|one| sum.add(one));
        sum
    }

    /// One packet.
    #[must_use]
    #[inline]
    pub fn of(packet: &Packet) -> Self {
        Self {
            packets: 1,
            depth: match packet.kind() {
                Kind::Open => 1,
                Kind::Close => -1,
                _ => 0,
            },
            members: packet.weight() as u64 - 1,
        }
    }
}

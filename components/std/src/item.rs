//! Where one thing ends and the next begins in a stream with brackets.

use paperflow_core::{Kind, Packet};

/// How deep in brackets a stream is.
///
/// An item of the stream is a packet outside all brackets, or a whole group with its brackets.
#[derive(Debug, Default)]
pub(crate) struct Level(usize);

impl Level {
    /// Counts a packet. True: an item is complete with it.
    ///
    /// A close bracket that was never opened is an item of its own.
    pub(crate) const fn completes(&mut self, packet: &Packet) -> bool {
        match packet.kind() {
            Kind::Open => self.0 += 1,
            Kind::Close => self.0 = self.0.saturating_sub(1),
            _ => {}
        }
        self.0 == 0
    }

    /// Whether the next packet starts an item.
    pub(crate) const fn is_outside(&self) -> bool {
        self.0 == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_is_a_packet_or_a_whole_group() {
        let stream = [
            Packet::int(1),
            Packet::open(),
            Packet::open(),
            Packet::int(2),
            Packet::close(),
            Packet::close(),
            Packet::int(3),
        ];
        let mut level = Level::default();
        let ends = stream.map(|packet| level.completes(&packet));
        assert_eq!(ends, [true, false, false, false, false, true, true]);
    }

    #[test]
    fn a_close_bracket_too_many_does_no_harm() {
        let mut level = Level::default();
        assert!(level.completes(&Packet::close()));
        assert!(!level.completes(&Packet::open()));
        assert!(!level.is_outside());
    }
}

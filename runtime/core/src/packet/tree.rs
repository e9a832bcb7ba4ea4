//! Packets that own packets: named chains, to any depth.

use std::collections::VecDeque;
use std::sync::Arc;

use super::{Headed, Packet, TREE, Tail};

/// What a packet owns, and the tail it had without that.
pub(super) struct Tree {
    /// Seldom more than one or two.
    chains: Vec<(Box<str>, VecDeque<Packet>)>,
    /// Packets in all chains, with what they own.
    members: usize,
    /// The tail without the tree.
    pub(super) rest: Option<Arc<dyn Tail>>,
}

impl Tree {
    fn chain(&mut self, name: &str) -> &mut VecDeque<Packet> {
        let at = self.chains.iter().position(|(chain, _)| **chain == *name);
        let at = at.unwrap_or_else(|| {
            self.chains.push((name.into(), VecDeque::new()));
            self.chains.len() - 1
        });
        &mut self.chains[at].1
    }
}

impl Tail for Tree {
    fn into_any(self: Arc<Self>) -> Arc<dyn std::any::Any + Send + Sync> {
        self
    }

    fn record(&self) -> Option<&serde_json::Value> {
        self.rest.as_ref()?.record()
    }

    fn body(&self) -> Option<&(dyn std::any::Any + Send + Sync)> {
        self.rest.as_ref().and_then(|rest| rest.body())
    }

    fn headers(&self) -> Option<&Arc<crate::headers::Headers>> {
        self.rest.as_ref().and_then(|rest| rest.headers())
    }

    fn bare(&self) -> Option<Arc<dyn Tail>> {
        self.rest.clone()
    }

    fn tree(&self) -> Option<&Tree> {
        Some(self)
    }

    fn tree_mut(&mut self) -> Option<&mut Tree> {
        Some(self)
    }
}

/// A tree may be deeper than the machine's stack: it is taken apart, not dropped from within itself.
impl Drop for Tree {
    fn drop(&mut self) {
        let mut left: Vec<Packet> = Vec::new();
        let mut chains = std::mem::take(&mut self.chains);
        loop {
            left.extend(chains.drain(..).flat_map(|(_, chain)| chain));
            let Some(mut packet) = left.pop() else { return };
            if let Some(tree) = packet.tree_mut() {
                chains = std::mem::take(&mut tree.chains);
            }
        }
    }
}

impl Packet {
    /// Attaches a packet to the end of a chain: this packet owns it from now on, and both travel, end
    /// and are lost together.
    ///
    /// ```
    /// # use paperflow_core::Packet;
    /// let mut order = Packet::text("order 12");
    /// order.attach("lines", Packet::text("pizza"));
    /// order.attach("lines", Packet::text("salad"));
    /// assert_eq!(order.weight(), 3);
    /// assert_eq!(order.detach("lines"), Some(Packet::text("pizza")));
    /// ```
    pub fn attach(&mut self, chain: &str, packet: Self) {
        let weight = packet.weight();
        if self.flags & TREE == 0 {
            let rest = self.tail.take();
            self.flags |= TREE;
            self.tail = Some(Arc::new(Tree {
                chains: Vec::new(),
                members: 0,
                rest,
            }));
        }
        if let Some(tree) = self.tree_mut() {
            tree.members += weight;
            tree.chain(chain).push_back(packet);
        }
    }

    /// Takes the first packet of a chain off.
    pub fn detach(&mut self, chain: &str) -> Option<Self> {
        let tree = self.tree_mut()?;
        let packet = tree.chain(chain).pop_front()?;
        tree.members -= packet.weight();
        if tree.members == 0 {
            let rest = tree.rest.take();
            self.flags &= !TREE;
            self.tail = rest;
        }
        Some(packet)
    }

    /// The packets of a chain, first attached first.
    pub fn attached(&self, chain: &str) -> impl Iterator<Item = &Self> {
        let chains = self.tree().into_iter().flat_map(|tree| &tree.chains);
        let named = chains.filter(move |(name, _)| **name == *chain);
        named.flat_map(|(_, packets)| packets)
    }

    /// How many packets this is: itself and everything it owns.
    #[inline]
    #[must_use]
    pub fn weight(&self) -> usize {
        if self.flags & TREE == 0 {
            return 1;
        }
        1 + self.tree().map_or(0, |tree| tree.members)
    }

    fn tree(&self) -> Option<&Tree> {
        if self.flags & TREE == 0 {
            return None;
        }
        self.tail.as_ref()?.tree()
    }

    fn tree_mut(&mut self) -> Option<&mut Tree> {
        if self.flags & TREE == 0 {
            return None;
        }
        // Never shared: a clone goes without the tree.
        Arc::get_mut(self.tail.as_mut()?)?.tree_mut()
    }

    /// Gives a tail with a tree another rest: headers come between the two.
    pub(super) fn put_headers_below(&mut self, headers: Arc<crate::headers::Headers>) {
        if let Some(tree) = self.tree_mut() {
            let bare = match tree.rest.take() {
                Some(rest) if rest.headers().is_some() => rest.bare(),
                rest => rest,
            };
            tree.rest = Some(Arc::new(Headed { headers, bare }));
        }
    }
}

/// A clone has the payload and the headers. What is attached stays where it is, since a packet has one
/// owner.
impl Clone for Packet {
    #[inline]
    fn clone(&self) -> Self {
        Self {
            code: self.code,
            flags: self.flags & !TREE,
            length: self.length,
            word: self.word,
            tail: if self.flags & TREE == 0 {
                self.tail.clone()
            } else {
                self.tree().and_then(|tree| tree.rest.clone())
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::Headers;

    use super::*;

    #[test]
    fn trees_are_counted_to_any_depth() {
        let mut order = Packet::text("an order with a long name");
        let mut line = Packet::int(1);
        line.attach("toppings", Packet::text("olives"));
        order.attach("lines", line);
        order.attach("lines", Packet::int(2));
        order.attach("notes", Packet::text("by seven"));
        assert_eq!(order.weight(), 5);
        assert_eq!(order.as_text(), Some("an order with a long name"));
        let lines: Vec<_> = order.attached("lines").map(Packet::as_int).collect();
        assert_eq!(lines, [Some(1), Some(2)]);
        let mut line = order.detach("lines").unwrap();
        assert_eq!((order.weight(), line.weight()), (3, 2));
        assert_eq!(line.detach("toppings"), Some(Packet::text("olives")));
        assert!(line.detach("toppings").is_none());
        assert!(!line.is_special(), "nothing is attached any more");
    }

    #[test]
    fn a_clone_goes_without_the_tree() {
        let mut one = Packet::text("a text with a tail");
        one.attach("a", Packet::int(1));
        let two = one.clone();
        assert_eq!(two, one);
        assert_eq!((one.weight(), two.weight()), (2, 1));
    }

    #[test]
    fn headers_and_trees_do_not_disturb_each_other() {
        let mut headers = Headers::default();
        headers.set("tenant", "one");
        let mut packet = Packet::text("a text with a tail");
        packet.attach("a", Packet::int(1));
        let mut packet = packet.with_headers(headers.clone()).with_headers(headers);
        packet.attach("a", Packet::int(2));
        assert_eq!(packet.weight(), 3);
        assert_eq!(packet.headers().unwrap().get("tenant"), Some("one"));
        packet.detach("a");
        packet.detach("a");
        assert_eq!(packet.headers().unwrap().get("tenant"), Some("one"));
        assert_eq!(packet.as_text(), Some("a text with a tail"));
    }

    #[test]
    fn a_tree_deeper_than_the_stack_ends_well() {
        let mut packet = Packet::int(0);
        for number in 1..200_000 {
            let mut owner = Packet::int(number);
            owner.attach("next", packet);
            packet = owner;
        }
        assert_eq!(packet.weight(), 200_000);
        drop(packet);
    }
}

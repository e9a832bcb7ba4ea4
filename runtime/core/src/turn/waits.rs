//! What an activity that waits is waiting for.

/// What an activity that waits is waiting for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Waits {
    /// In-port elements that were empty.
    pub receive: Places,
    /// Out-port elements that were full.
    pub send: Places,
    /// A timer or something else outside the network.
    pub outside: bool,
    /// Others, who are to settle what this process has handed out.
    pub settlement: bool,
}

impl Waits {
    /// Waits for nothing; what was allocated is kept.
    #[inline]
    pub fn clear(&mut self) {
        self.receive.clear();
        self.send.clear();
        self.outside = false;
        self.settlement = false;
    }

    /// Whether it waits for nothing that is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let inside = self.receive.is_empty() && self.send.is_empty() && !self.settlement;
        inside && !self.outside
    }
}

/// Port elements, each once: mostly none or one, so that needs no list.
#[derive(Clone, Debug, Default)]
pub struct Places {
    count: u32,
    first: u32,
    /// The others, and behind them what is left of longer lists before.
    more: Option<Box<[u32]>>,
}

impl Places {
    /// Adds one that is not there yet.
    #[inline]
    pub fn note(&mut self, at: usize) {
        let at = u32::try_from(at).unwrap_or(u32::MAX);
        if self.count == 0 {
            self.first = at;
            self.count = 1;
        } else if self.count > 1 || self.first != at {
            self.note_another(at);
        }
    }

    #[inline(never)]
    fn note_another(&mut self, at: u32) {
        let others = self.count as usize - 1;
        let mut more = self.more.take().unwrap_or_default();
        if self.first != at && !more[..others].contains(&at) {
            if more.len() == others {
                let mut grown = vec![0; (others * 2).max(1)];
                grown[..others].copy_from_slice(&more);
                more = grown.into();
            }
            more[others] = at;
            self.count += 1;
        }
        self.more = Some(more);
    }

    /// Takes all out; what was allocated is kept.
    #[inline]
    pub const fn clear(&mut self) {
        self.count = 0;
    }

    /// Whether there is none.
    #[inline]
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// All of them, in the order in which they came.
    pub fn iter(&self) -> impl Iterator<Item = usize> {
        let others = (self.count as usize).saturating_sub(1);
        let more = self.more.as_deref().unwrap_or_default();
        let first = (self.count > 0).then_some(self.first);
        let all = first.into_iter().chain(more[..others].iter().copied());
        all.map(|at| at as usize)
    }
}

impl PartialEq for Places {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Places {}

#[cfg(test)]
mod tests {
    use super::Places;

    #[test]
    fn each_is_there_once_in_the_order_in_which_they_came() {
        let mut places = Places::default();
        for round in 0..3 {
            assert!(places.is_empty());
            for at in [7, 7, 3, 9, 3, 7, 1, 9] {
                places.note(at + round);
            }
            let all: Vec<usize> = places.iter().collect();
            assert_eq!(all, [7, 3, 9, 1].map(|at| at + round));
            let mut same = Places::default();
            all.iter().for_each(|at| same.note(*at));
            assert_eq!(places, same);
            places.clear();
        }
    }
}

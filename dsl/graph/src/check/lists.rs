//! Lists by number.

/// For each number below a count a list of numbers, all in one piece of memory.
pub(super) struct Lists {
    /// Where each list begins; the last is where the last one ends.
    starts: Vec<usize>,
    items: Vec<usize>,
}

impl Lists {
    /// Lists of what comes as pairs of a number below `count` and an item of its list, in the order in
    /// which they come. They are gone through twice.
    pub(super) fn of<I: Iterator<Item = (usize, usize)>>(
        count: usize,
        pairs: impl Fn() -> I,
    ) -> Self {
        let mut starts = vec![0; count + 1];
        pairs().for_each(|(number, _)| starts[number + 1] += 1);
        for number in 0..count {
            starts[number + 1] += starts[number];
        }
        let mut free = starts.clone();
        let mut items = vec![0; starts[count]];
        for (number, item) in pairs() {
            items[free[number]] = item;
            free[number] += 1;
        }
        Self { starts, items }
    }

    pub(super) fn at(&self, number: usize) -> &[usize] {
        &self.items[self.starts[number]..self.starts[number + 1]]
    }
}

#[cfg(test)]
mod tests {
    use super::Lists;

    #[test]
    fn items_are_in_the_list_of_their_number_in_their_order() {
        let pairs = [(2, 5), (0, 1), (2, 3), (0, 9)];
        let lists = Lists::of(4, || pairs.into_iter());
        let all = [0, 1, 2, 3].map(|number| lists.at(number));
        assert_eq!(all, [&[1, 9][..], &[], &[5, 3], &[]]);
    }
}

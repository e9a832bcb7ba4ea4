//! Where things are in a list, by what tells them apart.

use std::hash::{BuildHasher, Hash};

use hashbrown::hash_table::Entry;
use hashbrown::{DefaultHashBuilder, HashTable};

/// Places in a list that somebody else keeps, to be found by keys that are read where they stand.
///
/// The hasher is quick, and its seed is another one in each program, since whoever writes a graph
/// chooses the names in it.
#[derive(Clone, Debug, Default)]
pub struct Places {
    hasher: DefaultHashBuilder,
    table: HashTable<usize>,
}

impl Places {
    /// The places of the keys of a list of this length; of equal ones the last.
    pub fn of<K: Hash + Eq>(length: usize, key_of: impl Fn(usize) -> K) -> Self {
        let mut places = Self {
            hasher: DefaultHashBuilder::default(),
            table: HashTable::with_capacity(length),
        };
        for at in 0..length {
            *places.entry(&key_of(at), &key_of).or_insert(at).get_mut() = at;
        }
        places
    }

    /// Where this key stands.
    pub fn find<K: Hash + Eq>(&self, key: &K, key_of: impl Fn(usize) -> K) -> Option<usize> {
        let hash = self.hasher.hash_one(key);
        self.table.find(hash, |at| key_of(*at) == *key).copied()
    }

    /// Where this key stands; if nowhere, it will stand at `end`.
    pub fn enter<K: Hash + Eq>(
        &mut self,
        key: &K,
        end: usize,
        key_of: impl Fn(usize) -> K,
    ) -> usize {
        *self.entry(key, &key_of).or_insert(end).get()
    }

    fn entry<K: Hash + Eq>(&mut self, key: &K, key_of: &impl Fn(usize) -> K) -> Entry<'_, usize> {
        let Self { hasher, table } = self;
        let is_same = |at: &usize| key_of(*at) == *key;
        table.entry(hasher.hash_one(key), is_same, |at| {
            hasher.hash_one(key_of(*at))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Places;

    #[test]
    fn a_key_is_found_where_it_stands() {
        let names = ["A", "B", "A", "C"];
        let places = Places::of(names.len(), |at| names[at]);
        let found = ["A", "B", "C", "D"].map(|name| places.find(&name, |at| names[at]));
        assert_eq!(found, [Some(2), Some(1), Some(3), None]);
    }

    #[test]
    fn a_key_is_entered_once() {
        let mut names: Vec<String> = Vec::new();
        let mut places = Places::default();
        let mut enter = |name: &str| {
            let at = places.enter(&name, names.len(), |at| names[at].as_str());
            if at == names.len() {
                names.push(String::from(name));
            }
            at
        };
        let entered = ["A", "B", "A", "C", "B"].map(&mut enter);
        assert_eq!(entered, [0, 1, 0, 2, 1]);
        for number in 0..1000 {
            assert_eq!(enter(&number.to_string()), 3 + number);
        }
        assert_eq!(enter("C"), 2);
    }
}

//! Numbers by chance that are the same for the same seed.

use std::env;

/// The seed that is asked for.
pub(crate) fn seed() -> u64 {
    let text = env::var("PAPERFLOW_TEST_SEED").ok();
    text.map_or(1, |text| text.parse().expect("a number"))
}

pub(crate) struct Chance(u64);

impl Chance {
    /// Another one for each list of names.
    pub(crate) fn new(seed: u64, names: &[&str]) -> Self {
        let mix = |sum: u64, byte: u8| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        let names = names.join(" ");
        let bytes = names.bytes().chain(seed.to_le_bytes());
        let mixed = bytes.fold(0xcbf2_9ce4_8422_2325, mix);
        Self(mixed.max(1))
    }

    fn next(&mut self) -> u64 {
        // As Marsaglia's xorshift does it.
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub(crate) fn below(&mut self, count: usize) -> usize {
        usize::try_from(self.next() % count as u64).unwrap()
    }

    /// From 0 to just below 1.
    pub(crate) fn fraction(&mut self) -> f64 {
        f64::from(u32::try_from(self.next() >> 33).unwrap()) / f64::from(1_u32 << 31)
    }

    pub(crate) fn shuffle<T>(&mut self, all: &mut [T]) {
        for last in (1..all.len()).rev() {
            all.swap(last, self.below(last + 1));
        }
    }
}

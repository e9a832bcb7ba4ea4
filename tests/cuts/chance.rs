//! Numbers that whoever runs the tests may give, and numbers by chance that are the same for the same seed.

use std::env;

/// A number that a variable gives.
pub(crate) fn given(variable: &str, usual: usize) -> usize {
    let text = env::var(variable).ok();
    text.map_or(usual, |text| text.parse().expect(variable))
}

/// The seed that is asked for.
pub(crate) fn seed() -> u64 {
    given("PAPERFLOW_TEST_SEED", 1) as u64
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
}

//! Work that takes a known time and touches no memory.

use std::hint::black_box;
use std::sync::OnceLock;
use std::time::Instant;

/// Works for about this long. The first call measures how fast this machine is.
#[inline]
pub fn work(nanoseconds: u32) {
    if nanoseconds > 0 {
        spin(rounds(nanoseconds));
    }
}

/// Rounds that take this long.
#[must_use]
pub fn rounds(nanoseconds: u32) -> u64 {
    (f64::from(nanoseconds) * rounds_per_nanosecond()) as u64
}

/// Turns this many rounds: a chain of multiplications that cannot be shortened.
#[inline]
pub fn spin(rounds: u64) {
    let mut word = black_box(rounds);
    for _ in 0..rounds {
        word = black_box(word).wrapping_mul(6_364_136_223_846_793_005);
    }
    black_box(word);
}

/// The best of many short tries: an interruption makes a try slower, never faster.
fn rounds_per_nanosecond() -> f64 {
    static SPEED: OnceLock<f64> = OnceLock::new();
    *SPEED.get_or_init(|| {
        let tries = (0..200).map(|_| {
            let begun = Instant::now();
            spin(TRY);
            TRY as f64 / begun.elapsed().as_nanos() as f64
        });
        tries.fold(0.0, f64::max)
    })
}

const TRY: u64 = 10_000;

use std::time::Duration;

use paperflow_core::{Closed, In, Out, Packet, Param, Timer, component};

use crate::param::Count;

/// Passes packets on, each after a pause of random length.
///
/// The pauses are between nothing and INTERVAL, and for the same SEED always the same ones. One packet
/// is delayed at a time, so that the order stays. Brackets are delayed like data.
#[component("flow/random-delay", work = compute)]
#[example(interval = "5ms", input = ["a", "b"], out = ["a", "b"])]
pub(crate) async fn random_delay(
    /// Anything.
    input: In<Packet>,
    /// The longest pause, such as `250ms` or `2s`.
    #[default("100ms")]
    interval: Param<Duration>,
    /// The longest pause in milliseconds, as classic networks write it; goes before INTERVAL.
    intvl: Param<Option<Count>>,
    /// Where the random numbers begin.
    #[default(1)]
    seed: Param<Count>,
    /// The clock.
    timer: Timer,
    /// The same, later.
    out: Out<Packet>,
) -> Result<(), Closed> {
    let longest = intvl
        .into_inner()
        .map_or(*interval, |Count(ms)| Duration::from_millis(ms));
    let mut dice = Dice(seed.0);
    while let Some(packet) = input.next().await {
        timer.sleep(dice.up_to(longest)).await;
        out.send(packet).await?;
    }
    Ok(())
}

/// Random numbers that are the same in every run (SplitMix64).
struct Dice(u64);

impl Dice {
    const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A time from nothing to the longest one, both included.
    fn up_to(&mut self, longest: Duration) -> Duration {
        let micros = u64::try_from(longest.as_micros()).unwrap_or(u64::MAX);
        let share = (u128::from(self.next()) * (u128::from(micros) + 1)) >> 64;
        Duration::from_micros(u64::try_from(share).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_pauses_and_none_is_too_long() {
        let pauses = |seed| {
            let mut dice = Dice(seed);
            let pause = move |_| dice.up_to(Duration::from_micros(9));
            (0..1000).map(pause).collect::<Vec<_>>()
        };
        assert_eq!(pauses(1), pauses(1));
        assert_ne!(pauses(1), pauses(2));
        for micros in 0..=9 {
            assert!(pauses(1).contains(&Duration::from_micros(micros)));
        }
        assert!(pauses(1).iter().all(|pause| pause.as_micros() <= 9));
    }

    #[test]
    fn the_longest_pause_there_is_does_no_harm() {
        assert!(Dice(1).up_to(Duration::MAX) > Duration::ZERO);
        assert_eq!(Dice(1).up_to(Duration::ZERO), Duration::ZERO);
    }
}

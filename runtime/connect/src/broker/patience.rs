//! How long one waits for a broker that is away, and how often one looks.

use std::time::{Duration, Instant};

use paperflow_core::connector::{StoreFault, StoreFaultKind};
use paperflow_core::message::hash_of_key;

/// How long one who cannot come again waits for a broker. Who can, as the engine, is told at once.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Growing rests between tries, each a little longer or shorter by chance, so that not all come back at
/// the same moment.
#[derive(Clone, Debug)]
pub(crate) struct Backoff {
    tries: u32,
    seed: u64,
}

const FIRST: Duration = Duration::from_millis(50);
const MOST: Duration = Duration::from_secs(2);

impl Backoff {
    /// Rests of somebody by this name.
    pub(crate) fn of(name: &str) -> Self {
        Self {
            tries: 0,
            seed: hash_of_key(name),
        }
    }

    /// The next rest.
    pub(crate) fn rest(&mut self) -> Duration {
        let grown = FIRST.saturating_mul(1 << self.tries.min(10)).min(MOST);
        self.tries += 1;
        self.seed = hash_of_key(&self.seed.to_string());
        // 16 bits are enough chance: from three quarters to five quarters.
        let chance = f64::from((self.seed >> 48) as u16) / f64::from(u16::MAX);
        grown.mul_f64(0.75 + chance / 2.0)
    }

    /// It worked.
    #[cfg(any(feature = "mqtt", feature = "redis", test))]
    pub(crate) const fn reset(&mut self) {
        self.tries = 0;
    }
}

#[cfg(any(feature = "nats", feature = "redis"))]
/// Asks until there is an answer; nothing when patience is over.
pub(crate) fn wait_for<T>(
    name: &str,
    mut what: impl FnMut() -> Result<Option<T>, StoreFault>,
) -> Result<Option<T>, StoreFault> {
    let end = Instant::now() + PATIENCE;
    let mut backoff = Backoff::of(name);
    loop {
        if let Some(answer) = what()? {
            return Ok(Some(answer));
        }
        let rest = backoff.rest();
        if Instant::now() + rest > end {
            return Ok(None);
        }
        std::thread::sleep(rest);
    }
}

/// Does something until it works, is refused for good, or patience is over.
pub(crate) fn insist<T>(
    name: &str,
    patience: Duration,
    mut what: impl FnMut() -> Result<T, StoreFault>,
) -> Result<T, StoreFault> {
    let end = Instant::now() + patience;
    let mut backoff = Backoff::of(name);
    loop {
        match what() {
            Err(fault) if fault.kind() == StoreFaultKind::Unavailable => {
                let rest = backoff.rest();
                if Instant::now() + rest > end {
                    return Err(fault);
                }
                std::thread::sleep(rest);
            }
            result => return result,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rests_grow_to_a_bound_and_differ() {
        let (mut one, mut two) = (Backoff::of("one"), Backoff::of("two"));
        let rests: Vec<_> = (0..12).map(|_| one.rest()).collect();
        assert!(rests[0] < Duration::from_millis(65) && rests[3] > rests[0] * 3);
        assert!(rests.iter().all(|rest| *rest <= MOST.mul_f64(1.25)));
        assert_ne!(rests[11], (0..12).map(|_| two.rest()).last().unwrap());
        one.reset();
        assert!(one.rest() < Duration::from_millis(65));
    }

    #[test]
    fn what_is_refused_for_good_is_not_tried_again() {
        let mut tries = 0;
        let refused = insist::<()>("x", PATIENCE, || {
            tries += 1;
            Err(StoreFault::new(StoreFaultKind::Unsupported, "no"))
        });
        assert_eq!(
            (tries, refused.unwrap_err().to_string().as_str()),
            (1, "no")
        );
        let gone = || Err::<(), _>(StoreFault::new(StoreFaultKind::Unavailable, "away"));
        assert!(insist("x", Duration::ZERO, gone).is_err());
    }
}

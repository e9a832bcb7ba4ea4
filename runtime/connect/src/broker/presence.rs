//! Whether a broker is there, and when one that is away is tried again.

use std::fmt::Display;
use std::time::Instant;

use parking_lot::Mutex;

use super::Address;
use super::patience::Backoff;

/// What is known of a broker; it tells once when that changes.
pub(crate) struct Presence {
    address: Address,
    session: String,
    state: Mutex<State>,
}

enum State {
    Up,
    Down {
        since: Instant,
        next: Instant,
        backoff: Backoff,
        reason: String,
    },
}

impl Presence {
    /// A broker that is believed to be there, and who asks.
    pub(crate) fn new(address: &Address, session: &str) -> Self {
        Self {
            address: address.clone(),
            session: session.to_owned(),
            state: Mutex::new(State::Up),
        }
    }

    /// Why it is not to be tried yet, if it was away a moment ago.
    pub(crate) fn rests(&self) -> Option<String> {
        match &*self.state.lock() {
            State::Down { next, reason, .. } if Instant::now() < *next => Some(reason.clone()),
            _ => None,
        }
    }

    /// It answered, or not.
    pub(crate) fn note(&self, error: Option<&dyn Display>) {
        let mut state = self.state.lock();
        match (&mut *state, error) {
            (State::Up, None) => {}
            (State::Down { since, .. }, None) => {
                let seconds = since.elapsed().as_secs();
                tracing::info!("`{}` is there again after {seconds} s", self.address);
                *state = State::Up;
            }
            (State::Up, Some(error)) => {
                tracing::warn!(
                    "`{}` cannot be reached: {error}; it is tried again",
                    self.address
                );
                let (since, mut backoff) = (Instant::now(), Backoff::of(&self.session));
                *state = State::Down {
                    since,
                    next: since + backoff.rest(),
                    backoff,
                    reason: error.to_string(),
                };
            }
            (
                State::Down {
                    next,
                    backoff,
                    reason,
                    ..
                },
                Some(error),
            ) => {
                *next = Instant::now() + backoff.rest();
                *reason = error.to_string();
            }
        }
    }
}

/// A name for this opening of a store that nobody else has.
pub(crate) fn session() -> String {
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::{SystemTime, UNIX_EPOCH};

    static OPENED: AtomicU64 = AtomicU64::new(0);
    let opened = OPENED.fetch_add(1, Ordering::Relaxed);
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.unwrap_or_default().as_nanos();
    let here = std::ptr::from_ref(&OPENED).addr();
    let seed = format!("{} {now} {opened} {here}", std::process::id());
    format!("{:016x}", paperflow_core::message::hash_of_key(&seed))
}

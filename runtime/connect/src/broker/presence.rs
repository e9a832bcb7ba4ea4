//! Whether a broker is there: one who tries at a time, after growing rests, and who is told when it changes.

use std::fmt::Display;
use std::time::{Duration, Instant};

use paperflow_core::connector::{Contact, ContactListener, StoreFault};
use parking_lot::Mutex;

use super::Address;
use super::address::Settings;
use super::patience::Backoff;
use crate::fault::unsupported;

/// How long a broker may take to answer, if its URL does not say.
const ANSWER: Duration = Duration::from_secs(10);

#[cfg(any(feature = "amqp", feature = "assigned", test))]
/// Whoever tries a broker and never notes what came of it keeps others from it for so long.
const TRY: Duration = Duration::from_secs(60);

/// How long a broker may take to answer: `timeout=SECONDS` in its URL. One that neither answers nor hangs
/// up is away after that.
///
/// # Errors
/// It is no number of seconds, or no time at all.
pub(crate) fn answer_time(settings: &mut Settings) -> Result<Duration, StoreFault> {
    match settings.seconds("timeout")? {
        Some(Duration::ZERO) => Err(unsupported("`timeout=0`: nobody answers in no time")),
        given => Ok(given.unwrap_or(ANSWER)),
    }
}

/// What is known of whether a broker is there.
pub(crate) struct Presence {
    address: Address,
    session: String,
    // Listeners are called while it is locked: they hear of changes in the order in which those happen.
    known: Mutex<Known>,
}

struct Known {
    state: State,
    listeners: Vec<ContactListener>,
}

enum State {
    There {
        heard: Instant,
    },
    Away {
        since: Instant,
        next: Instant,
        backoff: Backoff,
        reason: String,
    },
}

impl Presence {
    /// A broker that is believed to be there, and who asks: its rests follow from that.
    pub(crate) fn new(address: &Address, session: &str) -> Self {
        let heard = Instant::now();
        Self {
            address: address.clone(),
            session: session.to_owned(),
            known: Mutex::new(Known {
                state: State::There { heard },
                listeners: Vec::new(),
            }),
        }
    }

    /// Where it is.
    #[cfg(feature = "kafka")]
    pub(crate) fn address(&self) -> &Address {
        &self.address
    }

    #[cfg(any(feature = "amqp", feature = "assigned", test))]
    /// Why it is not to be tried yet, if it was away a moment ago. Whoever is told nothing tries it, and
    /// [notes](Self::note) what comes of it: meanwhile everybody else is refused.
    pub(crate) fn rests(&self) -> Option<String> {
        let State::Away { next, reason, .. } = &mut self.known.lock().state else {
            return None;
        };
        let now = Instant::now();
        if now < *next {
            return Some(reason.clone());
        }
        *next = now + TRY;
        None
    }

    /// It answered, or not.
    pub(crate) fn note(&self, error: Option<&dyn Display>) {
        match error {
            None => self.is_there(),
            Some(error) => self.is_away(Instant::now(), error),
        }
    }

    #[cfg(any(feature = "amqp", feature = "assigned", test))]
    /// It has not answered somebody who began to ask at this moment. Nothing follows from it when others
    /// have had an answer since.
    pub(crate) fn missed(&self, asked: Instant, error: &dyn Display) {
        self.is_away(asked, error);
    }

    fn is_there(&self) {
        let mut known = self.known.lock();
        let heard = Instant::now();
        let since = match std::mem::replace(&mut known.state, State::There { heard }) {
            State::There { .. } => return,
            State::Away { since, .. } => since,
        };
        let away = heard - since;
        tracing::info!("`{}` is there again after {away:.1?}", self.address);
        known.tell(&Contact::Back(away));
    }

    fn is_away(&self, asked: Instant, why: &dyn Display) {
        let mut known = self.known.lock();
        match &mut known.state {
            State::There { heard } if *heard > asked => return,
            State::There { .. } => {}
            State::Away {
                next,
                backoff,
                reason,
                ..
            } => {
                *next = Instant::now() + backoff.rest();
                *reason = why.to_string();
                return;
            }
        }
        let (since, mut backoff) = (Instant::now(), Backoff::of(&self.session));
        known.state = State::Away {
            since,
            next: since + backoff.rest(),
            backoff,
            reason: why.to_string(),
        };
        let told = self.told(&why.to_string());
        tracing::warn!("{told}; it is tried again");
        known.tell(&Contact::Lost(told));
    }

    /// Whoever listens is told when that changes, and now, if it is away.
    pub(crate) fn listen(&self, listener: ContactListener) {
        let mut known = self.known.lock();
        if let State::Away { reason, .. } = &known.state {
            listener(&Contact::Lost(self.told(reason)));
        }
        known.listeners.push(listener);
    }

    fn told(&self, why: &str) -> String {
        format!("`{}` cannot be reached: {why}", self.address)
    }
}

impl Known {
    fn tell(&self, contact: &Contact) {
        self.listeners.iter().for_each(|listener| listener(contact));
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::broker::Access;

    fn presence() -> (Presence, Arc<Mutex<Vec<String>>>) {
        let address = "redis://me:secret@h".parse().unwrap();
        let (presence, told) = (Presence::new(&address, "x"), Arc::new(Mutex::default()));
        let heard: Arc<Mutex<Vec<String>>> = Arc::clone(&told);
        presence.listen(Box::new(move |contact| {
            heard.lock().push(match contact {
                Contact::Lost(why) => why.clone(),
                Contact::Back(_) => String::from("back"),
            });
        }));
        (presence, told)
    }

    #[test]
    fn one_at_a_time_tries_a_broker_that_is_away() {
        let (presence, _) = presence();
        assert_eq!((presence.rests(), presence.rests()), (None, None));
        presence.note(Some(&"gone"));
        let begun = Instant::now();
        while presence.rests().is_some() {
            assert!(begun.elapsed() < Duration::from_secs(60));
            std::thread::yield_now();
        }
        assert_eq!(presence.rests(), Some(String::from("gone")));
        presence.note(None);
        assert_eq!(presence.rests(), None);
    }

    #[test]
    fn who_listens_hears_of_changes_once_and_of_no_secret() {
        let (presence, told) = presence();
        let before = Instant::now();
        while Instant::now() == before {}
        presence.note(None);
        presence.missed(before, &"for me");
        presence.note(Some(&"gone"));
        presence.missed(before, &"still gone");
        presence.note(None);
        let expected = ["`redis://h` cannot be reached: gone", "back"];
        assert_eq!(*told.lock(), expected);
    }

    #[test]
    fn the_time_for_an_answer_is_what_the_url_says() {
        let time = |url: &str| answer_time(&mut Access::new(url, false).unwrap().settings());
        assert_eq!(time("redis://h").unwrap(), ANSWER);
        assert_eq!(
            time("redis://h?timeout=0.5").unwrap(),
            Duration::from_millis(500)
        );
        assert!(time("redis://h?timeout=0").is_err());
    }
}

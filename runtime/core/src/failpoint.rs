//! Places where a test may end the program, or fail what is done, as if by accident.
//!
//! With the feature `failpoints` a place that is [`arm`]ed acts when it is reached for the n-th time;
//! without it, as in every program that people run, places cost nothing and cannot be armed.

/// Every place that can be armed, and what has happened when it is reached. `K1` and so on are the rows of
/// the table of faults that the kill ledger runs.
///
/// | place | reached when |
/// |---|---|
/// | `before_receive` | K0: a reader of a connector is about to ask for messages |
/// | `after_receive` | K1: messages were leased to a reader, and none is a packet yet |
/// | `before_invalid_copy` | K2: a message that cannot be read is about to be set aside |
/// | `after_admit` | K3: a packet was not handled before, and its process is about to get it |
/// | `in_turn` | K4: a process has worked, and what it sent has not reached its links |
/// | `before_commit` | K5: a process with kept tables has worked, and nothing of it is kept |
/// | `in_commit` | K6: a transaction of the embedded store is written and not committed |
/// | `after_commit` | K7: rows, what was handled and what follows are kept, and nothing was sent |
/// | `before_confirm` | K8: what was sent is in the store, and the sender does not know |
/// | `after_confirm` | K9: the sender knows, and holds what its messages follow from |
/// | `before_settle` | K10: nobody holds a delivery any more, and its store does not know |
/// | `settle_lost` | K11: the store was told, and has not written it |
/// | `after_retry` | K12: what failed is kept for its next delivery |
/// | `after_dead_letter` | K13: the copy of a message that is set aside is kept |
pub const PLACES: [&str; 14] = [
    "before_receive",
    "after_receive",
    "before_invalid_copy",
    "after_admit",
    "in_turn",
    "before_commit",
    "in_commit",
    "after_commit",
    "before_confirm",
    "after_confirm",
    "before_settle",
    "settle_lost",
    "after_retry",
    "after_dead_letter",
];

/// A place that can be armed, by name.
///
/// `failpoint!("after_commit")` may end the program; `failpoint!("commit", fault)` may also leave the
/// function with an error, which is what `fault` makes of a text.
#[macro_export]
macro_rules! failpoint {
    ($name:literal) => {
        #[cfg(feature = "failpoints")]
        let _ = $crate::failpoint::reach($name);
    };
    ($name:literal, $fault:expr) => {
        #[cfg(feature = "failpoints")]
        if let Some(message) = $crate::failpoint::reach($name) {
            return Err($fault(message));
        }
    };
}

#[cfg(feature = "failpoints")]
pub use armed::{Act, Action, Failpoint, arm, reach};

#[cfg(feature = "failpoints")]
mod armed {
    use std::collections::BTreeMap;
    use std::str::FromStr;
    use std::sync::{Mutex, PoisonError};

    /// What happens at a place.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Action {
        /// The program ends at once, as by `kill -9`: nothing is flushed, nobody is told.
        Kill,
        /// What was to be done fails.
        Fail,
        /// The program stops until somebody lets it go on (`SIGCONT`).
        Stop,
    }

    /// A place that is armed: `after_commit:kill@3`.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Failpoint {
        /// Its name.
        pub name: String,
        /// What happens there.
        pub action: Action,
        /// At which time that it is reached, from 1.
        pub at: u64,
    }

    impl FromStr for Failpoint {
        type Err = String;

        fn from_str(text: &str) -> Result<Self, String> {
            let wrong =
                || format!("`{text}` is no failpoint: write NAME:kill@N, :fail@N or :stop@N");
            let (name, rest) = text.split_once(':').ok_or_else(wrong)?;
            let (action, at) = rest.split_once('@').unwrap_or((rest, "1"));
            let action = match action {
                "kill" => Action::Kill,
                "fail" => Action::Fail,
                "stop" => Action::Stop,
                _ => return Err(wrong()),
            };
            let at = at.parse().ok().filter(|at| *at > 0).ok_or_else(wrong)?;
            if !super::PLACES.contains(&name) && !name.starts_with("test_") {
                let places = super::PLACES.join(", ");
                return Err(format!(
                    "there is no failpoint `{name}`; there are {places}"
                ));
            }
            let name = name.to_owned();
            Ok(Self { name, action, at })
        }
    }

    /// What is done to the program: to end it, or to stop it.
    pub type Act = fn(Action);

    /// The failpoints that are armed, and how often each was reached.
    static ARMED: Mutex<BTreeMap<String, (Failpoint, u64, Act)>> = Mutex::new(BTreeMap::new());

    /// Lets something happen at a place: a failure, or what `act` does. One that was armed before is
    /// armed anew.
    pub fn arm(failpoint: Failpoint, act: Act) {
        let mut armed = ARMED.lock().unwrap_or_else(PoisonError::into_inner);
        armed.insert(failpoint.name.clone(), (failpoint, 0, act));
    }

    /// A place is reached. Gives a text when what is done there is to fail.
    #[must_use]
    pub fn reach(name: &str) -> Option<String> {
        let (action, act) = {
            let mut armed = ARMED.lock().unwrap_or_else(PoisonError::into_inner);
            let (failpoint, reached, act) = armed.get_mut(name)?;
            *reached += 1;
            (*reached == failpoint.at).then_some((failpoint.action, *act))?
        };
        if action == Action::Fail {
            return Some(format!("failpoint {name}"));
        }
        act(action);
        None
    }
}

#[cfg(all(test, feature = "failpoints"))]
mod tests {
    use super::*;

    fn commit() -> Result<(), String> {
        crate::failpoint!("test_commit", |message: String| message);
        Ok(())
    }

    #[test]
    fn a_place_acts_at_the_time_it_was_armed_for_and_at_no_other() {
        arm("test_commit:fail@2".parse().unwrap(), |_| ());
        let results = [commit(), commit(), commit()];
        assert_eq!(results.map(|result| result.is_err()), [false, true, false]);
    }

    #[test]
    fn what_is_no_place_says_what_is() {
        let error = "after_comit:kill".parse::<Failpoint>().unwrap_err();
        assert!(error.contains("after_commit"), "{error}");
    }

    #[test]
    fn what_is_no_failpoint_says_what_is() {
        let error = "after_commit:explode".parse::<Failpoint>().unwrap_err();
        assert!(error.contains("NAME:kill@N"), "{error}");
    }
}

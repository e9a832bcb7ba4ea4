//! Places where a test may end the program, or fail what is done, as if by accident.
//!
//! With the feature `failpoints` a place that is [`arm`]ed acts when it is reached for the n-th time;
//! without it, as in every program that people run, places cost nothing and cannot be armed.

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
pub use armed::{Action, Failpoint, arm, reach};

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
            let name = name.to_owned();
            Ok(Self { name, action, at })
        }
    }

    /// The failpoints that are armed, and how often each was reached.
    static ARMED: Mutex<BTreeMap<String, (Failpoint, u64)>> = Mutex::new(BTreeMap::new());

    /// Lets something happen at a place. One that was armed before is armed anew.
    pub fn arm(failpoint: Failpoint) {
        let mut armed = ARMED.lock().unwrap_or_else(PoisonError::into_inner);
        armed.insert(failpoint.name.clone(), (failpoint, 0));
    }

    /// A place is reached. Gives a text when what is done there is to fail.
    #[must_use]
    pub fn reach(name: &str) -> Option<String> {
        let action = {
            let mut armed = ARMED.lock().unwrap_or_else(PoisonError::into_inner);
            let (failpoint, reached) = armed.get_mut(name)?;
            *reached += 1;
            (*reached == failpoint.at).then_some(failpoint.action)?
        };
        match action {
            Action::Kill => std::process::abort(),
            Action::Stop => stop(),
            Action::Fail => return Some(format!("failpoint {name}")),
        }
        None
    }

    /// Stops this program as from outside. There is no safe call for that in the standard library.
    fn stop() {
        let command = format!("kill -s STOP {}", std::process::id());
        let stopped = std::process::Command::new("sh")
            .args(["-c", &command])
            .status();
        assert!(stopped.is_ok_and(|status| status.success()), "cannot stop");
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
        arm("test_commit:fail@2".parse().unwrap());
        let results = [commit(), commit(), commit()];
        assert_eq!(results.map(|result| result.is_err()), [false, true, false]);
    }

    #[test]
    fn what_is_no_failpoint_says_what_is() {
        let error = "after_commit:explode".parse::<Failpoint>().unwrap_err();
        assert!(error.contains("NAME:kill@N"), "{error}");
    }
}

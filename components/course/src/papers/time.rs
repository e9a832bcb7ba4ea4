//! The time of day.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A time of day in the takeaway's world, `19:10`. It comes from the order, never from a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TimeOfDay(u16);

impl TimeOfDay {
    const DAY: u16 = 24 * 60;

    /// This many minutes later; after midnight it is the next day.
    #[must_use]
    pub fn later(self, minutes: u16) -> Self {
        Self((self.0 + minutes % Self::DAY) % Self::DAY)
    }

    /// Reads `HH:MM`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (hour, minute) = text.split_once(':')?;
        let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
        (hour < 24 && minute < 60).then_some(Self(hour * 60 + minute))
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

impl TryFrom<String> for TimeOfDay {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).ok_or_else(|| format!("{text:?} is not a time such as 19:10"))
    }
}

impl From<TimeOfDay> for String {
    fn from(time: TimeOfDay) -> Self {
        time.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::TimeOfDay;

    #[test]
    fn a_time_is_read_and_written_as_people_do_and_wraps_at_midnight() {
        let later =
            |text, minutes| TimeOfDay::parse(text).map(|time| time.later(minutes).to_string());
        assert_eq!(later("18:40", 30).as_deref(), Some("19:10"));
        assert_eq!(later("9:05", 0).as_deref(), Some("09:05"));
        assert_eq!(later("23:45", 30).as_deref(), Some("00:15"));
        assert_eq!(later("23:59", u16::MAX).as_deref(), Some("12:14"));
        assert_eq!(
            ["24:00", "12:60", "noon", "12", ""].map(TimeOfDay::parse),
            [None; 5]
        );
    }
}

//! What is known about a message that is set aside, as headers beside its own.

use paperflow_core::connector::{Disposition, Failure};
use paperflow_core::message::Id;

use crate::names;
use crate::queue::aside::{Reason, shortened};

/// The headers that tell why a message is set aside, but for the times.
pub(crate) fn why(
    disposition: Disposition,
    failure: Option<&Failure>,
    connector: &str,
    (id, attempts): (Id, u32),
) -> Vec<(&'static str, String)> {
    let reason = match disposition {
        Disposition::Invalid => Reason::Invalid,
        Disposition::Reject => Reason::Rejected,
        _ => Reason::Delivery,
    };
    let none = Failure::default();
    let failure = failure.unwrap_or(&none);
    let known = [
        (names::REASON, reason.word().to_owned()),
        (names::ERROR, shortened(&failure.message)),
        (names::PROCESS, failure.process.clone()),
        (names::COMPONENT, failure.component.clone()),
        (names::PORT, failure.port.clone().unwrap_or_default()),
        (names::CONNECTOR, connector.to_owned()),
        (names::ATTEMPTS, attempts.to_string()),
        (names::ID, id.to_string()),
    ];
    let known = known.into_iter().filter(|(_, value)| !value.is_empty());
    known.collect()
}

/// A time in milliseconds since 1970, as RFC 3339 writes it.
#[cfg(any(feature = "kafka", feature = "nats"))]
pub(crate) fn utc(millis: i64) -> String {
    let (days, rest) = (millis.div_euclid(86_400_000), millis.rem_euclid(86_400_000));
    let (year, month, day) = date(days);
    let (hours, minutes) = (rest / 3_600_000, rest / 60_000 % 60);
    let (seconds, millis) = (rest / 1000 % 60, rest % 1000);
    format!("{year:04}-{month:02}-{day:02}T{hours:02}:{minutes:02}:{seconds:02}.{millis:03}Z")
}

/// The date so many days after the start of 1970. Years begin in March here, so that the day that is not in
/// every year is the last one.
#[cfg(any(feature = "kafka", feature = "nats"))]
fn date(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let of_month = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (era * 400 + year + i64::from(month <= 2), month, of_month)
}

#[cfg(all(test, any(feature = "kafka", feature = "nats")))]
mod tests {
    use super::utc;

    #[test]
    fn times_are_written_in_utc() {
        assert_eq!(utc(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(utc(951_782_399_999), "2000-02-28T23:59:59.999Z");
        assert_eq!(utc(1_709_164_800_250), "2024-02-29T00:00:00.250Z");
        assert_eq!(utc(-1), "1969-12-31T23:59:59.999Z");
    }
}

//! The attributes an arrow may carry: the one table that parser, JSON reader, wiring and help share.

mod chaos;

use std::time::Duration;

use crate::plan::{Chaos, Retain};
use crate::similar::suggest;

/// What an attribute's value looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A whole number, at least the given one.
    Count(u64),
    /// A number with a unit of time: `250ms`, `5s`, `1.5h`.
    Duration,
    /// A number of bytes, with or without a unit: `500`, `64KiB`, `1MB`.
    Size,
    /// `fixed`, `exponential`, or a number from 1.
    Growth,
    /// An age, a size with a unit, or a number of messages: `7d`, `64MiB`, `1000`; or several of them.
    Retention,
    /// What goes wrong on purpose, each with its share, and a seed: `drop=20%, dup=5%, seed=7`.
    Chaos,
    /// `yes` or `no`.
    Switch,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Any word or quoted text that is not empty.
    Text,
}

/// The value of an attribute, understood.
#[derive(Clone, Debug, PartialEq)]
pub enum Setting {
    /// A whole number.
    Count(u64),
    /// A span of time.
    Time(Duration),
    /// A number of bytes.
    Bytes(u64),
    /// By how much something grows.
    Factor(f64),
    /// How long something is kept, and how much.
    Retain(Retain),
    /// What goes wrong on purpose.
    Chaos(Chaos),
    /// Yes or no.
    Switch(bool),
    /// A word or text.
    Text(String),
}

/// An attribute that may stand on an arrow.
#[derive(Clone, Copy, Debug)]
pub struct AttributeSpec {
    /// Its key.
    pub name: &'static str,
    /// The form of its value.
    pub form: Form,
    /// The kinds of arc it means something to.
    pub kinds: &'static [&'static str],
    /// One line about it.
    pub about: &'static str,
}

/// The kinds of arc, which stand on an arrow as bare words.
pub const KINDS: &[&str] = &[MEMORY, QUEUE, STREAM, PUBSUB];

const MEMORY: &str = "memory";
const QUEUE: &str = "queue";
const STREAM: &str = "stream";
const PUBSUB: &str = "pubsub";

/// The kinds that a store keeps.
const KEPT: &[&str] = &[QUEUE, STREAM, PUBSUB];

/// Every attribute an arrow may carry, in the order they are documented.
pub const ATTRIBUTES: &[AttributeSpec] = &[
    spec(
        "kind",
        Form::Choice(KINDS),
        KINDS,
        "the kind of arc; usually written as a bare word",
    ),
    spec(
        "capacity",
        Form::Count(1),
        KINDS,
        "how many packets fit; usually written as a bare number",
    ),
    spec(
        "bytes",
        Form::Size,
        &[QUEUE, PUBSUB],
        "how many bytes of payload fit",
    ),
    spec(
        "full",
        Form::Choice(&["wait", "drop-oldest", "drop-new", "divert"]),
        &[MEMORY],
        "what a writer meets when the link is full",
    ),
    spec(
        "divert",
        Form::Text,
        &[MEMORY],
        "the in-port, PROCESS.PORT, that takes what a full link refuses",
    ),
    spec(
        "via",
        Form::Text,
        KEPT,
        "the store that keeps the connector",
    ),
    spec(
        "name",
        Form::Text,
        KINDS,
        "the connector's name in its store",
    ),
    spec(
        "retries",
        Form::Count(0),
        KEPT,
        "how often a packet is tried again",
    ),
    spec(
        "delay",
        Form::Duration,
        KEPT,
        "how long a packet rests before it is tried again",
    ),
    spec(
        "backoff",
        Form::Growth,
        KEPT,
        "how the delay grows from one try to the next: fixed, exponential, or a factor",
    ),
    spec(
        "lease",
        Form::Duration,
        KEPT,
        "how long a reader may hold a packet without a sign of life",
    ),
    spec(
        "dead-letter",
        Form::Text,
        KEPT,
        "the queue for packets whose tries are used up",
    ),
    spec(
        "invalid",
        Form::Text,
        KEPT,
        "the queue for packets that cannot be read",
    ),
    spec(
        "key",
        Form::Text,
        &[STREAM],
        "the field that decides the order and the partition",
    ),
    spec(
        "partitions",
        Form::Count(1),
        &[STREAM],
        "how many partitions the stream has",
    ),
    spec(
        "group",
        Form::Text,
        &[STREAM],
        "the consumer group that shares the packets",
    ),
    spec(
        "on-error",
        Form::Choice(&["skip", "retry", "copy"]),
        &[STREAM],
        "what becomes of a stream's packet that fails",
    ),
    spec(
        "copy-to",
        Form::Text,
        &[STREAM],
        "the stream where `on-error=copy` puts the packet",
    ),
    spec(
        "retain",
        Form::Retention,
        &[STREAM],
        "how long or how much a stream keeps: `7d`, `64MiB` or `1000` packets",
    ),
    spec(
        "retained",
        Form::Switch,
        &[PUBSUB],
        "whether a late subscriber gets the last packet",
    ),
    spec(
        "chaos",
        Form::Chaos,
        KEPT,
        "what the arc does wrong on purpose, to try what a graph can bear: `drop=20%, dup=5%, seed=7`",
    ),
    spec(
        "pattern",
        Form::Choice(&["in-only", "out-only", "in-out", "out-in"]),
        KINDS,
        "the conversation the arrow belongs to; `in-out` expects an answer",
    ),
    spec(
        "intent",
        Form::Choice(&["command", "query", "value", "event"]),
        KINDS,
        "what a packet means: something to do, to tell, to hand over, or a fact",
    ),
    spec(
        "shape",
        Form::Choice(&["discrete", "series"]),
        KINDS,
        "whether each event is acted on by itself, or only their sequence",
    ),
    spec(
        "datatype",
        Form::Text,
        KINDS,
        "the one schema of what travels here",
    ),
    spec(
        "entity",
        Form::Text,
        KINDS,
        "what the packets are domain events of: all are applied, in order",
    ),
];

const fn spec(
    name: &'static str,
    form: Form,
    kinds: &'static [&'static str],
    about: &'static str,
) -> AttributeSpec {
    AttributeSpec {
        name,
        form,
        kinds,
        about,
    }
}

/// The attribute of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static AttributeSpec> {
    ATTRIBUTES.iter().find(|spec| spec.name == name)
}

impl Form {
    /// Whether a value has this form.
    #[must_use]
    pub fn fits(self, value: &str) -> bool {
        self.read(value).is_some()
    }

    /// What a value of this form says.
    #[must_use]
    pub fn read(self, value: &str) -> Option<Setting> {
        match self {
            Self::Count(least) => {
                let count = value.parse().ok().filter(|count| *count >= least);
                count.map(Setting::Count)
            }
            Self::Duration => duration(value).map(Setting::Time),
            Self::Size => bytes(value).filter(|size| *size > 0).map(Setting::Bytes),
            Self::Growth => growth(value).map(Setting::Factor),
            Self::Retention => retention(value).map(Setting::Retain),
            Self::Chaos => chaos::read(value).map(Setting::Chaos),
            Self::Switch => switch(value).map(Setting::Switch),
            Self::Choice(words) if !words.contains(&value) => None,
            Self::Text if value.is_empty() => None,
            Self::Choice(_) | Self::Text => Some(Setting::Text(String::from(value))),
        }
    }

    /// What to write instead of a value that does not fit.
    #[must_use]
    pub fn way_out(self, value: &str) -> String {
        let words = match self {
            Self::Count(least) => return format!("write a whole number, at least {least}"),
            Self::Choice(words) => words,
            Self::Growth => &["fixed", "exponential"],
            Self::Switch => SWITCH,
            Self::Duration => {
                return String::from("write a number and a unit, such as `250ms`, `5s` or `2h`");
            }
            Self::Size => return String::from("write a size such as `500`, `64KiB` or `1MB`"),
            Self::Retention => {
                return String::from("write an age, a size or a number: `7d`, `64MiB` or `1000`");
            }
            Self::Chaos => return chaos::way_out(value),
            Self::Text => return String::from("write a word, or text in double quotes"),
        };
        match suggest(value, words.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if self == Self::Growth => {
                String::from("write `fixed`, `exponential`, or a number from 1")
            }
            None => format!("write one of: {}", words.join(", ")),
        }
    }
}

const SWITCH: &[&str] = &["yes", "no"];

fn switch(value: &str) -> Option<bool> {
    match value {
        "yes" | "true" => Some(true),
        "no" | "false" => Some(false),
        _ => None,
    }
}

/// A number in front of a unit.
fn measured(value: &str) -> Option<(f64, &str)> {
    let digits = value.find(|letter: char| letter.is_ascii_alphabetic());
    let (number, unit) = value.split_at(digits.unwrap_or(value.len()));
    let number = number.trim_end();
    let starts = number.starts_with(|letter: char| letter.is_ascii_digit());
    let number = number
        .parse()
        .ok()
        .filter(|number: &f64| number.is_finite());
    number.filter(|_| starts).map(|number| (number, unit))
}

fn duration(value: &str) -> Option<Duration> {
    let (number, unit) = measured(value)?;
    let seconds = match unit {
        "ns" => 1e-9,
        "us" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        "d" => 86_400.0,
        _ => return None,
    };
    Duration::try_from_secs_f64(number * seconds).ok()
}

/// The largest whole number that is exact as a fraction.
const EXACT: f64 = 9_007_199_254_740_992.0;

fn bytes(value: &str) -> Option<u64> {
    let (number, unit) = measured(value)?;
    let size = match unit {
        "" | "B" => 1.0,
        "kB" | "KB" => 1e3,
        "MB" => 1e6,
        "GB" => 1e9,
        "TB" => 1e12,
        "KiB" => 1024.0,
        "MiB" => 1_048_576.0,
        "GiB" => 1_073_741_824.0,
        "TiB" => 1_099_511_627_776.0,
        _ => return None,
    };
    let size = number * size;
    (size <= EXACT && size.fract() == 0.0).then_some(size as u64)
}

fn growth(value: &str) -> Option<f64> {
    match value {
        "fixed" => Some(1.0),
        "exponential" => Some(2.0),
        _ => {
            let factor = value.parse().ok();
            factor.filter(|factor: &f64| factor.is_finite() && *factor >= 1.0)
        }
    }
}

fn retention(value: &str) -> Option<Retain> {
    let mut retain = Retain::default();
    let mut parts = value.split([',', ' ']).filter(|part| !part.is_empty());
    let all = parts.try_for_each(|part| {
        let is_new = if let Some(age) = duration(part) {
            retain.age.replace(age).is_none()
        } else if let Ok(messages) = part.parse() {
            retain.messages.replace(messages).is_none()
        } else {
            retain.bytes.replace(bytes(part)?).is_none()
        };
        is_new.then_some(())
    });
    all.filter(|()| retain != Retain::default())
        .map(|()| retain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_they_are_meant() {
        let time = |text| Form::Duration.read(text);
        assert_eq!(
            time("250ms"),
            Some(Setting::Time(Duration::from_millis(250)))
        );
        assert_eq!(time("1.5h"), Some(Setting::Time(Duration::from_secs(5400))));
        assert_eq!(time("5"), None);
        assert_eq!(Form::Size.read("64KiB"), Some(Setting::Bytes(65_536)));
        assert_eq!(Form::Size.read("0"), None);
        assert_eq!(Form::Growth.read("fixed"), Some(Setting::Factor(1.0)));
        assert_eq!(Form::Growth.read("exponential"), Some(Setting::Factor(2.0)));
        assert_eq!(Form::Growth.read("1.5"), Some(Setting::Factor(1.5)));
        assert_eq!(Form::Growth.read("0.5"), None);
        assert_eq!(Form::Switch.read("yes"), Some(Setting::Switch(true)));
    }

    #[test]
    fn retention_is_an_age_a_size_a_number_or_several_of_them() {
        let read = |text| match Form::Retention.read(text) {
            Some(Setting::Retain(retain)) => Some((retain.age, retain.bytes, retain.messages)),
            _ => None,
        };
        let week = Duration::from_secs(7 * 86_400);
        assert_eq!(read("7d"), Some((Some(week), None, None)));
        assert_eq!(read("64MiB"), Some((None, Some(64 << 20), None)));
        assert_eq!(read("1000"), Some((None, None, Some(1000))));
        let all = Some((Some(week), Some(64 << 20), Some(1000)));
        assert_eq!(read("7d, 64MiB, 1000"), all);
        assert_eq!(read("7d 8d"), None);
        assert_eq!(read("much"), None);
        assert_eq!(read(""), None);
    }
}

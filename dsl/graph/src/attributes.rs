//! The attributes an arrow may carry: the one table that parser, JSON reader and help share.

/// What an attribute's value looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A whole number, at least the given one.
    Count(u64),
    /// A number with a unit of time: `250ms`, `5s`, `1.5h`.
    Duration,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Any word or quoted text that is not empty.
    Text,
}

/// An attribute that may stand on an arrow.
#[derive(Clone, Copy, Debug)]
pub struct AttributeSpec {
    /// Its key.
    pub name: &'static str,
    /// The form of its value.
    pub form: Form,
    /// One line about it.
    pub about: &'static str,
}

/// The kinds of connector, which stand on an arrow as bare words.
pub const KINDS: &[&str] = &["memory", "queue", "stream", "pubsub"];

/// Every attribute an arrow may carry, in the order they are documented.
pub const ATTRIBUTES: &[AttributeSpec] = &[
    spec(
        "kind",
        Form::Choice(KINDS),
        "the kind of connector; usually written as a bare word",
    ),
    spec(
        "capacity",
        Form::Count(1),
        "how many packets fit; usually written as a bare number",
    ),
    spec(
        "full",
        Form::Choice(&["wait", "drop-oldest", "drop-new", "divert"]),
        "what a writer meets when the link is full",
    ),
    spec(
        "divert",
        Form::Text,
        "the in-port, PROCESS.PORT, that takes what a full link refuses",
    ),
    spec("via", Form::Text, "the store that keeps the connector"),
    spec("name", Form::Text, "the connector's name in its store"),
    spec(
        "retries",
        Form::Count(0),
        "how often a packet is tried again",
    ),
    spec(
        "delay",
        Form::Duration,
        "how long a packet rests before it is tried again",
    ),
    spec(
        "backoff",
        Form::Text,
        "how the delay grows from one try to the next",
    ),
    spec(
        "lease",
        Form::Duration,
        "how long a reader may hold a packet without settling it",
    ),
    spec(
        "dead-letter",
        Form::Text,
        "the queue for packets whose tries are used up",
    ),
    spec(
        "invalid",
        Form::Text,
        "the queue for packets that cannot be read",
    ),
    spec(
        "key",
        Form::Text,
        "the field that decides the order and the partition",
    ),
    spec(
        "partitions",
        Form::Count(1),
        "how many partitions the stream has",
    ),
    spec(
        "group",
        Form::Text,
        "the consumer group that shares the packets",
    ),
    spec(
        "on-error",
        Form::Choice(&["skip", "retry", "copy"]),
        "what becomes of a stream's packet that fails",
    ),
    spec(
        "copy-to",
        Form::Text,
        "where `on-error=copy` puts the packet",
    ),
    spec("retain", Form::Text, "how long or how much a stream keeps"),
    spec(
        "retained",
        Form::Text,
        "whether a late subscriber gets the last packet",
    ),
    spec(
        "pattern",
        Form::Choice(&["in-only", "out-only", "in-out", "out-in"]),
        "the conversation the arrow belongs to; `in-out` expects an answer",
    ),
];

const fn spec(name: &'static str, form: Form, about: &'static str) -> AttributeSpec {
    AttributeSpec { name, form, about }
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
        match self {
            Self::Count(least) => value.parse::<u64>().is_ok_and(|count| count >= least),
            Self::Duration => is_duration(value),
            Self::Choice(words) => words.contains(&value),
            Self::Text => !value.is_empty(),
        }
    }
}

fn is_duration(value: &str) -> bool {
    const UNITS: &[&str] = &["ns", "us", "ms", "s", "m", "min", "h", "d"];
    let digits = value
        .find(|letter: char| letter.is_ascii_alphabetic())
        .unwrap_or(value.len());
    let (number, unit) = value.split_at(digits);
    let number = number.trim_end();
    number.starts_with(|letter: char| letter.is_ascii_digit())
        && number.parse::<f64>().is_ok_and(f64::is_finite)
        && UNITS.contains(&unit)
}

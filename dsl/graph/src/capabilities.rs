//! What queues, streams and publish-subscribe are good for, and what stores can do with them.
//!
//! The first two tables are those of the course (mission T14); `check` compares with them what a graph
//! says its messages are and asks of its arcs. The third says which store can do what.

use crate::plan::{Connector, ConnectorKind, Intent, Shape};

/// Whether something is to be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// It is.
    Yes,
    /// It is, under a condition.
    Sometimes(&'static str),
    /// It is not.
    No,
}

impl Mark {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::Sometimes(_) => "sometimes",
            Self::No => "no",
        }
    }
}

/// A line of a table: what it is about, and the marks of queue, stream and pubsub.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// What is asked.
    pub name: &'static str,
    /// By kind, in the order of [`KINDS`].
    pub marks: [Mark; 3],
}

/// The columns of the tables.
pub const KINDS: [ConnectorKind; 3] = [
    ConnectorKind::Queue,
    ConnectorKind::Stream,
    ConnectorKind::Pubsub,
];

/// Which messages belong on which kind.
pub const MESSAGES: [Row; 3] = [
    Row {
        name: "messaging",
        marks: [Mark::Yes, Mark::No, Mark::No],
    },
    Row {
        name: "discrete events",
        marks: [Mark::Yes, Mark::Yes, Mark::Yes],
    },
    Row {
        name: "series of events",
        marks: [Mark::No, Mark::Yes, Mark::No],
    },
];

/// What each kind does with them.
pub const SERVICES: [Row; 3] = [
    Row {
        name: "ordering",
        marks: [
            Mark::Sometimes("with one consumer, and without delayed requeue"),
            Mark::Yes,
            Mark::Sometimes("for each subscriber, if its store keeps it"),
        ],
    },
    Row {
        name: "replay",
        marks: [Mark::No, Mark::Yes, Mark::No],
    },
    Row {
        name: "delayed requeue",
        marks: [
            Mark::Yes,
            Mark::No,
            Mark::Sometimes("if its store keeps a queue for each subscriber"),
        ],
    },
];

/// The mark of a row for a kind.
#[must_use]
pub fn mark(row: &Row, kind: ConnectorKind) -> Mark {
    let column = KINDS.iter().position(|other| *other == kind);
    column.map_or(Mark::No, |column| row.marks[column])
}

/// The row of messages with this intent and shape.
#[must_use]
pub fn row(intent: Option<Intent>, shape: Option<Shape>) -> Option<&'static Row> {
    match (intent, shape) {
        (Some(Intent::Command | Intent::Query | Intent::Value), _) => Some(&MESSAGES[0]),
        (_, Some(Shape::Discrete)) => Some(&MESSAGES[1]),
        (_, Some(Shape::Series)) => Some(&MESSAGES[2]),
        (_, None) => None,
    }
}

/// What a store can do with a kind of connector by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Can {
    /// A message rests before its next delivery.
    pub delays: bool,
    /// What has been read can be read again.
    pub replays: bool,
    /// Order is kept, within a partition.
    pub orders: bool,
    /// A message that is sent again with its id is known.
    pub knows_ids: bool,
    /// Messages, settlements and rows are written together or not at all.
    pub transactions: bool,
    /// A new subscriber can have the last message.
    pub retains: bool,
    /// So many records can be kept, whatever their size and age.
    pub counts: bool,
}

/// A store, by what its URL begins with.
#[derive(Clone, Copy, Debug)]
pub struct StoreSpec {
    /// What its URL begins with.
    pub schemes: &'static [&'static str],
    /// What people call it.
    pub name: &'static str,
    /// The feature of the build that reaches it.
    pub feature: &'static str,
    /// Whether it keeps tables.
    pub tables: bool,
    /// What it can do with each kind; nothing for a kind that it cannot keep.
    pub can: [Option<Can>; 3],
}

const NOTHING: Can = Can {
    delays: false,
    replays: false,
    orders: false,
    knows_ids: false,
    transactions: false,
    retains: false,
    counts: false,
};

/// A log whose messages are read again from any offset.
const LOG: Can = Can {
    replays: true,
    orders: true,
    ..NOTHING
};

/// The store of connectors that name none.
pub const EMBEDDED: StoreSpec = StoreSpec {
    schemes: &["sqlite"],
    name: "embedded",
    feature: "sqlite",
    tables: true,
    can: [
        Some(Can {
            delays: true,
            orders: true,
            knows_ids: true,
            transactions: true,
            ..NOTHING
        }),
        Some(Can {
            knows_ids: true,
            transactions: true,
            counts: true,
            ..LOG
        }),
        Some(Can {
            delays: true,
            orders: true,
            knows_ids: true,
            transactions: true,
            retains: true,
            ..NOTHING
        }),
    ],
};

/// Every store that is known.
pub const STORES: [StoreSpec; 6] = [
    EMBEDDED,
    StoreSpec {
        schemes: &["amqp", "amqps"],
        name: "RabbitMQ",
        feature: "amqp",
        tables: false,
        can: [
            Some(Can {
                delays: true,
                orders: true,
                ..NOTHING
            }),
            Some(LOG),
            Some(Can {
                delays: true,
                orders: true,
                ..NOTHING
            }),
        ],
    },
    StoreSpec {
        schemes: &["kafka"],
        name: "Kafka",
        feature: "kafka",
        tables: false,
        can: [None, Some(LOG), None],
    },
    StoreSpec {
        schemes: &["nats", "tls+nats"],
        name: "NATS",
        feature: "nats",
        tables: false,
        can: [
            Some(Can {
                delays: true,
                orders: true,
                knows_ids: true,
                ..NOTHING
            }),
            Some(Can {
                knows_ids: true,
                counts: true,
                ..LOG
            }),
            Some(Can {
                delays: true,
                orders: true,
                knows_ids: true,
                retains: true,
                ..NOTHING
            }),
        ],
    },
    StoreSpec {
        schemes: &["redis", "rediss"],
        name: "Redis",
        feature: "redis",
        tables: false,
        can: [
            Some(Can {
                delays: true,
                orders: true,
                knows_ids: true,
                ..NOTHING
            }),
            Some(Can {
                knows_ids: true,
                counts: true,
                ..LOG
            }),
            Some(Can {
                delays: true,
                orders: true,
                knows_ids: true,
                retains: true,
                ..NOTHING
            }),
        ],
    },
    StoreSpec {
        schemes: &["mqtt", "mqtts"],
        name: "MQTT",
        feature: "mqtt",
        tables: false,
        can: [
            None,
            None,
            Some(Can {
                delays: true,
                orders: true,
                retains: true,
                ..NOTHING
            }),
        ],
    },
];

impl StoreSpec {
    /// The store whose URL begins with this.
    #[must_use]
    pub fn of(scheme: &str) -> Option<&'static Self> {
        STORES.iter().find(|store| store.schemes.contains(&scheme))
    }

    /// What it can do with a kind.
    #[must_use]
    pub fn with(&self, kind: ConnectorKind) -> Option<Can> {
        let column = KINDS.iter().position(|other| *other == kind)?;
        self.can[column]
    }
}

impl Can {
    /// What a connector asks for and this is not able to do, in the words of its arrow.
    #[must_use]
    pub fn lacks(&self, wanted: &Connector) -> Vec<&'static str> {
        let waits = wanted.delay.is_some_and(|delay| !delay.is_zero());
        let delayed = waits && wanted.kind != ConnectorKind::Stream && !self.delays;
        let asked = [
            ("delay", delayed),
            ("key", wanted.key.is_some() && !self.orders),
            ("retained=yes", wanted.retained && !self.retains),
            (
                "retain=NUMBER",
                wanted.retain.messages.is_some() && !self.counts,
            ),
        ];
        let missing = asked.into_iter().filter(|(_, is_missing)| *is_missing);
        missing.map(|(what, _)| what).collect()
    }
}

//! Headers that a store adds. Those that begin with `failure` are added to a message that is set aside, and
//! taken from it when it is sent again.

/// `delivery-error`, `rejected` or `invalid`.
pub const REASON: &str = "failure-reason";
/// What happened, at most 1000 characters.
pub const ERROR: &str = "failure-error";
/// The process that failed.
pub const PROCESS: &str = "failure-process";
/// Its component.
pub const COMPONENT: &str = "failure-component";
/// The port where the packet was received.
pub const PORT: &str = "failure-port";
/// The connector that the message was in.
pub const CONNECTOR: &str = "failure-connector";
/// How often it was delivered.
pub const ATTEMPTS: &str = "failure-attempts";
/// When it failed first, in UTC.
pub const FIRST: &str = "failure-first";
/// When it failed last, in UTC.
pub const LAST: &str = "failure-last";
/// Its identity.
pub const ID: &str = "failure-id";
/// The partition of the stream that the record lies in.
pub const PARTITION: &str = "failure-partition";
/// The record's offset there.
pub const OFFSET: &str = "failure-offset";
/// The group that read it.
pub const GROUP: &str = "failure-group";
/// `true` on a record of a stream that is delivered again because its group was sent back to it.
pub const REPLAYED: &str = "replayed";

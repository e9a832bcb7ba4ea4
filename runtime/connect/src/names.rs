//! Headers that are added to a message that is set aside, and taken from it when it is sent again.

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

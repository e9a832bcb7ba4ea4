//! Graph JSON: the form that flow-based tools exchange.
//!
//! Shape and order of keys are those of the reference parser. What that form has no place for goes
//! where its schema leaves room: attributes of an arrow into the connection's `metadata`, a trace
//! mark into the process's, the text with its comments into `properties.paperflow`.

mod lossless;
mod read;
mod tree;
mod write;

pub use lossless::{lossless_text, to_json_lossless};
pub use read::from_json;
pub use write::{JsonOptions, to_json, to_json_text};

/// The property that holds what only Paperflow knows.
const OWN: &str = "paperflow";

/// The key of the text in it.
const TEXT: &str = "text";

/// The key of a process's metadata that marks it as traced.
const TRACE: &str = "trace";

#[cfg(test)]
mod tests;

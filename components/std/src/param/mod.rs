//! What parameters are read into. Each says in one sentence what it expected instead.

mod amount;
mod condition;
mod field;
mod keys;
mod letter;
mod literal;
mod operation;
mod pattern;
mod size;

pub(crate) use amount::{Amount, parse as number};
pub(crate) use condition::Condition;
pub(crate) use field::{Field, Fields};
pub(crate) use keys::Keys;
pub(crate) use letter::Letter;
pub(crate) use literal::Literal;
pub(crate) use operation::Operation;
pub(crate) use pattern::Pattern;
pub(crate) use size::{Count, Size};

use paperflow_core::{Fault, Packet};

/// The fault of a parameter; the activation adds its name.
fn expected<T>(what: &str, packet: &Packet) -> Result<T, Fault> {
    Err(Fault::new(format!("expected {what}, got {packet:?}")))
}

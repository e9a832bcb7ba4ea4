//! What is known about a message that is set aside, as headers beside its own.

use paperflow_core::connector::{Declaration, Disposition, Failure, StoreFault};
use paperflow_core::message::Id;

use crate::fault::unsupported;
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

/// Whether what is set aside goes elsewhere.
///
/// # Errors
/// A connector is to be where its own messages are set aside.
pub(crate) fn is_elsewhere(declaration: &Declaration) -> Result<(), StoreFault> {
    let Declaration { name, kind, .. } = declaration;
    if [declaration.dead_letter_name(), declaration.invalid_name()].contains(name) {
        return Err(unsupported(format!(
            "the {kind} `{name}` cannot be where its own messages are set aside"
        )));
    }
    Ok(())
}

//! The borders of a subnet that lives once for every group.

mod in_ss;
mod out_ss;

use paperflow_core::Catalogue;

/// Classic name, and the component it stands for.
const ALIASES: [(&str, &str); 2] = [("SubInSS", "subnet/in-ss"), ("SubOutSS", "subnet/out-ss")];

/// The components of this area.
pub(crate) fn catalogue() -> Catalogue {
    let catalogue = Catalogue::new().with(in_ss::in_ss).with(out_ss::out_ss);
    ALIASES.iter().fold(catalogue, |catalogue, (alias, name)| {
        catalogue.alias(alias, name)
    })
}

use paperflow_core::{Packet, component};

/// Drops every packet, brackets too.
#[component("flow/drop", work = compute)]
#[example(input = [1, 2, open, close])]
pub(crate) fn drop(
    /// What nobody wants.
    input: Packet,
) {
    std::mem::drop(input);
}

use paperflow_core::{Closed, Out, Packet, Param, component};

/// Sends one packet with the value of a parameter.
#[component("flow/inject", work = compute, repeats)]
#[example(constant = "start", out = ["start"])]
pub(crate) async fn inject(
    /// What to send.
    #[port("CONST")]
    constant: Param<Packet>,
    /// The one packet.
    out: Out<Packet>,
) -> Result<(), Closed> {
    out.send(constant.into_inner()).await
}

use paperflow_core::{Closed, In, Out, Packet, Param, component};

/// Puts brackets around what a subnet sends in one activation.
///
/// The group is empty when nothing comes.
#[component("subnet/out-ss", work = compute, must_run, again, forgets)]
#[example(input = [1, open, 2, close], out = [open, 1, open, 2, close, close])]
#[example(input = [], out = [open, close])]
pub(crate) async fn out_ss(
    /// The inner stream.
    input: In<Packet>,
    /// Name of the subnet's out-port.
    #[port("NAME")]
    label: Param<Option<String>>,
    /// The outer stream.
    out: Out<Packet>,
) -> Result<(), Closed> {
    let _ = label;
    out.send(Packet::open()).await?;
    while let Some(packet) = input.next().await {
        out.send(packet).await?;
    }
    out.send(Packet::close()).await
}

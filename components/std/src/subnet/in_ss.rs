use paperflow_core::{Closed, In, Kind, Out, Packet, Param, component};

/// Lets one group of the outer stream into a subnet per activation.
///
/// The outermost brackets are dropped and stand for start and end of the inner stream; those further
/// inside pass, at any depth. Packets before the open bracket pass into the activation they come in.
/// The activation ends at the outermost close bracket, or with the stream, and the next group starts
/// the next one.
#[component("subnet/in-ss", work = compute, again)]
#[example(input = ["x", open, 1, open, 2, close, close], out = ["x", 1, open, 2, close])]
pub(crate) async fn in_ss(
    /// The outer stream.
    input: In<Packet>,
    /// Name of the subnet's in-port.
    #[port("NAME")]
    label: Param<Option<String>>,
    /// The inner stream.
    out: Out<Packet>,
) -> Result<(), Closed> {
    let _ = label;
    let mut level = 0_usize;
    while let Some(packet) = input.next().await {
        match packet.kind() {
            Kind::Open => level += 1,
            Kind::Close if level <= 1 => return Ok(()),
            Kind::Close => level -= 1,
            _ => {
                out.send(packet).await?;
                continue;
            }
        }
        let is_outermost = packet.kind() == Kind::Open && level == 1;
        if !is_outermost {
            out.send(packet).await?;
        }
    }
    Ok(())
}

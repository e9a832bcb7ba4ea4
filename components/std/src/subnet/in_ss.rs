use paperflow_core::{In, Kind, Out, Packet, Param, component};

/// Lets one group of the outer stream into a subnet per activation.
///
/// The outermost brackets are dropped and stand for start and end of the inner stream; those further
/// inside pass, at any depth. Packets before the open bracket pass into the activation they come in.
/// The activation ends at the outermost close bracket, or with the stream, and the next group starts
/// the next one. When the receiver leaves early the rest of the group is dropped.
#[component("subnet/in-ss", work = compute, again, forgets)]
#[example(input = ["x", open, 1, open, 2, close, close], out = ["x", 1, open, 2, close])]
pub(crate) async fn in_ss(
    /// The outer stream.
    input: In<Packet>,
    /// Name of the subnet's in-port.
    #[port("NAME")]
    label: Param<Option<String>>,
    /// The inner stream.
    out: Out<Packet>,
) {
    let _ = label;
    let mut level = 0_usize;
    let mut has_receiver = true;
    while let Some(packet) = input.next().await {
        let kind = packet.kind();
        match kind {
            Kind::Open => level += 1,
            Kind::Close if level <= 1 => return,
            Kind::Close => level -= 1,
            _ => {}
        }
        let is_outermost = kind == Kind::Open && level == 1;
        if has_receiver && !is_outermost {
            has_receiver = out.send(packet).await.is_ok();
        }
    }
}

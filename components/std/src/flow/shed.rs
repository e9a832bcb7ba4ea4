use paperflow_core::{Closed, Fault, In, Out, Packet, Param, Parameter, component};

/// What a component does when there is no room before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WhenFull {
    /// Waits for room.
    Halt,
    /// Goes on without.
    Ignore,
}

impl Parameter for WhenFull {
    const PARSES: &'static str = "text";

    fn read(packet: &Packet) -> Result<Self, Fault> {
        match packet.to_string().trim() {
            "halt" => Ok(Self::Halt),
            "ignore" => Ok(Self::Ignore),
            _ => Err(Fault::new(format!(
                "expected halt or ignore, got {packet:?}"
            ))),
        }
    }
}

/// Looks whether there is room before it sends, and decides what to do when there is none.
///
/// POLICY `halt` waits, and slows its sender down: nothing is lost, but all comes later. POLICY
/// `ignore` goes on: what does not fit goes to SPILL, or is dropped when nobody reads that, and the
/// sender is never held up, unless SPILL is full. COUNT tells at the end how many did not fit.
/// Brackets take part like data.
///
/// The same choice without a component is made on the arrow: `full=wait` or `full=drop-new`.
#[component("flow/shed", work = compute)]
#[example(input = ["a"], out = ["a"], total = [0])]
#[example(policy = "halt", input = ["a", "b"], out = ["a", "b"])]
pub(crate) async fn shed(
    /// The stream.
    input: In<Packet>,
    /// `halt` or `ignore`.
    #[default("ignore")]
    policy: Param<WhenFull>,
    /// What there was room for.
    out: Out<Packet>,
    /// What there was no room for.
    #[optional]
    spill: Out<Packet>,
    /// How many packets there was no room for.
    #[optional]
    #[port("COUNT")]
    #[at_end]
    total: Out<i64>,
) -> Result<(), Closed> {
    let mut shed = 0_i64;
    let mut has_spill = spill.is_connected();
    while let Some(packet) = input.next().await {
        if *policy == WhenFull::Halt || out.has_room() {
            out.send(packet).await?;
            continue;
        }
        shed += 1;
        if has_spill {
            has_spill = spill.send(packet).await.is_ok();
        }
    }
    out.close();
    total.send(shed).await
}

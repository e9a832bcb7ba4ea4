use paperflow_core::{Fault, In, Kind, Out, Packet, component};

use crate::sink::Sink;

/// Writes each packet as a line on standard output.
///
/// Text and bytes are written as they are, numbers in decimal, records as JSON; headers are not
/// shown. A bracket is a line with its level, `OPEN(1)` or `CLOSE(1)`. When OUT is connected a packet
/// is passed on once it has been written; otherwise lines are written in batches, at the latest before
/// the process waits.
///
/// When nobody reads standard output any more the process ends, without a fault and without taking
/// what is left.
#[component("console/write", work = thread)]
#[example(input = ["to be", 7], out = ["to be", 7])]
pub(super) async fn write(
    /// Anything.
    input: In<Packet>,
    /// Every packet, written.
    #[optional]
    out: Out<Packet>,
) -> Result<(), Fault> {
    show(Sink::stdout(), &input, &out).await
}

/// Shows every packet and passes it on.
pub(super) async fn show(
    mut sink: Sink,
    input: &In<Packet>,
    out: &Out<Packet>,
) -> Result<(), Fault> {
    let mut level = 0;
    while let Some(packet) = sink.next(input, out).await? {
        match packet.kind() {
            Kind::Open | Kind::Close => sink.line(bracket(packet.kind(), &mut level))?,
            Kind::Object => sink.line(packet.to_string())?,
            _ => sink.packet(&packet)?,
        }
        sink.done(packet, out).await?;
    }
    sink.write_out(out).await
}

fn bracket(kind: Kind, level: &mut u64) -> String {
    if kind == Kind::Open {
        *level += 1;
        return format!("OPEN({level})");
    }
    let shown = format!("CLOSE({level})");
    *level = level.saturating_sub(1);
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_are_shown_with_their_level() {
        let mut level = 0;
        let kinds = [
            Kind::Open,
            Kind::Open,
            Kind::Close,
            Kind::Close,
            Kind::Close,
            Kind::Open,
        ];
        let shown = kinds.map(|kind| bracket(kind, &mut level));
        assert_eq!(
            shown,
            [
                "OPEN(1)", "OPEN(2)", "CLOSE(2)", "CLOSE(1)", "CLOSE(0)", "OPEN(1)"
            ]
        );
    }
}

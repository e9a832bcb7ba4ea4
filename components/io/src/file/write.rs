use paperflow_core::{Fault, In, Out, Packet, Param, component};

use crate::sink::Sink;

/// Writes each packet as a line of a file.
///
/// Text and bytes are written as they are, numbers in decimal, records as JSON. A file holds data:
/// brackets are passed on and leave no line. The file is made even when no packet comes, and replaced
/// unless APPEND is set, also after a crash: behind a store it should be. When OUT is connected a packet
/// is passed on once it has been written; otherwise lines are written in batches, at the latest before
/// the process waits.
///
/// A file that cannot be written is a fault that names it. A closed pipe is none: the process ends.
#[component("file/write", work = thread, must_run, renews)]
#[example(input = ["to be", 7], destination = "/dev/null", out = ["to be", 7])]
pub(super) async fn write(
    /// Anything but values of a Rust type.
    input: In<Packet>,
    /// The file to write; `-` is standard output.
    destination: Param<String>,
    /// Whether to go on behind what is in the file.
    #[default("false")]
    #[keeps]
    append: Param<bool>,
    /// Every packet, written.
    #[optional]
    out: Out<Packet>,
) -> Result<(), Fault> {
    let mut sink = Sink::open(&destination, *append)?;
    while let Some(packet) = sink.next(&input, &out).await? {
        if !packet.is_bracket()
            && let Err(fault) = sink.packet(&packet)
        {
            return Err(sink.fails(fault, &out).await);
        }
        sink.done(packet, &out).await?;
    }
    sink.write_out(&out).await
}

use paperflow_core::{Fault, In, Kind, Out, Packet, Param, component};

use crate::sink::Sink;

/// Writes each packet as a line of JSON.
///
/// Text becomes a JSON string, numbers, records and null what they are. A file holds data: brackets
/// are passed on and leave no line. Bytes and values of a Rust type have no form in JSON and are a
/// fault. The file is made even when no packet comes, and replaced unless APPEND is set. When OUT is
/// connected a packet is passed on once it has been written.
///
/// A file that cannot be written is a fault that names it. A closed pipe is none: the process ends.
#[component("file/write-json-lines", work = thread, must_run, renews)]
#[example(input = [{ "dish": "Korma" }], destination = "/dev/null", out = [{ "dish": "Korma" }])]
pub(super) async fn write_json_lines(
    /// Anything that has a form in JSON.
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
        match packet.kind() {
            Kind::Open | Kind::Close => {}
            Kind::Bytes | Kind::Object => {
                let fault = sink.blame(&no_json(&packet));
                return Err(sink.fails(fault, &out).await);
            }
            _ => sink.line(packet.to_json().to_string())?,
        }
        sink.done(packet, &out).await?;
    }
    sink.write_out(&out).await
}

fn no_json(packet: &Packet) -> String {
    format!("{} has no form in JSON", packet.kind().word())
}

use paperflow_core::{Fault, In, Kind, Out, Packet, component};
use serde_json::Value as Json;

/// Makes one array of each group, or of a whole stream.
///
/// A group becomes an array in its place, and a group inside it an array inside that one. Packets
/// outside all groups make an array when the stream ends, or before the next group. An empty stream is
/// an empty array. Objects of a program's own type are a fault, and so are brackets that do not match.
#[component("record/to-array", work = compute, must_run, forgets)]
#[example(input = [1, "a", {"b": 2}], out = [[1, "a", {"b": 2}]])]
#[example(input = [open, 1, open, 2, close, close, open, close, 3], out = [[1, [2]], [], [3]])]
#[example(input = [], out = [[]])]
pub(crate) async fn to_array(
    /// The stream.
    input: In<Packet>,
    /// The arrays.
    #[at_end]
    out: Out<Packet>,
) -> Result<(), Fault> {
    let mut layers: Vec<Vec<Json>> = vec![Vec::new()];
    let mut is_told = false;
    while let Some(packet) = input.next().await {
        match packet.kind() {
            Kind::Open if layers.len() == 1 && !layers[0].is_empty() => {
                let before = layers.pop().unwrap_or_default();
                out.send(Packet::json(before.into())).await?;
                layers.extend([Vec::new(), Vec::new()]);
                is_told = true;
            }
            Kind::Open => layers.push(Vec::new()),
            Kind::Close => {
                let Some(array) = layers.pop().filter(|_| !layers.is_empty()) else {
                    return Err(Fault::new("got a close bracket without its open bracket"));
                };
                match layers.len() {
                    1 => {
                        drop(packet);
                        out.send(Packet::json(array.into())).await?;
                        is_told = true;
                    }
                    _ => add(&mut layers, array.into()),
                }
            }
            Kind::Object => return Err(Fault::new("an object cannot be written as JSON")),
            _ => add(&mut layers, packet.to_json()),
        }
    }
    let rest = layers.pop().unwrap_or_default();
    if !layers.is_empty() {
        return Err(Fault::new("the stream ends inside a group"));
    }
    if !is_told || !rest.is_empty() {
        out.send(Packet::json(rest.into())).await?;
    }
    Ok(())
}

fn add(layers: &mut [Vec<Json>], value: Json) {
    if let Some(innermost) = layers.last_mut() {
        innermost.push(value);
    }
}

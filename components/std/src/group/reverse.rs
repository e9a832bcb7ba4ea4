use paperflow_core::{Fault, Got, In, Kind, Out, Packet, component};

/// Turns the order of the items in each group around.
///
/// An item is a packet, or a group inside the group, which moves as a whole and is turned around in
/// itself too. Packets outside all groups pass as they come. A group is held until it is complete; a
/// stream that ends inside one is a fault, and so is a close bracket without its open bracket.
#[component("group/reverse", work = compute)]
#[example(input = [open, 1, 2, 3, close, open, close], out = [open, 3, 2, 1, close, open, close])]
#[example(input = [1, 2, open, 3, open, 4, 5, close, close], out = [1, 2, open, open, 5, 4, close, 3, close])]
pub(crate) async fn reverse(
    /// Groups.
    input: In<Packet>,
    /// The same groups, turned around.
    out: Out<Packet>,
) -> Result<(), Fault> {
    let mut layers: Vec<Layer> = Vec::new();
    while let Some(packet) = input.next().await {
        let item = match packet.kind() {
            Kind::Open => {
                layers.push(Layer::new(packet));
                continue;
            }
            Kind::Close => layers
                .pop()
                .map(|layer| layer.turn(packet))
                .ok_or_else(|| Fault::new("got a close bracket without its open bracket"))?,
            _ => vec![packet],
        };
        match layers.last_mut() {
            Some(layer) => layer.items.push(item),
            None => {
                for packet in item {
                    out.send(packet).await?;
                }
            }
        }
    }
    match layers.is_empty() {
        true => Ok(()),
        false => Err(Fault::new("the stream ends inside a group")),
    }
}

/// A group that is not complete yet.
struct Layer {
    open: Got<Packet>,
    items: Vec<Vec<Got<Packet>>>,
}

impl Layer {
    const fn new(open: Got<Packet>) -> Self {
        Self {
            open,
            items: Vec::new(),
        }
    }

    /// The whole group, as an item of the one around it.
    fn turn(self, close: Got<Packet>) -> Vec<Got<Packet>> {
        let inside = self.items.into_iter().rev().flatten();
        [self.open]
            .into_iter()
            .chain(inside)
            .chain([close])
            .collect()
    }
}

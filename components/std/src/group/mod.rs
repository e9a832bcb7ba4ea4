//! Components that make, use and remove groups: packets between brackets.

mod by;
mod count;
mod enclose;
mod every;
mod reverse;
mod sum;
mod ungroup;

use paperflow_core::{Catalogue, Fault, Kind, Packet};

/// Classic name, and the component it stands for.
const ALIASES: [(&str, &str); 3] = [
    ("EncloseBrackets", "group/enclose"),
    ("RemoveBrackets", "group/ungroup"),
    ("Reverse", "group/reverse"),
];

/// The components of this area.
pub(crate) fn catalogue() -> Catalogue {
    let catalogue = Catalogue::new()
        .with(by::by)
        .with(count::count)
        .with(enclose::enclose)
        .with(every::every)
        .with(reverse::reverse)
        .with(sum::sum)
        .with(ungroup::ungroup);
    ALIASES.iter().fold(catalogue, |catalogue, (alias, name)| {
        catalogue.alias(alias, name)
    })
}

/// Where a stream of groups is.
#[derive(Default)]
struct Groups(usize);

impl Groups {
    /// Counts a packet. True: a group of the top level is complete with it.
    fn step(&mut self, packet: &Packet) -> Result<bool, Fault> {
        match packet.kind() {
            Kind::Open => self.0 += 1,
            Kind::Close if self.0 == 0 => {
                return Err(Fault::new("got a close bracket without its open bracket"));
            }
            Kind::Close => self.0 -= 1,
            _ if self.0 == 0 => return Err(Fault::new("got a packet outside any group")),
            _ => {}
        }
        Ok(self.0 == 0)
    }

    /// The stream has ended.
    fn end(&self) -> Result<(), Fault> {
        if self.0 == 0 {
            Ok(())
        } else {
            Err(Fault::new("the stream ends inside a group"))
        }
    }
}

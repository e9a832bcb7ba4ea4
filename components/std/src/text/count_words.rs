use std::collections::HashMap;

use paperflow_core::{Closed, Fault, In, Out, Packet, component};

use crate::payload;

/// Counts how often each text comes, and tells it when the stream ends.
///
/// Each different text gives one, such as `word, 3`, in the order in which they first came. A bracket
/// ends the count and passes, so that each group has a count of its own.
#[component("text/count-words", work = compute)]
#[example(input = ["be", "or", "be"], out = ["be, 2", "or, 1"])]
#[example(input = [open, "a", close, open, "a", close], out = [open, "a, 1", close, open, "a, 1", close])]
pub(crate) async fn count_words(
    /// Texts, usually words.
    input: In<Packet>,
    /// One text for each different one, with its number.
    #[at_end]
    out: Out<Packet>,
) -> Result<(), Fault> {
    let mut counts = Counts::default();
    while let Some(packet) = input.next().await {
        if packet.is_bracket() {
            counts.tell(&out).await?;
            out.send(packet).await?;
        } else {
            counts.add(payload::text(&packet)?);
        }
    }
    Ok(counts.tell(&out).await?)
}

/// How often each text has come.
#[derive(Default)]
struct Counts {
    /// The texts, in the order in which they first came, with their numbers.
    texts: Vec<(String, u64)>,
    /// Where a text stands there.
    places: HashMap<String, usize>,
}

impl Counts {
    fn add(&mut self, text: &str) {
        match self.places.get(text) {
            Some(at) => self.texts[*at].1 += 1,
            None => {
                self.places.insert(text.to_owned(), self.texts.len());
                self.texts.push((text.to_owned(), 1));
            }
        }
    }

    /// Sends the numbers and starts anew.
    async fn tell(&mut self, out: &Out<Packet>) -> Result<(), Closed> {
        self.places.clear();
        for (text, count) in self.texts.drain(..) {
            out.send(format!("{text}, {count}")).await?;
        }
        Ok(())
    }
}

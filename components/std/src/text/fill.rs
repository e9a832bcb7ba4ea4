use paperflow_core::{Fault, In, Out, Packet, Param, component};

use crate::param::Size;
use crate::payload;

/// Fills lines with words, with one blank between two words.
///
/// No line has more than MEASURE characters, but a single word that is longer stands alone. White
/// space around a word is left out, and a word of nothing else is none. A bracket ends the line and
/// passes.
#[component("text/fill", work = compute)]
#[example(measure = 8, input = ["to", "be", "or", "not", "Hippopotamus", "x"], out = ["to be or", "not", "Hippopotamus", "x"])]
#[example(measure = 8, input = ["a", open, "b", "c", close], out = ["a", open, "b c", close])]
pub(crate) async fn fill(
    /// The words.
    input: In<Packet>,
    /// The most characters in a line.
    #[default(72)]
    measure: Param<Size>,
    /// The same, under the name it has in `ReCompose`; goes before MEASURE.
    size: Param<Option<Size>>,
    /// The lines.
    out: Out<Packet>,
) -> Result<(), Fault> {
    let mut line = Line::new(size.into_inner().unwrap_or(*measure).0);
    while let Some(packet) = input.next().await {
        if packet.is_bracket() {
            if let Some(full) = line.end() {
                out.send(full).await?;
            }
            out.send(packet).await?;
            continue;
        }
        let full = line.add(payload::text(&packet)?.trim());
        if let Some(full) = full {
            out.send(full).await?;
        }
        // Only now is the packet let go of: the next line holds it, which it is in.
    }
    if let Some(rest) = line.end() {
        out.send(rest).await?;
    }
    Ok(())
}

/// A line that is being filled.
struct Line {
    measure: usize,
    text: String,
    length: usize,
}

impl Line {
    const fn new(measure: usize) -> Self {
        Self {
            measure,
            text: String::new(),
            length: 0,
        }
    }

    /// Adds a word; the line before it, when it had no room.
    fn add(&mut self, word: &str) -> Option<String> {
        let length = word.chars().count();
        if length == 0 {
            return None;
        }
        let fits = self.length + 1 + length <= self.measure;
        let full = if fits { None } else { self.end() };
        if self.length > 0 {
            self.text.push(' ');
            self.length += 1;
        }
        self.text.push_str(word);
        self.length += length;
        full
    }

    /// What is in the line, if there is anything.
    fn end(&mut self) -> Option<String> {
        self.length = 0;
        let text = std::mem::take(&mut self.text);
        (!text.is_empty()).then_some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::Line;

    fn fill(measure: usize, words: &[&str]) -> Vec<String> {
        let mut line = Line::new(measure);
        let mut lines: Vec<String> = words.iter().filter_map(|word| line.add(word)).collect();
        lines.extend(line.end());
        lines
    }

    #[test]
    fn a_word_of_exactly_the_measure_is_a_line() {
        assert_eq!(fill(3, &["abc", "d", "e"]), ["abc", "d e"]);
    }

    #[test]
    fn a_longer_word_stands_alone() {
        assert_eq!(fill(3, &["a", "bcdef", "g"]), ["a", "bcdef", "g"]);
    }

    #[test]
    fn characters_count_and_not_bytes() {
        assert_eq!(fill(5, &["äö", "üß"]), ["äö üß"]);
    }

    #[test]
    fn empty_words_leave_no_trace() {
        assert_eq!(fill(5, &["", "a", "", "b", ""]), ["a b"]);
        assert!(fill(5, &[""]).is_empty());
    }
}

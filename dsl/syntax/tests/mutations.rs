//! Ten thousand damaged files: no verb may panic, and what stays sound keeps its meaning.

mod support;

use std::fs;
use std::path::Path;

use paperflow_syntax::{Parsed, format, print, print_upstream};
use support::{bare, read};

/// A xorshift generator, so that each run damages the same files in the same way.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).expect("31 bits") % limit.max(1)
    }

    fn damage(&mut self, text: &str) -> String {
        const SIGNS: &[&str] = &[
            "->", "=>", "(", ")", "[", "]", "'", "\"", "\\", ",", ";", ":", "=", "?", "*", "#",
            "\n", "\r", " ", "\t", "{", "}", "0", "a", "\u{e9}", "\u{2028}", "\u{feff}",
            "# @k v\n", "->(3)",
        ];
        let mut letters: Vec<char> = text.chars().collect();
        for _ in 0..=self.below(4) {
            let at = self.below(letters.len() + 1);
            let end = (at + self.below(6)).min(letters.len());
            let new: Vec<char> = match self.below(3) {
                0 => Vec::new(),
                1 => SIGNS[self.below(SIGNS.len())].chars().collect(),
                _ => letters[at..end].repeat(2),
            };
            letters.splice(at..end, new);
        }
        letters.into_iter().collect()
    }
}

fn seeds() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let files = ["upstream", "own"].map(|name| fs::read_dir(folder.join(name)).expect("a folder"));
    let paths = files
        .into_iter()
        .flatten()
        .map(|entry| entry.expect("readable").path());
    let mut paths: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|end| end == "fbp"))
        .collect();
    paths.sort();
    paths
        .iter()
        .map(|path| fs::read_to_string(path).expect("text"))
        .collect()
}

#[test]
fn no_damage_makes_any_verb_panic() {
    let seeds = seeds();
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for round in 0..10_000 {
        let text = random.damage(&seeds[round % seeds.len()]);
        let parsed = read("t", &text);
        let _ = print_upstream(&parsed.graph);
        let printed = print(&parsed.graph);
        let formatted = format(&text);
        assert_eq!(format(&formatted.text).text, formatted.text, "{text}");
        if parsed.diagnostics.is_empty() {
            let graph = bare(&parsed.graph);
            let again = read("t", &formatted.text);
            assert_eq!(bare(&again.graph), graph, "{text}");
            let subnets = |parsed: &Parsed| parsed.subnets.iter().map(bare).collect::<Vec<_>>();
            assert_eq!(subnets(&again), subnets(&parsed), "{text}");
            assert_eq!(bare(&read("t", &printed).graph), graph, "{text}\n{printed}");
        }
    }
}

//! What an arc does wrong on purpose: `drop=20%, dup=20%, seed=7`.

use crate::plan::Chaos;
use crate::similar::suggest;

/// Most of what may go wrong: with all of it nothing would ever arrive.
const MOST: f64 = 90.0;

/// The words for what goes wrong, and the seed.
const WORDS: [&str; 6] = ["drop", "dup", "reorder", "corrupt", "down", SEED];

const SEED: &str = "seed";

/// The parts of a value, each a word and what is written for it.
fn parts(value: &str) -> impl Iterator<Item = (&str, &str)> {
    let parts = value.split([',', ' ']).filter(|part| !part.is_empty());
    parts.map(|part| part.split_once('=').unwrap_or((part, "")))
}

/// What a value says; nothing when it cannot be understood, or says nothing.
pub(super) fn read(value: &str) -> Option<Chaos> {
    let (mut chaos, mut said) = (Chaos::default(), Vec::new());
    for (word, text) in parts(value) {
        if said.contains(&word) {
            return None;
        }
        said.push(word);
        match place(&mut chaos, word) {
            Some(place) => *place = share(text)?,
            None if word == SEED => chaos.seed = text.parse().ok()?,
            None => return None,
        }
    }
    said.iter().any(|word| *word != SEED).then_some(chaos)
}

fn place<'a>(chaos: &'a mut Chaos, word: &str) -> Option<&'a mut f64> {
    match word {
        "drop" => Some(&mut chaos.drop),
        "dup" => Some(&mut chaos.dup),
        "reorder" => Some(&mut chaos.reorder),
        "corrupt" => Some(&mut chaos.corrupt),
        "down" => Some(&mut chaos.down),
        _ => None,
    }
}

/// A share of 1 from `20%`.
fn share(text: &str) -> Option<f64> {
    let percent: f64 = text.strip_suffix('%')?.parse().ok()?;
    (0.0..=MOST).contains(&percent).then_some(percent / 100.0)
}

/// What to write instead of a value that is not understood.
pub(super) fn way_out(value: &str) -> String {
    for (word, text) in parts(value) {
        if !WORDS.contains(&word) {
            return match suggest(word, WORDS) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("it can have {}", WORDS.join(", ")),
            };
        }
        if word != SEED && share(text).is_none() {
            return format!("write a share, at most {MOST}%: `{word}=20%`");
        }
    }
    String::from("write each share once, and a number as the seed: `drop=20%, dup=5%, seed=7`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_and_a_seed_are_read() {
        let chaos = read("drop=20%, dup=2.5% reorder=0%,seed=7").unwrap_or_default();
        let expected = Chaos {
            drop: 0.2,
            dup: 0.025,
            seed: 7,
            ..Chaos::default()
        };
        assert_eq!(chaos, expected);
    }

    #[test]
    fn what_is_wrong_is_refused_with_a_way_out() {
        for (value, way) in [
            ("drop=2", "write a share, at most 90%: `drop=20%`"),
            ("drop=100%", "write a share, at most 90%: `drop=20%`"),
            ("drop=-1%", "write a share, at most 90%: `drop=20%`"),
            ("drpo=20%", "did you mean `drop`?"),
            ("x=1", "it can have drop, dup, reorder, corrupt, down, seed"),
            ("drop=1%, drop=2%", "write each share once"),
            ("drop=1%, seed=x", "write each share once"),
            ("seed=7", "write each share once"),
            ("", "write each share once"),
        ] {
            assert_eq!(read(value), None, "{value}");
            assert!(
                way_out(value).starts_with(way),
                "{value}: {}",
                way_out(value)
            );
        }
    }
}

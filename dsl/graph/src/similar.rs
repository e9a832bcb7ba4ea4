//! *Did you mean*: the name that was probably meant.

/// The share of a name, in parts of a hundred, that may be mistyped before a likeness is chance.
const MISTYPED_PER_CENT: usize = 34;

/// The candidate nearest to `name`, if one is near enough to be what was meant.
///
/// Case does not count, and neither does swapping two neighbours count twice. A candidate whose
/// last path segment is exactly the name (`words` for `text/words`) is as near as can be. Of
/// equally near candidates the first wins.
pub fn suggest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let wanted = folded(name);
    candidates
        .into_iter()
        .filter(|candidate| !candidate.is_empty() && !wanted.is_empty())
        .filter_map(|candidate| Some((nearness(&wanted, candidate)?, candidate)))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| String::from(candidate))
}

/// How far apart the two are, or `None` when too far.
///
/// The part after the last `/` counts on its own: a common area in front makes nothing alike.
fn nearness(wanted: &[char], candidate: &str) -> Option<usize> {
    let candidate = folded(candidate);
    let (area, last) = split(&candidate);
    match split(wanted) {
        ([], name) if area.is_empty() => near(name, last),
        ([], name) if name == last => Some(1),
        ([], name) => {
            let without_area = near(name, last).map(|distance| distance + 1);
            near(name, &candidate).or(without_area)
        }
        (wanted_area, name) => {
            let distance = near(name, last)?;
            Some(distance + near(wanted_area, area)?)
        }
    }
}

/// The area in front of the last `/`, and the name behind it.
fn split(name: &[char]) -> (&[char], &[char]) {
    match name.iter().rposition(|letter| *letter == '/') {
        Some(at) => (&name[..at], &name[at + 1..]),
        None => (&[], name),
    }
}

/// How far apart two words are, or `None` when too far for their length.
fn near(one: &[char], two: &[char]) -> Option<usize> {
    let longer = one.len().max(two.len());
    let distance = distance(one, two);
    let is_near = distance * 100 <= longer * MISTYPED_PER_CENT;
    (is_near || distance == 1 && once(one) == once(two)).then_some(distance)
}

/// The letters, each row of equal ones as one: a key that was pressed twice is no chance.
fn once(letters: &[char]) -> Vec<char> {
    let mut letters = Vec::from(letters);
    letters.dedup();
    letters
}

/// The letters of a name, without regard to case.
fn folded(name: &str) -> Vec<char> {
    name.chars().flat_map(char::to_lowercase).collect()
}

/// Insertions, removals, replacements and swaps of neighbours that turn one into the other.
fn distance(from: &[char], to: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=to.len()).collect();
    for (row, letter) in from.iter().enumerate() {
        let mut current = vec![row + 1];
        for (column, other) in to.iter().enumerate() {
            let replaced = above[column] + usize::from(letter != other);
            let mut best = replaced.min(above[column + 1] + 1).min(current[column] + 1);
            let swapped =
                row > 0 && column > 0 && from[row - 1] == *other && to[column - 1] == *letter;
            if swapped {
                best = best.min(before[column - 1] + 1);
            }
            current.push(best);
        }
        before = std::mem::replace(&mut above, current);
    }
    above[to.len()]
}

#[cfg(test)]
mod tests {
    use super::suggest;

    #[test]
    fn near_names_are_suggested_and_far_ones_are_not() {
        let names = [
            "text/words",
            "text/case",
            "text/replace",
            "flow/pass",
            "flow/merge-in-turn",
            "COUNT",
            "OUT",
            "IN",
            "ACC",
            "Größe",
        ];
        let rows: &[(&str, Option<&str>, &str)] = &[
            ("text/word", Some("text/words"), "a letter left out"),
            ("txet/words", Some("text/words"), "neighbours swapped"),
            ("Text/Words", Some("text/words"), "case does not count"),
            ("text/worrds", Some("text/words"), "a letter doubled"),
            ("words", Some("text/words"), "the last segment alone"),
            (
                "Case",
                Some("text/case"),
                "the last segment alone, other case",
            ),
            ("flow-pass", Some("flow/pass"), "another separator"),
            (
                "wrods",
                Some("text/words"),
                "the last segment alone, mistyped",
            ),
            ("txt/words", Some("text/words"), "the area mistyped"),
            (
                "text/upcase",
                Some("text/case"),
                "two letters before the name",
            ),
            ("text/shout", None, "only the area in common"),
            ("text/reverse", None, "an area and half a name in common"),
            ("number/words", None, "the name in quite another area"),
            (
                "merge-in-trun",
                Some("flow/merge-in-turn"),
                "a swap in a long name",
            ),
            ("CUONT", Some("COUNT"), "a swap in a short name"),
            ("OTU", Some("OUT"), "a swap in a very short name"),
            ("größe", Some("Größe"), "letters outside ASCII"),
            ("ACCEPT", None, "half of it differs"),
            ("I", None, "half of a two-letter name is missing"),
            ("XY", None, "nothing in common"),
            ("", None, "an empty name is like nothing"),
            (
                "database/connect",
                None,
                "a long name with a few letters in common",
            ),
        ];
        for (name, expected, reason) in rows {
            assert_eq!(
                suggest(name, names).as_deref(),
                *expected,
                "{name}: {reason}"
            );
        }
    }

    #[test]
    fn the_nearest_wins_and_then_the_first() {
        assert_eq!(suggest("OUTT", ["OUTER", "OUT"]).as_deref(), Some("OUT"));
        assert_eq!(suggest("IN3", ["IN1", "IN2"]).as_deref(), Some("IN1"));
        assert_eq!(suggest("Bb", ["A", "B"]).as_deref(), Some("B"));
        assert_eq!(suggest("Bc", ["A", "B"]), None);
    }

    #[test]
    fn without_candidates_there_is_no_suggestion() {
        assert_eq!(suggest("IN", []), None);
    }
}

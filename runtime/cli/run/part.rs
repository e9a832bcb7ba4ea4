//! One part of a graph in place of the whole.

use paperflow_graph::parts::{divide, is_shared, joined, share};
use paperflow_graph::similar::suggest;

use crate::cli::exit::Failure;
use crate::load::Loaded;

/// The name of a copy: part of the name of a folder, and of a note.
pub(super) fn copy(text: &str) -> Result<String, String> {
    let is_plain = |letter: char| letter.is_alphanumeric() || "-_.".contains(letter);
    if text.is_empty() || !text.chars().all(is_plain) {
        return Err(String::from(
            "it can have letters, digits, `-`, `_` and `.`",
        ));
    }
    Ok(text.to_owned())
}

/// The plan of one part; what keeps it from running apart comes with it.
pub(in crate::cli) fn only(mut loaded: Loaded, name: &str) -> Result<Loaded, Failure> {
    let wiring = &loaded.wiring;
    let division = divide(&loaded.plan, |connector| is_shared(wiring, connector));
    let mut names = division.parts.iter().map(|part| part.name.as_str());
    let Some(at) = names.clone().position(|other| other == name) else {
        let near = suggest(name, names.clone()).map(|near| format!("did you mean `{near}`?"));
        let help = near.unwrap_or_else(|| match names.next() {
            None => String::from(
                "write `host=NAME` on its processes, or let `paperflow split` write parts into a wiring file",
            ),
            Some(first) => {
                let rest: Vec<_> = std::iter::once(first).chain(names).collect();
                format!("it has {}", rest.join(", "))
            }
        });
        let message = format!("the graph has no part `{name}`");
        return Err(Failure::misuse(message, Some(help)));
    };
    let found = joined(&loaded.plan, &division);
    if found.is_empty() {
        let plan = std::mem::take(&mut loaded.plan);
        loaded.plan = share(plan, &division, at);
    } else {
        // They have been found before, as warnings.
        let codes: Vec<_> = found.iter().map(|found| found.code).collect();
        loaded
            .diagnostics
            .retain(|other| !codes.contains(&other.code));
        loaded.diagnostics.extend(found);
    }
    Ok(loaded)
}

use paperflow_core::{Fault, Out, Param, Text, component};

/// Splits a text wherever a separator stands.
///
/// Empty parts are kept, so that two separators in a row have an empty text between them; only those
/// at the end are left out. An empty text gives one empty part. Brackets pass.
#[component("text/split", work = compute)]
#[example(input = ["to be  or ", ""], out = ["to", "be", "", "or", ""])]
#[example(separator = ", ", input = ["a, b"], out = ["a", "b"])]
pub(crate) fn split(
    /// Texts, for instance lines.
    input: Text,
    /// What stands between the parts; not empty.
    #[default(" ")]
    separator: &Param<String>,
    /// One part per packet, in order.
    out: &mut Out<Text>,
) -> Result<(), Fault> {
    if separator.is_empty() {
        return Err(Fault::new(
            "parameter SEPARATOR: expected a text that is not empty",
        ));
    }
    parts(&input, separator)
        .into_iter()
        .for_each(|part| out.put(part));
    Ok(())
}

fn parts<'a>(text: &'a str, separator: &str) -> Vec<&'a str> {
    let mut parts: Vec<&str> = text.split(separator).collect();
    while parts.len() > 1 && parts.last().is_some_and(|part| part.is_empty()) {
        parts.pop();
    }
    if parts == [""] && !text.is_empty() {
        Vec::new()
    } else {
        parts
    }
}

#[cfg(test)]
mod tests {
    use super::parts;

    #[test]
    fn empty_parts_are_kept_but_not_at_the_end() {
        assert_eq!(parts(" a  b  ", " "), ["", "a", "", "b"]);
        assert_eq!(parts("", " "), [""]);
        assert!(parts("   ", " ").is_empty());
    }
}

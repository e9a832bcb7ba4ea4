use crate::diagnostic::Diagnostic;
use crate::similar::suggest;
use crate::source::Span;
use crate::wiring::{FAULTS, Written};

explained! {
    /// Something in a wiring file stands where something of another form belongs.
    ///
    ///     [part.kitchen]
    ///     processes = "Cook"
    ///
    /// A list stands in brackets, `processes = ["Cook", "Pack"]`; what is said of an arc, a store, a
    /// table, a part or a policy stands below a heading with its name, `[arc."A.OUT -> B.IN"]`; and
    /// `fault` is one of the words for what becomes of a fault, `ce` is `binary` or `structured`, and `keep` is
    /// `always` or `run`.
    "P0196", "value of another form in a wiring file"
}

/// A value where a section belongs.
pub(crate) fn no_section(heading: &str, span: Span) -> Diagnostic {
    Diagnostic::error(
        CODE,
        span,
        format!("`{heading}` is a heading with keys below it"),
    )
    .note("no keys")
    .help(format!(
        "write `{heading}` and below it lines such as `key = \"value\"`"
    ))
}

/// Something else where a list belongs.
pub(crate) fn no_list(key: &str, span: Span) -> Diagnostic {
    Diagnostic::error(CODE, span, format!("`{key}` is a list"))
        .note("no list")
        .help(format!("write `{key} = [\"ONE\", \"TWO\"]`"))
}

/// Something else where a plain value belongs.
pub(crate) fn no_text(key: &str, span: Span) -> Diagnostic {
    Diagnostic::error(CODE, span, format!("`{key}` is one value"))
        .note("no single value")
        .help(format!("write `{key} = \"value\"`"))
}

/// A word that stands for nothing there, as in `no way to write messages to a broker`.
pub(crate) fn no_word(written: &Written, what: &str, words: &[&str]) -> Diagnostic {
    let message = format!("`{}` is no {what}", written.text);
    let help = match suggest(&written.text, words.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("write one of: {}", words.join(", ")),
    };
    Diagnostic::error(CODE, written.span, message)
        .note("unknown word")
        .help(help)
}

/// A word that says nothing about faults.
pub(crate) fn no_fault(fault: &Written, near: Option<&str>) -> Diagnostic {
    let message = format!("`{}` is not what can become of a fault", fault.text);
    let help = match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("write one of: {}", FAULTS.join(", ")),
    };
    Diagnostic::error(CODE, fault.span, message)
        .note("unknown word")
        .help(help)
}

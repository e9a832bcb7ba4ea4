//! An export or default line cannot be read.

use paperflow_graph::similar::suggest;
use paperflow_graph::{Diagnostic, Span};

use crate::export::KEYWORDS;

super::explain! {
    "P0117", "an export or default line cannot be read",
    r#"Exported ports are written `INPORT=process.PORT:PUBLIC` and `OUTPORT=process.PORT:PUBLIC`; the names of
left-out ports are set with `DEFAULT_INPORT=PORT` and `DEFAULT_OUTPORT=PORT`.

    INPORT=Read:FILE
    EXPORT=Read.SOURCE:FILE

Write the missing part. `EXPORT=` went out of use long ago: say `INPORT=` or `OUTPORT=`.
"#
}

/// A line that starts like an export and does not go on like one.
pub(crate) fn bad_export(span: Span, keyword: &str) -> Diagnostic {
    let form = match keyword {
        "DEFAULT_INPORT" | "DEFAULT_OUTPORT" => format!("{keyword}=PORT"),
        _ => format!("{keyword}=process.PORT:PUBLIC"),
    };
    Diagnostic::error(
        CODE,
        span,
        format!("`{keyword}=` is not followed by what it needs"),
    )
    .help(format!("write `{form}`"))
}

/// `WORD=` with a word that means nothing.
pub(crate) fn unknown_keyword(span: Span, keyword: &str) -> Diagnostic {
    let help = match suggest(keyword, KEYWORDS.iter().copied()) {
        Some(near) => format!("did you mean `{near}=`?"),
        None => format!("lines with `=` begin with one of: {}", KEYWORDS.join(", ")),
    };
    Diagnostic::error(CODE, span, format!("`{keyword}=` means nothing")).help(help)
}

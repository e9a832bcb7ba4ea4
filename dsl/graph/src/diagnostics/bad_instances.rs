use crate::diagnostic::Diagnostic;
use crate::source::Span;

explained! {
    /// `instances=N` says how many workers share the work of a process, `backlog=N` how many
    /// packets may wait for each of them: whole numbers from 1.
    ///
    ///     Confirm(course/confirm-order:instances=0)
    ///
    /// Write 1 or leave it out for one worker. More than 65536 are taken for a mistake.
    "P0317", "bad number of instances"
}

/// A value of `key` that is no number of workers or packets.
pub(crate) fn at(process: &str, key: &str, value: &str, span: Span) -> Diagnostic {
    Diagnostic::error(
        CODE,
        span,
        format!(
            "`{key}={value}` of `{process}` is not a number of {}",
            counted(key)
        ),
    )
    .note(format!(
        "`{key}` is a whole number from 1 to {}",
        crate::instances::MOST
    ))
    .help(format!("write `{key}=4`, or leave it out"))
}

/// One more set of workers than a graph may have.
pub(crate) fn too_many(process: &str, span: Span) -> Diagnostic {
    let message = format!("the instances of `{process}` make the graph too big");
    Diagnostic::error(CODE, span, message)
        .note("over a million processes")
        .help("let fewer workers share the work")
}

fn counted(key: &str) -> &str {
    if key == crate::instances::INSTANCES {
        "instances"
    } else {
        "packets"
    }
}

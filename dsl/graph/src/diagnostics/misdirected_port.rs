use crate::diagnostic::Diagnostic;

use super::unknown_port::{Wrong, declared};

explained! {
    /// An arrow ends at a port that exists, but on the other side of the process.
    ///
    ///     Show(console/write) IN -> IN Store(file/write)
    ///
    /// IN is where `Show` takes packets, so no arrow can start from it. Turn the arrow round, or
    /// use an out-port before the arrow and an in-port after it.
    "P0204", "misdirected port"
}

/// A port that stands on the other side.
pub(super) fn at(wrong: &Wrong<'_>, here: &[&str]) -> Diagnostic {
    let Wrong {
        process,
        port,
        side,
        span,
        ..
    } = *wrong;
    let (is, used) = (side.opposite().port(), side.port());
    let message = format!("`{port}` of `{process}` is an {is}, not an {used}");
    Diagnostic::error(CODE, span, message)
        .note(format!("an {used} is needed here"))
        .help(format!(
            "turn the arrow round, or use another port: {}",
            declared(side, here)
        ))
}

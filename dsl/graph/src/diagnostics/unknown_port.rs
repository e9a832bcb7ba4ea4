use crate::diagnostic::Diagnostic;
use crate::expand::Side;
use crate::similar::suggest;
use crate::source::Span;

use super::misdirected_port;

explained! {
    /// An arrow or initial packet ends at a port that the component or subnet does not declare.
    ///
    ///     '100' -> CUONT Numbers(flow/generate)
    ///
    /// The component has a port COUNT, not CUONT. Port names are compared without regard to case.
    /// A port that was left out is OUT before an arrow and IN after it. `paperflow describe
    /// COMPONENT` lists the ports.
    "P0203", "unknown port"
}

/// A port that was looked for in vain.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wrong<'a> {
    /// Address of the process.
    pub(crate) process: &'a str,
    /// The port as written.
    pub(crate) port: &'a str,
    /// Whether the port was left out.
    pub(crate) implied: bool,
    /// The side it was looked for on.
    pub(crate) side: Side,
    /// Where it is written.
    pub(crate) span: Span,
}

/// The report of a wrong port, and the port of the same side that was probably meant.
///
/// `here` are the ports on the side it was looked for, `there` those on the other.
pub(crate) fn at(wrong: &Wrong<'_>, here: &[&str], there: &[&str]) -> (Diagnostic, Option<String>) {
    if there
        .iter()
        .any(|name| name.eq_ignore_ascii_case(wrong.port))
    {
        return (misdirected_port::at(wrong, here), None);
    }
    let Wrong {
        process,
        port,
        side,
        span,
        ..
    } = *wrong;
    let meant = suggest(port, here.iter().copied());
    let message = format!("`{process}` has no {} `{port}`", side.port());
    let found = Diagnostic::error(CODE, span, message).note(note(wrong));
    let help = match &meant {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => declared(side, here),
    };
    (found.help(help), meant)
}

fn note(wrong: &Wrong<'_>) -> String {
    if wrong.implied {
        format!("no port is written here, which means `{}`", wrong.port)
    } else {
        format!("no such {}", wrong.side.port())
    }
}

/// The ports there are on one side, for people.
pub(super) fn declared(side: Side, names: &[&str]) -> String {
    if names.is_empty() {
        format!("it has no {}s", side.port())
    } else {
        format!("its {}s are {}", side.port(), super::list(names))
    }
}

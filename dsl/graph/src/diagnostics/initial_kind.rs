use crate::diagnostic::Diagnostic;
use crate::source::Span;

explained! {
    /// An initial packet goes to a port that takes packets of other kinds.
    ///
    ///     5 -> IN Words(text/words)
    ///
    /// IN takes `text`, and `5` is an `int`. Only parameters read text as values; other ports
    /// never convert. Quoted text is `text`, whole numbers are `int`, other numbers `float`,
    /// true and false `bool`, lists and objects `record`. Write `'5' -> IN Words`.
    "P0403", "initial packet of the wrong kind"
}

/// An initial packet whose kind its port never takes.
pub(crate) fn at(port: &str, kind: &str, takes: &str, span: Span) -> Diagnostic {
    let message = format!("the initial packet is {kind}, but `{port}` takes {takes}");
    Diagnostic::error(CODE, span, message)
        .note(format!("{kind}, not {takes}"))
        .help(help(takes))
}

fn help(takes: &str) -> &'static str {
    match takes {
        "text" => "write it as quoted text: `'...'`",
        "int" => "write a whole number without quotes",
        "float" => "write a number with a point, without quotes",
        _ => "write a value of that kind, or let a component send it",
    }
}

use crate::diagnostic::Diagnostic;
use crate::source::Span;

explained! {
    /// Only with `--strict`: an arrow carries a rule that looks into packets.
    ///
    ///     A OUT ->("filter":="total > 100") IN B
    ///
    /// Endpoints are smart and pipes are dumb (mission W7): a connector moves packets, it does
    /// not choose among them. Move the rule into a component that routes, where it has a name, a
    /// test and an ERROR port: `A OUT -> IN PickLarge(record/split) ACC -> IN B`. The check
    /// looks at metadata named filter, condition, expression, predicate, match, select, when,
    /// where, rule, script, switch, transform and the like.
    "P0322", "routing rule on an arrow"
}

/// A rule on an arrow.
pub(crate) fn at(key: &str, span: Span) -> Diagnostic {
    Diagnostic::warning(
        CODE,
        span,
        format!("`{key}` makes the arrow choose among packets"),
    )
    .note("a rule about contents")
    .help("move the rule into a component that routes; arrows only carry")
}

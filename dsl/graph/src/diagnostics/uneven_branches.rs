use crate::diagnostic::Diagnostic;
use crate::source::Span;

explained! {
    /// Two ways lead from one process to another that reads its in-ports in an order of its own,
    /// and the one can fill while the other is still empty.
    ///
    ///     Deal OUT[0] -> IN Check(flow/pass) OUT -> IN[0] Join(flow/collate)
    ///     Deal OUT[1] ->(5) IN[1] Join
    ///
    /// While `Join` waits for the packets that are on the long way, those on the short way pile
    /// up. When it is full `Deal` waits too, sends nothing down the long way any more, and the
    /// network stands still: a deadlock. Give the short way as much room as the long one, with
    /// the capacity that the message names. That is enough if every process on the way sends as
    /// it receives. One that collects first (sort, group, count) holds back more than any
    /// capacity can promise: let `Join` read by arrival, or split the work where it collects.
    "P0319", "branches that can deadlock where they meet"
}

/// A way from the process that splits to the one that joins.
#[derive(Clone, Debug)]
pub(crate) struct Branch {
    /// `Process.PORT` where it leaves.
    pub(crate) from: String,
    /// `Process.PORT` where it arrives.
    pub(crate) to: String,
    /// How many packets fit on it.
    pub(crate) room: usize,
    /// The first arrow of it.
    pub(crate) first: Span,
    /// The arrow whose capacity is to be raised.
    pub(crate) last: Span,
}

/// A branch with too little room beside one with more, and the capacity that would do.
pub(crate) fn at(short: &Branch, long: &Branch, enough: usize) -> Diagnostic {
    let message = format!(
        "the way from `{}` to `{}` can fill while `{}` is still empty",
        short.from, short.to, long.to
    );
    Diagnostic::warning(CODE, short.last, message)
        .note(format!("this branch holds {}", packets(short.room)))
        .label(
            long.first,
            format!("this branch holds {}", packets(long.room)),
        )
        .help(format!(
            "write a capacity of {enough} or more here, unless a process on the other branch \
             collects packets before it sends: then no capacity is enough, and the branches \
             must meet at a process that reads by arrival"
        ))
}

fn packets(count: usize) -> String {
    match count {
        1 => String::from("1 packet"),
        _ => format!("{count} packets"),
    }
}

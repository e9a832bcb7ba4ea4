use crate::diagnostic::Diagnostic;
use crate::source::Span;

explained! {
    /// Two ways lead from one process to another that reads its in-ports in an order of its own,
    /// and the one can fill while the other is waited for.
    ///
    ///     Copy(flow/replicate) OUT[0] -> IN[0] Join(flow/concat)
    ///     Copy OUT[1] -> IN[1] Join
    ///
    /// `flow/concat` reads IN[0] to its end before it takes anything from IN[1]. Meanwhile the copies
    /// for IN[1] pile up. When that way is full `Copy` waits too, sends nothing to IN[0] any more, and
    /// the network stands still: a deadlock, at every capacity smaller than the whole stream. There
    /// is none if the source closes one out-port before it uses the next (`flow/splitter`), or if a
    /// process on the later way takes everything before it sends (`flow/sort`).
    ///
    ///     Deal(flow/duplicate) OUT -> IN Sort(flow/sort) OUT -> IN[0] Join(flow/collate)
    ///     Deal DUPLICATE -> IN[1] Join
    ///
    /// `flow/collate` takes from its in-ports in step: while it waits for one it takes nothing from
    /// the others. Here `Sort` sends at the end only, a filter may send many packets in a row another
    /// way, and a process may hold back more packets than fit on a way with a small capacity.
    ///
    /// Let the ways meet at a process that reads by arrival (`flow/merge`, `flow/merge-groups`), or
    /// give the way that fills a capacity that holds everything. A written capacity that is larger
    /// than all the room of the other way is taken as your word that it does.
    "P0319", "branches that can deadlock where they meet"
}

/// A way from the process that splits to the one that joins.
#[derive(Clone, Debug)]
pub(crate) struct Branch {
    /// `Process.PORT` where it leaves.
    pub(crate) from: String,
    /// `Process.PORT` where it arrives.
    pub(crate) to: String,
    /// All of it, with the capacities.
    pub(crate) path: String,
    /// How many packets fit on it.
    pub(crate) room: usize,
    /// The first arrow of it.
    pub(crate) first: Span,
    /// The arrow whose capacity is to be raised.
    pub(crate) last: Span,
}

/// Why packets of one branch are late; the later ones are worse.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Late {
    /// It has more room than the other one, which would need this capacity.
    Narrow(usize),
    /// This process may send many packets in a row another way.
    Chooses(String),
    /// This process sends at the end only.
    Collects(String),
}

/// Longer paths are told by their ends.
const MOST_HOPS: usize = 6;

/// `A.OUT ->(5) B ->(128) C.IN`: where it starts, what each hop holds and leads to, where it ends.
pub(crate) fn path(from: &str, hops: &[(usize, &str)], to: impl Fn() -> String) -> String {
    let mut path = String::from(from);
    for (at, (capacity, process)) in hops.iter().enumerate() {
        let is_last = at + 1 == hops.len();
        if hops.len() > MOST_HOPS && at == 2 {
            path.push_str(" -> ...");
        }
        if is_last {
            path.push_str(&format!(" ->({capacity}) {}", to()));
        } else if hops.len() <= MOST_HOPS || at < 2 || at + 3 > hops.len() {
            path.push_str(&format!(" ->({capacity}) {process}"));
        }
    }
    path
}

/// Branches behind each other: one is read to its end before the next.
pub(crate) fn to_end(early: &Branch, late: &Branch, others: &[&Branch]) -> Diagnostic {
    let message = format!(
        "the way from `{}` to `{}` can fill before `{}` has ended",
        late.from, late.to, early.to
    );
    let first = format!("this way is read to its end first: {}", early.path);
    let found = Diagnostic::warning(CODE, late.last, message)
        .note(held(late))
        .label(early.first, first);
    let found = others
        .iter()
        .fold(found, |found, other| found.label(other.last, held(other)));
    let source = process(&late.from);
    found.help(format!(
        "when it is full `{source}` waits, and `{}` never ends: let the ways meet at a process that \
         reads by arrival (`flow/merge`), or write a capacity that holds the whole stream",
        early.to
    ))
}

/// Branches beside each other, with why one of them lacks packets while the other fills.
pub(crate) fn in_step(short: &Branch, long: &Branch, why: &Late) -> Diagnostic {
    let message = format!(
        "the way from `{}` to `{}` can fill while `{}` is still empty",
        short.from, short.to, long.to
    );
    Diagnostic::warning(CODE, short.last, message)
        .note(held(short))
        .label(long.first, held(long))
        .help(advice(process(&short.from), why))
}

fn advice(source: &str, why: &Late) -> String {
    match why {
        Late::Narrow(enough) => format!(
            "write a capacity of {enough} or more here, unless a process on the other way collects \
             packets before it sends: then no capacity is enough, and the ways must meet at a \
             process that reads by arrival"
        ),
        Late::Chooses(process) if process == source => format!(
            "`{source}` chooses a way for each packet, and waits when many in a row go the way \
             that is full: let the ways meet at a process that reads by arrival (`flow/merge`), or \
             write a capacity for the longest row of such packets"
        ),
        Late::Chooses(process) => format!(
            "`{process}` may send many packets in a row past the empty way, and `{source}` waits \
             when the full one has no room: let the ways meet at a process that reads by arrival \
             (`flow/merge`), or write a capacity for the longest row of such packets"
        ),
        Late::Collects(process) => format!(
            "`{process}` sends at the end only, and `{source}` waits when the full way has no \
             room: let the ways meet at a process that reads by arrival (`flow/merge`), collect on \
             this way too, or write a capacity that holds the whole stream"
        ),
    }
}

fn held(branch: &Branch) -> String {
    let packets = match branch.room {
        1 => String::from("1 packet"),
        room => format!("{room} packets"),
    };
    format!("this way holds {packets}: {}", branch.path)
}

/// The process of `Process.PORT`.
fn process(end: &str) -> &str {
    end.rsplit_once('.').map_or(end, |(process, _)| process)
}

//! Components that move packets and leave what is in them alone.

mod after;
mod balance;
mod balloon;
mod close_early;
mod collate;
mod concat;
mod copy;
mod count;
mod count_every;
mod countdown;
mod crash;
mod dedupe;
mod delay;
mod distinct;
mod drop;
mod duplicate;
mod gate;
mod generate;
mod generate_groups;
mod generate_slowly;
mod inject;
mod kick;
mod limit_rate;
mod merge;
mod merge_groups;
mod merge_in_turn;
mod nth;
mod pass;
mod priority;
mod random_delay;
mod replicate;
mod round_robin;
mod select;
mod shed;
mod skip;
mod sort;
mod splitter;
mod switch;
mod take;
mod tick;
mod timeout;
mod zip;

use paperflow_core::Catalogue;

/// Classic name, and the component it stands for.
const ALIASES: [(&str, &str); 55] = [
    ("Passthru", "flow/pass"),
    ("Pass", "flow/pass"),
    ("Repeat", "flow/pass"),
    ("Copy", "flow/copy"),
    ("Discard", "flow/drop"),
    ("Drop", "flow/drop"),
    ("Counter", "flow/count"),
    ("ReplString", "flow/replicate"),
    ("Replicate", "flow/replicate"),
    ("DuplString", "flow/duplicate"),
    ("DuplicateString", "flow/duplicate"),
    ("ConcatStreams", "flow/concat"),
    ("Concat", "flow/concat"),
    ("Collate", "flow/collate"),
    ("Sort", "flow/sort"),
    ("Splitter1", "flow/splitter"),
    ("FirstComeFirstServed", "flow/merge"),
    ("Joiner", "flow/merge"),
    ("Merge", "flow/merge"),
    ("RRMerge", "flow/merge-in-turn"),
    ("SubstreamSensitiveMerge", "flow/merge-groups"),
    ("RoundRobinSender", "flow/round-robin"),
    ("LoadBalance", "flow/balance"),
    ("Gate", "flow/gate"),
    ("SelNthItem", "flow/nth"),
    ("Take", "flow/take"),
    ("GenerateTestData", "flow/generate"),
    ("Generate", "flow/generate"),
    ("GenIps", "flow/generate"),
    ("GenerateSlowly", "flow/generate-slowly"),
    ("GenSS", "flow/generate-groups"),
    ("SubstreamSender", "flow/generate-groups"),
    ("Kick", "flow/kick"),
    ("KickWD", "flow/kick"),
    ("Inject", "flow/inject"),
    ("Delay", "flow/delay"),
    ("RandomDelay", "flow/random-delay"),
    ("SlowPass", "flow/delay"),
    ("Heartbeat", "flow/tick"),
    ("Ticker", "flow/tick"),
    ("DedupeSuccessive", "flow/dedupe"),
    ("Distinct", "flow/distinct"),
    ("Crash", "flow/crash"),
    ("Crasher", "flow/crash"),
    ("CopierCloser", "flow/close-early"),
    ("Sender", "flow/generate"),
    ("RunInterval", "flow/tick"),
    ("RunTimeout", "flow/after"),
    ("RepeatDelayed", "flow/delay"),
    ("splitter", "flow/replicate"),
    ("Split", "flow/select"),
    ("Filter", "flow/select"),
    ("Switch", "flow/switch"),
    ("Balloon", "flow/balloon"),
    ("Zip", "flow/zip"),
];

/// The components of this area.
pub(crate) fn catalogue() -> Catalogue {
    let catalogue = Catalogue::new()
        .with(after::after)
        .with(balance::balance)
        .with(balloon::balloon)
        .with(close_early::close_early)
        .with(collate::collate)
        .with(concat::concat)
        .with(copy::copy)
        .with(count::count)
        .with(count_every::count_every)
        .with(countdown::countdown)
        .with(crash::crash)
        .with(dedupe::dedupe)
        .with(delay::delay)
        .with(distinct::distinct)
        .with(drop::drop)
        .with(duplicate::duplicate)
        .with(gate::gate)
        .with(generate::generate)
        .with(generate_groups::generate_groups)
        .with(generate_slowly::generate_slowly)
        .with(inject::inject)
        .with(kick::kick)
        .with(limit_rate::limit_rate)
        .with(merge::merge)
        .with(merge_groups::merge_groups)
        .with(merge_in_turn::merge_in_turn)
        .with(nth::nth)
        .with(pass::pass)
        .with(priority::priority)
        .with(random_delay::random_delay)
        .with(replicate::replicate)
        .with(round_robin::round_robin)
        .with(select::select)
        .with(shed::shed)
        .with(skip::skip)
        .with(sort::sort)
        .with(splitter::splitter)
        .with(switch::switch)
        .with(take::take)
        .with(tick::tick)
        .with(timeout::timeout)
        .with(zip::zip);
    ALIASES.iter().fold(catalogue, |catalogue, (alias, name)| {
        catalogue.alias(alias, name)
    })
}

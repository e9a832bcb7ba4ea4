//! `pubsub`: channels, and who has subscribed.

use paperflow_connect::ChannelStatus;
use paperflow_connect::streams::{Answer, Request};

use crate::cli::exit::{Exit, Failure};
use crate::cli::{out, tabular};

use super::{Place, strange};

/// Looks into publish-subscribe channels.
#[derive(Debug, clap::Subcommand)]
#[command(after_long_help = "\
Examples:
  paperflow pubsub ls --graph orders.fbp
  paperflow queue peek 'orders.Shop.OUT[receive Stock.IN]'")]
pub(in crate::cli) enum Verb {
    /// Lists the channels there are: what was sent, what nobody heard, and who has subscribed.
    #[command(after_long_help = "Example:\n  paperflow pubsub ls --graph orders.fbp")]
    Ls {
        #[command(flatten)]
        place: Place,
    },
}

pub(in crate::cli) fn execute(verb: Verb) -> Result<Exit, Failure> {
    let Verb::Ls { place } = verb;
    match place.ask_streams(Request::Channels)? {
        Answer::Channels(channels) => place.print(&channels, |channels| listed(channels)),
        other => Err(strange(&other)),
    }
}

/// A line for each subscriber.
fn listed(channels: &[ChannelStatus]) -> String {
    let rows = channels.iter().flat_map(|channel| {
        let row = move |subscriber: &str, is_there: &str, copies: String| {
            let counts = [channel.sent, channel.unobserved].map(|count| count.to_string());
            let [sent, unobserved] = counts;
            let (subscriber, is_there) = (subscriber.to_owned(), is_there.to_owned());
            vec![
                channel.name.clone(),
                subscriber,
                is_there,
                sent,
                unobserved,
                copies,
            ]
        };
        let nobody = channel.subscribers.is_empty();
        let nobody = nobody.then(|| row("(nobody)", "-", String::from("0")));
        let subscribers = channel.subscribers.iter().map(move |subscriber| {
            let is_there = if subscriber.is_present { "yes" } else { "no" };
            row(&subscriber.name, is_there, subscriber.copies.to_string())
        });
        nobody.into_iter().chain(subscribers)
    });
    let head = [
        "CHANNEL",
        "SUBSCRIBER",
        "READS",
        "SENT",
        "UNHEARD",
        "WAITING",
    ];
    tabular::aligned(&tabular::rows(&head, rows), 3, out::stdout_paint())
}

//! The attribute that turns a function into a component.
//!
//! Components name it `paperflow_core::component`. Documentation comments on the function and on its
//! arguments become the description that `describe` prints, so a component without them does not
//! compile.
//!
//! ```
//! use paperflow_core::{Out, Text, component};
//!
//! /// Emits every word of a text as a packet of its own.
//! #[component("text/words", work = compute)]
//! #[example(line = ["to be"], words = ["to", "be"])]
//! fn words(
//!     /// A line of text.
//!     line: Text,
//!     /// One word per packet, in order.
//!     words: &mut Out<Text>,
//! ) {
//!     for word in line.split_whitespace() {
//!         words.put(word);
//!     }
//! }
//!
//! let catalogue = paperflow_core::Catalogue::new().with(words);
//! assert!(catalogue.get("text/words").is_some());
//! ```
//!
//! # Shapes
//!
//! - A plain `fn` is called once per packet. It takes exactly one value (the driving input) and any of
//!   `&mut Out<T>`, `&mut Outs<T>`, `&Param<T>`, `Param<T>`, `&mut Table<K, V>`, `Timer`, `&Timer`. A
//!   `Param<T>` is cloned for every call and needs `T: Clone`; a `&Param<T>` is not and does not.
//! - An `async fn` runs once. It takes any of `In<T>`, `Ins<T>`, `Out<T>`, `Outs<T>`, `Param<T>`,
//!   `Table<K, V>`, `Timer`.
//!
//! Either returns nothing or `Result<(), E>` with `E: Into<Fault>`. A `Param<Option<T>>` may be left
//! out. The types are recognised by the last segment of their path. The function itself becomes
//! `words::call`; `words` names the component and is given as it is to whatever takes a `Component`.
//!
//! # Options
//!
//! | Where | Written | Means |
//! |---|---|---|
//! | component | `work = compute` | never blocks, may share a worker; else it has a thread (`thread`) |
//! | component | `must_run` | runs once even when no packet ever comes |
//! | component | `again` | is opened again after it has ended, as long as packets come |
//! | component | `repeats` | with the same parameters it sends the same packets in each run, in the same order: a file that is read, not a clock; after a crash a store knows them again |
//! | component | `idempotent` | a packet that comes twice leaves the same behind as one that comes once: the same distinct packets, the same rows in its tables; `paperflow test` verifies it |
//! | component | `renews` | what it has written, such as a file, is begun anew whenever it begins: what a store has seen handled is then gone after a crash, and `check` says so |
//! | component | `forgets` | what it sends depends on packets that it has let go of, and it has that in memory and in no table: one that begins again after a crash begins at nothing, and `check` says so |
//! | component | `passes_over` | what is for an element whose reader has left goes to another one. Say it of an `async fn` without tables that divides packets by time or by their order: when its part was killed and begins again, elements behind which all had been sent are closed to it |
//! | component | `settle = each` | lets go of what a store has delivered when it receives the next packet: for filters and routers, which keep nothing from one packet to the next |
//! | component | `reads = in_step` | takes some from each in-port in its turn: while it waits for one it takes nothing from the others |
//! | component | `reads = to_end` | reads one in-port or element to its end, then the next, in the order of the arguments and numbers |
//! | component | `sends = in_step` | gives all out-ports and elements as many packets at any time |
//! | component | `sends = to_end` | gives one out-port or element its share and closes it, then the next |
//! | component | `sends = by_choice` | gives each packet to one out-port or element, maybe many in a row to the same |
//! | function | `#[example(line = ["a"], size = 3)]` | a run that shows it: packets by port, text by parameter |
//! | argument | `#[port("NAME")]` | its name; else that of the argument in capitals |
//! | port | `#[optional]` | may be left unconnected |
//! | out-port | `#[at_end]` | nothing leaves there before the in-ports have ended, or a group in them has |
//! | out-port | `#[afresh]` | a question: it is another packet in each life of the process, so that it is answered again after a crash |
//! | array port | `#[fixed(3)]` | has exactly three elements |
//! | parameter | `#[keeps]` | where it is `true`, a component that `renews` keeps what it has written before |
//! | parameter | `#[default(20)]` | the text used when none is given |
//!
//! Arguments called `input` and `inputs` are the port IN (`in` is a keyword), `outs` is OUT. An output
//! argument called `error` is the port ERROR, which every component has.
//!
//! An example lists for each port the packets: literals, `null`, `open` and `close` for brackets, and
//! records written as JSON, `{ "price": 3 }`. An element of an array port is `inputs[0] = [..]`; what
//! leaves at ERROR is `error = [..]`.

mod arguments;
mod examples;
mod expand;
mod options;
#[cfg(test)]
mod tests;

use proc_macro::TokenStream;

/// Turns a function into a component: `#[component("area/name")]`. See the [crate page](crate).
#[proc_macro_attribute]
pub fn component(options: TokenStream, item: TokenStream) -> TokenStream {
    expand::component(options.into(), item.into())
        .unwrap_or_else(|error| error.into_compile_error())
        .into()
}

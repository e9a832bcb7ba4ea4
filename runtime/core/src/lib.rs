//! What every component and every engine agree on.
//!
//! A component is a function over named ports; [`component`](macro@component) turns it into a
//! [`Component`] with a [`Spec`]. Packets are 32 bytes and have one owner at any time. A component
//! sees ports, tables and timers, never a thread, a channel, the system clock or the graph.
//!
//! This crate starts no thread, does no I/O and needs no async runtime; its one piece of hidden state
//! is the thread-local slot through which a turn is lent to a running component. The price is a detour
//! at each use of a port; it buys components that are plain functions.

// The attribute names this crate as `::paperflow_core`, also in here.
extern crate self as paperflow_core;

pub mod activity;
pub mod catalogue;
pub mod component;
pub mod connector;
pub mod failpoint;
pub mod fault;
pub mod field;
pub mod got;
pub mod headers;
pub mod message;
pub mod packet;
pub mod port;
pub mod receive;
pub mod settle;
pub mod slot;
pub mod spec;
pub mod standing;
pub mod table;
pub mod time;
pub mod turn;
pub mod value;
pub mod wait;

pub use activity::{Outcome, looper, plain};
pub use catalogue::Catalogue;
pub use component::{Activity, Component, Params, Step};
pub use fault::{Closed, Fault};
pub use field::Field;
pub use got::Got;
pub use headers::Headers;
pub use packet::{Kind, Packet};
pub use paperflow_macros::component;
pub use port::{In, Ins, Out, Outs, Param, TrySend};
pub use receive::{Grouped, Item, Receive};
pub use spec::{Example, ParamSpec, PortSpec, Reads, Sample, Sends, Spec, Work};
pub use table::Table;
pub use time::{Moment, Timer};
pub use turn::{Give, Take, Turn};
pub use wait::{Either, outside, outside_within, select};
// For the code that the attribute writes: examples hold JSON.
#[doc(hidden)]
pub use serde_json;
pub use value::{IntoPort, Number, Object, Parameter, Record, Text, Typed, Value};

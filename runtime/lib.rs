//! Paperflow runs graphs of components joined by bounded connections with named ports.
//!
//! A component is a function over ports; [`component`](macro@component) makes it known by name. A graph
//! is a text that says which processes use which components and which port leads where. The engine
//! runs it, on threads or on a pool, and tells how it ended.
//!
//! This crate is the front door: it has the names a component author, an embedding program and an own
//! command binary need, and no logic of its own. `cargo run --example embed` shows a program that
//! drives a graph, `cargo run --example own_command` a command with components of its own.

// The attribute names the core crate through this one.
#[doc(hidden)]
pub use paperflow_core;

pub use paperflow_core::{
    Activity, Catalogue, Closed, Component, Either, Fault, Field, Give, Got, Grouped, Headers, In,
    Ins, IntoPort, Item, Kind, Moment, Number, Object, Out, Outs, Packet, Param, Parameter, Params,
    PortSpec, Reads, Record, Sends, Spec, Step, Table, Take, Text, Timer, TrySend, Turn, Typed,
    Value, Work, component, outside, outside_within, select,
};
pub use paperflow_engine::{
    BuildError, Control, Input, Network, Observer, Options, Outcome, Output, Refused, Running,
    Scheduler, Started, Stores, Verdict, describe, report, rig, set_initial,
};
pub use paperflow_graph as graph;
pub use paperflow_syntax as syntax;

mod cli;
mod load;
mod stores;

pub use cli::cli;
pub use load::{Loaded, load, load_required, load_strict, load_text, load_wired};
pub use stores::{DATA_FOLDER, data_folder, open_stores, open_wired_stores, part_folder};

/// Every component that comes with Paperflow.
#[must_use]
pub fn standard() -> Catalogue {
    paperflow_std::catalogue()
        .and(paperflow_io::catalogue())
        .and(paperflow_messaging::catalogue())
        .and(paperflow_course::catalogue())
}

/// What the README shows in Rust is compiled with the documentation.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}

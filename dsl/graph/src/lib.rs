//! The graph as data.
//!
//! A [`Graph`] is what an author drew, from text or from JSON. [`expand`](expand::expand)
//! flattens it, with every subnet it names, into a [`Plan`]: plain lists of processes, links and
//! initial packets. [`check`](check::check) compares a plan with a [`Catalogue`] of component
//! descriptions and answers with [`Diagnostic`]s; [`examine`] does both.
//!
//! This crate knows names, never Rust types: the catalogue may as well have been read from JSON.
//! Nothing here fails; everything reports.

pub mod attributes;
pub mod capabilities;
pub mod catalogue;
pub mod check;
pub mod diagnostic;
pub mod diagnostics;
pub mod draw;
pub mod expand;
pub mod guarantee;
pub mod instances;
pub mod json;
pub mod model;
pub mod parts;
pub mod places;
pub mod plan;
#[cfg(test)]
mod samples;
pub mod similar;
pub mod source;
pub mod wiring;

pub use catalogue::{Catalogue, Component, Kinds, Port, Reads, Sends};
pub use check::{Checked, examine};
pub use diagnostic::{Diagnostic, Fix, Label, Severity};
pub use expand::{Expanded, NoSubnets, Resolve, Side, Surroundings, expand, expand_in};
pub use model::{
    Attribute, Connection, End, Export, Graph, Group, Initial, Origin, PortRef, Process, Property,
};
pub use plan::{Full, Plan};
pub use source::{FileId, Sources, Span};
pub use wiring::Wiring;

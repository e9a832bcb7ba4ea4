//! The attribute that turns a function into a component.

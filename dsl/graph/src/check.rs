//! x
pub mod drawing;

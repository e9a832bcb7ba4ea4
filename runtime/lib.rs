//! Paperflow.

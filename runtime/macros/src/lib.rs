//! The attribute that turns a function into a component.

use proc_macro::TokenStream;

/// Placeholder.
#[proc_macro_attribute]
pub fn component(_: TokenStream, item: TokenStream) -> TokenStream {
    item
}

//! Everything that can be wrong with a text: one file each, with the words `explain` prints.

mod ambiguous_middle;
mod bad_attribute_value;
mod bad_border;
mod bad_component;
mod bad_export;
mod bad_index;
mod bad_json;
mod bad_note;
mod bad_port;
mod bad_process;
mod empty_statement;
mod half_statement;
mod misplaced_initial;
mod missing_arrow;
mod missing_end;
mod spaced_component;
mod unclosed_bracket;
mod unclosed_text;
pub(crate) mod unexpected;
mod unknown_attribute;

pub(crate) use ambiguous_middle::ambiguous_middle;
pub(crate) use bad_attribute_value::bad_attribute_value;
pub(crate) use bad_border::{bad_border, border_attributes};
pub(crate) use bad_component::bad_component;
pub(crate) use bad_export::{bad_export, unknown_keyword};
pub(crate) use bad_index::{bad_index, index_on_process};
pub(crate) use bad_json::bad_json;
pub(crate) use bad_note::bad_note;
pub(crate) use bad_port::bad_port;
pub(crate) use bad_process::bad_process;
pub(crate) use empty_statement::empty_statement;
pub(crate) use half_statement::{lone_name, port_without_arrow};
pub(crate) use misplaced_initial::{lone_initial, misplaced_initial};
pub(crate) use missing_arrow::missing_arrow;
pub(crate) use missing_end::{missing_end, missing_process};
pub(crate) use spaced_component::spaced_component;
pub(crate) use unclosed_bracket::unclosed_bracket;
pub(crate) use unclosed_text::unclosed_text;
pub(crate) use unknown_attribute::unknown_attribute;

/// Code, title and text of every diagnostic of this crate, by code.
pub const EXPLANATIONS: &[(&str, &str, &str)] = &[
    unclosed_text::EXPLANATION,
    unclosed_bracket::EXPLANATION,
    bad_json::EXPLANATION,
    unexpected::EXPLANATION,
    missing_arrow::EXPLANATION,
    half_statement::EXPLANATION,
    missing_end::EXPLANATION,
    spaced_component::EXPLANATION,
    ambiguous_middle::EXPLANATION,
    bad_index::EXPLANATION,
    bad_port::EXPLANATION,
    bad_process::EXPLANATION,
    misplaced_initial::EXPLANATION,
    bad_component::EXPLANATION,
    unknown_attribute::EXPLANATION,
    bad_attribute_value::EXPLANATION,
    bad_export::EXPLANATION,
    bad_border::EXPLANATION,
    empty_statement::EXPLANATION,
    bad_note::EXPLANATION,
];

/// Declares a diagnostic's code and explanation; the explanation is also its documentation.
macro_rules! explain {
    ($code:literal, $title:literal, $text:literal) => {
        /// Its code.
        const CODE: &str = $code;

        #[doc = concat!("```text\n", $text, "```")]
        pub(super) const EXPLANATION: (&str, &str, &str) = ($code, $title, $text);
    };
}
use explain;

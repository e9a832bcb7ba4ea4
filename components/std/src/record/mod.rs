//! Components for records: named fields, as in JSON.

mod assign;
mod from_array;
mod from_text;
mod get;
mod merge;
mod remove;
mod select;
mod set;
mod split;
mod switch;
mod to_array;
mod to_text;

use paperflow_core::Catalogue;

/// The components of this area.
pub(crate) fn catalogue() -> Catalogue {
    Catalogue::new()
        .with(assign::assign)
        .with(from_array::from_array)
        .with(from_text::from_text)
        .with(get::get)
        .with(merge::merge)
        .with(remove::remove)
        .with(select::select)
        .with(set::set)
        .with(split::split)
        .with(switch::switch)
        .with(to_array::to_array)
        .with(to_text::to_text)
        .alias("Assign", "record/assign")
        .alias("FromArray", "record/from-array")
        .alias("ToArray", "record/to-array")
        .alias("Marshal", "record/to-text")
}

use paperflow_core::{Fault, Out, Param, Text, component};

/// Replaces a text wherever it stands in the texts that come.
///
/// FIND is plain text and not a pattern; letters of another case are other letters.
#[component("text/replace", work = compute)]
#[example(find = "cat", repl = "dog", input = ["cat and Cat and cat"], out = ["dog and Cat and dog"])]
pub(crate) fn replace(
    /// Texts.
    input: Text,
    /// What is replaced; not empty.
    find: &Param<String>,
    /// What comes in its place.
    #[default("")]
    repl: &Param<String>,
    /// The changed texts.
    out: &mut Out<Text>,
) -> Result<(), Fault> {
    if find.is_empty() {
        return Err(Fault::new(
            "parameter FIND: expected a text that is not empty",
        ));
    }
    out.put(input.replace(&**find, repl));
    Ok(())
}

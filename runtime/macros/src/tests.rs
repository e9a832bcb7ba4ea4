//! What is said about functions that cannot be components, and about which of their tokens.

use std::str::FromStr as _;

use proc_macro2::TokenStream;

use crate::expand;

/// Every complaint as `token: message`.
fn complaints(options: &str, function: &str) -> Vec<String> {
    let parse = |text| TokenStream::from_str(text).unwrap();
    let Err(errors) = expand::component(parse(options), parse(function)) else {
        return Vec::new();
    };
    let say = |error: syn::Error| {
        let token = error.span().source_text().unwrap_or_default();
        format!("{token}: {error}")
    };
    errors.into_iter().map(say).collect()
}

/// The one complaint about a documented function with these arguments, `#` standing for a comment.
fn about(function: &str) -> String {
    let function = format!("/// Does it.\n{}", function.replace('#', "#[doc = \"X\"]"));
    let mut complaints = complaints("\"a/b\"", &function.replace("@", "#"));
    assert_eq!(complaints.len(), 1, "{complaints:?}");
    complaints.remove(0)
}

macro_rules! rejects {
    ($($name:ident: $function:literal => $complaint:literal;)*) => {$(
        #[test]
        fn $name() {
            assert_eq!(about($function), $complaint);
        }
    )*};
}

rejects! {
    an_undocumented_port: "fn f(line: Text) {}"
        => "line: port `line` needs a doc comment: it becomes its description";
    an_undocumented_parameter: "fn f(# line: Text, size: Param<i64>) {}"
        => "size: parameter `size` needs a doc comment: it becomes its description";
    an_undocumented_table: "async fn f(mut rows: Table<i64, i64>) {}"
        => "rows: table `rows` needs a doc comment: it becomes its description";
    two_inputs_of_a_plain_function: "fn f(# a: Text, # b: Text) {}"
        => "b: a plain function has one input; to take from several ports, make it an `async fn` with \
            `In<T>` arguments";
    a_plain_function_without_input: "fn f(# out: &mut Out<i64>) {}"
        => "f: a plain function is called once per packet and needs an input, taken by value; to run \
            without one, make it an `async fn`";
    receiving_in_a_plain_function: "fn f(# a: paperflow::In<Text>) {}"
        => "paperflow::In<Text>: a plain function takes the value itself; to receive from a port, make \
            it an `async fn`";
    an_output_by_value_in_a_plain_function: "fn f(# a: Text, # out: Out<Text>) {}"
        => "Out<Text>: a plain function is called many times: take this as `&mut`";
    an_input_by_reference: "fn f(# a: &Text) {}"
        => "&Text: a plain function takes its input by value";
    a_bare_value_in_an_async_function: "async fn f(# a: Text) {}"
        => "Text: an `async fn` takes `In`, `Ins`, `Out`, `Outs`, `Param`, `Table` and `Timer`; write \
            `In<T>` to receive this";
    a_reference_in_an_async_function: "async fn f(# out: &mut Out<Text>) {}"
        => "&mut Out<Text>: an `async fn` owns its arguments: leave out the `&`";
    self_as_an_argument: "fn f(&self, # a: Text) {}"
        => "&self: a component is a free function, without `self`";
    a_pattern: "fn f(# (a, b): (i64, i64)) {}"
        => "(a, b): an argument is a plain name: it is also the port's name";
    generics: "fn f<T: Value>(# a: T) {}" => "<T: Value>: a component function has no generics";
    a_wrapper_without_type: "async fn f(# a: In) {}" => "In: write `In<T>`";
    one_name_twice: "async fn f(# input: In<i64>, # inputs: Ins<i64>) {}"
        => "inputs: the name IN is already taken";
    a_default_of_a_port: "fn f(# @[default(1)] a: i64) {}"
        => "default: only a `Param<T>` that is not an `Option` has a default";
    an_optional_parameter: "fn f(# a: i64, # @[optional] size: Param<i64>) {}"
        => "optional: only a port is `#[optional]`; a parameter that may be left out is \
            `Param<Option<T>>`";
    a_size_of_a_single_port: "async fn f(# @[fixed(3)] out: Out<i64>) {}"
        => "3: only an array port, `Ins<T>` or `Outs<T>`, has a fixed size";
    an_early_port_of_a_plain_function: "fn f(# a: i64, # @[at_end] out: &mut Out<i64>) {}"
        => "at_end: only an `async fn` has out-ports where it sends `at_end`";
    an_input_at_the_end: "async fn f(# @[at_end] a: In<i64>) {}"
        => "at_end: only an `async fn` has out-ports where it sends `at_end`";
    an_input_for_questions: "async fn f(# @[afresh] a: In<i64>) {}"
        => "afresh: only an out-port sends something `afresh`";
    an_input_that_keeps: "async fn f(# @[keeps] a: In<i64>) {}"
        => "keeps: only a `Param<bool>` `keeps` what was written before";
    an_example_of_nothing: "@[example(b = [1])] fn f(# a: i64) {}"
        => "b: no port or parameter argument is called `b`";
    an_example_with_one_packet_bare: "@[example(a = 1)] fn f(# a: i64) {}"
        => "a: a port takes a list of packets, `[..]`";
    an_example_with_an_expression: "@[example(a = [x])] fn f(# a: i64) {}"
        => "x: a packet is a literal, `null`, `open`, `close`, `[..]` or `{ \"key\": .. }`";
    an_example_without_element: "@[example(inputs = [1])] async fn f(# inputs: Ins<i64>) {}"
        => "inputs: say which element of the array port: `inputs[0]`";
}

#[test]
fn every_bad_argument_is_reported_at_once() {
    assert_eq!(
        complaints("\"a/b\"", "fn f(a: Text, out: &mut Out<Text>) {}").len(),
        2
    );
}

#[test]
fn a_component_without_documentation() {
    let complaints = complaints("\"a/b\"", "fn f(#[doc = \"X\"] a: Text) {}");
    assert_eq!(
        complaints,
        ["f: component `f` needs a doc comment: it becomes its description"]
    );
}

#[test]
fn an_order_of_its_own_is_part_of_the_description() {
    let expanded = |options| {
        let function = "/// Does it.\nasync fn f(#[doc = \"X\"] inputs: Ins<i64>) {}";
        let parse = |text| TokenStream::from_str(text).unwrap();
        expand::component(parse(options), parse(function))
            .unwrap()
            .to_string()
    };
    let said = |options, word: &str| expanded(options).replace(' ', "").contains(word);
    assert!(said("\"a/b\", reads = in_step", "Reads::InStep"));
    assert!(said("\"a/b\", reads = to_end", "Reads::ToEnd"));
    assert!(said("\"a/b\", sends = in_step", "Sends::InStep"));
    assert!(said("\"a/b\", sends = to_end", "Sends::ToEnd"));
    assert!(said("\"a/b\", sends = by_choice", "Sends::ByChoice"));
    assert!(said("\"a/b\", passes_over", ".passes_over()"));
    assert!(said("\"a/b\", renews", ".renews()"));
    assert!(said("\"a/b\", forgets", ".forgets()"));
    assert!(!said("\"a/b\", work = compute", ".passes_over()"));
    assert!(!said("\"a/b\", work = compute", "Reads"));
    assert!(!said("\"a/b\", work = compute", "Sends"));
}

#[test]
fn bad_options() {
    let of = |options| complaints(options, "fn f(a: Text) {}").remove(0);
    assert_eq!(
        of("\"words\""),
        "\"words\": a component's name is `area/name`"
    );
    assert_eq!(
        of("\"a/b\", work = fast"),
        "fast: work is `compute` or `thread`"
    );
    assert_eq!(
        of("\"a/b\", often"),
        "often: expected `work = ..`, `must_run`, `again`, `repeats`, `idempotent`, `renews`, `forgets`, `passes_over`, `reads = ..`, `sends = ..` or `settle = ..`"
    );
    assert_eq!(
        of("\"a/b\", forgets"),
        "forgets: a plain function has nothing but its tables from one packet to the next; only an `async fn` `forgets`"
    );
    assert_eq!(
        of("\"a/b\", passes_over"),
        "passes_over: a plain function does not learn that a reader has left; only an `async fn` `passes_over` it"
    );
    assert_eq!(
        of("\"a/b\", reads = in_step"),
        "reads: a plain function takes packets from one port; only an `async fn` `reads` several"
    );
    assert_eq!(
        of("\"a/b\", reads = by_choice"),
        "by_choice: reads is `in_step` or `to_end`"
    );
    assert_eq!(
        of("\"a/b\", sends = seldom"),
        "seldom: sends is `in_step` or `to_end` or `by_choice`"
    );
    assert!(of("").ends_with("a component needs a name: `\"area/name\"`"));
}

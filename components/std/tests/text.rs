//! Components for texts.

mod bench;

use bench::{check, records, rig, stream, texts, through};
use serde_json::json;

#[test]
fn words_know_every_white_space() {
    let rig = rig("text/words").feed("IN", texts(&["\u{a0}to\u{2003}be\r\n", "", " \t"]));
    check(&rig, &[("OUT", texts(&["to", "be"]))]);
}

#[test]
fn line_to_words_keeps_empty_words() {
    let rig = rig("LineToWords").feed("IN", texts(&["  two  blanks  ", "", "   "]));
    check(&rig, &[("OUT", texts(&["", "", "two", "", "blanks", ""]))]);
}

#[test]
fn split_refuses_an_empty_separator() {
    rig("text/split")
        .set("SEPARATOR", "")
        .feed("IN", stream("a"))
        .expect_fault("parameter SEPARATOR");
}

#[test]
fn decompose_keeps_the_last_word() {
    let rig = rig("DeCompose").feed("IN", texts(&["Ja, ja; grün—oder?", "..."]));
    check(&rig, &[("OUT", texts(&["Ja", "ja", "grün—oder"]))]);
}

#[test]
fn fill_ends_a_line_at_a_bracket() {
    let rig = rig("WordsToLine").set("MEASURE", "20");
    through(rig, "a b ( c ( d ) e f ) g", "a_b ( c ( d ) e_f ) g");
}

#[test]
fn recompose_has_its_measure_at_size() {
    through(rig("ReCompose").set("SIZE", "4"), "a b c d", "a_b c_d");
}

#[test]
fn fill_of_nothing_sends_nothing() {
    through(rig("text/fill").set("MEASURE", "20"), "", "");
    through(rig("text/fill").set("MEASURE", "20"), "'' ''", "");
}

#[test]
fn fill_refuses_what_is_no_word() {
    rig("text/fill")
        .set("MEASURE", "20")
        .feed("IN", stream("a 5"))
        .expect_fault("expected text, got int 5");
    rig("text/fill")
        .set("MEASURE", "0")
        .feed("IN", stream("a"))
        .expect_fault("parameter MEASURE: expected a whole number, 1 or more");
}

#[test]
fn case_is_that_of_unicode() {
    through(rig("LowerCase"), "( ÄRGER )", "( ärger )");
    through(rig("text/upper"), "straße", "STRASSE");
}

#[test]
fn affix_needs_neither_end() {
    through(rig("Affix"), "a ( b )", "a ( b )");
    through(rig("Prefix").set("PRE", "<"), "a ''", "<a <");
}

#[test]
fn replace_takes_the_pattern_literally() {
    let rig = rig("ReplaceString").set("FIND", ".*").set("REPL", "ü");
    check(
        &rig.feed("IN", texts(&["a.*b.*", "ab"])),
        &[("OUT", texts(&["aübü", "ab"]))],
    );
}

#[test]
fn replace_refuses_to_find_nothing() {
    rig("text/replace")
        .set("FIND", "")
        .feed("IN", stream("a"))
        .expect_fault("parameter FIND");
}

#[test]
fn replace_without_repl_removes() {
    through(rig("text/replace").set("FIND", "a"), "banana a", "bnn ''");
}

#[test]
fn trim_leaves_the_middle() {
    check(
        &rig("text/trim").feed("IN", texts(&["\t a  b \n"])),
        &[("OUT", texts(&["a  b"]))],
    );
}

#[test]
fn starts_with_and_contains_send_brackets_both_ways() {
    for (name, test) in [("StartsWith", "grü"), ("text/contains", "rün")] {
        let rig = rig(name)
            .set("TEST", test)
            .feed("IN", stream("( grün rot )"));
        check(
            &rig,
            &[("ACC", stream("( grün )")), ("REJ", stream("( rot )"))],
        );
        check(&rig, &[("ACC", stream("( grün )"))]);
    }
}

#[test]
fn starts_with_refuses_numbers() {
    rig("StartsWith")
        .set("TEST", "a")
        .feed("IN", stream("1.5"))
        .expect_fault("expected text, got float 1.5");
}

#[test]
fn what_starts_with_refuses_can_go_to_error() {
    let rig = rig("StartsWith")
        .set("TEST", "a")
        .feed("IN", stream("a 5 b"));
    check(
        &rig,
        &[
            ("ACC", stream("a")),
            ("REJ", stream("b")),
            ("ERROR", stream("5")),
        ],
    );
}

#[test]
fn join_makes_one_text_of_each_group() {
    let rig = rig("ConcatString").set("SEPARATOR", "-");
    through(rig, "a b ( c ( d e ) ) ( )", "a-b ( c ( d-e ) ) ( )");
}

#[test]
fn join_of_nothing_sends_nothing() {
    through(rig("ConcatString"), "", "");
    through(rig("ConcatString"), "''", "''");
}

#[test]
fn length_counts_characters() {
    through(rig("text/length"), "grün '' ( a_b )", "4 0 ( 3 )");
}

#[test]
fn strip_keeps_letters_of_every_alphabet() {
    through(rig("StripPunct"), "grün! (nein) ...", "grün nein ''");
}

#[test]
fn template_names_the_field_that_is_missing() {
    let rig = || rig("text/template").set("TEMPLATE", "{name}: {n}");
    let given = json!([{"name": "Ö", "n": null}, {"name": "x", "n": [1]}]);
    check(
        &rig().feed("IN", records(given)),
        &[("OUT", texts(&["Ö: ", "x: [1]"]))],
    );
    rig()
        .feed("IN", records(json!([{"n": 1}])))
        .expect_fault("the record has no field name");
}

#[test]
fn template_refuses_a_single_brace() {
    let rig = rig("text/template")
        .set("TEMPLATE", "{name")
        .feed("IN", records(json!([{"name": 1}])));
    rig.expect_fault("parameter TEMPLATE: expected a text with gaps");
}

//! From names and values to what a wiring file says.

use crate::attributes::ATTRIBUTES;
use crate::diagnostic::Diagnostic;
use crate::diagnostics::{bad_setting, unknown_wiring_key, wrong_wiring_value};
use crate::model::Attribute;
use crate::plan::Keep;
use crate::similar::suggest;

use super::{
    Arc, Ce, Entry, FAULTS, Node, Part, Policy, SECTIONS, SectionSpec, Store, Table, Value, Wiring,
    Written,
};

impl Wiring {
    /// Understands a wiring file; reports what it gets wrong.
    #[must_use]
    pub fn read(entries: &[Entry], diagnostics: &mut Vec<Diagnostic>) -> Self {
        let mut wiring = Self::default();
        for entry in entries {
            let name = &entry.name;
            let Some(spec) = SECTIONS.iter().find(|spec| spec.name == name.text) else {
                let known: Vec<_> = SECTIONS.iter().map(|spec| spec.name).collect();
                let found = unknown_wiring_key::at("a wiring file", &name.text, &known, name.span);
                diagnostics.push(found);
                continue;
            };
            let Some(named) = section(&entry.node, spec.heading, diagnostics) else {
                continue;
            };
            for one in named {
                let heading = format!("[{}.{:?}]", spec.name, one.name.text);
                if let Some(entries) = section(&one.node, &heading, diagnostics) {
                    let keys = Keys::of(spec, &heading, entries, diagnostics);
                    wiring.take(spec.name, &one.name, &keys, diagnostics);
                }
            }
        }
        wiring
    }

    fn take(
        &mut self,
        section: &str,
        name: &Written,
        keys: &Keys<'_>,
        diagnostics: &mut Vec<Diagnostic>,
    ) {
        let name = name.clone();
        match section {
            "arc" => self.arcs.push(Arc {
                attributes: attributes(keys.entries, diagnostics),
                name,
            }),
            "store" => self.stores.push(Store {
                url: keys.text("url", diagnostics),
                dir: keys.text("dir", diagnostics),
                ce: keys.word(
                    "ce",
                    "way to write messages to a broker",
                    &Ce::WORDS,
                    diagnostics,
                ),
                name,
            }),
            "table" => self.tables.push(Table {
                store: keys.text("store", diagnostics),
                keep: keys.word(
                    "keep",
                    "time to keep a table for",
                    &Keep::WORDS,
                    diagnostics,
                ),
                name,
            }),
            "part" => self.parts.push(Part {
                processes: keys.texts("processes", diagnostics),
                name,
            }),
            _ => self.policies.push(Policy {
                fault: keys.fault(diagnostics),
                retries: keys.retries(diagnostics),
                process: name,
            }),
        }
    }
}

/// What stands behind a name that must be a section.
fn section<'a>(
    node: &'a Node,
    heading: &str,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<&'a [Entry]> {
    match &node.value {
        Value::Section(entries) => Some(entries),
        _ => {
            diagnostics.push(wrong_wiring_value::no_section(heading, node.span));
            None
        }
    }
}

/// The keys of a section.
struct Keys<'a> {
    entries: &'a [Entry],
}

impl<'a> Keys<'a> {
    /// The keys of a section; reports those that mean nothing there.
    fn of(
        spec: &SectionSpec,
        heading: &str,
        entries: &'a [Entry],
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Self {
        let known: Vec<_> = match spec.keys {
            [] => ATTRIBUTES.iter().map(|spec| spec.name).collect(),
            keys => keys.to_vec(),
        };
        for Entry { name, .. } in entries {
            if !known.contains(&name.text.as_str()) {
                let found = unknown_wiring_key::at(heading, &name.text, &known, name.span);
                diagnostics.push(found);
            }
        }
        Self { entries }
    }

    fn get(&self, key: &str) -> Option<&'a Node> {
        let entry = self.entries.iter().find(|entry| entry.name.text == key)?;
        Some(&entry.node)
    }

    fn text(&self, key: &str, diagnostics: &mut Vec<Diagnostic>) -> Option<Written> {
        plain(key, self.get(key)?, diagnostics)
    }

    fn texts(&self, key: &str, diagnostics: &mut Vec<Diagnostic>) -> Vec<Written> {
        let Some(node) = self.get(key) else {
            return Vec::new();
        };
        match &node.value {
            Value::List(nodes) => nodes
                .iter()
                .filter_map(|node| plain(key, node, diagnostics))
                .collect(),
            _ => {
                diagnostics.push(wrong_wiring_value::no_list(key, node.span));
                Vec::new()
            }
        }
    }

    /// One of some words, each of which stands for something; what stands for nothing is reported.
    fn word<T: Copy + Default>(
        &self,
        key: &str,
        what: &str,
        words: &[(&str, T)],
        diagnostics: &mut Vec<Diagnostic>,
    ) -> T {
        let Some(written) = self.text(key, diagnostics) else {
            return T::default();
        };
        let found = words.iter().find(|(word, _)| *word == written.text);
        found.map_or_else(
            || {
                let words: Vec<_> = words.iter().map(|(word, _)| *word).collect();
                diagnostics.push(wrong_wiring_value::no_word(&written, what, &words));
                T::default()
            },
            |(_, meant)| *meant,
        )
    }

    fn fault(&self, diagnostics: &mut Vec<Diagnostic>) -> Option<Written> {
        let fault = self.text("fault", diagnostics)?;
        if FAULTS.contains(&fault.text.as_str()) {
            return Some(fault);
        }
        let near = suggest(&fault.text, FAULTS.iter().copied());
        diagnostics.push(wrong_wiring_value::no_fault(&fault, near.as_deref()));
        None
    }

    fn retries(&self, diagnostics: &mut Vec<Diagnostic>) -> Option<Written> {
        let retries = self.text("retries", diagnostics)?;
        if retries.text.parse::<u32>().is_ok() {
            return Some(retries);
        }
        let attribute = Attribute {
            key: String::from("retries"),
            value: retries.text,
            span: retries.span,
        };
        diagnostics.push(bad_setting::at(&attribute));
        None
    }
}

/// A value that must be plain.
fn plain(key: &str, node: &Node, diagnostics: &mut Vec<Diagnostic>) -> Option<Written> {
    match &node.value {
        Value::Plain(text) => Some(Written {
            text: text.clone(),
            span: node.span,
        }),
        _ => {
            diagnostics.push(wrong_wiring_value::no_text(key, node.span));
            None
        }
    }
}

/// What is said of an arc, as on its arrow.
fn attributes(entries: &[Entry], diagnostics: &mut Vec<Diagnostic>) -> Vec<Attribute> {
    let known = |entry: &&Entry| crate::attributes::find(&entry.name.text).is_some();
    let attribute = |entry: &Entry| {
        let value = plain(&entry.name.text, &entry.node, diagnostics)?;
        Some(Attribute {
            key: entry.name.text.clone(),
            value: value.text,
            span: entry.name.span.to(value.span),
        })
    };
    entries.iter().filter(known).filter_map(attribute).collect()
}

//! What the command asks of queues, and does to them.

use ::redis::Value;
use paperflow_core::Headers;
use paperflow_core::connector::StoreFault;
use paperflow_core::message::{Id, Message};

use super::line::Call;
use super::wire::{item, list, lossy, message, number, payload};
use super::{Inner, scripts, streams};
use crate::admin::{Answer, Ask, Shown, Statistics};
use crate::fault::unsupported;
use crate::names;

/// Most messages that one script looks at.
const PAGE: usize = 200;

/// Counts that the server keeps of a queue.
const COUNTS: [&str; 6] = ["sent", "delivered", "done", "retried", "dead", "invalid"];

/// A message where it lies.
struct Lying {
    entry: String,
    state: String,
    attempts: u32,
    due: Option<i64>,
    fields: Vec<Value>,
}

/// Does what is asked, when the server knows of everything that was settled here.
pub(super) fn answer(inner: &Inner, ask: &Ask) -> Result<Answer, StoreFault> {
    for queue in inner.queues() {
        queue.write_settled()?;
    }
    match ask {
        Ask::Queues { queue } => statistics(inner, queue.as_deref()).map(Answer::Queues),
        Ask::Peek { queue, most } => peek(inner, queue, *most).map(Answer::Messages),
        Ask::Show { queue, id } => {
            let wanted = parsed(id)?;
            let found = all(inner, queue)?.into_iter();
            let mut found =
                found.filter(|lying| lying.read(queue).is_some_and(|own| own.id == wanted));
            let found = found.next().map(|lying| lying.shown(queue));
            Ok(Answer::Messages(found.into_iter().collect()))
        }
        Ask::Purge { queue } => {
            let all = all(inner, queue)?;
            let all: Vec<&Lying> = all.iter().filter(|lying| !lying.is_held()).collect();
            take(inner, queue, "", &all).map(Answer::Changed)
        }
        Ask::Redrive { queue, ids, to } => {
            redrive(inner, queue, ids, to.as_deref()).map(Answer::Changed)
        }
        Ask::Streams { request } => streams::answer(inner, request.clone()).map(Answer::Streams),
        Ask::Log { .. } | Ask::Status { .. } => Err(unsupported(
            "Redis keeps no log of deliveries; the embedded store does",
        )),
    }
}

fn parsed(id: &str) -> Result<Id, StoreFault> {
    let whole = (id.len() == 32).then_some(id);
    let parsed = whole.and_then(|digits| digits.parse().ok());
    parsed.ok_or_else(|| unsupported(format!("`{id}` is no identity: 32 hexadecimal digits")))
}

/// What a script has found, or that there is no such queue.
fn found<'a>(answer: &'a Value, queue: &str) -> Result<&'a Value, StoreFault> {
    let answer = list(answer)?;
    let kind = lossy(item(answer, 1));
    match lossy(item(answer, 0)).as_str() {
        "none" if kind.is_empty() => Err(unsupported(format!("there is no queue `{queue}`"))),
        "none" => Err(unsupported(format!("`{queue}` is a {kind}, and no queue"))),
        _ => Ok(item(answer, 1)),
    }
}

fn statistics(inner: &Inner, queue: Option<&str>) -> Result<Vec<Statistics>, StoreFault> {
    let queue = queue.unwrap_or_default();
    let mut call = Call::of(&scripts::QUEUES).with(queue);
    COUNTS.iter().for_each(|count| call.add(count));
    let answer = inner.line.ask(call)?;
    let queues = list(found(&answer, queue)?)?.iter();
    queues
        .map(|queue| {
            let queue = list(queue)?;
            let value = |at: usize| number(item(queue, at)).unwrap_or_default();
            let (waiting, delayed) = (value(1), value(3));
            Ok(Statistics {
                queue: lossy(item(queue, 0)),
                ready: waiting.saturating_sub(delayed),
                leased: value(2),
                delayed,
                bytes: value(4),
                oldest_millis: number(item(queue, 5)),
                sent: value(6),
                delivered: value(7),
                done: value(8),
                retried: value(9),
                dead: value(10),
                invalid: value(11),
                ..Statistics::default()
            })
        })
        .collect()
}

/// Messages behind an entry.
fn page(inner: &Inner, queue: &str, after: &str, most: usize) -> Result<Vec<Lying>, StoreFault> {
    let call = Call::of(&scripts::QUEUE_PAGE).with(queue).with(after);
    let answer = inner.line.ask(call.number(most as u64))?;
    let entries = list(found(&answer, queue)?)?.iter();
    entries
        .map(|entry| {
            let entry = list(entry)?;
            let attempts = number(item(entry, 2)).unwrap_or_default();
            Ok(Lying {
                entry: lossy(item(entry, 0)),
                state: lossy(item(entry, 1)),
                attempts: u32::try_from(attempts).unwrap_or(u32::MAX),
                due: lossy(item(entry, 3)).parse().ok(),
                fields: list(item(entry, 4))?.to_vec(),
            })
        })
        .collect()
}

fn peek(inner: &Inner, queue: &str, most: usize) -> Result<Vec<Shown>, StoreFault> {
    let mut shown = Vec::new();
    let mut after = String::new();
    while shown.len() < most {
        let page = page(inner, queue, &after, PAGE.min(most - shown.len()))?;
        let Some(last) = page.last() else {
            break;
        };
        after.clone_from(&last.entry);
        shown.extend(page.iter().map(|lying| lying.shown(queue)));
    }
    Ok(shown)
}

/// All messages that are there now.
fn all(inner: &Inner, queue: &str) -> Result<Vec<Lying>, StoreFault> {
    let mut all: Vec<Lying> = Vec::new();
    loop {
        let after = all.last().map(|last| last.entry.clone());
        let page = page(inner, queue, &after.unwrap_or_default(), PAGE)?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}

/// Sends messages again: each with its identity, its headers and its bytes, to where it came from or to
/// another place.
fn redrive(
    inner: &Inner,
    queue: &str,
    ids: &[String],
    to: Option<&str>,
) -> Result<u64, StoreFault> {
    let wanted = ids.iter().map(|id| parsed(id));
    let wanted = wanted.collect::<Result<Vec<_>, _>>()?;
    let free = all(inner, queue)?.into_iter();
    let free: Vec<(Option<Id>, Lying)> = free
        .filter(|lying| !lying.is_held())
        .map(|lying| (lying.read(queue).map(|message| message.id), lying))
        .collect();
    let is_free = |id: &&Id| free.iter().any(|(own, _)| *own == Some(**id));
    if let Some(id) = wanted.iter().find(|id| !is_free(id)) {
        return Err(unsupported(format!(
            "message {id} is not in `{queue}`, or is in somebody's hands"
        )));
    }
    let is_wanted =
        |id: &Option<Id>| wanted.is_empty() || id.is_some_and(|id| wanted.contains(&id));
    let chosen = free.iter().filter(|(id, _)| is_wanted(id));
    // Where each goes is known before the first one does.
    let mut ways: Vec<(String, &Lying)> = Vec::new();
    for (_, lying) in chosen {
        let origin = lying.text(names::CONNECTOR);
        let Some(name) = to.map(str::to_owned).or(origin) else {
            return Err(unsupported(format!(
                "a message of `{queue}` does not say where it came from: say where it is to go"
            )));
        };
        if name == queue {
            return Err(unsupported(format!("the messages are in `{name}` already")));
        }
        ways.push((name, lying));
    }
    let mut sent = 0;
    for run in ways.chunk_by(|one, other| one.0 == other.0) {
        let lying: Vec<&Lying> = run.iter().map(|(_, lying)| *lying).collect();
        sent += take(inner, queue, &run[0].0, &lying)?;
    }
    Ok(sent)
}

/// Takes messages out that are still in nobody's hands, and sends them to another place, if one is given.
fn take(inner: &Inner, queue: &str, to: &str, lying: &[&Lying]) -> Result<u64, StoreFault> {
    let mut taken = 0;
    for some in lying.chunks(PAGE) {
        let mut call = Call::of(&scripts::QUEUE_TAKE).with(queue).with(to);
        some.iter().for_each(|lying| call.add(&lying.entry));
        let answer = inner.line.ask(call)?;
        let answer = list(&answer)?;
        if lossy(item(answer, 0)) == "none" {
            return Err(unsupported(format!("there is no queue or stream `{to}`")));
        }
        taken += number(item(answer, 1)).unwrap_or_default();
    }
    for name in [queue, to] {
        if let Some(queue) = inner.queues.lock().get(name) {
            let mut local = queue.local.lock();
            local.readers.call();
            local.writers.call();
        }
    }
    Ok(taken)
}

impl Lying {
    fn is_held(&self) -> bool {
        self.state == "leased"
    }

    fn read(&self, queue: &str) -> Option<Message> {
        message(&self.fields, format_args!("{queue} {}", self.entry)).ok()
    }

    /// A field, as text.
    fn text(&self, name: &str) -> Option<String> {
        super::wire::field(&self.fields, name).map(lossy)
    }

    fn shown(&self, queue: &str) -> Shown {
        let message = self.read(queue);
        let body = message.as_ref().and_then(|message| message.body().ok());
        let (body, body_hex) = match body.map(|body| String::from_utf8(body.into_owned())) {
            Some(Ok(text)) => (Some(text), None),
            Some(Err(error)) => {
                let digits = error.as_bytes().iter().map(|byte| format!("{byte:02x}"));
                (None, Some(digits.collect()))
            }
            None => (None, None),
        };
        let all = message.as_ref().map(|message| message.headers.written());
        let (mut headers, mut cause) = (Headers::default(), Headers::default());
        for (name, value) in all.unwrap_or_default().iter() {
            match name.starts_with("failure-") {
                true => cause.set(name, value),
                false => headers.set(name, value),
            }
        }
        let written = self.entry.split('-').next().unwrap_or_default();
        Shown {
            id: message
                .as_ref()
                .map_or_else(|| self.entry.clone(), |own| own.id.to_string()),
            state: self.state.clone(),
            attempts: self.attempts,
            sent: written.parse().unwrap_or_default(),
            due: self.due,
            kind: message
                .as_ref()
                .map_or("", |own| own.kind_word())
                .to_owned(),
            bytes: payload(&self.fields) as u64,
            headers,
            cause,
            body,
            body_hex,
        }
    }
}

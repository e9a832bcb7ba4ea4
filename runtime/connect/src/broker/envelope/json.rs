//! Structured mode: one JSON document.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use paperflow_core::message::Unreadable;
use serde_json::{Map, Value as Json};

use super::{CONTENT, Envelope, JSON, is_json};

impl Envelope<'_> {
    /// As one JSON document.
    pub(crate) fn to_json(&self) -> Vec<u8> {
        let texts = self.attributes.iter();
        let texts = texts.map(|(name, value)| (name.to_string(), Json::from(&**value)));
        let mut document: Map<String, Json> = texts.collect();
        if let Some(content) = self.get(CONTENT) {
            let (name, data) = data(content, &self.body);
            document.insert(name.to_owned(), data);
        }
        Json::Object(document).to_string().into()
    }

    /// From a JSON document.
    ///
    /// # Errors
    /// It is no CloudEvent.
    pub(crate) fn from_json(document: &[u8]) -> Result<Self, Unreadable> {
        let document: Map<String, Json> = serde_json::from_slice(document)
            .map_err(|error| Unreadable::new(format!("this is no CloudEvent: {error}")))?;
        let mut envelope = Self::default();
        let (mut data, mut base64) = (None, None);
        for (name, value) in document {
            match (name.as_str(), value) {
                ("data", value) => data = Some(value),
                ("data_base64", Json::String(text)) => base64 = Some(text),
                (_, Json::String(text)) => envelope.attributes.push((name.into(), text.into())),
                (_, Json::Null) => {}
                (_, value) => envelope
                    .attributes
                    .push((name.into(), value.to_string().into())),
            }
        }
        let body = match (data, base64) {
            (_, Some(text)) => STANDARD
                .decode(text)
                .map_err(|error| Unreadable::new(format!("this is no data in base64: {error}")))?,
            (Some(data), None) => envelope.body_of(data),
            (None, None) => Vec::new(),
        };
        envelope.body = body.into();
        Ok(envelope)
    }

    /// JSON is data as it is, unless the document says that its text is something else.
    fn body_of(&mut self, data: Json) -> Vec<u8> {
        if self.get(CONTENT).is_none() {
            self.add(CONTENT, JSON);
        }
        match data {
            Json::String(text) if !self.get(CONTENT).is_some_and(is_json) => text.into(),
            data => data.to_string().into(),
        }
    }
}

/// The member of a document that holds a body, so that it comes back byte for byte.
fn data(content: &str, body: &[u8]) -> (&'static str, Json) {
    let as_json = || serde_json::from_slice::<Json>(body).ok();
    let as_text = || std::str::from_utf8(body).ok().map(Json::from);
    let data = if is_json(content) {
        as_json().filter(|json| json.to_string().as_bytes() == body)
    } else {
        as_text()
    };
    match data {
        Some(data) => ("data", data),
        None => ("data_base64", STANDARD.encode(body).into()),
    }
}

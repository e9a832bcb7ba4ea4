//! Messages as MQTT packets: CloudEvents for MQTT 5.
//!
//! In binary mode each attribute is a user property of its own name, without a prefix, the content type is the
//! property that MQTT has for it, and the body is the payload. In structured mode the content type is
//! `application/cloudevents+json`, and the payload is the document; so is a message with a header that is
//! too long for a property. What has no `specversion` is no event: its properties are headers, and the
//! response topic and the correlation data are `reply-to` and `correlation-id`.

use std::borrow::Cow;
use std::fmt::Display;

use paperflow_core::connector::StoreFault;
use paperflow_core::headers::names;
use paperflow_core::message::{Message, Unreadable};
use rumqttc::v5::mqttbytes::v5::{Publish, PublishProperties};

use crate::broker::envelope::{Envelope, STRUCTURED};

const CONTENT: &str = "datacontenttype";
/// No text of a packet is longer.
const LONGEST: usize = u16::MAX as usize;

/// A message, ready to be sent to a topic.
#[derive(Clone)]
pub(super) struct Packed {
    pub(super) payload: Vec<u8>,
    pub(super) properties: PublishProperties,
}

impl Packed {
    /// A message, as `source` writes it.
    pub(super) fn new(
        message: &Message,
        source: &str,
        is_structured: bool,
    ) -> Result<Self, StoreFault> {
        let envelope = Envelope::pack(message, source)?;
        let is_long =
            |(name, value): &(Cow<'_, str>, Cow<'_, str>)| name.len().max(value.len()) > LONGEST;
        if is_structured || envelope.attributes.iter().any(is_long) {
            return Ok(Self {
                payload: envelope.to_json(),
                properties: PublishProperties {
                    content_type: Some(STRUCTURED.to_owned()),
                    ..PublishProperties::default()
                },
            });
        }
        let mut properties = PublishProperties::default();
        for (name, value) in envelope.attributes {
            match name == CONTENT {
                true => properties.content_type = Some(value.into_owned()),
                false => {
                    let property = (name.into_owned(), value.into_owned());
                    properties.user_properties.push(property);
                }
            }
        }
        Ok(Self {
            payload: envelope.body.into_owned(),
            properties,
        })
    }

    /// A text without properties.
    pub(super) fn plain(text: &str) -> Self {
        Self {
            payload: text.as_bytes().to_vec(),
            properties: PublishProperties::default(),
        }
    }

    /// A packet as it came, with more headers.
    pub(super) fn again(publish: &Publish, more: &[(&'static str, String)]) -> Self {
        let mut properties = publish.properties.clone().unwrap_or_default();
        // These are of the packet that came, and not of the message.
        properties.topic_alias = None;
        properties.subscription_identifiers = Vec::new();
        for (name, value) in more {
            properties.user_properties.retain(|(own, _)| own != name);
            let value = value.replace(char::is_control, " ");
            properties.user_properties.push(((*name).to_owned(), value));
        }
        Self {
            payload: publish.payload.to_vec(),
            properties,
        }
    }
}

/// The message in a packet; `place` names one that has no identity.
pub(super) fn message(publish: &Publish, place: impl Display) -> Result<Message, Unreadable> {
    let properties = publish.properties.as_ref();
    let content = properties.and_then(|properties| properties.content_type.as_deref());
    let is_structured =
        content.is_some_and(|content| content.starts_with("application/cloudevents"));
    let own = properties.map_or(<&[_]>::default(), |properties| &properties.user_properties);
    let is_event = own.iter().any(|(name, _)| name == "specversion");
    let is_attribute = |(name, _): &(Cow<'_, str>, _)| {
        is_event && !is_structured && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    let own = own.iter();
    let own = own.map(|(name, value)| (Cow::from(name), Cow::from(value)));
    let (mut attributes, mut beside): (Vec<_>, Vec<_>) = own.partition(is_attribute);
    if is_structured {
        return Envelope::from_json(&publish.payload)?.unpack(beside, place);
    }
    if let Some(content) = content {
        attributes.push((CONTENT.into(), content.into()));
    }
    if let Some(properties) = properties.filter(|_| !is_event) {
        let correlation = properties.correlation_data.as_ref();
        let correlation = correlation.and_then(|data| str::from_utf8(data).ok());
        let native = [
            (names::REPLY_TO, properties.response_topic.as_deref()),
            (names::CORRELATION_ID, correlation),
        ];
        for (name, value) in native {
            let is_new = !beside.iter().any(|(own, _)| own == name);
            let value = value.filter(|_| is_new);
            beside.extend(value.map(|value| (name.into(), value.into())));
        }
    }
    let body = publish.payload.as_ref().into();
    Envelope { attributes, body }.unpack(beside, place)
}

#[cfg(test)]
mod tests {
    use paperflow_core::Packet;
    use paperflow_core::message::Id;

    use super::*;

    fn sent(message: &Message, is_structured: bool) -> Publish {
        let packed = Packed::new(message, "paperflow:t", is_structured).unwrap();
        Publish {
            payload: packed.payload.into(),
            properties: Some(packed.properties),
            ..Publish::default()
        }
    }

    #[test]
    fn what_is_sent_comes_back_in_both_modes() {
        let packet = Packet::json(serde_json::json!({"n": 1}))
            .with_header("type", "shop.paid")
            .with_header("X-Odd", "a,\u{1}b")
            .with_header("correlation-id", "c");
        let message = Message::of(Id::of("1"), &packet).unwrap();
        for is_structured in [false, true] {
            let publish = sent(&message, is_structured);
            let back = super::message(&publish, "p").unwrap();
            assert_eq!((back.id, &back.headers), (message.id, &message.headers));
            assert_eq!(back.body().unwrap(), message.body().unwrap());
        }
    }

    #[test]
    fn a_header_that_fits_into_no_property_goes_into_a_document() {
        let packet = Packet::text("a").with_header("long", &"x".repeat(LONGEST + 1));
        let message = Message::of(Id::of("1"), &packet).unwrap();
        let publish = sent(&message, false);
        let content = publish.properties.as_ref().unwrap().content_type.as_deref();
        assert_eq!(content, Some(STRUCTURED));
        let back = super::message(&publish, "p").unwrap();
        assert_eq!(back.headers, message.headers);
    }

    #[test]
    fn what_is_no_event_keeps_what_mqtt_knows_of_it() {
        let publish = Publish {
            payload: "plain".into(),
            properties: Some(PublishProperties {
                response_topic: Some("answers".into()),
                correlation_data: Some("7".into()),
                user_properties: vec![("tenant".into(), "seven".into())],
                ..PublishProperties::default()
            }),
            ..Publish::default()
        };
        let message = message(&publish, "p").unwrap();
        let get = |name| message.headers.get(name);
        assert_eq!(get("tenant"), Some("seven"));
        assert_eq!(
            (get("reply-to"), get("correlation-id")),
            (Some("answers"), Some("7"))
        );
        assert_eq!(message.kind_word(), "text");
    }
}

//! The way to a field of a record.

use std::fmt;

use serde_json::{Map, Value as Json};

use crate::fault::Fault;
use crate::packet::Packet;
use crate::value::Parameter;

/// The way to a field of a record: `price`, or `customer.address.0` for one further inside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field(Vec<String>);

impl Field {
    /// Reads the way: names, and places in arrays, with dots between. Nothing when a step is empty.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let steps: Vec<String> = text
            .trim()
            .split('.')
            .map(|step| step.trim().to_owned())
            .collect();
        (!steps.iter().any(String::is_empty)).then_some(Self(steps))
    }

    /// The field's value.
    #[must_use]
    pub fn find<'a>(&self, record: &'a Json) -> Option<&'a Json> {
        self.0.iter().try_fold(record, |json, step| match json {
            Json::Object(fields) => fields.get(step),
            Json::Array(items) => items.get(step.parse::<usize>().ok()?),
            _ => None,
        })
    }

    /// Writes the field, and makes the records on the way that are not there yet.
    ///
    /// # Errors
    /// Something on the way is neither a record nor an element of an array.
    pub fn write(&self, record: &mut Json, value: Json) -> Result<(), Fault> {
        let mut place = record;
        for step in &self.0 {
            place = match place {
                Json::Null => enter(place, step),
                Json::Object(fields) => Some(fields.entry(step.as_str()).or_insert(Json::Null)),
                Json::Array(items) => step.parse().ok().and_then(|at: usize| items.get_mut(at)),
                _ => None,
            }
            .ok_or_else(|| Fault::new(format!("there is no place for the field {self}")))?;
        }
        *place = value;
        Ok(())
    }

    /// Takes the field out of a record, if it is there.
    pub fn remove(&self, record: &mut Json) -> Option<Json> {
        let (last, way) = self.0.split_last()?;
        let inner = way.iter().try_fold(record, |json, step| match json {
            Json::Object(fields) => fields.get_mut(step),
            Json::Array(items) => items.get_mut(step.parse::<usize>().ok()?),
            _ => None,
        })?;
        inner.as_object_mut()?.shift_remove(last)
    }

    /// The field's value.
    ///
    /// # Errors
    /// There is no such field; the fault names it.
    pub fn get<'a>(&self, record: &'a Json) -> Result<&'a Json, Fault> {
        self.find(record)
            .ok_or_else(|| Fault::new(format!("the record has no field {self}")))
    }
}

/// Turns nothing into a record with one field.
fn enter<'a>(place: &'a mut Json, step: &str) -> Option<&'a mut Json> {
    *place = Json::Object(Map::new());
    place
        .as_object_mut()
        .map(|fields| fields.entry(step).or_insert(Json::Null))
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("."))
    }
}

impl Parameter for Field {
    const PARSES: &'static str = "text";

    fn read(packet: &Packet) -> Result<Self, Fault> {
        let unread = || {
            let message =
                format!("expected a field such as price or customer.name, got {packet:?}");
            Fault::new(message)
        };
        Self::parse(&packet.to_string()).ok_or_else(unread)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn field(text: &str) -> Field {
        Field::parse(text).unwrap()
    }

    #[test]
    fn fields_are_found_inside_records_and_arrays() {
        let record = json!({"a": {"b": [1, 2]}, "c": null});
        assert_eq!(field("a.b.1").find(&record), Some(&json!(2)));
        assert_eq!(field("c").find(&record), Some(&Json::Null));
        assert_eq!(field("a.b.2").find(&record), None);
        assert_eq!(field("c.d").find(&record), None);
    }

    #[test]
    fn writing_makes_the_records_on_the_way() {
        let mut record = json!({"a": 1});
        field("b.c").write(&mut record, json!(2)).unwrap();
        assert_eq!(record, json!({"a": 1, "b": {"c": 2}}));
        let fault = field("a.x").write(&mut record, json!(3)).unwrap_err();
        assert_eq!(fault.message(), "there is no place for the field a.x");
    }

    #[test]
    fn removing_keeps_the_order_of_the_others() {
        let mut record = json!({"a": 1, "b": 2, "c": {"d": 3}});
        assert_eq!(field("a").remove(&mut record), Some(json!(1)));
        assert_eq!(field("c.d").remove(&mut record), Some(json!(3)));
        assert_eq!(field("x.y").remove(&mut record), None);
        assert_eq!(record.to_string(), r#"{"b":2,"c":{}}"#);
    }

    #[test]
    fn an_empty_step_is_no_field() {
        assert!(Field::read(&Packet::text("")).is_err());
    }
}

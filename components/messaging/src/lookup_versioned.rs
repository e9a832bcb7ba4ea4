use paperflow_core::headers::names;
use paperflow_core::{Either, Fault, Field, Got, In, Out, Param, Record, Table, component, select};
use serde_json::Value as Json;

use crate::aside::set_aside;
use crate::versions::{Key, Known, Place, Versions};

/// Looks up exactly the version of a row that each request asks for.
///
/// ROWS are what is known from the start, and are read to their end before anything else; CHANGES are
/// read as they come. Each is a record with an id and a version, is kept in a table, and never changes:
/// the same record again is ignored, and another one with the same id and version is refused.
///
/// A request leaves by OUT with the fields of its row, which win over its own, or with the whole row in
/// the field INTO. Another version is never given:
///
/// - When the id is known and the version is not, the request goes back to the queue that it came from,
///   which delivers it again after its delay and sets it aside when its tries are used up. A request
///   that came from memory is held until the version comes; while HOLD requests are held no further one
///   is taken, and so the senders wait.
/// - When the id is unknown the request leaves by UNKNOWN. So does a held request once CHANGES has
///   ended and its version cannot come any more. Without UNKNOWN such a request is refused.
///
/// What is refused, and what has no id or no version, leaves by ERROR, or is set aside by the queue that
/// it came from, or is a fault. It ends when REQUESTS and CHANGES have ended.
#[component("messaging/lookup-versioned", work = compute, idempotent)]
#[example(
    rows = [{"id": "R-77", "version": 1, "name": "Pizza 'R Us"}],
    changes = [{"id": "R-77", "version": 2, "name": "Pizza Now"}],
    requests = [{"order": 5, "id": "R-77", "version": 2}],
    out = [{"order": 5, "id": "R-77", "version": 2, "name": "Pizza Now"}]
)]
#[example(
    into = "restaurant",
    rows = [{"id": "R-77", "version": 1}],
    requests = [{"id": "R-78", "version": 1}, {"id": "R-77", "version": 3}, {"id": "R-77", "version": 1}],
    out = [{"id": "R-77", "version": 1, "restaurant": {"id": "R-77", "version": 1}}],
    unknown = [{"id": "R-78", "version": 1}, {"id": "R-77", "version": 3}]
)]
pub(crate) async fn lookup_versioned(
    /// What is known from the start.
    #[optional]
    rows: In<Record>,
    /// What becomes known.
    #[optional]
    changes: In<Record>,
    /// Records that tell an id and a version.
    requests: In<Record>,
    /// The field of a request that holds the id.
    #[default("id")]
    field: Param<Field>,
    /// The field of a request that holds the version.
    #[default("version")]
    version: Param<Field>,
    /// The field of a row that holds the id, if it is another.
    key: Param<Option<Field>>,
    /// The field of a row that holds the version, if it is another.
    key_version: Param<Option<Field>>,
    /// The field of a request that gets the row.
    into: Param<Option<Field>>,
    /// So many requests are held at most, which is 1 at least.
    #[default(1000)]
    hold: Param<usize>,
    /// The rows, by id and version.
    known: Table<Key, Json>,
    /// The requests, with their rows.
    out: Out<Record>,
    /// Requests of which nothing is known, with the reason in the header `error`.
    #[optional]
    unknown: Out<Record>,
    /// What cannot be handled, with the reason in the header `error`.
    error: Out<Record>,
) -> Result<(), Fault> {
    let asked = Place {
        id: field.into_inner(),
        version: version.into_inner(),
    };
    let place = Place {
        id: key.into_inner().unwrap_or_else(|| asked.id.clone()),
        version: key_version
            .into_inner()
            .unwrap_or_else(|| asked.version.clone()),
    };
    let mut lookup = Lookup {
        versions: Versions { rows: known, place },
        asked,
        into: into.into_inner(),
        held: Vec::new(),
        may_change: true,
        out,
        unknown,
        error,
    };
    while let Some(row) = rows.next().await {
        lookup.learn(row).await?;
    }
    lookup.work(&changes, &requests, hold.max(1)).await
}

struct Lookup {
    versions: Versions,
    asked: Place,
    into: Option<Field>,
    /// Requests that wait for a version, in the order in which they came.
    held: Vec<(Key, Got<Record>)>,
    /// CHANGES has not ended.
    may_change: bool,
    out: Out<Record>,
    unknown: Out<Record>,
    error: Out<Record>,
}

impl Lookup {
    async fn work(
        &mut self,
        changes: &In<Record>,
        requests: &In<Record>,
        hold: usize,
    ) -> Result<(), Fault> {
        let mut may_ask = true;
        loop {
            let (changes_go_on, takes) = (self.may_change, may_ask && self.held.len() < hold);
            // Nothing of nothing when there is nothing to wait for.
            let change = async {
                if changes_go_on {
                    Some(changes.next().await)
                } else {
                    None
                }
            };
            let request = async {
                if takes {
                    Some(requests.next().await)
                } else {
                    None
                }
            };
            match select(change, request).await {
                Some(Either::Left(Some(row))) => self.learn(row).await?,
                Some(Either::Left(None)) => self.give_up_waiting().await?,
                Some(Either::Right(Some(request))) => self.answer(request).await?,
                Some(Either::Right(None)) => may_ask = false,
                None => return Ok(()),
            }
        }
    }

    /// Adds a row, and answers who has waited for it.
    async fn learn(&mut self, row: Got<Record>) -> Result<(), Fault> {
        let key = match self.versions.learn(&row) {
            Ok(key) => key,
            Err(fault) => return set_aside(row, fault, &self.error).await,
        };
        let waited = self.held.extract_if(.., |(wanted, _)| *wanted == key);
        let waited: Vec<_> = waited.collect();
        for (_, request) in waited {
            self.fill(request, &row).await?;
        }
        Ok(())
    }

    async fn answer(&mut self, request: Got<Record>) -> Result<(), Fault> {
        let key = match self.asked.key(&request) {
            Ok(key) => key,
            Err(fault) => return set_aside(request, fault, &self.error).await,
        };
        match self.versions.find(&key) {
            Known::Row(row) => self.fill(request, &row).await,
            Known::NotYet => self.wait(key, request).await,
            Known::Nothing => {
                let message = format!("nothing is known of {}", key.0);
                self.refuse(request, message).await
            }
        }
    }

    /// The version may still come.
    async fn wait(&mut self, key: Key, request: Got<Record>) -> Result<(), Fault> {
        let (id, version) = &key;
        let message = format!("version {version} of {id} is not known yet");
        match request.retry_later(message) {
            Ok(()) => {}
            Err(request) if self.may_change => self.held.push((key, request)),
            Err(request) => self.refuse(request, gone(&key)).await?,
        }
        Ok(())
    }

    /// No version comes any more.
    async fn give_up_waiting(&mut self) -> Result<(), Fault> {
        self.may_change = false;
        for (key, request) in std::mem::take(&mut self.held) {
            self.refuse(request, gone(&key)).await?;
        }
        Ok(())
    }

    async fn fill(&self, mut request: Got<Record>, row: &Json) -> Result<(), Fault> {
        match joined((**request).clone(), row, self.into.as_ref()) {
            Ok(joined) => *request = Record::new(joined),
            Err(fault) => return set_aside(request, fault.invalid(), &self.error).await,
        }
        Ok(self.out.send(request).await?)
    }

    async fn refuse(&self, mut request: Got<Record>, message: String) -> Result<(), Fault> {
        if !self.unknown.is_connected() {
            return set_aside(request, Fault::new(message).rejected(), &self.error).await;
        }
        request.set_header(names::ERROR, &message);
        Ok(self.unknown.send(request).await?)
    }
}

/// Why a request is no longer held.
fn gone((id, version): &Key) -> String {
    format!("version {version} of {id} is not known, and none comes any more")
}

/// A request with its row.
fn joined(mut request: Json, row: &Json, into: Option<&Field>) -> Result<Json, Fault> {
    match (into, &mut request, row) {
        (Some(field), ..) => field.write(&mut request, row.clone())?,
        (None, Json::Object(fields), Json::Object(row)) => {
            fields.extend(
                row.iter()
                    .map(|(name, value)| (name.clone(), value.clone())),
            );
        }
        (None, ..) => return Err(Fault::new("a request and its row need fields to be joined")),
    }
    Ok(request)
}

//! What all processes know: documents in a bucket of the server's key-value store, each changed by
//! compare-and-set, so that of several who change one at a time each sees what the others did.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use async_nats::{HeaderMap, Message};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use paperflow_core::connector::StoreFault;
use parking_lot::Mutex;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::line::{Line, Request, codes, is_refused, no_jetstream, read};
use super::server::{Kept, ensure};
use crate::fault::{damaged, unavailable};

/// How often a document is changed anew because another was faster.
const TRIES: usize = 200;

/// How long at most a server that has made a bucket may not listen for it yet.
const MADE: Duration = Duration::from_secs(1);
/// After how long it is asked again meanwhile.
const AGAIN: Duration = Duration::from_millis(10);

/// The bucket, and that of the signs of life.
pub(super) struct Docs {
    line: Arc<Line>,
    bucket: String,
    /// How long a sign of life is good.
    lease: Duration,
    /// The processes that were alive when it was looked, and when that was.
    alive: Mutex<BTreeSet<String>>,
}

/// A document as it was read or written last.
#[derive(Clone, Debug)]
pub(super) struct Copy<T> {
    pub(super) value: T,
    revision: u64,
}

/// The server's number of what it has written.
#[derive(Deserialize)]
struct Written {
    seq: u64,
}

#[derive(Deserialize)]
struct Found {
    message: Stored,
}

#[derive(Deserialize)]
struct Stored {
    seq: u64,
    #[serde(default)]
    data: String,
}

impl Docs {
    /// The bucket of a store, which is made if it is not there.
    pub(super) fn open(
        line: &Arc<Line>,
        replicas: u64,
        lease: Duration,
    ) -> Result<Self, StoreFault> {
        let docs = Self {
            bucket: line.names.bucket(),
            line: Arc::clone(line),
            lease,
            alive: Mutex::default(),
        };
        docs.make(replicas)?;
        docs.live()?;
        Ok(docs)
    }

    /// Makes both buckets, as everybody who uses the key-value store expects them.
    fn make(&self, replicas: u64) -> Result<(), StoreFault> {
        for (bucket, age) in [
            (self.bucket.clone(), Duration::ZERO),
            (self.alive_bucket(), self.lease),
        ] {
            let mut config = json!({
                "name": format!("KV_{bucket}"),
                "subjects": [format!("$KV.{bucket}.>")],
                "retention": "limits",
                "storage": "file",
                "max_msgs_per_subject": 1,
                "max_age": nanos(age),
                "discard": "new",
                "num_replicas": replicas,
                "allow_rollup_hdrs": true,
                "deny_delete": true,
                "allow_direct": true,
            });
            if !age.is_zero() {
                config["duplicate_window"] = json!(nanos(age.min(Duration::from_secs(120))));
            }
            ensure(&self.line, &config)?;
        }
        Ok(())
    }

    fn alive_bucket(&self) -> String {
        format!("{}-alive", self.bucket)
    }

    fn subject(&self, key: &str) -> String {
        format!("$KV.{}.{key}", self.bucket)
    }

    /// A document, as it is now; the default where there is none.
    pub(super) fn get<T: DeserializeOwned + Default>(
        &self,
        key: &str,
    ) -> Result<Copy<T>, StoreFault> {
        got(key, &self.line.exchange_one(self.getting(key))?)
    }

    /// Documents, as they are now; the default where there is none.
    pub(super) fn get_all<T: DeserializeOwned + Default>(
        &self,
        keys: &[String],
    ) -> Result<Vec<T>, StoreFault> {
        let asked = keys.iter().map(|key| self.getting(key));
        let found = self.line.exchange(asked.collect())?;
        let read = keys.iter().zip(&found);
        read.map(|(key, found)| Ok(got::<T>(key, found)?.value))
            .collect()
    }

    /// What has to be asked for a document.
    fn getting(&self, key: &str) -> Request {
        let asked = json!({"last_by_subj": self.subject(key)});
        Request::api(&format!("STREAM.MSG.GET.KV_{}", self.bucket), &asked)
    }

    /// Changes a document and gives what came of it. What does the change may be asked several times, each
    /// time with the document as it is then; it is written only if it is another one.
    pub(super) fn change<T, R>(
        &self,
        key: &str,
        mut what: impl FnMut(&mut T) -> R,
    ) -> Result<R, StoreFault>
    where
        T: Serialize + DeserializeOwned + Default + Clone + PartialEq,
    {
        self.change_from(key, &mut None, |value, _| what(value))
    }

    /// The same, beginning with a copy that may be old, which is the new one afterwards. It is told whether
    /// what it sees may be old; then only a change that is written counts.
    pub(super) fn change_from<T, R>(
        &self,
        key: &str,
        copy: &mut Option<Copy<T>>,
        mut what: impl FnMut(&mut T, bool) -> R,
    ) -> Result<R, StoreFault>
    where
        T: Serialize + DeserializeOwned + Default + Clone + PartialEq,
    {
        for _ in 0..TRIES {
            let (before, may_be_old) = match copy.take() {
                Some(copy) => (copy, true),
                None => (self.get::<T>(key)?, false),
            };
            let mut value = before.value.clone();
            let result = what(&mut value, may_be_old);
            if value == before.value {
                if may_be_old {
                    continue;
                }
                *copy = Some(before);
                return Ok(result);
            }
            if let Some(revision) = self.put(key, &value, before.revision)? {
                *copy = Some(Copy { value, revision });
                return Ok(result);
            }
        }
        Err(unavailable(format!(
            "`{key}` is changed by others all the time"
        )))
    }

    /// Writes a document in the place of one; nothing when another one is there by now.
    fn put<T: Serialize>(
        &self,
        key: &str,
        value: &T,
        instead_of: u64,
    ) -> Result<Option<u64>, StoreFault> {
        let mut headers = HeaderMap::new();
        headers.insert(
            "Nats-Expected-Last-Subject-Sequence",
            instead_of.to_string(),
        );
        let payload = serde_json::to_vec(value).map_err(|error| damaged(error.to_string()))?;
        let request = Request {
            subject: self.subject(key),
            headers,
            payload,
        };
        match self.write(&request) {
            Ok(written) => Ok(Some(written.seq)),
            Err(fault) if is_refused(&fault, codes::WRONG_LAST_SEQUENCE) => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    /// Writes to a bucket. A server that makes it for somebody else says that it is there a moment before
    /// anybody listens there, so who begins beside others asks again.
    fn write(&self, request: &Request) -> Result<Written, StoreFault> {
        let begun = Instant::now();
        loop {
            let answer = self.line.exchange_one(request.clone());
            match answer.and_then(|answer| read::<Written>(&answer)) {
                Err(fault) if fault == no_jetstream() && begun.elapsed() < MADE => {
                    thread::sleep(AGAIN);
                }
                written => return written,
            }
        }
    }

    /// What has to be written under a key, whoever wrote there before.
    pub(super) fn writing<T: Serialize>(
        &self,
        key: &str,
        value: &T,
    ) -> Result<Request, StoreFault> {
        let payload = serde_json::to_vec(value).map_err(|error| damaged(error.to_string()))?;
        Ok(Request {
            subject: self.subject(key),
            headers: HeaderMap::new(),
            payload,
        })
    }

    /// What has to be asked so that there is nothing under a key any more.
    pub(super) fn removing(&self, key: &str) -> Request {
        let asked = json!({"filter": self.subject(key)});
        Request::api(&format!("STREAM.PURGE.KV_{}", self.bucket), &asked)
    }

    /// The documents under keys that begin with some parts: the rest of the key, and the document.
    pub(super) fn all<T: DeserializeOwned + Default>(
        &self,
        of: &str,
    ) -> Result<Vec<(String, T)>, StoreFault> {
        let prefix = self.subject(of);
        let subjects = self.subjects(&self.bucket, &format!("{prefix}.>"))?;
        let own = subjects.into_iter().filter_map(|subject| {
            let rest = subject.strip_prefix(&prefix)?.strip_prefix('.')?;
            Some(rest.to_owned())
        });
        own.map(|rest| Ok((rest.clone(), self.get::<T>(&format!("{of}.{rest}"))?.value)))
            .collect()
    }

    fn subjects(&self, bucket: &str, filter: &str) -> Result<BTreeSet<String>, StoreFault> {
        let what = format!("STREAM.INFO.KV_{bucket}");
        let kept: Kept = self.line.ask(&what, &json!({"subjects_filter": filter}))?;
        Ok(kept
            .state
            .subjects
            .unwrap_or_default()
            .into_keys()
            .collect())
    }

    /// Gives a sign of life, which is good for the time of a lease.
    pub(super) fn live(&self) -> Result<(), StoreFault> {
        let request = Request {
            subject: format!("$KV.{}.{}", self.alive_bucket(), self.line.session),
            headers: HeaderMap::new(),
            payload: Vec::new(),
        };
        self.write(&request)?;
        // Whoever was alive then may be dead by now.
        self.alive.lock().clear();
        Ok(())
    }

    /// How long a sign of life is good.
    pub(super) fn lease(&self) -> Duration {
        self.lease
    }

    /// Which of these processes have given a sign of life in time.
    pub(super) fn living<'a>(
        &self,
        sessions: impl Iterator<Item = &'a str>,
    ) -> Result<BTreeSet<String>, StoreFault> {
        let asked: BTreeSet<&str> = sessions.collect();
        let is_known = |alive: &BTreeSet<String>| {
            let mut others = asked.iter();
            others.all(|one| *one == self.line.session || alive.contains(*one))
        };
        let mut alive = self.alive.lock().clone();
        if !is_known(&alive) {
            let bucket = self.alive_bucket();
            let prefix = format!("$KV.{bucket}.");
            let subjects = self.subjects(&bucket, &format!("{prefix}>"))?;
            let sessions = subjects.iter();
            let sessions = sessions.filter_map(|subject| subject.strip_prefix(&prefix));
            alive = sessions.map(str::to_owned).collect();
            *self.alive.lock() = alive.clone();
        }
        alive.insert(self.line.session.clone());
        Ok(alive)
    }
}

/// A document, by the answer of the server; the default where there is none.
fn got<T: DeserializeOwned + Default>(key: &str, answer: &Message) -> Result<Copy<T>, StoreFault> {
    let Stored { seq, data } = match read::<Found>(answer) {
        Ok(found) => found.message,
        Err(fault) if is_refused(&fault, codes::NO_MESSAGE) => {
            return Ok(Copy {
                value: T::default(),
                revision: 0,
            });
        }
        Err(fault) => return Err(fault),
    };
    let wrong = |error: String| damaged(format!("`{key}` cannot be read: {error}"));
    let text = STANDARD.decode(data);
    let text = text.map_err(|error| wrong(error.to_string()))?;
    let value = serde_json::from_slice(&text).map_err(|error| wrong(error.to_string()))?;
    Ok(Copy {
        value,
        revision: seq,
    })
}

/// A time as the server reads it.
pub(super) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

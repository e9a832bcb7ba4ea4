//! Where a broker is: a URL, of which what is secret is never shown.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use paperflow_core::connector::StoreFault;

use crate::fault::unsupported;

/// `SCHEME://USER:PASSWORD@HOST:PORT/PATH?NAME=VALUE&...`, with `%XX` for signs that mean something there.
///
/// Shown and debugged it has neither user nor password.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    /// What it begins with.
    pub scheme: String,
    /// Who asks.
    pub user: Option<String>,
    /// And shows it by this.
    pub password: Option<String>,
    /// The machine.
    pub host: String,
    /// Its port.
    pub port: Option<u16>,
    /// What stands behind the host, without the first slash.
    pub path: String,
    /// Settings.
    pub settings: Vec<(String, String)>,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_v6 = self.host.contains(':');
        let (open, close) = if is_v6 { ("[", "]") } else { ("", "") };
        write!(f, "{}://{open}{}{close}", self.scheme, self.host)?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        if !self.path.is_empty() {
            write!(f, "/{}", self.path)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for Address {
    type Err = StoreFault;

    /// The fault does not repeat the URL, which may hold a password.
    fn from_str(url: &str) -> Result<Self, StoreFault> {
        let wrong = |what: &str| unsupported(format!("the URL of a store {what}"));
        let (scheme, rest) = url
            .split_once("://")
            .ok_or_else(|| wrong("is no `SCHEME://HOST`"))?;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (place, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (who, place) = match place.rsplit_once('@') {
            Some((who, place)) => (Some(who), place),
            None => (None, place),
        };
        let (user, password) = who.map_or((None, None), |who| match who.split_once(':') {
            Some((user, password)) => (Some(user), Some(password)),
            None => (Some(who), None),
        });
        let text = |part: Option<&str>| {
            let part = part.filter(|part| !part.is_empty());
            part.map(|part| decoded(part).into_owned())
        };
        let (host, port) = place_of(place).ok_or_else(|| wrong("has a port that is no number"))?;
        if host.is_empty() {
            return Err(wrong("names no host"));
        }
        let settings = query.split('&').filter(|setting| !setting.is_empty());
        Ok(Self {
            scheme: scheme.to_owned(),
            user: text(user),
            password: text(password),
            host,
            port,
            path: decoded(path).into_owned(),
            settings: settings.map(setting).collect(),
        })
    }
}

fn place_of(place: &str) -> Option<(String, Option<u16>)> {
    let (host, port) = match place
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(']'))
    {
        Some((host, rest)) => (host, rest.strip_prefix(':')),
        None => match place.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (place, None),
        },
    };
    match port {
        Some(port) => Some((decoded(host).into_owned(), Some(port.parse().ok()?))),
        None => Some((decoded(host).into_owned(), None)),
    }
}

fn setting(text: &str) -> (String, String) {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    (decoded(name).into_owned(), decoded(value).into_owned())
}

/// A part of a URL without its `%XX`.
pub(crate) fn decoded(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return text.into();
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, behind @ ..] = rest {
        let digits = behind
            .get(..2)
            .and_then(|two| std::str::from_utf8(two).ok());
        let byte = digits.and_then(|two| u8::from_str_radix(two, 16).ok());
        match byte.filter(|_| *first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = &behind[2..];
            }
            None => {
                bytes.push(*first);
                rest = behind;
            }
        }
    }
    Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())
}

/// How a broker is to be reached and written to.
#[derive(Clone, Debug)]
pub struct Access {
    /// Where it is.
    pub address: Address,
    /// Messages are written as one JSON document each, not with attributes of their own.
    pub is_structured: bool,
}

impl Access {
    /// As a wiring file says it: a URL in which variables have their values, and perhaps `ce`.
    ///
    /// # Errors
    /// It is no such URL.
    pub fn new(url: &str, is_structured: bool) -> Result<Self, StoreFault> {
        Ok(Self {
            address: url.parse()?,
            is_structured,
        })
    }

    /// The settings of the URL, each taken by its name; what is left over is reported by
    /// [`Settings::done`].
    pub(crate) fn settings(&self) -> Settings {
        Settings {
            known: Vec::new(),
            left: self.address.settings.clone(),
        }
    }
}

/// Settings of a URL that nobody has asked for yet.
pub(crate) struct Settings {
    known: Vec<&'static str>,
    left: Vec<(String, String)>,
}

impl Settings {
    /// The text of a setting.
    pub(crate) fn text(&mut self, name: &'static str) -> Option<String> {
        self.known.push(name);
        let at = self.left.iter().position(|(own, _)| own == name)?;
        Some(self.left.remove(at).1)
    }

    /// The file whose certificates are trusted; what `encrypts` is written for an encrypted connection.
    ///
    /// # Errors
    /// The connection is not encrypted.
    #[cfg(any(
        feature = "amqp",
        feature = "kafka",
        feature = "mqtt",
        feature = "nats",
        feature = "redis"
    ))]
    pub(crate) fn authority(
        &mut self,
        is_encrypted: bool,
        encrypts: &str,
    ) -> Result<Option<String>, StoreFault> {
        match self.text("ca") {
            Some(_) if !is_encrypted => Err(unsupported(format!(
                "`ca` is for encrypted connections: write `{encrypts}`"
            ))),
            file => Ok(file),
        }
    }

    /// A setting that is so many seconds.
    ///
    /// # Errors
    /// It is no number.
    pub(crate) fn seconds(&mut self, name: &'static str) -> Result<Option<Duration>, StoreFault> {
        let Some(text) = self.text(name) else {
            return Ok(None);
        };
        let seconds = text.parse().ok().map(Duration::try_from_secs_f64);
        match seconds {
            Some(Ok(duration)) => Ok(Some(duration)),
            _ => Err(unsupported(format!(
                "`{name}={text}` is no number of seconds"
            ))),
        }
    }

    /// A setting that is a whole number.
    ///
    /// # Errors
    /// It is none.
    #[cfg(any(
        feature = "kafka",
        feature = "mqtt",
        feature = "nats",
        feature = "redis"
    ))]
    pub(crate) fn number(&mut self, name: &'static str) -> Result<Option<u64>, StoreFault> {
        let wrong = |text: &str| unsupported(format!("`{name}={text}` is no whole number"));
        let text = self.text(name);
        text.map(|text| text.parse().map_err(|_| wrong(&text)))
            .transpose()
    }

    /// Nothing else may be set.
    ///
    /// # Errors
    /// Something is.
    pub(crate) fn done(self) -> Result<(), StoreFault> {
        let known = self.known.join("`, `");
        match self.left.first() {
            None => Ok(()),
            Some((name, _)) => Err(unsupported(format!(
                "the URL of a store has the setting `{name}`, which means nothing there; it can have \
                 `{known}`"
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_has_parts_and_keeps_its_secrets() {
        let url = "redis://me:p%40ss@[::1]:6380/2?prefix=a%3Ab&patience=5";
        let address: Address = url.parse().unwrap();
        assert_eq!(address.user.as_deref(), Some("me"));
        assert_eq!(address.password.as_deref(), Some("p@ss"));
        assert_eq!((address.host.as_str(), address.port), ("::1", Some(6380)));
        assert_eq!(address.path, "2");
        assert_eq!(
            format!("{address} {address:?}"),
            "redis://[::1]:6380/2 redis://[::1]:6380/2"
        );
        let access = Access::new(url, false).unwrap();
        let mut settings = access.settings();
        assert_eq!(settings.text("prefix").as_deref(), Some("a:b"));
        assert_eq!(
            settings.seconds("patience").unwrap(),
            Some(Duration::from_secs(5))
        );
        settings.done().unwrap();
    }

    #[test]
    fn what_is_wrong_with_a_url_is_said_without_its_secrets() {
        for url in ["redis:secret", "redis://:secret@", "redis://:secret@h:x"] {
            let fault = url.parse::<Address>().unwrap_err().to_string();
            assert!(!fault.contains("secret"), "{fault}");
        }
        let access = Access::new("redis://h?prefxi=a", false).unwrap();
        let mut settings = access.settings();
        settings.text("prefix");
        let fault = settings.done().unwrap_err().to_string();
        assert!(
            fault.contains("`prefxi`") && fault.contains("`prefix`"),
            "{fault}"
        );
    }
}

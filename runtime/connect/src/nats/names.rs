//! What things are called on the server.
//!
//! The subject of a connector is its name behind the prefix, so that others can write to it. A stream of the
//! server, or a key, may not have every sign: those become `=` and two hexadecimal digits.

/// Names of one store.
#[derive(Clone, Debug)]
pub(super) struct Names {
    prefix: String,
}

impl Names {
    pub(super) fn new(prefix: String) -> Self {
        Self { prefix }
    }

    /// The subject to which messages of a connector are published.
    pub(super) fn subject(&self, connector: &str) -> String {
        let whole = format!("{}{connector}", self.prefix);
        let has_tokens = whole.split('.').all(|token| !token.is_empty());
        escaped(&whole, if has_tokens { "-_./:@+" } else { "-_/:@+" })
    }

    /// The subject of a partition.
    pub(super) fn partition(&self, connector: &str, at: usize) -> String {
        format!("{}.{at}", self.subject(connector))
    }

    /// The server's stream that keeps a queue.
    pub(super) fn queue(&self, connector: &str) -> String {
        escaped(&format!("{}{connector}", self.prefix), "-_")
    }

    /// The server's stream that keeps a partition.
    pub(super) fn shelf(&self, connector: &str, at: usize) -> String {
        format!("{}=p{at}", self.queue(connector))
    }

    /// The bucket that keeps what is known of connectors, groups and runs.
    pub(super) fn bucket(&self) -> String {
        // A bucket's name has no `=`.
        format!("{}paperflow", self.queue("")).replace('=', "_")
    }

    /// The subject on which processes tell each other that there is something new.
    pub(super) fn bell(&self) -> String {
        self.subject("paperflow.bell")
    }
}

/// A text without signs other than letters, digits and `allowed`.
pub(super) fn escaped(text: &str, allowed: &str) -> String {
    let mut all = String::with_capacity(text.len());
    for one in text.chars() {
        if one.is_ascii_alphanumeric() || allowed.contains(one) {
            all.push(one);
            continue;
        }
        let mut bytes = [0; 4];
        for byte in one.encode_utf8(&mut bytes).bytes() {
            all.push_str(&format!("={byte:02X}"));
        }
    }
    all
}

/// A key of the bucket, from its parts.
pub(super) fn key(parts: &[&str]) -> String {
    let parts: Vec<String> = parts.iter().map(|part| escaped(part, "-_")).collect();
    parts.join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_the_name_and_nothing_is_called_the_same() {
        let names = Names::new(String::from("shop."));
        assert_eq!(names.subject("orders.dead"), "shop.orders.dead");
        assert_eq!(names.partition("facts", 2), "shop.facts.2");
        assert_eq!(names.subject("a *"), "shop.a=20=2A");
        assert_eq!(Names::new(String::new()).subject(".a"), "=2Ea");
        assert_eq!(names.queue("orders.dead"), "shop=2Eorders=2Edead");
        assert_ne!(names.queue("a.b"), names.queue("a=2Eb"));
        assert_eq!(names.bucket(), "shop_2Epaperflow");
        assert_eq!(key(&["group", "a.b", "g"]), "group.a=2Eb.g");
    }
}

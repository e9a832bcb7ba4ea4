//! Who is in a group, and what each member has.

use super::line::Part;

/// Who is in a group, as its broker knows it.
#[derive(Debug, Default)]
pub(super) struct Roll {
    pub(super) name: String,
    /// Nobody comes or goes just now.
    pub(super) is_stable: bool,
    /// By what they are known as: topics and partitions of each.
    pub(super) members: Vec<(String, Vec<(String, i32)>)>,
}

impl Roll {
    pub(super) fn of(group: &rdkafka::groups::GroupInfo) -> Self {
        let members = group.members().iter().map(|member| {
            let assignment = member.assignment().and_then(assignment);
            (
                member.client_id().to_owned(),
                assignment.unwrap_or_default(),
            )
        });
        let mut members: Vec<_> = members.collect();
        members.sort();
        Self {
            name: group.name().to_owned(),
            is_stable: group.state() == "Stable",
            members,
        }
    }

    /// Who has a partition.
    pub(super) fn owner(&self, (topic, partition): Part<'_>) -> Option<&str> {
        let mut members = self.members.iter();
        let owner = members.find(|(_, own)| {
            own.iter()
                .any(|(own, at)| (own.as_str(), *at) == (topic, partition))
        });
        owner.map(|(name, _)| name.as_str())
    }
}

/// What a member has, as consumers tell it each other: a version, and for each topic its name and partitions.
fn assignment(bytes: &[u8]) -> Option<Vec<(String, i32)>> {
    let mut bytes = bytes.get(2..)?;
    let mut own = Vec::new();
    for _ in 0..number(&mut bytes)? {
        let (length, rest) = bytes.split_first_chunk::<2>()?;
        let length = usize::try_from(i16::from_be_bytes(*length)).ok()?;
        let (name, rest) = rest.split_at_checked(length)?;
        bytes = rest;
        let name = std::str::from_utf8(name).ok()?;
        for _ in 0..number(&mut bytes)? {
            own.push((name.to_owned(), number(&mut bytes)?));
        }
    }
    Some(own)
}

fn number(bytes: &mut &[u8]) -> Option<i32> {
    let (number, rest) = bytes.split_first_chunk::<4>()?;
    *bytes = rest;
    Some(i32::from_be_bytes(*number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_member_has_is_read_and_nonsense_is_not() {
        let mut bytes = vec![0, 3, 0, 0, 0, 1, 0, 5];
        bytes.extend(b"facts");
        bytes.extend([0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0]);
        let own = assignment(&bytes).unwrap();
        assert_eq!(
            own,
            [(String::from("facts"), 0), (String::from("facts"), 7)]
        );
        for cut in 0..bytes.len() - 4 {
            assert_eq!(assignment(&bytes[..cut]), None, "{cut}");
        }
    }
}

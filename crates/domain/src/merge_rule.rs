//! Which of two values is shown while both stand.
//!
//! A conflict loses neither value; somebody is asked. Until they answer, the field's declared rule picks the one that
//! is shown: the safer reading of what people saw.

use serde_json::Value;

/// The rule of one field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// The worse outcome is shown.
    Worse,
    /// The higher severity is shown.
    Higher,
    /// What the office wrote is shown.
    Office,
    /// Both texts are shown; the later one stands first.
    Both,
    /// The later one is shown.
    Latest,
}

/// Where an answer to a checklist's item is kept: `answer:` and the item's id.
pub const ANSWER: &str = "answer:";

/// The rule declared for a field of an entity. A field that this version does not know is shown by time.
pub fn rule(entity: &str, field: &str) -> Rule {
    match (entity, field) {
        ("check", _) if field.starts_with(ANSWER) => Rule::Worse,
        ("finding" | "issue", "severity") => Rule::Higher,
        ("finding", "words") => Rule::Both,
        ("issue", "status" | "unit" | "person" | "deadline" | "solution") => Rule::Office,
        _ => Rule::Latest,
    }
}

impl Rule {
    /// The rank of a value under this rule; among values of equal rank the later one is shown.
    pub fn rank(self, value: &Value, by_office: bool) -> u8 {
        match self {
            Self::Worse => match value["outcome"].as_str() {
                Some("fail") => 2,
                Some("not-applicable") => 1,
                _ => 0,
            },
            Self::Higher => match value.as_str() {
                Some("critical") => 2,
                Some("serious") => 1,
                _ => 0,
            },
            Self::Office => u8::from(by_office),
            Self::Both | Self::Latest => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_safer_value_ranks_higher() {
        let answer = rule("check", "answer:hose-present");
        assert!(
            answer.rank(&json!({"outcome": "fail"}), false) > answer.rank(&json!({"outcome": "pass"}), true)
        );
        let severity = rule("finding", "severity");
        assert!(severity.rank(&json!("critical"), false) > severity.rank(&json!("minor"), true));
        let deadline = rule("issue", "deadline");
        assert!(deadline.rank(&json!("2023-07-10"), true) > deadline.rank(&json!("2023-07-20"), false));
        assert_eq!(rule("check", "a-field-of-tomorrow"), Rule::Latest);
    }
}

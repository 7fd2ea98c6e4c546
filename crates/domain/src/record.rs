//! How typed records lie in the log: one field of an operation for each field of the type.
//!
//! An entity's record is the set of its fields. [`fields`] takes a typed record apart, [`read`] puts it together
//! again; both ends use them, so both ends read the same thing out of the same operations.

use crate::asset::AssetKind;
use crate::checklist::ChecklistRef;
use crate::finding::Severity;
use crate::ids::{AssetId, CheckId, FindingId, IssueId, PersonId, PlaceId, RoundId, SiteId, UnitId};
use crate::issue::{Solution, Status};
use crate::people::{Role, UnitLevel};
use crate::place::PlaceKind;
use crate::round::RoundKind;
use crate::words::Words;
use jiff::civil::Date;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use uuid::Uuid;

/// The names of entities, as operations carry them.
pub mod entity {
    pub const SITE: &str = "site";
    pub const PLACE: &str = "place";
    pub const ASSET: &str = "asset";
    pub const UNIT: &str = "unit";
    pub const PERSON: &str = "person";
    pub const ROUND: &str = "round";
    pub const CHECK: &str = "check";
    pub const FINDING: &str = "finding";
    pub const SIGN_OFF: &str = "sign-off";
    pub const ISSUE: &str = "issue";
}

/// The names of fields that hold several values, each added by an operation of its own.
pub mod set {
    /// Evidence of a check, a finding, or (as it was found) an issue: values are [`crate::evidence::Evidence`].
    pub const PHOTOS: &str = "photos";
    /// Evidence of a fix: values are [`crate::evidence::Evidence`].
    pub const PROOF: &str = "proof";
    /// What happened to an issue: values are [`crate::issue::TimelineEntry`].
    pub const TIMELINE: &str = "timeline";
}

/// An estate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Site {
    pub id: SiteId,
    pub name: Words,
    /// Stands before the number of an issue: `ZJ` in `ZJ-35`.
    pub code: String,
}

/// A finding as it lies in the log; its photos are a set beside it. It begins as the place for a photo: its severity and
/// words come when somebody says them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    pub id: FindingId,
    pub check: CheckId,
    pub item: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    #[serde(default)]
    pub words: String,
}

/// An issue as it lies in the log; its timeline and photos are sets beside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issue {
    pub id: IssueId,
    pub number: u32,
    pub title: Words,
    pub severity: Severity,
    pub status: Status,
    #[serde(default)]
    pub finding: Option<FindingId>,
    #[serde(default)]
    pub round: Option<RoundId>,
    #[serde(default)]
    pub words: String,
    #[serde(default)]
    pub unit: Option<UnitId>,
    #[serde(default)]
    pub person: Option<PersonId>,
    #[serde(default)]
    pub deadline: Option<Date>,
    #[serde(default)]
    pub solution: Option<Solution>,
    #[serde(default)]
    pub claimed_by: Option<PersonId>,
}

/// Whether `value` is what a field holds of which this version knows. A field of a later version holds anything, and so does
/// one of several values, an answer, or one that nobody but the hub writes: they have rules of their own.
///
/// # Errors
/// What it should be instead.
pub fn holds(entity: &str, field: &str, value: &Value) -> Result<(), serde_json::Error> {
    fn is<T: DeserializeOwned>(value: &Value) -> Result<(), serde_json::Error> {
        T::deserialize(value).map(drop)
    }
    match (entity, field) {
        (entity::PLACE, "kind") => is::<PlaceKind>(value),
        (entity::PLACE, "parent") => is::<Option<PlaceId>>(value),
        (entity::PLACE, "level") => is::<Option<i32>>(value),
        (entity::ASSET, "kind") => is::<AssetKind>(value),
        (entity::ASSET, "place") => is::<PlaceId>(value),
        (entity::ASSET, "facts") => is::<BTreeMap<String, String>>(value),
        (entity::UNIT, "level") => is::<UnitLevel>(value),
        (entity::PERSON, "unit") => is::<UnitId>(value),
        (entity::PERSON, "roles") => is::<Vec<Role>>(value),
        (entity::ROUND, "kind") => is::<RoundKind>(value),
        (entity::ROUND, "due") => is::<Date>(value),
        (entity::ROUND, "reason") => is::<Option<Words>>(value),
        (entity::ROUND, "present" | "sign_off_of") => is::<Vec<UnitId>>(value),
        (entity::CHECK, "round") => is::<RoundId>(value),
        (entity::CHECK, "asset") => is::<AssetId>(value),
        (entity::CHECK, "checklist") => is::<ChecklistRef>(value),
        (entity::CHECK, "order") => is::<u32>(value),
        (entity::FINDING, "severity") => is::<Severity>(value),
        (entity::PLACE | entity::ASSET | entity::UNIT, "name") | (entity::ROUND, "title") => {
            is::<Words>(value)
        }
        (entity::ASSET, "tag") | (entity::PERSON, "name") | (entity::FINDING, "words") => is::<String>(value),
        _ => Ok(()),
    }
}

/// A record of the finding on one item of one check. There is at most one, so its id follows from them: two people who
/// find the same thing at once meet in one record.
pub fn finding_id(check: CheckId, item: &str) -> FindingId {
    FindingId(Uuid::new_v5(&check.0, format!("finding:{item}").as_bytes()))
}

/// Whether a record's id says what stands in its field: of a finding to which item of which check it belongs. Whoever writes
/// such a field writes the same.
pub fn follows_from_id(entity: &str, field: &str) -> bool {
    entity == entity::FINDING && matches!(field, "check" | "item")
}

/// The issue that the office opens for a finding: at most one, however often the finding arrives.
pub fn issue_id(finding: FindingId) -> IssueId {
    IssueId(Uuid::new_v5(&finding.0, b"issue"))
}

/// A record that cannot be read out of its fields.
#[derive(Debug, thiserror::Error)]
#[error("the record {id} is incomplete or malformed: {source}")]
pub struct Unreadable {
    pub id: Uuid,
    #[source]
    pub source: serde_json::Error,
}

/// The fields of a typed record, without its id.
///
/// # Panics
/// Never for the records of this crate: they are structs, and their keys are text.
pub fn fields<T: Serialize>(record: &T) -> Map<String, Value> {
    match serde_json::to_value(record) {
        Ok(Value::Object(mut map)) => {
            map.remove("id");
            map
        }
        other => unreachable!("a record is an object, not {other:?}"),
    }
}

/// The typed record out of its fields. Fields that the type does not know are left alone.
pub fn read<T: DeserializeOwned>(id: Uuid, mut fields: Map<String, Value>) -> Result<T, Unreadable> {
    fields.insert("id".to_owned(), Value::String(id.to_string()));
    serde_json::from_value(Value::Object(fields)).map_err(|source| Unreadable { id, source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::asset::Asset;
    use crate::people::{Person, ResponsibleUnit};
    use crate::place::Place;
    use crate::round::{Check, Round};
    use serde_json::json;

    #[test]
    fn a_record_reads_back_and_leaves_unknown_fields_alone() {
        let check = CheckId(Uuid::from_u128(7));
        let finding = Finding {
            id: finding_id(check, "door-seal"),
            check,
            item: "door-seal".into(),
            severity: Some(Severity::Serious),
            words: "封条破损".into(),
        };
        let mut map = fields(&finding);
        assert!(!map.contains_key("id"));
        map.insert("of-a-later-version".into(), Value::Bool(true));
        assert_eq!(read::<Finding>(finding.id.0, map.clone()).unwrap(), finding);

        map.remove("severity");
        assert_eq!(read::<Finding>(finding.id.0, map.clone()).unwrap().severity, None, "it is only begun");
        map.remove("item");
        assert!(read::<Finding>(finding.id.0, map).is_err());
    }

    /// Each field takes what the record is written with, and whatever else it reads, and nothing that would take it off
    /// every screen.
    fn holds_what_it_reads<T: Serialize + DeserializeOwned>(entity: &str, record: &T) {
        let written = fields(record);
        for (field, own) in &written {
            let others = [json!(null), json!([7]), json!(7.5), json!("?"), json!({"?": 7})];
            for value in others.iter().chain([own]) {
                let mut with = written.clone();
                with.insert(field.clone(), value.clone());
                let is_read = read::<T>(Uuid::nil(), with).is_ok();
                assert_eq!(holds(entity, field, value).is_ok(), is_read, "{entity}.{field}: {value}");
            }
        }
        assert!(holds(entity, "of-a-later-version", &json!(7)).is_ok());
    }

    #[test]
    fn a_field_holds_what_its_record_reads_and_nothing_else() {
        let (name, none) = (Words::same("x"), Uuid::nil());
        let (place, unit, round, asset) = (PlaceId(none), UnitId(none), RoundId(none), AssetId(none));
        let (parent, level, kind) = (Some(place), Some(-1), PlaceKind::Floor);
        holds_what_it_reads(entity::PLACE, &Place { id: place, kind, parent, name: name.clone(), level });
        let (kind, tag, facts) = (AssetKind::Pump, "x".into(), BTreeMap::from([("x".into(), "x".into())]));
        holds_what_it_reads(entity::ASSET, &Asset { id: asset, kind, place, name: name.clone(), tag, facts });
        let level = UnitLevel::Street;
        holds_what_it_reads(entity::UNIT, &ResponsibleUnit { id: unit, level, name: name.clone() });
        let roles = vec![Role::Reader];
        holds_what_it_reads(entity::PERSON, &Person { id: PersonId(none), name: "x".into(), unit, roles });
        let planned = Round {
            id: round,
            kind: RoundKind::Routine,
            title: name.clone(),
            due: jiff::civil::date(2023, 7, 1),
            reason: Some(name),
            present: vec![unit],
            sign_off_of: vec![unit],
        };
        holds_what_it_reads(entity::ROUND, &planned);
        let checklist = ChecklistRef { id: "x".into(), version: 1 };
        holds_what_it_reads(entity::CHECK, &Check { id: CheckId(none), round, asset, checklist, order: 0 });
        assert!(holds("thing-of-tomorrow", "kind", &json!(7)).is_ok());
    }

    #[test]
    fn two_people_who_find_the_same_thing_meet_in_one_record() {
        let (one, other) = (CheckId(Uuid::from_u128(1)), CheckId(Uuid::from_u128(2)));
        assert_eq!(finding_id(one, "valve"), finding_id(one, "valve"));
        assert_ne!(finding_id(one, "valve"), finding_id(one, "hose"));
        assert_ne!(finding_id(one, "valve"), finding_id(other, "valve"));
    }
}

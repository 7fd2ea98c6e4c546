//! The tables of `docs/sync.md`, out of which somebody may write a client, hold every field of every record, and no other.

use jiff::civil::date;
use serde::Serialize;
use serde_json::{Value, from_str, to_value};
use standpipe_domain::answer::{Answer, Outcome, Reading};
use standpipe_domain::asset::{Asset, AssetKind};
use standpipe_domain::checklist::{AnswerKind, ChecklistRef, newest_for};
use standpipe_domain::evidence::Evidence;
use standpipe_domain::finding::Severity;
use standpipe_domain::ids::{
    AssetId, CheckId, FindingId, IssueId, Millis, PersonId, PlaceId, RoundId, Sha256, SiteId, UnitId,
};
use standpipe_domain::issue::{Solution, Status, Step, TimelineEntry};
use standpipe_domain::limit::Unit;
use standpipe_domain::merge_rule::ANSWER;
use standpipe_domain::people::{Person, ResponsibleUnit, Role, UnitLevel};
use standpipe_domain::place::{Place, PlaceKind};
use standpipe_domain::record::{Finding, Issue, Site, entity, fields, set};
use standpipe_domain::round::{Check, Round, RoundKind};
use standpipe_domain::words::Words;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use uuid::Uuid;

const DOCUMENT: &str = include_str!("../../../docs/sync.md");
const RECORDS: &str = "| entity | field | | value |";
const SHAPES: &str = "| shape | key | value |";
const ID: Uuid = Uuid::nil();

/// The cells of the rows of the table that begins with this head, without the marks of code around the first of them.
fn table(head: &str) -> Vec<Vec<String>> {
    let rows = DOCUMENT.lines().skip_while(|line| *line != head).skip(2);
    let rows = rows.take_while(|line| line.starts_with('|'));
    let cells = |row: &'static str| row.trim_matches('|').split('|').map(str::trim).collect::<Vec<_>>();
    let bare = |(at, cell): (usize, &str)| {
        if at < 2 { cell.trim_matches('`').to_owned() } else { cell.to_owned() }
    };
    rows.map(|row| cells(row).into_iter().enumerate().map(bare).collect()).collect()
}

/// What the table says of each field or key: its last cell.
fn told(head: &str) -> BTreeMap<(String, String), String> {
    let rows = table(head).into_iter();
    rows.map(|mut row| ((row[0].clone(), row[1].clone()), row.pop().unwrap_or_default())).collect()
}

fn differ<T: Ord + Debug>(all: &BTreeSet<T>, documented: &BTreeSet<T>) {
    let lacks: Vec<_> = all.difference(documented).collect();
    let over: Vec<_> = documented.difference(all).collect();
    assert!(
        lacks.is_empty() && over.is_empty(),
        "docs/sync.md lacks {lacks:?}, and knows too much: {over:?}"
    );
}

fn words() -> Words {
    Words::same("x")
}

fn solution() -> Solution {
    Solution { words: "x".into(), date: date(2023, 7, 1) }
}

fn several(entity: &str, names: &[&str]) -> Vec<[String; 3]> {
    names.iter().map(|name| [entity.to_owned(), (*name).to_owned(), "set".to_owned()]).collect()
}

fn single<T: Serialize>(entity: &str, record: &T) -> Vec<[String; 3]> {
    fields(record).keys().map(|field| [entity.to_owned(), field.clone(), "one".to_owned()]).collect()
}

/// Whatever may be absent is here, or its field would not be seen.
fn finding() -> Finding {
    let severity = Some(Severity::Minor);
    Finding { id: FindingId(ID), check: CheckId(ID), item: "seal".into(), severity, words: "x".into() }
}

fn issue() -> Issue {
    Issue {
        id: IssueId(ID),
        number: 1,
        title: words(),
        severity: Severity::Minor,
        status: Status::Open,
        finding: Some(FindingId(ID)),
        round: Some(RoundId(ID)),
        words: "x".into(),
        unit: Some(UnitId(ID)),
        person: Some(PersonId(ID)),
        deadline: Some(date(2023, 7, 1)),
        solution: Some(solution()),
        claimed_by: Some(PersonId(ID)),
    }
}

fn asset() -> Asset {
    let (id, place) = (AssetId(ID), PlaceId(ID));
    Asset { id, kind: AssetKind::Pump, place, name: words(), tag: "P".into(), facts: BTreeMap::new() }
}

fn round() -> Round {
    Round {
        id: RoundId(ID),
        kind: RoundKind::Routine,
        title: words(),
        due: date(2023, 7, 1),
        reason: Some(words()),
        present: vec![UnitId(ID)],
        sign_off_of: vec![UnitId(ID)],
    }
}

#[test]
fn every_field_of_every_record_is_documented_and_no_other() {
    let place = Place { id: PlaceId(ID), kind: PlaceKind::Site, parent: None, name: words(), level: Some(1) };
    let checklist = ChecklistRef { id: "pump".into(), version: 1 };
    let check = Check { id: CheckId(ID), round: RoundId(ID), asset: AssetId(ID), checklist, order: 0 };
    let person = Person { id: PersonId(ID), name: "x".into(), unit: UnitId(ID), roles: vec![Role::Reader] };
    let all = [
        single(entity::SITE, &Site { id: SiteId(ID), name: words(), code: "S".into() }),
        single(entity::PLACE, &place),
        single(entity::ASSET, &asset()),
        single(entity::UNIT, &ResponsibleUnit { id: UnitId(ID), level: UnitLevel::Street, name: words() }),
        single(entity::PERSON, &person),
        single(entity::ROUND, &round()),
        single(entity::CHECK, &check),
        single(entity::FINDING, &finding()),
        single(entity::ISSUE, &issue()),
        vec![[entity::CHECK.to_owned(), format!("{ANSWER}<item>"), "one".to_owned()]],
        several(entity::CHECK, &[set::PHOTOS]),
        several(entity::FINDING, &[set::PHOTOS]),
        several(entity::ISSUE, &[set::PHOTOS, set::PROOF, set::TIMELINE]),
        vec![[entity::SIGN_OFF.to_owned(), String::new(), String::new()]],
    ];
    let rows = table(RECORDS).into_iter().map(|row| [row[0].clone(), row[1].clone(), row[2].clone()]);
    differ(&all.concat().into_iter().collect(), &rows.collect());
}

#[test]
fn every_key_of_every_shape_is_documented_and_no_other() {
    let reading = Reading { value: 0.35, unit: Unit::Megapascal };
    let answer = Answer {
        outcome: Outcome::Pass,
        reading: Some(reading),
        choice: Some("x".into()),
        note: "x".into(),
        at: Millis(0),
    };
    let evidence = Evidence {
        sha256: Sha256([0; 32]),
        media_type: "image/jpeg".into(),
        bytes: 1,
        name: "x".into(),
        item: Some("x".into()),
        at: Millis(0),
    };
    let entry = TimelineEntry {
        step: None,
        to: Status::Open,
        by: "x".into(),
        at: Millis(0),
        unit: None,
        person: None,
        date: None,
        words: String::new(),
    };
    let shapes = [
        ("words", to_value(words())),
        ("checklist", to_value(ChecklistRef { id: "x".into(), version: 1 })),
        ("answer", to_value(answer)),
        ("reading", to_value(reading)),
        ("evidence", to_value(evidence)),
        ("solution", to_value(solution())),
        ("entry", to_value(entry)),
    ];
    let mut all = BTreeSet::from([("day".to_owned(), String::new())]);
    for (shape, value) in shapes {
        let Value::Object(keys) = value.unwrap() else { panic!("{shape} is no object") };
        all.extend(keys.into_iter().map(|(key, _)| (shape.to_owned(), key)));
    }
    differ(&all, &told(SHAPES).into_keys().collect());
}

#[test]
fn every_word_that_a_value_may_be_is_documented() {
    let says = |head: &str, of: &str, field: &str, value: Value| {
        let cell = told(head).remove(&(of.to_owned(), field.to_owned())).unwrap_or_default();
        let word = format!("`{}`", value.as_str().unwrap());
        assert!(cell.contains(&word), "{of}.{field} can be {word}: {cell}");
    };
    let mut statuses = vec![Status::Open];
    let mut at = 0;
    while let Some(from) = statuses.get(at).copied() {
        let next = Step::ALL.into_iter().filter_map(|step| step.leads_to(from));
        let next: Vec<Status> = next.filter(|to| !statuses.contains(to)).collect();
        statuses.extend(next);
        at += 1;
    }
    for status in statuses {
        says(RECORDS, "issue", "status", to_value(status).unwrap());
    }
    for step in Step::ALL {
        says(SHAPES, "entry", "step", to_value(step).unwrap());
    }
    for kind in AssetKind::ALL {
        says(RECORDS, "asset", "kind", to_value(kind).unwrap());
        for item in newest_for(kind).into_iter().flat_map(|list| &list.items) {
            if let AnswerKind::Reading { unit, .. } = item.answer {
                says(SHAPES, "reading", "unit", to_value(unit).unwrap());
            }
        }
    }
}

#[test]
fn the_examples_are_what_they_say() {
    let lines: Vec<&str> = DOCUMENT.lines().filter(|line| line.starts_with(r#"{"at""#)).collect();
    let [answer, evidence] = lines[..] else { panic!("an answer and evidence: {lines:?}") };
    let answer: Answer = from_str(answer).unwrap();
    assert_eq!(answer.reading, Some(Reading { value: 0.35, unit: Unit::Megapascal }));
    assert_eq!(from_str::<Evidence>(evidence).unwrap().item.as_deref(), Some("static-pressure"));
}

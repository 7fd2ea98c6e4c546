//! What was set aside, told to whoever looks after it: who recorded what, and about which thing. Nothing of it was taken over,
//! and some of it nobody meant well with, so of each no more is told than a person reads.

use super::Scene;
use crate::store::{IssueQuery, Records, StoreError};
use serde_json::{Map, Value};
use standpipe_domain::answer::NOTE_LIMIT;
use standpipe_domain::checklist::{self, Item};
use standpipe_domain::ids::{AssetId, CheckId, FindingId, IssueId, Millis, PersonId, RoundId, SignOffId};
use standpipe_domain::merge_rule::ANSWER;
use standpipe_domain::office::{AsidePlace, QuarantineList, Quarantined};
use standpipe_domain::record::{Finding, entity, read, set};
use standpipe_domain::round::Check;
use standpipe_domain::sync::{Author, Recorded, Subject};
use standpipe_domain::words::Words;
use standpipe_oplog::op::{Kind, Op};
use standpipe_oplog::recorded::recorded;
use standpipe_oplog::seal::SealPayload;
use std::collections::HashMap;
use uuid::Uuid;

/// How much of the quarantine is listed.
const LISTED: u32 = 1_000;
/// The most bytes that are read for one list, of the newest first: an honest thousand has a few hundred kilobytes.
const MOST_READ: u64 = 32 << 20;
/// The most characters that are told of one text, and of one record.
const LONGEST: usize = NOTE_LIMIT as usize;
const MOST_TOLD: usize = 2 * LONGEST;
/// The most fields of a record: none that people record has twenty.
const MOST_FIELDS: usize = 50;
/// The most characters of a name.
const LONGEST_NAME: usize = 200;
/// The deepest that a value is told: those that people record have two levels.
const DEEPEST: usize = 8;

pub(super) fn quarantine(records: &mut dyn Records, seen: bool) -> Result<QuarantineList, StoreError> {
    let mut list = records.quarantine(seen, LISTED)?;
    let mut left = MOST_READ;
    let mut said = Vec::new();
    for line in &mut list.listed {
        let body = records.quarantined_body(place(line), left)?;
        // It is there, and more than is read.
        line.cut = body.is_none();
        left -= body.as_ref().map_or(0, |body| body.len() as u64);
        said.push(body.and_then(|body| serde_json::from_str(&body).ok()).map(|op| Said::by(&op)));
    }
    let begun = said.iter().flatten().filter_map(|said| Some((FindingId(said.id), said.begun.clone()?)));
    let begun = begun.collect();
    let scene = Scene::of(records)?;
    let mut known = Known { records, scene, begun, checks: HashMap::new(), subjects: HashMap::new() };
    for (line, said) in list.listed.iter_mut().zip(said) {
        let Some(said) = said else { continue };
        line.author = Some(Author { name: known.scene.person(said.actor), at: said.at });
        line.about = Some(known.subject(&said)?);
        line.cut = said.cut;
        for (field, item, value) in said.content {
            let asked = known.asked(&said.entity, said.id, item)?;
            line.content.push(Recorded { field, asked, value });
        }
    }
    Ok(list)
}

fn place(line: &Quarantined) -> AsidePlace {
    AsidePlace { device: line.device, incarnation: line.incarnation, dev_seq: line.dev_seq }
}

/// What an operation says itself, as much of it as is told.
struct Said {
    entity: String,
    id: Uuid,
    actor: PersonId,
    at: Millis,
    /// Each field with the item that it is about, where it names one.
    content: Vec<(String, Option<String>, Value)>,
    cut: bool,
    /// The check and the item of a finding, where it begins one.
    begun: Option<(CheckId, String)>,
    /// The round of a signature.
    round: Option<RoundId>,
}

impl Said {
    fn by(op: &Op) -> Self {
        let mut room = Room { left: MOST_TOLD, cut: false };
        let mut content = Vec::new();
        for (field, value) in recorded(op) {
            if room.left == 0 || content.len() == MOST_FIELDS {
                room.cut = true;
                break;
            }
            let item = item_of(&field, &value);
            content.push((room.text(&field, LONGEST_NAME), item, room.value(value, DEEPEST)));
        }
        let begins = op.entity == entity::FINDING && op.kind == Kind::Set && op.field.is_none();
        let fields = op.value.as_object().filter(|_| begins);
        let finding = fields.and_then(|fields| read::<Finding>(op.id, fields.clone()).ok());
        Self {
            entity: room.text(&op.entity, LONGEST_NAME),
            id: op.id,
            actor: op.actor,
            at: op.device_time,
            content,
            cut: room.cut,
            begun: finding.map(|finding| (finding.check, finding.item)),
            round: SealPayload::of(&op.value).filter(|_| op.kind == Kind::Seal).map(|payload| payload.round),
        }
    }
}

/// The item of an answer, or of a photo.
fn item_of(field: &str, value: &Value) -> Option<String> {
    let of_photo = || value.get("item").filter(|_| field == set::PHOTOS)?.as_str();
    field.strip_prefix(ANSWER).or_else(of_photo).map(str::to_owned)
}

/// How much may still be told of a record.
struct Room {
    left: usize,
    cut: bool,
}

impl Room {
    /// As much of a text as there is room for, with a mark where something is left out.
    fn text(&mut self, text: &str, most: usize) -> String {
        let most = most.min(self.left);
        let Some((end, _)) = text.char_indices().nth(most) else {
            self.left -= text.chars().count();
            return text.to_owned();
        };
        self.left -= most;
        self.cut = true;
        format!("{}…", &text[..end])
    }

    fn value(&mut self, value: Value, deeper: usize) -> Value {
        if deeper == 0 {
            self.cut = true;
            return Value::Null;
        }
        match value {
            Value::String(text) => Value::String(self.text(&text, LONGEST)),
            Value::Array(values) => {
                let mut told = Vec::new();
                for value in values {
                    if !self.takes() {
                        break;
                    }
                    told.push(self.value(value, deeper - 1));
                }
                Value::Array(told)
            }
            Value::Object(fields) => {
                let mut told = Map::new();
                for (name, value) in fields {
                    if !self.takes() {
                        break;
                    }
                    told.insert(self.text(&name, LONGEST_NAME), self.value(value, deeper - 1));
                }
                Value::Object(told)
            }
            bare => bare,
        }
    }

    /// Takes room for one more value; whether there was any.
    fn takes(&mut self) -> bool {
        self.cut |= self.left == 0;
        let takes = self.left > 0;
        self.left = self.left.saturating_sub(1);
        takes
    }
}

/// A name, and a path from the phase down to the place.
type Named = (Option<Words>, Vec<Words>);

/// What the hub knows of the things that were recorded about, each looked up once.
struct Known<'r> {
    records: &'r mut dyn Records,
    scene: Scene,
    /// Findings that were set aside themselves, and so are nowhere else.
    begun: HashMap<FindingId, (CheckId, String)>,
    checks: HashMap<CheckId, Option<Check>>,
    subjects: HashMap<(String, Uuid), Named>,
}

impl Known<'_> {
    fn subject(&mut self, said: &Said) -> Result<Subject, StoreError> {
        let key = match (said.entity.as_str(), said.round) {
            (entity::SIGN_OFF, Some(round)) => (entity::ROUND.to_owned(), round.0),
            (entity, _) => (entity.to_owned(), said.id),
        };
        let (name, path) = if let Some(named) = self.subjects.get(&key) {
            named.clone()
        } else {
            let named = self.named(&key.0, key.1)?;
            self.subjects.insert(key, named.clone());
            named
        };
        Ok(Subject { entity: said.entity.clone(), name, path })
    }

    fn named(&mut self, entity: &str, id: Uuid) -> Result<Named, StoreError> {
        let of_round = |round: Option<RoundId>, records: &mut dyn Records| {
            let row =
                round.map(|round| records.rounds(Some(round))).transpose()?.and_then(|mut rows| rows.pop());
            Ok((row.map(|row| row.round.title), Vec::new()))
        };
        match entity {
            entity::CHECK => self.of_check(CheckId(id)),
            entity::FINDING => match self.begun_as(FindingId(id))? {
                Some((check, _)) => self.of_check(check),
                None => Ok(Named::default()),
            },
            entity::ASSET => self.of_asset(AssetId(id)),
            entity::ISSUE => {
                let query = IssueQuery { id: Some(IssueId(id)), ..IssueQuery::default() };
                let row = self.records.issues(query)?.pop();
                let number = row.map(|row| format!("{}-{}", self.scene.code, row.issue.number));
                Ok((number.map(Words::same), Vec::new()))
            }
            entity::ROUND => of_round(Some(RoundId(id)), self.records),
            entity::SIGN_OFF => {
                let round = self.records.sign_off(SignOffId(id))?.map(|row| row.round);
                of_round(round, self.records)
            }
            _ => Ok(Named::default()),
        }
    }

    fn of_check(&mut self, id: CheckId) -> Result<Named, StoreError> {
        let asset = self.check(id)?.map(|check| check.asset);
        asset.map_or_else(|| Ok(Named::default()), |asset| self.of_asset(asset))
    }

    fn of_asset(&mut self, id: AssetId) -> Result<Named, StoreError> {
        let asset = self.records.asset(id)?;
        Ok(asset.map_or_else(Named::default, |asset| (Some(asset.name), self.scene.path(asset.place))))
    }

    fn check(&mut self, id: CheckId) -> Result<Option<&Check>, StoreError> {
        if !self.checks.contains_key(&id) {
            let check = self.records.check(id.0)?;
            self.checks.insert(id, check);
        }
        Ok(self.checks[&id].as_ref())
    }

    /// The check and the item that a finding is about.
    fn begun_as(&mut self, id: FindingId) -> Result<Option<(CheckId, String)>, StoreError> {
        if let Some(of) = self.begun.get(&id) {
            return Ok(Some(of.clone()));
        }
        Ok(self.records.finding(id)?.map(|finding| (finding.check, finding.item)))
    }

    /// The item that a field of a check names, or that a finding is about.
    fn asked(&mut self, entity: &str, id: Uuid, item: Option<String>) -> Result<Option<Item>, StoreError> {
        let of = match (entity, item) {
            (entity::CHECK, Some(item)) => Some((CheckId(id), item)),
            (entity::FINDING, _) => self.begun_as(FindingId(id))?,
            _ => None,
        };
        let Some((check, item)) = of else { return Ok(None) };
        Ok(self.check(check)?.and_then(|check| checklist::item(&check.checklist, &item)).cloned())
    }
}

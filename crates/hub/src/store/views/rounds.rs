//! A round as the office reads it.

use super::kept::Tombstones;
use super::{Scene, evidence};
use crate::store::{CheckRow, Records, RoundRow, SignOffRow, StoreError, answer_now, answer_shown};
use jiff::civil::Date;
use serde::Deserialize;
use standpipe_domain::answer::{Answer, Answers, Outcome};
use standpipe_domain::asset::AssetLine;
use standpipe_domain::checklist;
use standpipe_domain::finding::{FindingView, Severity, lacks};
use standpipe_domain::ids::{CheckId, RoundId, Sha256, UnitId};
use standpipe_domain::merge_rule::ANSWER;
use standpipe_domain::office::{OfficeCheck, OfficeRound};
use standpipe_domain::record::{Finding, issue_id};
use standpipe_domain::round::{Progress, RoundState, StopState};
use standpipe_domain::signoff::{SealReport, SignOffView, Signature};
use standpipe_domain::tablet::{Amendment, FieldConflict, RoundLine};
use standpipe_domain::words::Words;
use standpipe_oplog::merge::{Register, Side, amendments};
use standpipe_oplog::seal::{SealPayload, Verified};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

pub(super) fn line(records: &mut dyn Records, row: &RoundRow, today: Date) -> Result<RoundLine, StoreError> {
    let round = &row.round;
    let to_sign = count(round.sign_off_of.len());
    let mut signed: BTreeSet<UnitId> = row.signed.iter().copied().collect();
    if !row.amended.is_empty() {
        let covered = covered(&readable(records.sign_offs(round.id)?));
        signed.retain(|unit| covered.get(unit).is_some_and(|covered| covered.is_superset(&row.amended)));
    }
    let signed = count(round.sign_off_of.iter().filter(|unit| signed.contains(unit)).count());
    let progress = Progress { items: row.items, answered: row.answered, to_sign, signed };
    Ok(RoundLine {
        id: round.id,
        title: round.title.clone(),
        kind: round.kind,
        due: round.due,
        state: RoundState::of(progress, round.due, today),
        stops: row.stops,
        stops_done: row.stops_done,
        items: row.items,
        answered: row.answered,
        findings: row.findings,
        to_sign,
        signed,
    })
}

/// A signature with what it seals.
type Signed = (SignOffRow, SealPayload);

/// A seal that cannot be read was never let in; were it there, it would be no seal.
fn readable(rows: Vec<SignOffRow>) -> Vec<Signed> {
    rows.into_iter().filter_map(|row| Some((row.clone(), row.jws.payload().ok()?))).collect()
}

/// The amendments that each unit's signatures cover.
fn covered(signed: &[Signed]) -> BTreeMap<UnitId, BTreeSet<Uuid>> {
    let mut covered: BTreeMap<UnitId, BTreeSet<Uuid>> = BTreeMap::new();
    for (_, payload) in signed {
        let amended = payload.checks.iter().flat_map(|check| &check.amendments).map(|amended| amended.rev);
        covered.entry(payload.unit).or_default().extend(amended);
    }
    covered
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

pub(super) fn round(
    records: &mut dyn Records,
    id: RoundId,
    today: Date,
) -> Result<Option<OfficeRound>, StoreError> {
    let Some(row) = records.rounds(Some(id))?.pop() else { return Ok(None) };
    let scene = Scene::of(records)?;
    let checks = records.checks(id)?;
    let lists: BTreeMap<_, _> =
        checks.iter().map(|row| (row.check.id, row.check.checklist.clone())).collect();
    let tombstones = Tombstones::of(records, id)?;
    let mut found = Found::default();
    let mut findings = Vec::new();
    for (finding, live) in records.findings(id)? {
        let photos = evidence::photos(records, finding.id.0)?;
        found.photos.extend(photos.iter().map(|photo| photo.evidence.sha256));
        found.findings.insert(finding.id.0, finding.clone());
        // Live: its item's answer is a fail.
        if let (true, Some(answer)) = (live, answer_of(records, &finding)?) {
            let (item, sides) = (finding.item.clone(), records.sides(finding.id.0)?);
            let named = |conflict: FieldConflict| FieldConflict {
                field: format!("{}:{item}", conflict.field),
                ..conflict
            };
            let differ = conflicts(records, &scene, sides)?.into_iter().map(named);
            found.conflicts.entry(finding.check).or_default().extend(differ);
            let tracked = records.is_tracked(issue_id(finding.id))?;
            findings.push(FindingView {
                id: finding.id,
                check: finding.check,
                asked: lists
                    .get(&finding.check)
                    .and_then(|list| checklist::item(list, &finding.item))
                    .cloned(),
                answer: answer.clone(),
                item: finding.item,
                severity: finding.severity.unwrap_or(Severity::UNSAID),
                lacks: lacks(&finding.words, photos.len()),
                words: finding.words,
                photos,
                issue: tracked.then(|| issue_id(finding.id)),
                kept: tombstones.kept(records, &scene, finding.id.0)?,
            });
        } else {
            // Its item passes by now, but nobody's photo disappears.
            found.orphans.entry(finding.check).or_default().extend(photos);
        }
    }
    let signed = readable(records.sign_offs(id)?);
    let covered = covered(&signed);
    found.amendments = covered.values().flatten().copied().collect();
    let checks = checks
        .into_iter()
        .map(|row| check(records, &scene, &tombstones, row, &mut found))
        .collect::<Result<_, _>>()?;
    let mut sign_offs: Vec<SignOffView> =
        row.round.sign_off_of.iter().map(|unit| open(*unit, &scene)).collect();
    let mut seals = Vec::new();
    for (signed, payload) in signed {
        seals.push(report(records, &signed, &payload, &found)?);
        let signature = signature(records, &payload)?;
        match sign_offs.iter_mut().find(|view| view.unit == signed.unit && view.signed.is_none()) {
            Some(view) => view.signed = Some(signature),
            None => sign_offs.push(SignOffView { signed: Some(signature), ..open(signed.unit, &scene) }),
        }
    }
    for view in sign_offs.iter_mut().filter(|view| view.signed.is_some()) {
        let covered = covered.get(&view.unit);
        let unsigned =
            row.amended.iter().filter(|rev| !covered.is_some_and(|covered| covered.contains(*rev)));
        view.unsigned_amendments = count(unsigned.count());
    }
    Ok(Some(OfficeRound {
        line: line(records, &row, today)?,
        kept: tombstones.kept(records, &scene, id.0)?,
        present: row.round.present.iter().map(|unit| scene.unit(*unit)).collect(),
        round: row.round,
        checks,
        findings,
        sign_offs,
        seals,
    }))
}

/// What is in a round today, to hold its seals against.
#[derive(Default)]
struct Found {
    answers: BTreeMap<CheckId, Answers>,
    findings: BTreeMap<Uuid, Finding>,
    photos: BTreeSet<Sha256>,
    /// The amendments that a signature covers, by their operations.
    amendments: BTreeSet<Uuid>,
    /// Conflicts of findings, under their checks.
    conflicts: BTreeMap<CheckId, Vec<FieldConflict>>,
    /// Photos of findings whose item passes by now.
    orphans: BTreeMap<CheckId, Vec<standpipe_domain::evidence::EvidenceView>>,
}

fn check(
    records: &mut dyn Records,
    scene: &Scene,
    tombstones: &Tombstones,
    row: CheckRow,
    found: &mut Found,
) -> Result<OfficeCheck, StoreError> {
    let CheckRow { check, asset, items, answered, failed } = row;
    let checklist = checklist::find(&check.checklist);
    let sides = records.sides(check.id.0)?;
    let answer = |(field, sides): &(String, Vec<Side>)| {
        let answer = Answer::deserialize(&sides.first()?.value).ok()?;
        Some((field.strip_prefix(ANSWER)?.to_owned(), answer))
    };
    let answers: Answers = sides.iter().filter_map(answer).collect();
    found.answers.insert(check.id, answers.clone());
    let amended: Vec<Amendment> = amendments(&records.amends(check.id.0)?)
        .iter()
        .filter_map(|it| it.view(scene.person(it.side.actor), found.amendments.contains(&it.side.rev)))
        .collect();
    let mut photos = evidence::photos(records, check.id.0)?;
    photos.extend(found.orphans.remove(&check.id).unwrap_or_default());
    found.photos.extend(photos.iter().map(|photo| photo.evidence.sha256));
    let unknown = || AssetLine {
        id: check.asset,
        kind: checklist::kind_of(&check.checklist),
        name: Words::same(check.asset.to_string()),
        tag: String::new(),
        path: Vec::new(),
    };
    let mut conflicts = conflicts(records, scene, sides)?;
    conflicts.extend(found.conflicts.remove(&check.id).unwrap_or_default());
    Ok(OfficeCheck {
        id: check.id,
        asset: asset.map_or_else(unknown, |asset| scene.asset(&asset)),
        state: StopState::of(items, answered, failed),
        checklist: checklist.cloned(),
        answers,
        photos,
        sealed: records.is_sealed(check.id.0)?,
        kept: tombstones.kept(records, scene, check.id.0)?,
        amendments: amended,
        conflicts,
    })
}

/// The fail that a finding is about: the one that is shown, or else an amendment.
fn answer_of(records: &mut dyn Records, finding: &Finding) -> Result<Option<Answer>, StoreError> {
    let shown = answer_shown(records, finding.check, &finding.item)?;
    match shown {
        Some(answer) if answer.outcome == Outcome::Fail => Ok(Some(answer)),
        _ => answer_now(records, finding.check, &finding.item),
    }
}

/// The fields on which people differ, each with what both started from, where that is one value.
fn conflicts(
    records: &mut dyn Records,
    scene: &Scene,
    fields: Vec<(String, Vec<Side>)>,
) -> Result<Vec<FieldConflict>, StoreError> {
    let registers = fields.into_iter().map(|(field, sides)| (field, Register { sides, pin: None }));
    let view = |side: &Side| side.view(scene.person(side.actor));
    let differ = registers.filter(|(_, register)| register.differs()).map(|(field, register)| {
        let base = register.base(&field, |rev| records.op(rev))?.as_ref().map(view);
        Ok(FieldConflict { field, base, sides: register.sides.iter().map(view).collect() })
    });
    differ.collect()
}

fn open(unit: UnitId, scene: &Scene) -> SignOffView {
    SignOffView { unit, unit_name: scene.unit(unit), signed: None, unsigned_amendments: 0 }
}

fn signature(records: &mut dyn Records, payload: &SealPayload) -> Result<Signature, StoreError> {
    let mut missing = 0;
    for sha256 in &payload.evidence {
        missing += u32::from(!records.blob_row(*sha256)?.verified);
    }
    Ok(Signature {
        id: payload.sign_off,
        name: payload.name.clone(),
        objection: payload.objection.clone(),
        strokes: payload.strokes.clone(),
        at: payload.at,
        photos_on_their_way: missing,
        photos_unconfirmed: 0,
    })
}

/// Holds a seal against its tablet's key, and against what the hub shows today. A hub that was restored has forgotten the
/// tablets that joined after its backup: for what those signed stands its own signature, which it gives to nothing that it
/// did not look into.
fn report(
    records: &mut dyn Records,
    row: &SignOffRow,
    payload: &SealPayload,
    found: &Found,
) -> Result<SealReport, StoreError> {
    let key = records.device_key(payload.device)?;
    let verified = row.jws.verify(key.as_ref()).ok();
    let hub = records.identity();
    let is_ours = |seal: &Verified| seal.is_countersigned_by(hub.device, &hub.key.verifying_key());
    let same_check = |check: &standpipe_oplog::seal::SealedCheck| {
        found.answers.get(&check.id).is_some_and(|answers| *answers == check.answers)
    };
    let same_finding = |sealed: &standpipe_oplog::seal::SealedFinding| {
        let same = |now: &Finding| now.severity == Some(sealed.severity) && now.words == sealed.words;
        found.findings.get(&sealed.id.0).is_some_and(same)
    };
    Ok(SealReport {
        sign_off: row.id,
        unit: row.unit,
        genuine: verified.as_ref().is_some_and(|seal| key.is_some() || is_ours(seal)),
        known: key.is_some(),
        unchanged: payload.checks.iter().all(same_check)
            && payload.findings.iter().all(same_finding)
            && payload.evidence.iter().all(|sha256| found.photos.contains(sha256)),
        countersigned: verified.and_then(|verified| verified.hub).and_then(|hub| hub.received),
        photos: count(payload.evidence.len()),
    })
}

//! A round as the office reads it.

use super::{Scene, evidence};
use crate::store::{CheckRow, Records, RoundRow, SignOffRow, StoreError};
use jiff::civil::Date;
use standpipe_domain::answer::Answers;
use standpipe_domain::asset::{AssetKind, AssetLine};
use standpipe_domain::checklist;
use standpipe_domain::finding::{FindingView, lacks};
use standpipe_domain::ids::{CheckId, RoundId, Sha256, UnitId};
use standpipe_domain::merge_rule::ANSWER;
use standpipe_domain::office::{OfficeCheck, OfficeRound};
use standpipe_domain::record::{Finding, issue_id};
use standpipe_domain::round::{Progress, RoundState, StopState};
use standpipe_domain::signoff::{SealReport, SignOffView, Signature};
use standpipe_domain::tablet::RoundLine;
use standpipe_domain::words::Words;
use standpipe_oplog::seal::SealPayload;
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn line(row: &RoundRow, today: Date) -> RoundLine {
    let round = &row.round;
    let to_sign = count(round.sign_off_of.len());
    let signed = count(round.sign_off_of.iter().filter(|unit| row.signed.contains(unit)).count());
    let progress = Progress { items: row.items, answered: row.answered, to_sign, signed };
    RoundLine {
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
    }
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
    let mut found = Found::default();
    let mut findings = Vec::new();
    for (finding, live) in records.findings(id)? {
        let photos = evidence::photos(records, finding.id.0)?;
        found.photos.extend(photos.iter().map(|photo| photo.evidence.sha256));
        found.findings.insert(finding.id.0, finding.clone());
        if live {
            let tracked = records.is_tracked(issue_id(finding.id))?;
            findings.push(FindingView {
                id: finding.id,
                check: finding.check,
                item: finding.item,
                severity: finding.severity,
                lacks: lacks(&finding.words, photos.len()),
                words: finding.words,
                photos,
                issue: tracked.then(|| issue_id(finding.id)),
            });
        } else {
            // Its item passes by now, but nobody's photo disappears.
            found.orphans.entry(finding.check).or_default().extend(photos);
        }
    }
    let mut checks = Vec::new();
    for row in records.checks(id)? {
        checks.push(check(records, &scene, row, &mut found)?);
    }
    let mut sign_offs: Vec<SignOffView> =
        row.round.sign_off_of.iter().map(|unit| open(*unit, &scene)).collect();
    let mut seals = Vec::new();
    for signed in records.sign_offs(id)? {
        // What cannot be read was never let in; were it there, it would be no seal.
        let Ok(payload) = signed.jws.payload() else { continue };
        seals.push(report(records, &signed, &payload, &found)?);
        let signature = signature(records, &payload)?;
        match sign_offs.iter_mut().find(|view| view.unit == signed.unit && view.signed.is_none()) {
            Some(view) => view.signed = Some(signature),
            None => sign_offs.push(SignOffView { signed: Some(signature), ..open(signed.unit, &scene) }),
        }
    }
    Ok(Some(OfficeRound {
        line: line(&row, today),
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
    findings: BTreeMap<uuid::Uuid, Finding>,
    photos: BTreeSet<Sha256>,
    /// Photos of findings whose item passes by now.
    orphans: BTreeMap<CheckId, Vec<standpipe_domain::evidence::EvidenceView>>,
}

fn check(
    records: &mut dyn Records,
    scene: &Scene,
    row: CheckRow,
    found: &mut Found,
) -> Result<OfficeCheck, StoreError> {
    let CheckRow { check, asset, items, answered, failed } = row;
    let checklist = checklist::find(&check.checklist);
    let answer = |(field, value): (String, serde_json::Value)| {
        Some((field.strip_prefix(ANSWER)?.to_owned(), serde_json::from_value(value).ok()?))
    };
    let answers: Answers = records.shown(check.id.0)?.into_iter().filter_map(answer).collect();
    found.answers.insert(check.id, answers.clone());
    let mut photos = evidence::photos(records, check.id.0)?;
    photos.extend(found.orphans.remove(&check.id).unwrap_or_default());
    found.photos.extend(photos.iter().map(|photo| photo.evidence.sha256));
    let unknown = || AssetLine {
        id: check.asset,
        kind: checklist.map_or(AssetKind::PipeWorks, |list| list.asset_kind),
        name: Words::same(check.asset.to_string()),
        tag: String::new(),
        path: Vec::new(),
    };
    Ok(OfficeCheck {
        id: check.id,
        asset: asset.map_or_else(unknown, |asset| scene.asset(&asset)),
        state: StopState::of(items, answered, failed),
        checklist: checklist.cloned(),
        answers,
        photos,
        sealed: records.is_sealed(check.id.0)?,
    })
}

fn open(unit: UnitId, scene: &Scene) -> SignOffView {
    SignOffView { unit, unit_name: scene.unit(unit), signed: None }
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
    })
}

/// Holds a seal against its tablet's key, and against what the hub shows today.
fn report(
    records: &mut dyn Records,
    row: &SignOffRow,
    payload: &SealPayload,
    found: &Found,
) -> Result<SealReport, StoreError> {
    let key = records.device_key(payload.device)?;
    let verified = row.jws.verify(key.as_ref()).ok();
    let same_check = |check: &standpipe_oplog::seal::SealedCheck| {
        found.answers.get(&check.id).is_some_and(|answers| *answers == check.answers)
    };
    let same_finding = |sealed: &standpipe_oplog::seal::SealedFinding| {
        let same = |now: &Finding| now.severity == sealed.severity && now.words == sealed.words;
        found.findings.get(&sealed.id.0).is_some_and(same)
    };
    Ok(SealReport {
        sign_off: row.id,
        unit: row.unit,
        genuine: key.is_some() && verified.is_some(),
        unchanged: payload.checks.iter().all(same_check)
            && payload.findings.iter().all(same_finding)
            && payload.evidence.iter().all(|sha256| found.photos.contains(sha256)),
        countersigned: verified.and_then(|verified| verified.hub).and_then(|hub| hub.received),
        photos: count(payload.evidence.len()),
    })
}

//! Whether an operation's value is what its field holds.
//!
//! Only what this version knows is judged. A kind, a field or an entity of a later one is kept as it came.

use super::{Judgement, Refusal, Seen, findings, pass};
use crate::blobs::MAX_BLOB;
use crate::store::{Ledger, StoreError};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use standpipe_domain::answer::{Answer, Answers, Refusal as Unacceptable, brief};
use standpipe_domain::evidence::Evidence;
use standpipe_domain::ids::{CheckId, SiteId, UnitId};
use standpipe_domain::merge_rule::ANSWER;
use standpipe_domain::record::{Finding, entity, finding_id, follows_from_id, holds, read, set};
use standpipe_domain::signoff::NoSignOff;
use standpipe_oplog::chain::Written;
use standpipe_oplog::op::{Amend, Kind, Op, Resolve, Saw};
use standpipe_oplog::seal::{Jws, SealPayload, Verified};
use std::fmt::Display;
use uuid::Uuid;

/// Judges one operation of a transaction, which is `tx`.
pub(super) fn judge(ledger: &mut dyn Ledger, seen: &mut Seen, op: &Op, tx: &[&Written]) -> Judgement {
    pass!(unsealed(ledger, op)?);
    pass!(findings::in_sight(ledger, seen, op, tx)?);
    let field = op.field.as_deref();
    match (op.kind, field) {
        (Kind::Set, Some(field)) => one(ledger, seen, op, field, &op.value),
        (Kind::Set, None) => several(ledger, seen, op),
        (Kind::Resolve, Some(field)) => match parsed::<Resolve>(&op.value) {
            Ok(resolve) => one(ledger, seen, op, field, &resolve.value),
            Err(refusal) => Ok(Err(refusal)),
        },
        (Kind::Amend, Some(field)) => match parsed::<Amend>(&op.value) {
            Ok(amend) if amend.reason.trim().is_empty() => {
                Ok(Err(Refusal::new("no-reason", "an amendment says why")))
            }
            Ok(amend) => {
                pass!(short(&amend.reason));
                one(ledger, seen, op, field, &amend.value)
            }
            Err(refusal) => Ok(Err(refusal)),
        },
        (Kind::Add, Some(set::PHOTOS | set::PROOF)) => Ok(evidence(&op.value)),
        (Kind::Remove | Kind::Delete, _) => Ok(parsed::<Saw>(&op.value).map(drop)),
        (Kind::Seal, _) if op.entity == entity::SIGN_OFF => seal(ledger, op),
        (Kind::Add | Kind::Unknown, _) => Ok(Ok(())),
        _ => Ok(Err(Refusal::new(
            "malformed",
            "an operation of this kind names a field, or seals a signature",
        ))),
    }
}

/// Evidence, of a size that can come.
pub(super) fn evidence(value: &Value) -> Result<(), Refusal> {
    let evidence: Evidence = parsed(value)?;
    if evidence.bytes > MAX_BLOB {
        return Err(Refusal::new("too-large", format!("a file has at most {MAX_BLOB} bytes")));
    }
    Ok(())
}

pub(super) fn parsed<T: DeserializeOwned>(value: &Value) -> Result<T, Refusal> {
    T::deserialize(value).map_err(malformed)
}

fn malformed(error: impl Display) -> Refusal {
    Refusal::new("malformed", error.to_string())
}

/// What was signed takes amendments only. A photo that somebody else took meanwhile is added all the same: it takes
/// nothing away.
fn unsealed(ledger: &mut dyn Ledger, op: &Op) -> Judgement {
    // The very operation that was signed may come behind its seal: it had been set aside, and is judged again.
    let otherwise = |pin: Option<Uuid>| pin.is_some_and(|signed| signed != op.op_id);
    let sealed = match (op.kind, &op.field) {
        (Kind::Set | Kind::Resolve, Some(field)) => otherwise(ledger.pin(op.id, field)?),
        (Kind::Set, None) => {
            let mut pinned = false;
            for field in op.value.as_object().into_iter().flat_map(serde_json::Map::keys) {
                // Whoever begins a finding once more writes what was signed.
                pinned |= !follows_from_id(&op.entity, field) && otherwise(ledger.pin(op.id, field)?);
            }
            pinned
        }
        (Kind::Delete, _) if op.entity == entity::SIGN_OFF => ledger.seal_of(op.id)?.is_some(),
        (Kind::Remove | Kind::Delete, _) => ledger.is_sealed(op.id)?,
        _ => false,
    };
    let refusal =
        || Refusal::new("sealed", "this was signed before the change arrived; it takes amendments only");
    Ok(if sealed { Err(refusal()) } else { Ok(()) })
}

fn one(ledger: &mut dyn Ledger, seen: &mut Seen, op: &Op, field: &str, value: &Value) -> Judgement {
    if let (entity::CHECK, Some(item)) = (op.entity.as_str(), field.strip_prefix(ANSWER)) {
        return answer(ledger, seen, op.id, item, value);
    }
    match (op.entity.as_str(), field) {
        (entity::SIGN_OFF, _) => {
            Ok(Err(Refusal::new("not-allowed", "a signature is sealed; the hub countersigns it")))
        }
        (entity::FINDING, "words") => Ok(parsed::<String>(value).and_then(|text| short(&text))),
        (entity::FINDING, "check" | "item") => {
            Ok(Err(Refusal::new("not-allowed", "a finding stays with its item")))
        }
        (entity, field) => Ok(holds(entity, field, value).map_err(malformed)),
    }
}

fn several(ledger: &mut dyn Ledger, seen: &mut Seen, op: &Op) -> Judgement {
    let Some(fields) = op.value.as_object() else {
        return Ok(Err(Refusal::new("malformed", "a record is an object")));
    };
    if op.entity == entity::FINDING {
        // It may be begun: its severity and words come later.
        return Ok(match read::<Finding>(op.id, fields.clone()) {
            Ok(finding) if finding.id != finding_id(finding.check, &finding.item) => {
                Err(Refusal::new("malformed", "a finding's id follows from its check and item"))
            }
            Ok(finding) => short(&finding.words),
            Err(error) => Err(malformed(error)),
        });
    }
    for (field, value) in fields {
        pass!(one(ledger, seen, op, field, value)?);
    }
    Ok(Ok(()))
}

fn short(text: &str) -> Result<(), Refusal> {
    brief(text).map_err(|rule| Refusal::by_rule(&rule))
}

fn answer(ledger: &mut dyn Ledger, seen: &mut Seen, check: Uuid, item: &str, value: &Value) -> Judgement {
    let answer: Answer = match parsed(value) {
        Ok(answer) => answer,
        Err(refusal) => return Ok(Err(refusal)),
    };
    // A check that this hub does not hold (yet), or whose checklist is of a later version, is not judged by this one.
    let Some(list) = seen.checklist(ledger, check)? else { return Ok(Ok(())) };
    Ok(match list.accept(item, &answer, &Answers::new()) {
        // Interlocks hold people back while they stand at the valve. Here it is a fact that water was drawn.
        Ok(()) | Err(Unacceptable::Interlocked { .. }) => Ok(()),
        Err(rule) => Err(Refusal::by_rule(&rule)),
    })
}

fn seal(ledger: &mut dyn Ledger, op: &Op) -> Judgement {
    let broken = |detail: String| Ok(Err(Refusal::new("broken-seal", detail)));
    let jws: Jws = match parsed(&op.value) {
        Ok(jws) => jws,
        Err(refusal) => return broken(refusal.detail),
    };
    // A tablet that joined again delivers what it had sealed under its earlier enrolment.
    let named = match jws.payload() {
        Ok(payload) => ledger.device_key(payload.device)?,
        Err(error) => return broken(error.to_string()),
    };
    let Verified { payload, tablet, .. } = match jws.verify(named.as_ref()) {
        Ok(verified) => verified,
        Err(error) => return broken(error.to_string()),
    };
    // A hub that was restored has forgotten whoever joined after its backup. Whoever brings such a seal could have signed
    // it as the tablet that it is, of the same person; but it passes for no other that is known, by name or by key.
    let is_hub = payload.device == ledger.identity().device;
    if is_hub || named.is_none() && ledger.is_tablets_key(&tablet.jwk)? {
        return broken("the seal was made by another key than that of the tablet that it names".into());
    }
    let expected = (op.id, op.scope, op.actor);
    let found = (payload.sign_off.0, payload.site, payload.inspector);
    if found != expected {
        return broken("the seal names another signature, tablet, site or person than its operation".into());
    }
    if payload.name.trim().is_empty() {
        return Ok(Err(Refusal::by_rule(&NoSignOff::NoName)));
    }
    if payload.strokes.iter().all(Vec::is_empty) {
        return Ok(Err(Refusal::by_rule(&NoSignOff::NoStrokes)));
    }
    // A round that this hub has lost, or cannot read yet, may still be one: a signature is not given twice.
    if !may_be(ledger, payload.round.0, payload.site, entity::ROUND)? {
        return broken("the seal is of something that is no round of its site".into());
    }
    let asked: Option<Vec<UnitId>> = match ledger.rounds(Some(payload.round))?.pop() {
        Some(round) => Some(round.round.sign_off_of),
        // One that was deleted comes back.
        None => shown(ledger, payload.round.0, "sign_off_of")?
            .and_then(|units| Deserialize::deserialize(units).ok()),
    };
    if asked.is_some_and(|asked| !asked.contains(&payload.unit)) {
        return Ok(Err(Refusal::by_rule(&NoSignOff::NotAsked)));
    }
    if payload.checks.is_empty() {
        return broken("the seal covers no check".into());
    }
    if ledger.seal_of(op.id)?.is_some() {
        return broken("this signature was sealed before".into());
    }
    if let Some(field) = otherwise(ledger, &payload)? {
        let detail = format!("somebody signed before this arrived, and {field} said something else by then");
        return Ok(Err(Refusal::new("signed-otherwise", detail)));
    }
    if !covers_checks_only(ledger, &payload)? {
        return broken("the seal covers something that is no check or finding of its round".into());
    }
    Ok(Ok(()))
}

/// The first field that the seal covers and that was signed before with another value. Whoever signs later signs the same;
/// otherwise what was signed would depend on whose tablet came first.
fn otherwise(ledger: &mut dyn Ledger, payload: &SealPayload) -> Result<Option<String>, StoreError> {
    for covered in payload.covered() {
        for (field, rev) in covered.revs {
            if follows_from_id(covered.entity, field) {
                continue;
            }
            if ledger.pin(covered.id, field)?.is_some_and(|signed| signed != *rev) {
                return Ok(Some(field.clone()));
            }
        }
    }
    Ok(None)
}

/// A seal holds fast what it covers, so it must not reach beyond its round: not to a person's roles, nor to an issue.
fn covers_checks_only(ledger: &mut dyn Ledger, payload: &SealPayload) -> Result<bool, StoreError> {
    for sealed in &payload.checks {
        let elsewhere = match ledger.check(sealed.id.0)? {
            Some(check) => check.round != payload.round,
            // A check that this hub has lost, or cannot read yet, may still be one; one that was deleted comes back.
            None => shown(ledger, sealed.id.0, "round")?.is_some_and(|of| of != json!(payload.round)),
        };
        if elsewhere || !may_be(ledger, sealed.id.0, payload.site, entity::CHECK)? {
            return Ok(false);
        }
    }
    let settled = payload.checks.iter().flat_map(|check| check.settled.keys().copied());
    for id in payload.findings.iter().map(|finding| finding.id).chain(settled) {
        let is_covered = |of: CheckId| payload.checks.iter().any(|check| check.id == of);
        let of = match ledger.finding(id)? {
            Some(finding) => Some(finding.check),
            None => shown(ledger, id.0, "check")?.and_then(|of| CheckId::deserialize(of).ok()),
        };
        if of.is_some_and(|of| !is_covered(of)) {
            return Ok(false);
        }
        if !may_be(ledger, id.0, payload.site, entity::FINDING)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether a record is of that site and that entity, as far as this hub knows.
fn may_be(ledger: &mut dyn Ledger, id: Uuid, site: SiteId, entity: &str) -> Result<bool, StoreError> {
    let known = ledger.known_as(id)?;
    Ok(known.is_none_or(|(of, is)| of == site && is == entity))
}

/// What a field of a record says that may have no row.
fn shown(ledger: &mut dyn Ledger, id: Uuid, field: &str) -> Result<Option<Value>, StoreError> {
    Ok(ledger.register(id, field)?.shown().map(|side| side.value.clone()))
}

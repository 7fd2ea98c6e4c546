//! Whether anybody would see what a tablet says of a finding.

use super::{Judgement, Refusal, Seen};
use crate::store::{Ledger, StoreError, answer_now};
use serde::Deserialize;
use serde_json::Value;
use standpipe_domain::answer::{Answer, Outcome};
use standpipe_domain::ids::CheckId;
use standpipe_domain::merge_rule::ANSWER;
use standpipe_domain::record::{entity, finding_id, set};
use standpipe_oplog::chain::Written;
use standpipe_oplog::merge::Side;
use standpipe_oplog::op::{Amend, Kind, Op};
use uuid::Uuid;

/// What a finding says.
const SAYS: [&str; 2] = ["severity", "words"];

/// A finding is shown while its item fails. Where somebody signed meanwhile that it does not, what a colleague says of it is
/// set aside with the fail itself, and shown there, until an amendment says that the item fails after all. A photo is taken
/// all the same, and shown with its check, unless the finding to which it belongs was set aside with its words: then
/// nobody here could say where it belongs.
///
/// `tx` is the operation's transaction.
pub(super) fn in_sight(ledger: &mut dyn Ledger, seen: &mut Seen, op: &Op, tx: &[&Written]) -> Judgement {
    let adds_photo = op.kind == Kind::Add && op.field.as_deref() == Some(set::PHOTOS);
    if op.entity != entity::FINDING || !(adds_photo || says(op)) {
        return Ok(Ok(()));
    }
    let about = match about(ledger, op.id, tx)? {
        Some(_) if adds_photo => return Ok(Ok(())),
        None if adds_photo => sealed_item(ledger, seen, op)?,
        about => about,
    };
    // Of which item this hub does not know (yet) is not judged.
    let Some((check, item)) = about else { return Ok(Ok(())) };
    if !ledger.is_sealed(check.0)? || is_signed(ledger, op.id)? || fails(ledger, check, &item, tx)? {
        return Ok(Ok(()));
    }
    let detail =
        "its item was signed before this arrived, and does not fail; an amendment that says so lets it in";
    Ok(Err(Refusal::new("sealed", detail)))
}

/// The item of a sealed check to which a photo belongs whose finding this hub does not hold: a finding's id follows from
/// its item.
fn sealed_item(
    ledger: &mut dyn Ledger,
    seen: &mut Seen,
    photo: &Op,
) -> Result<Option<(CheckId, String)>, StoreError> {
    let Some(item) = photo.value.get("item").and_then(Value::as_str) else { return Ok(None) };
    let sealed = seen.sealed(ledger)?.iter().copied().map(CheckId);
    let of = sealed.into_iter().find(|check| finding_id(*check, item).0 == photo.id);
    Ok(of.map(|check| (check, item.to_owned())))
}

fn says(op: &Op) -> bool {
    match (op.kind, &op.field) {
        (Kind::Set | Kind::Resolve, Some(field)) => SAYS.contains(&field.as_str()),
        // The bare place for a photo says nothing.
        (Kind::Set, None) => SAYS.iter().any(|field| match op.value.get(field) {
            None | Some(Value::Null) => false,
            Some(Value::String(text)) => !text.is_empty(),
            Some(_) => true,
        }),
        _ => false,
    }
}

/// The item that a finding is about. It may be begun in the same transaction.
fn about(
    ledger: &mut dyn Ledger,
    finding: Uuid,
    tx: &[&Written],
) -> Result<Option<(CheckId, String)>, StoreError> {
    let read = |fields: &Value| {
        let item = fields.get("item")?.as_str()?.to_owned();
        Some((CheckId::deserialize(fields.get("check")?).ok()?, item))
    };
    let mut begun = tx.iter().filter(|it| it.op.id == finding && it.op.field.is_none());
    if let Some(begun) = begun.find_map(|it| read(&it.op.value)) {
        return Ok(Some(begun));
    }
    Ok(read(&Value::Object(ledger.shown(finding)?)))
}

/// Whether a signature holds what the finding says.
fn is_signed(ledger: &mut dyn Ledger, finding: Uuid) -> Result<bool, StoreError> {
    for field in SAYS {
        if ledger.pin(finding, field)?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether an item fails by now, or by what stands beside it in the same transaction: an amendment brings its finding along.
fn fails(ledger: &mut dyn Ledger, check: CheckId, item: &str, tx: &[&Written]) -> Result<bool, StoreError> {
    let field = format!("{ANSWER}{item}");
    let is_fail = |answer: Answer| answer.outcome == Outcome::Fail;
    let along = tx.iter().map(|written| &written.op).filter(|op| op.id == check.0);
    let along = along.filter_map(|op| match op.kind {
        Kind::Amend if op.field.as_deref() == Some(&*field) => {
            Some(Amend::deserialize(&op.value).ok()?.value)
        }
        _ => Some(Side::written(op, &field)?.value),
    });
    if along.filter_map(|value| Answer::deserialize(value).ok()).any(is_fail) {
        return Ok(true);
    }
    Ok(answer_now(ledger, check, item)?.is_some_and(is_fail))
}

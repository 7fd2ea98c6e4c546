//! Whether what a tablet recorded may be applied. Whatever the tablet believed is asked again here.
//!
//! What may not is set aside with a code, never refused: the tablet has recorded it, and it is kept.

mod allowed;
mod findings;
mod seen;
mod steps;
mod values;

pub use seen::Seen;

use crate::store::{Device, Ledger, StoreError};
use serde::Serialize;
use standpipe_domain::permission::may;
use standpipe_domain::record::entity;
use standpipe_oplog::chain::Written;
use standpipe_oplog::op::Op;
use std::collections::BTreeMap;
use std::fmt::Display;
use uuid::Uuid;

/// Why an operation is set aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// A stable code; the screens have a sentence for each.
    pub code: String,
    pub detail: String,
}

impl Refusal {
    pub fn new(code: &str, detail: impl Into<String>) -> Self {
        Self { code: code.to_owned(), detail: detail.into() }
    }

    /// The domain's own refusal, under its own code.
    fn by_rule<E: Serialize + Display>(rule: &E) -> Self {
        let code = serde_json::to_value(rule).ok().and_then(|value| Some(value["code"].as_str()?.to_owned()));
        Self { code: code.unwrap_or_else(|| "malformed".into()), detail: rule.to_string() }
    }
}

/// A refusal, or none; and the database's own trouble beside it.
type Judgement = Result<Result<(), Refusal>, StoreError>;

/// Goes on when there is nothing to refuse.
macro_rules! pass {
    ($judgement:expr) => {
        if let Err(refusal) = $judgement {
            return Ok(Err(refusal));
        }
    };
}
use pass;

/// Judges the operations of one transaction by the tablet's holder. Gives the place in the tablet's chain of the first
/// that may not be applied.
pub fn judge(
    ledger: &mut dyn Ledger,
    seen: &mut Seen,
    device: &Device,
    ops: &[&Written],
) -> Result<Option<(u64, Refusal)>, StoreError> {
    let roles = seen.roles(ledger, device.person)?;
    let mut steps: BTreeMap<Uuid, Vec<&Op>> = BTreeMap::new();
    let mut entities: BTreeMap<Uuid, String> = BTreeMap::new();
    for written in ops {
        let op = &written.op;
        if let Err(refusal) = same_record(ledger, seen, op, &mut entities)? {
            return Ok(Some((op.dev_seq, refusal)));
        }
        if op.entity == entity::ISSUE {
            steps.entry(op.id).or_default().push(op);
            continue;
        }
        // Tablets know by it which device is the office's.
        if op.entity == entity::SITE {
            let detail = "the site's record is written by the hub alone";
            return Ok(Some((op.dev_seq, Refusal::new("not-allowed", detail))));
        }
        let act = allowed::act(op);
        if !may(&roles, act) {
            let detail = format!("the tablet's holder may not {act:?} (here: a change of a {})", op.entity);
            return Ok(Some((op.dev_seq, Refusal::new("not-allowed", detail))));
        }
        if let Err(refusal) = values::judge(ledger, seen, op, ops)? {
            return Ok(Some((op.dev_seq, refusal)));
        }
    }
    for ops in steps.values() {
        if let Err(refusal) = steps::judge(ledger, device.person, &roles, ops)? {
            return Ok(ops.first().map(|op| (op.dev_seq, refusal)));
        }
    }
    Ok(None)
}

/// A record is of one entity and one site, for ever. Otherwise whoever may record a finding could write, under the
/// finding's rules, into the record of a person.
fn same_record(
    ledger: &mut dyn Ledger,
    seen: &mut Seen,
    op: &Op,
    entities: &mut BTreeMap<Uuid, String>,
) -> Judgement {
    if let Some((scope, entity)) = seen.known_as(ledger, op.id)? {
        if scope != op.scope {
            return Ok(Err(Refusal::new("other-scope", "the record belongs to another site")));
        }
        entities.insert(op.id, entity);
    }
    let entity = entities.entry(op.id).or_insert_with(|| op.entity.clone());
    if *entity != op.entity {
        let detail = format!("the record is a {entity}, not a {}", op.entity);
        return Ok(Err(Refusal::new("other-entity", detail)));
    }
    Ok(Ok(()))
}

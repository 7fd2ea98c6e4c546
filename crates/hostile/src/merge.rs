//! Operations in whichever order they arrive: the state of a record follows from which there are.
//!
//! Also operations that replace each other in a ring, or what never comes: a forger can make them. Left out on purpose: two
//! seals over the same field, of which the first to arrive holds.

mod memory;

use arbitrary::{Result, Unstructured};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use memory::applied;
use serde_json::{Value, json};
use standpipe_domain::ids::{DeviceId, Millis, PersonId, SiteId};
use standpipe_domain::merge_rule::rule;
use standpipe_oplog::clock::Hlc;
use standpipe_oplog::merge::{Register, amended_answer, amendments, is_gone};
use standpipe_oplog::op::{Kind, Op};
use uuid::Uuid;

const OFFICE: DeviceId = DeviceId(Uuid::from_u128(100));
const MOST: usize = 12;
const RECORDS: [(&str, Uuid); 3] =
    [("check", Uuid::from_u128(1)), ("finding", Uuid::from_u128(2)), ("issue", Uuid::from_u128(3))];
const FIELDS: [&str; 6] = ["answer:valve", "severity", "words", "status", "photos", "later"];

/// Makes operations of `data`, applies them in several orders, and compares what each gives.
///
/// # Panics
/// Where two orders give something else.
pub fn merge(data: &[u8]) {
    let mut from = Unstructured::new(data);
    let Ok((ops, order)) = story(&mut from) else { return };
    let forward: Vec<&Op> = ops.iter().collect();
    let backward: Vec<&Op> = ops.iter().rev().collect();
    let shuffled: Vec<&Op> = order.iter().map(|at| &ops[*at]).collect();
    let replica = applied(&forward);
    for other in [&backward, &shuffled] {
        let other = applied(other);
        assert_eq!(replica.state(), other.state(), "another order of\n{}", told(&forward));
    }
    // Twice is once.
    let twice: Vec<&Op> = forward.iter().chain(&shuffled).copied().collect();
    let twice = applied(&twice);
    assert_eq!(replica.state(), twice.state(), "again\n{}", told(&forward));
    for ((id, field), register) in &replica.registers {
        let of: Vec<&Op> = shuffled.iter().copied().filter(|op| op.id == *id).collect();
        let entity = RECORDS.iter().find(|(_, known)| known == id).map_or("", |(entity, _)| entity);
        let pin = replica.pins.get(&(*id, field.clone())).copied();
        let folded = Register::fold(of.iter().copied(), field, rule(entity, field), pin, Some(OFFICE));
        assert_eq!(*register, folded, "{field} out of\n{}", told(&forward));
        let _ = (register.shown(), register.in_conflict());
    }
    for (_, id) in RECORDS {
        let seen = |order: &[&Op]| {
            let of: Vec<&Op> = order.iter().copied().filter(|op| op.id == id).collect();
            let of = of.iter().copied();
            let register = replica.registers.get(&(id, "answer:valve".to_owned()));
            let shown = register.and_then(Register::shown);
            (is_gone(of.clone(), false), amendments(of.clone()), amended_answer(of, "valve", shown))
        };
        assert_eq!(seen(&forward), seen(&shuffled));
        assert_eq!(seen(&forward), seen(&backward));
    }
}

fn told(ops: &[&Op]) -> String {
    ops.iter().map(|op| serde_json::to_string(op).unwrap_or_default() + "\n").collect()
}

fn op_id(at: usize) -> Uuid {
    Uuid::from_u128(1_000 + at as u128)
}

fn story(from: &mut Unstructured<'_>) -> Result<(Vec<Op>, Vec<usize>)> {
    let many = from.int_in_range(1..=MOST)?;
    let mut ops = Vec::new();
    let mut sealed = false;
    for at in 0..many {
        let op = op(from, at, many, &mut sealed)?;
        ops.push(op);
    }
    let mut order: Vec<usize> = (0..many).collect();
    for at in (1..many).rev() {
        order.swap(at, from.int_in_range(0..=at)?);
    }
    Ok((ops, order))
}

fn op(from: &mut Unstructured<'_>, at: usize, many: usize, sealed: &mut bool) -> Result<Op> {
    let (entity, id) = *from.choose(&RECORDS)?;
    let mut kind = *from.choose(&[
        Kind::Set,
        Kind::Set,
        Kind::Set,
        Kind::Resolve,
        Kind::Add,
        Kind::Remove,
        Kind::Delete,
        Kind::Seal,
        Kind::Amend,
        Kind::Unknown,
    ])?;
    if kind == Kind::Seal && std::mem::replace(sealed, true) {
        kind = Kind::Unknown;
    }
    let field = if from.ratio(1, 5)? { None } else { Some((*from.choose(&FIELDS)?).to_owned()) };
    let value = match kind {
        Kind::Set | Kind::Add | Kind::Unknown if field.is_none() => {
            let mut fields = serde_json::Map::new();
            for _ in 0..from.int_in_range(0..=3)? {
                fields.insert((*from.choose(&FIELDS)?).to_owned(), value(from)?);
            }
            Value::Object(fields)
        }
        Kind::Resolve => json!({ "value": value(from)?, "saw": some(from, many)? }),
        Kind::Remove | Kind::Delete => json!({ "saw": some(from, many)? }),
        Kind::Amend => json!({ "value": value(from)?, "reason": "seen again" }),
        Kind::Seal => seal(from, many)?,
        _ => value(from)?,
    };
    // Sometimes what no version writes.
    let value = if from.ratio(1, 12)? { junk(from)? } else { value };
    let base_rev = if from.ratio(2, 3)? { Some(op_id(from.int_in_range(0..=many)?)) } else { None };
    Ok(Op {
        op_id: op_id(at),
        device: DeviceId(Uuid::from_u128(from.int_in_range(100..=102)?)),
        incarnation: 1,
        dev_seq: from.int_in_range(1..=3)?,
        tx: op_id(at),
        scope: SiteId(Uuid::from_u128(7)),
        entity: entity.to_owned(),
        id,
        kind,
        field,
        value,
        base_rev,
        hlc: Hlc(from.int_in_range(0..=3)?),
        device_time: Millis(from.int_in_range(-1..=1)?),
        clock_offset: None,
        actor: PersonId(Uuid::from_u128(from.int_in_range(200..=201)?)),
        schema: 1,
    })
}

fn value(from: &mut Unstructured<'_>) -> Result<Value> {
    let at: u8 = from.int_in_range(0..=1)?;
    Ok(match from.int_in_range(0..=8)? {
        0 => json!({ "outcome": "pass", "at": at }),
        1 => json!({ "outcome": "fail", "at": at }),
        2 => json!({ "outcome": "not-applicable", "at": at }),
        3 => json!("critical"),
        4 => json!("serious"),
        5 => json!("minor"),
        6 => json!("阀门生锈"),
        7 => Value::Null,
        _ => json!(at),
    })
}

fn junk(from: &mut Unstructured<'_>) -> Result<Value> {
    Ok(from
        .choose(&[
            json!([]),
            json!({ "saw": 7 }),
            json!({ "payload": "e30", "signatures": [] }),
            json!(1e300),
        ])?
        .clone())
}

/// Some of the first `upto` operations.
fn some(from: &mut Unstructured<'_>, upto: usize) -> Result<Vec<Uuid>> {
    let mut some = Vec::new();
    for at in 0..upto {
        if from.ratio(1, 3)? {
            some.push(op_id(at));
        }
    }
    Ok(some)
}

/// A seal over the check and the finding; whether its signature is good is not asked where operations are applied.
fn seal(from: &mut Unstructured<'_>, many: usize) -> Result<Value> {
    let mut revs = || -> Result<Value> {
        let mut revs = serde_json::Map::new();
        for field in ["answer:valve", "severity", "words"] {
            if from.ratio(1, 2)? {
                revs.insert(field.to_owned(), json!(op_id(from.int_in_range(0..=many)?)));
            }
        }
        Ok(json!({ "revs": revs, "photos": some(from, many)? }))
    };
    let (check, finding) = (revs()?, revs()?);
    let [(_, check_id), (_, finding_id), _] = RECORDS;
    let nil = Uuid::nil();
    let payload = json!({
        "sign_off": nil, "site": nil, "round": nil, "unit": nil, "name": "", "strokes": [], "at": 0, "device": nil,
        "inspector": nil, "evidence": [],
        "checks": [{ "id": check_id, "asset": nil, "checklist": { "id": "pump", "version": 1 }, "answers": {},
            "revs": check["revs"], "photos": check["photos"] }],
        "findings": [{ "id": finding_id, "check": check_id, "item": "valve", "severity": "serious", "words": "",
            "revs": finding["revs"], "photos": finding["photos"] }],
    });
    Ok(json!({ "payload": BASE64URL.encode(payload.to_string()), "signatures": [] }))
}

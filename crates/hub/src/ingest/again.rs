//! Judges again what was set aside: whoever may do more by now, or what is there by now, may change the judgement.

use super::Intake;
use super::alone::not_judged;
use super::arrived::Arrived;
use crate::judge::Refusal;
use crate::store::{Aside, Device, Ledger, Quarantine, Store, StoreError};
use crate::world::World;
use standpipe_domain::ids::DeviceId;
use standpipe_oplog::PROTOCOL;
use standpipe_oplog::chain::{START, Written};
use standpipe_oplog::wire::{PushHead, Refused};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use uuid::Uuid;

/// What came of judging again what was set aside of a tablet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JudgedAgain {
    /// How many operations were taken over.
    pub taken: usize,
    /// What stays aside of what was asked for, and why.
    pub left: Vec<Refused>,
}

/// Judges again what was set aside of a tablet, each transaction as a whole and for itself, as if it arrived now. `only`
/// names operations; their transactions alone are judged then.
pub async fn judge_again(
    store: &dyn Store,
    world: Arc<dyn World>,
    device: DeviceId,
    only: Option<Vec<Uuid>>,
) -> Result<JudgedAgain, StoreError> {
    let only: Option<HashSet<Uuid>> = only.map(|only| only.into_iter().collect());
    let asked = move |place: &Aside| {
        only.as_ref().is_none_or(|only| place.op_id.is_some_and(|op_id| only.contains(&op_id)))
    };
    let places = store.transact(move |ledger| ledger.aside(device)).await?;
    let mut judged = HashSet::new();
    for places in transactions(places, &asked) {
        judged.extend(places.iter().map(|place| (place.incarnation, place.dev_seq)));
        let world = Arc::clone(&world);
        // One at a time: whoever pushes meanwhile does not wait for all of them.
        store.transact(move |ledger| judge(ledger, &*world, device, &places)).await?;
    }
    let left = store.transact(move |ledger| ledger.aside(device)).await?;
    for place in &left {
        judged.remove(&(place.incarnation, place.dev_seq));
    }
    let refused =
        |Aside { op_id, code, detail, .. }| Refused { op_id: op_id.unwrap_or_default(), code, detail };
    let left = left.into_iter().filter(|place| asked(place)).map(refused).collect();
    Ok(JudgedAgain { taken: judged.len(), left })
}

/// Those of `ops` that are neither in the log nor `aside`: they were set aside here once, and a hub that was restored does
/// not know of it.
pub async fn lost(store: &dyn Store, ops: Vec<Uuid>, aside: &[Refused]) -> Result<Vec<Uuid>, StoreError> {
    let aside: HashSet<Uuid> = aside.iter().map(|refused| refused.op_id).collect();
    let here = move |ledger: &mut dyn Ledger| {
        let mut lost = Vec::new();
        for op_id in ops.into_iter().filter(|op_id| !aside.contains(op_id)) {
            if ledger.op(op_id)?.is_none() {
                lost.push(op_id);
            }
        }
        Ok(lost)
    };
    store.transact(here).await
}

/// The places by transaction, in the order of the first of each. What a tablet that was cloned sent in two chains belongs
/// together; a line that names no transaction is one by itself.
fn transactions(places: Vec<Aside>, asked: &impl Fn(&Aside) -> bool) -> Vec<Vec<Aside>> {
    let (mut all, mut known): (Vec<Vec<Aside>>, HashMap<Uuid, usize>) = (Vec::new(), HashMap::new());
    for place in places {
        if let Some(at) = place.tx.and_then(|tx| known.get(&tx)) {
            all[*at].push(place);
        } else {
            known.extend(place.tx.map(|tx| (tx, all.len())));
            all.push(vec![place]);
        }
    }
    all.retain(|places| places.iter().any(asked));
    all
}

fn judge(
    ledger: &mut dyn Ledger,
    world: &dyn World,
    device: DeviceId,
    places: &[Aside],
) -> Result<(), StoreError> {
    let Some(mut device) = ledger.device(device)? else { return Ok(()) };
    let mut rows = Vec::new();
    for place in places {
        rows.extend(ledger.quarantined_at(device.id, place)?);
    }
    // What had arrived before the tablet was revoked is not held against it.
    device.revoked &= rows.iter().any(|row| row.code == "revoked");
    let judged = ledger.attempt(&mut |ledger| judge_rows(ledger, world, &device, &rows))?;
    let Err(error) = judged else { return Ok(()) };
    let ops: Vec<Option<Uuid>> = rows.iter().map(|row| row.op_id).collect();
    tracing::error!(device = %device.id, ?ops, %error, "the hub has a fault: it failed at what was judged again");
    // That the tablet was withdrawn stays the reason: under another it would be taken over the next time.
    for row in rows.into_iter().filter(|row| row.code != "revoked") {
        ledger.put_back(&row)?;
        let Refusal { code, detail } = not_judged();
        ledger.set_aside(&Quarantine { code, detail, ..row })?;
    }
    Ok(())
}

fn judge_rows(
    ledger: &mut dyn Ledger,
    world: &dyn World,
    device: &Device,
    rows: &[Quarantine],
) -> Result<(), StoreError> {
    for row in rows {
        ledger.put_back(row)?;
    }
    let at = world.now();
    for rows in rows.chunk_by(|a, b| a.incarnation == b.incarnation) {
        let line = |row: &Quarantine| {
            let read = Written::read(&row.body, START).map_err(|error| (row.body.to_string(), error));
            Arrived { dev_seq: row.dev_seq, read }
        };
        let group = (rows[0].tx, rows.iter().map(line).collect());
        Intake::new(ledger, world, device, &head_of(&rows[0]), at).transactions(&[group])?;
    }
    // It is listed by when it came, however often it was judged.
    rows.iter().try_for_each(|row| ledger.keep_arrival(row))
}

fn head_of(row: &Quarantine) -> PushHead {
    let (incarnation, after) = (row.incarnation, row.dev_seq.saturating_sub(1));
    PushHead { protocol: PROTOCOL, incarnation, after, prev_hash: START }
}

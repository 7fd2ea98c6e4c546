//! Takes back what the hub had taken before it was restored from a backup.
//!
//! It was judged then, and is not judged again: in another order, or by people's rights of today, it might fare otherwise.
//! The hub's own mark proves it, so it does not matter whose tablet gives it back: also what a tablet recorded that is
//! gone by now, and what the office itself wrote.

use super::NotTaken;
use super::arrived::Stub;
use super::follow::catch_up;
use crate::receipt::Receipts;
use crate::store::{Device, Ledger, Store, StoreError, enter, project};
use crate::world::World;
use standpipe_domain::ids::Millis;
use standpipe_oplog::chain::{START, Written};
use standpipe_oplog::replica::Touched;
use standpipe_oplog::wire::{ReturnAnswer, Returned, decode_return};
use std::collections::BTreeSet;
use std::sync::Arc;
use uuid::Uuid;

/// What is given back, once it was looked at: when the hub had received it, and the operation; or the id of one that this
/// hub never took.
type Given = Result<(Millis, Written), Option<Uuid>>;

/// Takes what a tablet gives back, compressed as it came. What the hub never took so is named in the answer, and keeps
/// nothing else from being taken.
pub async fn take_back(
    store: &dyn Store,
    world: Arc<dyn World>,
    device: &Device,
    body: &[u8],
) -> Result<ReturnAnswer, NotTaken> {
    let (more, returned) = decode_return(body)?;
    let device = device.clone();
    let receipts = Receipts::of(&store.identity().key);
    let given: Vec<Given> = returned.into_iter().map(|one| look(&receipts, &device, one)).collect();
    let answer = store
        .transact(move |ledger| {
            let mut answer = ReturnAnswer::default();
            let mut touched = BTreeSet::new();
            for one in given {
                match one {
                    Ok((at, written)) => take(ledger, at, &written, &mut answer, &mut touched)?,
                    Err(op_id) => answer.refused.extend(op_id),
                }
            }
            if answer.taken > 0 {
                project(ledger, device.site, touched)?;
                ledger.poke(device.site);
                tracing::warn!(device = %device.id, taken = answer.taken, "operations that this hub had lost came back");
            }
            if !more {
                catch_up(ledger, &*world, device.site, world.now())?;
            }
            Ok::<_, StoreError>(answer)
        })
        .await?;
    Ok(answer)
}

fn look(receipts: &Receipts, device: &Device, Returned { at, receipt, body }: Returned) -> Given {
    let Ok(written) = Written::read(&body, START) else {
        return Err(serde_json::from_str(&body).unwrap_or(Stub::default()).op_id);
    };
    if written.op.scope == device.site && receipts.knows(at, &body, &receipt) {
        Ok((at, written))
    } else {
        Err(Some(written.op.op_id))
    }
}

fn take(
    ledger: &mut dyn Ledger,
    at: Millis,
    written: &Written,
    answer: &mut ReturnAnswer,
    touched: &mut BTreeSet<Touched>,
) -> Result<(), StoreError> {
    match ledger.op(written.op.op_id)? {
        None => {
            touched.extend(enter(ledger, written, at)?);
            ledger.keep_clock(written.op.hlc.clamped(at))?;
            // It may have been offered again meanwhile, and been set aside by what holds now.
            ledger.release(&written.op)?;
            answer.taken += 1;
        }
        Some(known) if known.same_work(&written.op) => {}
        Some(_) => {
            tracing::error!(op = %written.op.op_id, "another operation has the id of one that this hub had lost");
            answer.refused.push(written.op.op_id);
        }
    }
    Ok(())
}

//! Takes back what the hub had taken before it was restored from a backup.
//!
//! It was judged then, and is not judged again: in another order, or by people's rights of today, it might fare otherwise.
//! The hub's own mark proves it, so it does not matter whose tablet gives it back: also what a tablet recorded that is
//! gone by now, and what the office itself wrote.

use super::NotTaken;
use crate::receipt::Receipts;
use crate::store::{Device, Store, StoreError, enter, project};
use standpipe_oplog::chain::{NotAnOp, START, Written};
use standpipe_oplog::wire::{Malformed, ReturnAnswer, Returned, decode_return};
use std::collections::BTreeSet;

/// Takes what a tablet gives back, compressed as it came.
pub async fn take_back(store: &dyn Store, device: &Device, body: &[u8]) -> Result<ReturnAnswer, NotTaken> {
    let returned = decode_return(body)?;
    let device = device.clone();
    let receipts = Receipts::of(&store.identity().key);
    let read = |one: Returned| -> Result<_, Malformed> {
        let written = Written::read(&one.body, START)
            .map_err(|NotAnOp::Json(source)| Malformed::Line { line: 2, source })?;
        let is_ours = written.op.scope == device.site && receipts.knows(one.at, &one.body, &one.receipt);
        Ok((one.at, written, is_ours))
    };
    let read: Vec<_> = returned.into_iter().map(read).collect::<Result<_, _>>()?;
    let answer = store
        .transact(move |ledger| {
            let mut answer = ReturnAnswer::default();
            let mut touched = BTreeSet::new();
            for (at, written, is_ours) in read {
                if !is_ours {
                    answer.refused.push(written.op.op_id);
                } else if ledger.op(written.op.op_id)?.is_none() {
                    touched.extend(enter(ledger, &written, at)?);
                    ledger.keep_clock(written.op.hlc.clamped(at))?;
                    answer.taken += 1;
                }
            }
            if answer.taken > 0 {
                project(ledger, device.site, touched)?;
                ledger.poke(device.site);
                tracing::warn!(device = %device.id, taken = answer.taken, "operations that this hub had lost came back");
            }
            Ok::<_, StoreError>(answer)
        })
        .await?;
    Ok(answer)
}

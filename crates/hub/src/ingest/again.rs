//! Judges again what was set aside: whoever may do more by now, or what is there by now, may change the judgement.

use super::arrived::Arrived;
use super::{Intake, follow};
use crate::office::Hand;
use crate::store::{Device, Ledger, Quarantine, Store, StoreError};
use crate::world::World;
use standpipe_domain::ids::DeviceId;
use standpipe_oplog::PROTOCOL;
use standpipe_oplog::chain::{START, Written};
use standpipe_oplog::wire::{PushHead, Refused};
use std::collections::BTreeSet;
use std::sync::Arc;
use uuid::Uuid;

/// Judges again what was set aside of a tablet, each transaction as a whole, as if it arrived now. `only` names operations;
/// their transactions alone are judged then. Gives what stays aside, and why.
pub async fn judge_again(
    store: &dyn Store,
    world: Arc<dyn World>,
    device: DeviceId,
    only: Option<Vec<Uuid>>,
) -> Result<Vec<Refused>, StoreError> {
    store
        .transact(move |ledger| {
            let Some(device) = ledger.device(device)? else { return Ok(Vec::new()) };
            let rows = ledger.quarantine_of(device.id)?;
            let asked = |row: &Quarantine| {
                only.as_ref().is_none_or(|only| row.op_id.is_some_and(|op_id| only.contains(&op_id)))
            };
            let transactions: BTreeSet<(u32, Option<Uuid>)> =
                rows.iter().filter(|row| asked(row)).map(|row| (row.incarnation, row.tx)).collect();
            for (incarnation, tx) in transactions {
                let of_it = |row: &&Quarantine| (row.incarnation, row.tx) == (incarnation, tx);
                let rows: Vec<&Quarantine> = rows.iter().filter(of_it).collect();
                // What names no transaction is one by itself.
                if tx.is_some() {
                    judge(ledger, &*world, &device, &rows)?;
                } else {
                    rows.iter().try_for_each(|row| judge(ledger, &*world, &device, &[row]))?;
                }
            }
            let left = ledger.quarantine_of(device.id)?.into_iter().filter(asked);
            Ok(left
                .map(|row| Refused {
                    op_id: row.op_id.unwrap_or_default(),
                    code: row.code,
                    detail: row.detail,
                })
                .collect())
        })
        .await
}

fn judge(
    ledger: &mut dyn Ledger,
    world: &dyn World,
    device: &Device,
    rows: &[&Quarantine],
) -> Result<(), StoreError> {
    let Some(first) = rows.first() else { return Ok(()) };
    for row in rows {
        ledger.put_back(row)?;
    }
    let line = |row: &&Quarantine| {
        let read = Written::read(&row.body, START).map_err(|error| (row.body.to_string(), error));
        Arrived { dev_seq: row.dev_seq, read }
    };
    let lines: Vec<Arrived> = rows.iter().map(line).collect();
    let head = PushHead {
        protocol: PROTOCOL,
        incarnation: first.incarnation,
        after: first.dev_seq.saturating_sub(1),
        prev_hash: START,
    };
    let at = world.now();
    let mut touched = BTreeSet::new();
    Intake { ledger, world, device, head: &head, at }.transaction(first.tx, &lines, &mut touched)?;
    follow(ledger, world, Hand { scope: device.site, actor: device.person, now: at }, &touched)
}

//! What follows from records: the office's issues from findings, the hub's own signature from seals.

use crate::issues;
use crate::office::{Hand, write};
use crate::store::{Ledger, Store, StoreError};
use crate::world::World;
use serde_json::json;
use standpipe_domain::ids::{CheckId, FindingId, Millis, PersonId, SignOffId, SiteId};
use standpipe_domain::record::entity;
use standpipe_oplog::pen::Draft;
use standpipe_oplog::replica::Touched;
use standpipe_oplog::seal::COUNTERSIGNED;
use std::collections::BTreeSet;
use std::sync::Arc;
use uuid::Uuid;

/// Lets the office's issues follow the findings that changed, and countersigns new seals.
pub(super) fn follow(
    ledger: &mut dyn Ledger,
    world: &dyn World,
    hand: Hand,
    touched: &BTreeSet<Touched>,
) -> Result<(), StoreError> {
    let (mut findings, mut seals) = (BTreeSet::new(), Vec::new());
    for Touched { entity, id } in touched {
        match entity.as_str() {
            entity::FINDING => drop(findings.insert(FindingId(*id))),
            entity::CHECK => findings.extend(ledger.findings_of(CheckId(*id))?),
            entity::SIGN_OFF => seals.push(*id),
            _ => {}
        }
    }
    seals.into_iter().try_for_each(|seal| countersign(ledger, world, hand, SignOffId(seal)))?;
    findings.into_iter().try_for_each(|finding| issues::follow(ledger, world, hand, finding))
}

/// Writes the hub's signature under a seal into the log, so that it comes to the tablets.
fn countersign(
    ledger: &mut dyn Ledger,
    world: &dyn World,
    hand: Hand,
    id: SignOffId,
) -> Result<(), StoreError> {
    let Some(row) = ledger.sign_off(id)? else { return Ok(()) };
    let Some(ours) = row.jws.signatures.get(1) else { return Ok(()) };
    if ledger.register(id.0, COUNTERSIGNED)?.shown().is_some() {
        return Ok(());
    }
    let draft = Draft::set(entity::SIGN_OFF, id.0, COUNTERSIGNED, json!(ours), None);
    write(ledger, world, hand, [draft])
}

/// What follows from records follows also from those of a site that came back after a restore, or that this version is the
/// first to know, in the name of whoever recorded them: of an issue that was opened again for nothing the first opening and
/// what became of it stand; issues that are not there are opened, and say what their findings say; and of two with one
/// number the later gets another.
pub(super) fn catch_up(
    ledger: &mut dyn Ledger,
    world: &dyn World,
    scope: SiteId,
    now: Millis,
) -> Result<(), StoreError> {
    for id in ledger.of_two_states(scope)? {
        let hand = hand_of(ledger, scope, now, id.0)?;
        issues::settle(ledger, world, hand, id)?;
    }
    for id in ledger.not_countersigned(scope)? {
        let hand = hand_of(ledger, scope, now, id.0)?;
        countersign(ledger, world, hand, id)?;
    }
    for id in ledger.not_followed(scope)? {
        let hand = hand_of(ledger, scope, now, id.0)?;
        issues::follow(ledger, world, hand, id)?;
    }
    for id in ledger.of_taken_number(scope)? {
        let hand = hand_of(ledger, scope, now, id.0)?;
        issues::renumber(ledger, world, hand, id)?;
    }
    Ok(())
}

/// The hand of whoever wrote the latest operation on a record.
fn hand_of(ledger: &mut dyn Ledger, scope: SiteId, now: Millis, id: Uuid) -> Result<Hand, StoreError> {
    let ops = ledger.ops_of(id)?;
    let actor = ops.iter().max_by_key(|op| op.hlc).map_or(PersonId(Uuid::nil()), |op| op.actor);
    Ok(Hand { scope, actor, now })
}

/// Makes anew what the console shows, where a version of the program made it that makes others of the same log, and lets
/// follow what follows from it: all in one transaction. Whether it did. Whoever serves does so before it answers anybody,
/// and nobody else: an older version that still serves would go on making its own.
///
/// # Errors
/// Those of the store. Nothing was changed then.
pub async fn rebuild_if_outdated(store: &dyn Store, world: Arc<dyn World>) -> Result<bool, StoreError> {
    let begun = world.elapsed();
    let clock = Arc::clone(&world);
    let rebuilt = store
        .transact(move |ledger| {
            if !ledger.is_outdated()? {
                return Ok(None);
            }
            tracing::info!(
                "another version of the hub made what the console shows: it is made anew out of the log before anybody is \
                 answered, which may take minutes"
            );
            let operations = ledger.rebuild()?;
            for site in ledger.scopes()? {
                catch_up(ledger, &*world, site, world.now())?;
            }
            Ok::<_, StoreError>(Some(operations))
        })
        .await?;
    if let Some(operations) = rebuilt {
        let seconds = clock.elapsed().saturating_sub(begun).as_secs_f64();
        tracing::info!(
            operations,
            seconds,
            "what the console shows was made anew of {operations} operations in {seconds:.1} s"
        );
    }
    Ok(rebuilt.is_some())
}

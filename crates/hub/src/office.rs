//! The hub's own pen: what the office changes is written as operations of a device, and enters the log like any other.

use crate::store::{Doing, Ledger, StoreError, enter, project};
use crate::world::World;
use serde_json::{Value, json};
use standpipe_domain::ids::{Millis, PersonId, SiteId};
use standpipe_oplog::op::{Kind, Resolve};
use standpipe_oplog::pen::{Draft, Moment};
use standpipe_oplog::wire::{FRAME, MAX_TX};
use uuid::Uuid;

/// Who changes something of which site, and when.
#[derive(Clone, Copy, Debug)]
pub struct Hand {
    pub scope: SiteId,
    pub actor: PersonId,
    pub now: Millis,
}

/// Writes `drafts` as one transaction of operations by the hub's device.
///
/// # Errors
/// [`StoreError::TooLarge`], beside those of the ledger.
pub fn write(
    ledger: &mut dyn Ledger,
    world: &dyn World,
    hand: Hand,
    drafts: impl IntoIterator<Item = Draft>,
) -> Result<(), StoreError> {
    let Hand { scope, actor, now } = hand;
    let moment = Moment { now, actor, tx: world.uuid() };
    let mut pen = ledger.pen(scope)?;
    let (mut touched, mut bytes) = (Vec::new(), 0);
    for draft in drafts {
        let written = pen.write(draft, world.uuid(), moment).reading("writing an operation of the hub")?;
        bytes += written.body.len() + FRAME;
        if bytes > MAX_TX {
            return Err(StoreError::TooLarge { limit: MAX_TX });
        }
        ledger.extend(pen.device, pen.incarnation, pen.last_seq, pen.last_hash)?;
        touched.extend(enter(ledger, &written, now)?);
    }
    ledger.keep_clock(pen.hlc)?;
    project(ledger, scope, touched)?;
    ledger.poke(scope);
    Ok(())
}

/// A change of one field, in sight of what stands there. Where several values stand, it settles them.
pub fn change(
    ledger: &mut dyn Ledger,
    entity: &'static str,
    id: Uuid,
    field: &str,
    value: Value,
) -> Result<Draft, StoreError> {
    let sides = ledger.register(id, field)?.sides;
    let base_rev = sides.first().map(|side| side.rev);
    let draft = Draft::set(entity, id, field, value, base_rev);
    if sides.len() < 2 {
        return Ok(draft);
    }
    let saw = sides.iter().map(|side| side.rev).collect();
    let resolve = Resolve { value: draft.value, saw };
    Ok(Draft { kind: Kind::Resolve, value: json!(resolve), base_rev: None, ..draft })
}

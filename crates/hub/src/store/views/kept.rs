//! What of a round somebody deleted, and was kept.

use super::Scene;
use crate::store::{Records, StoreError};
use standpipe_domain::ids::RoundId;
use standpipe_domain::kept::KeptAgainstDelete;
use standpipe_oplog::merge;
use standpipe_oplog::op::Op;
use std::collections::HashMap;
use uuid::Uuid;

/// The last tombstone of each record of a round that has one.
pub(super) struct Tombstones(HashMap<Uuid, Op>);

impl Tombstones {
    pub(super) fn of(records: &mut dyn Records, round: RoundId) -> Result<Self, StoreError> {
        let all = records.tombstones(round)?;
        Ok(Self(merge::tombstones(&all).into_iter().map(|op| (op.id, op.clone())).collect()))
    }

    /// Who deleted a record that has its row all the same, and why it was kept: one that is gone has no row.
    pub(super) fn kept(
        &self,
        records: &mut dyn Records,
        scene: &Scene,
        id: Uuid,
    ) -> Result<Option<KeptAgainstDelete>, StoreError> {
        let Some(last) = self.0.get(&id) else { return Ok(None) };
        let (by, at) = (scene.person(last.actor), last.device_time);
        Ok(Some(KeptAgainstDelete { by, at, signed: records.is_sealed(id)? }))
    }
}

//! What the hub set aside, and whether there is a cause for it; and whether tablets say the same of it.

use super::{Oracle, Verdict};
use crate::effects::{Effect, happens};
use rusqlite::Connection;
use standpipe_domain::ids::DeviceId;
use standpipe_domain::sync::{SyncLine, SyncState};
use std::collections::BTreeMap;
use uuid::Uuid;

/// An operation that is aside.
pub(super) struct Aside {
    pub(super) code: String,
    device: DeviceId,
    /// It is of a step of an issue, and what is shown of the issue now is another step than its author had seen.
    is_overtaken: bool,
}

/// What the hub holds aside.
pub(super) fn of_hub(hub: &Connection) -> rusqlite::Result<BTreeMap<Uuid, Aside>> {
    hub.prepare_cached(
        "SELECT op_id, code, device, code = 'not-from-here' AND EXISTS (
             SELECT 1 FROM quarantine AS step JOIN register ON register.id = unhex(step.body ->> 'id', '-')
             WHERE step.device = q.device AND step.tx = q.tx AND step.code = q.code
               AND step.entity = 'issue' AND step.field = 'status' AND register.field = 'status'
               AND sides ->> '$[0].rev' IS NOT step.body ->> 'base_rev'
               AND sides ->> '$[0].rev' NOT IN (SELECT value FROM json_each(step.body, '$.value.saw')))
         FROM quarantine AS q WHERE op_id IS NOT NULL",
    )?
    .query_map([], |row| {
        let aside = Aside { code: row.get(1)?, device: DeviceId(row.get(2)?), is_overtaken: row.get(3)? };
        Ok((row.get(0)?, aside))
    })?
    .collect()
}

impl Aside {
    /// Counts that the hub sets something aside for this.
    pub(super) fn is_counted(&self) {
        match self.code.as_str() {
            "sealed" | "signed-otherwise" => happens(Effect::SetAsideAsSealed),
            "not-allowed" => happens(Effect::SetAsideAsNotAllowed),
            "not-from-here" => happens(Effect::SetAsideAsNotFromHere),
            "revoked" => happens(Effect::SetAsideAsRevoked),
            _ => {}
        }
    }
}

impl Oracle {
    /// Whether what people do in a story may lead to this: two met. All else would be a fault of a tablet or the hub.
    pub(super) fn knows_why(&self, aside: &Aside) -> bool {
        match aside.code.as_str() {
            "sealed" | "signed-otherwise" => true,
            // What a hub lost that was restored may have been what the author saw.
            "not-from-here" => aside.is_overtaken || self.was_restored,
            "not-allowed" => self.rights_changed,
            "revoked" => self.revoked.contains(&aside.device),
            _ => false,
        }
    }

    /// In the end nothing is aside of which the cause has passed.
    pub(super) fn knows_why_still(aside: &BTreeMap<Uuid, Aside>) -> Verdict {
        let passed = |aside: &Aside| match aside.code.as_str() {
            "not-allowed" => true,
            "not-from-here" => !aside.is_overtaken,
            _ => false,
        };
        match aside.iter().find(|(_, aside)| passed(aside)) {
            Some((op, Aside { code, .. })) => {
                Err(format!("the operation {op} is set aside as {code}, for which there is no cause by now"))
            }
            None => Ok(()),
        }
    }

    /// What a tablet says that the hub set aside, it did, and for that; and the line counts it. No photo is aside where
    /// none waits.
    pub(super) fn is_told(
        &self,
        number: usize,
        tablet: &Connection,
        line: &SyncLine,
        aside: &BTreeMap<Uuid, Aside>,
    ) -> rusqlite::Result<Verdict> {
        let told: BTreeMap<Uuid, String> = tablet
            .prepare("SELECT op_id, code FROM set_aside")?
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<_, _>>()?;
        // What was judged again meanwhile a tablet asks for when it starts next.
        let is_so = |op, code: &String| {
            aside.get(op).is_some_and(|aside| aside.code == *code || self.was_judged_again)
        };
        if let Some((op, code)) = told.iter().find(|(op, code)| !is_so(op, code)) {
            let found = aside.get(op).map(|aside| &aside.code);
            return Ok(Err(format!(
                "tablet {number} says that the hub set the operation {op} aside as {code}; it is aside as {found:?}"
            )));
        }
        let state = if told.is_empty() { SyncState::Safe } else { SyncState::NeedsAttention };
        if line.state != state || line.set_aside as usize != told.len() {
            return Ok(Err(format!(
                "{} operations of tablet {number} are aside; it says {line:?}",
                told.len()
            )));
        }
        Ok(Ok(()))
    }
}

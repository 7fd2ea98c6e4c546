//! What the judge has read of the records.

use crate::store::{Ledger, StoreError};
use standpipe_domain::checklist::{self, Checklist};
use standpipe_domain::ids::{IssueId, PersonId, SiteId};
use standpipe_domain::people::Role;
use standpipe_domain::record::entity;
use std::collections::HashMap;
use uuid::Uuid;

/// What the judge has read of the records, so that it is read once for all operations of a push. It is void as soon as
/// the row of any record is made anew.
#[derive(Default)]
pub struct Seen {
    roles: Option<Vec<Role>>,
    records: HashMap<Uuid, (SiteId, String)>,
    checklists: HashMap<Uuid, Option<&'static Checklist>>,
    sealed: Option<Vec<Uuid>>,
}

impl Seen {
    pub(super) fn roles(
        &mut self,
        ledger: &mut dyn Ledger,
        person: PersonId,
    ) -> Result<Vec<Role>, StoreError> {
        if self.roles.is_none() {
            self.roles = Some(ledger.person(person)?.map(|person| person.roles).unwrap_or_default());
        }
        Ok(self.roles.clone().unwrap_or_default())
    }

    /// The site and the entity of a record; `None` when no operation mentions it.
    pub(super) fn known_as(
        &mut self,
        ledger: &mut dyn Ledger,
        id: Uuid,
    ) -> Result<Option<(SiteId, String)>, StoreError> {
        if let Some(known) = self.records.get(&id) {
            return Ok(Some(known.clone()));
        }
        let Some((scope, entity)) = ledger.known_as(id)? else { return Ok(None) };
        // Whoever wrote where an issue was going to be does not make it something else.
        let entity = if ledger.is_tracked(IssueId(id))? { entity::ISSUE.into() } else { entity };
        self.records.insert(id, (scope, entity.clone()));
        Ok(Some((scope, entity)))
    }

    /// Every record that a signature covers.
    pub(super) fn sealed(&mut self, ledger: &mut dyn Ledger) -> Result<&[Uuid], StoreError> {
        if self.sealed.is_none() {
            self.sealed = Some(ledger.sealed()?);
        }
        Ok(self.sealed.as_deref().unwrap_or_default())
    }

    /// The checklist of a check; `None` where the hub does not hold the check, or not this version of the checklist.
    pub(super) fn checklist(
        &mut self,
        ledger: &mut dyn Ledger,
        check: Uuid,
    ) -> Result<Option<&'static Checklist>, StoreError> {
        if let Some(known) = self.checklists.get(&check) {
            return Ok(*known);
        }
        let list = ledger.check(check)?.and_then(|check| checklist::find(&check.checklist));
        self.checklists.insert(check, list);
        Ok(list)
    }
}

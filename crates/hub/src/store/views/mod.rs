//! What the console shows, put together once over [`Records`], each view within one snapshot.

mod aside;
mod evidence;
mod issues;
mod kept;
mod mention;
mod rounds;
mod scene;

pub use mention::{Mention, NotHere};

use super::{Records, Store, StoreError};
use jiff::civil::Date;
use scene::Scene;
use standpipe_domain::evidence::Evidence;
use standpipe_domain::ids::{IssueId, PersonId, RoundId, Sha256, SignOffId};
use standpipe_domain::issue::{IssueLine, IssueView};
use standpipe_domain::office::{Directory, IssueFilter, OfficeRound, QuarantineList, Who};
use standpipe_domain::permission::{Act, may};
use standpipe_domain::record::Site;
use standpipe_domain::tablet::RoundLine;
use standpipe_domain::words::Words;
use standpipe_oplog::seal::Jws;

impl dyn Store + '_ {
    /// The estate that this hub serves; `None` before it was founded.
    pub async fn site(&self) -> Result<Option<Site>, StoreError> {
        self.view(|records| records.site()).await
    }

    /// Who a person is; `None` when the hub does not know them.
    pub async fn who(&self, person: PersonId) -> Result<Option<Who>, StoreError> {
        self.view(move |records| who(records, person)).await
    }

    /// Rounds as they stand on the day `today`, the latest due first.
    pub async fn rounds(&self, today: Date) -> Result<Vec<RoundLine>, StoreError> {
        self.view(move |records| {
            let rows = records.rounds(None)?;
            rows.iter().map(|row| rounds::line(records, row, today)).collect()
        })
        .await
    }

    /// A round with everything that was recorded on it.
    pub async fn round(&self, id: RoundId, today: Date) -> Result<Option<OfficeRound>, StoreError> {
        self.view(move |records| rounds::round(records, id, today)).await
    }

    /// Issues that fit the filter, the most recently changed first.
    pub async fn issues(&self, filter: &IssueFilter, today: Date) -> Result<Vec<IssueLine>, StoreError> {
        let filter = filter.clone();
        self.view(move |records| issues::issues(records, &filter, today)).await
    }

    /// An issue, with the steps that `asking` may take.
    pub async fn issue(
        &self,
        id: IssueId,
        asking: PersonId,
        today: Date,
    ) -> Result<Option<IssueView>, StoreError> {
        self.view(move |records| issues::issue(records, id, asking, today)).await
    }

    /// An issue as lists show it.
    pub async fn issue_line(&self, id: IssueId, today: Date) -> Result<Option<IssueLine>, StoreError> {
        self.view(move |records| issues::one(records, id, today)).await
    }

    /// Whom an issue can be given to: units by level and name, people by name.
    pub async fn directory(&self) -> Result<Directory, StoreError> {
        self.view(|records| {
            let (mut units, mut people) = (records.units()?, records.people()?);
            units.sort_by(|a, b| (a.level as u8, &a.name.zh).cmp(&(b.level as u8, &b.name.zh)));
            people.sort_by(|a, b| (&a.name, a.id).cmp(&(&b.name, b.id)));
            Ok(Directory { units, people })
        })
        .await
    }

    /// A seal with the hub's signature, for export.
    pub async fn seal(&self, sign_off: SignOffId) -> Result<Option<Jws>, StoreError> {
        self.view(move |records| Ok(records.sign_off(sign_off)?.map(|row| row.jws))).await
    }

    /// How much was set aside, and the newest of it that nobody has seen to, at most 1,000: who recorded what.
    pub async fn set_aside(&self) -> Result<QuarantineList, StoreError> {
        self.view(|records| aside::quarantine(records, false)).await
    }

    /// As [`set_aside`](#method.set_aside), with the newest of what somebody has seen to.
    pub async fn seen_to(&self) -> Result<QuarantineList, StoreError> {
        self.view(|records| aside::quarantine(records, true)).await
    }

    /// What any record says about these bytes: their media type and name. `None` when no record mentions them yet.
    pub async fn evidence(&self, sha256: Sha256) -> Result<Option<Evidence>, StoreError> {
        self.view(move |records| records.evidence(sha256)).await
    }

    /// Photos that records name and that are not here: how many, and the first `limit` of them.
    pub async fn not_here(&self, limit: u32) -> Result<NotHere, StoreError> {
        self.view(move |records| mention::not_here(records, limit)).await
    }

    /// The hashes of all those.
    pub async fn hashes_not_here(&self) -> Result<Vec<Sha256>, StoreError> {
        self.view(|records| Ok(records.not_here(u32::MAX)?.1)).await
    }

    /// Where a photo was recorded; `None` where no record names it.
    pub async fn mention(&self, sha256: Sha256) -> Result<Option<Mention>, StoreError> {
        self.view(move |records| {
            let scene = Scene::of(records)?;
            mention::mention(records, &scene, sha256)
        })
        .await
    }
}

fn who(records: &mut dyn Records, id: PersonId) -> Result<Option<Who>, StoreError> {
    let Some(person) = records.person(id)? else { return Ok(None) };
    let unit = records.unit(person.unit)?.map_or_else(|| Words::same(""), |unit| unit.name);
    let site = records.site()?.map_or_else(|| Words::same(""), |site| site.name);
    let acts = Act::ALL.into_iter().filter(|act| may(&person.roles, *act)).collect();
    Ok(Some(Who { person: id, name: person.name, unit, roles: person.roles, acts, site }))
}

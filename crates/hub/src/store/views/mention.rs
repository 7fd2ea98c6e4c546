//! Where a photo was recorded, in the words of who looks for it.

use super::Scene;
use crate::store::{IssueQuery, Records, StoreError};
use standpipe_domain::asset::Asset;
use standpipe_domain::evidence::Evidence;
use standpipe_domain::ids::{CheckId, FindingId, IssueId, Sha256};
use standpipe_domain::words::Words;
use uuid::Uuid;

/// Photos that records name and that are not here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NotHere {
    /// How many there are.
    pub total: u64,
    /// The first of them, in the order in which they were recorded.
    pub first: Vec<Mention>,
}

/// What the first record that names a photo says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mention {
    pub evidence: Evidence,
    /// From the phase down to the place, then the asset; empty where the record is about none that the hub holds.
    pub at: Vec<Words>,
    /// What is written on the asset.
    pub tag: Option<String>,
    /// The number of the issue, where it was added to one.
    pub issue: Option<String>,
    /// Who recorded it.
    pub by: String,
}

pub(super) fn not_here(records: &mut dyn Records, limit: u32) -> Result<NotHere, StoreError> {
    let (total, hashes) = records.not_here(limit)?;
    let scene = Scene::of(records)?;
    let mut first = Vec::new();
    for sha256 in hashes {
        first.extend(mention(records, &scene, sha256)?);
    }
    Ok(NotHere { total, first })
}

pub(super) fn mention(
    records: &mut dyn Records,
    scene: &Scene,
    sha256: Sha256,
) -> Result<Option<Mention>, StoreError> {
    let Some((id, side)) = records.mention(sha256)? else { return Ok(None) };
    let Ok(evidence) = serde_json::from_value(side.value) else { return Ok(None) };
    let (asset, issue) = subject(records, scene, id)?;
    let at = asset.iter().flat_map(|asset| {
        let mut at = scene.path(asset.place);
        at.push(asset.name.clone());
        at
    });
    let at = at.collect();
    Ok(Some(Mention { evidence, at, tag: asset.map(|asset| asset.tag), issue, by: scene.person(side.actor) }))
}

/// The asset that a record is about, and the number of the issue that it is.
fn subject(
    records: &mut dyn Records,
    scene: &Scene,
    id: Uuid,
) -> Result<(Option<Asset>, Option<String>), StoreError> {
    if let Some(row) = records.issues(IssueQuery { id: Some(IssueId(id)), ..IssueQuery::default() })?.pop() {
        return Ok((row.asset, Some(format!("{}-{}", scene.code, row.issue.number))));
    }
    let check = records.finding(FindingId(id))?.map_or(CheckId(id), |finding| finding.check);
    let Some(check) = records.check(check.0)? else { return Ok((None, None)) };
    let row = records.checks(check.round)?.into_iter().find(|row| row.check.id == check.id);
    Ok((row.and_then(|row| row.asset), None))
}

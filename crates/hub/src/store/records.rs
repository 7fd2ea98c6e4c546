//! What the log amounts to, as one snapshot shows it. The console's views are put together over this.

use super::StoreError;
use super::rows::Identity;
use serde_json::{Map, Value};
use standpipe_domain::answer::Answer;
use standpipe_domain::asset::Asset;
use standpipe_domain::evidence::Evidence;
use standpipe_domain::ids::{
    AssetId, CheckId, DeviceId, FindingId, IssueId, Millis, PersonId, RoundId, Sha256, SignOffId, UnitId,
};
use standpipe_domain::issue::Status;
use standpipe_domain::merge_rule::ANSWER;
use standpipe_domain::office::{AsidePlace, QuarantineList};
use standpipe_domain::people::{Person, ResponsibleUnit};
use standpipe_domain::place::Place;
use standpipe_domain::record::{Finding, Issue, Site};
use standpipe_domain::round::{Check, Round};
use standpipe_oplog::merge::{Side, amended_answer};
use standpipe_oplog::op::Op;
use standpipe_oplog::seal::{Jwk, Jws};
use std::collections::BTreeSet;
use uuid::Uuid;

/// What the log amounts to. This hub serves one site; whatever lists records lists those of it.
pub trait Records {
    /// The estate; `None` before the hub was founded.
    fn site(&mut self) -> Result<Option<Site>, StoreError>;
    fn places(&mut self) -> Result<Vec<Place>, StoreError>;
    fn units(&mut self) -> Result<Vec<ResponsibleUnit>, StoreError>;
    fn unit(&mut self, id: UnitId) -> Result<Option<ResponsibleUnit>, StoreError>;
    fn people(&mut self) -> Result<Vec<Person>, StoreError>;
    fn person(&mut self, id: PersonId) -> Result<Option<Person>, StoreError>;

    /// Rounds, the latest due first; or one of them.
    fn rounds(&mut self, one: Option<RoundId>) -> Result<Vec<RoundRow>, StoreError>;
    /// The checks of a round in the order of its route.
    fn checks(&mut self, round: RoundId) -> Result<Vec<CheckRow>, StoreError>;
    fn asset(&mut self, id: AssetId) -> Result<Option<Asset>, StoreError>;
    fn check(&mut self, id: Uuid) -> Result<Option<Check>, StoreError>;
    /// The findings of a round in the order of its route, each with whether its item's answer is still a fail.
    fn findings(&mut self, round: RoundId) -> Result<Vec<(Finding, bool)>, StoreError>;
    fn finding(&mut self, id: FindingId) -> Result<Option<Finding>, StoreError>;
    /// The signatures of a round in the order of their arrival.
    fn sign_offs(&mut self, round: RoundId) -> Result<Vec<SignOffRow>, StoreError>;
    fn sign_off(&mut self, id: SignOffId) -> Result<Option<SignOffRow>, StoreError>;
    /// Issues, the most recently changed first.
    fn issues(&mut self, which: IssueQuery) -> Result<Vec<IssueRow>, StoreError>;
    /// Whether there is such an issue.
    fn is_tracked(&mut self, id: IssueId) -> Result<bool, StoreError>;

    /// Every field of a record with its sides, the shown one first.
    fn sides(&mut self, id: Uuid) -> Result<Vec<(String, Vec<Side>)>, StoreError>;
    /// The shown value of every field of a record.
    fn shown(&mut self, id: Uuid) -> Result<Map<String, Value>, StoreError> {
        let fields = self.sides(id)?.into_iter();
        Ok(fields.filter_map(|(field, sides)| Some((field, sides.into_iter().next()?.value))).collect())
    }
    /// The operation of that id, where the log holds it.
    fn op(&mut self, op_id: Uuid) -> Result<Option<Op>, StoreError>;
    /// The operations that amend a record after it was sealed, in the order of their arrival.
    fn amends(&mut self, id: Uuid) -> Result<Vec<Op>, StoreError>;
    /// The tombstones of a round, of its checks and of their findings.
    fn tombstones(&mut self, round: RoundId) -> Result<Vec<Op>, StoreError>;
    /// The members of a field that holds several, oldest first.
    fn members(&mut self, id: Uuid, field: &str) -> Result<Vec<Side>, StoreError>;
    /// Whether a signature covers this record.
    fn is_sealed(&mut self, id: Uuid) -> Result<bool, StoreError>;
    /// Every record that a signature covers.
    fn sealed(&mut self) -> Result<Vec<Uuid>, StoreError>;
    /// The key of a tablet.
    fn device_key(&mut self, device: DeviceId) -> Result<Option<Jwk>, StoreError>;
    /// Whether any tablet has this key, one that was withdrawn too.
    fn is_tablets_key(&mut self, key: &Jwk) -> Result<bool, StoreError>;
    /// The hub itself.
    fn identity(&self) -> Identity;

    /// Where bytes are.
    fn blob_row(&mut self, sha256: Sha256) -> Result<BlobRow, StoreError>;
    /// What any record says about these bytes: the first that mentioned them.
    fn evidence(&mut self, sha256: Sha256) -> Result<Option<Evidence>, StoreError>;
    /// The first that mentioned these bytes: which record, and what it says.
    fn mention(&mut self, sha256: Sha256) -> Result<Option<(Uuid, Side)>, StoreError>;
    /// Photos that records name and whose bytes do not count as here: how many there are, and at most `limit` of them, in the
    /// order in which they were recorded.
    fn not_here(&mut self, limit: u32) -> Result<(u64, Vec<Sha256>), StoreError>;

    /// How much was set aside, and the newest of it, at most `limit`: what somebody has seen to, or what nobody has. What was
    /// recorded is not told yet.
    fn quarantine(&mut self, seen: bool, limit: u32) -> Result<QuarantineList, StoreError>;
    /// What was set aside at a place, as it came; `None` where it has more than `most` bytes.
    fn quarantined_body(&mut self, place: AsidePlace, most: u64) -> Result<Option<String>, StoreError>;
}

/// The answer that an item of a check has by now: what its latest amendment that counts says, or else the one that is
/// shown.
pub fn answer_now(
    records: &mut dyn Records,
    check: CheckId,
    item: &str,
) -> Result<Option<Answer>, StoreError> {
    let shown = side_shown(records, check, item)?;
    let amended = amended_answer(&records.amends(check.0)?, item, shown.as_ref());
    Ok(amended.or_else(|| read_answer(shown?)))
}

/// The answer to an item of a check that is shown, amendments apart.
pub fn answer_shown(
    records: &mut dyn Records,
    check: CheckId,
    item: &str,
) -> Result<Option<Answer>, StoreError> {
    Ok(side_shown(records, check, item)?.and_then(read_answer))
}

fn side_shown(records: &mut dyn Records, check: CheckId, item: &str) -> Result<Option<Side>, StoreError> {
    let answers = format!("{ANSWER}{item}");
    let of_item = records.sides(check.0)?.into_iter().find(|(field, _)| *field == answers);
    Ok(of_item.and_then(|(_, sides)| sides.into_iter().next()))
}

fn read_answer(side: Side) -> Option<Answer> {
    serde_json::from_value(side.value).ok()
}

/// Which issues.
#[derive(Clone, Copy, Debug, Default)]
pub struct IssueQuery {
    pub id: Option<IssueId>,
    pub status: Option<Status>,
    pub unit: Option<UnitId>,
}

/// A round with its sums.
#[derive(Clone, Debug)]
pub struct RoundRow {
    pub round: Round,
    pub stops: u32,
    /// Stops whose every item is answered.
    pub stops_done: u32,
    pub items: u32,
    pub answered: u32,
    /// See [`standpipe_domain::tablet::RoundLine::findings`].
    pub findings: u32,
    /// The units whose signature has arrived, each once.
    pub signed: Vec<UnitId>,
    /// The operations of the amendments to its checks.
    pub amended: BTreeSet<Uuid>,
}

/// A check with its asset and its sums.
#[derive(Clone, Debug)]
pub struct CheckRow {
    pub check: Check,
    /// `None` when the hub does not hold the asset.
    pub asset: Option<Asset>,
    pub items: u32,
    pub answered: u32,
    pub failed: u32,
}

/// An issue with what stands behind it.
#[derive(Clone, Debug)]
pub struct IssueRow {
    pub issue: Issue,
    /// When the hub received the latest change.
    pub changed: Millis,
    pub asset: Option<Asset>,
}

/// A signature that arrived, verified.
#[derive(Clone, Debug, PartialEq)]
pub struct SignOffRow {
    pub id: SignOffId,
    pub round: RoundId,
    pub unit: UnitId,
    /// With the hub's signature.
    pub jws: Jws,
    /// Its number in the log of the site.
    pub seq: u64,
}

/// Where bytes are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BlobRow {
    /// Here, re-read and hashed.
    pub verified: bool,
    /// How many of how many bytes have arrived, while an upload is under way.
    pub arrived: Option<(u64, u64)>,
    /// A thumbnail of these bytes is here.
    pub thumbnail: bool,
}

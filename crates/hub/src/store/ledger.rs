//! What one transaction can do. Rules that change records are written over this, once for every database.

use super::StoreError;
use super::holds::ChainEnd;
use super::records::{Records, SignOffRow};
use super::rows::{Aside, Device, Quarantine};
use standpipe_domain::asset::Asset;
use standpipe_domain::ids::{CheckId, DeviceId, FindingId, IssueId, Millis, Sha256, SignOffId, SiteId};
use standpipe_domain::people::{Person, ResponsibleUnit};
use standpipe_domain::place::Place;
use standpipe_domain::record::{Finding, Issue, Site};
use standpipe_domain::round::{Check, Round};
use standpipe_oplog::chain::Written;
use standpipe_oplog::clock::Hlc;
use standpipe_oplog::op::Op;
use standpipe_oplog::pen::Pen;
use standpipe_oplog::receive::Held;
use standpipe_oplog::replica::{Replica, Touched};
use standpipe_oplog::seal::Jws;
use standpipe_oplog::wire::Refused;
use std::ops::RangeInclusive;
use uuid::Uuid;

/// A part of a transaction's work, which may fail for itself.
pub type Part<'p> = &'p mut dyn FnMut(&mut dyn Ledger) -> Result<(), StoreError>;

/// One transaction. What it did is undone when the work that uses it fails.
pub trait Ledger: Records + Replica<Error = StoreError> {
    /// Does a part of the work. Where that fails, or panics, for what it is itself, this alone is undone: the transaction
    /// goes on, and is told why.
    ///
    /// # Errors
    /// What stands in the way of the rest, too: a disk that is full, a database that went away.
    fn attempt(&mut self, part: Part<'_>) -> Result<Result<(), StoreError>, StoreError>;

    // The chains of the devices. Each link stands for one operation that arrived, whatever became of it.

    /// The end of a chain; zero and [`START`](standpipe_oplog::chain::START) before its first link.
    fn held(&mut self, device: DeviceId, incarnation: u32) -> Result<Held, StoreError>;
    fn hash_at(
        &mut self,
        device: DeviceId,
        incarnation: u32,
        dev_seq: u64,
    ) -> Result<Option<Sha256>, StoreError>;
    /// An incarnation that nothing of this device has used.
    fn next_incarnation(&mut self, device: DeviceId) -> Result<u32, StoreError>;
    fn extend(
        &mut self,
        device: DeviceId,
        incarnation: u32,
        dev_seq: u64,
        hash: Sha256,
    ) -> Result<(), StoreError>;
    /// Up to where the last whole backup holds a chain; 0 where none does.
    fn durable_seq(&mut self, device: DeviceId, incarnation: u32) -> Result<u64, StoreError>;
    /// A backup begins. Gives its number; what is here by now will be in it.
    fn begin_backup(&mut self) -> Result<u64, StoreError>;
    /// Notes that the backup of this number is whole (with 0, that photos are missing from it), and what it holds: these
    /// chains, up to these links, and nothing of others. A link that the hub does not hold is left out: the backup is of
    /// another one.
    fn backed_up(&mut self, number: u64, ends: &[ChainEnd]) -> Result<(), StoreError>;
    /// The hub's own pen.
    fn pen(&mut self, scope: SiteId) -> Result<Pen, StoreError>;
    /// Notes a stamp that was written or seen: the hub's next one will be later.
    fn keep_clock(&mut self, stamp: Hlc) -> Result<(), StoreError>;

    // The log.

    /// Gives the operation the next number of its site and keeps it as it came.
    fn append(&mut self, written: &Written, at: Millis) -> Result<u64, StoreError>;
    /// The first seal of a signature, with its number and when it was received.
    fn seal_of(&mut self, id: Uuid) -> Result<Option<(Jws, u64, Millis)>, StoreError>;
    /// When the latest operation on a record was received.
    fn changed_at(&mut self, id: Uuid) -> Result<Millis, StoreError>;
    /// Whether somebody deleted this record, later edits apart.
    fn has_tombstone(&mut self, id: Uuid) -> Result<bool, StoreError>;
    /// Whether anybody ever deleted anything.
    fn any_tombstone(&mut self) -> Result<bool, StoreError>;
    /// The site and the entity of a record, by its first operation; `None` when no operation mentions it.
    fn known_as(&mut self, id: Uuid) -> Result<Option<(SiteId, String)>, StoreError>;

    fn set_aside(&mut self, what: &Quarantine) -> Result<(), StoreError>;
    /// Whether any line of any tablet is aside.
    fn any_aside(&mut self) -> Result<bool, StoreError>;
    /// How many lines of a tablet are aside, and how many bytes they have together.
    fn aside_size(&mut self, device: DeviceId) -> Result<(u64, u64), StoreError>;
    /// The tablet of that id.
    fn device(&mut self, id: DeviceId) -> Result<Option<Device>, StoreError>;
    /// The places of what was set aside of a tablet, in the order of its chains.
    fn aside(&mut self, device: DeviceId) -> Result<Vec<Aside>, StoreError>;
    /// What was set aside at one of these places, as it came.
    fn quarantined_at(&mut self, device: DeviceId, place: &Aside) -> Result<Option<Quarantine>, StoreError>;
    /// Takes a line out of quarantine, to be judged again.
    fn put_back(&mut self, what: &Quarantine) -> Result<(), StoreError>;
    /// Notes when a line arrived first, where it is in quarantine again.
    fn keep_arrival(&mut self, what: &Quarantine) -> Result<(), StoreError>;
    /// Takes the same work out of quarantine, whichever chain it came in: it is in the log. Other work under its id stays.
    fn release(&mut self, op: &Op) -> Result<(), StoreError>;
    /// What of this transaction was set aside, and why, in the order of the device's chains.
    fn tx_set_aside(&mut self, device: DeviceId, tx: Uuid)
    -> Result<Vec<(Option<Uuid>, String)>, StoreError>;
    /// What was set aside of a part of a chain.
    fn refused(
        &mut self,
        device: DeviceId,
        incarnation: u32,
        seqs: RangeInclusive<u64>,
    ) -> Result<Vec<Refused>, StoreError>;

    // The projections.

    /// Whether they are others than this version makes of the same log.
    fn is_outdated(&mut self) -> Result<bool, StoreError>;
    /// Drops every projection and makes it again out of the log. Gives how many operations the log has.
    fn rebuild(&mut self) -> Result<u64, StoreError>;
    /// The sites of which the log has operations.
    fn scopes(&mut self) -> Result<Vec<SiteId>, StoreError>;
    /// Writes a record's row, in place of the one that stood there.
    fn put_row(&mut self, scope: SiteId, row: &Projected) -> Result<(), StoreError>;
    /// Takes a record's row away: it was deleted, or cannot be read any more.
    fn drop_row(&mut self, entity: &str, id: Uuid) -> Result<(), StoreError>;
    fn findings_of(&mut self, check: CheckId) -> Result<Vec<FindingId>, StoreError>;
    /// In which record this one stands by its row: an issue in its finding, a finding in its check, a check in its round.
    /// Not at its asset: one that was taken down is gone from the building, and its checks stay.
    fn is_in(&mut self, entity: &str, id: Uuid) -> Result<Option<Touched>, StoreError>;
    /// Whether a row stands in this record.
    fn holds_any(&mut self, entity: &str, id: Uuid) -> Result<bool, StoreError>;
    /// One more than the highest number of an issue of the site.
    fn next_issue_number(&mut self, scope: SiteId) -> Result<u32, StoreError>;

    /// Live findings of the site that no issue follows, or whose issue says something else.
    fn not_followed(&mut self, scope: SiteId) -> Result<Vec<FindingId>, StoreError>;
    /// Signatures of the site under which the hub's own is not in the log.
    fn not_countersigned(&mut self, scope: SiteId) -> Result<Vec<SignOffId>, StoreError>;
    /// Issues of the site whose number another has, which was opened before.
    fn of_taken_number(&mut self, scope: SiteId) -> Result<Vec<IssueId>, StoreError>;

    /// Issues of the site with several numbers, or several states, beside each other.
    fn of_two_states(&mut self, scope: SiteId) -> Result<Vec<IssueId>, StoreError>;

    /// Tells whoever listens, once the transaction is durable, that the site has something new.
    fn poke(&mut self, scope: SiteId);
}

/// A record as a row.
#[derive(Clone, Debug)]
pub enum Projected {
    Site(Site),
    Place(Place),
    Asset(Asset),
    Unit(ResponsibleUnit),
    Person(Person),
    Round(Round),
    Check {
        check: Check,
        items: u32,
        answered: u32,
        failed: u32,
    },
    /// Live while its item's answer is a fail.
    Finding {
        finding: Finding,
        live: bool,
    },
    /// With when the hub received the latest change to it.
    Issue {
        issue: Issue,
        changed: Millis,
    },
    SignOff(SignOffRow),
}

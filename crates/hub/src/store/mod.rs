//! What the hub keeps, in the words of the domain. SQLite or PostgreSQL is behind it; nothing here says so.
//!
//! Whatever changes records goes through [`Store::write`]: rules are written once, over a [`Ledger`], and run inside one
//! durable transaction of whichever database there is. What the console shows is put together once too, over
//! [`Records`], within one snapshot. What only one row knows (a session, an upload) has a method of its own.

mod error;
mod holds;
mod ledger;
pub mod postgres;
mod project;
mod records;
mod rows;
mod sql;
pub mod sqlite;
mod views;

pub use crate::blobs::Book;
pub use error::{Doing, StoreError, is_full};
pub use holds::{ChainEnd, Holds, SiteHead};
pub use ledger::{Ledger, Part, Projected};
pub use project::{PROJECTION, enter, project, replay};
pub use records::{
    BlobRow, CheckRow, IssueQuery, IssueRow, Records, RoundRow, SignOffRow, answer_now, answer_shown,
};
pub use rows::{Aside, Device, Enrolment, Identity, NewDevice, Page, PageOp, Quarantine, Session, User};
pub use views::{Mention, NotHere};

use async_trait::async_trait;
use standpipe_bridge::Filing;
use standpipe_domain::ids::{DeviceId, IssueId, Millis, PersonId, Sha256, SiteId};
use standpipe_domain::office::{SeeTo, Tablet};
use standpipe_oplog::checksum::Checksum;
use standpipe_oplog::greeting::Backups;
use standpipe_oplog::receive::Held;
use tokio::sync::broadcast;

/// Something to be done in one transaction. An error undoes all of it.
pub type Work = Box<dyn FnOnce(&mut dyn Ledger) -> Result<(), StoreError> + Send>;

/// Something to be read within one snapshot.
pub type Look = Box<dyn FnOnce(&mut dyn Records) -> Result<(), StoreError> + Send>;

/// What the hub keeps. Each method that changes something returns once the change is durable.
///
/// What the console shows has methods on `dyn Store`: [`rounds`](#method.rounds), [`issues`](#method.issues) and so on.
#[async_trait]
pub trait Store: Book {
    /// Who this hub is. Made when the store was made, and read once.
    fn identity(&self) -> &Identity;

    /// Tells the site whenever operations were added to it, after they are durable. A receiver that lags has missed
    /// pokes, not changes: it looks again.
    fn changes(&self) -> broadcast::Receiver<SiteId>;

    /// Does `work` in one transaction and returns once it is durable. `transact` gives its result too.
    async fn write(&self, work: Work) -> Result<(), StoreError>;

    /// Lets `look` read within one snapshot. `view` gives its result too.
    async fn read(&self, look: Look) -> Result<(), StoreError>;

    /// Drops every projection and makes it again out of the log.
    async fn rebuild(&self) -> Result<(), StoreError>;

    // Who may sign in.

    /// The account of that name.
    async fn user(&self, name: &str) -> Result<Option<User>, StoreError>;
    /// Whether anybody can sign in at all.
    async fn has_users(&self) -> Result<bool, StoreError>;
    /// Adds the account, or replaces its password and person. The sessions of the person end with the old password.
    async fn put_user(&self, user: User) -> Result<(), StoreError>;
    async fn begin_session(&self, session: Session) -> Result<(), StoreError>;
    /// Whose session it is; `None` when there is none, or it ended before `now`.
    async fn session(&self, token: Sha256, now: Millis) -> Result<Option<PersonId>, StoreError>;
    async fn end_session(&self, token: Sha256) -> Result<(), StoreError>;

    // Tablets.

    /// Keeps an enrolment code, by its hash, until it is used or expires.
    async fn offer(&self, enrolment: Enrolment) -> Result<(), StoreError>;
    /// Uses an enrolment code, once. `None` when there is no such code, it was used, or it expired before `now`.
    async fn enrol(&self, code: Sha256, device: NewDevice, now: Millis)
    -> Result<Option<Device>, StoreError>;
    /// The device that holds the token with this hash, revoked or not.
    async fn device_by_token(&self, token: Sha256) -> Result<Option<Device>, StoreError>;
    /// Notes a handshake: the app's version, when, and by how many milliseconds the tablet's clock runs ahead.
    async fn seen(&self, device: DeviceId, version: &str, ahead: i64, now: Millis) -> Result<(), StoreError>;
    /// Withdraws a tablet's permission; `None` when there is no such tablet. What it recorded is still taken.
    async fn revoke(&self, device: DeviceId) -> Result<Option<Tablet>, StoreError>;
    /// Every tablet, by name.
    async fn tablets(&self) -> Result<Vec<Tablet>, StoreError>;

    // Synchronisation.

    /// What the hub holds of one incarnation of a device.
    async fn held(&self, device: DeviceId, incarnation: u32) -> Result<Held, StoreError>;
    /// Up to which of its operations the last whole backup holds them; 0 where none does.
    async fn durable_seq(&self, device: DeviceId, incarnation: u32) -> Result<u64, StoreError>;
    /// Which backups were made.
    async fn backups(&self) -> Result<Backups, StoreError>;
    /// How often a photo that had been confirmed was found to be gone, and was said to be.
    async fn losses(&self) -> Result<u64, StoreError>;
    /// The operations of a site behind `after`, in the order of commit: about `ops` of them and `bytes` of their text, whole
    /// transactions.
    async fn page(&self, site: SiteId, after: u64, ops: usize, bytes: usize) -> Result<Page, StoreError>;
    /// Where the transaction begins that the operation behind `after` is of: `after`, or less.
    async fn beginning(&self, site: SiteId, after: u64) -> Result<u64, StoreError>;
    /// The last number of a site, and the sums over its operations up to each of these numbers.
    async fn sums(&self, site: SiteId, at: Vec<u64>) -> Result<(u64, Vec<Checksum>), StoreError>;
    /// Writes down that somebody has seen to what was set aside at these places, or takes that back. What is not aside there
    /// any more is passed over.
    async fn see_to(&self, what: SeeTo, by: PersonId, name: &str, now: Millis) -> Result<(), StoreError>;

    // The tracker that the office had before.

    /// Issues that it is to get and has not got, as far as is known, at most `limit`: first what was sent, last what it
    /// refused.
    async fn not_filed(&self, limit: u32) -> Result<Vec<(IssueId, Filing)>, StoreError>;
    /// Whether it has an issue; `None` where that was never asked.
    async fn filing(&self, issue: IssueId) -> Result<Option<Filing>, StoreError>;
    /// The same of each issue of which something is known, by their ids.
    async fn filings(&self) -> Result<Vec<(IssueId, Filing)>, StoreError>;
    /// Has an issue brought there again that somebody deleted there. Whether it was one.
    async fn bring_again(&self, issue: IssueId) -> Result<bool, StoreError>;
    /// Keeps whether it has an issue.
    async fn file(&self, issue: IssueId, filing: Filing) -> Result<(), StoreError>;
}

impl dyn Store + '_ {
    /// Does `work` in one transaction, and gives its result once it is durable.
    ///
    /// # Errors
    /// Those of `work`, which undo all of it, and those of the database.
    pub async fn transact<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut dyn Ledger) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (give, take) = std::sync::mpsc::channel();
        self.write(Box::new(move |ledger| {
            // The receiver is there until the transaction has ended.
            let _ = give.send(work(ledger)?);
            Ok(())
        }))
        .await?;
        take.recv().map_err(|_| StoreError::Stopped)
    }

    /// Reads within one snapshot.
    pub async fn view<T: Send + 'static>(
        &self,
        look: impl FnOnce(&mut dyn Records) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (give, take) = std::sync::mpsc::channel();
        self.read(Box::new(move |records| {
            let _ = give.send(look(records)?);
            Ok(())
        }))
        .await?;
        take.recv().map_err(|_| StoreError::Stopped)
    }
}

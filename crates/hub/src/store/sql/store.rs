//! The store over desks, whichever database they stand at: each method is one transaction, or one snapshot.

use super::{Desk, Line, Readers, Source, Writer};
use crate::blobs::{Allowance, Blob, BlobState, Upload};
use crate::store::{
    Book, Device, Enrolment, Identity, Ledger, Look, NewDevice, Page, Session, Store, StoreError, User, Work,
};
use crate::world::World;
use async_trait::async_trait;
use standpipe_bridge::Filing;
use standpipe_domain::ids::{DeviceId, IssueId, Millis, PersonId, Sha256, SiteId};
use standpipe_domain::office::{SeeTo, Tablet};
use standpipe_oplog::checksum::Checksum;
use standpipe_oplog::greeting::Backups;
use standpipe_oplog::receive::Held;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::broadcast;
use uuid::Uuid;

/// The connections of a store at work: the one that writes, and those that read.
pub(in crate::store) struct AtWork<L, S: Source> {
    pub identity: Arc<Identity>,
    pub writer: Writer<L>,
    pub readers: Arc<Readers<S>>,
}

impl<L: Line, S: Source> AtWork<L, S> {
    pub(in crate::store) fn new(line: L, source: S, identity: Identity, world: &Arc<dyn World>) -> Self {
        let identity = Arc::new(identity);
        let readers = Arc::new(Readers::new(source, Arc::clone(&identity), Arc::clone(world)));
        let writer = Writer::new(line, Arc::clone(&identity), Arc::clone(world));
        Self { identity, writer, readers }
    }

    /// Does what was asked for so far, and lets the connections go. Whoever asks later is told that the hub is stopping.
    pub(in crate::store) async fn close(&self) {
        // The writer last: of SQLite's, only a connection that can write leaves one whole file behind.
        self.readers.close().await;
        self.writer.stop().await;
    }
}

/// Where one works at a desk.
pub(in crate::store) trait Desks: Send + Sync + 'static {
    type Line: Line;
    type Source: Source;

    fn at_work(&self) -> &AtWork<Self::Line, Self::Source>;

    /// Does `task` in one transaction, and gives its result once it is durable.
    fn change<T: Send + 'static>(
        &self,
        task: impl FnOnce(&mut Desk<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> impl Future<Output = Result<T, StoreError>> + Send {
        self.at_work().writer.run(task)
    }

    /// Does `task` within one snapshot.
    fn look<T: Send + 'static>(
        &self,
        task: impl FnOnce(&mut Desk<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> impl Future<Output = Result<T, StoreError>> + Send {
        self.at_work().readers.run(task)
    }
}

#[async_trait]
impl<D: Desks> Store for D {
    fn identity(&self) -> &Identity {
        &self.at_work().identity
    }

    fn changes(&self) -> broadcast::Receiver<SiteId> {
        self.at_work().writer.changes()
    }

    async fn write(&self, work: Work) -> Result<(), StoreError> {
        self.change(move |desk| work(desk)).await
    }

    async fn read(&self, look: Look) -> Result<(), StoreError> {
        self.look(move |desk| look(desk)).await
    }

    async fn rebuild(&self) -> Result<(), StoreError> {
        self.change(|desk| desk.make_anew().map(drop)).await
    }

    async fn user(&self, name: &str) -> Result<Option<User>, StoreError> {
        let name = name.to_owned();
        self.look(move |desk| desk.user(&name)).await
    }

    async fn has_users(&self) -> Result<bool, StoreError> {
        self.look(|desk| Ok(desk.accounts()? > 0)).await
    }

    async fn put_user(&self, user: User) -> Result<(), StoreError> {
        self.change(move |desk| desk.put_user(&user)).await
    }

    async fn begin_session(&self, session: Session) -> Result<(), StoreError> {
        self.change(move |desk| desk.begin_session(&session)).await
    }

    async fn session(&self, token: Sha256, now: Millis) -> Result<Option<PersonId>, StoreError> {
        self.look(move |desk| desk.session(token, now)).await
    }

    async fn end_session(&self, token: Sha256) -> Result<(), StoreError> {
        self.change(move |desk| desk.end_session(token)).await
    }

    async fn offer(&self, enrolment: Enrolment) -> Result<(), StoreError> {
        self.change(move |desk| desk.offer(&enrolment)).await
    }

    async fn enrol(
        &self,
        code: Sha256,
        device: NewDevice,
        now: Millis,
    ) -> Result<Option<Device>, StoreError> {
        self.change(move |desk| desk.enrol(code, &device, now)).await
    }

    async fn device_by_token(&self, token: Sha256) -> Result<Option<Device>, StoreError> {
        self.look(move |desk| desk.device_by_token(token)).await
    }

    async fn seen(&self, device: DeviceId, version: &str, ahead: i64, now: Millis) -> Result<(), StoreError> {
        let version = version.to_owned();
        self.change(move |desk| desk.seen(device, &version, ahead, now)).await
    }

    async fn revoke(&self, device: DeviceId) -> Result<Option<Tablet>, StoreError> {
        self.change(move |desk| desk.revoke(device)).await
    }

    async fn tablets(&self) -> Result<Vec<Tablet>, StoreError> {
        self.look(|desk| desk.tablets(None)).await
    }

    async fn held(&self, device: DeviceId, incarnation: u32) -> Result<Held, StoreError> {
        self.look(move |desk| Ledger::held(desk, device, incarnation)).await
    }

    async fn durable_seq(&self, device: DeviceId, incarnation: u32) -> Result<u64, StoreError> {
        self.look(move |desk| Ledger::durable_seq(desk, device, incarnation)).await
    }

    async fn backups(&self) -> Result<Backups, StoreError> {
        self.look(|desk| desk.backups()).await
    }

    async fn losses(&self) -> Result<u64, StoreError> {
        self.look(|desk| desk.losses()).await
    }

    async fn page(&self, site: SiteId, after: u64, ops: usize, bytes: usize) -> Result<Page, StoreError> {
        self.look(move |desk| desk.page(site, after, ops, bytes)).await
    }

    async fn beginning(&self, site: SiteId, after: u64) -> Result<u64, StoreError> {
        self.look(move |desk| desk.beginning(site, after)).await
    }

    async fn sums(&self, site: SiteId, at: Vec<u64>) -> Result<(u64, Vec<Checksum>), StoreError> {
        self.look(move |desk| desk.sums(site, &at)).await
    }

    async fn see_to(&self, what: SeeTo, by: PersonId, name: &str, now: Millis) -> Result<(), StoreError> {
        let name = name.to_owned();
        self.change(move |desk| desk.see_to(&what, by, &name, now)).await
    }

    async fn not_filed(&self, limit: u32) -> Result<Vec<(IssueId, Filing)>, StoreError> {
        self.look(move |desk| desk.not_filed(limit)).await
    }

    async fn filing(&self, issue: IssueId) -> Result<Option<Filing>, StoreError> {
        self.look(move |desk| desk.filing(issue)).await
    }

    async fn filings(&self) -> Result<Vec<(IssueId, Filing)>, StoreError> {
        self.look(|desk| desk.filings()).await
    }

    async fn bring_again(&self, issue: IssueId) -> Result<bool, StoreError> {
        self.change(move |desk| desk.bring_again(issue)).await
    }

    async fn file(&self, issue: IssueId, filing: Filing) -> Result<(), StoreError> {
        self.change(move |desk| desk.file(issue, &filing)).await
    }
}

#[async_trait]
impl<D: Desks> Book for D {
    async fn blob(&self, sha256: Sha256) -> Result<Option<Blob>, StoreError> {
        self.look(move |desk| desk.blob(sha256)).await
    }

    async fn put_blob(&self, blob: Blob, upload: Option<Uuid>) -> Result<(), StoreError> {
        self.change(move |desk| desk.put_blob(&blob, upload)).await
    }

    async fn lost_blob(&self, sha256: Sha256) -> Result<(), StoreError> {
        self.change(move |desk| desk.lost_blob(sha256)).await
    }

    async fn blobs(&self, after: Option<Sha256>, limit: usize) -> Result<Vec<Blob>, StoreError> {
        self.look(move |desk| desk.blobs(after, limit)).await
    }

    async fn blob_states(&self, hashes: &[Sha256]) -> Result<BTreeMap<Sha256, BlobState>, StoreError> {
        let hashes = hashes.to_owned();
        self.look(move |desk| desk.blob_states(&hashes)).await
    }

    async fn thumbnail(&self, of: Sha256) -> Result<Option<Blob>, StoreError> {
        self.look(move |desk| desk.thumbnail(of)).await
    }

    async fn link_thumbnail(
        &self,
        of: Sha256,
        thumbnail: Sha256,
        by: Option<PersonId>,
    ) -> Result<(), StoreError> {
        self.change(move |desk| desk.link_thumbnail(of, thumbnail, by)).await
    }

    async fn begin_upload(&self, upload: Upload, allowance: Allowance) -> Result<Option<Upload>, StoreError> {
        self.change(move |desk| desk.begin_upload(&upload, allowance)).await
    }

    async fn upload(&self, id: Uuid) -> Result<Option<Upload>, StoreError> {
        self.look(move |desk| desk.upload(id)).await
    }

    async fn uploads(&self, of: Option<Sha256>) -> Result<Vec<Upload>, StoreError> {
        self.look(move |desk| desk.uploads(of)).await
    }

    async fn uploads_untouched(
        &self,
        by: Millis,
        after: Option<Uuid>,
        limit: usize,
    ) -> Result<Vec<Upload>, StoreError> {
        self.look(move |desk| desk.uploads_untouched(by, after, limit)).await
    }

    async fn upload_at(&self, id: Uuid, arrived: u64, touched: Millis) -> Result<(), StoreError> {
        self.change(move |desk| desk.upload_at(id, arrived, touched)).await
    }

    async fn end_upload(&self, id: Uuid) -> Result<(), StoreError> {
        self.change(move |desk| desk.end_upload(id)).await
    }
}

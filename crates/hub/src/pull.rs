//! Gives a tablet what the hub numbered behind its cursor: page by page as it asks, or all of it in one answer.

use crate::receipt::Receipts;
use crate::store::{Doing, Page, Store, StoreError};
use crate::world::{World, aside};
use ed25519_dalek::SigningKey;
use standpipe_domain::ids::{Millis, SiteId};
use standpipe_oplog::PROTOCOL;
use standpipe_oplog::snapshot::framed;
use standpipe_oplog::wire::{MAX_OPS, MAX_PUSH, PullHead, encode_pull};
use uuid::Uuid;

/// A page of a site's operations behind `after`, encoded and compressed for the wire. It has `limit` operations, or
/// [`MAX_OPS`] or [`MAX_PUSH`] bytes of them where that is less, and then the rest of the transaction that was begun; with
/// `whole`, also that of the first one from its beginning.
pub async fn page(
    store: &dyn Store,
    site: SiteId,
    after: u64,
    limit: usize,
    whole: bool,
    now: Millis,
) -> Result<Vec<u8>, StoreError> {
    let from = if whole { store.beginning(site, after).await? } else { after };
    let page = store.page(site, from, limit.clamp(1, MAX_OPS), MAX_PUSH).await?;
    let identity = store.identity();
    packed(&page, from, identity.epoch, &identity.key, now)
}

/// A page of a snapshot, with its length before it, and where it ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    pub bytes: Vec<u8>,
    pub next: u64,
    pub more: bool,
}

/// The page of a snapshot behind `after`: about `bytes` of operations, however many they are, in whole transactions.
pub async fn part(
    store: &dyn Store,
    world: &dyn World,
    site: SiteId,
    after: u64,
    bytes: usize,
) -> Result<Part, StoreError> {
    let page = store.page(site, after, usize::MAX, bytes).await?;
    let (now, epoch, key) = (world.now(), store.identity().epoch, store.identity().key.clone());
    let (next, more) = (page.next, page.more);
    // Marking and packing megabytes takes a while, and others ask meanwhile.
    let packing = aside(world, move || packed(&page, after, epoch, &key, now));
    let packed = packing.await.map_err(|_| StoreError::Stopped)??;
    Ok(Part { bytes: framed(&packed), next, more })
}

fn packed(page: &Page, from: u64, epoch: Uuid, key: &SigningKey, now: Millis) -> Result<Vec<u8>, StoreError> {
    let receipts = Receipts::of(key);
    let head = PullHead {
        protocol: PROTOCOL,
        hub_epoch: epoch,
        from,
        next: page.next,
        more: page.more,
        checksum: format!("{:016x}", page.checksum.0),
        now,
    };
    let marks: Vec<String> = page.ops.iter().map(|op| receipts.mark(op.at, &op.body)).collect();
    let lines = page.ops.iter().zip(&marks).map(|(op, mark)| (op.seq, op.at, mark.as_str(), &*op.body));
    encode_pull(&head, lines).doing("packing a page of the log")
}

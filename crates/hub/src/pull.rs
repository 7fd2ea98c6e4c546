//! Gives a tablet what the hub numbered behind its cursor.

use crate::store::{Doing, Store, StoreError};
use standpipe_domain::ids::{Millis, SiteId};
use standpipe_oplog::PROTOCOL;
use standpipe_oplog::wire::{PullHead, encode_pull};

/// The most operations of a page, unless one transaction alone has more.
pub const PAGE: usize = 500;

/// A page of a site's operations behind `after`, encoded and compressed for the wire. At most `limit` operations, and
/// never more than [`PAGE`], but always whole transactions.
pub async fn page(
    store: &dyn Store,
    site: SiteId,
    after: u64,
    limit: usize,
    now: Millis,
) -> Result<Vec<u8>, StoreError> {
    let page = store.page(site, after, limit.clamp(1, PAGE)).await?;
    let head = PullHead {
        protocol: PROTOCOL,
        hub_epoch: store.identity().epoch,
        next: page.next,
        more: page.more,
        checksum: format!("{:016x}", page.checksum.0),
        now,
    };
    encode_pull(&head, page.ops.iter().map(|op| (op.seq, op.at, &*op.body)))
        .doing("packing a page of the log")
}

//! Gives a tablet what the hub numbered behind its cursor.

use crate::receipt::Receipts;
use crate::store::{Doing, Store, StoreError};
use standpipe_domain::ids::{Millis, SiteId};
use standpipe_oplog::PROTOCOL;
use standpipe_oplog::wire::{PullHead, encode_pull};

/// The most operations of a page, unless one transaction alone has more.
pub const PAGE: usize = 500;

/// A page of a site's operations behind `after`, encoded and compressed for the wire. At most `limit` operations, and
/// never more than [`PAGE`], but always whole transactions: with `whole`, also that of the first one from its beginning.
pub async fn page(
    store: &dyn Store,
    site: SiteId,
    after: u64,
    limit: usize,
    whole: bool,
    now: Millis,
) -> Result<Vec<u8>, StoreError> {
    let from = if whole { store.beginning(site, after).await? } else { after };
    let page = store.page(site, from, limit.clamp(1, PAGE)).await?;
    let receipts = Receipts::of(&store.identity().key);
    let head = PullHead {
        protocol: PROTOCOL,
        hub_epoch: store.identity().epoch,
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

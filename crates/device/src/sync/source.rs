//! Where the pages of a pull come from: one request for each, or one answer with all of them for a tablet that lacks much.
//!
//! Such an answer is read ahead by one page, so that a page is read while the one before it is taken in. Where it is cut it
//! is asked for again behind what has been taken in, as long as each answer brings something.

use super::fault::Fault;
use super::hub_client::{HubClient, Snapshot, unreadable};
use crate::world::{Gone, World, aside};
use futures::future::{BoxFuture, Either, FutureExt, select};
use standpipe_oplog::wire::{Malformed, Numbered, PullHead, decode_pull};
use std::pin::pin;
use std::sync::Arc;

const DOING: &str = "fetching records";

pub(super) type Page = (PullHead, Vec<Numbered>);

/// Where the next page comes from.
pub(super) struct Source {
    world: Arc<dyn World>,
    /// More is there than one page holds.
    lacks_much: bool,
    open: Option<Open>,
    /// No further page is begun.
    winds_up: bool,
    /// The hub is of a version that knows pages only.
    pages_only: bool,
}

/// An answer with many pages.
struct Open {
    snapshot: Snapshot,
    /// The next page, which is being read beside.
    ahead: Option<BoxFuture<'static, Result<Result<Page, Malformed>, Gone>>>,
    /// Why nothing more comes of it.
    ended: Option<Fault>,
    has_brought: bool,
}

impl Source {
    /// `lacks_much`: so much is missing that all of it is asked for at once.
    pub(super) fn new(world: Arc<dyn World>, lacks_much: bool) -> Self {
        Self { world, lacks_much, open: None, winds_up: false, pages_only: false }
    }

    /// Whether, after the last page, more is there than one page holds.
    pub(super) fn lacks_much(&self) -> bool {
        self.lacks_much
    }

    /// Begins no further page. Gives whether one has come that is still to be taken in.
    pub(super) fn wind_up(&mut self) -> bool {
        self.winds_up = true;
        self.open.as_ref().is_some_and(|open| open.ahead.is_some())
    }

    /// The page behind `after`, up to where everything was taken in.
    pub(super) async fn next(&mut self, hub: &HubClient, after: u64) -> Result<Page, Fault> {
        let page = self.page(hub, after).await?;
        self.lacks_much = page.0.more;
        Ok(page)
    }

    async fn page(&mut self, hub: &HubClient, after: u64) -> Result<Page, Fault> {
        if !self.lacks_much || self.pages_only {
            return hub.pull(after).await;
        }
        loop {
            let open = match &mut self.open {
                Some(open) => open,
                None => match hub.snapshot(after).await {
                    Ok(snapshot) => self.open.insert(Open::of(snapshot)),
                    Err(fault) if matches!(fault.code(), "not-a-hub" | "no-such-address") => {
                        self.pages_only = true;
                        return hub.pull(after).await;
                    }
                    Err(fault) => return Err(fault),
                },
            };
            if let Some(page) = open.page(&*self.world, self.winds_up, after).await? {
                return Ok(page);
            }
            let Some(Open { ended, has_brought, .. }) = self.open.take() else { continue };
            // Cut. What came of it is taken in; an answer that brought nothing says that the link is gone.
            if let Some(fault) = ended
                && !has_brought
            {
                return Err(fault);
            }
        }
    }
}

impl Open {
    fn of(snapshot: Snapshot) -> Self {
        Self { snapshot, ahead: None, ended: None, has_brought: false }
    }

    /// The next page, which must be that behind `after`; `None` where no more comes.
    async fn page(&mut self, world: &dyn World, is_last: bool, after: u64) -> Result<Option<Page>, Fault> {
        if self.ahead.is_none() && self.ended.is_none() {
            let come = self.snapshot.page().await;
            self.come(world, come);
        }
        let Some(mut ahead) = self.ahead.take() else { return Ok(None) };
        let mut page = None;
        if !is_last && self.ended.is_none() {
            // A link that is slower than reading a page holds nothing up: what is there is taken in meanwhile.
            let raced = match select(&mut ahead, pin!(self.snapshot.page())).await {
                Either::Left((read, _)) => Either::Left(read),
                Either::Right((come, _)) => Either::Right(come),
            };
            match raced {
                Either::Left(read) => page = Some(read),
                Either::Right(come) => self.come(world, come),
            }
        }
        let read = match page {
            Some(read) => read,
            None => ahead.await,
        };
        let (head, ops) = read
            .map_err(|gone| Fault::of_hub(DOING, gone.to_string()))?
            .map_err(|error| Fault::of_hub(DOING, unreadable(after, &error)))?;
        if head.from != after {
            return Err(Fault::of_hub(
                DOING,
                format!("a page behind {} came instead of that behind {after}", head.from),
            ));
        }
        self.has_brought = true;
        Ok(Some((head, ops)))
    }

    /// A page has come whole, and is read; or nothing more comes.
    fn come(&mut self, world: &dyn World, come: Result<Option<Vec<u8>>, Fault>) {
        match come {
            Ok(Some(page)) => self.ahead = Some(aside(world, move || decode_pull(&page)).boxed()),
            Ok(None) => {
                let detail = "the answer ended before its last page".to_owned();
                self.ended = Some(Fault::NoAnswer { doing: DOING, detail });
            }
            Err(fault) => self.ended = Some(fault),
        }
    }
}

//! A batch of records on its way to the hub, and the next one that sets off behind it.

use super::hub_client::{HubClient, Pushed};
use super::records::Packed;
use crate::store::outbox::ChainId;
use futures::FutureExt;
use futures::future::{BoxFuture, Either, MaybeDone, maybe_done, poll_fn, select};
use standpipe_domain::sync::Trouble;
use standpipe_oplog::push::Event;
use std::pin::{Pin, pin};
use std::time::Duration;

/// A turn whose last batch was answered, and what came of it written down, within this has a line that is good enough for
/// two batches at once. On a worse one both would take longer, and neither might arrive before it breaks.
pub(super) const QUICK: Duration = Duration::from_millis(250);

pub(super) struct UnderWay<'h> {
    of: ChainId,
    after: u64,
    /// Its last operation.
    pub last: u64,
    /// It set off before the one in front of it was answered: the hub may have met it first, and then took nothing of it.
    is_early: bool,
    answer: MaybeDone<BoxFuture<'h, Result<Event, Trouble>>>,
}

impl<'h> UnderWay<'h> {
    /// Sets off once it is waited for.
    pub fn new(hub: &'h HubClient, Packed { of, after, last, body }: Packed) -> Self {
        let answer = async move {
            Ok(match hub.push(body).await? {
                Pushed::Taken(mut answer) => {
                    // The hub compared hashes up to the end of this batch. Behind that it may mean a clone's operations.
                    answer.acknowledged = answer.acknowledged.min(last);
                    Event::Answer(answer)
                }
                Pushed::Conflict(conflict) => Event::Conflict(conflict),
            })
        };
        Self { of, after, last, is_early: false, answer: maybe_done(answer.boxed()) }
    }

    pub fn is(&self, of: ChainId, after: u64) -> bool {
        (self.of, self.after) == (of, after)
    }

    /// Waits for the answer, and for `beside`, which packs the next batch. That one sets off too as soon as it is packed, if
    /// it may. Gives `None` for the answer where this one has to be sent again, behind what is in front of it.
    pub async fn answered(
        mut self,
        hub: &'h HubClient,
        beside: impl Future<Output = Result<Option<Packed>, Trouble>>,
        may_go_ahead: bool,
    ) -> Result<(Option<Event>, Option<Self>), Trouble> {
        let mut next = match select(&mut self.answer, pin!(beside)).await {
            Either::Left(((), beside)) => beside.await?.map(|batch| Self::new(hub, batch)),
            Either::Right((packed, _)) => {
                let mut next = packed?.map(|batch| Self::new(hub, batch));
                if let Some(next) = next.as_mut().filter(|_| may_go_ahead) {
                    next.is_early = true;
                    let both = poll_fn(|line| {
                        let _ = next.answer.poll_unpin(line);
                        self.answer.poll_unpin(line)
                    });
                    both.await;
                }
                next
            }
        };
        (&mut self.answer).await;
        let answer = match Pin::new(&mut self.answer).take_output() {
            Some(Ok(event)) if !self.is_early || is_taken(&event, self.after) => Some(event),
            Some(Err(trouble)) if !self.is_early => return Err(trouble),
            _ => None,
        };
        if answer.is_none() {
            next = None;
        }
        Ok((answer, next))
    }
}

/// Whether the hub took something of what stands behind `after`.
pub(super) fn is_taken(event: &Event, after: u64) -> bool {
    matches!(event, Event::Answer(answer) if answer.acknowledged > after)
}

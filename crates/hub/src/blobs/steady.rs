//! A body that hardly moves is cut, so that nobody holds a connection and an upload for ever.
//!
//! A photo loses nothing by it: what arrived of it is kept, and the next request goes on from there.

use crate::world::World;
use bytes::Bytes;
use futures::future::{Either, select};
use futures::stream::{BoxStream, Stream, StreamExt, unfold};
use std::sync::Arc;
use std::time::Duration;

/// The least that must come of a body in each [`WHILE`], in bytes: less than the worst telephone line brings.
pub const LEAST: usize = 4 * 1024;
/// See [`LEAST`].
pub const WHILE: Duration = Duration::from_secs(60);

/// Too little came for too long, or the connection broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("less than {LEAST} bytes of the body came within {} seconds, or the connection broke", WHILE.as_secs())]
pub struct Cut;

/// Gives a body as it comes, and an error in its place once less than [`LEAST`] came in a [`WHILE`], or nothing at all.
pub fn steady<S, E>(body: S, world: Arc<dyn World>) -> BoxStream<'static, Result<Bytes, Cut>>
where
    S: Stream<Item = Result<Bytes, E>> + Send + Unpin + 'static,
    E: Send + 'static,
{
    let flow = Flow { body, since: world.elapsed(), came: 0, too_slow: false };
    let next = move |mut flow: Flow<S>| {
        let world = Arc::clone(&world);
        async move {
            if flow.too_slow {
                return Some((Err(Cut), flow));
            }
            let piece = match select(flow.body.next(), world.sleep(WHILE)).await {
                Either::Left((piece, _)) => piece?.map_err(|_| Cut),
                Either::Right(_) => Err(Cut),
            };
            flow.came += piece.as_ref().map_or(0, Bytes::len);
            let now = world.elapsed();
            if now.saturating_sub(flow.since) >= WHILE {
                // What has just come is still taken.
                flow.too_slow = flow.came < LEAST;
                (flow.since, flow.came) = (now, 0);
            }
            Some((piece, flow))
        }
    };
    unfold(flow, next).boxed()
}

struct Flow<S> {
    body: S,
    since: Duration,
    came: usize,
    too_slow: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::RealWorld;
    use futures::channel::mpsc::unbounded;
    use futures::future::{BoxFuture, pending, ready};
    use standpipe_domain::ids::Millis;
    use std::convert::Infallible;
    use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
    use uuid::Uuid;

    /// With whether each pause is over at once; otherwise none ever is.
    #[derive(Default)]
    struct Seconds(AtomicU64, bool);

    impl World for Seconds {
        fn now(&self) -> Millis {
            Millis(0)
        }

        fn uuid(&self) -> Uuid {
            RealWorld.uuid()
        }

        fn random(&self, bytes: &mut [u8]) {
            RealWorld.random(bytes);
        }

        fn elapsed(&self) -> Duration {
            Duration::from_secs(self.0.load(SeqCst))
        }

        fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
            if self.1 { Box::pin(ready(())) } else { Box::pin(pending()) }
        }
    }

    /// How many pieces of `bytes` come through when one is sent every `seconds`, of at most 100.
    async fn through(bytes: usize, seconds: u64) -> usize {
        let world = Arc::new(Seconds::default());
        let (send, body) = unbounded();
        let mut steady = steady(body, world.clone());
        for sent in 0..100 {
            world.0.fetch_add(seconds, SeqCst);
            send.unbounded_send(Ok::<_, Infallible>(Bytes::from(vec![0; bytes]))).unwrap();
            if steady.next().await.unwrap() == Err(Cut) {
                return sent;
            }
        }
        drop(send);
        assert_eq!(steady.next().await, None, "it ends as it should");
        100
    }

    #[tokio::test]
    async fn a_slow_link_is_waited_for_and_one_that_hardly_moves_is_not() {
        assert_eq!(through(LEAST, 60).await, 100);
        assert_eq!(through(70, 1).await, 100, "seventy bytes a second");
        assert_eq!(through(1, 59).await, 2, "a byte a minute: what came is taken, and no more");
        assert_eq!(through(60, 1).await, 60, "within the first minute nothing is known");
    }

    #[tokio::test]
    async fn one_of_which_nothing_comes_at_all_is_not_waited_for() {
        let world = Arc::new(Seconds(AtomicU64::new(0), true));
        let (send, body) = unbounded();
        let mut steady = steady(body, world);
        send.unbounded_send(Ok::<_, Infallible>(Bytes::from_static(b"here"))).unwrap();
        assert_eq!(
            steady.next().await,
            Some(Ok(Bytes::from_static(b"here"))),
            "what is there is given first"
        );
        assert_eq!(steady.next().await, Some(Err(Cut)));
    }
}

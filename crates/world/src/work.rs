//! Work beside others, and how long one waits.

use crate::World;
use futures::channel::oneshot;
use futures::future::{Either, select};
use std::error::Error;
use std::fmt;
use std::pin::pin;
use std::time::Duration;

/// Work that ended without a result: it panicked, or the program stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gone;

impl fmt::Display for Gone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the program gave up on it")
    }
}

impl Error for Gone {}

/// Does `work` beside others and gives its result. It begins at once, and ends whether or not somebody waits.
///
/// # Errors
/// [`Gone`] when it panicked.
pub fn aside<T: Send + 'static, F: FnOnce() -> T + Send + 'static>(
    world: &dyn World,
    work: F,
) -> impl Future<Output = Result<T, Gone>> + Send + 'static + use<T, F> {
    let (give, take) = oneshot::channel();
    world.begin_aside(Box::new(move || {
        // Nobody waiting is fine.
        let _ = give.send(work());
    }));
    async move { take.await.map_err(|_| Gone) }
}

/// Runs `work` to its end, also when whoever asked for it is gone, and gives its result.
///
/// # Errors
/// [`Gone`] when it panicked.
pub async fn spawned<T: Send + 'static>(
    world: &dyn World,
    work: impl Future<Output = T> + Send + 'static,
) -> Result<T, Gone> {
    let (give, take) = oneshot::channel();
    world.spawn(Box::pin(async move {
        let _ = give.send(work.await);
    }));
    take.await.map_err(|_| Gone)
}

/// What `work` gives, unless that takes longer than `limit`.
pub async fn within<T>(world: &dyn World, limit: Duration, work: impl Future<Output = T>) -> Option<T> {
    match select(pin!(work), world.sleep(limit)).await {
        Either::Left((done, _)) => Some(done),
        Either::Right(_) => None,
    }
}

//! A server that does not answer: its machine hangs, and its lines stay open.

use super::{aside, open, server};
use crate::conformance::kit::{answers, check, garden};
use crate::store::postgres::{Over, PostgresStore, Server};
use crate::store::{Store, StoreError};
use crate::world::{RealWorld, World};
use futures::future::join_all;
use futures::join;
use standpipe_domain::answer::Outcome;
use standpipe_domain::ids::Millis;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::timeout;
use uuid::Uuid;

/// What all who stand in line may wait together: each for itself would take longer.
const TOGETHER: Duration = Duration::from_secs(20);
/// Long enough for a busy machine; nothing waits for it to pass.
const LONG: Duration = Duration::from_secs(60);

/// The world as it is, in which time can be let pass.
#[derive(Default)]
struct Passing(AtomicU64);

impl World for Passing {
    fn now(&self) -> Millis {
        RealWorld.now()
    }

    fn uuid(&self) -> Uuid {
        RealWorld.uuid()
    }

    fn random(&self, bytes: &mut [u8]) {
        RealWorld.random(bytes);
    }

    fn elapsed(&self) -> Duration {
        RealWorld.elapsed() + Duration::from_secs(self.0.load(Ordering::SeqCst))
    }
}

/// A store that waits for two seconds where others wait for half a minute.
async fn hasty(url: &str, world: Arc<dyn World>) -> PostgresStore {
    let mut server = Server::of(url, Arc::clone(&world)).unwrap();
    (server.patience.connect, server.patience.answer) = (Duration::from_secs(2), Duration::from_secs(2));
    PostgresStore::at(server, world).await.unwrap()
}

#[tokio::test]
async fn a_server_that_is_frozen_is_away_and_met_again_once_it_goes_on() {
    let own = Arc::new(aside(server::own).await);
    let world = Arc::new(Passing::default());
    let store = hasty(&own.address("postgres"), world.clone()).await;
    let (_, mut tablet) = garden(&store).await;
    store.serve().await.unwrap();
    let by: &dyn Store = &store;
    for item in ["panel-clear", "log-filled"] {
        let of = Arc::clone(&own);
        let frozen = aside(move || of.freeze()).await;
        // More than there are connections, so that some stand in line.
        let looks = join_all((0..80).map(|_| store.has_users()));
        let works = join_all((0..3).map(|_| by.transact(|_| Ok(()))));
        let (looks, works) = timeout(TOGETHER, async { join!(looks, works) }).await.expect("an answer");
        for told in looks.into_iter().map(|told| told.map(drop)).chain(works) {
            assert!(matches!(told, Err(StoreError::Away { .. })), "{told:?}");
        }
        drop(frozen);
        // Nobody tries it again for a moment.
        world.0.fetch_add(60, Ordering::SeqCst);
        store.has_users().await.unwrap();
        tablet.record(&store, [answers(check("P1-KZ"), item, Outcome::Pass, None)]).await;
        assert_eq!(store.is_over(), None);
    }
    let length = tablet.pen.last_seq;
    assert_eq!(store.held(tablet.device.id, 1).await.unwrap().last_seq, length);
}

#[tokio::test]
async fn a_host_that_is_frozen_keeps_none_from_the_next_one() {
    let own = Arc::new(aside(server::own).await);
    let of = Arc::clone(&own);
    let _frozen = aside(move || of.freeze()).await;
    let url = aside(server::database).await;
    let both =
        url.replacen("?host=", &format!("?connect_timeout=1&host={}&host=", own.folder().display()), 1);
    let store = timeout(LONG, open(&both)).await.expect("an answer");
    assert!(!store.has_users().await.unwrap());
}

#[tokio::test]
async fn what_nobody_waits_for_takes_its_time() {
    let url = aside(server::database).await;
    let world: Arc<dyn World> = Arc::new(RealWorld);
    let mut server = Server::of(&url, world).unwrap();
    server.patience.answer = Duration::from_millis(200);
    let asked = move || {
        use crate::store::sql::Sql;
        let link = server.connect().unwrap();
        let slow = || link.batch("SELECT pg_sleep(1)");
        link.take_time();
        slow().unwrap();
        link.hurry();
        assert!(matches!(slow(), Err(crate::store::sql::SqlError::Silent(_))));
        assert!(matches!(slow(), Err(crate::store::sql::SqlError::Lost(_))), "and it is given up");
    };
    aside(asked).await;
}

#[tokio::test]
async fn a_standby_that_took_over_is_neither_read_nor_written_by_who_served_the_one_before() {
    let own = Arc::new(aside(server::own).await);
    let url = own.address("postgres");
    let (store, beside) = (open(&url).await, open(&url).await);
    garden(&store).await;
    store.serve().await.unwrap();
    let served = store.lineage().unwrap().clone();
    let of = Arc::clone(&own);
    aside(move || of.promote()).await;
    assert_eq!(timeout(LONG, store.over()).await.unwrap(), Over::PutBack);
    let by: &dyn Store = &store;
    assert!(matches!(by.transact(|_| Ok(())).await, Err(StoreError::Stopped)));
    assert!(matches!(store.has_users().await, Err(StoreError::Stopped)));
    store.close().await;
    // Whoever never served is no hub, and has acknowledged nothing.
    beside.has_users().await.unwrap();
    let next = open(&url).await;
    next.serve().await.unwrap();
    assert_ne!(next.lineage(), Some(&served));
}

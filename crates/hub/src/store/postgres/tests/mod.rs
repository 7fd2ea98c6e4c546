//! The suite that every store passes, over a real PostgreSQL, and what only a server can show.

mod beside;
mod frozen;
mod lost;
mod missed;
mod moving;
mod same;
mod server;

use super::PostgresStore;
use super::open::KNOWN;
use crate::ingest::rebuild_if_outdated;
use crate::store::sql::Desks;
use crate::store::{Store, StoreError};
use crate::world::RealWorld;
use std::sync::Arc;

pub(crate) struct Fresh {
    pub store: PostgresStore,
}

async fn open(url: &str) -> PostgresStore {
    PostgresStore::open(url, Arc::new(RealWorld)).await.unwrap()
}

/// Does what waits for the server where it may.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.unwrap()
}

pub(crate) async fn fresh() -> Fresh {
    let url = aside(server::schema).await;
    Fresh { store: open(&url).await }
}

crate::conformance::suite!(super::fresh);

#[tokio::test]
async fn what_is_acknowledged_is_durable_whatever_the_server_would_have() {
    let url = aside(server::schema).await;
    let store = open(&url).await;
    let setting = |name: &'static str| {
        store.change(move |desk| {
            let sql = format!("SELECT current_setting('{name}')");
            desk.first("asking", &sql, &[], |row| row.get::<String>(0))
        })
    };
    let usual = aside(|| server::text("postgres", "SHOW synchronous_commit")).await;
    assert_eq!(usual, "off", "the server is set so that this can fail");
    assert_eq!(setting("synchronous_commit").await.unwrap().as_deref(), Some("on"));
    assert_eq!(setting("lock_timeout").await.unwrap().as_deref(), Some("20s"));
    assert_eq!(setting("idle_in_transaction_session_timeout").await.unwrap().as_deref(), Some("1min"));
    assert_eq!(setting("client_min_messages").await.unwrap().as_deref(), Some("warning"));
    assert_eq!(setting("transaction_isolation").await.unwrap().as_deref(), Some("read committed"));
    // A reader cannot write, whatever it is asked to do.
    let written = store.look(|desk| desk.run("writing", "DELETE FROM op", &[])).await;
    assert!(matches!(written, Err(StoreError::Away { .. } | StoreError::Database { .. })), "{written:?}");
}

#[tokio::test]
async fn what_the_hub_fails_at_is_set_aside_and_holds_nothing_up() {
    let fresh = fresh().await;
    let ask = async |sql| fresh.store.change(move |desk| desk.batch("asking", sql)).await.unwrap();
    crate::conformance::fault::what_the_hub_fails_at_is_set_aside_and_holds_nothing_up(&fresh.store, ask)
        .await;
}

#[tokio::test]
async fn a_hub_is_the_same_after_a_restart() {
    let url = aside(server::schema).await;
    let store = open(&url).await;
    let before = store.identity().clone();
    store.close().await;
    assert!(matches!(store.has_users().await, Err(StoreError::Stopped)));
    assert!(matches!(store.rebuild().await, Err(StoreError::Stopped)));
    let again = open(&url).await;
    let now = again.identity();
    assert_eq!((now.device, now.epoch), (before.device, before.epoch));
    assert_eq!(now.key.to_bytes(), before.key.to_bytes());
}

#[tokio::test]
async fn hubs_that_start_at_once_are_one() {
    let url = aside(server::database).await;
    let stores = futures::future::join_all((0..4).map(|_| open(&url))).await;
    let devices: Vec<_> = stores.iter().map(|store| store.identity().device).collect();
    assert_eq!(devices, [devices[0]; 4]);
}

#[tokio::test]
async fn a_database_that_cannot_be_used_is_refused_and_left_as_it_is() {
    let newer = aside(server::database).await;
    open(&newer).await.close().await;
    let at = newer.clone();
    aside(move || server::ask(&at, "UPDATE standpipe SET version = 99; DROP TABLE session")).await;
    let refused = PostgresStore::open(&newer, Arc::new(RealWorld)).await.err().unwrap();
    assert!(matches!(refused, StoreError::Newer { found: 99, known: KNOWN }), "{refused}");
    let tables =
        aside(move || server::number(&newer, "SELECT count(*) FROM pg_tables WHERE tablename = 'session'"))
            .await;
    assert_eq!(tables, 0);

    let latin = aside(|| {
        server::ask(
            "postgres",
            "CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C' LOCALE_PROVIDER 'libc'",
        );
        server::address("latin")
    })
    .await;
    let refused = PostgresStore::open(&latin, Arc::new(RealWorld)).await.err().unwrap();
    assert_eq!(refused.code(), "database-unsuitable");
    assert!(refused.to_string().contains("LATIN1"), "{refused}");
    let tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'";
    assert_eq!(aside(move || server::number(&latin, tables)).await, 0);

    for (url, word) in [
        ("mysql://host/x", "postgres://"),
        ("postgres://host/x?sslrootcert=/x", "sslmode=require"),
        ("postgres://host/x?sslmode=require&sslrootcert=/nowhere.pem", "/nowhere.pem"),
        ("postgres://host/x?colour=green", "colour"),
    ] {
        let refused = PostgresStore::open(url, Arc::new(RealWorld)).await.err().unwrap();
        assert_eq!(refused.code(), "database-unsuitable", "{refused}");
        assert!(refused.to_string().contains(word), "{refused}");
    }
    let other =
        PostgresStore::open("Postgres://hub:sesame@host/x?sslmode=require", Arc::new(RealWorld)).await;
    let refused = other.err().unwrap().to_string();
    assert!(refused.contains("postgres://") && !refused.contains("sesame"), "{refused}");
    let nobody =
        PostgresStore::open("postgres://hub@/x?host=/nowhere", Arc::new(RealWorld)).await.err().unwrap();
    assert!(matches!(nobody, StoreError::Away { .. }), "{nobody}");
}

#[tokio::test]
async fn a_database_that_was_put_back_is_the_same_hubs_with_another_epoch() {
    use crate::conformance::restore::{back_up, come_back, go_on};
    let url = aside(server::database).await;
    let store = open(&url).await;
    let mut backed = back_up(&store).await;
    store.close().await;
    let at = url.clone();
    let copy = aside(move || server::copy(&at)).await;
    let store = open(&url).await;
    let (before, lost) = (store.identity().clone(), go_on(&store, &mut backed).await);
    store.close().await;

    let put_back = open(&copy).await;
    let epoch = put_back.revive().await.unwrap();
    put_back.close().await;
    let restored = open(&copy).await;
    let now = restored.identity();
    assert_eq!((now.device, now.key.to_bytes(), now.epoch), (before.device, before.key.to_bytes(), epoch));
    assert_ne!(now.epoch, before.epoch);
    come_back(&restored, backed, lost).await;
}

/// Makes a database what the first layout was, with all that is in it.
const TO_FIRST_LAYOUT: &str = "DROP TABLE filing, seen_to; DROP INDEX op_deleted;
     ALTER TABLE hub DROP COLUMN projection, DROP COLUMN losses; UPDATE standpipe SET version = 1";

#[tokio::test]
async fn what_an_older_version_did_not_know_is_shown_after_an_update() {
    use crate::conformance::update::{KNOWN_BY_NOW, an_older_version_took, it_is_shown_after_an_update};
    let url = aside(server::database).await;
    let store = open(&url).await;
    an_older_version_took(&store).await;
    store.close().await;
    let ask = async |sql: &'static str| {
        let at = url.clone();
        aside(move || server::ask(&at, sql)).await;
    };
    ask(KNOWN_BY_NOW).await;
    ask(TO_FIRST_LAYOUT).await;
    let store = open(&url).await;
    it_is_shown_after_an_update(&store).await;
    let at = url.clone();
    let layout = aside(move || server::number(&at, "SELECT version FROM standpipe")).await;
    assert_eq!(layout, i64::from(KNOWN));

    // Whatever starts beside it: the rows are made anew once.
    ask("UPDATE hub SET projection = 0").await;
    let beside = open(&url).await;
    let (one, other) = futures::join!(
        rebuild_if_outdated(&store, Arc::new(RealWorld)),
        rebuild_if_outdated(&beside, Arc::new(RealWorld))
    );
    assert_ne!(one.unwrap(), other.unwrap());
}

#[tokio::test]
async fn a_server_is_spoken_with_over_tls_where_the_address_asks_for_it() {
    let (url, certificate) = aside(server::over_tls).await;
    let asked = format!("{url}?sslmode=verify-full&sslrootcert={}", certificate.display());
    let store = open(&asked).await;
    let sql = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    let is_secret = store.look(move |desk| desk.first("asking", sql, &[], |row| row.get::<bool>(0)));
    assert_eq!(is_secret.await.unwrap(), Some(true));
    store.serve().await.unwrap();
    store.close().await;

    let stranger = format!("{url}?sslmode=require");
    let elsewhere = asked.replace("@localhost", "@127.0.0.1");
    for url in [stranger, elsewhere] {
        let refused = PostgresStore::open(&url, Arc::new(RealWorld)).await.err().unwrap();
        assert!(matches!(refused, StoreError::Unsuitable { .. }), "{refused}");
        assert!(refused.to_string().contains("certificate of its server is not to be trusted"), "{refused}");
    }
}

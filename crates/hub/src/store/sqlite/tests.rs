//! The suite that every store passes, and what only a file can show.

use super::open::KNOWN;
use super::{AtRest, SqliteStore, revive};
use crate::blobs::{Blob, Book};
use crate::conformance::kit::{MORNING, StillWorld};
use crate::http::App;
use crate::secret::{Code, Token};
use crate::store::sql::{Desks, PROJECTIONS};
use crate::store::{Enrolment, NewDevice, Store, StoreError};
use crate::world::{RealWorld, World};
use ed25519_dalek::SigningKey;
use rusqlite::Connection;
use rusqlite::types::Value;
use standpipe_domain::ids::{DeviceId, Millis, Sha256};
use standpipe_oplog::chain::START;
use standpipe_oplog::pen::{Draft, Moment, Pen};
use standpipe_oplog::seal::jwk;
use standpipe_oplog::wire::{PushHead, encode_push};
use std::future::IntoFuture;
use std::sync::Arc;
use tempfile::TempDir;
use tokio::net::TcpListener;

pub(crate) struct Fresh {
    pub store: SqliteStore,
    _dir: TempDir,
}

async fn open(dir: &TempDir) -> Result<SqliteStore, StoreError> {
    SqliteStore::open(&dir.path().join("hub.db"), Arc::new(RealWorld)).await
}

pub(crate) async fn fresh() -> Fresh {
    let dir = TempDir::new().unwrap();
    Fresh { store: open(&dir).await.unwrap(), _dir: dir }
}

crate::conformance::suite!(super::fresh);

/// Every row of every table that is made out of the log.
fn dump(dir: &TempDir) -> Vec<(&'static str, Vec<Vec<Value>>)> {
    let connection = Connection::open(dir.path().join("hub.db")).unwrap();
    let dump = |table: &'static str| {
        let mut statement = connection.prepare(&format!("SELECT * FROM {table} ORDER BY 1, 2")).unwrap();
        let width = statement.column_count();
        let rows = statement.query_map([], |row| (0..width).map(|at| row.get(at)).collect()).unwrap();
        (table, rows.collect::<Result<_, _>>().unwrap())
    };
    PROJECTIONS.map(dump).into()
}

#[tokio::test]
async fn what_the_hub_fails_at_is_set_aside_and_holds_nothing_up() {
    let fresh = fresh().await;
    let ask = async |sql| fresh.store.change(move |desk| desk.batch("asking", sql)).await.unwrap();
    crate::conformance::fault::what_the_hub_fails_at_is_set_aside_and_holds_nothing_up(&fresh.store, ask)
        .await;
}

#[tokio::test]
async fn a_rebuild_gives_the_same_rows() {
    let dir = TempDir::new().unwrap();
    let store = open(&dir).await.unwrap();
    crate::conformance::views::a_rebuild_shows_the_same(&store).await;
    let before = dump(&dir);
    for (table, rows) in &before {
        assert!(!rows.is_empty(), "the story leaves something in {table}");
    }
    // Rows that are wrong do not outlive a rebuild.
    let vandal = Connection::open(dir.path().join("hub.db")).unwrap();
    vandal.execute("UPDATE checks SET answered = 99", []).unwrap();
    vandal.execute("DELETE FROM pin", []).unwrap();
    assert_ne!(dump(&dir), before);
    store.rebuild().await.unwrap();
    assert_eq!(dump(&dir), before);
}

#[tokio::test]
async fn a_restored_hub_settles_what_it_opened_again() {
    use crate::conformance::restore::{back_up, come_back, go_on};
    let (dir, backup) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let store = open(&dir).await.unwrap();
    let mut backed = back_up(&store).await;
    store.close().await;
    let copy = backup.path().join("hub.db");
    std::fs::copy(dir.path().join("hub.db"), &copy).unwrap();
    let store = open(&dir).await.unwrap();
    let lost = go_on(&store, &mut backed).await;
    store.close().await;
    let restored = open(&backup).await.unwrap();
    come_back(&restored, backed, lost).await;
}

#[tokio::test]
async fn what_an_older_version_did_not_know_is_shown_after_an_update() {
    use crate::conformance::update::{KNOWN_BY_NOW, an_older_version_took, it_is_shown_after_an_update};
    let dir = TempDir::new().unwrap();
    let store = open(&dir).await.unwrap();
    an_older_version_took(&store).await;
    store.close().await;
    Connection::open(dir.path().join("hub.db")).unwrap().execute_batch(KNOWN_BY_NOW).unwrap();
    it_is_shown_after_an_update(&open(&dir).await.unwrap()).await;
}

#[tokio::test]
async fn rows_that_waited_for_the_end_of_a_push_are_those_of_a_rebuild() {
    let dir = TempDir::new().unwrap();
    let store = open(&dir).await.unwrap();
    crate::conformance::ingest::each_transaction_of_a_push_is_judged_by_what_those_before_left(&store).await;
    let before = dump(&dir);
    store.rebuild().await.unwrap();
    assert_eq!(dump(&dir), before);
}

#[tokio::test]
async fn a_hub_is_the_same_after_a_restart() {
    let dir = TempDir::new().unwrap();
    let store = open(&dir).await.unwrap();
    let (device, epoch, key) =
        (store.identity().device, store.identity().epoch, store.identity().key.to_bytes());
    store.close().await;
    assert!(matches!(store.has_users().await, Err(StoreError::Stopped)));
    assert!(matches!(store.rebuild().await, Err(StoreError::Stopped)));
    let again = open(&dir).await.unwrap();
    let identity = again.identity();
    assert_eq!((identity.device, identity.epoch, identity.key.to_bytes()), (device, epoch, key));
    assert!(!format!("{identity:?}").contains("key"));
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_left_untouched() {
    let dir = TempDir::new().unwrap();
    open(&dir).await.unwrap().close().await;
    let file = dir.path().join("hub.db");
    Connection::open(&file).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let before = std::fs::read(&file).unwrap();
    let refused = open(&dir).await.err().unwrap();
    assert!(matches!(refused, StoreError::Newer { found: 99, known: KNOWN }));
    assert_eq!(refused.code(), "database-newer");
    assert_eq!(std::fs::read(&file).unwrap(), before);
}

#[tokio::test]
async fn what_was_written_is_durable_and_shared_by_readers() {
    let dir = TempDir::new().unwrap();
    let store = open(&dir).await.unwrap();
    let mode: (String, i64) = store
        .change(|desk| {
            let mode = desk.first("asking", "PRAGMA journal_mode", &[], |row| row.get(0))?.unwrap();
            let full = desk.first("asking", "PRAGMA synchronous", &[], |row| row.get(0))?.unwrap();
            Ok((mode, full))
        })
        .await
        .unwrap();
    assert_eq!(mode, ("wal".into(), 2));
    // A reader cannot write, whatever it is asked to do.
    let written = store.look(|desk| desk.run("writing", "DELETE FROM op", &[])).await;
    assert!(written.is_err());
}

#[tokio::test]
async fn a_full_disk_is_told_as_such_and_what_was_there_stays() {
    let dir = TempDir::new().unwrap();
    let store = open(&dir).await.unwrap();
    let blob = |n: u32| {
        let mut sha256 = Sha256([0; 32]);
        sha256.0[..4].copy_from_slice(&n.to_be_bytes());
        Blob { sha256, bytes: 1, media_type: "image/jpeg".into(), verified_at: Millis(0) }
    };
    let room = |pages: u32| {
        let sql = format!("PRAGMA max_page_count = {pages}");
        store.change(move |desk| desk.first("setting the room", &sql, &[], |_| Ok(())))
    };
    store.put_blob(blob(0), None).await.unwrap();
    // No page more than there are now.
    room(1).await.unwrap();
    let many = store.change(move |desk| (1..2_000).try_for_each(|n| desk.put_blob(&blob(n), None)));
    assert!(matches!(many.await, Err(StoreError::Full { .. })));
    assert_eq!(store.blobs(None, 10).await.unwrap(), [blob(0)]);
    room(1_000_000).await.unwrap();
    store.put_blob(blob(1), None).await.unwrap();
    assert_eq!(store.blobs(None, 10).await.unwrap(), [blob(0), blob(1)], "it goes on once there is room");
}

#[tokio::test]
async fn a_full_disk_is_told_to_the_tablet_that_pushes_and_the_same_push_is_taken_once_there_is_room() {
    let (dir, world) = (TempDir::new().unwrap(), StillWorld::new());
    let store = Arc::new(open(&dir).await.unwrap());
    crate::demo::estate(&*store, world.clone()).await.unwrap();
    let (code, token, key) =
        (Code::generate(&*world), Token::generate(&*world), SigningKey::from_bytes(&[7; 32]));
    let (name, person) = ("its tablet".into(), crate::demo::person("inspector"));
    store.offer(Enrolment { code: code.hash(), name, person, expires: Millis(MORNING.0 + 1) }).await.unwrap();
    let (id, key) = (DeviceId(world.uuid()), jwk(&key.verifying_key()));
    let new = NewDevice { id, key, token: token.hash(), version: "1".into() };
    let device = store.enrol(code.hash(), new, MORNING).await.unwrap().unwrap();
    let mut pen = Pen::new(device.id, device.site);
    let moment = Moment { now: MORNING, actor: person, tx: world.uuid() };
    let large = Draft::set("thing-of-tomorrow", world.uuid(), "text", "x".repeat(1 << 20).into(), None);
    let op = pen.write(large, world.uuid(), moment).unwrap();
    let head = PushHead { protocol: 1, incarnation: 1, after: 0, prev_hash: START };
    let body = encode_push(&head, [&*op.body]).unwrap();

    let app = App::open(dir.path(), store.clone(), world, false).await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let push = format!("http://{}/api/v1/sync/push", listener.local_addr().unwrap());
    tokio::spawn(axum::serve(listener, app.router()).into_future());
    let pushed = async || {
        let request = reqwest::Client::new().post(&push).bearer_auth(token.reveal()).body(body.clone());
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json::<serde_json::Value>().await.unwrap())
    };
    let room = |pages: u32| {
        let sql = format!("PRAGMA max_page_count = {pages}");
        store.change(move |desk| desk.first("setting the room", &sql, &[], |_| Ok(())))
    };
    room(1).await.unwrap();
    let (status, problem) = pushed().await;
    assert_eq!((status, &problem["code"]), (507, &"hub-full".into()), "{problem}");
    assert_eq!(store.held(device.id, 1).await.unwrap().last_seq, 0, "nothing was kept");
    room(1_000_000).await.unwrap();
    let (status, answer) = pushed().await;
    assert_eq!((status, &answer["acknowledged"]), (200, &1.into()), "{answer}");
}

/// A copy of a store in which the garden is.
async fn copied(dir: &TempDir) -> (SqliteStore, std::path::PathBuf) {
    let store = open(dir).await.unwrap();
    crate::demo::estate(&store, Arc::new(RealWorld)).await.unwrap();
    let copy = dir.path().join("copy.db");
    store.copy_to(&copy).await.unwrap();
    (store, copy)
}

#[tokio::test]
async fn a_copy_holds_what_was_there_and_reading_it_leaves_it_alone() {
    let dir = TempDir::new().unwrap();
    let (store, copy) = copied(&dir).await;
    let holds = AtRest::open(&copy).unwrap().holds().unwrap();
    assert_eq!((holds.hub, holds.epoch), (store.identity().device, store.identity().epoch));
    let (head, _) = store.sums(crate::demo::site(), vec![]).await.unwrap();
    let site = holds.sites.iter().find(|site| site.site == crate::demo::site()).unwrap();
    assert_eq!(site.head, head);
    let own = holds.chains.iter().find(|end| end.device == holds.hub).unwrap();
    let held = store.held(holds.hub, own.incarnation).await.unwrap();
    assert_eq!((own.dev_seq, own.hash), (held.last_seq, held.last_hash));
    assert!(head > 0 && own.dev_seq > 0);
    AtRest::open(&copy).unwrap().is_sound().unwrap();
    let names = std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name());
    let beside = names.filter(|name| name.to_string_lossy().starts_with("copy.db"));
    assert_eq!(beside.collect::<Vec<_>>(), ["copy.db"], "one file, and none beside it");
    assert!(store.copy_to(&copy).await.is_err(), "what is there is not written over");
}

#[tokio::test]
async fn a_copy_with_gaps_or_wrong_bytes_is_not_sound() {
    let dir = TempDir::new().unwrap();
    let (_store, copy) = copied(&dir).await;
    let whole = std::fs::read(&copy).unwrap();
    for gap in [
        "DELETE FROM op WHERE seq = 2",
        "DELETE FROM op WHERE seq = 1",
        "DELETE FROM chain WHERE dev_seq = 2",
    ] {
        std::fs::write(&copy, &whole).unwrap();
        Connection::open(&copy).unwrap().execute(gap, []).unwrap();
        let told = AtRest::open(&copy).unwrap().is_sound().unwrap_err();
        assert!(told.to_string().contains("missing from the middle"), "{gap}: {told}");
    }
    // An index that does not fit its table.
    std::fs::write(&copy, &whole).unwrap();
    let vandal = Connection::open(&copy).unwrap();
    vandal.pragma_update(None, "writable_schema", true).unwrap();
    let sql = "UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = 'quarantine_of_tx')
               WHERE name = 'op_of_record'";
    vandal.execute(sql, []).unwrap();
    drop(vandal);
    assert!(matches!(AtRest::open(&copy).unwrap().is_sound(), Err(StoreError::Unreadable { .. })));
}

#[tokio::test]
async fn a_revived_database_is_the_same_hubs_with_another_epoch() {
    let dir = TempDir::new().unwrap();
    let (store, copy) = copied(&dir).await;
    let epoch = revive(&copy, &[], &RealWorld).unwrap();
    let again = SqliteStore::open(&copy, Arc::new(RealWorld)).await.unwrap();
    let (before, now) = (store.identity(), again.identity());
    assert_eq!((now.device, now.key.to_bytes(), now.epoch), (before.device, before.key.to_bytes(), epoch));
    assert_ne!(now.epoch, before.epoch);
}

//! The program itself over PostgreSQL: an office moves there, is served, and outlives a database that goes away.

#[allow(dead_code, reason = "the store's own tests ask more of the server")]
#[path = "../../src/store/postgres/tests/server.rs"]
mod server;

use crate::stop::{PATIENCE, Running, run, text};
use reqwest::{Client, Response};
use rustix::process::Signal;
use serde_json::{Value, json};
use standpipe_domain::ids::Sha256;
use standpipe_hub::blobs::{Blob, Book};
use standpipe_hub::demo;
use standpipe_hub::http::{self, App};
use standpipe_hub::store::Store;
use standpipe_hub::store::postgres::PostgresStore;
use standpipe_hub::world::{RealWorld, World};
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.unwrap()
}

async fn sign_in(url: &str) -> Response {
    let sign_in = Client::new().post(format!("{url}/api/v1/session")).header("Standpipe-Client", "console");
    sign_in.json(&json!({ "name": "office", "password": demo::PASSWORD })).send().await.unwrap()
}

async fn rounds(url: &str) -> Value {
    let answer = sign_in(url).await;
    assert_eq!(answer.status(), 200);
    let cookie = answer.headers()["set-cookie"].clone();
    let rounds = Client::new().get(format!("{url}/api/v1/rounds")).header("Cookie", cookie);
    rounds.send().await.unwrap().json().await.unwrap()
}

async fn refused(data: &Path, arguments: &[&str], why: &str) {
    let ended = run(data, arguments).await;
    assert!(!ended.status.success(), "{arguments:?}");
    let told = text(&ended.stderr);
    assert!(told.contains(why), "{arguments:?}: {told}");
    assert!(!told.contains("sesame"), "a password is not shown: {told}");
}

/// The same address, with a password that the server does not ask for.
fn with_password(url: &str) -> String {
    url.replacen("hub@", "hub:sesame@", 1)
}

#[tokio::test]
async fn an_office_moves_to_postgresql_and_is_served_from_there() {
    let dir = TempDir::new().unwrap();
    let hub = Running::start(dir.path(), &["--demo"]).await;
    let before = rounds(&hub.url).await;
    let url = with_password(&aside(server::database).await);
    let data = dir.path().to_str().unwrap().to_owned();
    let migrate = ["migrate", "--from", &data, "--to", &url];
    refused(dir.path(), &migrate, "another hub serves the data folder").await;
    hub.terminate(Signal::TERM).await;

    let early = ["serve", "--listen", "127.0.0.1:0", "--database", &url];
    refused(dir.path(), &early, "move it there first").await;
    let nothing = TempDir::new().unwrap();
    let from = nothing.path().to_str().unwrap();
    refused(dir.path(), &["migrate", "--from", from, "--to", &url], "there is no office").await;
    for again in [false, true] {
        let moved = run(dir.path(), &migrate).await;
        assert!(moved.status.success(), "{}", text(&moved.stderr));
        assert_eq!(text(&moved.stdout).contains("already"), again, "{}", text(&moved.stdout));
        if !again {
            // Killed before it could say that the move holds.
            std::fs::write(dir.path().join("moved"), "begun").unwrap();
        }
    }
    refused(dir.path(), &migrate, "was moved already").await;
    let named = ["migrate", "--from", &data, "--database", &url];
    refused(dir.path(), &named, "was moved already").await;
    refused(dir.path(), &["migrate", "--from", &data], "and the database with --database").await;
    let empty = aside(server::database).await;
    let elsewhere = ["serve", "--listen", "127.0.0.1:0", "--database", &empty];
    refused(dir.path(), &elsewhere, "was moved to another database than this one").await;
    for verify in [&["verify"][..], &["verify", "--withdraw"]] {
        refused(nothing.path(), &[verify, &["--database", &url]].concat(), "there are no photos in").await;
    }
    let enrol = ["tablet", "enrol", "--name", "平板", "--person", "检查员甲", "--database"];
    refused(nothing.path(), &[&enrol[..], &[&empty]].concat(), "the database holds no office").await;
    assert_eq!(std::fs::read_dir(nothing.path()).unwrap().count(), 0, "nothing is made in a wrong folder");
    let serve = ["serve", "--listen", "127.0.0.1:0"];
    refused(dir.path(), &serve, "was moved to PostgreSQL: name it with --database").await;
    let to = nothing.path().join("backup");
    let backup = ["backup", "--to", to.to_str().unwrap()];
    refused(dir.path(), &backup, "was moved to PostgreSQL").await;
    refused(dir.path(), &[&backup[..], &["--database", &url]].concat(), "by that server's own means").await;

    let hub = Running::start(dir.path(), &["--database", &url]).await;
    assert_eq!(hub.said, Vec::<String>::new(), "nobody is founded anew");
    assert_eq!(rounds(&hub.url).await, before);
    let second = [&serve[..], &["--database", &url]].concat();
    refused(dir.path(), &second, "another hub serves the data folder").await;
    refused(nothing.path(), &second, "another hub serves it already").await;
    // Commands beside it are fine.
    let code =
        run(dir.path(), &["tablet", "enrol", "--name", "平板", "--person", "检查员甲", "--database", &url])
            .await;
    assert!(code.status.success(), "{}", text(&code.stderr));
    let whole = run(dir.path(), &["verify", "--database", &url]).await;
    assert!(text(&whole.stdout).contains("0 photos are whole"), "{}", text(&whole.stderr));
    hub.terminate(Signal::TERM).await;
    refused(dir.path(), &["restored"], "this is for a database of PostgreSQL").await;
    let restored = run(dir.path(), &["restored", "--database", &url]).await;
    assert!(restored.status.success(), "{}", text(&restored.stderr));
    // It left nothing behind that keeps the next one out.
    Running::start(dir.path(), &["--database", &url]).await.terminate(Signal::INT).await;

    // And back.
    let back = ["migrate", "--database", &url, "--to", &data];
    for (option, from) in [("--from", &url), ("--database", &url)] {
        refused(dir.path(), &["migrate", option, from, "--to", &url], "one is to be a folder").await;
    }
    refused(dir.path(), &["migrate", "--to", &data], "and the database with --database").await;
    refused(dir.path(), &["migrate", "--from", &empty, "--to", &data], "the database holds no office").await;
    std::fs::write(dir.path().join("moved"), "begun").unwrap();
    refused(dir.path(), &back, "it is not certain that it was moved").await;
    std::fs::write(dir.path().join("moved"), "moved").unwrap();
    let moved = run(dir.path(), &back).await;
    assert!(moved.status.success(), "{}", text(&moved.stderr));
    assert!(dir.path().join("hub.db.before").exists());
    refused(dir.path(), &back, "in its file hub.db already").await;
    refused(dir.path(), &second, "the database holds one too").await;
    let hub = Running::start(dir.path(), &[]).await;
    assert_eq!(rounds(&hub.url).await, before);
    hub.terminate(Signal::TERM).await;
}

#[tokio::test]
async fn a_database_that_goes_away_is_told_as_such_and_met_again() {
    let dir = TempDir::new().unwrap();
    let url = aside(server::database).await;
    let hub = Running::start(dir.path(), &["--demo", "--database", &url]).await;
    assert_eq!(rounds(&hub.url).await.as_array().map(Vec::len), Some(1));
    let name = url.split('/').nth(3).and_then(|rest| rest.split('?').next()).unwrap().to_owned();
    let admits = async |may: bool| {
        let sql = format!(
            "ALTER DATABASE {name} ALLOW_CONNECTIONS {may};
             SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE datname = '{name}'"
        );
        aside(move || sql.split(';').for_each(|sql| server::ask("postgres", sql))).await;
    };
    admits(false).await;
    let health = || Client::new().get(format!("{}/healthz", hub.url)).send();
    for answer in [health().await.unwrap(), sign_in(&hub.url).await] {
        assert_eq!(answer.status(), 503);
        assert_eq!(answer.headers()["retry-after"], "5");
        let problem: Value = answer.json().await.unwrap();
        assert_eq!(problem["code"], "database-away");
        assert_eq!(problem["details"]["wait_seconds"], 5);
    }
    admits(true).await;
    let back = async {
        // Connections of that moment may have been cut by the same word that let others in.
        while health().await.unwrap().status() != 200 {}
    };
    tokio::time::timeout(PATIENCE, back).await.unwrap();
    assert_eq!(rounds(&hub.url).await.as_array().map(Vec::len), Some(1));
    hub.terminate(Signal::TERM).await;
}

#[tokio::test]
async fn a_hub_whose_turn_another_took_ends() {
    let dir = TempDir::new().unwrap();
    let url = aside(server::database).await;
    let hub = Running::start(dir.path(), &["--demo", "--database", &url]).await;
    let at = url.clone();
    let taken = aside(move || server::take_turn(&at)).await;
    assert_eq!(hub.ended().await.code(), Some(1), "so that a supervisor starts it again");
    let serve = ["serve", "--listen", "127.0.0.1:0", "--database", &url];
    refused(dir.path(), &serve, "another hub serves it already").await;
    drop(taken);
    Running::start(dir.path(), &["--database", &url]).await.terminate(Signal::TERM).await;
}

#[tokio::test]
async fn a_hub_whose_standby_took_over_begins_another_epoch() {
    let dir = TempDir::new().unwrap();
    let own = Arc::new(aside(server::own).await);
    let url = own.address("postgres");
    let epoch = async || {
        let url = url.clone();
        aside(move || server::text(&url, "SELECT encode(epoch, 'hex') FROM hub")).await
    };
    Running::start(dir.path(), &["--demo", "--database", &url]).await.terminate(Signal::TERM).await;
    let before = epoch().await;
    let hub = Running::start(dir.path(), &["--database", &url]).await;
    assert_eq!(epoch().await, before, "a hub that was only started again is as it was");
    let of = Arc::clone(&own);
    aside(move || of.promote()).await;
    assert_eq!(hub.ended().await.code(), Some(1), "so that a supervisor starts it again");
    assert_eq!(epoch().await, before);

    let hub = Running::start(dir.path(), &["--demo", "--database", &url]).await;
    let after = epoch().await;
    assert_ne!(after, before);
    assert_eq!(rounds(&hub.url).await.as_array().map(Vec::len), Some(1));
    hub.terminate(Signal::TERM).await;
    Running::start(dir.path(), &["--database", &url]).await.terminate(Signal::TERM).await;
    assert_eq!(epoch().await, after, "once for each time");

    // As where it is taken over while the hub is stopped.
    let of = Arc::clone(&own);
    aside(move || of.promote()).await;
    Running::start(dir.path(), &["--database", &url]).await.terminate(Signal::TERM).await;
    assert_ne!(epoch().await, after);
}

#[tokio::test]
async fn a_hub_starts_over_no_folder_that_lacks_the_photos_and_at_no_database_that_lets_it_not_in() {
    let (dir, wrong) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let url = aside(server::database).await;
    let store = PostgresStore::open(&url, Arc::new(RealWorld)).await.unwrap();
    let photo = Blob {
        sha256: Sha256([7; 32]),
        bytes: 3,
        media_type: "image/jpeg".into(),
        verified_at: RealWorld.now(),
    };
    store.put_blob(photo, None).await.unwrap();
    store.close().await;
    let serve = ["serve", "--listen", "127.0.0.1:0", "--database", &url];
    for _ in 0..2 {
        refused(wrong.path(), &serve, "the database speaks of photos, and there are none in").await;
    }
    let blobs = wrong.path().join("blobs");
    assert!(!blobs.exists(), "it makes no folder that would look right the next time");
    std::fs::create_dir(&blobs).unwrap();
    refused(wrong.path(), &serve, "the database speaks of photos").await;
    // Where there are some, they are the office's: which of them are lost is for `verify`.
    std::fs::create_dir_all(dir.path().join("blobs/ab")).unwrap();
    Running::start(dir.path(), &["--database", &url]).await.terminate(Signal::TERM).await;
    // Where all are lost for good.
    let verify = run(wrong.path(), &["verify", "--withdraw", "--database", &url]).await;
    assert!(text(&verify.stdout).contains("1 missing"), "{}", text(&verify.stderr));
    Running::start(wrong.path(), &["--database", &url]).await.terminate(Signal::TERM).await;

    let nowhere = url.replacen("hub@/", "hub@/nowhere_", 1);
    let serve = ["serve", "--listen", "127.0.0.1:0", "--database", &nowhere];
    refused(dir.path(), &serve, "its server has no database nowhere_").await;
}

/// A hub's HTTP over that store, at an address of its own.
async fn answering(data: &Path, store: Arc<PostgresStore>) -> (String, oneshot::Sender<()>) {
    let app = App::open(data, store, Arc::new(RealWorld), false).await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (stop, stopped) = oneshot::channel();
    tokio::spawn(http::serve(app, listener, async move {
        let _ = stopped.await;
    }));
    (url, stop)
}

#[tokio::test]
async fn what_one_process_is_told_another_shows() {
    let dir = TempDir::new().unwrap();
    let url = aside(server::database).await;
    let world = Arc::new(RealWorld);
    let one = Arc::new(PostgresStore::open(&url, world.clone()).await.unwrap());
    let other = Arc::new(PostgresStore::open(&url, world.clone()).await.unwrap());
    demo::load(&*one, world).await.unwrap();
    other.listen().await.unwrap();
    let (here, _here) = answering(dir.path(), Arc::clone(&one)).await;
    let (there, _there) = answering(dir.path(), Arc::clone(&other)).await;

    // Who signed in at one is signed in at the other.
    let answer = sign_in(&here).await;
    assert_eq!(answer.status(), 200);
    let cookie = answer.headers()["set-cookie"].clone();
    let ask = |path: &str| Client::new().get(format!("{there}/api/v1/{path}")).header("Cookie", &cookie);
    let mut news = ask("events").send().await.unwrap();
    assert_eq!(news.status(), 200);
    let mut hear = async || {
        let changed = async {
            loop {
                let said = news.chunk().await.unwrap().expect("the line stays open");
                if text(&said).contains("changed") {
                    break;
                }
            }
        };
        tokio::time::timeout(PATIENCE, changed).await.expect("news");
    };
    hear().await;

    // A password that is set at one ends the session at the other; what is written at one is news at the other.
    let office = one.user("office").await.unwrap().unwrap();
    let by: &dyn Store = &*one;
    by.transact(|ledger| {
        ledger.poke(demo::site());
        Ok(())
    })
    .await
    .unwrap();
    hear().await;
    assert_eq!(ask("session").send().await.unwrap().status(), 200);
    one.put_user(office).await.unwrap();
    assert_eq!(ask("session").send().await.unwrap().status(), 401);
    one.close().await;
    other.close().await;
}

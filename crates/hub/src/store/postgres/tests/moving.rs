//! An office that moves from a folder into PostgreSQL.

use super::{aside, open, server};
use crate::conformance::kit::{Tablet, answers, check, log};
use crate::conformance::text;
use crate::conformance::views::a_rebuild_shows_the_same;
use crate::demo;
use crate::store::postgres::{Moved, move_in};
use crate::store::sqlite::SqliteStore;
use crate::store::{Store, StoreError};
use crate::world::{RealWorld, World};
use rusqlite::Connection;
use standpipe_domain::answer::Outcome;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;

fn world() -> Arc<dyn World> {
    Arc::new(RealWorld)
}

/// A folder in which an office has worked: something is in every table that a story leaves something in.
async fn office() -> (TempDir, PathBuf, SqliteStore) {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("hub.db");
    let store = SqliteStore::open(&file, world()).await.unwrap();
    a_rebuild_shows_the_same(&store).await;
    (dir, file, store)
}

async fn moved(file: &Path, url: &str) -> Result<Moved, StoreError> {
    move_in(file, url, world(), || Ok(())).await
}

async fn rows(url: &str, table: &str) -> i64 {
    let (url, sql) = (url.to_owned(), format!("SELECT count(*) FROM {table}"));
    aside(move || server::number(&url, &sql)).await
}

#[tokio::test]
async fn an_office_that_moved_is_the_same_and_goes_on() {
    let (_dir, file, store) = office().await;
    let (identity, before) = (store.identity().clone(), log(&store).await);
    let day = jiff::civil::date(2023, 7, 1);
    let (rounds, issues) = (
        (&store as &dyn Store).rounds(day).await.unwrap(),
        (&store as &dyn Store).issues(&standpipe_domain::office::IssueFilter::default(), day).await.unwrap(),
    );
    store.close().await;

    let url = aside(server::database).await;
    assert_eq!(moved(&file, &url).await.unwrap(), Moved { operations: before.next, was_there: false });
    let there = open(&url).await;
    let now = there.identity();
    assert_eq!((now.device, now.epoch), (identity.device, identity.epoch));
    assert_eq!(now.key.to_bytes(), identity.key.to_bytes());
    assert_eq!(log(&there).await, before, "byte for byte, with the sum");
    let by: &dyn Store = &there;
    assert_eq!(by.rounds(day).await.unwrap(), rounds);
    let filter = standpipe_domain::office::IssueFilter::default();
    assert_eq!(by.issues(&filter, day).await.unwrap(), issues);

    // Once more: it is there. Once it has worked on, it is not put back to what it was.
    assert!(moved(&file, &url).await.unwrap().was_there);
    let kit = crate::conformance::kit::StillWorld::new();
    kit.wait(1_000_000);
    let mut tablet = Tablet::enrol(&there, &kit, "property").await;
    let drafts = [answers(check("B22-LG"), "door-seal", Outcome::Pass, None)];
    tablet.write(drafts);
    tablet.push(&there).await;
    let refused = moved(&file, &url).await.unwrap_err();
    assert_eq!(refused.code(), "database-unsuitable", "{refused}");
    there.rebuild().await.unwrap();
    assert_eq!(there.sums(demo::site(), vec![before.next]).await.unwrap().1, [before.checksum]);
}

#[tokio::test]
async fn a_move_that_fails_leaves_nothing_and_can_be_done_again() {
    let (_dir, file, store) = office().await;
    store.close().await;
    let url = aside(server::database).await;
    let stopped = move_in(&file, &url, world(), || Err(io::Error::other("no room for a mark"))).await;
    assert!(matches!(stopped, Err(StoreError::Database { .. })), "{stopped:?}");
    assert_eq!((rows(&url, "op").await, rows(&url, "account").await), (0, 0));

    // Cut at the last moment: whoever runs it again hears how it stands.
    let at = url.clone();
    let cut = move || {
        server::cut(&at);
        Ok(())
    };
    let told = move_in(&file, &url, world(), cut).await.unwrap_err();
    assert_eq!(told.code(), "database-away", "{told}");
    assert_eq!(rows(&url, "op").await, 0);

    // A log whose sums are wrong is not moved, however faithfully it would be.
    let whole = std::fs::read(&file).unwrap();
    for harm in ["UPDATE op SET checksum = checksum + 1 WHERE seq = 3", "DELETE FROM op WHERE seq = 2"] {
        Connection::open(&file).unwrap().execute(harm, []).unwrap();
        let told = moved(&file, &url).await.unwrap_err();
        assert!(matches!(told, StoreError::Unreadable { .. }), "{harm}: {told}");
        assert_eq!(rows(&url, "op").await, 0);
        std::fs::write(&file, &whole).unwrap();
    }
    assert!(!moved(&file, &url).await.unwrap().was_there);
}

#[tokio::test]
async fn any_text_moves_as_it_is() {
    let dir = TempDir::new().unwrap();
    for n in 0..3 {
        let file = dir.path().join(format!("{n}.db"));
        let store = SqliteStore::open(&file, world()).await.unwrap();
        match n {
            0 => text::an_operation_may_hold_any_text(&store).await,
            1 => text::what_is_set_aside_may_hold_any_text(&store).await,
            _ => text::names_may_be_any_text(&store).await,
        }
        let aside = async |store: &dyn Store| store.set_aside().await.unwrap().listed;
        let (log, was, tablets) = (log(&store).await, aside(&store).await, store.tablets().await.unwrap());
        store.close().await;
        let url = super::aside(server::schema).await;
        moved(&file, &url).await.unwrap();
        let there = open(&url).await;
        assert_eq!(self::log(&there).await, log);
        assert_eq!(aside(&there).await, was);
        assert_eq!(there.tablets().await.unwrap(), tablets);
    }
}

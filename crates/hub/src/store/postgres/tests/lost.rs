//! The database goes away, in the middle of it and between.

use super::server::cut;
use super::{aside, open, server};
use crate::conformance::kit::{MORNING, Tablet, answers, check, garden, log};
use crate::demo;
use crate::ingest::{NotTaken, Room, push};
use crate::office::{Hand, write};
use crate::store::postgres::PostgresStore;
use crate::store::sql::{Desk, Desks};
use crate::store::{Store, StoreError};
use futures::future::{Either, join_all, select};
use futures::join;
use serde_json::json;
use standpipe_domain::answer::Outcome;
use standpipe_domain::record::entity;
use standpipe_oplog::chain::START;
use standpipe_oplog::pen::Draft;
use standpipe_oplog::wire::{PushHead, encode_push};
use std::sync::mpsc::channel;
use tempfile::TempDir;
use tokio::sync::oneshot;

fn pass(item: &str) -> Draft {
    answers(check("P1-KZ"), item, Outcome::Pass, None)
}

#[tokio::test]
async fn connections_that_were_lost_while_nobody_asked_are_met_by_fresh_ones() {
    let url = aside(server::database).await;
    let store = open(&url).await;
    let (_, mut tablet) = garden(&store).await;
    for item in ["panel-clear", "log-filled"] {
        let at = url.clone();
        aside(move || cut(&at)).await;
        tablet.record(&store, [pass(item)]).await;
        let at = url.clone();
        aside(move || cut(&at)).await;
        assert_eq!(store.held(tablet.device.id, 1).await.unwrap().last_seq, tablet.pen.last_seq);
    }
}

#[tokio::test]
async fn what_is_cut_in_the_middle_is_told_and_leaves_nothing() {
    let url = aside(server::database).await;
    let store = open(&url).await;
    let (world, mut tablet) = garden(&store).await;
    let before = log(&store).await;
    let note = |n: u32| Draft::set(entity::CHECK, check("P1-KZ").0, format!("note-{n}"), json!(n), None);
    let hand = Hand { scope: demo::site(), actor: demo::person("office"), now: MORNING };
    let by: &dyn Store = &store;
    // One cuts the line before its first statement, behind its last one, and while it reads; the others stand beside it.
    for place in 0..3 {
        let ((began, begun), (go, gate)) = (oneshot::channel(), channel());
        let mut ahead = Box::pin(by.transact(move |_| {
            began.send(()).unwrap();
            // Until the others wait, so that they share a transaction.
            gate.recv().unwrap();
            Ok(())
        }));
        assert!(matches!(select(&mut ahead, begun).await, Either::Right(_)));
        let works = (0..5).map(|n| {
            let (world, url) = (world.clone(), url.clone());
            by.transact(move |ledger| {
                if (n, place) == (2, 0) {
                    cut(&url);
                }
                write(ledger, &*world, hand, [note(n)])?;
                if n == 2 && place > 0 {
                    cut(&url);
                }
                if place == 2 {
                    // It makes nothing of that, and would go on.
                    let _ = ledger.site();
                }
                Ok(())
            })
        });
        let (ahead, told, ()) = join!(ahead, join_all(works), async { go.send(()).unwrap() });
        ahead.unwrap();
        for told in told {
            let told = told.unwrap_err();
            assert!(matches!(told, StoreError::Away { .. }), "{told:?}");
            assert_eq!(told.code(), "database-away");
        }
        assert_eq!(log(&store).await, before, "nothing of any of them");
    }
    tablet.record(&store, [pass("panel-clear")]).await;
    assert_eq!(log(&store).await.next, before.next + 1);
    store.rebuild().await.unwrap();
}

/// A line between the hub and the database that loses the answer to one COMMIT.
mod line {
    use std::io::{Read, Write};
    use std::os::unix::net::{UnixListener, UnixStream};
    use std::path::Path;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;

    /// Serves at the socket `at` what the server at `to` answers, until whoever holds the end of it is gone.
    pub fn lossy(at: &Path, to: &Path) -> Arc<AtomicBool> {
        let loses = Arc::new(AtomicBool::new(false));
        let (listener, to, flag) = (UnixListener::bind(at).unwrap(), to.to_owned(), Arc::clone(&loses));
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let (server, flag) = (UnixStream::connect(&to).unwrap(), Arc::clone(&flag));
                thread::spawn(move || carry(client, server, &flag));
            }
        });
        loses
    }

    fn carry(client: UnixStream, server: UnixStream, loses: &AtomicBool) {
        let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
        let lost = Arc::new(AtomicBool::new(false));
        let losing = Arc::clone(&lost);
        let (mut answers, mut back) = (server, client);
        let answering = thread::spawn(move || {
            let mut bytes = [0; 8192];
            while let Ok(read @ 1..) = answers.read(&mut bytes) {
                if losing.load(Ordering::SeqCst) {
                    // It was committed: this is the answer.
                    break;
                }
                if back.write_all(&bytes[..read]).is_err() {
                    break;
                }
            }
            let _ = back.shutdown(std::net::Shutdown::Both);
        });
        let mut bytes = [0; 8192];
        while let Ok(read @ 1..) = from.read(&mut bytes) {
            let commits = bytes[..read].windows(7).any(|word| word == b"COMMIT\0");
            if commits && loses.swap(false, Ordering::SeqCst) {
                lost.store(true, Ordering::SeqCst);
            }
            if to.write_all(&bytes[..read]).is_err() {
                break;
            }
        }
        let _ = to.shutdown(std::net::Shutdown::Both);
        let _ = answering.join();
    }
}

/// Pushes all of the tablet's chain.
async fn try_push(store: &PostgresStore, tablet: &Tablet) -> Result<u64, NotTaken> {
    let head = PushHead { protocol: 1, incarnation: 1, after: 0, prev_hash: START };
    let body = encode_push(&head, tablet.written.iter().map(|written| &*written.body)).unwrap();
    let pushed = push(store, tablet.world.clone(), &tablet.device, &body, Room::default()).await?;
    match pushed {
        crate::ingest::Pushed::Taken(answer) => Ok(answer.acknowledged),
        crate::ingest::Pushed::Conflict(conflict) => panic!("{conflict:?}"),
    }
}

#[tokio::test]
async fn a_commit_whose_answer_is_lost_is_told_as_not_kept_and_comes_again_without_doubles() {
    let url = aside(server::database).await;
    let (database, folder) = url.split_once("?host=").unwrap();
    let dir = TempDir::new().unwrap();
    let socket = ".s.PGSQL.5432";
    let loses = line::lossy(&dir.path().join(socket), &std::path::Path::new(folder).join(socket));
    let store = open(&format!("{database}?host={}", dir.path().display())).await;
    let (_, mut tablet) = garden(&store).await;
    let before = log(&store).await.next;
    tablet.write([pass("panel-clear"), pass("log-filled")]);

    loses.store(true, std::sync::atomic::Ordering::SeqCst);
    let told = try_push(&store, &tablet).await.unwrap_err();
    assert!(matches!(told, NotTaken::Store(StoreError::Away { .. })), "{told:?}");
    assert_eq!(log(&store).await.next, before + 2, "it was kept all the same");
    assert_eq!(try_push(&store, &tablet).await.unwrap(), 2, "and is acknowledged when it comes again");
    assert_eq!(log(&store).await.next, before + 2);
}

#[tokio::test]
async fn a_lock_that_somebody_holds_is_waited_for_once_and_as_long_as_the_address_says() {
    let url = aside(server::database).await;
    let store = open(&format!("{url}&options=-clock_timeout%3D1s")).await;
    garden(&store).await;
    let limit =
        |desk: &mut Desk<'_>| desk.first("asking", "SHOW lock_timeout", &[], |row| row.get::<String>(0));
    assert_eq!(store.look(limit).await.unwrap().as_deref(), Some("1s"));
    let (at, (begun, held), (go, gate)) = (url.clone(), channel(), channel());
    let holding = aside(move || {
        let mut holder = server::client(&at);
        let mut transaction = holder.transaction().unwrap();
        transaction.batch_execute("SELECT one FROM hub FOR UPDATE").unwrap();
        begun.send(()).unwrap();
        // Each connection that waits for it, until somebody was told.
        let waiting = "SELECT DISTINCT l.pid::bigint FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
                       WHERE NOT l.granted AND a.datname = current_database()";
        let (mut watch, mut seen) = (server::client(&at), std::collections::BTreeSet::<i64>::new());
        while gate.try_recv() == Err(std::sync::mpsc::TryRecvError::Empty) {
            seen.extend(watch.query(waiting, &[]).unwrap().iter().map(|row| row.get::<_, i64>(0)));
        }
        seen.len()
    });
    let by: &dyn Store = &store;
    let told = async {
        aside(move || held.recv().unwrap()).await;
        let told = by.transact(|_| Ok(())).await.unwrap_err();
        go.send(()).unwrap();
        told
    };
    let (waited, told) = join!(holding, told);
    assert!(matches!(told, StoreError::Away { .. }), "{told:?}");
    assert!(told.to_string().contains("lock timeout"), "{told}");
    assert_eq!(waited, 1);
    by.transact(|_| Ok(())).await.unwrap();
}

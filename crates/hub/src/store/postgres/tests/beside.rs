//! Several processes over one database.

use super::{aside, open, server};
use crate::conformance::kit::{MORNING, StillWorld, Tablet, garden, give_roles, log};
use crate::demo;
use crate::office::{Hand, write};
use crate::pull;
use crate::store::postgres::{Over, PostgresStore, Server};
use crate::store::{Doing, Enrolment, Ledger, NewDevice, Store, StoreError, enter};
use crate::world::{RealWorld, World};
use futures::future::join_all;
use serde_json::json;
use standpipe_domain::ids::{DeviceId, Millis, SiteId};
use standpipe_domain::record::entity;
use standpipe_oplog::chain::sha256;
use standpipe_oplog::checksum::Checksum;
use standpipe_oplog::pen::{Draft, Moment, Pen};
use standpipe_oplog::seal::jwk;
use standpipe_oplog::wire::decode_pull;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::time::timeout;
use uuid::Uuid;

/// Long enough for a busy machine; nothing waits for it to pass.
const LONG: Duration = Duration::from_secs(60);

/// Two hubs over one database, in which the garden is.
async fn two() -> (String, PostgresStore, PostgresStore, Arc<StillWorld>) {
    let url = aside(server::database).await;
    let (one, other) = (open(&url).await, open(&url).await);
    let (world, _) = garden(&one).await;
    (url, one, other, world)
}

/// Writes `count` transactions of three operations, all at once.
async fn note(store: &PostgresStore, world: &Arc<StillWorld>, count: u128) {
    let store: &dyn Store = store;
    let works = (0..count).map(|_| {
        let world = Arc::clone(world);
        store.transact(move |ledger| {
            let hand = Hand { scope: demo::site(), actor: demo::person("office"), now: MORNING };
            let id = world.uuid();
            let notes = ["a", "b", "c"].map(|field| Draft::set("note", id, field, json!(1), None));
            write(ledger, &*world, hand, notes)
        })
    });
    for done in join_all(works).await {
        done.unwrap();
    }
}

/// Takes in `count` transactions of three operations each, all at once, as of so many tablets.
async fn take_in(store: &PostgresStore, world: &Arc<StillWorld>, count: usize) {
    let store: &dyn Store = store;
    let works = (0..count).map(|_| {
        let world = Arc::clone(world);
        store.transact(move |ledger| {
            let mut pen = Pen::new(DeviceId(world.uuid()), demo::site());
            let moment = Moment { now: MORNING, actor: demo::person("inspector"), tx: world.uuid() };
            for field in ["a", "b", "c"] {
                let draft = Draft::set("note", world.uuid(), field, json!(1), None);
                let written = pen.write(draft, world.uuid(), moment).reading("writing")?;
                enter(ledger, &written, MORNING)?;
            }
            Ok(())
        })
    });
    for done in join_all(works).await {
        done.unwrap();
    }
}

#[tokio::test]
async fn a_cursor_skips_nothing_while_two_hubs_write() {
    let (url, one, other, world) = two().await;
    let before = log(&one).await.next;
    let expected = before + 2 * 60 * 3;
    let reader = open(&url).await;
    let (mut after, mut sum, mut pages) = (0, Checksum::default(), 0);
    let pull = async {
        while after < expected {
            let body = pull::page(&reader, demo::site(), after, 500, false, MORNING).await.unwrap();
            let (head, ops) = decode_pull(&body).unwrap();
            let seqs: Vec<u64> = ops.iter().map(|op| op.seq).collect();
            assert_eq!(seqs, (after + 1..=head.next).collect::<Vec<_>>(), "behind {after}");
            sum = sum + ops.iter().map(|op| Checksum::of(op.op.op_id, op.at, &op.body)).sum();
            assert_eq!(head.checksum, format!("{:016x}", sum.0), "up to {}", head.next);
            pages += u32::from(head.next > after);
            after = head.next;
        }
    };
    let wrote = async { tokio::join!(take_in(&one, &world, 60), take_in(&other, &world, 60)) };
    timeout(LONG, async { tokio::join!(pull, wrote) }).await.unwrap();
    assert_eq!(after, expected);
    assert!(pages > 2, "it read while they wrote: {pages}");
    assert_eq!(log(&one).await, log(&other).await);
    // Both write at one chain, too: the hub's own.
    let before = one.held(one.identity().device, 1).await.unwrap().last_seq;
    tokio::join!(note(&one, &world, 20), note(&other, &world, 20));
    assert_eq!(one.held(one.identity().device, 1).await.unwrap().last_seq, before + 2 * 20 * 3);
}

#[tokio::test]
async fn two_hubs_over_one_database_are_one() {
    let (_, one, other, world) = two().await;
    assert_eq!(one.identity().device, other.identity().device);
    assert_eq!(one.identity().epoch, other.identity().epoch);
    assert_eq!(one.identity().key.to_bytes(), other.identity().key.to_bytes());

    // A code works once, whichever of them is asked.
    let (person, expires) = (demo::person("inspector"), Millis(MORNING.0 + 10));
    for n in 0..20_u8 {
        let code = sha256(&[n]);
        one.offer(Enrolment { code, name: format!("{n}"), person, expires }).await.unwrap();
        let new = |by: u8| NewDevice {
            id: DeviceId(world.uuid()),
            key: jwk(&ed25519_dalek::SigningKey::from_bytes(&[by; 32]).verifying_key()),
            token: sha256(&[n, by]),
            version: "1".into(),
        };
        let (mine, theirs) =
            tokio::join!(one.enrol(code, new(1), MORNING), other.enrol(code, new(2), MORNING));
        let joined = [mine.unwrap(), theirs.unwrap()];
        assert_eq!(joined.iter().flatten().count(), 1, "{joined:?}");
    }

    // What one was told, the other judges by.
    let mut tablet = Tablet::enrol(&one, &world, "inspector").await;
    give_roles(&one, &world, "inspector", json!([])).await;
    let drafts = [Draft::set(entity::CHECK, Uuid::from_u128(7), "note", json!("x"), None)];
    assert_eq!(tablet.refused(&other, drafts).await, "not-allowed");
}

/// Pokes whoever listens for the site of that number.
async fn poke(store: &PostgresStore, site: u128) {
    let store: &dyn Store = store;
    let poke = move |ledger: &mut dyn Ledger| {
        ledger.poke(SiteId(Uuid::from_u128(site)));
        Ok(())
    };
    store.transact(poke).await.unwrap();
}

#[tokio::test]
async fn a_poke_crosses_from_one_hub_to_the_other() {
    let (url, one, other, world) = two().await;
    one.listen().await.unwrap();
    let mut changes = one.changes();
    let mut heard = async || timeout(LONG, changes.recv()).await.unwrap().unwrap();
    note(&other, &world, 1).await;
    assert_eq!(heard().await, demo::site());
    // One's own comes the short way, and not once more by the database.
    poke(&one, 1).await;
    poke(&other, 2).await;
    poke(&one, 3).await;
    poke(&other, 4).await;
    let mut all = Vec::new();
    for _ in 0..4 {
        all.push(heard().await.0.as_u128());
    }
    let by = |parity| all.iter().copied().filter(|site| site % 2 == parity).collect::<Vec<_>>();
    assert_eq!((by(1), by(0)), (vec![1, 3], vec![2, 4]));

    // Whoever was cut off may have missed some, and is poked once it hears again.
    aside(move || server::cut(&url)).await;
    assert_eq!(heard().await, demo::site());
    poke(&other, 5).await;
    assert_eq!(heard().await.0.as_u128(), 5);
    one.close().await;
    assert!(one.rebuild().await.is_err());
}

#[tokio::test]
async fn one_process_serves_a_database_at_a_time() {
    let (url, one, other, _) = two().await;
    one.serve().await.unwrap();
    let refused = other.serve().await.unwrap_err();
    assert_eq!(refused.code(), "database-unsuitable", "{refused}");
    one.close().await;
    other.serve().await.unwrap();
    // Whoever was cut off takes its turn again.
    let at = url.clone();
    aside(move || server::cut(&at)).await;
    let sql = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = (
                   SELECT oid FROM pg_database WHERE datname = current_database())";
    let third = url.clone();
    timeout(LONG, async {
        let mut at = url;
        while {
            let (locks, back) = aside(move || (server::number(&at, sql), at)).await;
            at = back;
            locks == 0
        } {}
    })
    .await
    .unwrap();
    let refused = open(&third).await.serve().await.unwrap_err();
    assert_eq!(refused.code(), "database-unsuitable");
}

#[tokio::test]
async fn a_hub_whose_turn_another_took_serves_nobody_any_more() {
    let (url, one, other, world) = two().await;
    one.serve().await.unwrap();
    let at = url.clone();
    let _taken = aside(move || server::take_turn(&at)).await;
    assert_eq!(timeout(LONG, one.over()).await.unwrap(), Over::Another);
    assert_eq!(one.is_over(), Some(Over::Another));
    let by: &dyn Store = &one;
    let wrote = by.transact(|_| Ok(())).await;
    assert!(matches!(wrote, Err(StoreError::Stopped)), "{wrote:?}");
    assert!(matches!(one.has_users().await, Err(StoreError::Stopped)));
    // Whoever does not serve works on.
    note(&other, &world, 1).await;
    one.close().await;
}

#[tokio::test]
async fn a_hub_that_was_cut_off_for_a_moment_serves_on() {
    let (url, one, _, world) = two().await;
    one.serve().await.unwrap();
    for _ in 0..5 {
        let at = url.clone();
        aside(move || server::cut_turn(&at)).await;
        // What is asked meanwhile waits until it is certain again whose turn it is.
        note(&one, &world, 3).await;
        one.has_users().await.unwrap();
        assert_eq!(one.is_over(), None);
    }
}

#[tokio::test]
async fn nothing_is_written_while_nobody_knows_whose_turn_it_is() {
    let url = aside(server::database).await;
    let world: Arc<dyn World> = Arc::new(RealWorld);
    let mut server = Server::of(&url, Arc::clone(&world)).unwrap();
    server.patience.unsure = Duration::from_millis(100);
    let one = PostgresStore::at(server, world).await.unwrap();
    let (still, _) = garden(&one).await;
    one.serve().await.unwrap();
    one.has_users().await.unwrap();
    let at = url.clone();
    aside(move || server::admits(&at, false)).await;
    let by: &dyn Store = &one;
    let refused = async {
        // The first of these may come before the loss is noticed.
        loop {
            if let Err(refused) = by.transact(|_| Ok(())).await {
                return refused;
            }
        }
    };
    let refused = timeout(LONG, refused).await.unwrap();
    assert!(matches!(refused, StoreError::Away { .. }), "{refused:?}");
    assert!(refused.to_string().contains("keeps other hubs from serving"), "{refused}");
    // Its other connections are as they were.
    one.has_users().await.unwrap();
    aside(move || server::admits(&url, true)).await;
    let back = async { while by.transact(|_| Ok(())).await.is_err() {} };
    timeout(LONG, back).await.unwrap();
    note(&one, &still, 1).await;
    assert_eq!(one.is_over(), None);
}

/// A line between the hub and the database that dies on the hub's side only.
mod line {
    use std::io::{Read, Write};
    use std::os::unix::net::{UnixListener, UnixStream};
    use std::path::Path;
    use std::sync::{Arc, Mutex};
    use std::{net::Shutdown, thread};

    #[derive(Default)]
    pub struct Line(Mutex<Vec<(UnixStream, UnixStream)>>);

    impl Line {
        /// Serves at the socket `at` what the server at `to` answers.
        pub fn open(at: &Path, to: &Path) -> Arc<Self> {
            let (line, listener, to) =
                (Arc::new(Self::default()), UnixListener::bind(at).unwrap(), to.to_owned());
            let ends = Arc::clone(&line);
            thread::spawn(move || {
                for client in listener.incoming().map_while(Result::ok) {
                    let server = UnixStream::connect(&to).unwrap();
                    let both = || (client.try_clone().unwrap(), server.try_clone().unwrap());
                    ends.0.lock().unwrap().push(both());
                    let ((from, to), (back, answers)) = (both(), both());
                    thread::spawn(move || carry(from, to));
                    thread::spawn(move || carry(answers, back));
                }
            });
            line
        }

        /// The hub's end of every connection is gone; the server's is silent.
        pub fn lose(&self) {
            for (client, _) in &*self.0.lock().unwrap() {
                let _ = client.shutdown(Shutdown::Both);
            }
        }
    }

    fn carry(mut from: UnixStream, mut to: UnixStream) {
        let mut bytes = [0; 8192];
        while let Ok(read @ 1..) = from.read(&mut bytes) {
            if to.write_all(&bytes[..read]).is_err() {
                break;
            }
        }
    }
}

#[tokio::test]
async fn a_line_of_ones_own_that_the_server_still_believes_in_is_no_other_hub() {
    let url = aside(server::database).await;
    let (database, folder) = url.split_once("?host=").unwrap();
    let dir = TempDir::new().unwrap();
    let socket = ".s.PGSQL.5432";
    let line = line::Line::open(&dir.path().join(socket), &Path::new(folder).join(socket));
    let one = open(&format!("{database}?host={}", dir.path().display())).await;
    let (world, _) = garden(&one).await;
    one.serve().await.unwrap();
    line.lose();
    // The first of these may meet the line that is lost.
    let by: &dyn Store = &one;
    while by.transact(|_| Ok(())).await.is_err() {
        assert_eq!(one.is_over(), None);
    }
    note(&one, &world, 3).await;
    assert_eq!(one.is_over(), None);
    let refused = open(&url).await.serve().await.unwrap_err();
    assert_eq!(refused.code(), "database-unsuitable", "it has its turn: {refused}");
}

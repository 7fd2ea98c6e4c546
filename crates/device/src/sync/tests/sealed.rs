//! Photos of others that somebody signed for.

use super::hub::Hub;
use super::tablet::{Tablet, evidence};
use crate::store::query::{self, Sealable};
use crate::store::{Store, StoreError};
use crate::testing::{OWNERS, ROUND};
use crate::world::TestWorld;
use ed25519_dalek::SigningKey;
use standpipe_domain::ids::{Millis, Sha256, SignOffId};
use standpipe_domain::record::{entity, set};
use standpipe_domain::round::{Round, RoundKind};
use standpipe_domain::signoff::{Point, SealedPhotos};
use standpipe_domain::sync::SyncState;
use standpipe_domain::words::Words;
use standpipe_oplog::chain::sha256;
use standpipe_oplog::op::{Kind, Op};
use standpipe_oplog::pen::Draft;
use standpipe_oplog::seal::{SealPayload, seal};
use std::sync::{Arc, Mutex};
use uuid::Uuid;

/// A colleague's photos, and their seal over them; the hub has the records.
fn sealed_by_a_colleague(hub: &Hub, photos: &[&[u8]]) -> Vec<Sha256> {
    sealed_for(hub, 0, photos)
}

/// The same, on a tablet and for a unit of this number.
fn sealed_for(hub: &Hub, number: u8, photos: &[&[u8]]) -> Vec<Sha256> {
    let colleague = Tablet::within(Arc::new(TestWorld::new(50 + u64::from(number))));
    colleague.enrol(&hub.address);
    let identity = colleague.store.identity().unwrap().unwrap();
    let hashes: Vec<Sha256> = photos.iter().map(|photo| sha256(photo)).collect();
    let sign_off = SignOffId(Uuid::from_u128(9 + u128::from(number)));
    let payload = SealPayload {
        sign_off,
        site: identity.site,
        round: ROUND,
        unit: OWNERS[usize::from(number)],
        name: "业主代表".into(),
        objection: None,
        strokes: vec![vec![Point(0, 0, 0), Point(5, 5, 9), Point(9, 2, 20)]],
        at: Millis(1),
        device: identity.device,
        inspector: identity.person,
        checks: vec![],
        findings: vec![],
        evidence: hashes.clone(),
    };
    let jws = seal(&payload, identity.device, &SigningKey::from_bytes(&identity.key.0)).unwrap();
    let record = |writing: &mut crate::store::Writing<'_>| {
        for (of, photo) in hashes.iter().zip(photos) {
            let value = serde_json::to_value(evidence(*of, photo.len())).unwrap();
            writing.record(Draft::add(entity::CHECK, Uuid::from_u128(6), set::PHOTOS, value))?;
        }
        let value = serde_json::to_value(jws).unwrap();
        let (entity, id) = (entity::SIGN_OFF, sign_off.0);
        writing.record(Draft { entity, id, kind: Kind::Seal, field: None, value, base_rev: None })
    };
    colleague.store.write("sealing photos", record).map_err(|error: StoreError| error).unwrap();
    for body in colleague.store.outbox(0).unwrap().bodies {
        let op: Op = serde_json::from_str(&body).unwrap();
        hub.kept().ops.push((op.op_id, body.into()));
    }
    hashes
}

/// How many of the sealed photos this tablet has to send, and how many others are not confirmed.
fn missing(store: &Store) -> (u32, u32) {
    let round = Round {
        id: ROUND,
        kind: RoundKind::SpotCheck,
        title: Words::same("Spot check"),
        due: "2023-07-01".parse().unwrap(),
        reason: None,
        present: vec![],
        sign_off_of: vec![OWNERS[0]],
    };
    let read = |conn: &rusqlite::Connection| query::sign_offs(conn, &round, &Sealable::default());
    let signed = store.read("reading a signature", read).unwrap().remove(0).signed.unwrap();
    (signed.photos_on_their_way, signed.photos_unconfirmed)
}

#[tokio::test]
async fn a_colleagues_photo_is_not_at_the_office_until_the_office_says_so() {
    let hub = Hub::start().await;
    let photos = sealed_by_a_colleague(&hub, &[b"one", b"two"]);
    // Small pictures go first, and say nothing of the originals.
    for of in &photos {
        hub.kept().thumbnails.insert(*of, b"small".to_vec());
    }
    Tablet::of(&hub)
        .play(async |tablet| {
            tablet.safe().await;
            tablet.pause().await;
            assert_eq!(missing(&tablet.store), (0, 2));

            // Somebody looks, and the first has arrived by now.
            hub.kept().verified.insert(photos[0], b"one".to_vec());
            tablet.standing.look_at(ROUND);
            tablet.pause().await;
            assert_eq!(missing(&tablet.store), (0, 1));

            hub.kept().verified.insert(photos[1], b"two".to_vec());
            hub.asked();
            tablet.standing.look_at(ROUND);
            tablet.pause().await;
            assert_eq!(missing(&tablet.store), (0, 0));
            let asked = |hub: &Hub| hub.asked().iter().filter(|line| line.ends_with("/blobs/status")).count();
            assert_eq!(asked(&hub), 1, "one question for all of them");
            tablet.go_on();
            tablet.pause().await;
            assert_eq!(asked(&hub), 0, "and none while nobody looks");

            // It has lost one since.
            hub.kept().verified.remove(&photos[0]);
            tablet.standing.look_at(ROUND);
            tablet.pause().await;
            assert_eq!(missing(&tablet.store), (0, 1));
        })
        .await;
}

#[tokio::test]
async fn what_the_office_had_of_others_is_asked_for_again_once_it_was_started_anew() {
    let hub = Hub::start().await;
    let photos = sealed_by_a_colleague(&hub, &[b"one", b"two"]);
    for (of, bytes) in photos.iter().zip([b"one", b"two"]) {
        hub.kept().thumbnails.insert(*of, b"small".to_vec());
        hub.kept().verified.insert(*of, bytes.to_vec());
    }
    Tablet::of(&hub)
        .play(async |tablet| {
            tablet.safe().await;
            tablet.standing.look_at(ROUND);
            tablet.pause().await;
            assert_eq!(missing(&tablet.store), (0, 0));
            // It stands on an older disk by now, which lacks one.
            hub.kept().run = Uuid::from_u128(66);
            hub.kept().verified.remove(&photos[0]);
            let (store, before) = (Arc::clone(&tablet.store), Arc::new(Mutex::new(None)));
            let seen = Arc::clone(&before);
            hub.rule("POST /blobs/status", move || {
                seen.lock().unwrap().get_or_insert_with(|| missing(&store));
                None
            });
            tablet.standing.due().greet = true;
            tablet.go_on();
            tablet.line(|line| line.state == SyncState::Checking).await;
            tablet.safe().await;
            assert_eq!(*before.lock().unwrap(), Some((0, 2)), "until it is asked, nobody knows of either");
            assert_eq!(missing(&tablet.store), (0, 1));
        })
        .await;
}

#[tokio::test]
async fn of_what_several_have_signed_each_photo_counts_once() {
    let hub = Hub::start().await;
    let first = sealed_for(&hub, 0, &[b"one", b"two"]);
    sealed_for(&hub, 1, &[b"two", b"three"]);
    let all = |tablet: &Tablet| {
        tablet
            .store
            .read("counting", |conn| query::sealed_photos(conn, ROUND))
            .map_err(|error: StoreError| error)
    };
    Tablet::of(&hub)
        .play(async |tablet| {
            tablet.safe().await;
            assert_eq!(missing(&tablet.store), (0, 2), "of the first seal");
            let SealedPhotos { on_their_way, unconfirmed } = all(tablet).unwrap();
            assert_eq!((on_their_way, unconfirmed), (0, 3));
            hub.kept().verified.insert(first[1], b"two".to_vec());
            tablet.pause().await;
            tablet.standing.look_at(ROUND);
            tablet.pause().await;
            assert_eq!(all(tablet).unwrap().unconfirmed, 2);
        })
        .await;
}

#[tokio::test]
async fn without_an_office_the_question_waits() {
    let hub = Hub::start().await;
    let of = sealed_by_a_colleague(&hub, &[b"one"])[0];
    hub.kept().verified.insert(of, b"one".to_vec());
    hub.kept().thumbnails.insert(of, b"small".to_vec());
    Tablet::of(&hub)
        .play(async |tablet| {
            tablet.safe().await;
            tablet.pause().await;
            let mut fails = 1;
            hub.rule("POST /blobs/status", move || {
                fails -= 1;
                (fails >= 0).then(super::hub::silence)
            });
            tablet.standing.look_at(ROUND);
            tablet.pause().await;
            assert_eq!(missing(&tablet.store), (0, 1));
            tablet.go_on();
            tablet.pause().await;
            assert_eq!(missing(&tablet.store), (0, 0));
        })
        .await;
}

#[tokio::test]
async fn without_a_signal_the_offices_last_word_on_photos_of_others_stands() {
    let hub = Hub::start().await;
    let photos = sealed_by_a_colleague(&hub, &[b"one", b"two"]);
    for (of, bytes) in photos.iter().zip([b"one", b"two"]) {
        hub.kept().thumbnails.insert(*of, b"small".to_vec());
        hub.kept().verified.insert(*of, bytes.to_vec());
    }
    let tablet = Tablet::of(&hub);
    let folder = Arc::clone(&tablet.folder);
    tablet
        .play(async |tablet| {
            tablet.safe().await;
            tablet.standing.look_at(ROUND);
            tablet.pause().await;
            assert_eq!(missing(&tablet.store), (0, 0));
        })
        .await;
    // The app is started again in a cellar, and once more where the office answers, which has lost one.
    hub.rule("", || Some(super::hub::silence()));
    Tablet::at(Arc::clone(&folder), Arc::new(TestWorld::new(2)))
        .play(async |tablet| {
            tablet.pause().await;
            assert_eq!(missing(&tablet.store), (0, 0));
        })
        .await;
    hub.behave();
    hub.kept().verified.remove(&photos[0]);
    Tablet::at(folder, Arc::new(TestWorld::new(3)))
        .play(async |tablet| {
            tablet.safe().await;
            assert_eq!(missing(&tablet.store), (0, 1));
        })
        .await;
}

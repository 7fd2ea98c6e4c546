//! Where the bytes of photos and clips are.

use super::kit::{MORNING, check, finding, garden, photo};
use crate::blobs::{ALLOWANCE, Allowance, Blob, BlobState, Upload};
use crate::demo;
use crate::store::{NotHere, Store};
use standpipe_domain::ids::{DeviceId, Millis, Sha256};
use standpipe_domain::record::entity;
use std::collections::BTreeMap;
use uuid::Uuid;

fn hash(n: u8) -> Sha256 {
    Sha256([n; 32])
}

fn blob(n: u8) -> Blob {
    Blob { sha256: hash(n), bytes: 100, media_type: "image/jpeg".into(), verified_at: MORNING }
}

fn upload(id: u128, n: u8, device: u128) -> Upload {
    Upload {
        id: Uuid::from_u128(id),
        sha256: hash(n),
        bytes: 100,
        arrived: 0,
        device: DeviceId(Uuid::from_u128(device)),
        opened: MORNING,
        touched: MORNING,
        metadata: "name cHVtcA==".into(),
    }
}

async fn begin(store: &dyn Store, upload: Upload) -> Upload {
    store.begin_upload(upload, ALLOWANCE).await.unwrap().expect("it is allowed")
}

async fn state(store: &dyn Store, n: u8) -> BlobState {
    store.blob_states(&[hash(n)]).await.unwrap()[&hash(n)]
}

pub async fn bytes_are_absent_then_partial_then_verified(store: &dyn Store) {
    assert_eq!(state(store, 1).await, BlobState::Absent);
    let begun = begin(store, upload(7, 1, 70)).await;
    assert_eq!(state(store, 1).await, BlobState::Partial);
    store.upload_at(begun.id, 60, MORNING).await.unwrap();
    assert_eq!(store.upload(begun.id).await.unwrap().unwrap().arrived, 60);
    assert_eq!(store.blob(hash(1)).await.unwrap(), None);

    store.put_blob(blob(1), Some(begun.id)).await.unwrap();
    assert_eq!(state(store, 1).await, BlobState::Verified);
    assert_eq!(store.blob(hash(1)).await.unwrap(), Some(blob(1)));
    assert_eq!(store.upload(begun.id).await.unwrap(), None, "it ended with it");
    let both = store.blob_states(&[hash(1), hash(2)]).await.unwrap();
    assert_eq!(both, BTreeMap::from([(hash(1), BlobState::Verified), (hash(2), BlobState::Absent)]));

    store.lost_blob(hash(1)).await.unwrap();
    assert_eq!(state(store, 1).await, BlobState::Absent, "the tablets are asked for it again");
}

pub async fn a_thumbnail_that_is_here_stays(store: &dyn Store) {
    let original = hash(1);
    store.link_thumbnail(original, hash(2), None).await.unwrap();
    assert_eq!(store.thumbnail(original).await.unwrap(), None, "its bytes are not here");
    store.link_thumbnail(original, hash(3), None).await.unwrap();
    store.put_blob(blob(3), None).await.unwrap();
    assert_eq!(store.thumbnail(original).await.unwrap(), Some(blob(3)), "the later name, while none is here");
    store.link_thumbnail(original, hash(4), None).await.unwrap();
    store.put_blob(blob(4), None).await.unwrap();
    assert_eq!(store.thumbnail(original).await.unwrap(), Some(blob(3)));
}

pub async fn whoever_recorded_a_photo_says_what_it_looks_like(store: &dyn Store) {
    let (_, mut tablet) = garden(store).await;
    let (original, add) = photo(entity::CHECK, check("B4-33-LG").0, b"door");
    store.put_blob(Blob { media_type: "text/plain".into(), ..blob(2) }, None).await.unwrap();
    store.put_blob(blob(3), None).await.unwrap();
    store.link_thumbnail(original, hash(2), Some(demo::person("branch"))).await.unwrap();
    assert_eq!(store.thumbnail(original).await.unwrap(), None, "a text is no picture");
    store.lost_blob(hash(2)).await.unwrap();
    tablet.record(store, [add]).await;
    store.link_thumbnail(original, hash(3), Some(demo::person("branch"))).await.unwrap();
    assert_eq!(store.thumbnail(original).await.unwrap(), None, "somebody else recorded it");
    store.link_thumbnail(original, hash(3), Some(tablet.device.person)).await.unwrap();
    assert_eq!(store.thumbnail(original).await.unwrap(), Some(blob(3)));
}

pub async fn a_device_has_one_upload_of_the_same_bytes(store: &dyn Store) {
    let first = begin(store, upload(7, 1, 70)).await;
    let again = begin(store, upload(8, 1, 70)).await;
    assert_eq!(again.id, first.id);
    let other = begin(store, upload(9, 1, 71)).await;
    assert_ne!(other.id, first.id, "what one tablet sends is not another's to end");
    begin(store, upload(10, 2, 70)).await;
    assert_eq!(store.uploads(Some(hash(1))).await.unwrap(), [first.clone(), other.clone()]);
    assert_eq!(store.uploads(None).await.unwrap().len(), 3);
    // The bytes are here; the other tablet's upload ends by itself, when it asks.
    store.put_blob(blob(1), Some(first.id)).await.unwrap();
    assert_eq!(store.uploads(Some(hash(1))).await.unwrap(), std::slice::from_ref(&other));
    store.end_upload(other.id).await.unwrap();
    assert_eq!(store.uploads(None).await.unwrap().len(), 1);
}

pub async fn a_device_begins_no_more_than_it_is_allowed(store: &dyn Store) {
    let fits = |upload: Upload, uploads, bytes| async move {
        let allowed = store.begin_upload(upload, Allowance { uploads, bytes });
        allowed.await.unwrap().is_some()
    };
    assert!(!fits(upload(7, 1, 70), 0, 1_000).await);
    assert!(!fits(upload(7, 1, 70), 1, 99).await);
    assert!(fits(upload(7, 1, 70), 1, 100).await);
    assert!(fits(upload(8, 1, 70), 1, 100).await, "the same bytes again are the same upload");
    assert!(!fits(upload(8, 2, 70), 1, 1_000).await);
    assert!(!fits(upload(8, 2, 70), 2, 199).await);
    assert!(fits(upload(8, 2, 71), 1, 100).await, "another's are not counted");
    store.end_upload(Uuid::from_u128(7)).await.unwrap();
    assert!(fits(upload(9, 2, 70), 1, 100).await, "what has ended is not counted");
}

pub async fn uploads_that_nobody_went_on_with_come_by_once(store: &dyn Store) {
    let begun: Vec<_> = (1..=5).map(|n| upload(n.into(), n, 70)).collect();
    for one in &begun {
        assert_eq!(&begin(store, one.clone()).await, one);
    }
    let later = Millis(MORNING.0 + 1);
    store.upload_at(begun[2].id, 60, later).await.unwrap();
    let untouched = |by, after| store.uploads_untouched(by, after, 2);
    let first = untouched(MORNING, None).await.unwrap();
    assert_eq!(first, begun[..2]);
    assert_eq!(untouched(MORNING, Some(begun[1].id)).await.unwrap(), begun[3..]);
    assert_eq!(untouched(later, Some(begun[1].id)).await.unwrap()[0].touched, later);
    assert_eq!(untouched(Millis(MORNING.0 - 1), None).await.unwrap(), []);
}

pub async fn photos_that_records_name_and_that_are_not_here_are_told_by_what_they_are_of(store: &dyn Store) {
    let (_, mut tablet) = garden(store).await;
    let check = check("B4-33-LG");
    let (id, finding) = finding(check, "door-seal", "封条破损");
    let (one, add_one) = photo(entity::CHECK, check.0, b"one");
    let (two, add_two) = photo(entity::FINDING, id.0, b"two");
    let (again, add_again) = photo(entity::FINDING, id.0, b"one");
    assert_eq!(one, again);
    tablet.record(store, [finding, add_one]).await;
    tablet.record(store, [add_two, add_again]).await;
    let found = store.not_here(1).await.unwrap();
    assert_eq!(found.total, 2, "each once, however many records name it");
    let [mention] = &found.first[..] else { panic!("{found:?}") };
    assert_eq!((mention.evidence.sha256, mention.tag.as_deref()), (one, Some("B4-33-LG")));
    assert_eq!(mention.by, "检查员甲");
    assert!(mention.at.len() > 2, "from the phase down to the asset: {mention:?}");
    assert_eq!(store.mention(two).await.unwrap().unwrap().tag.as_deref(), Some("B4-33-LG"), "of a finding");
    assert_eq!(store.mention(hash(9)).await.unwrap(), None);

    store.put_blob(Blob { sha256: one, ..blob(1) }, None).await.unwrap();
    assert_eq!(store.hashes_not_here().await.unwrap(), [two]);
    store.put_blob(Blob { sha256: two, ..blob(1) }, None).await.unwrap();
    assert_eq!(store.not_here(20).await.unwrap(), NotHere::default());
}

pub async fn every_blob_comes_by_once(store: &dyn Store) {
    for n in 1..=5 {
        store.put_blob(blob(n), None).await.unwrap();
    }
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let some = store.blobs(after, 2).await.unwrap();
        let Some(last) = some.last() else { break };
        after = Some(last.sha256);
        seen.extend(some.iter().map(|blob| blob.sha256));
    }
    assert_eq!(seen, (1..=5).map(hash).collect::<Vec<_>>());
}

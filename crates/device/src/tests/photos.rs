//! Photos and clips: whole and durable, or not there and said so.

use super::*;
use crate::engine::Picture;
use crate::store::blobs::{Role, UploadKey};
use serde_json::json;
use standpipe_domain::evidence::{Preview, Whereabouts};
use standpipe_domain::record::{entity, set};
use standpipe_domain::sync::Spot;
use standpipe_oplog::chain::sha256;
use standpipe_oplog::pen::Draft;

fn item(tablet: &Tablet) -> String {
    tablet.first_item(EXTINGUISHER)
}

#[test]
fn a_photo_lies_under_its_hash_and_gets_its_pictures() {
    let tablet = Tablet::new();
    let bytes = jpeg(5);
    let view = tablet.attach(EXTINGUISHER, &item(&tablet), "照片 1.jpg", &bytes).unwrap();
    assert_eq!(view.evidence.sha256, sha256(&bytes));
    assert_eq!(
        (view.evidence.media_type.as_str(), view.evidence.name.as_str()),
        ("image/jpeg", "照片 1.jpg")
    );
    assert_eq!(view.whereabouts, Whereabouts::SafeHere);
    let original = tablet.engine.picture(view.evidence.sha256, Picture::Original).unwrap();
    assert_eq!(fs::read(original).unwrap(), bytes);

    tablet.engine.finish_previews();
    let shown = &tablet.engine.check(check(EXTINGUISHER)).unwrap().photos[0];
    assert_eq!(shown.preview, Preview::Ready);
    for picture in [Picture::Thumb, Picture::Preview] {
        let path = tablet.engine.picture(view.evidence.sha256, picture).unwrap();
        assert_eq!(fs::read(path).unwrap()[..3], [0xFF, 0xD8, 0xFF], "{picture:?} is a JPEG");
    }
}

#[test]
fn one_photo_of_two_findings_is_stored_once_and_belongs_to_both() {
    let tablet = Tablet::new();
    let bytes = jpeg(7);
    for stop in [EXTINGUISHER, STANDPIPE] {
        let item = tablet.first_item(stop);
        tablet.find(stop, &item, &bytes);
    }
    tablet.engine.finish_previews();
    for stop in [EXTINGUISHER, STANDPIPE] {
        let findings = tablet.engine.check(check(stop)).unwrap().findings;
        assert_eq!(findings[0].photos[0].evidence.sha256, sha256(&bytes));
        assert_eq!(findings[0].photos[0].preview, Preview::Ready);
        assert_eq!(findings[0].lacks, []);
    }
    let waiting = tablet.engine.store().waiting().unwrap();
    assert_eq!((waiting.photos, waiting.bytes), (1, bytes.len() as u64), "it goes up once");
}

#[test]
fn the_same_photo_added_twice_to_one_item_is_there_once() {
    let tablet = Tablet::new();
    let item = item(&tablet);
    for _ in 0..2 {
        tablet.attach(EXTINGUISHER, &item, "1.jpg", &jpeg(2)).unwrap();
    }
    assert_eq!(tablet.engine.check(check(EXTINGUISHER)).unwrap().photos.len(), 1);
}

#[test]
fn a_photo_known_from_a_colleague_is_here_and_goes_up_once_it_was_taken_here_too() {
    let mut tablet = Tablet::new();
    let (item, bytes) = (item(&tablet), jpeg(3));
    let theirs = json!({"sha256": sha256(&bytes), "media_type": "image/jpeg", "bytes": bytes.len(), "name": "1.jpg",
                        "item": item, "at": 1});
    tablet.office.write([Draft::add(entity::CHECK, check(EXTINGUISHER).0, set::PHOTOS, theirs)]);
    assert!(tablet.office.deliver(tablet.engine.store()).unwrap());
    let photo = |tablet: &Tablet| tablet.engine.check(check(EXTINGUISHER)).unwrap().photos[0].clone();
    let by = Some("物业经理".to_owned());
    assert_eq!(photo(&tablet).whereabouts, Whereabouts::Elsewhere { at_office: None, by });
    tablet.attach(EXTINGUISHER, &item, "1.jpg", &bytes).unwrap();
    tablet.engine.finish_previews();
    assert_eq!((photo(&tablet).whereabouts, photo(&tablet).preview), (Whereabouts::SafeHere, Preview::Ready));
    let upload = tablet.engine.store().waiting().unwrap();
    assert_eq!((upload.photos, upload.bytes), (1, bytes.len() as u64), "the colleague may lose theirs");
}

#[test]
fn a_photo_taken_off_one_finding_stays_with_the_other() {
    let tablet = Tablet::new();
    let bytes = jpeg(9);
    let (one, other) = (tablet.first_item(EXTINGUISHER), tablet.first_item(STANDPIPE));
    tablet.find(EXTINGUISHER, &one, &bytes);
    tablet.find(STANDPIPE, &other, &bytes);
    let view = tablet.engine.detach(check(EXTINGUISHER), &one, sha256(&bytes)).unwrap();
    assert_eq!(view.findings[0].photos, []);
    assert_eq!(tablet.engine.check(check(STANDPIPE)).unwrap().findings[0].photos.len(), 1);
    let again = tablet.engine.detach(check(EXTINGUISHER), &one, sha256(&bytes)).unwrap_err();
    assert_eq!(again.code(), "unknown-photo");
    assert!(tablet.engine.picture(sha256(&bytes), Picture::Original).is_some(), "the bytes stay");
}

#[test]
fn a_photo_taken_before_the_item_failed_belongs_to_the_finding() {
    let tablet = Tablet::new();
    let item = item(&tablet);
    tablet.attach(EXTINGUISHER, &item, "before.jpg", &jpeg(1)).unwrap();
    let view = tablet.answer(EXTINGUISHER, &item, failing()).unwrap();
    assert_eq!((view.photos.len(), view.findings[0].photos.len()), (0, 1));
    tablet.attach(EXTINGUISHER, &item, "after.jpg", &jpeg(2)).unwrap();
    let view = tablet.engine.detach(check(EXTINGUISHER), &item, sha256(&jpeg(1))).unwrap();
    assert_eq!(view.findings[0].photos[0].evidence.name, "after.jpg");
}

#[test]
fn strange_files_are_kept_whole_and_say_what_they_are() {
    let tablet = Tablet::new();
    let mut broken = jpeg(4);
    broken.truncate(broken.len() / 2);
    let mut webm = vec![0x1A, 0x45, 0xDF, 0xA3, 0x87, 0x42, 0x82, 0x84];
    webm.extend_from_slice(b"webm rest");
    let none = |code: &str| Preview::None { code: code.into() };
    for (name, bytes, media_type, preview) in [
        ("text.jpg", b"not a photo at all".to_vec(), "application/octet-stream", none("not-a-picture")),
        ("broken.jpg", broken, "image/jpeg", none("broken")),
        ("clip.webm", webm, "video/webm", Preview::Clip),
    ] {
        let view = tablet.attach(EXTINGUISHER, &item(&tablet), name, &bytes).unwrap();
        assert_eq!(view.evidence.media_type, media_type, "{name}");
        tablet.engine.finish_previews();
        let photos = tablet.engine.check(check(EXTINGUISHER)).unwrap().photos;
        let shown = photos.iter().find(|shown| shown.evidence.name == name).unwrap();
        assert_eq!(shown.preview, preview, "{name}");
        let original = tablet.engine.picture(view.evidence.sha256, Picture::Original).unwrap();
        assert_eq!(fs::read(original).unwrap(), bytes, "{name} is kept whole");
    }
    assert_eq!(tablet.engine.store().waiting().unwrap().photos, 3, "all of them go up");
}

#[test]
fn an_empty_file_is_no_evidence() {
    let tablet = Tablet::new();
    assert_eq!(tablet.attach(EXTINGUISHER, &item(&tablet), "0.jpg", b"").unwrap_err().code(), "empty-file");
}

#[test]
fn a_file_that_is_cut_short_is_not_kept() {
    let tablet = Tablet::new();
    let to = AttachTo::Item { check: check(EXTINGUISHER), item: item(&tablet) };
    let upload = tablet.engine.attach_begin(NewFile { name: "1.jpg".into(), bytes: 100, to }).unwrap();
    assert_eq!(tablet.engine.attach_chunk(&upload, &[7; 60]).unwrap(), 60);
    let error = tablet.engine.attach_end(&upload).unwrap_err();
    assert_eq!(error.code(), "cut-short");
    assert_eq!(tablet.engine.check(check(EXTINGUISHER)).unwrap().photos, []);
    assert_eq!(fs::read_dir(tablet.folder.path().join("incoming")).unwrap().count(), 0);
    assert_eq!(tablet.engine.attach_end(&upload).unwrap_err().code(), "unknown-upload");
}

#[test]
fn what_was_half_in_when_the_app_ended_is_swept_away() {
    let tablet = Tablet::new();
    let to = AttachTo::Item { check: check(EXTINGUISHER), item: item(&tablet) };
    let upload = tablet.engine.attach_begin(NewFile { name: "1.jpg".into(), bytes: 100, to }).unwrap();
    tablet.engine.attach_chunk(&upload, &[7; 60]).unwrap();
    assert_eq!(fs::read_dir(tablet.folder.path().join("incoming")).unwrap().count(), 1);
    let tablet = tablet.after_power_failure();
    assert_eq!(fs::read_dir(tablet.folder.path().join("incoming")).unwrap().count(), 0);
}

#[test]
fn previews_that_were_not_finished_are_taken_up_at_the_next_start() {
    let tablet = Tablet::new();
    let view = tablet.attach(EXTINGUISHER, &item(&tablet), "1.jpg", &jpeg(6)).unwrap();
    tablet.engine.finish_previews();
    // As if the app had ended before.
    let store = tablet.engine.store();
    store
        .write::<_, Error>("unmaking a preview", |writing| {
            writing.execute("UPDATE blob SET preview = 'pending'", [])?;
            writing.execute("DELETE FROM upload WHERE role = 'thumbnail'", [])?;
            Ok(())
        })
        .unwrap();
    fs::remove_file(store.vault().path(view.evidence.sha256, Role::Thumbnail)).unwrap();
    let tablet = tablet.restarted();
    tablet.engine.finish_previews();
    assert!(tablet.engine.picture(view.evidence.sha256, Picture::Thumb).is_some());
    assert_eq!(tablet.engine.check(check(EXTINGUISHER)).unwrap().photos[0].preview, Preview::Ready);
}

#[test]
fn thumbnails_go_before_originals_and_neither_before_its_record() {
    let tablet = Tablet::new();
    let (first, second) = (jpeg(11), jpeg(13));
    tablet.attach(EXTINGUISHER, &item(&tablet), "1.jpg", &first).unwrap();
    let store = tablet.engine.store();
    tablet.engine.finish_previews();
    assert_eq!(store.next_upload().unwrap(), None, "the office does not know the record yet");
    store.acknowledge(store.chain_state().unwrap().id, store.chain_state().unwrap().last_seq, 0).unwrap();
    tablet.attach(EXTINGUISHER, &item(&tablet), "2.jpg", &second).unwrap();
    tablet.engine.finish_previews();

    let next = store.next_upload().unwrap().unwrap();
    assert_eq!((next.key.of, next.key.role), (sha256(&first), Role::Thumbnail));
    assert_eq!(sha256(&fs::read(&next.path).unwrap()), next.sha256);
    store.upload_verified(next.key).unwrap();
    store.acknowledge(store.chain_state().unwrap().id, store.chain_state().unwrap().last_seq, 0).unwrap();
    let next = store.next_upload().unwrap().unwrap();
    assert_eq!((next.key.of, next.key.role), (sha256(&second), Role::Thumbnail));
    store.upload_verified(next.key).unwrap();
    let next = store.next_upload().unwrap().unwrap();
    assert_eq!((next.key.of, next.key.role), (sha256(&first), Role::Original));
}

#[test]
fn where_a_photo_is_is_said_truly() {
    let tablet = Tablet::new();
    let bytes = jpeg(15);
    let item = item(&tablet);
    tablet.attach(EXTINGUISHER, &item, "1.jpg", &bytes).unwrap();
    tablet.engine.finish_previews();
    let store = tablet.engine.store();
    store.acknowledge(store.chain_state().unwrap().id, store.chain_state().unwrap().last_seq, 0).unwrap();
    let key = UploadKey { of: sha256(&bytes), role: Role::Original };
    let now = || tablet.engine.check(check(EXTINGUISHER)).unwrap().photos[0].whereabouts.clone();

    store.upload_created(key, "http://hub/blobs/1").unwrap();
    assert_eq!(now(), Whereabouts::SafeHere);
    store.upload_offset(key, bytes.len() as u64).unwrap();
    assert_eq!(now(), Whereabouts::Sending { percent: 99 }, "not before the hub has hashed it");
    assert_eq!(store.waiting().unwrap().photos, 1);
    store.upload_set_aside(key, "too-large").unwrap();
    assert_eq!(now(), Whereabouts::NeedsAttention { code: "too-large".into() });
    let detail = tablet.engine.sync_detail(tablet.today().sync).unwrap();
    assert_eq!(
        (detail.set_aside[0].photo.as_deref().unwrap(), detail.set_aside[0].code.as_str()),
        ("1.jpg", "too-large")
    );
    let spot = Spot::Check { round: ROUND, check: check(EXTINGUISHER), item: Some(item) };
    assert_eq!(detail.set_aside[0].spot, Some(spot));
    assert_eq!(detail.arrived, []);
    assert_eq!(store.waiting().unwrap().set_aside, 1);
    store.upload_retry_all(false).unwrap();
    assert_eq!(now(), Whereabouts::SafeHere);
    store.upload_verified(key).unwrap();
    assert_eq!(now(), Whereabouts::SafeAtOffice);
    assert_eq!(store.waiting().unwrap().photos, 0);
    let detail = tablet.engine.sync_detail(tablet.today().sync).unwrap();
    assert_eq!((detail.photos.len(), detail.arrived.len()), (0, 1));
    assert_eq!(detail.arrived[0].whereabouts, Whereabouts::SafeAtOffice);
}

#[test]
fn a_hub_that_lost_its_disk_is_offered_every_photo_again() {
    let tablet = Tablet::new();
    let bytes = jpeg(17);
    tablet.attach(EXTINGUISHER, &item(&tablet), "1.jpg", &bytes).unwrap();
    tablet.engine.finish_previews();
    let store = tablet.engine.store();
    let last = store.chain_state().unwrap().last_seq;
    let key = UploadKey { of: sha256(&bytes), role: Role::Original };
    let arrive = || {
        store.acknowledge(store.chain_state().unwrap().id, last, 0).unwrap();
        store.upload_verified(key).unwrap();
        assert_eq!(store.waiting().unwrap().photos, 0);
    };
    arrive();
    store.rewind(store.chain_state().unwrap().id, last).unwrap();
    assert_eq!(store.waiting().unwrap().photos, 0, "nothing was lost");
    store.rewind(store.chain_state().unwrap().id, 0).unwrap();
    assert_eq!(store.waiting().unwrap().photos, 1);
    arrive();
    let epoch = store.cursor().unwrap().0.unwrap();
    store.repaired(epoch, 0).unwrap();
    assert_eq!(store.waiting().unwrap().photos, 0, "the same hub, compared with");
    store.repaired(uuid::Uuid::from_u128(0xF), 0).unwrap();
    assert_eq!(store.waiting().unwrap().photos, 1);
}

#[test]
fn what_a_colleague_says_of_a_photo_keeps_it_from_nobody_who_took_it_too() {
    let mut tablet = Tablet::new();
    let (item, bytes) = (item(&tablet), jpeg(3));
    let wrong = json!({"sha256": sha256(&bytes), "media_type": "image/jpeg", "bytes": 7, "name": "1.jpg", "item": item, "at": 1});
    tablet.office.write([Draft::add(entity::CHECK, check(EXTINGUISHER).0, set::PHOTOS, wrong)]);
    tablet.office.deliver(tablet.engine.store()).unwrap();
    let store = tablet.engine.store();
    let in_line = || {
        tablet.attach(EXTINGUISHER, &item, "1.jpg", &bytes).unwrap();
        let told: (u64, u64, String) = store
            .read("looking", |conn| {
                let sql = "SELECT blob.bytes, upload.bytes, state FROM blob JOIN upload ON of = blob.sha256
                           WHERE role = 'original'";
                Ok::<_, Error>(conn.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?)
            })
            .unwrap();
        told
    };
    let length = bytes.len() as u64;
    assert_eq!(in_line(), (length, length, "waiting".into()));
    // As an earlier version left it, before it was tried or after.
    for state in ["created", "set-aside"] {
        store
            .write::<_, Error>("as before", |writing| {
                writing
                    .execute("UPDATE upload SET bytes = 7, state = ?1 WHERE role = 'original'", [state])?;
                Ok(())
            })
            .unwrap();
        assert_eq!(in_line(), (length, length, "waiting".into()), "{state}");
    }
    store.upload_created(UploadKey { of: sha256(&bytes), role: Role::Original }, "http://hub/1").unwrap();
    assert_eq!(in_line(), (length, length, "created".into()), "and goes on where it was");
}

#[test]
fn where_previews_are_made_in_place_none_holds_its_original_back() {
    let folder = TempDir::new().unwrap();
    let tablet = Tablet::new();
    let Tablet { engine, folder: _kept, world, office } = tablet;
    drop(engine);
    let engine = Engine::open_on_one_thread(folder.path(), world.clone()).unwrap();
    engine.enrol(&identity(1)).unwrap();
    let tablet = Tablet { engine, world, folder, office };
    tablet.office.deliver(tablet.engine.store()).unwrap();
    let store = tablet.engine.store();
    let next = || {
        let chain = store.chain_state().unwrap();
        store.acknowledge(chain.id, chain.last_seq, 0).unwrap();
        store.next_upload().unwrap().map(|next| (next.key.of, next.key.role))
    };
    let (first, second) = (jpeg(11), jpeg(13));
    let in_the_way = store.vault().preview(sha256(&first)).parent().unwrap().to_owned();
    fs::write(&in_the_way, "").unwrap();
    tablet.attach(EXTINGUISHER, &item(&tablet), "1.jpg", &first).unwrap();
    assert_eq!(next(), Some((sha256(&first), Role::Original)), "it cannot be made now");
    fs::remove_file(&in_the_way).unwrap();
    tablet.attach(EXTINGUISHER, &item(&tablet), "2.jpg", &second).unwrap();
    assert_eq!(next(), Some((sha256(&first), Role::Thumbnail)), "with the next one it is");
}

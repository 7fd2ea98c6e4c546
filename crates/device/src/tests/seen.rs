//! What was set aside and somebody has seen to: kept, told, and in nobody's way.

use super::*;
use crate::store::blobs::{Role, UploadKey};
use standpipe_domain::evidence::Whereabouts;
use standpipe_domain::sync::{AsideId, Kept, Seen, SyncDetail};
use standpipe_oplog::chain::sha256;
use standpipe_oplog::wire::Refused;
use uuid::Uuid;

fn detail(tablet: &Tablet) -> SyncDetail {
    tablet.engine.sync_detail(tablet.today().sync).unwrap()
}

/// How many things ask for somebody, and how many were seen to.
fn listed(tablet: &Tablet) -> (usize, usize) {
    let detail = detail(tablet);
    assert_eq!(tablet.engine.store().waiting().unwrap().set_aside as usize, detail.set_aside.len());
    (detail.set_aside.len(), detail.seen_to.len())
}

/// An answer that the office sets aside; gives its operation.
fn refused(tablet: &mut Tablet, code: &str) -> Uuid {
    let item = tablet.first_item(EXTINGUISHER);
    tablet.answer(EXTINGUISHER, &item, failing()).unwrap();
    let store = tablet.engine.store();
    tablet.office.take_from(store).unwrap();
    let op_id = tablet.office.log.last().unwrap().op.op_id;
    set_aside(tablet, op_id, code);
    op_id
}

fn set_aside(tablet: &Tablet, op_id: Uuid, code: &str) {
    let refused = Refused { op_id, code: code.into(), detail: String::new() };
    tablet.engine.store().set_aside(&[refused]).unwrap();
}

#[test]
fn what_was_seen_to_asks_for_nobody_and_is_kept_and_told_with_who_said_so_and_when() {
    let mut tablet = Tablet::new();
    let op_id = refused(&mut tablet, "sealed");
    let things = [AsideId::Record(op_id)];
    assert_eq!(listed(&tablet), (1, 0));
    let before = tablet.engine.check(check(EXTINGUISHER)).unwrap();

    tablet.engine.see_to(&things, true).unwrap();
    let at = tablet.engine.store().world().now();
    // The power fails behind it.
    let tablet = tablet.after_power_failure();
    assert_eq!(listed(&tablet), (0, 1));
    let told = detail(&tablet).seen_to.remove(0);
    assert_eq!((told.id, told.kept, told.code.as_str()), (things[0], Kept::AtOffice, "sealed"));
    assert_eq!(told.seen.as_ref().unwrap().by, "巡检员");
    assert!(told.seen.unwrap().at <= at);
    assert!(!told.content.is_empty() && told.spot.is_some(), "what was recorded, and where");
    let store = tablet.engine.store();
    assert_eq!(store.set_aside_ids().unwrap(), [op_id], "it is offered to the office as ever");
    assert_eq!(store.waiting().unwrap().not_there, 0, "the office keeps it");
    assert_eq!(tablet.engine.check(check(EXTINGUISHER)).unwrap(), before, "it does not count");

    // Judged again, and aside for another reason.
    set_aside(&tablet, op_id, "not-allowed");
    assert_eq!(listed(&tablet), (0, 1));
    tablet.engine.see_to(&things, false).unwrap();
    assert_eq!(listed(&tablet), (1, 0), "it is taken back");
    assert_eq!(detail(&tablet).set_aside[0].seen, None);
}

#[test]
fn what_the_office_takes_after_all_counts_and_asks_anew_should_it_be_set_aside_once_more() {
    for by_pages in [true, false] {
        let mut tablet = Tablet::new();
        let op_id = refused(&mut tablet, "not-allowed");
        tablet.engine.see_to(&[AsideId::Record(op_id)], true).unwrap();
        let store = tablet.engine.store();
        if by_pages {
            tablet.office.deliver(store).unwrap();
        } else {
            replace_all(&tablet);
        }
        assert_eq!(tablet.engine.check(check(EXTINGUISHER)).unwrap().answers.len(), 1);
        assert_eq!(listed(&tablet), (0, 0));
        tablet.engine.see_to(&[AsideId::Record(op_id)], true).unwrap();
        set_aside(&tablet, op_id, "sealed");
        assert_eq!(listed(&tablet), (1, 0), "nobody has seen to this");
    }
}

#[test]
fn a_record_that_the_office_has_not_got_is_told_as_such() {
    let mut tablet = Tablet::new();
    let op_id = refused(&mut tablet, "not-taken-back");
    assert_eq!(detail(&tablet).set_aside[0].kept, Kept::Here);
    tablet.engine.see_to(&[AsideId::Record(op_id)], true).unwrap();
    let store = tablet.engine.store();
    assert_eq!((store.waiting().unwrap().not_there, store.holds_the_rest().unwrap()), (1, true));
}

/// A photo of a check, with all of its records at the office.
fn photo(tablet: &Tablet) -> UploadKey {
    let bytes = jpeg(15);
    tablet.attach(EXTINGUISHER, &tablet.first_item(EXTINGUISHER), "1.jpg", &bytes).unwrap();
    tablet.engine.finish_previews();
    let store = tablet.engine.store();
    store.acknowledge(store.chain_state().unwrap().id, store.chain_state().unwrap().last_seq, 0).unwrap();
    UploadKey { of: sha256(&bytes), role: Role::Original }
}

#[test]
fn a_photo_that_is_lost_can_be_seen_to_and_one_that_is_whole_cannot() {
    for (code, kept) in [
        ("file-missing", Kept::Lost),
        ("file-damaged", Kept::Spoilt),
        ("hub-fault", Kept::Whole),
        ("too-large", Kept::Whole),
    ] {
        let tablet = Tablet::new();
        let key = photo(&tablet);
        let store = tablet.engine.store();
        store.upload_set_aside(key, code).unwrap();
        assert_eq!(detail(&tablet).set_aside[0].kept, kept);
        tablet.engine.see_to(&[AsideId::Photo(key.of)], true).unwrap();
        let waiting = store.waiting().unwrap();
        let shown = tablet.engine.check(check(EXTINGUISHER)).unwrap().photos[0].whereabouts.clone();
        let listed = (listed(&tablet), detail(&tablet).photos.len());
        if kept == Kept::Whole {
            assert_eq!((waiting.photos, waiting.not_there), (1, 0), "{code}");
            assert_eq!(listed, ((1, 0), 1), "{code}");
            assert_eq!(shown, Whereabouts::NeedsAttention { code: code.into() });
            continue;
        }
        assert_eq!((waiting.photos, waiting.bytes, waiting.ready), (0, 0, (0, 0)), "{code}");
        assert_eq!((waiting.not_there, shown), (1, Whereabouts::Lost), "{code}");
        assert_eq!(listed, ((0, 1), 0), "{code}");
        assert_eq!(store.holds_the_rest().unwrap(), kept == Kept::Spoilt, "what is left of it");
        tablet.engine.see_to(&[AsideId::Photo(key.of)], false).unwrap();
        assert_eq!((store.waiting().unwrap().set_aside, store.waiting().unwrap().photos), (1, 1));
    }
}

#[test]
fn a_lost_photo_waits_again_only_where_its_file_has_come_back() {
    let tablet = Tablet::new();
    let key = photo(&tablet);
    let store = tablet.engine.store();
    let path = store.vault().path(key.of, Role::Original);
    let away = tablet.folder.path().join("away");
    fs::rename(&path, &away).unwrap();
    store.upload_set_aside(key, "file-missing").unwrap();
    store.upload_retry_all(false).unwrap();
    assert_eq!(store.waiting().unwrap().photos, 1, "nobody has seen to it");

    store.upload_set_aside(key, "file-missing").unwrap();
    tablet.engine.see_to(&[AsideId::Photo(key.of)], true).unwrap();
    store.upload_retry_all(false).unwrap();
    assert_eq!(listed(&tablet), (0, 1), "there is nothing to be sent");
    fs::rename(&away, &path).unwrap();
    store.upload_retry_all(false).unwrap();
    assert_eq!((store.waiting().unwrap().photos, listed(&tablet)), (1, (0, 0)), "it goes up");
}

#[test]
fn what_is_lost_does_not_seem_to_wait_where_originals_are_held() {
    let tablet = Tablet::new();
    let key = photo(&tablet);
    let store = tablet.engine.store();
    // The file is as long as it was, and something else by now.
    for seen in [false, true] {
        store.upload_set_aside(key, "file-damaged").unwrap();
        tablet.engine.see_to(&[AsideId::Photo(key.of)], seen).unwrap();
        store.upload_retry_all(true).unwrap();
        assert_eq!(store.waiting().unwrap().ready, (0, 0), "{seen}");
        store.upload_retry_all(false).unwrap();
        assert_eq!(store.waiting().unwrap().photos, 1, "once nothing is held it is tried: {seen}");
    }
}

#[test]
fn a_thumbnail_says_nothing_of_the_loss_of_its_photo() {
    let tablet = Tablet::new();
    let key = photo(&tablet);
    let store = tablet.engine.store();
    store.upload_set_aside(key, "file-missing").unwrap();
    tablet.engine.see_to(&[AsideId::Photo(key.of)], true).unwrap();
    store.upload_verified(UploadKey { role: Role::Thumbnail, ..key }).unwrap();
    assert_eq!(listed(&tablet), (0, 1));
}

#[test]
fn what_is_lost_again_asks_again() {
    let tablet = Tablet::new();
    let key = photo(&tablet);
    let store = tablet.engine.store();
    let lost = || store.upload_set_aside(key, "file-missing").unwrap();
    lost();
    tablet.engine.see_to(&[AsideId::Photo(key.of)], true).unwrap();
    store.upload_verified(key).unwrap();
    lost();
    assert_eq!(listed(&tablet), (1, 0), "the office had it meanwhile");
    tablet.engine.see_to(&[AsideId::Photo(key.of)], true).unwrap();
    // The same file comes in anew.
    tablet.attach(STANDPIPE, &tablet.first_item(STANDPIPE), "1.jpg", &jpeg(15)).unwrap();
    lost();
    assert_eq!(listed(&tablet), (1, 0));
}

#[test]
fn what_is_not_aside_any_more_is_passed_over() {
    let mut tablet = Tablet::new();
    let op_id = refused(&mut tablet, "sealed");
    let other = Uuid::from_u128(7);
    tablet.engine.see_to(&[AsideId::Record(other), AsideId::Record(op_id)], true).unwrap();
    set_aside(&tablet, other, "sealed");
    assert_eq!(listed(&tablet), (1, 1));
    let Seen { by, .. } = detail(&tablet).seen_to[0].seen.clone().unwrap();
    assert_eq!(by, "巡检员");
}

//! Signatures while something else goes on: a photo is being taken, a clock is wrong, somebody else signs too.

use super::signing::ready;
use super::*;
use crate::testing::{INSPECTOR, Office, set};
use crate::world::World;
use serde_json::json;
use standpipe_domain::signoff::SealedPhotos;
use standpipe_oplog::chain::sha256;

const DAY: i64 = 24 * 3_600_000;

/// What two tablets know once both have sent and fetched everything.
fn sync(office: &mut Office, tablets: [&Engine; 2]) {
    for tablet in tablets {
        office.take_from(tablet.store()).unwrap();
    }
    for tablet in tablets {
        assert!(office.deliver(tablet.store()).unwrap());
    }
}

#[test]
fn a_photo_during_which_somebody_signs_is_kept_and_stands_beside_what_was_signed() {
    let mut tablet = ready();
    let signer = Tablet::numbered(2);
    sync(&mut tablet.office, [&tablet.engine, &signer.engine]);
    let item = tablet.list(EXTINGUISHER).items[1].id.clone();
    let (passed, failed) = (jpeg(61), jpeg(62));
    let begin = |item: &str, bytes: &[u8]| {
        let to = AttachTo::Item { check: check(EXTINGUISHER), item: item.into() };
        let file = NewFile { name: "late.jpg".into(), bytes: bytes.len() as u64, to };
        let upload = tablet.engine.attach_begin(file).unwrap();
        tablet.engine.attach_chunk(&upload, bytes).unwrap();
        upload
    };
    let coming = [begin(&item, &passed), begin(&tablet.first_item(EXTINGUISHER), &failed)];
    signer.sign(OWNERS[0], None).unwrap();
    sync(&mut tablet.office, [&signer.engine, &tablet.engine]);
    for upload in coming {
        tablet.engine.attach_end(&upload).unwrap();
    }
    sync(&mut tablet.office, [&tablet.engine, &signer.engine]);
    for engine in [&tablet.engine, &signer.engine] {
        let view = engine.check(check(EXTINGUISHER)).unwrap();
        assert!(view.sealed.is_some());
        let has = |photos: &[EvidenceView], bytes: &[u8]| {
            photos.iter().any(|photo| photo.evidence.sha256 == sha256(bytes))
        };
        assert!(has(&view.photos, &passed) && has(&view.findings[0].photos, &failed));
        let [report] = &engine.verify_seals(ROUND).unwrap()[..] else { panic!("one seal") };
        assert_eq!((report.unchanged, report.photos), (true, 1), "neither was signed");
    }
    assert_eq!(tablet.engine.store().waiting().unwrap().photos, 3, "and both go up");
    let SealedPhotos { on_their_way, unconfirmed } = tablet.engine.round(ROUND).unwrap().sealed_photos;
    assert_eq!((on_their_way, unconfirmed), (1, 0));
    assert_eq!(tablet.attach(EXTINGUISHER, &item, "3.jpg", &jpeg(3)).unwrap_err().code(), "sealed");
}

#[test]
fn a_photo_during_which_a_role_is_taken_is_kept_for_the_office_to_judge_and_the_next_is_not_begun() {
    let mut tablet = Tablet::new();
    let item = tablet.first_item(EXTINGUISHER);
    let to = AttachTo::Item { check: check(EXTINGUISHER), item: item.clone() };
    let bytes = jpeg(63);
    let file = NewFile { name: "late.jpg".into(), bytes: bytes.len() as u64, to };
    let upload = tablet.engine.attach_begin(file).unwrap();
    tablet.engine.attach_chunk(&upload, &bytes).unwrap();
    let none = set("person", INSPECTOR.0, "roles", json!([]), None);
    tablet.office.write([none]);
    tablet.office.deliver(tablet.engine.store()).unwrap();
    tablet.engine.attach_end(&upload).unwrap();
    assert_eq!(tablet.engine.check(check(EXTINGUISHER)).unwrap().photos.len(), 1);
    assert_eq!(tablet.engine.store().waiting().unwrap().photos, 1);
    assert_eq!(tablet.attach(EXTINGUISHER, &item, "2.jpg", &jpeg(2)).unwrap_err().code(), "not-allowed");
    assert_eq!(
        fs::read_dir(tablet.folder.path().join("incoming")).unwrap().count(),
        0,
        "before a byte was copied"
    );
}

fn shown(engine: &Engine) -> Option<String> {
    engine.round(ROUND).unwrap().sign_offs[0].signed.as_ref().unwrap().objection.clone()
}

#[test]
fn the_last_signature_of_a_unit_is_the_one_that_was_given_last_though_the_clock_was_set_back() {
    let mut tablet = ready();
    tablet.sign(OWNERS[0], None).unwrap();
    let first = tablet.engine.verify_seals(ROUND).unwrap()[0].sign_off;
    tablet.world.set_now(Millis(tablet.world.now().0 - DAY));
    let item = tablet.first_item(EXTINGUISHER);
    let reason = "看错了".into();
    let amendment = NewAmendment {
        check: check(EXTINGUISHER),
        item,
        answer: answer(Outcome::Pass),
        reason,
        severity: None,
    };
    tablet.engine.amend(&amendment).unwrap();
    tablet.sign(OWNERS[0], Some("三楼未查")).unwrap();
    for at_the_office in [false, true] {
        if at_the_office {
            tablet.office.take_from(tablet.engine.store()).unwrap();
            assert!(tablet.office.deliver(tablet.engine.store()).unwrap());
        }
        assert_eq!(shown(&tablet.engine).as_deref(), Some("三楼未查"));
        assert_eq!(tablet.engine.verify_seals(ROUND).unwrap()[0].sign_off, first, "in their order");
    }
}

#[test]
fn of_two_that_signed_for_a_unit_all_tablets_show_the_one_that_came_to_the_office_last() {
    let mut tablet = ready();
    let ahead = Tablet::numbered(2);
    sync(&mut tablet.office, [&tablet.engine, &ahead.engine]);
    ahead.world.set_now(Millis(ahead.world.now().0 + DAY));
    tablet.sign(OWNERS[0], Some("先签")).unwrap();
    ahead.sign(OWNERS[0], None).unwrap();
    assert_eq!((shown(&tablet.engine).as_deref(), shown(&ahead.engine)), (Some("先签"), None));
    sync(&mut tablet.office, [&ahead.engine, &tablet.engine]);
    for engine in [&tablet.engine, &ahead.engine] {
        assert_eq!(shown(engine).as_deref(), Some("先签"));
    }
}

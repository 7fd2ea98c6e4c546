//! What the console shows.

use super::issues::step_seen;
use super::kit::{MORNING, answers, check, finding, garden, photo, round};
use super::seals;
use crate::blobs::{ALLOWANCE, Blob, Upload};
use crate::demo;
use crate::store::Store;
use crate::world::{World, day};
use jiff::civil::date;
use standpipe_domain::answer::Outcome;
use standpipe_domain::evidence::{Preview, Whereabouts};
use standpipe_domain::finding::Lack;
use standpipe_domain::ids::{Sha256, UnitId};
use standpipe_domain::issue::{Status, Step, StepRequest};
use standpipe_domain::office::IssueFilter;
use standpipe_domain::record::{entity, issue_id};
use standpipe_domain::round::{RoundState, StopState};
use standpipe_oplog::chain::sha256;

const PIPE: &str = "B4-33-LG";

pub async fn a_round_shows_what_was_recorded_on_it(store: &dyn Store) {
    let (_, mut tablet) = garden(store).await;
    let check = check(PIPE);
    let (id, record) = finding(check, "door-seal", "封条破损");
    let drafts = [
        answers(check, "door-seal", Outcome::Fail, None),
        record,
        answers(check, "access-clear", Outcome::Pass, None),
        answers(check, "control-room-told", Outcome::NotApplicable, None),
    ];
    let ids = tablet.record(store, drafts).await;
    let (on_check, photo_of_check) = photo(entity::CHECK, check.0, b"overview");
    let (on_finding, photo_of_finding) = photo(entity::FINDING, id.0, b"seal");
    tablet.record(store, [photo_of_check, photo_of_finding]).await;

    let view = store.round(round(), date(2023, 7, 1)).await.unwrap().unwrap();
    assert_eq!(view.line.state, RoundState::UnderWay);
    assert_eq!((view.line.answered, view.line.findings, view.line.stops_done), (3, 1, 0));
    assert_eq!(store.rounds(date(2023, 7, 1)).await.unwrap(), std::slice::from_ref(&view.line));
    let stop = &view.checks[9];
    assert_eq!((stop.id, stop.state, stop.answers.len()), (check, StopState::Failed, 3));
    assert_eq!(stop.photos.iter().map(|it| it.evidence.sha256).collect::<Vec<_>>(), [on_check]);
    assert_eq!(view.findings.len(), 1);
    assert_eq!(view.findings[0].photos[0].evidence.sha256, on_finding);
    assert_eq!((view.findings[0].issue, view.findings[0].lacks.len()), (Some(issue_id(id)), 0));
    assert_eq!(view.sign_offs.len(), 3);

    // The item passes after all: the finding is no longer live, but its photo is still there.
    tablet.record(store, [answers(check, "door-seal", Outcome::Pass, Some(ids[0]))]).await;
    let view = store.round(round(), date(2023, 7, 1)).await.unwrap().unwrap();
    assert_eq!((view.findings.len(), view.line.findings), (0, 0));
    assert_eq!(view.checks[9].photos.len(), 2);
    let bare = finding(check, "drain-clear", "积水").1;
    tablet.record(store, [answers(check, "drain-clear", Outcome::Fail, None), bare]).await;
    let view = store.round(round(), date(2023, 7, 1)).await.unwrap().unwrap();
    assert_eq!(view.findings[0].lacks, [Lack::Photo]);
}

pub async fn photos_tell_where_they_are(store: &dyn Store) {
    let (world, mut tablet) = garden(store).await;
    let check = check(PIPE);
    let (hash, add) = photo(entity::CHECK, check.0, b"overview");
    tablet.record(store, [add]).await;
    let seen = async || {
        let view = store.round(round(), day(MORNING)).await.unwrap().unwrap();
        let photo = view.checks[9].photos[0].clone();
        (photo.whereabouts, photo.preview)
    };
    assert_eq!(seen().await, (Whereabouts::Elsewhere { at_office: Some(false), by: None }, Preview::Pending));
    assert_eq!(store.evidence(hash).await.unwrap().unwrap().name, "现场.jpg");
    assert_eq!(store.evidence(sha256(b"other")).await.unwrap(), None);

    let kept =
        |sha256: Sha256| Blob { sha256, bytes: 8, media_type: "image/jpeg".into(), verified_at: MORNING };
    let thumb = sha256(b"thumb");
    store.link_thumbnail(hash, thumb, None).await.unwrap();
    assert_eq!(seen().await.1, Preview::Pending);
    store.put_blob(kept(thumb), None).await.unwrap();
    assert_eq!(seen().await.1, Preview::Ready);

    let upload = Upload {
        id: world.uuid(),
        sha256: hash,
        bytes: 8,
        arrived: 2,
        device: tablet.device.id,
        opened: MORNING,
        touched: MORNING,
        metadata: String::new(),
    };
    let upload = store.begin_upload(upload, ALLOWANCE).await.unwrap().unwrap();
    assert_eq!(seen().await.0, Whereabouts::Sending { percent: 25 });
    store.upload_at(upload.id, 8, MORNING).await.unwrap();
    assert_eq!(seen().await.0, Whereabouts::Sending { percent: 99 }, "there, but not yet read back");
    store.put_blob(kept(hash), Some(upload.id)).await.unwrap();
    assert_eq!(seen().await, (Whereabouts::SafeAtOffice, Preview::Ready));
    store.lost_blob(thumb).await.unwrap();
    assert!(matches!(seen().await.1, Preview::None { .. }));
}

pub async fn issues_are_found_by_what_is_in_them(store: &dyn Store) {
    let (world, mut tablet) = garden(store).await;
    for (tag, item, words) in [(PIPE, "door-seal", "封条破损"), ("P1-KZ", "panel-clear", "Fault on loop 3")]
    {
        let record = finding(check(tag), item, words).1;
        tablet.record(store, [answers(check(tag), item, Outcome::Fail, None), record]).await;
        world.wait(1_000);
    }
    let pipe = issue_id(finding(check(PIPE), "door-seal", "").0);
    let unit = UnitId(demo::id("unit", "property"));
    let assign = StepRequest {
        unit: Some(unit),
        person: Some(demo::person("property")),
        date: Some(date(2023, 7, 8)),
        ..StepRequest::bare(Step::Assign)
    };
    step_seen(store, &world, pipe, "office", assign).await.unwrap();

    let found = async |status, unit, q: &str, today| {
        let filter = IssueFilter { status, unit, q: q.into() };
        let lines = store.issues(&filter, today).await.unwrap();
        lines.into_iter().map(|line| (line.number, line.overdue)).collect::<Vec<_>>()
    };
    let today = date(2023, 7, 8);
    let (one, two) = (("ZJ-1".to_owned(), false), ("ZJ-2".to_owned(), false));
    assert_eq!(found(None, None, "", today).await, [one.clone(), two.clone()], "the latest change first");
    assert_eq!(found(Some(Status::Open), None, "", today).await, std::slice::from_ref(&two));
    assert_eq!(found(None, Some(unit), "", today).await, std::slice::from_ref(&one));
    for (q, expected) in [
        ("zj-2", &two),
        ("封条破", &one),
        ("loop 3", &two),
        ("33层", &one),
        ("b4-33", &one),
        ("control room", &two),
    ] {
        assert_eq!(found(None, None, q, today).await, std::slice::from_ref(expected), "{q}");
    }
    assert_eq!(found(None, None, "no such words", today).await, []);
    assert_eq!(found(None, Some(unit), "", date(2023, 7, 9)).await, [("ZJ-1".to_owned(), true)]);
}

pub async fn a_rebuild_shows_the_same(store: &dyn Store) {
    let (world, mut tablet) = garden(store).await;
    let (_, payload) = seals::recorded(store, &mut tablet).await;
    let drafts = [seals::sealed(&tablet, &payload)];
    world.wait(5_000);
    tablet.record(store, drafts).await;
    // Two answers to one item, neither of which saw the other.
    let two = [Outcome::Pass, Outcome::NotApplicable].map(|it| answers(check(PIPE), "drain-clear", it, None));
    tablet.record(store, two).await;
    tablet.refused(store, [answers(check(PIPE), "no-such-item", Outcome::Pass, None)]).await;

    let all = async || {
        let today = day(MORNING);
        let issues = store.issues(&IssueFilter::default(), today).await.unwrap();
        let mut whole = Vec::new();
        for line in &issues {
            whole.push(store.issue(line.id, demo::person("office"), today).await.unwrap());
        }
        let round = store.round(round(), today).await.unwrap();
        let directory = store.directory().await.unwrap();
        let (rounds, seal) =
            (store.rounds(today).await.unwrap(), store.seal(payload.sign_off).await.unwrap());
        (issues, whole, round, rounds, seal, directory, store.set_aside().await.unwrap().listed)
    };
    let before = all().await;
    assert_eq!(before.0.len(), 1);
    store.rebuild().await.unwrap();
    assert_eq!(all().await, before);
}

//! An update of the program, which knows more than the version before it.

use super::kit::{MORNING, StillWorld, answers, check, finding, garden, ops, photo, round};
use super::seals::{recorded, sealed};
use crate::demo;
use crate::ingest::rebuild_if_outdated;
use crate::store::Store;
use crate::world::{World, day};
use serde_json::json;
use standpipe_domain::answer::Outcome;
use standpipe_domain::office::IssueFilter;
use standpipe_domain::record::{entity, set};
use standpipe_oplog::op::{Kind, Op};
use standpipe_oplog::pen::Draft;
use standpipe_oplog::seal::COUNTERSIGNED;

const PIPE: &str = "B4-01-LG";
const OTHER_PIPE: &str = "B4-33-LG";

/// Operations are pushed of a kind, or of a field, that no version knows yet: so what is made of them is what an older
/// version makes of what it does not know.
pub(crate) async fn an_older_version_took(store: &dyn Store) {
    assert!(!renewed(store).await, "what this version makes stands");
    let (_, mut tablet) = garden(store).await;
    let (recorded, payload) = recorded(store, &mut tablet).await;
    // Without words: no issue follows it, which would keep it.
    let (gone, record) = finding(check(OTHER_PIPE), "door-seal", "");
    let fails = answers(check(OTHER_PIPE), "door-seal", Outcome::Fail, None);
    tablet.record(store, [fails, record]).await;
    let of_tomorrow = |draft: Draft| Draft { kind: Kind::Unknown, ..draft };
    let saw = async |id, kind| {
        let ops = ops(store).await.into_iter().filter(|op| op.id == id && op.kind == kind);
        json!({ "saw": ops.map(|op| op.op_id).collect::<Vec<_>>() })
    };
    let photos = saw(recorded.finding.0, Kind::Add).await;
    let written = saw(gone.0, Kind::Set).await;
    let amend = json!({ "value": { "outcome": "pass", "at": 5 }, "reason": "看错了" });
    let drafts = [
        of_tomorrow(Draft::set(entity::FINDING, recorded.finding.0, set::PHOTOS, photos, None)),
        of_tomorrow(Draft { field: None, ..Draft::set(entity::FINDING, gone.0, "", written, None) }),
        of_tomorrow(sealed(&tablet, &payload)),
        of_tomorrow(Draft {
            value: amend,
            ..answers(check(PIPE), "door-seal", Outcome::Pass, Some(recorded.answer))
        }),
        Draft {
            field: Some("of-tomorrow".into()),
            ..answers(check(OTHER_PIPE), "access-clear", Outcome::Fail, None)
        },
        finding(check(OTHER_PIPE), "access-clear", "通道堵塞").1,
    ];
    tablet.record(store, drafts).await;
    let (_, later) = photo(entity::FINDING, recorded.finding.0, b"another");
    tablet.record(store, [later]).await;
    assert_eq!(shown(store).await, BEFORE);
}

/// From here on the log says of them what this version knows. All else is as the older version left it: the kinds beside the
/// log, the rows, and who made them.
pub(crate) const KNOWN_BY_NOW: &str = r#"
    UPDATE op SET body = replace(body, '"kind":"unknown"', '"kind":"seal"') WHERE body LIKE '%"entity":"sign-off"%';
    UPDATE op SET body = replace(body, '"kind":"unknown"', '"kind":"amend"') WHERE body LIKE '%"entity":"check"%';
    UPDATE op SET body = replace(body, '"kind":"unknown"', '"kind":"remove"') WHERE body LIKE '%"field":"photos"%';
    UPDATE op SET body = replace(body, '"kind":"unknown"', '"kind":"delete"') WHERE body LIKE '%"entity":"finding"%';
    UPDATE op SET body = replace(body, '"field":"of-tomorrow"', '"field":"answer:access-clear"');
    UPDATE register SET field = 'answer:access-clear' WHERE field = 'of-tomorrow';
    UPDATE hub SET projection = 0;
"#;

/// Whoever serves makes the rows anew, once, and the office is shown all of it. What follows from it follows: the issue of a
/// finding whose item fails as is known now, the hub's signature under the seal.
pub(crate) async fn it_is_shown_after_an_update(store: &dyn Store) {
    assert_eq!(shown(store).await, BEFORE);
    assert!(renewed(store).await);
    assert_eq!(
        shown(store).await,
        Shown {
            seals: 1,
            countersigned: 1,
            sealed: true,
            amended: 1,
            findings: 2,
            issues: 2,
            photos: 1,
            answered: 3
        }
    );
    let followed = ops(store).await;
    let inspector = demo::person("inspector");
    assert!(followed.iter().filter(|op| is_countersigned(op)).all(|op| op.actor == inspector));
    let operations = followed.len();
    assert!(!renewed(store).await, "not at each start");
    assert_eq!(ops(store).await.len(), operations, "what followed once does not follow again");
}

/// What the office is shown: how many of each, and whether the pipe's check is sealed.
#[derive(Debug, PartialEq)]
struct Shown {
    seals: usize,
    /// Signatures of the hub in the log.
    countersigned: usize,
    sealed: bool,
    amended: usize,
    findings: usize,
    issues: usize,
    /// Of the first finding.
    photos: usize,
    /// Items of the round.
    answered: u32,
}

const BEFORE: Shown = Shown {
    seals: 0,
    countersigned: 0,
    sealed: false,
    amended: 0,
    findings: 2,
    issues: 1,
    photos: 2,
    answered: 2,
};

fn is_countersigned(op: &Op) -> bool {
    op.field.as_deref() == Some(COUNTERSIGNED)
}

async fn renewed(store: &dyn Store) -> bool {
    let world = StillWorld::new();
    // Another start of the program: its ids are not those of the start before.
    for _ in 0..10_000 {
        world.uuid();
    }
    rebuild_if_outdated(store, world).await.unwrap()
}

async fn shown(store: &dyn Store) -> Shown {
    let view = store.round(round(), day(MORNING)).await.unwrap().unwrap();
    let issues = store.issues(&IssueFilter::default(), day(MORNING)).await.unwrap();
    let of = |tag| view.checks.iter().find(|it| it.id == check(tag)).unwrap();
    Shown {
        seals: view.seals.len(),
        countersigned: ops(store).await.iter().filter(|op| is_countersigned(op)).count(),
        sealed: of(PIPE).sealed,
        amended: of(PIPE).amendments.len(),
        findings: view.findings.len(),
        issues: issues.len(),
        photos: view.findings.iter().find(|it| it.check == check(PIPE)).unwrap().photos.len(),
        answered: view.line.answered,
    }
}

//! What is said of a finding while a colleague signs.

use super::issues::numbers;
use super::kit::{
    MORNING, Tablet, answer, answers, check, finding, garden, give_roles, ops, photo, remove_issue, round,
};
use super::seals::{gone, recorded, sealed, unit};
use crate::ingest::judge_again;
use crate::store::Store;
use crate::world::{World, day};
use serde_json::json;
use standpipe_domain::answer::Outcome;
use standpipe_domain::finding::Severity;
use standpipe_domain::ids::{FindingId, Sha256, SignOffId};
use standpipe_domain::merge_rule::ANSWER;
use standpipe_domain::record::{entity, finding_id};
use standpipe_oplog::op::{Amend, Kind};
use standpipe_oplog::pen::Draft;
use standpipe_oplog::seal::SealPayload;
use uuid::Uuid;

const PIPE: &str = "B4-01-LG";

/// Signs the check with one item that passes. Gives the finding that there is none of, and who signed.
async fn passed_and_signed(store: &dyn Store, tablet: &mut Tablet, item: &str) -> (FindingId, Uuid) {
    let (_, mut payload) = recorded(store, tablet).await;
    let ids = tablet.record(store, [answers(check(PIPE), item, Outcome::Pass, None)]).await;
    payload.checks[0].answers.insert(item.into(), answer(Outcome::Pass));
    payload.checks[0].revs.insert(format!("{ANSWER}{item}"), ids[0]);
    let seal = sealed(tablet, &payload);
    tablet.record(store, [seal]).await;
    (finding_id(check(PIPE), item), ids[0])
}

fn amends(item: &str, outcome: Outcome, base: Uuid) -> Draft {
    let amend = Amend { value: json!(answer(outcome)), reason: "复查时发现".into() };
    let field = format!("{ANSWER}{item}");
    let draft = Draft::set(entity::CHECK, check(PIPE).0, field, json!(amend), Some(base));
    Draft { kind: Kind::Amend, ..draft }
}

/// What the console shows of a finding: its words, how bad it is, and how many photos.
async fn shown(store: &dyn Store, id: FindingId) -> Option<(String, Severity, usize)> {
    let view = store.round(round(), day(MORNING)).await.unwrap().unwrap();
    let found = view.findings.into_iter().find(|finding| finding.id == id)?;
    Some((found.words, found.severity, found.photos.len()))
}

/// What a tablet writes of a finding: its bare place, how bad it is, and its words.
fn said(id: FindingId, item: &str) -> [Draft; 3] {
    let bare = [("check".to_owned(), json!(check(PIPE))), ("item".to_owned(), json!(item))];
    let set = |field, value| Draft::set(entity::FINDING, id.0, field, value, None);
    let begun = Draft::record(entity::FINDING, id.0, bare.into_iter().collect());
    [begun, set("severity", json!(Severity::Critical)), set("words", json!("爆管喷水"))]
}

fn photo_of(id: FindingId, item: &str) -> (Sha256, Draft) {
    let (hash, mut draft) = photo(entity::FINDING, id.0, item.as_bytes());
    draft.value["item"] = json!(item);
    (hash, draft)
}

pub async fn what_is_said_of_a_finding_while_a_colleague_signs_is_set_aside_and_comes_in_with_an_amendment(
    store: &dyn Store,
) {
    let (world, mut tablet) = garden(store).await;
    let mut colleague = Tablet::enrol(store, &world, "inspector").await;
    let (id, signed) = passed_and_signed(store, &mut tablet, "access-clear").await;
    let before = numbers(store).await;

    // In the basement: it failed, and was put into words, and then a photo was taken.
    let fail = answers(check(PIPE), "access-clear", Outcome::Fail, Some(signed));
    assert_eq!(colleague.refused(store, [fail]).await, "sealed");
    assert_eq!(colleague.refused(store, said(id, "access-clear")).await, "sealed");
    assert_eq!(
        colleague.refused(store, [photo_of(id, "access-clear").1]).await,
        "sealed",
        "with its finding"
    );
    assert_eq!(store.set_aside().await.unwrap().total, 5, "the office sees all of it");
    assert_eq!((shown(store, id).await, numbers(store).await), (None, before.clone()));

    // Once it is amended, the colleague's tablet offers it again.
    tablet.pull(store).await;
    tablet.record(store, [amends("access-clear", Outcome::Fail, signed)]).await;
    let offered = colleague.written[1..].iter().map(|written| written.op.op_id).collect();
    let again = judge_again(store, world.clone(), colleague.device.id, Some(offered)).await.unwrap();
    assert_eq!((again.taken, again.left), (4, vec![]));
    assert_eq!(shown(store, id).await, Some(("爆管喷水".into(), Severity::Critical, 1)));
    assert_eq!(numbers(store).await.len(), before.len() + 1, "the office has an issue of it");
    // And takes what is said of it from now on.
    let words = Draft::set(entity::FINDING, id.0, "words", json!("爆管，已关阀"), None);
    tablet.record(store, [words]).await;
}

pub async fn a_photo_that_began_a_finding_while_a_colleague_signs_is_shown_and_its_words_are_set_aside(
    store: &dyn Store,
) {
    let (world, mut tablet) = garden(store).await;
    let mut colleague = Tablet::enrol(store, &world, "inspector").await;
    let (id, _) = passed_and_signed(store, &mut tablet, "access-clear").await;
    let [begun, severity, words] = said(id, "access-clear");
    let (hash, photo) = photo_of(id, "access-clear");
    colleague.record(store, [begun, photo]).await;
    let whole = finding(check(PIPE), "access-clear", "爆管喷水").1;
    let settled =
        Draft { kind: Kind::Resolve, value: json!({"value": "爆管", "saw": []}), ..words.clone() };
    for (what, says) in [("how bad", severity), ("words", words), ("all", whole), ("settled", settled)] {
        assert_eq!(colleague.refused(store, [says]).await, "sealed", "{what}");
    }
    let (later, photo) = photo_of(id, "later");
    colleague.record(store, [photo]).await;
    let view = store.round(round(), day(MORNING)).await.unwrap().unwrap();
    let photos: Vec<Sha256> =
        view.checks.iter().flat_map(|check| &check.photos).map(|photo| photo.evidence.sha256).collect();
    assert!(photos.contains(&hash) && photos.contains(&later), "with its check");
}

pub async fn what_is_said_of_a_finding_that_is_shown_comes_in_though_its_check_was_signed(store: &dyn Store) {
    let (world, mut tablet) = garden(store).await;
    let mut colleague = Tablet::enrol(store, &world, "inspector").await;
    let (id, signed) = passed_and_signed(store, &mut tablet, "access-clear").await;
    let words = |item, text: &str| {
        Draft::set(entity::FINDING, finding_id(check(PIPE), item).0, "words", json!(text), None)
    };
    // What was not answered when it was signed, at once and piece by piece.
    let fail = answers(check(PIPE), "outlet-hose-nozzle", Outcome::Fail, None);
    let (late, record) = finding(check(PIPE), "outlet-hose-nozzle", "水带破损");
    colleague.record(store, [fail, record]).await;
    colleague.record(store, [words("outlet-hose-nozzle", "水带破损两处")]).await;
    assert!(shown(store, late).await.is_some());
    // What an amendment brings along, and what is said of it after that.
    tablet.pull(store).await;
    let record = finding(check(PIPE), "access-clear", "复查时发现").1;
    tablet.record(store, [amends("access-clear", Outcome::Fail, signed), record]).await;
    colleague.record(store, [words("access-clear", "堆放杂物")]).await;
    assert!(shown(store, id).await.is_some());
    // Of a check that nobody signed, though its item does not fail.
    let (_, record) = finding(check("B4-33-LG"), "door-seal", "封条破损");
    colleague.record(store, [record]).await;
}

pub async fn what_was_signed_of_a_finding_comes_in_behind_its_seal_though_it_was_amended(store: &dyn Store) {
    let (world, mut tablet) = garden(store).await;
    let (recorded, mut payload) = recorded(store, &mut tablet).await;
    give_roles(store, &world, "inspector", json!(["reader"])).await;
    let said = Draft::set(entity::FINDING, recorded.finding.0, "words", json!("封条缺失"), None);
    let signed = tablet.write([said])[0];
    assert_eq!(tablet.push(store).await[0].code, "not-allowed");
    give_roles(store, &world, "inspector", json!(["inspector"])).await;
    payload.findings[0].words = "封条缺失".into();
    payload.findings[0].revs.insert("words".into(), signed);
    let seal = sealed(&tablet, &payload);
    tablet.record(store, [seal]).await;
    tablet.record(store, [amends("door-seal", Outcome::Pass, recorded.answer)]).await;
    let left = judge_again(store, world.clone(), tablet.device.id, None).await.unwrap().left;
    assert_eq!(left, []);
    assert_eq!(shown(store, recorded.finding).await.unwrap().0, "封条缺失");
}

pub async fn whoever_begins_a_signed_finding_once_more_has_the_photo_shown_with_it(store: &dyn Store) {
    let (world, mut tablet) = garden(store).await;
    let mut colleague = Tablet::enrol(store, &world, "inspector").await;
    let (recorded, mut payload) = recorded(store, &mut tablet).await;
    let begun = payload.findings[0].revs["words"];
    payload.findings[0].revs.extend(["check", "item"].map(|field| (field.to_owned(), begun)));
    let seal = sealed(&tablet, &payload);
    tablet.record(store, [seal]).await;

    // In the basement: the same item failed, and a photo was taken before any words.
    let [bare, severity, _] = said(recorded.finding, "door-seal");
    let (hash, photo) = photo_of(recorded.finding, "door-seal");
    colleague.record(store, [bare, photo]).await;
    let view = store.round(round(), day(MORNING)).await.unwrap().unwrap();
    assert!(view.findings[0].photos.iter().any(|photo| photo.evidence.sha256 == hash));
    assert!(view.seals[0].genuine && view.seals[0].unchanged, "{:?}", view.seals[0]);
    assert_eq!(colleague.refused(store, [severity]).await, "sealed");
}

pub async fn two_who_began_a_finding_have_the_same_of_it_signed(store: &dyn Store) {
    let (world, mut tablet) = garden(store).await;
    let mut colleague = Tablet::enrol(store, &world, "inspector").await;
    let (recorded, mut payload) = recorded(store, &mut tablet).await;
    let [bare, ..] = said(recorded.finding, "door-seal");
    let again = colleague.record(store, [bare]).await[0];
    let belongs = |rev| ["check", "item"].map(|field| (field.to_owned(), rev));
    let mut other = SealPayload {
        sign_off: SignOffId(world.uuid()),
        unit: unit(3),
        device: colleague.device.id,
        inspector: colleague.device.person,
        ..payload.clone()
    };
    let begun = payload.findings[0].revs["words"];
    payload.findings[0].revs.extend(belongs(begun));
    other.findings[0].revs.extend(belongs(again));
    let seal = sealed(&tablet, &payload);
    tablet.record(store, [seal]).await;
    let seal = sealed(&colleague, &other);
    colleague.record(store, [seal]).await;
    let view = store.round(round(), day(MORNING)).await.unwrap().unwrap();
    assert_eq!(
        view.seals.iter().map(|seal| (seal.genuine, seal.unchanged)).collect::<Vec<_>>(),
        [(true, true); 2]
    );
}

pub async fn a_finding_that_was_deleted_is_there_again_once_it_is_begun_anew(store: &dyn Store) {
    let (_, mut tablet) = garden(store).await;
    let (recorded, _) = recorded(store, &mut tablet).await;
    let delete = gone(entity::FINDING, recorded.finding.0, &ops(store).await);
    tablet.record(store, [delete]).await;
    remove_issue(store, &tablet.world, recorded.finding).await;
    assert_eq!(shown(store, recorded.finding).await, None);
    let [bare, ..] = said(recorded.finding, "door-seal");
    let (_, photo) = photo_of(recorded.finding, "door-seal");
    tablet.record(store, [bare, photo]).await;
    assert!(shown(store, recorded.finding).await.is_some());
}

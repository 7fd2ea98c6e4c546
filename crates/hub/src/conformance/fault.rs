//! What becomes of what the hub itself fails at.

use super::ingest::{ROOM, pass, shown};
use super::kit::{MORNING, answers, check, finding, garden, give_roles, log, ops};
use crate::ingest::{JudgedAgain, Pushed, judge_again};
use crate::store::Store;
use crate::world::day;
use serde_json::json;
use standpipe_domain::answer::Outcome;
use standpipe_domain::office::IssueFilter;
use standpipe_oplog::wire::Refused;
use uuid::Uuid;

/// Lets the database refuse the second of two answers to one check, whoever writes it; and take it again.
const ONE_OF_TWO: &str = "CREATE UNIQUE INDEX one_of_two ON register (id) WHERE field IN ('answer:log-filled', 'answer:files-kept')";
const BOTH: &str = "DROP INDEX one_of_two";

/// `ask` runs a statement in the store's database.
pub async fn what_the_hub_fails_at_is_set_aside_and_holds_nothing_up(
    store: &dyn Store,
    ask: impl AsyncFn(&'static str),
) {
    let (world, mut tablet) = garden(store).await;
    let device = tablet.device.id;
    let again = async || judge_again(store, world.clone(), device, None).await.unwrap();
    let codes = |refused: Vec<Refused>| -> Vec<(Uuid, String)> {
        refused.into_iter().map(|it| (it.op_id, it.code)).collect()
    };
    let failed = |ids: &[Uuid]| ids.iter().map(|id| (*id, "not-judged".to_owned())).collect::<Vec<_>>();
    let first = tablet.record(store, [pass("log-filled")]).await;
    give_roles(store, &world, "inspector", json!(["reader"])).await;
    let early = tablet.write([pass("files-kept")]);
    tablet.write([pass("staffed-round-the-clock")]);
    assert_eq!(tablet.push(store).await.len(), 2);
    give_roles(store, &world, "inspector", json!(["inspector"])).await;

    ask(ONE_OF_TWO).await;
    let judged = again().await;
    assert_eq!((judged.taken, codes(judged.left)), (1, failed(&early)), "the others are judged all the same");
    tablet.write([pass("panel-clear")]);
    let bad = tablet.write([pass("rules-on-wall"), pass("files-kept")]);
    let (_, gaps) = finding(check(ROOM), "log-filled", "缺页");
    let last = tablet.write([answers(check(ROOM), "log-filled", Outcome::Fail, Some(first[0])), gaps]);
    let from = tablet.acknowledged;
    let refused = tablet.push(store).await;
    assert!(refused.iter().all(|it| !it.detail.to_lowercase().contains("unique")), "{refused:?}");
    assert_eq!(codes(refused), failed(&bad), "its transaction alone, and all of it");
    let answered: Vec<String> = shown(store).await.into_iter().map(|(item, _)| item).collect();
    assert_eq!(answered, ["log-filled", "panel-clear", "staffed-round-the-clock"]);
    assert_eq!(
        store.issues(&IssueFilter::default(), day(MORNING)).await.unwrap().len(),
        1,
        "an issue follows"
    );
    let page = log(store).await;
    assert!(page.ops.iter().map(|op| op.seq).eq(1..=page.next), "no number is left out");
    assert!(ops(store).await.iter().any(|op| op.op_id == last[1]));
    let Pushed::Taken(answer) = tablet.push_part(store, from, tablet.written.len()).await else {
        panic!("refused")
    };
    assert_eq!(codes(answer.quarantined), failed(&bad), "the answer was lost; the tablet hears it again");

    let both = [early, bad].concat();
    assert_eq!(codes(again().await.left), failed(&both));
    ask(BOTH).await;
    let JudgedAgain { taken, left } = again().await;
    assert_eq!((taken, left), (3, vec![]), "once the fault is mended it is taken over");
    assert_eq!(shown(store).await.len(), 5);
}

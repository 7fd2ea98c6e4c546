//! What a tablet is told of backups.

use super::kit::{Tablet, answers, check, garden};
use crate::ingest::Pushed;
use crate::store::{ChainEnd, Ledger, Store};
use standpipe_domain::answer::Outcome;
use standpipe_domain::ids::Sha256;
use standpipe_oplog::greeting::Backups;

/// Where the chain of a tablet stands at the hub.
async fn end(store: &dyn Store, tablet: &Tablet) -> ChainEnd {
    let (device, incarnation) = (tablet.device.id, tablet.pen.incarnation);
    let held = store.held(device, incarnation).await.unwrap();
    ChainEnd { device, incarnation, dev_seq: held.last_seq, hash: held.last_hash }
}

async fn backed_up(store: &dyn Store, ends: &[ChainEnd]) {
    let ends = ends.to_owned();
    let work = move |ledger: &mut dyn Ledger| {
        let number = ledger.begin_backup()?;
        ledger.backed_up(number, &ends)
    };
    store.transact(work).await.unwrap();
}

pub async fn a_tablet_is_told_how_far_the_last_whole_backup_holds_its_chain(store: &dyn Store) {
    let (world, mut tablet) = garden(store).await;
    let mut other = Tablet::enrol(store, &world, "inspector").await;
    let pass = |item: &str| answers(check("P1-KZ"), item, Outcome::Pass, None);
    tablet.record(store, [pass("panel-clear"), pass("log-filled")]).await;
    let two = end(store, &tablet).await;
    tablet.write([pass("staffed-round-the-clock")]);
    assert_eq!(tablet.answer(store).await.durable_seq, 0, "no backup was ever made");

    backed_up(store, &[two]).await;
    let durable =
        async |tablet: &Tablet| store.durable_seq(tablet.device.id, tablet.pen.incarnation).await.unwrap();
    assert_eq!(durable(&tablet).await, 2);
    tablet.write([pass("panel-clear")]);
    let answer = tablet.answer(store).await;
    assert_eq!((answer.acknowledged, answer.durable_seq), (4, 2));
    other.write([pass("log-filled")]);
    assert_eq!(other.answer(store).await.durable_seq, 0, "of another tablet the backup holds nothing");

    // The backup of a hub at which the same number was another operation's.
    backed_up(store, &[end(store, &other).await, ChainEnd { hash: Sha256([7; 32]), ..two }]).await;
    assert_eq!((durable(&tablet).await, durable(&other).await), (0, 1));
    // More than is here, as before this hub was put back to an older state.
    backed_up(store, &[ChainEnd { dev_seq: 9, ..two }]).await;
    assert_eq!((durable(&tablet).await, durable(&other).await), (0, 0));
}

pub async fn another_incarnation_is_in_no_backup_of_the_first(store: &dyn Store) {
    let (_, mut tablet) = garden(store).await;
    let pass = |item: &str| answers(check("P1-KZ"), item, Outcome::Pass, None);
    tablet.record(store, [pass("panel-clear"), pass("log-filled")]).await;
    backed_up(store, &[end(store, &tablet).await]).await;
    // Its clone has pushed another second operation.
    tablet.written.pop();
    (tablet.pen.last_seq, tablet.pen.last_hash, tablet.acknowledged) = (1, tablet.written[0].hash, 1);
    tablet.write([pass("staffed-round-the-clock")]);
    let Pushed::Conflict(conflict) = tablet.push_part(store, 1, 2).await else { panic!("it was forked") };
    tablet.renumber(&conflict);
    let answer = tablet.answer(store).await;
    assert_eq!((answer.acknowledged, answer.durable_seq), (1, 0));
}

pub async fn backups_are_numbered_as_they_begin(store: &dyn Store) {
    garden(store).await;
    let told = async || store.backups().await.unwrap();
    let begin = async || store.transact(|ledger| ledger.begin_backup()).await.unwrap();
    let end = async |number| store.transact(move |ledger| ledger.backed_up(number, &[])).await.unwrap();
    assert_eq!(told().await, Backups::default());
    // The first of them is never ended, and the one that began last is the first to be whole.
    assert_eq!((begin().await, begin().await, begin().await), (1, 2, 3));
    assert_eq!(told().await, Backups { begun: 3, whole: 0 });
    end(3).await;
    end(2).await;
    assert_eq!(told().await, Backups { begun: 3, whole: 3 });
}

//! Everything in one answer, for a tablet that is new or was away for long.

use crate::office::{Office, is, problem};
use crate::tablet::Tablet;
use axum::body::{Body, BodyDataStream};
use axum::http::Request;
use futures::StreamExt;
use reqwest::Method;
use serde_json::{Map, Value, json};
use standpipe_hub::demo;
use standpipe_hub::http::App;
use standpipe_hub::office::{Hand, write};
use standpipe_hub::store::Store;
use standpipe_hub::world::{RealWorld, World};
use standpipe_oplog::checksum::Checksum;
use standpipe_oplog::pen::Draft;
use standpipe_oplog::snapshot::{FIRST, MEDIA_TYPE, Pages, larger};
use standpipe_oplog::wire::{Numbered, PullHead, decode_pull};
use std::sync::Arc;
use tower::ServiceExt;
use uuid::Uuid;

/// So many transactions of three operations each stand behind the demonstration, which is one.
const TRANSACTIONS: usize = 500;

/// An office that holds more than a few pages.
async fn large() -> Office {
    let office = Office::open().await;
    let store: &dyn Store = &*office.store;
    let actor = store.view(|records| records.people()).await.unwrap()[0].id;
    let hand = Hand { scope: demo::site(), actor, now: office.world.now() };
    let draft = || {
        let words = Value::String("阀门生锈，渗水。".repeat(12));
        Draft::record("of-tomorrow", Uuid::now_v7(), Map::from_iter([("words".to_owned(), words)]))
    };
    store
        .transact(move |ledger| {
            (0..TRANSACTIONS).try_for_each(|_| write(ledger, &RealWorld, hand, [draft(), draft(), draft()]))
        })
        .await
        .unwrap();
    office
}

async fn fetch(tablet: &Tablet<'_>, after: u64) -> Vec<(PullHead, Vec<Numbered>)> {
    let answer = tablet.ask(Method::GET, &format!("/sync/snapshot?after={after}")).send().await.unwrap();
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["content-type"]),
        (200, &MEDIA_TYPE.parse().unwrap())
    );
    let mut pages = Pages::default();
    pages.take(&answer.bytes().await.unwrap());
    let found =
        std::iter::from_fn(|| pages.page().unwrap()).map(|page| decode_pull(&page).unwrap()).collect();
    assert_eq!(pages, Pages::default(), "nothing stands behind the last page");
    found
}

#[tokio::test]
async fn it_holds_everything_in_whole_transactions_and_its_sums_are_right() {
    let office = large().await;
    let tablet = Tablet::enrol(&office).await;
    let pages = fetch(&tablet, 0).await;
    let (mut after, mut sum, mut last, mut bytes) = (0, Checksum::default(), None, FIRST);
    for (number, (head, ops)) in pages.iter().enumerate() {
        assert_eq!(head.from, after, "page {number} goes on where the one before it ended");
        assert_eq!(
            ops.iter().map(|op| op.seq).collect::<Vec<_>>(),
            (after + 1..=head.next).collect::<Vec<_>>()
        );
        assert_ne!(last, ops.first().map(|op| op.op.tx), "page {number} begins a transaction");
        sum = sum + ops.iter().map(Numbered::checksum).sum();
        assert_eq!(head.checksum, format!("{:016x}", sum.0), "page {number}");
        assert_eq!(head.more, number + 1 < pages.len());
        assert!(ops.iter().all(|op| op.receipt.is_some()), "the hub's marks come with it");
        let size: usize = ops.iter().map(|op| op.body.len()).sum();
        assert!(number == 0 || size <= bytes, "page {number} has {size} bytes");
        (after, last, bytes) = (head.next, ops.last().map(|op| op.op.tx), larger(bytes));
    }
    assert!(pages.len() > 3, "{} pages", pages.len());
    let (head, sums) = office.store.sums(demo::site(), vec![after]).await.unwrap();
    assert_eq!((head, sums), (after, vec![sum]));

    // Whoever was cut off asks for what stands behind the last page that came whole.
    let rest = fetch(&tablet, pages[1].0.next).await;
    let flat = |pages: &[(PullHead, Vec<Numbered>)]| {
        pages.iter().flat_map(|(_, ops)| ops.clone()).collect::<Vec<Numbered>>()
    };
    assert_eq!(flat(&rest), flat(&pages[2..]));
    // Whoever has everything is told so.
    let nothing = fetch(&tablet, head).await;
    assert_eq!((nothing.len(), nothing[0].0.next, nothing[0].0.more), (1, head, false));
}

/// The answer to a tablet, of which nothing is made before it is asked for.
async fn slowly(office: &Office, tablet: &Tablet<'_>) -> BodyDataStream {
    let app = App::open(office.dir(), office.store.clone(), Arc::new(RealWorld), false).await.unwrap();
    let request = Request::get("/api/v1/sync/snapshot")
        .header("Authorization", format!("Bearer {}", tablet.token))
        .body(Body::empty())
        .unwrap();
    app.router().oneshot(request).await.unwrap().into_body().into_data_stream()
}

#[tokio::test]
async fn a_tablet_that_is_withdrawn_in_the_middle_gets_no_more() {
    let office = large().await;
    let tablet = Tablet::enrol(&office).await;
    let mut coming = slowly(&office, &tablet).await;
    assert!(coming.next().await.is_some());
    let admin = office.person("office").await;
    assert_eq!(admin.post(&format!("/tablets/{}/revoke", tablet.id), &json!({})).await.status(), 200);
    assert!(coming.next().await.is_none(), "the answer ends");
    let again = tablet.ask(Method::GET, "/sync/snapshot").send().await.unwrap();
    assert_eq!(problem(again).await, is(403, "revoked"));
}

#[tokio::test]
async fn what_is_written_meanwhile_comes_with_the_last_page() {
    let office = large().await;
    let tablet = Tablet::enrol(&office).await;
    let (head, _) = office.store.sums(demo::site(), Vec::new()).await.unwrap();
    let mut coming = slowly(&office, &tablet).await;
    let mut pages = Pages::default();
    pages.take(&coming.next().await.unwrap().unwrap());
    let store: &dyn Store = &*office.store;
    let actor = store.view(|records| records.people()).await.unwrap()[0].id;
    let hand = Hand { scope: demo::site(), actor, now: office.world.now() };
    let late = Draft::record("of-tomorrow", Uuid::now_v7(), Map::new());
    store.transact(move |ledger| write(ledger, &RealWorld, hand, [late])).await.unwrap();
    while let Some(bytes) = coming.next().await {
        pages.take(&bytes.unwrap());
    }
    let last = std::iter::from_fn(|| pages.page().unwrap()).last().unwrap();
    let (page, ops) = decode_pull(&last).unwrap();
    assert_eq!((page.next, page.more, ops.last().unwrap().seq), (head + 1, false, head + 1));
}

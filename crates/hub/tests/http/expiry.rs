//! Uploads that nobody goes on with: kept for a long while, and then given up.

use crate::office::{Office, is, problem};
use crate::tablet::{Tablet, place};
use crate::upload::{files, photo};
use reqwest::{Method, Response};
use standpipe_hub::blobs::LASTS;
use standpipe_oplog::chain::sha256;
use std::time::{Duration, Instant};

fn expires(answer: &Response) -> Option<&str> {
    answer.headers().get("upload-expires").map(|date| date.to_str().unwrap())
}

#[tokio::test]
async fn an_upload_says_until_when_it_is_kept_and_each_byte_puts_that_off() {
    let office = Office::open().await;
    let tablet = Tablet::enrol(&office).await;
    let photo = photo(1, 1_000);
    let opened = tablet.create(sha256(&photo), 1_000, "").await;
    // 30 days behind 2023-07-01 02:00 UTC.
    assert_eq!(expires(&opened), Some("Mon, 31 Jul 2023 02:00:00 GMT"));
    let place = place(&opened);

    office.world.advance(LASTS - 1);
    let head = tablet.ask(Method::HEAD, &place).send().await.unwrap();
    assert_eq!(expires(&head), Some("Mon, 31 Jul 2023 02:00:00 GMT"), "asking puts nothing off");
    let piece = tablet.send(&place, 0, &photo[..400]).await;
    assert_eq!(expires(&piece), Some("Wed, 30 Aug 2023 01:59:59 GMT"));

    office.world.advance(LASTS - 1);
    assert_eq!(tablet.offset(&place).await, 400);
    let last = tablet.send(&place, 400, &photo[400..]).await;
    assert_eq!((last.status().as_u16(), expires(&last)), (204, None), "what is here is never given up");
    let again = tablet.create(sha256(&photo), 1_000, "").await;
    assert_eq!((again.status().as_u16(), expires(&again)), (201, None));
}

#[tokio::test]
async fn whoever_comes_too_late_is_told_so_and_begins_again() {
    let office = Office::open().await;
    let tablet = Tablet::enrol(&office).await;
    let photo = photo(2, 1_000);
    for method in [Method::HEAD, Method::PATCH, Method::POST] {
        let old = tablet.begin(&photo).await;
        assert_eq!(tablet.send(&old, 0, &photo[..400]).await.status(), 204);
        assert_eq!(tablet.state(sha256(&photo)).await, "partial");
        office.world.advance(LASTS);
        assert_eq!(tablet.state(sha256(&photo)).await, "absent");
        match method {
            Method::HEAD => {
                let gone = tablet.ask(Method::HEAD, &old).send().await.unwrap();
                assert_eq!(
                    (gone.status().as_u16(), &gone.headers()["tus-resumable"]),
                    (410, &"1.0.0".parse().unwrap())
                );
            }
            Method::PATCH => {
                let gone = tablet.send(&old, 400, &photo[400..]).await;
                assert_eq!(problem(gone).await, is(410, "expired-upload"));
                let gone = tablet.send(&old, 400, &photo[400..]).await;
                assert_eq!(problem(gone).await, is(404, "unknown-upload"));
            }
            _ => {}
        }
        let new = tablet.begin(&photo).await;
        assert_ne!(new, old);
        assert_eq!(tablet.offset(&new).await, 0);
        assert_eq!(tablet.ask(Method::DELETE, &new).send().await.unwrap().status(), 204);
        assert_eq!(files(&office.dir().join("uploads")).len(), 0);
    }
    assert_eq!(tablet.upload(&photo).await, sha256(&photo));
    assert_eq!(tablet.state(sha256(&photo)).await, "verified");
}

#[tokio::test]
async fn a_hub_that_starts_removes_what_is_over_and_nothing_else() {
    let office = Office::open().await;
    let tablet = Tablet::enrol(&office).await;
    let (over, open) = (photo(3, 1_000), photo(4, 1_000));
    let over_at = tablet.begin(&over).await;
    tablet.send(&over_at, 0, &over[..400]).await;
    office.world.advance(LASTS / 2);
    let open_at = tablet.begin(&open).await;
    tablet.send(&open_at, 0, &open[..400]).await;
    let file = |place: &str| office.dir().join("uploads").join(place.rsplit('/').next().unwrap());
    let (over_file, open_file) = (file(&over_at), file(&open_at));
    let token = tablet.token.clone();
    office.world.advance(LASTS / 2);
    let office = office.restart().await;
    let end = Instant::now() + Duration::from_secs(20);
    while over_file.exists() {
        assert!(Instant::now() < end, "what is over is removed");
        tokio::task::yield_now().await;
    }
    assert_eq!(std::fs::read(&open_file).unwrap(), open[..400]);
    let ask = |place: &str| {
        let request = office.ask(Method::HEAD, &format!("/api/v1{place}")).bearer_auth(&token);
        request.header("Tus-Resumable", "1.0.0").send()
    };
    assert_eq!(ask(&over_at).await.unwrap().status(), 404);
    assert_eq!(ask(&open_at).await.unwrap().status(), 200);
}

//! Files that the hub's book has and the disk has not: somebody put an older folder back, or a disk lost them.

use crate::desk::issue;
use crate::office::{Office, is, problem};
use crate::tablet::{Tablet, place};
use crate::upload::{photo, shelf};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use reqwest::Method;
use standpipe_oplog::chain::sha256;

#[tokio::test]
async fn a_photo_whose_file_is_gone_is_not_confirmed_at_its_own_address() {
    let office = Office::open().await;
    let tablet = Tablet::enrol(&office).await;
    let bytes = photo(16, 900);
    tablet.upload(&bytes).await;
    let place = format!("/blobs/{}", sha256(&bytes));
    let head = || tablet.ask(Method::HEAD, &place).header("Tus-Resumable", "1.0.0").send();
    assert_eq!(head().await.unwrap().headers()["standpipe-blob"], "verified");
    std::fs::remove_file(shelf(&office, sha256(&bytes))).unwrap();
    let answer = head().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.headers().get("standpipe-blob")), (404, None));
}

#[tokio::test]
async fn a_photo_whose_file_is_gone_has_not_arrived() {
    let office = Office::open().await;
    let tablet = Tablet::enrol(&office).await;
    let bytes = photo(17, 900);
    let hash = tablet.upload(&bytes).await;
    let original = || tablet.ask(Method::GET, &format!("/blobs/{hash}/original")).send();
    assert_eq!(original().await.unwrap().status().as_u16(), 200);
    std::fs::remove_file(shelf(&office, hash)).unwrap();
    assert_eq!(
        original().await.unwrap().status().as_u16(),
        404,
        "not a fault that says nothing of the photo"
    );
}

#[tokio::test]
async fn a_thumbnail_whose_file_is_gone_or_cut_is_none_and_the_original_is_given_in_its_place() {
    let office = Office::open().await;
    let mut tablet = Tablet::enrol(&office).await;
    let person = office.person("property").await;
    let (large, small) = (photo(18, 9_000), photo(19, 900));
    let (hash, thumb) = (sha256(&large), sha256(&small));
    issue(&mut tablet, &person, hash, "image/jpeg").await;
    tablet.upload(&large).await;
    let send = async || {
        let of = format!(",role {},of {}", BASE64.encode("thumbnail"), BASE64.encode(hash.to_string()));
        let opened = tablet.create(thumb, 900, &of).await;
        tablet.send(&place(&opened), 0, &small).await
    };
    let for_tablet = |size: &str| tablet.ask(Method::GET, &format!("/blobs/{hash}/{size}")).send();
    let for_console = |size: &str| person.ask(Method::GET, &format!("/evidence/{hash}/{size}")).send();
    let cut = || std::fs::write(shelf(&office, thumb), &small[..100]).unwrap();
    let remove = || std::fs::remove_file(shelf(&office, thumb)).unwrap();
    for lose in [&cut as &dyn Fn(), &remove] {
        assert_eq!(send().await.headers()["standpipe-blob"], "verified");
        assert_eq!(for_tablet("thumb").await.unwrap().bytes().await.unwrap(), small);
        lose();
        assert_eq!(problem(for_tablet("thumb").await.unwrap()).await, is(404, "no-thumbnail"));
        assert_eq!(problem(for_console("thumb").await.unwrap()).await, is(404, "no-thumbnail"));
        assert_eq!(for_tablet("original").await.unwrap().bytes().await.unwrap(), large);
        assert_eq!(for_console("preview").await.unwrap().bytes().await.unwrap(), large);
    }
    // And where the original is cut as well, it has not arrived, whatever is asked for.
    std::fs::write(shelf(&office, hash), &large[..100]).unwrap();
    for size in ["thumb", "original"] {
        assert_eq!(problem(for_tablet(size).await.unwrap()).await, is(404, "not-here-yet"), "{size}");
    }
    for size in ["thumb", "preview", "original"] {
        assert_eq!(problem(for_console(size).await.unwrap()).await, is(404, "not-here-yet"), "{size}");
    }
}

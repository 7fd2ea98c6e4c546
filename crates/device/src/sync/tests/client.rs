//! Single requests: what each kind of answer is taken for.

use super::hub::{Hub, html, problem};
use crate::identity::Token;
use crate::sync::file::Piece;
use crate::sync::hub_client::{HubClient, Outside, Patched, Patience, enrol};
use crate::world::RealWorld;
use axum::body::Body;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use standpipe_domain::ids::Millis;
use standpipe_oplog::chain::sha256;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

fn outside() -> Outside {
    Outside::network(Arc::new(RealWorld))
}

fn client(address: &str) -> HubClient {
    HubClient::new(address, Some(Token("sesame".into())), &outside()).unwrap()
}

#[tokio::test]
async fn a_page_of_records_that_cannot_be_read_is_told_apart() {
    let zstd = || {
        let kind = [(header::CONTENT_TYPE, "application/zstd")];
        (kind, "no zstd at all").into_response()
    };
    let endless = || {
        let more = || Some((Ok::<_, Infallible>(Bytes::from(vec![b' '; 64 * 1024])), ()));
        Body::from_stream(futures::stream::unfold((), move |()| std::future::ready(more()))).into_response()
    };
    type Case = (fn() -> Response, &'static str);
    let cases: [Case; 4] = [
        (zstd, "hub-fault"),
        (|| html(200), "not-a-hub"),
        (endless, "not-a-hub"),
        (|| problem(426, "hub-newer"), "hub-newer"),
    ];
    for (answer, code) in cases {
        let hub = Hub::start().await;
        hub.rule("GET /sync/pull", move || Some(answer()));
        assert_eq!(client(&hub.address).pull(0).await.unwrap_err().code(), code);
    }
}

#[tokio::test]
async fn a_wrong_code_is_said_to_be_one() {
    let hub = Hub::start().await;
    let outside = outside();
    let join = || enrol(&outside, &hub.address, " 1234 ", "key".into());
    hub.rule("POST /enrol", || Some(problem(403, "wrong-code")));
    assert_eq!(join().await.unwrap_err().code(), "wrong-code");
    hub.rule("POST /enrol", || Some(problem(401, "wrong-code")));
    assert_eq!(join().await.unwrap_err().code(), "wrong-code");
    hub.rule("POST /enrol", || Some(html(200)));
    assert_eq!(join().await.unwrap_err().code(), "not-a-hub");
}

#[tokio::test]
async fn an_enrolment_is_read_and_its_token_is_not_shown() {
    let hub = Hub::start().await;
    hub.rule("POST /enrol", || {
        let id = "00000000-0000-0000-0000-000000000001";
        Some(
            axum::Json(serde_json::json!({
                "device": id, "token": "sesame", "incarnation": 1, "person": id, "person_name": "A",
                "site": id, "site_name": {"zh-CN": "园", "en": "Garden"}, "hub_epoch": id, "protocol": 1, "now": 5,
            }))
            .into_response(),
        )
    });
    let enrolled = enrol(&outside(), &hub.address, "1234", "key".into()).await.unwrap();
    assert_eq!((enrolled.token.0.as_str(), enrolled.now), ("sesame", Millis(5)));
    assert!(!format!("{enrolled:?}").contains("sesame"));
    let client = client(&hub.address);
    assert!(!format!("{client:?}").contains("sesame"));
}

#[tokio::test]
async fn a_link_on_which_nothing_moves_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    // Takes the connection, reads what comes, and never answers.
    let reading = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut read = 0;
        while let Ok(bytes @ 1..) = socket.read(&mut [0; 4096]).await {
            read += bytes;
        }
        read
    });
    let patience = Patience { stall: Duration::from_millis(20), ..Patience::default() };
    let client = HubClient::new(&address, None, &Outside { patience, ..outside() }).unwrap();
    let fault = client.patch("/api/v1/blobs/1", piece(vec![1; 100_000])).await.unwrap_err();
    assert_eq!(fault.code(), "no-answer");
    drop(client);
    assert!(reading.await.unwrap() > 100_000);
}

fn piece(bytes: Vec<u8>) -> Piece {
    Piece { offset: 0, sha256: sha256(&bytes), bytes: bytes.into() }
}

#[tokio::test]
async fn the_key_goes_to_the_hub_alone() {
    let hub = Hub::start().await;
    let thief = Hub::start().await;
    let client = client(&hub.address);
    let elsewhere = format!("{}/api/v1/blobs/1", thief.address);
    assert_eq!(client.patch(&elsewhere, piece(b"a".to_vec())).await.unwrap(), Patched::Gone);
    assert_eq!(client.offset(&elsewhere).await.unwrap(), None);
    let to = format!("{}/api/v1/sync/hello", thief.address);
    hub.rule("POST /sync/hello", move || {
        Some((StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, to.clone())]).into_response())
    });
    assert_eq!(client.hello(1, Millis(0)).await.unwrap_err().code(), "not-a-hub");
    assert_eq!(thief.asked(), [""; 0]);
}

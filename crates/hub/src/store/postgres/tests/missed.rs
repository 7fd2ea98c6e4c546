//! A server that lets a hub not in: each cause is told as what it is.

use super::{PostgresStore, aside, open, server};
use crate::store::{Store, StoreError};
use crate::world::RealWorld;
use std::sync::Arc;

const ADMITTED: &str = "
local all pw scram-sha-256
local all shut reject
local all all trust
host all all 127.0.0.1/32 trust
";

async fn refused(url: &str) -> String {
    match PostgresStore::open(url, Arc::new(RealWorld)).await.err().unwrap() {
        StoreError::Unsuitable { detail } => detail,
        other => panic!("{url}: {other}"),
    }
}

#[tokio::test]
async fn each_cause_is_told_as_what_it_is() {
    let (own, port) = aside(server::own_at_port).await;
    let own = Arc::new(own);
    let of = Arc::clone(&own);
    aside(move || {
        let url = format!("{}&port={port}", of.address("postgres"));
        for sql in [
            "CREATE ROLE pw LOGIN PASSWORD 'sesame'",
            "CREATE ROLE shut LOGIN",
            "CREATE DATABASE closed",
            "REVOKE CONNECT ON DATABASE closed FROM PUBLIC",
            "CREATE DATABASE office OWNER pw",
        ] {
            server::ask(&url, sql);
        }
        let read = || server::text(&url, "SELECT pg_conf_load_time()::text");
        let before = read();
        of.admit(ADMITTED);
        while read() == before {}
    })
    .await;
    let at = |user: &str, database: &str| {
        format!("{}&port={port}", own.address(database)).replacen("hub@", &format!("{user}@"), 1)
    };
    let (_, certificate) = aside(server::over_tls).await;
    let tls = format!(
        "postgres://hub@localhost:{port}/postgres?sslmode=require&sslrootcert={}&hostaddr=127.0.0.1",
        certificate.display()
    );
    for (url, why) in [
        (at("pw:wrong", "office"), "does not take the password of pw"),
        (at("pw", "office"), "its address gives no password"),
        (at("shut", "postgres"), "does not let shut in"),
        (at("ghost", "postgres"), "does not let ghost in"),
        (at("hub", "nowhere"), "has no database nowhere"),
        (at("pw:sesame", "closed"), "does not let pw into closed"),
        (tls, "its address asks for TLS"),
    ] {
        let told = refused(&url).await;
        assert!(told.contains(why), "{url}: {told}");
        assert!(!told.contains("sesame") && !told.contains("wrong"), "{told}");
    }

    // While it works, the same is worth trying again.
    let url = at("pw:sesame", "office");
    let store = open(&url).await;
    let change = |password: &'static str| {
        let url = at("hub", "office");
        aside(move || {
            server::ask(&url, &format!("ALTER ROLE pw PASSWORD '{password}'"));
            server::cut(&url);
        })
    };
    change("other").await;
    let told = store.has_users().await.unwrap_err();
    assert!(matches!(told, StoreError::Away { .. }), "{told:?}");
    assert!(told.to_string().contains("does not take the password"), "{told}");
    change("sesame").await;
    assert!(!store.has_users().await.unwrap());
}

#[tokio::test]
async fn what_keeps_a_hub_from_its_turn_is_not_always_another_hub() {
    let own = aside(server::own).await;
    let (hub, pw) = (own.address("office"), own.address("office").replacen("hub@", "pw@", 1));
    let at = own.address("postgres");
    aside(move || {
        server::ask(&at, "CREATE ROLE pw LOGIN");
        server::ask(&at, "CREATE DATABASE office OWNER pw");
        server::ask(&hub, "REVOKE EXECUTE ON FUNCTION pg_advisory_lock(bigint) FROM PUBLIC");
    })
    .await;
    let store = open(&pw).await;
    let told = store.serve().await.unwrap_err();
    assert_eq!(told.code(), "database", "{told}");
    assert!(told.to_string().contains("permission denied"), "{told}");

    let allow = |sql: &'static str| {
        let at = own.address("office");
        aside(move || server::ask(&at, sql))
    };
    allow("GRANT EXECUTE ON FUNCTION pg_advisory_lock(bigint) TO PUBLIC").await;
    store.serve().await.unwrap();
    assert!(store.lineage().is_some(), "anybody may ask which life the server is in");
    store.close().await;
    // Where that was taken away, it serves without knowing.
    allow("REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC").await;
    let store = open(&pw).await;
    store.serve().await.unwrap();
    assert_eq!(store.lineage(), None);
    store.rebuild().await.unwrap();
}

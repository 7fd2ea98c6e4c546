//! The same story leaves the same rows, whichever database it is told to.

use super::{aside, server};
use crate::conformance::kit::MORNING;
use crate::conformance::{ingest, issues, restore, seals, views};
use crate::store::postgres::{PostgresStore, Server};
use crate::store::sql::{Sql, differ};
use crate::store::sqlite::SqliteStore;
use crate::world::World;
use rusqlite::Connection;
use standpipe_domain::ids::Millis;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tempfile::TempDir;
use uuid::Uuid;

/// A world in which every hub is the same hub.
#[derive(Default)]
struct Same(AtomicU64);

impl World for Same {
    fn now(&self) -> Millis {
        MORNING
    }

    fn uuid(&self) -> Uuid {
        Uuid::from_u128(u128::from(self.0.fetch_add(1, Ordering::SeqCst)) | 1 << 100)
    }

    fn random(&self, bytes: &mut [u8]) {
        bytes.fill(7);
    }
}

#[tokio::test]
async fn a_story_leaves_the_same_rows_in_both() {
    for story in 0..6 {
        let dir = TempDir::new().unwrap();
        let file = dir.path().join("hub.db");
        let url = aside(server::schema).await;
        let sqlite = SqliteStore::open(&file, Arc::new(Same::default())).await.unwrap();
        let postgres = PostgresStore::open(&url, Arc::new(Same::default())).await.unwrap();
        let both: [&dyn crate::store::Store; 2] = [&sqlite, &postgres];
        for store in both {
            match story {
                0 => views::a_rebuild_shows_the_same(store).await,
                1 => ingest::one_bad_operation_takes_its_transaction_along(store).await,
                2 => issues::an_issue_walks_from_the_office_to_the_tablet_and_back(store).await,
                3 => seals::whoever_signs_later_signs_the_same(store).await,
                4 => restore::only_what_bears_the_hubs_own_mark_is_taken_back(store).await,
                _ => ingest::each_fault_is_set_aside_under_its_code_and_the_rest_goes_on(store).await,
            }
        }
        sqlite.close().await;
        let server = Server::of(&url, Arc::new(Same::default())).unwrap();
        let compare = move || {
            let (file, link) = (Connection::open(&file).unwrap(), server.connect().unwrap());
            assert_eq!(differ(&file, &link).unwrap(), None, "story {story}");
            // It would be noticed.
            link.batch("BEGIN; UPDATE op SET received = received + 1").unwrap();
            assert_eq!(differ(&file, &link).unwrap(), Some("op"));
        };
        aside(compare).await;
    }
}

//! What a field does not hold.

use super::ingest::{ROOM, shown};
use super::kit::{check, garden, give_roles, ops, round};
use crate::demo;
use crate::store::Store;
use serde_json::{Map, Value, json};
use standpipe_domain::record::entity;
use standpipe_oplog::op::Kind;
use standpipe_oplog::pen::Draft;
use uuid::Uuid;

pub async fn a_value_that_its_field_does_not_hold_is_set_aside(store: &dyn Store) {
    let (world, mut tablet) = garden(store).await;
    give_roles(store, &world, "inspector", json!(["inspector", "administrator"])).await;
    let (person, check, new) = (demo::person("office"), check(ROOM), Uuid::from_u128(9));
    let set = |entity, id, field: &str, value: Value| Draft::set(entity, id, field, value, None);
    let resolve = |draft: Draft| Draft {
        kind: Kind::Resolve,
        value: json!({ "value": draft.value, "saw": [] }),
        ..draft
    };
    let whole = Map::from_iter([("name".into(), json!("x")), ("kind".into(), json!("of-no-kind"))]);
    let people = async || {
        let mut people = store.view(|records| records.people()).await.unwrap();
        people.sort_by_key(|person| person.id.0);
        people
    };
    let before = people().await;
    for bad in [
        set(entity::PERSON, person.0, "roles", json!(7)),
        resolve(set(entity::PERSON, person.0, "roles", json!(["of-no-role"]))),
        set(entity::PERSON, person.0, "name", json!(null)),
        set(entity::PERSON, person.0, "unit", json!("nowhere")),
        set(entity::UNIT, new, "level", json!("sky")),
        set(entity::PLACE, new, "name", json!("in one language")),
        set(entity::PLACE, new, "level", json!(1.5)),
        Draft::record(entity::ASSET, new, whole),
        set(entity::ASSET, new, "facts", json!({ "agent": 7 })),
        set(entity::ROUND, round().0, "due", json!("tomorrow")),
        set(entity::ROUND, round().0, "sign_off_of", json!({})),
        set(entity::CHECK, check.0, "checklist", json!("control-room")),
        set(entity::CHECK, check.0, "order", json!(-1)),
    ] {
        let what = format!("{} {:?} {}", bad.entity, bad.field, bad.value);
        assert_eq!(tablet.refused(store, [bad]).await, "malformed", "{what}");
    }
    assert_eq!(people().await, before, "nobody is taken off the screens");
    assert!(store.view(move |records| records.check(check.0)).await.unwrap().is_some());
    assert_eq!(shown(store).await, []);

    // What is written well is taken, and what only a later version knows.
    let kind = Draft { kind: Kind::Unknown, ..set(entity::PERSON, person.0, "roles", json!(7)) };
    let taken = tablet
        .record(
            store,
            [
                set(entity::PERSON, person.0, "of-tomorrow", json!(7)),
                kind,
                set(entity::CHECK, check.0, "of-tomorrow", json!([{}])),
                set(entity::PLACE, new, "level", json!(null)),
                set(entity::CHECK, check.0, "order", json!(3)),
            ],
        )
        .await;
    let all = ops(store).await;
    assert!(all.iter().rev().take(taken.len()).rev().map(|op| op.op_id).eq(taken));
    assert_eq!(people().await, before);
}

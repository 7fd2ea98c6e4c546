//! What goes to the office: in order, in batches that keep transactions together, and never lost.

use super::*;
use crate::testing::{OWNERS, SITE};
use standpipe_domain::ids::SiteId;
use standpipe_domain::sync::{SetAside, Spot};
use standpipe_oplog::chain::{START, Written, link};
use standpipe_oplog::wire::{MAX_OPS, MAX_PUSH, Refused};
use uuid::Uuid;

/// Checks that a batch is a chain from its start, and gives its sequence numbers.
fn chain(tablet: &Tablet, after: u64) -> Vec<u64> {
    let batch = tablet.engine.store().outbox(after).unwrap();
    let mut prev = batch.prev_hash;
    let mut numbers = Vec::new();
    for body in &batch.bodies {
        let written = Written::read(body, prev).unwrap();
        prev = written.hash;
        assert_eq!(written.op.incarnation, batch.of.incarnation);
        numbers.push(written.op.dev_seq);
    }
    numbers
}

#[test]
fn a_batch_is_a_chain_that_goes_on_where_the_last_one_ended() {
    let tablet = Tablet::new();
    tablet.pass_all(check(STANDPIPE));
    let all = tablet.engine.store().outbox(0).unwrap();
    assert_eq!(all.prev_hash, START);
    assert_eq!(chain(&tablet, 0), (1..=all.bodies.len() as u64).collect::<Vec<_>>());
    let hash = all.bodies[..3].iter().fold(START, |prev, body| link(prev, body));
    assert_eq!(tablet.engine.store().outbox(3).unwrap().prev_hash, hash);
    assert_eq!(chain(&tablet, 3)[0], 4);
}

#[test]
fn a_batch_keeps_to_its_limits_and_to_whole_transactions() {
    let tablet = Tablet::new();
    let store = tablet.engine.store();
    let record = |count: u32, note: usize| {
        store
            .write::<_, Error>("recording", |writing| {
                for n in 0..count {
                    let value = serde_json::json!("x".repeat(note));
                    writing.record(crate::testing::set("later", check(n).0, "note", value, None))?;
                }
                Ok(())
            })
            .unwrap();
    };
    let most = u32::try_from(MAX_OPS).unwrap();
    record(3, 10);
    record(most - 1, 10);
    let first = store.outbox(0).unwrap().bodies;
    assert_eq!(first.len(), 3, "the second transaction does not fit whole");
    assert_eq!(chain(&tablet, 3).len(), MAX_OPS - 1);
    store.acknowledge(store.chain_state().unwrap().id, 3 + MAX_OPS as u64 - 1, 0).unwrap();

    let after = store.chain_state().unwrap().last_seq;
    record(most - 1, 1_000);
    record(1, 10);
    let bodies = store.outbox(after).unwrap().bodies;
    assert_eq!(bodies.len(), MAX_OPS - 1, "a transaction that is larger than a push goes whole");
    assert!(bodies.iter().map(|body| body.len() + 1).sum::<usize>() > MAX_PUSH);
}

#[test]
fn a_smaller_batch_keeps_to_whole_transactions_too() {
    let tablet = Tablet::new();
    let store = tablet.engine.store();
    for count in [2, 2, 5] {
        store
            .write::<_, Error>("recording", |writing| {
                for n in 0..count {
                    writing.record(crate::testing::set("later", check(n).0, "note", "x".into(), None))?;
                }
                Ok(())
            })
            .unwrap();
    }
    let batches = [0, 2, 4].map(|after| store.outbox_of(after, 3).unwrap().bodies.len());
    assert_eq!(batches, [2, 2, 5]);
}

#[test]
fn one_operation_larger_than_a_push_goes_alone_and_one_too_large_to_send_is_not_recorded() {
    let tablet = Tablet::new();
    let store = tablet.engine.store();
    let record = |bytes: usize| {
        store.write::<_, Error>("recording", |writing| {
            let value = serde_json::json!("x".repeat(bytes));
            Ok(writing.record(crate::testing::set("check", check(0).0, "later", value, None))?)
        })
    };
    record(MAX_PUSH + 1).unwrap();
    record(1).unwrap();
    assert_eq!(store.outbox(0).unwrap().bodies.len(), 1);
    let last = store.chain_state().unwrap();
    assert_eq!(record(standpipe_oplog::wire::MAX_OP).unwrap_err().code(), "too-large");
    let several = store.write::<_, Error>("recording", |writing| {
        for n in 0..4 {
            let value = serde_json::json!("x".repeat(standpipe_oplog::wire::MAX_TX / 4));
            writing.record(crate::testing::set("check", check(n).0, "later", value, None))?;
        }
        Ok(())
    });
    assert_eq!(several.unwrap_err().code(), "too-large", "nobody could see them together");
    assert_eq!(store.chain_state().unwrap(), last);
}

#[test]
fn acknowledging_takes_nothing_back_and_rewinding_does() {
    let tablet = Tablet::new();
    tablet.pass_all(check(EXTINGUISHER));
    let store = tablet.engine.store();
    let last = store.chain_state().unwrap().last_seq;
    store.acknowledge(store.chain_state().unwrap().id, 5, 4).unwrap();
    store.acknowledge(store.chain_state().unwrap().id, 3, 2).unwrap();
    let chain = store.chain_state().unwrap();
    assert_eq!((chain.acknowledged, chain.durable), (5, 4));
    store.acknowledge(store.chain_state().unwrap().id, last + 100, 0).unwrap();
    assert_eq!(store.chain_state().unwrap().acknowledged, last, "no more than was written");
    assert_eq!(store.waiting().unwrap().records, 0);
    store.rewind(store.chain_state().unwrap().id, 2).unwrap();
    let chain = store.chain_state().unwrap();
    assert_eq!((chain.acknowledged, chain.durable), (2, 2));
    assert_eq!(u64::from(store.waiting().unwrap().records), last - 2);
}

#[test]
fn a_chain_with_a_gap_goes_on_as_another_when_the_hub_lost_it() {
    let tablet = Tablet::new();
    tablet.pass_all(check(EXTINGUISHER));
    let store = tablet.engine.store();
    let (chain_id, last) = (store.chain_state().unwrap().id, store.chain_state().unwrap().last_seq);
    let second = Written::read(&store.outbox(1).unwrap().bodies[0], START).unwrap().op.op_id;
    store.acknowledge(chain_id, 4, 0).unwrap();
    // A hub that never took the second: it is offered anew, as the last.
    store.offer_or_set_aside(&[second]).unwrap();
    assert_eq!(store.chain_state().unwrap().last_seq, last + 1);
    store.rewind(chain_id, 0).unwrap();
    assert_eq!(store.chain_state().unwrap().id.incarnation, chain_id.incarnation + 1);
    assert_eq!(chain(&tablet, 0), (1..=last).collect::<Vec<_>>());
    // What waits anyway stays where it is.
    store.offer_or_set_aside(&[second]).unwrap();
    assert_eq!(chain(&tablet, 0), (1..=last).collect::<Vec<_>>());
    assert_eq!(store.waiting().unwrap().set_aside, 0);
}

#[test]
fn a_forked_tablet_goes_on_with_what_was_not_acknowledged() {
    let tablet = Tablet::new();
    tablet.pass_all(check(EXTINGUISHER));
    let store = tablet.engine.store();
    let last = store.chain_state().unwrap().last_seq;
    let ids = |after: u64| -> Vec<Uuid> {
        let bodies = store.outbox(after).unwrap().bodies;
        bodies.iter().map(|body| Written::read(body, START).unwrap().op.op_id).collect()
    };
    let waiting = ids(4);
    store.acknowledge(store.chain_state().unwrap().id, 4, 0).unwrap();
    store.renumber(store.chain_state().unwrap().id, 7).unwrap();
    let state = store.chain_state().unwrap();
    assert_eq!((state.id.incarnation, state.last_seq, state.acknowledged), (7, last - 4, 0));
    assert_eq!(ids(0), waiting);
    assert_eq!(chain(&tablet, 0), (1..=last - 4).collect::<Vec<_>>());
    let item = tablet.first_item(STANDPIPE);
    tablet.answer(STANDPIPE, &item, failing()).unwrap();
    assert_eq!(chain(&tablet, last - 4), [last - 3]);
}

#[test]
fn a_tablet_enrolled_anew_goes_on_as_the_new_device() {
    let tablet = Tablet::new();
    tablet.pass_all(check(EXTINGUISHER));
    let store = tablet.engine.store();
    store.acknowledge(store.chain_state().unwrap().id, 2, 0).unwrap();
    let waiting = store.waiting().unwrap().records;
    tablet.engine.enrol(&identity(9)).unwrap();
    let waiting = waiting + 2;
    assert_eq!(
        store.waiting().unwrap().records,
        waiting,
        "no pull has brought the two that were acknowledged"
    );
    let body = &store.outbox(0).unwrap().bodies[0];
    assert_eq!(Written::read(body, START).unwrap().op.device, identity(9).device);
    assert_eq!(chain(&tablet, 0).len(), waiting as usize);

    let elsewhere = crate::identity::Identity { site: SiteId(Uuid::from_u128(77)), ..identity(10) };
    assert_ne!(elsewhere.site, SITE);
    assert_eq!(tablet.engine.enrol(&elsewhere).unwrap_err().code(), "other-site");
}

#[test]
fn what_the_office_set_aside_is_listed_with_its_reason() {
    let tablet = Tablet::new();
    let item = tablet.first_item(EXTINGUISHER);
    tablet.answer(EXTINGUISHER, &item, failing()).unwrap();
    let store = tablet.engine.store();
    let body = &store.outbox(0).unwrap().bodies[0];
    let op_id = Written::read(body, START).unwrap().op.op_id;
    store.set_aside(&[Refused { op_id, code: "not-allowed".into(), detail: "…".into() }]).unwrap();
    let detail = tablet.engine.sync_detail(tablet.today().sync).unwrap();
    assert_eq!(detail.set_aside[0].code, "not-allowed");
    let aside = &detail.set_aside[0];
    assert_eq!(aside.about.as_ref().unwrap().name.as_ref().unwrap().en, "Extinguisher");
    let recorded = &aside.content[0];
    assert_eq!(recorded.field, format!("answer:{item}"));
    assert_eq!(recorded.asked.as_ref(), Some(&tablet.list(EXTINGUISHER).items[0]));
    assert_eq!(recorded.value["outcome"], "fail");
    let spot = Spot::Check { round: ROUND, check: check(EXTINGUISHER), item: Some(item) };
    assert_eq!(aside.spot, Some(spot));
    assert_eq!(store.waiting().unwrap().set_aside, 1);
}

/// Nothing of them is shown where it would count: so what they say is told here.
#[test]
fn a_finding_and_a_signature_that_were_set_aside_are_told_with_their_words_and_their_place() {
    let tablet = Tablet::new();
    tablet.pass_everything();
    let item = tablet.first_item(EXTINGUISHER);
    tablet.find(EXTINGUISHER, &item, &jpeg(61));
    let before = tablet.engine.store().chain_state().unwrap().last_seq;
    tablet.sign(OWNERS[0], Some("漆未补")).unwrap();
    let store = tablet.engine.store();
    let refused: Vec<Refused> = store
        .outbox(0)
        .unwrap()
        .bodies
        .iter()
        .map(|body| Written::read(body, START).unwrap().op)
        .filter(|op| op.entity == "finding" || op.dev_seq > before)
        .map(|op| Refused { op_id: op.op_id, code: "sealed".into(), detail: String::new() })
        .collect();
    store.set_aside(&refused).unwrap();
    let aside = tablet.engine.sync_detail(tablet.today().sync).unwrap().set_aside;
    let of = |field: &str| {
        let holds = |one: &&SetAside| one.content.iter().any(|recorded| recorded.field == field);
        aside.iter().find(holds).unwrap_or_else(|| panic!("{field}: {aside:?}"))
    };
    let words = of("words");
    assert_eq!(words.about.as_ref().unwrap().name.as_ref().unwrap().en, "Extinguisher");
    let spot = Spot::Check { round: ROUND, check: check(EXTINGUISHER), item: Some(item) };
    assert_eq!(words.spot, Some(spot));
    let said = words.content.iter().find(|recorded| recorded.field == "words").unwrap();
    assert_eq!((said.value.as_str(), said.asked.is_some()), (Some("封条破损"), true));
    assert_eq!((words.code.as_str(), &of("severity").content[0].value), ("sealed", &"serious".into()));
    let signature = of("name");
    assert_eq!(signature.content[1].value, "漆未补");
    assert_eq!(signature.spot, Some(Spot::Sign { round: ROUND }));
    assert!(signature.about.as_ref().unwrap().name.is_some(), "the round that was signed");
}

#[test]
fn records_that_wait_are_told_by_what_they_are_about() {
    let tablet = Tablet::new();
    let item = tablet.first_item(EXTINGUISHER);
    tablet.find(EXTINGUISHER, &item, &jpeg(61));
    tablet.answer(STANDPIPE, &tablet.first_item(STANDPIPE), failing()).unwrap();
    let line = tablet.today().sync;
    let told = |tablet: &Tablet| tablet.engine.sync_detail(line.clone()).unwrap().records;
    let waiting = told(&tablet);
    let names: Vec<_> = waiting.iter().map(|one| one.about.name.as_ref().unwrap().en.as_str()).collect();
    assert_eq!(names, ["Extinguisher", "Standpipe"], "a finding stands under its check");
    assert!(waiting[0].count > 2 && !waiting[0].about.path.is_empty());
    let all: u32 = waiting.iter().map(|one| one.count).sum();
    assert_eq!(all, tablet.engine.store().waiting().unwrap().records);
    tablet
        .engine
        .store()
        .acknowledge(tablet.engine.store().chain_state().unwrap().id, u64::from(all), 0)
        .unwrap();
    assert!(told(&tablet).is_empty());
}

//! Estates as large as the figures ask for.

use crate::Outcome;
use serde_json::{Map, Value, json};
use standpipe_device::store::Store;
use standpipe_device::testing::{Office, a_check_of, a_place, an_asset, check, estate, identity, round};
use standpipe_device::world::{RealWorld, World};
use standpipe_domain::answer::{Answer, Outcome as Result, Reading};
use standpipe_domain::asset::AssetKind;
use standpipe_domain::checklist::{AnswerKind, Item, newest_for};
use standpipe_domain::ids::{Millis, RoundId};
use standpipe_domain::place::PlaceKind;
use standpipe_domain::record::entity;
use standpipe_domain::words::Words;
use standpipe_oplog::op::Kind;
use standpipe_oplog::pen::Draft;
use std::path::Path;
use std::sync::Arc;
use uuid::Uuid;

pub const ASSETS: u32 = 10_000;
pub const CHECKS: u32 = 100_000;
const STOPS: u32 = 100;
/// The checks of the last rounds are open; all before are answered.
pub const OPEN: u32 = 1_000;

/// Names such as an estate has, so that two characters find many of them.
const NAMES: [(AssetKind, &str, &str); 6] = [
    (AssetKind::Extinguisher, "干粉灭火器", "Dry powder extinguisher"),
    (AssetKind::Standpipe, "消防立管", "Standpipe"),
    (AssetKind::IndoorHydrant, "室内消火栓", "Indoor hydrant"),
    (AssetKind::HoseReel, "消防软管卷盘", "Hose reel"),
    (AssetKind::Pump, "喷淋水泵", "Sprinkler pump"),
    (AssetKind::RoofTank, "屋顶水箱", "Roof tank"),
];

/// A database in `folder` with `assets` assets, and `checks` checks of them.
pub fn fill(folder: &Path, assets: u32, checks: u32) -> Outcome<()> {
    let store = Store::open(folder, Arc::new(RealWorld))?;
    store.enrol(&identity(1))?;
    let mut office = Office::default();
    office.write(estate());
    let floors = assets / 20;
    office.write((0..floors).map(|n| {
        let name = Words::new(
            format!("{}栋{}层", 1 + n / 33, 1 + n % 33),
            format!("Building {} floor {}", 1 + n / 33, 1 + n % 33),
        );
        a_place(10 + n, PlaceKind::Floor, Some(0), name)
    }));
    for n in 0..assets {
        let (kind, zh, en) = kind_of(n);
        office.write([an_asset(n, kind, Words::new(zh, en), 10 + n / 20)]);
    }
    deliver(&mut office, &store)?;
    for n in 0..checks {
        if n % STOPS == 0 {
            office.write([round(round_of(n), &due(n / STOPS, checks / STOPS), &[])]);
        }
        let (kind, ..) = kind_of(n % assets);
        office.write([a_check_of(n, n % assets, round_of(n), n % STOPS, kind)]);
        if n + OPEN < checks {
            office.write([answers(n, kind)]);
        }
        if n % 5_000 == 4_999 {
            deliver(&mut office, &store)?;
        }
    }
    deliver(&mut office, &store)
}

// What was delivered is forgotten: the office's own copy of it would only fill the memory.
fn deliver(office: &mut Office, store: &Store) -> Outcome<()> {
    if !office.deliver_and_forget(store)? {
        return Err("the checksums differ".into());
    }
    Ok(())
}

fn kind_of(n: u32) -> (AssetKind, &'static str, &'static str) {
    NAMES[n as usize % NAMES.len()]
}

fn round_of(check: u32) -> RoundId {
    RoundId(Uuid::from_u128(0x3_0000_0000 + u128::from(check / STOPS)))
}

/// One round a day, the last one today.
fn due(round: u32, rounds: u32) -> String {
    let today = RealWorld.today();
    let days = i64::from(rounds - 1 - round);
    today.checked_sub(jiff::Span::new().days(days)).unwrap_or(today).to_string()
}

/// All answers of a check at once.
fn answers(n: u32, kind: AssetKind) -> Draft {
    let items = newest_for(kind).map(|list| list.items.as_slice()).unwrap_or_default();
    let fields: Map<String, Value> =
        items.iter().map(|item| (format!("answer:{}", item.id), json!(passing(item)))).collect();
    Draft { kind: Kind::Set, ..Draft::record(entity::CHECK, check(n).0, fields) }
}

/// An answer that passes.
pub fn passing(item: &Item) -> Answer {
    let pass = Answer {
        outcome: Result::Pass,
        reading: None,
        choice: None,
        note: String::new(),
        at: Millis(jiff::Timestamp::now().as_millisecond()),
    };
    match &item.answer {
        AnswerKind::PassFail => pass,
        AnswerKind::Text => Answer { note: "A-1024".into(), ..pass },
        AnswerKind::Choice { options } => {
            Answer { choice: options.first().map(|first| first.id.clone()), ..pass }
        }
        AnswerKind::Reading { unit, limit } => {
            let value = limit.min.or(limit.max).unwrap_or(1.0);
            Answer { reading: Some(Reading { value, unit: *unit }), ..pass }
        }
    }
}

/// The texts that people search for: two characters, or a tag.
pub fn queries(count: u32, assets: u32) -> Vec<String> {
    let pairs = ["消防", "立管", "灭火", "水泵", "水箱", "软管", "喷淋", "屋顶", "9栋", "3层"];
    (0..count)
        .map(|n| match n % 2 {
            0 => pairs[(n / 2) as usize % pairs.len()].to_owned(),
            _ => format!("ZJ-{:06}", u64::from(n) * 7919 % u64::from(assets)),
        })
        .collect()
}

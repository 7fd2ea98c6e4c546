//! A small estate: one round with two stops, three inspectors, an office, and one unit that signs.

use crate::story::Deleted;
use standpipe_domain::asset::{Asset, AssetKind};
use standpipe_domain::checklist::newest_for;
use standpipe_domain::ids::{AssetId, CheckId, PersonId, PlaceId, RoundId, SiteId, UnitId};
use standpipe_domain::people::{Person, ResponsibleUnit, Role, UnitLevel};
use standpipe_domain::place::{Place, PlaceKind};
use standpipe_domain::record::{Site, entity, fields, finding_id};
use standpipe_domain::round::{Check, Round, RoundKind};
use standpipe_domain::words::Words;
use standpipe_oplog::pen::Draft;
use uuid::Uuid;

pub const SITE: SiteId = SiteId(Uuid::from_u128(0x01));
pub const ROUND: RoundId = RoundId(Uuid::from_u128(0x02));
pub const OFFICE: PersonId = PersonId(Uuid::from_u128(0x10));
pub const OWNERS: UnitId = UnitId(Uuid::from_u128(0x20));
pub const PROPERTY: UnitId = UnitId(Uuid::from_u128(0x21));
pub const STAFF: PersonId = PersonId(Uuid::from_u128(0x11));
/// Whose tablets there are.
pub const INSPECTORS: [PersonId; 3] =
    [PersonId(Uuid::from_u128(0x31)), PersonId(Uuid::from_u128(0x32)), PersonId(Uuid::from_u128(0x33))];
pub const STOPS: usize = 2;

/// The check at a stop.
pub fn check(stop: usize) -> CheckId {
    CheckId(Uuid::from_u128(0x40 + stop as u128))
}

/// What is checked at a stop.
pub fn asset(stop: usize) -> AssetId {
    AssetId(Uuid::from_u128(0x50 + stop as u128))
}

/// The items of each stop's checklist.
pub fn items() -> Vec<String> {
    let list = newest_for(AssetKind::CctvRoom).expect("every kind of asset has a checklist");
    list.items.iter().map(|item| item.id.clone()).collect()
}

/// The records that go when somebody deletes this at a stop.
pub fn deleted(stop: usize, what: Deleted) -> Vec<(&'static str, Uuid)> {
    let round = (entity::ROUND, ROUND.0);
    let check_at = |stop| (entity::CHECK, check(stop).0);
    let findings =
        |stop| items().into_iter().map(move |item| (entity::FINDING, finding_id(check(stop), &item).0));
    match what {
        Deleted::Check => vec![check_at(stop)],
        Deleted::Stop => findings(stop).chain([check_at(stop)]).collect(),
        Deleted::Finding => findings(stop).collect(),
        Deleted::Round => vec![round],
        Deleted::All => {
            let stops = (0..STOPS).flat_map(|stop| findings(stop).chain([check_at(stop)]));
            [round].into_iter().chain(stops).collect()
        }
    }
}

/// Everything that the office plans before anybody walks.
pub fn drafts() -> Vec<Draft> {
    let list = newest_for(AssetKind::CctvRoom).expect("every kind of asset has a checklist");
    let word = |text: &str| Words::same(text);
    let site = Site { id: SITE, name: word("Garden"), code: "G".into() };
    let place = PlaceId(Uuid::from_u128(0x03));
    let home = Place { id: place, kind: PlaceKind::Site, parent: None, name: word("Garden"), level: None };
    let mut drafts = vec![
        Draft::record(entity::SITE, site.id.0, fields(&site)),
        Draft::record(entity::PLACE, home.id.0, fields(&home)),
    ];
    for (id, level) in [(OWNERS, UnitLevel::Owners), (PROPERTY, UnitLevel::Property)] {
        let unit = ResponsibleUnit { id, level, name: word("Unit") };
        drafts.push(Draft::record(entity::UNIT, id.0, fields(&unit)));
    }
    let person = |id, unit, roles| Person { id, name: format!("{id}"), unit, roles };
    let mut people = vec![
        person(OFFICE, PROPERTY, vec![Role::Administrator]),
        person(STAFF, PROPERTY, vec![Role::UnitStaff]),
    ];
    people.extend(INSPECTORS.map(|id| person(id, PROPERTY, vec![Role::Inspector])));
    drafts.extend(people.iter().map(|person| Draft::record(entity::PERSON, person.id.0, fields(person))));
    let round = Round {
        id: ROUND,
        kind: RoundKind::Routine,
        title: word("Round"),
        due: jiff_date(),
        reason: None,
        present: vec![OWNERS],
        sign_off_of: vec![OWNERS],
    };
    drafts.push(Draft::record(entity::ROUND, round.id.0, fields(&round)));
    for stop in 0..STOPS {
        let asset = Asset {
            id: asset(stop),
            kind: AssetKind::CctvRoom,
            place,
            name: word("Room"),
            tag: format!("T{stop}"),
            facts: std::collections::BTreeMap::new(),
        };
        let check = Check {
            id: check(stop),
            round: ROUND,
            asset: asset.id,
            checklist: list.reference(),
            order: u32::try_from(stop).unwrap_or(0),
        };
        drafts.push(Draft::record(entity::ASSET, asset.id.0, fields(&asset)));
        drafts.push(Draft::record(entity::CHECK, check.id.0, fields(&check)));
    }
    drafts
}

fn jiff_date() -> jiff::civil::Date {
    jiff::civil::date(2023, 7, 1)
}

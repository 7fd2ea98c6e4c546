//! The first estate, as a demonstration.

use crate::founding::{NotSetUp, OFFICE, hash};
use crate::office::{Hand, write};
use crate::secret::Password;
use crate::store::{Doing, Ledger, Store, StoreError, User};
use crate::world::World;
use serde::Deserialize;
use standpipe_domain::asset::{Asset, AssetKind};
use standpipe_domain::checklist;
use standpipe_domain::ids::{AssetId, CheckId, PersonId, PlaceId, RoundId, SiteId, UnitId};
use standpipe_domain::people::{Person, ResponsibleUnit, Role, UnitLevel};
use standpipe_domain::place::{Place, PlaceKind};
use standpipe_domain::record::{Site, entity, fields};
use standpipe_domain::round::{Check, Round, RoundKind};
use standpipe_domain::words::Words;
use standpipe_oplog::pen::Draft;
use std::collections::BTreeMap;
use std::sync::Arc;
use uuid::Uuid;

/// The password of every demonstration account. It is no secret: it is printed, and stands here.
pub const PASSWORD: &str = "hydrant-2023";

/// The demonstration accounts: the name to sign in with, and who it is.
pub const ACCOUNTS: [(&str, &str); 9] = [
    ("office", "administrator"),
    ("inspector", "inspector"),
    ("owners-1", "owner representative, phase 1"),
    ("owners-2", "owner representative, phase 2"),
    ("owners-3", "owner representative, phase 3"),
    ("street", "street office"),
    ("community", "community office"),
    ("property", "property company"),
    ("branch", "supervisor"),
];

const GARDEN: &str = include_str!("../data/garden.json");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Garden {
    #[serde(rename = "about")]
    _about: String,
    site: SiteSeed,
    places: Vec<PlaceSeed>,
    units: Vec<UnitSeed>,
    people: Vec<PersonSeed>,
    round: RoundSeed,
    stops: Vec<StopSeed>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SiteSeed {
    code: String,
    name: Words,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlaceSeed {
    id: String,
    kind: PlaceKind,
    #[serde(default)]
    parent: Option<String>,
    name: Words,
    #[serde(default)]
    level: Option<i32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UnitSeed {
    id: String,
    level: UnitLevel,
    name: Words,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PersonSeed {
    account: String,
    name: String,
    unit: String,
    roles: Vec<Role>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RoundSeed {
    kind: RoundKind,
    due: jiff::civil::Date,
    title: Words,
    reason: Words,
    present: Vec<String>,
    sign_off_of: Vec<String>,
}

/// A stop of the round, and the asset that stands there.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StopSeed {
    kind: AssetKind,
    place: String,
    tag: String,
    name: Words,
    #[serde(default)]
    facts: BTreeMap<String, String>,
}

/// The demonstration estate's identifier.
pub fn site() -> SiteId {
    SiteId(Uuid::new_v5(&Uuid::NAMESPACE_URL, b"standpipe:demonstration:zhongjun-garden"))
}

/// Every identifier of the seed follows from its name, so that it is the same on every machine.
pub(crate) fn id(kind: &str, name: &str) -> Uuid {
    Uuid::new_v5(&site().0, format!("{kind}:{name}").as_bytes())
}

fn garden() -> Result<Garden, StoreError> {
    serde_json::from_str(GARDEN).reading("reading the demonstration estate")
}

/// Loads the first estate and its people, if the store holds no estate yet. A second call changes nothing.
/// Gives whether anything was loaded.
pub async fn load(store: &dyn Store, world: Arc<dyn World>) -> Result<bool, NotSetUp> {
    let loaded = estate(store, world.clone()).await?;
    if store.site().await?.is_none_or(|there| there.id != site()) {
        return Ok(false);
    }
    for (name, _) in ACCOUNTS {
        if store.user(name).await?.is_none() {
            let password = hash(world.clone(), Password::new(PASSWORD)).await?;
            store.put_user(User { name: name.into(), password, person: person(name) }).await?;
        }
    }
    Ok(loaded)
}

/// Loads the estate and its people, without accounts.
pub(crate) async fn estate(store: &dyn Store, world: Arc<dyn World>) -> Result<bool, StoreError> {
    let garden = garden()?;
    store
        .transact(move |ledger| match ledger.site()? {
            Some(_) => Ok(false),
            None => plant(ledger, &*world, garden).map(|()| true),
        })
        .await
}

/// The person behind a demonstration account.
pub(crate) fn person(account: &str) -> PersonId {
    PersonId(id("person", account))
}

fn plant(ledger: &mut dyn Ledger, world: &dyn World, garden: Garden) -> Result<(), StoreError> {
    let Garden { site: SiteSeed { code, name }, places, units, people, round, stops, .. } = garden;
    let mut drafts = vec![Draft::record(entity::SITE, site().0, fields(&Site { id: site(), name, code }))];
    for seed in units {
        let unit = ResponsibleUnit { id: UnitId(id("unit", &seed.id)), level: seed.level, name: seed.name };
        drafts.push(Draft::record(entity::UNIT, unit.id.0, fields(&unit)));
    }
    for seed in people {
        let person = Person {
            id: person(&seed.account),
            name: seed.name,
            unit: UnitId(id("unit", &seed.unit)),
            roles: seed.roles,
        };
        drafts.push(Draft::record(entity::PERSON, person.id.0, fields(&person)));
    }
    for seed in places {
        let place = Place {
            id: PlaceId(id("place", &seed.id)),
            kind: seed.kind,
            parent: seed.parent.map(|parent| PlaceId(id("place", &parent))),
            name: seed.name,
            level: seed.level,
        };
        drafts.push(Draft::record(entity::PLACE, place.id.0, fields(&place)));
    }
    let units = |names: Vec<String>| names.iter().map(|name| UnitId(id("unit", name))).collect();
    let round = Round {
        id: RoundId(id("round", &round.due.to_string())),
        kind: round.kind,
        title: round.title,
        due: round.due,
        reason: Some(round.reason),
        present: units(round.present),
        sign_off_of: units(round.sign_off_of),
    };
    drafts.push(Draft::record(entity::ROUND, round.id.0, fields(&round)));
    for (order, seed) in (0..).zip(stops) {
        let asset = Asset {
            id: AssetId(id("asset", &seed.tag)),
            kind: seed.kind,
            place: PlaceId(id("place", &seed.place)),
            name: seed.name,
            tag: seed.tag,
            facts: seed.facts,
        };
        drafts.push(Draft::record(entity::ASSET, asset.id.0, fields(&asset)));
        // Every kind of asset has a checklist: a test of the domain sees to it.
        let Some(list) = checklist::newest_for(asset.kind) else { continue };
        let check = Check {
            id: CheckId(id("check", &format!("{}:{}", round.due, asset.tag))),
            round: round.id,
            asset: asset.id,
            checklist: list.reference(),
            order,
        };
        drafts.push(Draft::record(entity::CHECK, check.id.0, fields(&check)));
    }
    let hand = Hand { scope: site(), actor: person(OFFICE), now: world.now() };
    write(ledger, world, hand, drafts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_accounts_are_those_of_the_people_in_the_file() {
        let people: Vec<_> = garden().unwrap().people.into_iter().map(|person| person.account).collect();
        assert_eq!(people, ACCOUNTS.map(|(name, _)| name));
    }

    #[test]
    fn whatever_the_file_names_is_in_it() {
        let garden = garden().unwrap();
        let places: Vec<_> = garden.places.iter().map(|place| &place.id).collect();
        let units: Vec<_> = garden.units.iter().map(|unit| &unit.id).collect();
        let named_places = garden.places.iter().filter_map(|place| place.parent.as_ref());
        for place in named_places.chain(garden.stops.iter().map(|stop| &stop.place)) {
            assert!(places.contains(&place), "no place {place}");
        }
        let named_units = garden.round.present.iter().chain(&garden.round.sign_off_of);
        for unit in named_units.chain(garden.people.iter().map(|person| &person.unit)) {
            assert!(units.contains(&unit), "no unit {unit}");
        }
    }
}

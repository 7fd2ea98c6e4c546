//! What names the things in a view: the places, units and people of the site.

use crate::store::{Records, StoreError};
use standpipe_domain::asset::{Asset, AssetLine};
use standpipe_domain::ids::{PersonId, PlaceId, UnitId};
use standpipe_domain::people::{Person, ResponsibleUnit};
use standpipe_domain::place::{DEPTH, Place, PlaceKind};
use standpipe_domain::words::Words;
use std::collections::HashMap;

pub(super) struct Scene {
    pub code: String,
    places: HashMap<PlaceId, Place>,
    units: HashMap<UnitId, ResponsibleUnit>,
    people: HashMap<PersonId, Person>,
}

impl Scene {
    pub(super) fn of(records: &mut dyn Records) -> Result<Self, StoreError> {
        Ok(Self {
            code: records.site()?.map(|site| site.code).unwrap_or_default(),
            places: records.places()?.into_iter().map(|place| (place.id, place)).collect(),
            units: records.units()?.into_iter().map(|unit| (unit.id, unit)).collect(),
            people: records.people()?.into_iter().map(|person| (person.id, person)).collect(),
        })
    }

    /// A unit's name; its identifier when the hub does not know the unit.
    pub(super) fn unit(&self, id: UnitId) -> Words {
        self.units.get(&id).map_or_else(|| Words::same(id.to_string()), |unit| unit.name.clone())
    }

    /// A person's name; the identifier when the hub does not know them.
    pub(super) fn person(&self, id: PersonId) -> String {
        self.people.get(&id).map_or_else(|| id.to_string(), |person| person.name.clone())
    }

    /// From the phase down to the place; the site itself is left out.
    pub(super) fn path(&self, place: PlaceId) -> Vec<Words> {
        let start = self.places.get(&place);
        let up = std::iter::successors(start, |place| self.places.get(&place.parent?));
        let mut path: Vec<Words> = up
            .take(DEPTH)
            .filter(|place| place.kind != PlaceKind::Site)
            .map(|place| place.name.clone())
            .collect();
        path.reverse();
        path
    }

    pub(super) fn asset(&self, asset: &Asset) -> AssetLine {
        AssetLine {
            id: asset.id,
            kind: asset.kind,
            name: asset.name.clone(),
            tag: asset.tag.clone(),
            path: self.path(asset.place),
        }
    }
}

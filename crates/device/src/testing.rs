//! An office for tests and measurements: writes operations as a hub does, and delivers them as pages of a pull.

pub mod figure;
pub mod large;

use crate::identity::{Identity, Seed, Token};
use crate::store::{Store, StoreError};
use serde_json::Value;
use standpipe_domain::asset::{Asset, AssetKind};
use standpipe_domain::checklist::newest_for;
use standpipe_domain::ids::{AssetId, CheckId, DeviceId, Millis, PersonId, PlaceId, RoundId, SiteId, UnitId};
use standpipe_domain::people::{Person, ResponsibleUnit, Role, UnitLevel};
use standpipe_domain::place::{Place, PlaceKind};
use standpipe_domain::record::{Site, entity, fields};
use standpipe_domain::round::{Check, Round, RoundKind};
use standpipe_domain::words::Words;
use standpipe_oplog::chain::Written;
use standpipe_oplog::checksum::Checksum;
use standpipe_oplog::pen::{Draft, Moment, Pen};
use standpipe_oplog::wire::{Numbered, PullHead};
use uuid::Uuid;

/// The site of the test estate.
pub const SITE: SiteId = SiteId(Uuid::from_u128(1));
/// Its inspector, who holds the tablet.
pub const INSPECTOR: PersonId = PersonId(Uuid::from_u128(2));
/// The hub's own device.
pub const HUB: DeviceId = DeviceId(Uuid::from_u128(3));
/// Somebody of the property company.
pub const STAFF: PersonId = PersonId(Uuid::from_u128(4));
/// The property company, and the two units whose representatives sign.
pub const PROPERTY: UnitId = UnitId(Uuid::from_u128(0x10));
pub const OWNERS: [UnitId; 2] = [UnitId(Uuid::from_u128(0x11)), UnitId(Uuid::from_u128(0x12))];
/// The round of the test estate.
pub const ROUND: RoundId = RoundId(Uuid::from_u128(0x20));

/// The place with this number: 0 the phase, 1 the building, from 2 on its floors.
pub fn place(n: u32) -> PlaceId {
    PlaceId(Uuid::from_u128(0x1000 + u128::from(n)))
}

/// The asset with this number.
pub fn asset(n: u32) -> AssetId {
    AssetId(Uuid::from_u128(0x1_0000_0000 + u128::from(n)))
}

/// The check with this number.
pub fn check(n: u32) -> CheckId {
    CheckId(Uuid::from_u128(0x2_0000_0000 + u128::from(n)))
}

/// An enrolment of the tablet with this number.
pub fn identity(tablet: u8) -> Identity {
    Identity {
        hub: "http://127.0.0.1:9".into(),
        token: Token("token".into()),
        device: DeviceId(Uuid::from_u128(0x100 + u128::from(tablet))),
        key: Seed([tablet; 32]),
        person: INSPECTOR,
        person_name: "巡检员".into(),
        site: SITE,
        site_name: Words::new("中骏花园", "Zhongjun Garden"),
        incarnation: 1,
    }
}

/// A hub's side of a site: writes, numbers, delivers.
pub struct Office {
    pen: Pen,
    made: u128,
    epoch: Uuid,
    head: u64,
    sum: Checksum,
    /// Everything numbered so far.
    pub log: Vec<Numbered>,
}

impl Default for Office {
    fn default() -> Self {
        Self {
            pen: Pen::new(HUB, SITE),
            made: 0,
            epoch: Uuid::from_u128(0xE),
            head: 0,
            sum: Checksum::default(),
            log: Vec::new(),
        }
    }
}

impl Office {
    /// Writes operations of one transaction.
    ///
    /// # Panics
    /// When a draft holds a number that JSON cannot write.
    pub fn write(&mut self, drafts: impl IntoIterator<Item = Draft>) {
        let tx = self.id();
        for draft in drafts {
            let op_id = self.id();
            let moment = Moment { now: Millis(1_688_000_000_000), actor: STAFF, tx };
            let Ok(Written { op, body, .. }) = self.pen.write(draft, op_id, moment) else {
                panic!("a draft that is no JSON");
            };
            self.number(op, body);
        }
    }

    fn id(&mut self) -> Uuid {
        self.made += 1;
        Uuid::from_u128(0x9_0000_0000_0000 + self.made)
    }

    fn number(&mut self, op: standpipe_oplog::op::Op, body: Box<str>) {
        self.head += 1;
        // Received a second after it was written.
        let at = Millis(op.device_time.0 + 1_000);
        self.sum = self.sum + Checksum::of(op.op_id, at, &body);
        self.log.push(Numbered { seq: self.head, at, op, body, receipt: None });
    }

    /// As if everything had been received at this time, or before it.
    pub fn received_by(&mut self, time: Millis) {
        self.log.iter_mut().for_each(|one| one.at = one.at.min(time));
        self.sum = self.log.iter().map(|one| Checksum::of(one.op.op_id, one.at, &one.body)).sum();
    }

    /// Takes what a tablet has not pushed yet, as a hub does.
    pub fn take_from(&mut self, tablet: &Store) -> Result<(), StoreError> {
        let after = tablet.chain_state()?.acknowledged;
        let batch = tablet.outbox(after)?;
        let count = batch.bodies.len() as u64;
        for body in batch.bodies {
            let op = serde_json::from_str(&body).map_err(crate::store::Fault::Json)?;
            self.number(op, body);
        }
        tablet.acknowledge(tablet.chain_state()?.id, after + count, 0)
    }

    /// Delivers what a tablet has not pulled yet. Gives whether both ends then hold the same.
    pub fn deliver(&self, tablet: &Store) -> Result<bool, StoreError> {
        self.deliver_in(5_000, tablet)
    }

    /// As [`Office::deliver`], in pages of so many operations.
    pub fn deliver_in(&self, ops: usize, tablet: &Store) -> Result<bool, StoreError> {
        let (_, after) = tablet.cursor()?;
        let skip = usize::try_from(after).unwrap_or(usize::MAX);
        let mut sum = None;
        for page in self.log.get(skip..).unwrap_or_default().chunks(ops) {
            let next = page.last().map_or(after, |last| last.seq);
            sum = Some(tablet.apply_page(&self.page_head(next), page)?);
        }
        Ok(sum.is_none_or(|sum| sum == self.sum.0))
    }

    /// As [`Office::deliver`], for a single tablet: what was delivered is forgotten.
    pub fn deliver_and_forget(&mut self, tablet: &Store) -> Result<bool, StoreError> {
        let mut sum = None;
        for page in std::mem::take(&mut self.log).chunks(5_000) {
            let next = page.last().map_or(0, |last| last.seq);
            sum = Some(tablet.apply_page(&self.page_head(next), page)?);
        }
        Ok(sum.is_none_or(|sum| sum == self.sum.0))
    }

    fn page_head(&self, next: u64) -> PullHead {
        PullHead {
            from: 0,
            protocol: 1,
            hub_epoch: self.epoch,
            next,
            more: next < self.head,
            checksum: format!("{:016x}", self.sum.0),
            now: Millis(1_688_000_000_000),
        }
    }

    /// An office with the test estate: a building of three floors with a standpipe and an extinguisher on each, and a
    /// round over all of them.
    pub fn with_estate() -> Self {
        let mut office = Self::default();
        office.write(estate());
        office.write((0..6).flat_map(|n| {
            let (kind, name) = kind_of(n);
            [an_asset(n, kind, name, 2 + n / 2), a_check(n, ROUND, n, kind)]
        }));
        office.write([round(ROUND, "2023-07-01", &OWNERS)]);
        office
    }
}

fn kind_of(n: u32) -> (AssetKind, Words) {
    if n.is_multiple_of(2) {
        (AssetKind::Extinguisher, Words::new("灭火器", "Extinguisher"))
    } else {
        (AssetKind::Standpipe, Words::new("消防立管", "Standpipe"))
    }
}

/// Site, places, units and people.
pub fn estate() -> Vec<Draft> {
    let unit = |id: UnitId, level, zh: &str, en: &str| {
        record(entity::UNIT, id.0, &ResponsibleUnit { id, level, name: Words::new(zh, en) })
    };
    let person = |id: PersonId, name: &str, role| {
        record(entity::PERSON, id.0, &Person { id, name: name.into(), unit: PROPERTY, roles: vec![role] })
    };
    let mut drafts = vec![
        record(
            entity::SITE,
            SITE.0,
            &Site { id: SITE, name: Words::new("中骏花园", "Zhongjun Garden"), code: "ZJ".into() },
        ),
        unit(PROPERTY, UnitLevel::Property, "小区物业", "Property company"),
        unit(OWNERS[0], UnitLevel::Owners, "一期业主代表", "Owner representative, phase 1"),
        unit(OWNERS[1], UnitLevel::Owners, "二期业主代表", "Owner representative, phase 2"),
        person(INSPECTOR, "巡检员", Role::Inspector),
        person(STAFF, "物业经理", Role::UnitStaff),
        a_place(0, PlaceKind::Phase, None, Words::new("一期", "Phase 1")),
        a_place(1, PlaceKind::Building, Some(0), Words::new("4栋", "Building 4")),
    ];
    drafts.extend((1..=3).map(|floor| {
        a_place(
            1 + floor,
            PlaceKind::Floor,
            Some(1),
            Words::new(format!("{floor}层"), format!("Floor {floor}")),
        )
    }));
    drafts
}

/// Writes a whole typed record.
pub fn record(entity: &'static str, id: Uuid, record: &impl serde::Serialize) -> Draft {
    Draft::record(entity, id, fields(record))
}

/// Writes one field of a record over what `base` shows.
pub fn set(entity: &'static str, id: Uuid, field: &str, value: Value, base: Option<Uuid>) -> Draft {
    Draft::set(entity, id, field, value, base)
}

pub fn a_place(n: u32, kind: PlaceKind, parent: Option<u32>, name: Words) -> Draft {
    record(
        entity::PLACE,
        place(n).0,
        &Place { id: place(n), kind, parent: parent.map(place), name, level: None },
    )
}

pub fn an_asset(n: u32, kind: AssetKind, name: Words, at: u32) -> Draft {
    let asset = Asset {
        id: asset(n),
        kind,
        place: place(at),
        name,
        tag: format!("ZJ-{n:06}"),
        facts: std::collections::BTreeMap::default(),
    };
    record(entity::ASSET, asset.id.0, &asset)
}

/// A check of asset `n`.
///
/// # Panics
/// For a kind of asset without a checklist: there is none.
pub fn a_check(n: u32, round: RoundId, order: u32, kind: AssetKind) -> Draft {
    a_check_of(n, n, round, order, kind)
}

/// Check `n`, of the asset with the number `of`.
///
/// # Panics
/// For a kind of asset without a checklist: there is none.
pub fn a_check_of(n: u32, of: u32, round: RoundId, order: u32, kind: AssetKind) -> Draft {
    let Some(list) = newest_for(kind) else { panic!("no checklist for {kind:?}") };
    let check = Check { id: check(n), round, asset: asset(of), checklist: list.reference(), order };
    record(entity::CHECK, check.id.0, &check)
}

/// A round on the day `due`.
///
/// # Panics
/// When `due` is no day.
pub fn round(id: RoundId, due: &str, sign_off_of: &[UnitId]) -> Draft {
    let Ok(due) = due.parse() else { panic!("{due} is no day") };
    let round = Round {
        id,
        kind: RoundKind::SpotCheck,
        title: Words::new("小区消防用水抽检", "Spot check of the estate's fire water"),
        due,
        reason: None,
        present: vec![PROPERTY],
        sign_off_of: sign_off_of.to_vec(),
    };
    record(entity::ROUND, id.0, &round)
}

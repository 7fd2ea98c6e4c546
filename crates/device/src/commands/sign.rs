//! Signatures: what was recorded is sealed, and does not change any more.

use super::{json, must_be_allowed};
use crate::engine::Engine;
use crate::error::Error;
use crate::store::query::{self, Sealable};
use crate::store::{Fault, Writing};
use ed25519_dalek::SigningKey;
use standpipe_domain::ids::SignOffId;
use standpipe_domain::permission::Act;
use standpipe_domain::record::entity;
use standpipe_domain::signoff::{NewSignOff, NoSignOff};
use standpipe_domain::tablet::RoundView;
use standpipe_oplog::op::Kind;
use standpipe_oplog::pen::Draft;
use standpipe_oplog::seal::{SealPayload, seal};

impl Engine {
    /// Seals a round with the signature of one unit, as it was when the unit's representative read it.
    ///
    /// # Errors
    /// The codes of [`NoSignOff`].
    pub fn sign(&self, new: NewSignOff) -> Result<RoundView, Error> {
        let round = new.round;
        self.record("sealing a round", |writing| {
            must_be_allowed(writing, &[Act::Record])?;
            new.complete()?;
            let record = query::round_record(writing, round)?;
            let record = record.ok_or(Error::Unknown { what: "round", id: round.0 })?;
            if !record.sign_off_of.contains(&new.unit) {
                return Err(NoSignOff::NotAsked.into());
            }
            query::obstacles(writing, round)?.none()?;
            let sealable = query::sealable(writing, round)?;
            // Whoever has signed signs again only for amendments made since.
            if query::has_signed(writing, round, new.unit, sealable.amended())? {
                return Err(NoSignOff::AlreadySigned.into());
            }
            if sealable.digest()? != new.digest {
                return Err(NoSignOff::ChangedMeanwhile.into());
            }
            put_seal(writing, new, sealable)
        })?;
        self.round(round)
    }
}

fn put_seal(writing: &mut Writing<'_>, new: NewSignOff, sealable: Sealable) -> Result<(), Error> {
    let sign_off = SignOffId(writing.world().uuid());
    let at = writing.now();
    let identity = writing.identity()?;
    let payload = SealPayload {
        sign_off,
        site: identity.site,
        round: new.round,
        unit: new.unit,
        name: new.name.trim().to_owned(),
        objection: new.objection.map(|words| words.trim().to_owned()).filter(|words| !words.is_empty()),
        strokes: new.strokes,
        at,
        device: identity.device,
        inspector: identity.person,
        checks: sealable.checks,
        findings: sealable.findings,
        evidence: sealable.evidence,
    };
    let key = SigningKey::from_bytes(&identity.key.0);
    let jws = seal(&payload, identity.device, &key).map_err(Fault::Json)?;
    let draft = Draft::set(entity::SIGN_OFF, sign_off.0, "", json(&jws)?, None);
    writing.record(Draft { kind: Kind::Seal, field: None, ..draft })?;
    Ok(())
}

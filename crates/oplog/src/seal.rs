//! Seals: signatures over what was recorded, that anyone can verify with the exported file alone.
//!
//! A seal is a JWS in the general JSON serialisation (RFC 7515, section 7.2.1) with EdDSA over Ed25519 (RFC 8037). Its
//! payload is the canonical JSON (RFC 8785) of [`SealPayload`]. The tablet signs; the hub adds a second signature with
//! its time of receipt. Each protected header carries its public key as a JWK.

use crate::canonical;
use crate::chain::sha256;
use crate::merge::{Amended, amendments};
use crate::op::Op;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use standpipe_domain::answer::{Answer, Answers};
use standpipe_domain::checklist::ChecklistRef;
use standpipe_domain::finding::Severity;
use standpipe_domain::ids::{
    AssetId, CheckId, DeviceId, FindingId, Millis, PersonId, RoundId, Sha256, SignOffId, SiteId, UnitId,
};
use standpipe_domain::record::entity;
use standpipe_domain::signoff::Strokes;
use standpipe_domain::tablet::Amendment;
use std::collections::BTreeMap;
use uuid::Uuid;

/// What is signed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SealPayload {
    pub sign_off: SignOffId,
    pub site: SiteId,
    pub round: RoundId,
    pub unit: UnitId,
    /// The representative's name, as they gave it.
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub objection: Option<String>,
    pub strokes: Strokes,
    /// The tablet's time, and who held it.
    pub at: Millis,
    pub device: DeviceId,
    pub inspector: PersonId,
    pub checks: Vec<SealedCheck>,
    pub findings: Vec<SealedFinding>,
    /// The hashes of all evidence, sorted, each once.
    pub evidence: Vec<Sha256>,
}

/// A record that a seal covers.
#[derive(Clone, Copy, Debug)]
pub struct Covered<'a> {
    pub entity: &'static str,
    pub id: Uuid,
    /// The operation behind each of its fields.
    pub revs: &'a BTreeMap<String, Uuid>,
    /// The operations that added its photos.
    pub photos: &'a [Uuid],
}

static NOTHING: BTreeMap<String, Uuid> = BTreeMap::new();

impl SealPayload {
    /// What the value of a sealing operation says, unverified; `None` where it is no seal that can be read.
    pub fn of(value: &Value) -> Option<Self> {
        Jws::deserialize(value).ok()?.payload().ok()
    }

    /// Everything that the seal covers.
    pub fn covered(&self) -> impl Iterator<Item = Covered<'_>> {
        let checks = self.checks.iter().map(|one| Covered {
            entity: entity::CHECK,
            id: one.id.0,
            revs: &one.revs,
            photos: &one.photos,
        });
        let findings = self.findings.iter().map(|one| Covered {
            entity: entity::FINDING,
            id: one.id.0,
            revs: &one.revs,
            photos: &one.photos,
        });
        // Of a finding that does not stand any more only its photos were shown to who signed.
        let settled = self.checks.iter().flat_map(|one| &one.settled).map(|(id, photos)| Covered {
            entity: entity::FINDING,
            id: id.0,
            revs: &NOTHING,
            photos,
        });
        checks.chain(findings).chain(settled)
    }
}

/// A check as it was signed, with the operation behind each field.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SealedCheck {
    pub id: CheckId,
    pub asset: AssetId,
    pub checklist: ChecklistRef,
    pub answers: Answers,
    pub revs: BTreeMap<String, Uuid>,
    /// The operations that added its photos: who signs has seen them, so they stay.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub photos: Vec<Uuid>,
    /// The photos of findings whose items do not fail any more, in the same way.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub settled: BTreeMap<FindingId, Vec<Uuid>>,
    /// Amendments that this signature covers, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub amendments: Vec<SealedAmendment>,
}

/// An amendment as it was signed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SealedAmendment {
    /// The operation that wrote it.
    pub rev: Uuid,
    pub item: String,
    pub answer: Answer,
    pub reason: String,
}

/// What a signature covers of the amendments among the operations on a check, oldest first.
pub fn sealed_amendments<'a>(ops: impl IntoIterator<Item = &'a Op>) -> Vec<SealedAmendment> {
    let sealed = |amended: &Amended| {
        let Amendment { item, answer, reason, .. } = amended.view(String::new(), true)?;
        Some(SealedAmendment { rev: amended.side.rev, item, answer, reason })
    };
    amendments(ops).iter().filter_map(sealed).collect()
}

/// The field of a signature's record in which the hub's signature comes to the tablets.
pub const COUNTERSIGNED: &str = "countersigned";

/// A finding as it was signed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SealedFinding {
    pub id: FindingId,
    pub check: CheckId,
    pub item: String,
    pub severity: Severity,
    pub words: String,
    pub revs: BTreeMap<String, Uuid>,
    /// See [`SealedCheck::photos`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub photos: Vec<Uuid>,
}

/// A signed payload, in the general JSON serialisation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jws {
    pub payload: String,
    pub signatures: Vec<JwsSignature>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JwsSignature {
    pub protected: String,
    pub signature: String,
}

/// The protected header of a signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    pub alg: String,
    /// The device that signed: a tablet, or the hub.
    pub kid: DeviceId,
    pub jwk: Jwk,
    /// Only of the hub: when it received the seal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub received: Option<Millis>,
    /// Only of the hub: the sequence number under which it keeps the seal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// Only of the hub: the SHA-256 of the tablet's signature, so that the two cannot be parted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over: Option<Sha256>,
}

/// An Ed25519 public key (RFC 8037, section 2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jwk {
    pub kty: String,
    pub crv: String,
    pub x: String,
}

/// Why a seal does not hold.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    #[error("the seal is not a JWS of an Ed25519 signature: {0}")]
    Malformed(String),
    #[error("a signature does not fit the sealed bytes")]
    Forged,
    #[error("the seal was made by another key than this tablet's")]
    OtherKey,
}

/// What a seal says, after its signatures were verified.
#[derive(Clone, Debug, PartialEq)]
pub struct Verified {
    pub payload: SealPayload,
    pub tablet: Header,
    pub hub: Option<Header>,
}

impl Verified {
    /// Whether the second signature is that of the hub with this device and key.
    pub fn is_countersigned_by(&self, hub: DeviceId, key: &VerifyingKey) -> bool {
        self.hub.as_ref().is_some_and(|header| header.kid == hub && header.jwk == jwk(key))
    }
}

/// The public half of a key, as a JWK.
pub fn jwk(key: &VerifyingKey) -> Jwk {
    Jwk { kty: "OKP".into(), crv: "Ed25519".into(), x: BASE64URL.encode(key.as_bytes()) }
}

/// Seals `payload` with the tablet's key.
pub fn seal(payload: &SealPayload, device: DeviceId, key: &SigningKey) -> Result<Jws, serde_json::Error> {
    let payload = BASE64URL.encode(canonical::bytes(payload)?);
    let header = Header {
        alg: "EdDSA".into(),
        kid: device,
        jwk: jwk(&key.verifying_key()),
        received: None,
        seq: None,
        over: None,
    };
    let signature = sign(&payload, &header, key)?;
    Ok(Jws { payload, signatures: vec![signature] })
}

/// Adds the hub's signature, with when and as what it received the seal.
pub fn countersign(
    jws: &mut Jws,
    hub: DeviceId,
    key: &SigningKey,
    received: Millis,
    seq: u64,
) -> Result<(), serde_json::Error> {
    let header = Header {
        alg: "EdDSA".into(),
        kid: hub,
        jwk: jwk(&key.verifying_key()),
        received: Some(received),
        seq: Some(seq),
        over: jws.signatures.first().map(|first| sha256(first.signature.as_bytes())),
    };
    let signature = sign(&jws.payload, &header, key)?;
    jws.signatures.truncate(1);
    jws.signatures.push(signature);
    Ok(())
}

fn sign(payload: &str, header: &Header, key: &SigningKey) -> Result<JwsSignature, serde_json::Error> {
    let protected = BASE64URL.encode(canonical::bytes(header)?);
    let signature = key.sign(format!("{protected}.{payload}").as_bytes());
    Ok(JwsSignature { protected, signature: BASE64URL.encode(signature.to_bytes()) })
}

impl Jws {
    /// The payload, unverified.
    pub fn payload(&self) -> Result<SealPayload, Broken> {
        decode(&self.payload)
    }

    /// Verifies each signature against the key in its header, and the tablet's key against `expected`, where it is
    /// known from elsewhere than the seal itself.
    pub fn verify(&self, expected: Option<&Jwk>) -> Result<Verified, Broken> {
        let mut headers = self.signatures.iter().map(|signature| self.verify_one(signature));
        let tablet = headers.next().ok_or_else(|| Broken::Malformed("no signature".into()))??;
        let hub = headers.next().transpose()?;
        if expected.is_some_and(|key| *key != tablet.jwk) {
            return Err(Broken::OtherKey);
        }
        let first = sha256(self.signatures[0].signature.as_bytes());
        if hub.as_ref().is_some_and(|hub| hub.over != Some(first)) {
            return Err(Broken::Forged);
        }
        let payload = self.payload()?;
        if payload.device != tablet.kid {
            return Err(Broken::Forged);
        }
        Ok(Verified { payload, tablet, hub })
    }

    fn verify_one(&self, one: &JwsSignature) -> Result<Header, Broken> {
        let header: Header = decode(&one.protected)?;
        if header.alg != "EdDSA" || header.jwk.kty != "OKP" || header.jwk.crv != "Ed25519" {
            return Err(Broken::Malformed("another algorithm".into()));
        }
        let key: [u8; 32] = raw(&header.jwk.x)?;
        let key = VerifyingKey::from_bytes(&key).map_err(|error| Broken::Malformed(error.to_string()))?;
        let signature = Signature::from_bytes(&raw::<64>(&one.signature)?);
        key.verify_strict(format!("{}.{}", one.protected, self.payload).as_bytes(), &signature)
            .map_err(|_| Broken::Forged)?;
        Ok(header)
    }
}

fn raw<const N: usize>(text: &str) -> Result<[u8; N], Broken> {
    let bytes = BASE64URL.decode(text).map_err(|error| Broken::Malformed(error.to_string()))?;
    bytes.try_into().map_err(|_| Broken::Malformed("a key or signature of the wrong length".into()))
}

fn decode<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, Broken> {
    let malformed = |error: String| Broken::Malformed(error);
    let bytes = BASE64URL.decode(text).map_err(|error| malformed(error.to_string()))?;
    serde_json::from_slice(&bytes).map_err(|error| malformed(error.to_string()))
}

#[cfg(test)]
#[path = "seal_tests.rs"]
mod tests;

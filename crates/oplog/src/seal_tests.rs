use super::*;
use serde_json::json;

fn key(n: u8) -> SigningKey {
    SigningKey::from_bytes(&[n; 32])
}

fn device(n: u128) -> DeviceId {
    DeviceId(Uuid::from_u128(n))
}

fn payload() -> SealPayload {
    serde_json::from_value(json!({
        "sign_off": Uuid::from_u128(1), "site": Uuid::from_u128(2), "round": Uuid::from_u128(3),
        "unit": Uuid::from_u128(4), "name": "业主代表", "objection": "三楼未查", "strokes": [[[1, 2, 0], [3, 4, 16]]],
        "at": 1_688_180_000_000_i64, "device": Uuid::from_u128(7), "inspector": Uuid::from_u128(8),
        "checks": [{"id": Uuid::from_u128(9), "asset": Uuid::from_u128(10),
            "checklist": {"id": "standpipe", "version": 1},
            "answers": {"dynamic-pressure": {"outcome": "pass", "at": 5, "reading": {"value": 0.42, "unit": "MPa"}}},
            "revs": {"answer:dynamic-pressure": Uuid::from_u128(11)}}],
        "findings": [], "evidence": ["ab".repeat(32)],
    }))
    .unwrap()
}

fn sealed() -> Jws {
    let mut jws = seal(&payload(), device(7), &key(1)).unwrap();
    countersign(&mut jws, device(99), &key(2), Millis(1_688_190_000_000), 41).unwrap();
    jws
}

#[test]
fn a_seal_verifies_with_the_file_alone() {
    let file = serde_json::to_string(&sealed()).unwrap();
    let verified = serde_json::from_str::<Jws>(&file).unwrap().verify(None).unwrap();
    assert_eq!(verified.payload, payload());
    assert_eq!(verified.hub.unwrap().seq, Some(41));
}

#[test]
fn a_seal_before_the_hub_saw_it_verifies_too() {
    let verified = seal(&payload(), device(7), &key(1)).unwrap().verify(None).unwrap();
    assert_eq!(verified.hub, None);
}

#[test]
fn one_changed_answer_breaks_the_seal() {
    let mut jws = sealed();
    let mut changed = payload();
    changed.checks[0].answers.get_mut("dynamic-pressure").unwrap().reading.as_mut().unwrap().value = 0.43;
    jws.payload = BASE64URL.encode(canonical::bytes(&changed).unwrap());
    assert!(matches!(jws.verify(None), Err(Broken::Forged)));
}

#[test]
fn a_seal_by_another_key_is_not_this_tablets() {
    let forged = seal(&payload(), device(7), &key(3)).unwrap();
    assert!(forged.verify(None).is_ok(), "whole in itself");
    assert!(matches!(forged.verify(Some(&jwk(&key(1).verifying_key()))), Err(Broken::OtherKey)));
}

#[test]
fn a_countersignature_cannot_be_moved_to_another_seal() {
    let mut other = seal(&payload(), device(7), &key(3)).unwrap();
    other.signatures.push(sealed().signatures[1].clone());
    assert!(matches!(other.verify(None), Err(Broken::Forged)));
}

#[test]
fn a_seal_names_the_tablet_that_made_it() {
    let borrowed = seal(&payload(), device(8), &key(1)).unwrap();
    assert!(matches!(borrowed.verify(None), Err(Broken::Forged)));
}

#[test]
fn nonsense_is_malformed_not_a_panic() {
    for (payload, protected, signature) in [("", "", ""), ("!", "e30", "e30"), ("e30", "e30", "AAAA")] {
        let one = JwsSignature { protected: protected.into(), signature: signature.into() };
        let jws = Jws { payload: payload.into(), signatures: vec![one] };
        assert!(matches!(jws.verify(None), Err(Broken::Malformed(_))));
    }
    assert!(Jws { payload: "e30".into(), signatures: vec![] }.verify(None).is_err());
}

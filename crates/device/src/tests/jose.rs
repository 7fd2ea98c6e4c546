//! Exported seals, verified by an implementation of JWS and Ed25519 that is not ours: Node's, over the text of RFC 7515.

use super::signing::ready;
use super::*;
use crate::testing::{HUB, OWNERS, set};
use ed25519_dalek::SigningKey;
use serde_json::{Value, json};
use standpipe_domain::ids::{DeviceId, SignOffId};
use standpipe_oplog::seal::{Jws, countersign};

/// Reads a seal, and says of each of its signatures whose it is, whether it verifies, and whether it does over a payload of
/// which one byte is another. Node reads both alphabets of base64, so that they are the URL's is asked apart.
const VERIFY: &str = r"
const { verify } = require('node:crypto');
const bytes = (text) => {
    if (!/^[A-Za-z0-9_-]+$/.test(text)) throw new Error(`${text} is no base64url without padding`);
    return Buffer.from(text, 'base64url');
};
const { payload, signatures } = JSON.parse(require('node:fs').readFileSync(process.argv[1], 'utf8'));
const changed = bytes(payload);
changed[changed.length >> 1] ^= 1;
const said = signatures.map(({ protected: header, signature }) => {
    const { alg, kid, jwk } = JSON.parse(bytes(header));
    bytes(jwk.x);
    const holds = (payload) =>
        verify(null, Buffer.from(`${header}.${payload}`), { key: jwk, format: 'jwk' }, bytes(signature));
    return { alg, kid, genuine: holds(payload), changed: holds(changed.toString('base64url')) };
});
console.log(JSON.stringify(said));
";

/// What Node says of the file that a person gets who exports a seal.
fn said_by_node(tablet: &Tablet, seal: SignOffId) -> Value {
    let file = tablet.engine.save_seal(seal, tablet.folder.path()).unwrap();
    let node = run(Command::new("node").args(["-e", VERIFY]).arg(&file));
    let said = node.expect("this test needs `node` (Node.js), with which the screens are built, too");
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    serde_json::from_slice(&said.stdout).unwrap()
}

#[test]
fn an_exported_seal_verifies_with_another_implementation_and_no_other_payload_does() {
    let mut tablet = ready();
    let round = tablet.sign(OWNERS[1], Some("三楼未查")).unwrap();
    let id = round.sign_offs[1].signed.as_ref().unwrap().id;
    let own = tablet.engine.store().identity().unwrap().unwrap().device;
    let by = |device: DeviceId| json!({"alg": "EdDSA", "kid": device, "genuine": true, "changed": false});
    assert_eq!(said_by_node(&tablet, id), json!([by(own)]));

    let mut jws: Jws = serde_json::from_str(&tablet.engine.export_seal(id).unwrap()).unwrap();
    countersign(&mut jws, HUB, &SigningKey::from_bytes(&[9; 32]), Millis(77), 5).unwrap();
    let value = serde_json::to_value(&jws.signatures[1]).unwrap();
    tablet.office.write([set("sign-off", id.0, "countersigned", value, None)]);
    tablet.office.deliver(tablet.engine.store()).unwrap();
    assert_eq!(said_by_node(&tablet, id), json!([by(own), by(HUB)]));
}

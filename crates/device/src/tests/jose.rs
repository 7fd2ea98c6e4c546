//! Exported seals, verified by a JOSE library that is not ours.

use super::signing::ready;
use super::*;
use crate::testing::{HUB, OWNERS, set};
use ed25519_dalek::SigningKey;
use serde_json::{Value, json};
use standpipe_domain::ids::{DeviceId, SignOffId};
use standpipe_oplog::seal::{Jws, countersign};

/// Reads a seal, and says of each of its signatures whose it is, whether it verifies with the key that it names, and whether
/// it does over a payload of which one byte is another.
const VERIFY: &str = r"
import { EmbeddedJWK, base64url, flattenedVerify } from 'jose';
import { readFileSync } from 'node:fs';
const { payload, signatures } = JSON.parse(readFileSync(process.argv[1], 'utf8'));
const bytes = base64url.decode(payload);
bytes[bytes.length >> 1] ^= 1;
const holds = async (payload, signature) => {
    const options = { algorithms: ['EdDSA'] };
    const held = await flattenedVerify({ ...signature, payload }, EmbeddedJWK, options).catch((error) => error);
    if (held.code && held.code !== 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED') throw held;
    return held.protectedHeader;
};
const said = signatures.map(async (signature) => {
    const { alg, kid } = await holds(payload, signature);
    return { alg, kid, genuine: true, changed: Boolean(await holds(base64url.encode(bytes), signature)) };
});
console.log(JSON.stringify(await Promise.all(said)));
";

/// What the library says of the file that a person gets who exports a seal.
fn said_by_jose(tablet: &Tablet, seal: SignOffId) -> Value {
    let file = tablet.engine.save_seal(seal, tablet.folder.path()).unwrap();
    let ui = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ui");
    let mut node = Command::new("node");
    let node = run(node.current_dir(ui).args(["--input-type=module", "-e", VERIFY]).arg(&file));
    let said =
        node.expect("this test needs `node` (Node.js), and the packages with which the screens are built");
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
    assert_eq!(said_by_jose(&tablet, id), json!([by(own)]));

    let mut jws: Jws = serde_json::from_str(&tablet.engine.export_seal(id).unwrap()).unwrap();
    countersign(&mut jws, HUB, &SigningKey::from_bytes(&[9; 32]), Millis(77), 5).unwrap();
    let value = serde_json::to_value(&jws.signatures[1]).unwrap();
    tablet.office.write([set("sign-off", id.0, "countersigned", value, None)]);
    tablet.office.deliver(tablet.engine.store()).unwrap();
    assert_eq!(said_by_jose(&tablet, id), json!([by(own), by(HUB)]));
}

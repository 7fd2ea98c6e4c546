//! Canonical JSON (RFC 8785): one value, one sequence of bytes, so that it can be hashed and signed.

use serde::Serialize;

/// The canonical bytes of a value.
///
/// # Errors
/// When the value holds a number that JSON has no way to write: a NaN or an infinity.
pub fn bytes<T: Serialize>(value: &T) -> Result<Vec<u8>, serde_json::Error> {
    serde_json_canonicalizer::to_vec(value)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn keys_are_sorted_and_numbers_written_one_way() {
        // The sample values of RFC 8785, section 3.2.2.
        let value =
            json!({"numbers": [333_333_333.333_333_3, 1e30, 4.5, 0.002, 1e-27], "a": null, "B": "€$"});
        let text = String::from_utf8(super::bytes(&value).unwrap()).unwrap();
        assert_eq!(text, r#"{"B":"€$","a":null,"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27]}"#);
    }
}

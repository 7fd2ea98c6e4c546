//! Secrets as types of their own: none of them can reach a log, and only hashes are kept.

use crate::world::World;
use argon2::Argon2;
use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use serde::Deserialize;
use standpipe_domain::ids::Sha256;
use standpipe_oplog::chain::sha256;
use std::fmt;

/// A password as somebody typed it.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct Password(String);

/// A password's Argon2id hash, in the PHC format.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

/// A random token: of a session, or of a tablet.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

/// A code that is read from one screen and typed into another.
#[derive(Clone, PartialEq, Eq)]
pub struct Code(String);

/// A password could not be hashed, or what the store holds is no hash.
#[derive(Debug, thiserror::Error)]
#[error("the password could not be hashed or compared: {0}")]
pub struct Unhashable(String);

impl Password {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// A fresh one, to be printed once: 16 letters and digits, about 78 bits.
    pub fn generate(world: &dyn World) -> Self {
        Self(pick(world, 16))
    }

    /// The password itself, for the one who is to type it.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Hashes it with Argon2id and a fresh salt. Takes about 50 ms and 19 MiB: not on a thread that answers requests.
    pub fn hash(&self, world: &dyn World) -> Result<PasswordHash, Unhashable> {
        let mut salt = [0; 16];
        world.random(&mut salt);
        let hash: phc::PasswordHash = Argon2::default()
            .hash_password_with_salt(self.0.as_bytes(), &salt)
            .map_err(|error| Unhashable(error.to_string()))?;
        Ok(PasswordHash(hash.to_string()))
    }

    /// Whether this is the password behind `hash`. As slow as [`Password::hash`], on purpose.
    pub fn fits(&self, hash: &PasswordHash) -> Result<bool, Unhashable> {
        let hash = phc::PasswordHash::new(&hash.0).map_err(|error| Unhashable(error.to_string()))?;
        Ok(Argon2::default().verify_password(self.0.as_bytes(), &hash).is_ok())
    }
}

impl PasswordHash {
    /// A hash as the store keeps it.
    pub fn from_phc(text: String) -> Self {
        Self(text)
    }

    /// The text to be kept.
    pub fn phc(&self) -> &str {
        &self.0
    }
}

impl Token {
    /// A fresh one, of 256 bits.
    pub fn generate(world: &dyn World) -> Self {
        let mut bytes = [0; 32];
        world.random(&mut bytes);
        Self(BASE64URL.encode(bytes))
    }

    /// A token as a request brought it.
    pub fn received(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The token itself, for the one who is to hold it.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What the store knows it by. A plain hash is enough for what nobody can guess.
    pub fn hash(&self) -> Sha256 {
        sha256(self.0.as_bytes())
    }
}

impl Code {
    /// A fresh one of ten letters and digits, about 49 bits, for fifteen minutes.
    pub fn generate(world: &dyn World) -> Self {
        Self(pick(world, 10))
    }

    /// A code as somebody typed it: case, spaces and dashes do not matter.
    pub fn typed(text: &str) -> Self {
        Self(text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect())
    }

    /// The code itself, in two groups for reading.
    pub fn reveal(&self) -> String {
        let (head, tail) = self.0.split_at(self.0.len() / 2);
        format!("{head}-{tail}")
    }

    /// What the store knows it by.
    pub fn hash(&self) -> Sha256 {
        sha256(self.0.as_bytes())
    }
}

// Letters and digits that nobody mistakes for another one.
const ALPHABET: &[u8; 30] = b"23456789abcdefghjkmnpqrstvwxyz";

fn pick(world: &dyn World, length: usize) -> String {
    let mut text = String::with_capacity(length);
    while text.len() < length {
        let mut byte = [0];
        world.random(&mut byte);
        // Beyond the last whole multiple of the alphabet some letters would be likelier than others.
        if usize::from(byte[0]) < 240 {
            text.push(char::from(ALPHABET[usize::from(byte[0]) % ALPHABET.len()]));
        }
    }
    text
}

macro_rules! redacted {
    ($($name:ident)*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(redacted)"))
            }
        }
    )*};
}

redacted! { Password PasswordHash Token Code }

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::RealWorld;

    #[test]
    fn a_password_fits_its_own_hash_only() {
        let (mine, other) = (Password::new("中骏花园"), Password::new("中骏花園"));
        let hash = mine.hash(&RealWorld).unwrap();
        assert!(hash.phc().starts_with("$argon2id$"));
        assert!(mine.fits(&hash).unwrap());
        assert!(!other.fits(&hash).unwrap());
        assert!(mine.fits(&PasswordHash::from_phc("plain".into())).is_err());
    }

    #[test]
    fn no_secret_shows_in_a_log() {
        let code = Code::typed("abcde-fghij");
        let hash = PasswordHash::from_phc("secret".into());
        let shown =
            format!("{:?} {:?} {:?} {hash:?}", Password::new("secret"), Token::received("secret"), code);
        assert!(!shown.contains("secret") && !shown.contains("fghij"), "{shown}");
    }

    #[test]
    fn a_code_is_known_however_it_is_typed() {
        let code = Code::generate(&RealWorld);
        assert_eq!(Code::typed(&code.reveal().to_uppercase().replace('-', " ")).hash(), code.hash());
        assert_ne!(Code::generate(&RealWorld).hash(), code.hash());
    }
}

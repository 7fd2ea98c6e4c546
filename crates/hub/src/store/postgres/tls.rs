//! TLS with the database's server, where its address asks for it.

use super::server::unsuitable;
use crate::store::StoreError;
use percent_encoding::percent_decode_str;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio_postgres_rustls::MakeRustlsConnect;

/// Takes out of an address what the driver does not know: the file of `sslrootcert`, and `sslmode=verify-full`, which is
/// `require` here. Gives the address without them, and the file.
pub(super) fn split(url: &str) -> (String, Option<PathBuf>) {
    let Some((base, query)) = url.split_once('?') else { return (url.to_owned(), None) };
    let mut roots = None;
    let mut kept = Vec::new();
    for pair in query.split('&') {
        match pair.split_once('=') {
            Some(("sslrootcert", file)) => {
                roots = Some(PathBuf::from(percent_decode_str(file).decode_utf8_lossy().into_owned()));
            }
            Some(("sslmode", "verify-ca" | "verify-full")) => kept.push("sslmode=require"),
            _ => kept.push(pair),
        }
    }
    (format!("{base}?{}", kept.join("&")), roots)
}

/// Connects to servers whose certificate names their host, and comes from one of those in the file, or else from one that
/// this machine trusts.
pub(super) fn connector(roots: Option<&Path>) -> Result<MakeRustlsConnect, StoreError> {
    let mut trusted = RootCertStore::empty();
    match roots {
        Some(file) => {
            let why = |error: &dyn std::fmt::Display| {
                unsuitable(format!("the certificates in {} (sslrootcert): {error}", file.display()))
            };
            let certificates = CertificateDer::pem_file_iter(file).map_err(|error| why(&error))?;
            for certificate in certificates {
                let certificate = certificate.map_err(|error| why(&error))?;
                trusted.add(certificate).map_err(|error| why(&error))?;
            }
        }
        None => {
            // One that does not read is one less.
            trusted.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    if trusted.is_empty() {
        return Err(unsuitable(
            "its address asks for TLS, and there is no certificate to trust: name a file with sslrootcert"
                .into(),
        ));
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| unsuitable(format!("its address asks for TLS, which cannot be set up: {error}")))?
        .with_root_certificates(trusted)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_driver_does_not_know_is_taken_out_of_an_address() {
        for (url, expected, file) in [
            ("postgres://a/b", "postgres://a/b", None),
            ("postgres://a/b?sslmode=require", "postgres://a/b?sslmode=require", None),
            ("postgres://a/b?sslmode=verify-full&port=7", "postgres://a/b?sslmode=require&port=7", None),
            (
                "postgres://a/b?sslrootcert=%2Fetc%2Fca.pem&sslmode=require",
                "postgres://a/b?sslmode=require",
                Some("/etc/ca.pem"),
            ),
        ] {
            assert_eq!(split(url), (expected.to_owned(), file.map(PathBuf::from)));
        }
    }
}

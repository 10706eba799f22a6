//! TLS for calls that go out: one provider of cryptography, and one set of authorities that are believed.

use std::sync::Arc;

use rustls::{
    ClientConfig, RootCertStore,
    crypto::{CryptoProvider, ring},
};

/// Makes ring the provider of cryptography for the whole process. May be called often and from anywhere; the first call, whoever made
/// it, decides.
///
/// A `reqwest::Client` that is built without a configuration of ours panics where this was not called before.
pub fn install() {
    // Taken already: by an earlier call, or by a program that chose for itself.
    let _ = CryptoProvider::install_default(ring::default_provider());
}

/// A client's side of TLS 1.2 and 1.3 that believes the public authorities, as mail does. They are built in, so that an image without
/// a store of certificates works the same.
pub(crate) fn config() -> Result<ClientConfig, rustls::Error> {
    let authorities = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider())).with_safe_default_protocol_versions()?;
    Ok(builder.with_root_certificates(authorities).with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_may_be_installed_twice() {
        install();
        install();
        assert!(CryptoProvider::get_default().is_some());
        assert!(config().is_ok());
    }
}

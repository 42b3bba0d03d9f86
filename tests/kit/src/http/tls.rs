//! Certificates that nobody trusts who was not told to.

use std::io::{self, Write};
use std::net::TcpStream;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::crypto::ring;
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// A certificate authority of a test's own. Whoever is to trust it is given [`Authority::pem`], on
/// Linux as a file that `SSL_CERT_FILE` names.
pub struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// A new one, unlike any other.
    pub fn new() -> Self {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::default();
        let name = &mut params.distinguished_name;
        name.push(DnType::CommonName, "The authority of a test");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let own = params.self_signed(&key).expect("a certificate of its own");
        Self {
            pem: own.pem(),
            issuer: Issuer::new(params, key),
        }
    }

    /// Its certificate.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// What a server needs that proves to be `name`: a host's name or an address.
    pub(super) fn certify(&self, name: &str) -> Arc<ServerConfig> {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new([name.to_owned()]).expect("the name of a host");
        let certificate = params
            .signed_by(&key, &self.issuer)
            .expect("a certificate of the server's");
        let key = PrivatePkcs8KeyDer::from(key.serialize_der());
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring has what they need")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key.into())
            .expect("a key that fits the certificate");
        Arc::new(config)
    }
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authority").finish_non_exhaustive()
    }
}

/// The server's end of a connection.
pub(super) type Secured<'a> = StreamOwned<ServerConnection, &'a TcpStream>;

/// Greets a client, as soon as it is read from.
pub(super) fn secured<'a>(config: &Arc<ServerConfig>, stream: &'a TcpStream) -> Secured<'a> {
    let connection = ServerConnection::new(Arc::clone(config)).expect("a sound configuration");
    StreamOwned::new(connection, stream)
}

/// Says that nothing more follows: without it, what was sent could have been cut short.
pub(super) fn close(stream: &mut Secured<'_>) -> io::Result<()> {
    stream.conn.send_close_notify();
    stream.flush()
}

//! Settings of the edge: where to listen, how many executors, and what a client may cost.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::poller::Driver;
use crate::error::{Error, Result};
use crate::wire::BrokerConfig;

/// A door.
#[derive(Clone, Debug)]
pub struct Listener {
    /// Where to listen. Port 0 takes a free one.
    pub address: SocketAddr,
    /// What clients are told to connect to; `None`: the address itself.
    pub advertised: Option<(String, u16)>,
    /// Speak TLS with this certificate.
    pub tls: Option<Certificate>,
    /// SASL before anything else.
    pub must_authenticate: bool,
    /// Open to other machines without authentication, and the user has said that this is meant.
    pub is_open_on_purpose: bool,
}

impl Listener {
    /// Without authentication.
    pub fn plain(address: SocketAddr) -> Self {
        Self { address, advertised: None, tls: None, must_authenticate: false, is_open_on_purpose: false }
    }
}

/// A certificate with its key, both PEM files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// The certificate, then those that vouch for it.
    pub chain: PathBuf,
    /// The private key: PKCS#8, PKCS#1 or SEC1.
    pub key: PathBuf,
}

impl Certificate {
    /// Reads both. TLS 1.2 and 1.3.
    pub(super) fn load(&self) -> Result<Arc<rustls::ServerConfig>> {
        let wrong =
            |path: &PathBuf, e: &dyn std::fmt::Display| Error::config(format!("{}: {e}", path.display()));
        let chain = CertificateDer::pem_file_iter(&self.chain)
            .and_then(Iterator::collect::<std::result::Result<Vec<_>, _>>)
            .map_err(|e| wrong(&self.chain, &e))?;
        let key = PrivateKeyDer::from_pem_file(&self.key).map_err(|e| wrong(&self.key, &e))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|e| Error::config(e.to_string()))?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(|e| wrong(&self.chain, &e))?;
        Ok(Arc::new(config))
    }
}

/// What clients may cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// `socket.request.max.bytes`: largest Produce frame. Default 100 MiB (Kafka's).
    pub frame_bytes: usize,
    /// Largest frame of a connection that has not authenticated. Default 64 KiB.
    pub stranger_frame_bytes: usize,
    /// `max.connections`. Default 4,096; the file descriptor limit of most systems is not far above.
    pub connections: usize,
    /// Bytes of incomplete frames and unsent replies of all connections. Default 512 MiB. A connection that would need more is
    /// closed. Views of the log do not count: they are not copies.
    pub buffered_bytes: usize,
    /// `connections.max.idle.ms`. Default 10 min (Kafka's).
    pub idle_ms: u64,
    /// An incomplete frame, or a reply that is not taken, may stand still so long. Default 60 s.
    pub stall_ms: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            frame_bytes: 100 << 20,
            stranger_frame_bytes: 64 << 10,
            connections: 4_096,
            buffered_bytes: 512 << 20,
            idle_ms: 10 * 60 * 1_000,
            stall_ms: 60_000,
        }
    }
}

/// Everything a server needs beside its store.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// At least one.
    pub listeners: Vec<Listener>,
    /// Threads that serve connections. Default: one a core.
    pub executors: usize,
    /// How they wait for sockets.
    pub driver: Driver,
    /// What clients may cost.
    pub limits: Limits,
    /// The broker's own settings.
    pub broker: BrokerConfig,
    /// How long a stop waits for replies to leave. Default 5 s.
    pub drain_ms: u64,
}

impl ServerConfig {
    /// One listener, one executor a core.
    pub fn new(listener: Listener) -> Self {
        Self {
            listeners: vec![listener],
            executors: std::thread::available_parallelism().map_or(1, usize::from),
            driver: Driver::default(),
            limits: Limits::default(),
            broker: BrokerConfig::default(),
            drain_ms: 5_000,
        }
    }

    /// Checks what the values must be, and that no door stands open by mistake.
    ///
    /// # Errors
    /// A value that cannot be, with what to write instead.
    pub fn validate(&self) -> Result<()> {
        if self.listeners.is_empty() {
            return Err(Error::config("a server needs a listener"));
        }
        if !(1..=256).contains(&self.executors) {
            return Err(Error::config(format!("executors must be 1 to 256, not {}", self.executors)));
        }
        for listener in &self.listeners {
            let is_local = match listener.address.ip() {
                IpAddr::V4(ip) => ip.is_loopback(),
                IpAddr::V6(ip) => ip.is_loopback(),
            };
            if !is_local && !listener.must_authenticate && !listener.is_open_on_purpose {
                return Err(Error::config(format!(
                    "{} can be reached from other machines and asks nobody for a password",
                    listener.address
                ))
                .hint("give a file of users with --users, or say --allow-anonymous when that is meant"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_open_door_must_be_meant() {
        let open = ServerConfig::new(Listener::plain("0.0.0.0:9092".parse().unwrap()));
        assert!(open.validate().unwrap_err().to_string().contains("--allow-anonymous"));
        let mut meant = open.clone();
        meant.listeners[0].is_open_on_purpose = true;
        assert!(meant.validate().is_ok());
        assert!(ServerConfig::new(Listener::plain("127.0.0.1:0".parse().unwrap())).validate().is_ok());
        assert!(ServerConfig::new(Listener::plain("[::1]:0".parse().unwrap())).validate().is_ok());
    }
}

//! `pelton serve`: the log behind Kafka's protocol, until SIGTERM or SIGINT.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use pelton::edge::{Certificate, Driver, Listener, Server, ServerConfig};
use pelton::host::SystemClock;
use pelton::log::{Log, LogConfig, LogStore};
use pelton::wire::broker::Credentials;
use pelton::{Error, Result};

/// Serve topics to Kafka clients.
#[derive(Args, Debug)]
pub(crate) struct Serve {
    /// Folder of the topics; made when it is not there [default: pelton/log under the user's state folder].
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Address to listen on.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:9092")]
    listen: Vec<SocketAddr>,
    /// What clients are told to connect to, when it is not the address listened on.
    #[arg(long, value_name = "HOST:PORT")]
    advertise: Option<String>,
    /// File of users, one `name:password` a line; clients must then authenticate (PLAIN, SCRAM-SHA-256, SCRAM-SHA-512).
    #[arg(long, value_name = "FILE")]
    users: Option<PathBuf>,
    /// Speak TLS with this certificate (PEM).
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The certificate's private key (PEM).
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Listen to other machines without asking for a password.
    #[arg(long)]
    allow_anonymous: bool,
    /// Partitions of a topic that is made by its first use.
    #[arg(long, value_name = "N", default_value_t = 4)]
    partitions: u32,
    /// Do not make topics by their first use.
    #[arg(long)]
    no_auto_create: bool,
    /// Threads that serve connections [default: one a core].
    #[arg(long, value_name = "N")]
    executors: Option<usize>,
    /// How they wait for sockets.
    #[arg(long, value_name = "HOW", value_enum, default_value_t = Io::Auto)]
    io: Io,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Io {
    /// io_uring where it is allowed, else epoll.
    Auto,
    /// glommio over io_uring; refused where that is not allowed.
    #[value(name = "io-uring")]
    Uring,
    /// epoll, or kqueue.
    Portable,
}

impl Serve {
    /// Serves until a signal comes.
    pub(crate) fn run(self) -> Result<()> {
        let data = match self.data {
            Some(data) => data,
            None => default_data()?,
        };
        let start = std::time::Instant::now();
        may_open_many_files();
        let log = Log::open(&data, LogConfig::default())?;
        for finding in log.findings() {
            say(&format!("pelton: {finding}"));
        }
        let advertised = self.advertise.as_deref().map(host_and_port).transpose()?;
        let tls = self.tls_cert.zip(self.tls_key).map(|(chain, key)| Certificate { chain, key });
        let listeners = self
            .listen
            .iter()
            .map(|&address| Listener {
                advertised: advertised.clone(),
                tls: tls.clone(),
                must_authenticate: self.users.is_some(),
                is_open_on_purpose: self.allow_anonymous,
                ..Listener::plain(address)
            })
            .collect();
        let mut config = ServerConfig::new(Listener::plain(([127, 0, 0, 1], 0).into()));
        config.listeners = listeners;
        config.executors = self.executors.unwrap_or(config.executors);
        config.driver = match self.io {
            Io::Auto => Driver::Auto,
            Io::Uring => Driver::IoUring,
            Io::Portable => Driver::Portable,
        };
        config.broker.auto_create_topics = !self.no_auto_create;
        config.broker.default_partitions = self.partitions;
        config.broker.cluster_id = cluster_id(&data)?;
        config.broker.seed = random();
        if let Some(users) = &self.users {
            config.broker.credentials = read_users(users)?;
        }
        let mut signals =
            signal_hook::iterator::Signals::new([signal_hook::consts::SIGTERM, signal_hook::consts::SIGINT])
                .map_err(|e| Error::io("signals", &e))?;
        let sync = log.sync_name().to_owned();
        let server = Server::start(config, Box::new(LogStore::new(log)), Arc::new(SystemClock::default()))?;
        let addresses: Vec<String> = server.addresses().iter().map(ToString::to_string).collect();
        say(&format!(
            "pelton serves {} on {} ({}, sync by {sync}, ready in {} ms)",
            data.display(),
            addresses.join(", "),
            server.describe(),
            start.elapsed().as_millis()
        ));
        signals.forever().next();
        if let Some(failure) = server.failure() {
            say(&format!("pelton: {failure}"));
        }
        server.stop()?;
        say("pelton: stopped cleanly");
        Ok(())
    }
}

/// Says something to whoever started it; nobody needs to listen any more, and that is no reason to end.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Connections and segments are files: as many as the system lets this process have, not only the usual 1,024.
fn may_open_many_files() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let limit = getrlimit(Resource::Nofile);
        // Where it is refused, what is there has to do.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
    }
}

/// `$XDG_STATE_HOME/pelton/log`, else `~/.local/state/pelton/log`.
pub(crate) fn default_data() -> Result<PathBuf> {
    let state = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from).filter(|p| p.is_absolute());
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/state"));
    state.or_else(home).map(|state| state.join("pelton/log")).ok_or_else(|| {
        Error::config("neither XDG_STATE_HOME nor HOME is set").hint("name a folder: --data DIR")
    })
}

fn host_and_port(text: &str) -> Result<(String, u16)> {
    text.rsplit_once(':')
        .and_then(|(host, port)| Some((host.trim_matches(['[', ']']).to_owned(), port.parse().ok()?)))
        .filter(|(host, _)| !host.is_empty())
        .ok_or_else(|| Error::config(format!("--advertise {text}: not HOST:PORT")))
}

/// Lines of `name:password`; empty ones and those that begin with `#` are skipped.
fn read_users(path: &std::path::Path) -> Result<Credentials> {
    let text =
        std::fs::read_to_string(path).map_err(|e| Error::config(format!("{}: {e}", path.display())))?;
    let secret: Vec<u8> = (0..8).flat_map(|_| random().to_be_bytes()).collect();
    let mut credentials = Credentials::new(&secret);
    for (number, line) in text.lines().enumerate() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (name, password) = line
            .split_once(':')
            .filter(|(name, password)| !name.is_empty() && !password.is_empty())
            .ok_or_else(|| Error::config(format!("{}:{}: not name:password", path.display(), number + 1)))?;
        credentials.add(name, password);
    }
    if credentials.is_empty() {
        return Err(Error::config(format!("{} names nobody", path.display())));
    }
    Ok(credentials)
}

/// 64 bits that differ from start to start.
fn random() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(std::process::id())
}

/// The cluster's name is made once and kept beside the topics: clients notice when it changes.
fn cluster_id(data: &std::path::Path) -> Result<String> {
    let path = data.join("cluster-id");
    if let Ok(id) = std::fs::read_to_string(&path)
        && id.trim().len() == 22
    {
        return Ok(id.trim().to_owned());
    }
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let bits = u128::from(random()) << 64 | u128::from(random());
    let id: String = (0..22).map(|i| char::from(LETTERS[(bits >> (i * 6) & 63) as usize])).collect();
    std::fs::write(&path, format!("{id}\n")).map_err(|e| Error::io(path.display(), &e))?;
    Ok(id)
}

//! SSH for scripts: one connection of a VU, and commands that run on the other side. Host keys are not verified.

use std::cell::RefCell;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::task::AtomicWaker;
use russh::client::{self, AuthResult, Handle};
use russh::keys::{Algorithm, HashAlg, PrivateKeyWithHashAlg, PublicKeyOrCertificate};
use russh::{AlgorithmKind, ChannelMsg, Sig};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::client_connections::ClientConnections;
use super::socket::MeteredSocket;
use super::ssh_key::{self, KeySource, LoadedKey};

/// A command that writes more than this is given up.
const MAX_OUTPUT: usize = 64 << 20;

/// Where a script connects to and as whom.
pub struct SshConnect {
    /// The host.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The user.
    pub user: String,
    /// What proves it.
    pub proof: SshProof,
    /// How long all of it may take.
    pub timeout: Duration,
}

/// What proves who somebody is.
pub enum SshProof {
    /// A password.
    Password(String),
    /// A private key.
    Key(KeySource),
}

impl fmt::Debug for SshConnect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SshConnect({}:{})", self.host, self.port)
    }
}

/// What a command came to.
#[derive(Debug)]
pub struct SshOutput {
    /// What it wrote.
    pub stdout: Vec<u8>,
    /// How it failed, in Go's words and with what it wrote to its standard error.
    pub failed: Option<String>,
}

/// One connection of a VU on its network thread.
#[derive(Debug)]
pub struct SshSession {
    connections: Rc<ClientConnections>,
    open: RefCell<Option<OpenConnection>>,
}

struct OpenConnection {
    handle: Handle<AnyHost>,
    _cut: CutOnDrop,
}

impl fmt::Debug for OpenConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OpenConnection")
    }
}

/// Takes every host for the right one, as the original does.
struct AnyHost;

impl client::Handler for AnyHost {
    type Error = russh::Error;

    async fn check_server_key(&mut self, _: &PublicKeyOrCertificate) -> Result<bool, Self::Error> {
        Ok(true)
    }
}

/// Whether a connection is given up: the library's own task holds the socket, and must let go of it at once.
#[derive(Default)]
struct Cut {
    is_cut: AtomicBool,
    reader: AtomicWaker,
    writer: AtomicWaker,
}

struct CutOnDrop(Arc<Cut>);

impl Drop for CutOnDrop {
    fn drop(&mut self) {
        self.0.is_cut.store(true, Ordering::SeqCst);
        self.0.reader.wake();
        self.0.writer.wake();
    }
}

/// A socket that ends when it is cut.
struct CuttableSocket {
    socket: MeteredSocket,
    cut: Arc<Cut>,
}

impl CuttableSocket {
    fn is_cut(&self, waker: &AtomicWaker, cx: &Context<'_>) -> bool {
        waker.register(cx.waker());
        self.cut.is_cut.load(Ordering::SeqCst)
    }

    fn gone() -> io::Error {
        io::Error::from(io::ErrorKind::ConnectionAborted)
    }
}

impl AsyncRead for CuttableSocket {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.is_cut(&self.cut.reader, cx) {
            return Poll::Ready(Err(Self::gone()));
        }
        Pin::new(&mut self.socket).poll_read(cx, buf)
    }
}

impl AsyncWrite for CuttableSocket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.is_cut(&self.cut.writer, cx) {
            return Poll::Ready(Err(Self::gone()));
        }
        Pin::new(&mut self.socket).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}

impl SshSession {
    /// A session that is not connected.
    pub fn new(connections: Rc<ClientConnections>) -> Self {
        Self { connections, open: RefCell::new(None) }
    }

    /// Connects.
    ///
    /// # Errors
    /// Go's words.
    pub async fn connect(&self, how: SshConnect) -> Result<(), String> {
        let (address, timeout) = (format!("{}:{}", how.host, how.port), how.timeout);
        let opened = tokio::time::timeout(timeout, self.open(how)).await;
        let opened = opened.map_err(|_| format!("ssh: no connection to {address} within {timeout:?}"))??;
        self.open.replace(Some(opened));
        Ok(())
    }

    async fn open(&self, how: SshConnect) -> Result<OpenConnection, String> {
        // Keys may be protected by what takes long on purpose: not on this thread, which has other connections.
        let proof = match how.proof {
            SshProof::Password(password) => Err(password),
            SshProof::Key(source) => {
                let loaded = tokio::task::spawn_blocking(move || ssh_key::load(&source)).await;
                Ok(loaded.map_err(|_| "the private key can't be read".to_owned())??)
            }
        };
        let connector = self.connections.connector();
        let dialled = connector.dial(&how.host, &how.port.to_string()).await;
        let (socket, _) = dialled.map_err(|error| error.cause().to_owned())?;
        let cut = CutOnDrop(Arc::default());
        let socket = CuttableSocket { socket, cut: cut.0.clone() };
        let mut config = client::Config { nodelay: true, ..client::Config::default() };
        // Without its `rsa` the library can't verify what such a host signs.
        config.preferred.key.to_mut().retain(|algorithm| !matches!(algorithm, Algorithm::Rsa { .. }));
        let config = Arc::new(config);
        let handshake = |error: russh::Error| match error {
            russh::Error::NoCommonAlgo { kind: AlgorithmKind::Key, theirs, .. }
                if theirs.iter().all(|name| name.contains("rsa")) =>
            {
                "ssh: handshake failed: the server has none but an RSA key of its own, which is not supported"
                    .to_owned()
            }
            error => format!("ssh: handshake failed: {error}"),
        };
        let mut handle = client::connect_stream(config, socket, AnyHost).await.map_err(handshake)?;
        let (method, answer) = match proof {
            Err(password) => ("password", handle.authenticate_password(how.user, password).await.map_err(handshake)?),
            Ok(LoadedKey::Other(key)) => {
                let key = PrivateKeyWithHashAlg::new(Arc::new(*key), None);
                ("publickey", handle.authenticate_publickey(how.user, key).await.map_err(handshake)?)
            }
            Ok(LoadedKey::Rsa(mut signer)) => {
                let best = handle.best_supported_rsa_hash().await.map_err(handshake)?.flatten();
                let hash = Some(best.unwrap_or(HashAlg::Sha256));
                let public = signer.public()?;
                let signed = handle.authenticate_publickey_with(how.user, public, hash, &mut *signer).await;
                ("publickey", signed.map_err(|error| format!("ssh: handshake failed: {error}"))?)
            }
        };
        match answer {
            AuthResult::Success => Ok(OpenConnection { handle, _cut: cut }),
            AuthResult::Failure { .. } => Err(format!(
                "ssh: handshake failed: ssh: unable to authenticate, attempted methods [none {method}], no supported methods remain"
            )),
        }
    }

    /// Runs a command to its end.
    ///
    /// # Errors
    /// Go's words, where it could not be run or the host went away.
    pub async fn run(&self, command: String) -> Result<SshOutput, String> {
        // Held here while it runs: a command that nobody waits for any more ends with its connection.
        let open = self.open.take().ok_or("there is no connection: ssh.connect() comes before ssh.run()")?;
        let output = open.run(command).await;
        self.open.replace(Some(open));
        output
    }
}

impl OpenConnection {
    async fn run(&self, command: String) -> Result<SshOutput, String> {
        let lost = || "the connection to the host is lost".to_owned();
        let failed = |error: russh::Error| if self.handle.is_closed() { lost() } else { format!("ssh: {error}") };
        let mut channel = self.handle.channel_open_session().await.map_err(failed)?;
        channel.exec(true, command).await.map_err(failed)?;
        // It finds its input at an end, as in the original; one that is over already has no use for that.
        _ = channel.eof().await;
        let (mut stdout, mut stderr, mut end) = (Vec::new(), Vec::new(), None);
        while let Some(message) = channel.wait().await {
            match message {
                ChannelMsg::Data { data } => stdout.extend_from_slice(&data),
                ChannelMsg::ExtendedData { data, .. } => stderr.extend_from_slice(&data),
                ChannelMsg::ExitStatus { exit_status } => end = Some(ended(exit_status)),
                ChannelMsg::ExitSignal { signal_name, .. } => end = Some(Some(signalled(&signal_name))),
                ChannelMsg::Failure => return Err("ssh: command could not be started".to_owned()),
                _ => {}
            }
            if stdout.len() + stderr.len() > MAX_OUTPUT {
                _ = channel.close().await;
                return Err(format!("the command wrote more than {} MiB and was given up", MAX_OUTPUT >> 20));
            }
        }
        let Some(end) = end else {
            let missing = "wait: remote command exited without exit status or exit signal";
            return Err(if self.handle.is_closed() { format!("{missing}: {}", lost()) } else { missing.to_owned() });
        };
        let said = String::from_utf8_lossy(&stderr);
        let failed = end.map(|text| match said.trim_end() {
            "" => text,
            said => format!("{text}: {said}"),
        });
        Ok(SshOutput { stdout, failed })
    }
}

fn ended(status: u32) -> Option<String> {
    (status != 0).then(|| format!("Process exited with status {status}"))
}

/// A signal counts as a status above 128, as in a shell.
fn signalled(signal: &Sig) -> String {
    let (name, number) = match signal {
        Sig::ABRT => ("ABRT", libc::SIGABRT),
        Sig::ALRM => ("ALRM", libc::SIGALRM),
        Sig::FPE => ("FPE", libc::SIGFPE),
        Sig::HUP => ("HUP", libc::SIGHUP),
        Sig::ILL => ("ILL", libc::SIGILL),
        Sig::INT => ("INT", libc::SIGINT),
        Sig::KILL => ("KILL", libc::SIGKILL),
        Sig::PIPE => ("PIPE", libc::SIGPIPE),
        Sig::QUIT => ("QUIT", libc::SIGQUIT),
        Sig::SEGV => ("SEGV", libc::SIGSEGV),
        Sig::TERM => ("TERM", libc::SIGTERM),
        Sig::USR1 => ("USR1", libc::SIGUSR1),
        Sig::Custom(name) => (name.as_str(), 0),
    };
    format!("Process exited with status {} from signal {name}", 128 + number)
}

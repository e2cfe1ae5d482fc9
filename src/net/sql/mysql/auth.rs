//! How a client shows a server that it knows the password.

use std::io;

use mysql_common::auth::plugins::client_ed25519::ClientEd25519;
use mysql_common::auth::plugins::{ChallengeResponsePlugin as _, Context};
use mysql_common::io::ParseBuf;
use mysql_common::packets::{AuthPlugin, HandshakePacket};
use mysql_common::proto::MyDeserialize as _;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

/// Reads what a server begins with.
///
/// # Errors
/// It is malformed.
pub(super) fn hello(packet: &[u8]) -> io::Result<HandshakePacket<'_>> {
    /// From the version's end to the length of the challenge.
    const LENGTH_AT: usize = 21;
    // The crate takes it for a signed number and subtracts from that without looking.
    let version_end = packet.get(1..).and_then(|rest| memchr::memchr(0, rest));
    let length = version_end.and_then(|end| packet.get(1 + end + LENGTH_AT));
    if length.is_some_and(|length| *length >= 0x80) {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "the challenge is too long"));
    }
    HandshakePacket::deserialize((), &mut ParseBuf(packet))
}

/// What is answered to a server's challenge.
///
/// # Errors
/// Ways to log in that are not offered, or that the data source name forbids.
pub(super) fn answer(
    plugin: &AuthPlugin<'_>,
    password: &str,
    challenge: &[u8],
    is_encrypted: bool,
    allows_clear_text: bool,
    allows_native: bool,
) -> Result<Vec<u8>, String> {
    let password = password.as_bytes();
    match plugin {
        AuthPlugin::MysqlNativePassword if !allows_native => {
            Err("this user requires mysql native password authentication".to_owned())
        }
        AuthPlugin::MysqlNativePassword if password.is_empty() => Ok(Vec::new()),
        AuthPlugin::MysqlNativePassword => Ok(native(password, challenge)),
        AuthPlugin::CachingSha2Password if password.is_empty() => Ok(Vec::new()),
        AuthPlugin::CachingSha2Password => Ok(caching_sha2(password, challenge)),
        AuthPlugin::MysqlClearPassword if allows_clear_text => Ok(terminated(password)),
        AuthPlugin::MysqlClearPassword => {
            Err("this user requires clear text authentication. If you still want to use it, \
             please add 'allowCleartextPasswords=1' to your DSN"
                .to_owned())
        }
        AuthPlugin::Sha256Password if password.is_empty() => Ok(vec![0]),
        AuthPlugin::Sha256Password if is_encrypted => Ok(terminated(password)),
        // Asks for the server's key.
        AuthPlugin::Sha256Password => Ok(vec![1]),
        AuthPlugin::Ed25519 => ed25519(password, challenge),
        other => {
            Err(format!("this authentication plugin is not supported: {}", String::from_utf8_lossy(other.as_bytes())))
        }
    }
}

/// How long the challenge is that a server says itself, and the zero behind it left out.
pub(super) fn challenge_len(plugin: &AuthPlugin<'_>) -> usize {
    match plugin {
        AuthPlugin::Ed25519 => mysql_common::auth::plugins::client_ed25519::NONCE_BYTES,
        _ => 20,
    }
}

/// A signature of the challenge, by the key that the password is (MariaDB).
fn ed25519(password: &[u8], challenge: &[u8]) -> Result<Vec<u8>, String> {
    let answer = ClientEd25519::default().run(Password(password), challenge);
    answer.map(|answer| answer.data().unwrap_or_default().to_vec()).map_err(|error| format!("client_ed25519: {error}"))
}

/// All that a signature needs to know of a connection.
struct Password<'p>(&'p [u8]);

impl Context for Password<'_> {
    fn pass(&self) -> &[u8] {
        self.0
    }
    fn is_ipc_transport(&self) -> bool {
        false
    }
    fn is_tls_transport(&self) -> bool {
        false
    }
    fn scramble(&self) -> &[u8] {
        &[]
    }
    fn server_key_pem(&self) -> Option<&[u8]> {
        None
    }
}

/// A password with the zero that ends it.
pub(super) fn terminated(password: &[u8]) -> Vec<u8> {
    [password, &[0]].concat()
}

/// A password for the server alone, encrypted with its key.
///
/// # Errors
/// A key that can't be read.
pub(super) fn encrypted(password: &str, challenge: &[u8], key: &[u8]) -> Result<Vec<u8>, String> {
    let mut masked = terminated(password.as_bytes());
    if challenge.is_empty() {
        return Err("the server sent no challenge".to_owned());
    }
    masked.iter_mut().zip(challenge.iter().cycle()).for_each(|(byte, mask)| *byte ^= mask);
    mysql_common::crypto::encrypt(&masked, key).map_err(|error| format!("the server's public key: {error}"))
}

fn native(password: &[u8], challenge: &[u8]) -> Vec<u8> {
    let once = Sha1::digest(password);
    let twice = Sha1::digest(once);
    let mask = Sha1::new().chain_update(challenge).chain_update(twice).finalize();
    once.iter().zip(mask).map(|(byte, mask)| byte ^ mask).collect()
}

fn caching_sha2(password: &[u8], challenge: &[u8]) -> Vec<u8> {
    let once = Sha256::digest(password);
    let twice = Sha256::digest(once);
    let mask = Sha256::new().chain_update(twice).chain_update(challenge).finalize();
    once.iter().zip(mask).map(|(byte, mask)| byte ^ mask).collect()
}

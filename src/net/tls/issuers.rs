//! The certificates of issuers that servers leave out of their chains, fetched from where the chains say (the access method
//! `caIssuers` of AIA, RFC 5280, section 4.2.2.1).
//!
//! One store per run: a certificate is fetched once, also for those that ask for it meanwhile. Nothing here opens connections or
//! judges a chain: an [`IssuerTransport`] does the one, the verifier the other.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::{LocalBoxFuture, Shared};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio::sync::oneshot;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::oid_registry::OID_PKIX_ACCESS_DESCRIPTOR_CA_ISSUERS;
use x509_parser::prelude::FromDer;

use crate::log::{Level, Logger};
use crate::units::sync::lock;

/// How many certificates are fetched to verify one chain; what is known already does not count.
const MAX_FETCHES: usize = 5;
/// How long a certificate is known, unless it expires before.
const MAX_AGE: Duration = Duration::from_secs(24 * 60 * 60);
/// At most this many certificates are known at a time: servers choose the addresses.
const MAX_KNOWN: usize = 256;

/// Fetches from the addresses that certificates name.
pub trait IssuerTransport {
    /// GETs `url`.
    ///
    /// # Errors
    /// In words: why there is no response with status 200 in time.
    fn get(&self, url: &str) -> LocalBoxFuture<'static, Result<IssuerResponse, String>>;
}

/// What was found at an address.
#[derive(Clone, Debug, Default)]
pub struct IssuerResponse {
    /// The header of this name, or nothing.
    pub content_type: String,
    /// The beginning of the body.
    pub body: Bytes,
}

/// The certificates that were fetched in this run, by their addresses.
#[derive(Debug)]
pub(super) struct IssuerStore {
    entries: Mutex<HashMap<String, Entry>>,
    logger: Logger,
}

/// What is known of an address. One where there was no certificate is asked again.
#[derive(Debug)]
enum Entry {
    Known {
        issuer: Arc<Issuer>,
        fetched: Instant,
    },
    /// It resolves to `None` without a certificate.
    Fetching(Shared<oneshot::Receiver<Option<Arc<Issuer>>>>),
}

/// The certificate of an issuer.
#[derive(Debug, PartialEq, Eq)]
struct Issuer {
    certificate: CertificateDer<'static>,
    /// Where its own issuer's certificate is.
    urls: Vec<String>,
    /// When it expires, in seconds since 1970.
    not_after: i64,
}

/// What is known without a fetch.
#[derive(Debug, Default)]
pub(super) struct KnownIssuers {
    /// The certificates.
    pub certificates: Vec<CertificateDer<'static>>,
    /// False when there is something left to fetch.
    pub is_complete: bool,
}

impl IssuerStore {
    /// An empty store, which reports to `logger` what is odd about the servers.
    pub(super) fn new(logger: &Logger) -> Arc<Self> {
        Arc::new(Self { entries: Mutex::default(), logger: logger.clone() })
    }

    /// The issuers that can be reached from `urls` without a fetch.
    pub(super) fn known(&self, urls: &[String]) -> KnownIssuers {
        let mut found = KnownIssuers { is_complete: true, ..KnownIssuers::default() };
        let mut walk = Walk::new(urls);
        while let Some(url) = walk.next() {
            match self.find(&url) {
                Some(issuer) => found.certificates.push(walk.follow(&issuer)),
                None => found.is_complete = false,
            }
        }
        found
    }

    /// The issuers that can be reached from `urls` with at most [`MAX_FETCHES`] fetches, the nearest first. Needs a `LocalRuntime`
    /// around it: a fetch goes on when who asked for it first does not wait any longer.
    pub(super) async fn fetch(
        self: &Arc<Self>,
        urls: &[String],
        transport: &dyn IssuerTransport,
    ) -> Vec<CertificateDer<'static>> {
        let (mut found, mut fetches) = (Vec::new(), 0);
        let mut walk = Walk::new(urls);
        while let Some(url) = walk.next() {
            let issuer = match self.find(&url) {
                None if fetches < MAX_FETCHES => {
                    fetches += 1;
                    self.fetch_one(&url, transport).await
                }
                known => known,
            };
            found.extend(issuer.map(|issuer| walk.follow(&issuer)));
        }
        found
    }

    /// Says that a chain is incomplete although certificates of issuers could be fetched.
    pub(super) fn warn_incomplete(&self, error: &str) {
        let text = "AIA: certificate chain incomplete after fetching intermediates; verify that the AIA endpoint is reachable \
                    and returns a valid certificate";
        self.logger.log(Level::Warning, text, vec![("error", error.to_owned().into())]);
    }

    /// What is known of `url`, if that is still true.
    fn find(&self, url: &str) -> Option<Arc<Issuer>> {
        let mut entries = lock(&self.entries);
        let Some(Entry::Known { issuer, fetched }) = entries.get(url) else { return None };
        if fetched.elapsed() <= MAX_AGE && !issuer.is_expired() {
            return Some(issuer.clone());
        }
        entries.remove(url);
        None
    }

    async fn fetch_one(self: &Arc<Self>, url: &str, transport: &dyn IssuerTransport) -> Option<Arc<Issuer>> {
        let fetching = {
            let mut entries = lock(&self.entries);
            match entries.get(url) {
                Some(Entry::Known { issuer, .. }) if !issuer.is_expired() => return Some(issuer.clone()),
                Some(Entry::Fetching(fetching)) => fetching.clone(),
                _ => {
                    let (found_tx, found_rx) = oneshot::channel();
                    let (store, response, url) = (self.clone(), transport.get(url), url.to_owned());
                    tokio::task::spawn_local({
                        let url = url.clone();
                        async move { _ = found_tx.send(store.read(url, response.await)) }
                    });
                    let fetching = found_rx.shared();
                    make_room(&mut entries);
                    entries.insert(url, Entry::Fetching(fetching.clone()));
                    fetching
                }
            }
        };
        // Fails when the network thread that fetches ends: the run is over.
        fetching.await.ok().flatten()
    }

    /// Reads what was found at `url`, and keeps the certificate.
    fn read(&self, url: String, response: Result<IssuerResponse, String>) -> Option<Arc<Issuer>> {
        let issuer = response.and_then(|response| {
            Issuer::read(&response.body).ok_or_else(|| {
                if is_pkcs7(&response) {
                    let fields = vec![("url", url.clone().into()), ("content-type", response.content_type.into())];
                    let text = "AIA response is PKCS#7 (not currently supported); chain will remain incomplete";
                    self.logger.log(Level::Warning, text, fields);
                }
                "there is no certificate in DER or PEM".to_owned()
            })
        });
        let mut entries = lock(&self.entries);
        match issuer {
            Ok(issuer) => {
                let issuer = Arc::new(issuer);
                entries.insert(url, Entry::Known { issuer: issuer.clone(), fetched: Instant::now() });
                Some(issuer)
            }
            Err(error) => {
                entries.remove(&url);
                drop(entries);
                let fields = vec![("url", url.into()), ("error", error.into())];
                self.logger.log(Level::Debug, "AIA: the certificate of an issuer could not be fetched", fields);
                None
            }
        }
    }
}

/// Forgets the certificate that was fetched first, when there are enough.
fn make_room(entries: &mut HashMap<String, Entry>) {
    if entries.len() < MAX_KNOWN {
        return;
    }
    let known = entries.iter().filter_map(|(url, entry)| match entry {
        Entry::Known { fetched, .. } => Some((fetched, url)),
        Entry::Fetching(_) => None,
    });
    if let Some(oldest) = known.min().map(|(_, url)| url.clone()) {
        entries.remove(&oldest);
    }
}

/// A walk from certificate to issuer, breadth first; no address comes twice.
struct Walk {
    queue: VecDeque<String>,
    seen: HashSet<String>,
}

impl Walk {
    fn new(urls: &[String]) -> Self {
        Self { queue: urls.iter().cloned().collect(), seen: HashSet::new() }
    }

    /// The next address.
    fn next(&mut self) -> Option<String> {
        while let Some(url) = self.queue.pop_front() {
            if self.seen.insert(url.clone()) {
                return Some(url);
            }
        }
        None
    }

    /// An issuer's own issuers come later.
    fn follow(&mut self, issuer: &Issuer) -> CertificateDer<'static> {
        self.queue.extend(issuer.urls.iter().cloned());
        issuer.certificate.clone()
    }
}

impl Issuer {
    /// Reads a certificate in DER, or the first one in PEM.
    fn read(body: &[u8]) -> Option<Self> {
        let parse = |der: CertificateDer<'_>| {
            let (rest, parsed) = X509Certificate::from_der(&der).ok()?;
            let (urls, not_after) = (urls_in(&parsed), parsed.validity().not_after.timestamp());
            rest.is_empty().then(|| Self { certificate: der.clone().into_owned(), urls, not_after })
        };
        parse(body.into()).or_else(|| parse(CertificateDer::from_pem_slice(body).ok()?))
    }

    fn is_expired(&self) -> bool {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.not_after < now.as_secs() as i64
    }
}

/// Where the certificates of the issuers of `chain` are, in its order.
pub(super) fn issuer_urls<'a>(chain: impl IntoIterator<Item = &'a CertificateDer<'a>>) -> Vec<String> {
    let parsed = chain.into_iter().filter_map(|der| Some(X509Certificate::from_der(der).ok()?.1));
    parsed.flat_map(|certificate| urls_in(&certificate)).collect()
}

fn urls_in(certificate: &X509Certificate<'_>) -> Vec<String> {
    let accesses = certificate.extensions().iter().filter_map(|extension| match extension.parsed_extension() {
        ParsedExtension::AuthorityInfoAccess(access) => Some(&access.accessdescs),
        _ => None,
    });
    let urls = accesses.flatten().filter_map(|access| match access.access_location {
        GeneralName::URI(url) if access.access_method == OID_PKIX_ACCESS_DESCRIPTOR_CA_ISSUERS => Some(url.to_owned()),
        _ => None,
    });
    urls.collect()
}

/// What is read from a body: where the issuers of its certificate are, and whether it is a bag.
#[cfg(any(test, fuzzing))]
pub(super) fn facts(body: &[u8]) -> (Option<Vec<String>>, bool) {
    let response = IssuerResponse { content_type: String::new(), body: Bytes::copy_from_slice(body) };
    (Issuer::read(body).map(|issuer| issuer.urls), is_pkcs7(&response))
}

/// True for a bag of certificates as Windows makes them.
fn is_pkcs7(response: &IssuerResponse) -> bool {
    /// `signedData`, 1.2.840.113549.1.7.2
    const SIGNED_DATA: [u8; 9] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
    let kind = response.content_type.to_ascii_lowercase();
    let has = |bytes: &[u8]| memchr::memmem::find(&response.body, bytes).is_some();
    kind.contains("pkcs7") || kind.contains("pkcs-7") || has(&SIGNED_DATA) || has(b"-----BEGIN PKCS7-----")
}

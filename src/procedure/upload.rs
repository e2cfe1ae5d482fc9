//! An archive, copied to an S3-compatible store in parts and verified there.
//!
//! What was sent stands in `ARCHIVE.upload.json` beside the archive, which is the receipt in the end: an upload that was
//! cut off goes on with the parts that are missing. Credentials stand in no file of ours.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use data_encoding::HEXLOWER;
use futures_util::stream::{self, StreamExt as _};
use md5::{Digest as _, Md5};
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::multipart::{MultipartStore as _, PartId};
use object_store::path::Path as Key;
use object_store::{ClientOptions, ObjectStoreExt as _, PutPayload, RetryConfig};
use ring::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};

use super::credentials::{CredentialsSource, StoreCredentials};
use super::decode::{DecodeError, JsonNode};
use super::journal;
use super::settings::REPORT_EVERY;
use super::web::innermost;
use crate::ui::Terminal;
use crate::units::number;
use crate::units::web_client;

/// How long a part is, unless there were too many.
const PART_SIZE: u64 = 8 << 20;
/// Stores take no more parts than this.
const MAX_PARTS: u64 = 10_000;
/// Parts under way at the same time.
const MAX_CONCURRENT_PARTS: usize = 4;

/// Where archives are copied to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct UploadTarget {
    /// `s3://BUCKET/PREFIX`
    pub url: String,
    /// The store's address; nothing for AWS.
    pub endpoint: Option<String>,
    /// The region; `AWS_REGION`, `AWS_DEFAULT_REGION`, or else `us-east-1`.
    pub region: Option<String>,
    /// Where credentials are, but not they.
    #[serde(skip)]
    pub place: CredentialsSource,
}

impl UploadTarget {
    /// Checks one as written.
    pub fn read(node: &JsonNode) -> Result<Self, DecodeError> {
        let fields = node.object(&["url", "endpoint", "region", "credentials", "profile"])?;
        let text = |key: &str| fields.get(key).map(|node| node.text().map(str::to_owned)).transpose();
        let place = fields.need("url", "where to, such as s3://bucket/folder")?;
        let url = Self::bucket_url(place.text()?).map_err(|why| place.wrong(why))?;
        let endpoint = match fields.get("endpoint") {
            None => None,
            Some(node) => {
                let endpoint = node.address(&["http", "https"])?.trim_end_matches('/').to_owned();
                if endpoint.contains(['@', '?', '#']) {
                    return Err(node.wrong("credentials do not stand in an address; see `credentials`"));
                }
                Some(endpoint)
            }
        };
        let place = CredentialsSource { file: text("credentials")?.map(PathBuf::from), profile: text("profile")? };
        Ok(Self { url, endpoint, region: text("region")?, place })
    }

    /// `s3://bucket/folder`, if it is one.
    pub fn bucket_url(text: &str) -> Result<String, String> {
        let wrong = || format!("{text:?} is not a bucket; one looks like s3://bucket/folder");
        let text = text.trim_end_matches('/');
        let rest = text.strip_prefix("s3://").ok_or_else(wrong)?;
        let bucket = rest.split('/').next().unwrap_or_default();
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.' | '_');
        let is_bucket = (3..=63).contains(&bucket.len()) && bucket.chars().all(fits);
        let is_key = !rest.contains("//") && rest.chars().all(|c| !c.is_control() && !c.is_whitespace());
        if is_bucket && is_key { Ok(text.to_owned()) } else { Err(wrong()) }
    }

    fn bucket_and_key(&self, file: &str) -> (String, Key) {
        let rest = self.url.trim_start_matches("s3://");
        let (bucket, folder) = rest.split_once('/').unwrap_or((rest, ""));
        let key = if folder.is_empty() { file.to_owned() } else { format!("{folder}/{file}") };
        (bucket.to_owned(), Key::from(key))
    }

    fn store(&self, env: &BTreeMap<String, String>, credentials: &StoreCredentials) -> Result<AmazonS3, String> {
        // Whoever came first has installed the same one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let variable = |name: &str| env.get(name).filter(|value| !value.is_empty()).cloned();
        let region = self.region.clone().or_else(|| variable("AWS_REGION")).or_else(|| variable("AWS_DEFAULT_REGION"));
        let mut retry =
            RetryConfig { max_retries: 3, retry_timeout: Duration::from_secs(60), ..RetryConfig::default() };
        retry.backoff.init_backoff = Duration::from_millis(200);
        let client = ClientOptions::new()
            .with_timeout(Duration::from_secs(300))
            .with_connect_timeout(Duration::from_secs(10))
            // Without certificates of authorities no client could be built, not even for `http://`.
            .with_no_system_certificates(!web_client::has_authorities())
            .with_allow_http(true);
        let mut builder = AmazonS3Builder::new()
            .with_client_options(client)
            .with_retry(retry)
            .with_bucket_name(self.bucket_and_key("").0)
            .with_region(region.unwrap_or_else(|| "us-east-1".to_owned()))
            .with_access_key_id(&credentials.key_id)
            .with_secret_access_key(&credentials.secret);
        if let Some(token) = &credentials.token {
            builder = builder.with_token(token);
        }
        if let Some(endpoint) = &self.endpoint {
            builder = builder.with_endpoint(endpoint);
        }
        builder.build().map_err(|error| words(&error, credentials))
    }
}

/// What was sent so far, and where to.
#[derive(Debug, Serialize, Deserialize)]
struct Receipt {
    format: String,
    version: u64,
    target: UploadTarget,
    /// Name in the bucket.
    key: String,
    size: u64,
    sha256: String,
    part_size: u64,
    /// The store's name of the upload that goes on.
    upload: Option<String>,
    /// What the store called the parts it has.
    parts: BTreeMap<usize, String>,
    /// How the store's copy was compared with ours; nothing while it was not.
    verified: Option<String>,
    /// When (RFC 3339).
    ended: Option<String>,
}

const FORMAT: &str = "volley-upload";

impl Receipt {
    fn path(archive: &Path) -> PathBuf {
        let mut name = archive.as_os_str().to_owned();
        name.push(".upload.json");
        name.into()
    }

    fn read(archive: &Path) -> Option<Self> {
        let bytes = std::fs::read(Self::path(archive)).ok()?;
        serde_json::from_slice::<Self>(&bytes).ok().filter(|receipt| receipt.format == FORMAT && receipt.version == 1)
    }

    fn write(&self, archive: &Path) -> Result<(), String> {
        let text = serde_json::to_string_pretty(self).map_err(|error| error.to_string())?;
        journal::write_file(&Self::path(archive), text.as_bytes()).map_err(|failure| failure.message)
    }
}

/// Where an archive was on its way to, if it was.
pub fn begun(archive: &Path) -> Option<UploadTarget> {
    Receipt::read(archive).map(|receipt| receipt.target)
}

/// An archive's sums: what the store should say it has.
struct Sums {
    size: u64,
    sha256: String,
    part_size: u64,
    /// What a store calls an object of these parts, if it does not encrypt it.
    etag: String,
}

fn sums(archive: &Path) -> std::io::Result<Sums> {
    let mut file = File::open(archive)?;
    let size = file.metadata()?.len();
    let part_size = PART_SIZE.max(size.div_ceil(MAX_PARTS).next_multiple_of(1 << 20));
    let (mut whole, mut of_parts, mut parts) = (Context::new(&SHA256), Md5::new(), 0);
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        if (&mut file).take(part_size).read_to_end(&mut buffer)? == 0 {
            break;
        }
        whole.update(&buffer);
        of_parts.update(Md5::digest(&buffer));
        parts += 1;
    }
    let etag = format!("{}-{parts}", HEXLOWER.encode(&of_parts.finalize()));
    Ok(Sums { size, sha256: HEXLOWER.encode(whole.finish().as_ref()), part_size, etag })
}

/// One line of what a store says. Its answers are XML, of which the message is enough.
fn words(error: &object_store::Error, credentials: &StoreCredentials) -> String {
    let mut cause: &dyn std::error::Error = error;
    let mut text = cause.to_string();
    while let Some(inner) = cause.source() {
        cause = inner;
        text = format!("{text} {cause}");
    }
    let tag = |name: &str| {
        let (_, rest) = text.split_once(&format!("<{name}>"))?;
        Some(rest.split_once("</")?.0.to_owned())
    };
    let told = match (tag("Code"), tag("Message"), error) {
        (Some(code), Some(message), _) => format!("{code}: {message}"),
        (Some(code), ..) => code,
        (.., object_store::Error::PermissionDenied { .. } | object_store::Error::Unauthenticated { .. }) => {
            "the store refuses these credentials".to_owned()
        }
        _ => innermost(error),
    };
    credentials.hidden_in(&told.replace('\n', " ").chars().take(300).collect::<String>())
}

/// Whether a store would be there, asked before any load.
///
/// # Errors
/// What it, or the way to it, says.
pub async fn reach(target: &UploadTarget, env: &BTreeMap<String, String>, cwd: &Path) -> Result<String, String> {
    use object_store::Error;
    let credentials = StoreCredentials::find(&target.place, env, cwd)?;
    let store = target.store(env, &credentials)?;
    match store.head(&target.bucket_and_key("volley-preflight").1).await {
        // Who may write need not be allowed to look, so this says nothing.
        Ok(_) | Err(Error::NotFound { .. } | Error::PermissionDenied { .. }) => Ok("it answers".to_owned()),
        Err(error) => Err(words(&error, &credentials)),
    }
}

/// Copies an archive; what to tell.
///
/// # Errors
/// What the store, or the way to it, says; what is on disk allows to go on.
pub async fn upload(
    archive: &Path,
    target: &UploadTarget,
    env: &BTreeMap<String, String>,
    cwd: &Path,
    terminal: &Terminal,
) -> Result<String, String> {
    let name = archive.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let (bucket, key) = target.bucket_and_key(&name);
    let address = format!("s3://{bucket}/{key}");
    let cannot = |error: std::io::Error| format!("{}: {error}", archive.display());
    let sums = sums(archive).map_err(cannot)?;
    let old = Receipt::read(archive);
    let is_same = |old: &Receipt| {
        (old.target.url == target.url && old.target.endpoint == target.endpoint && old.key == key.as_ref())
            && (old.sha256 == sums.sha256 && old.part_size == sums.part_size)
    };
    let mut receipt = Receipt {
        format: FORMAT.to_owned(),
        version: 1,
        target: target.clone(),
        key: key.to_string(),
        size: sums.size,
        sha256: sums.sha256.clone(),
        part_size: sums.part_size,
        upload: None,
        parts: BTreeMap::new(),
        verified: None,
        ended: None,
    };
    let mut left = None;
    match old {
        Some(old) if is_same(&old) => (receipt.upload, receipt.parts) = (old.upload, old.parts),
        Some(old) if old.target.url == target.url && old.target.endpoint == target.endpoint => {
            left = old.upload.map(|id| (Key::from(old.key), id));
        }
        _ => (),
    }
    // Whatever happens now, the receipt says where to go on.
    receipt.write(archive)?;
    let credentials = StoreCredentials::find(&target.place, env, cwd)?;
    let store = target.store(env, &credentials)?;
    let told = |error: object_store::Error| words(&error, &credentials);
    if let Some((key, id)) = left {
        // Parts of another content would lie in the store for ever. If they do: that is all that is lost.
        _ = store.abort_multipart(&key, &id).await;
    }
    // Who may write need not be allowed to look at what is not there: an error says nothing yet.
    if let Ok(Ok(how)) = verify(&store, &key, &sums).await {
        receipt.upload = None;
        finish(&mut receipt, how, archive)?;
        return Ok(format!("{address}: it is there already, {}, verified by {how}", number::bytes(sums.size as f64)));
    }
    let had = receipt.parts.len();
    let sent = send(archive, &store, &key, &mut receipt, &credentials, terminal).await;
    if let Err((why, true)) = sent {
        // The store has forgotten what it had, as stores do after some days.
        terminal.print(&format!("  upload: started again ({why})\n"));
        (receipt.upload, receipt.parts) = (None, BTreeMap::new());
        send(archive, &store, &key, &mut receipt, &credentials, terminal).await.map_err(|(why, _)| why)?;
    } else {
        sent.map_err(|(why, _)| why)?;
    }
    receipt.upload = None;
    receipt.write(archive)?;
    let how = verify(&store, &key, &sums).await.map_err(told)?.map_err(|why| format!("{address}: {why}"))?;
    finish(&mut receipt, how, archive)?;
    let parts = receipt.parts.len();
    let had = if had > 0 { format!(", {had} of them there before") } else { String::new() };
    let s = if parts == 1 { "" } else { "s" };
    Ok(format!("{address}: {} in {parts} part{s}{had}, verified by {how}", number::bytes(sums.size as f64)))
}

fn finish(receipt: &mut Receipt, how: &str, archive: &Path) -> Result<(), String> {
    receipt.verified = Some(how.to_owned());
    receipt.ended = Some(journal::now());
    receipt.write(archive)
}

/// Sends what is missing. The flag of an error says that the store does not know this upload any more.
async fn send(
    archive: &Path,
    store: &AmazonS3,
    key: &Key,
    receipt: &mut Receipt,
    credentials: &StoreCredentials,
    terminal: &Terminal,
) -> Result<(), (String, bool)> {
    let told = |error: object_store::Error| {
        let text = words(&error, credentials);
        let is_forgotten = text.contains("NoSuchUpload") || matches!(error, object_store::Error::NotFound { .. });
        (text, is_forgotten)
    };
    let here = |why: String| (why, false);
    let id = match &receipt.upload {
        Some(id) => id.clone(),
        None => {
            let id = store.create_multipart(key).await.map_err(|error| (told(error).0, false))?;
            receipt.upload = Some(id.clone());
            receipt.write(archive).map_err(here)?;
            id
        }
    };
    let count = receipt.size.div_ceil(receipt.part_size).max(1) as usize;
    let missing: Vec<usize> = (0..count).filter(|part| !receipt.parts.contains_key(part)).collect();
    let part_size = receipt.part_size;
    let is_failing = Cell::new(false);
    let sending = missing.into_iter().map(|part| {
        let (id, is_failing) = (&id, &is_failing);
        async move {
            if is_failing.get() {
                return Err((String::new(), false));
            }
            let bytes = part_of(archive, part, part_size).map_err(|error| (error.to_string(), false))?;
            let sent = store.put_part(key, id, part, PutPayload::from(bytes)).await;
            sent.map(|sent| (part, sent.content_id)).map_err(told)
        }
    });
    let mut sending = stream::iter(sending).buffer_unordered(MAX_CONCURRENT_PARTS);
    let mut said = Instant::now();
    let mut failed = None;
    while let Some(sent) = sending.next().await {
        match sent {
            Ok((part, name)) => {
                receipt.parts.insert(part, name);
                receipt.write(archive).map_err(here)?;
            }
            Err(why) => {
                // What is under way may still arrive, and is then not sent again; nothing more sets out.
                is_failing.set(true);
                failed.get_or_insert(why);
                continue;
            }
        }
        let line = format!("  uploaded {} of {count} parts\n", receipt.parts.len());
        if terminal.stdout_is_tty() {
            terminal.set_block(line);
        } else if said.elapsed() > REPORT_EVERY {
            said = Instant::now();
            terminal.print(&line);
        }
    }
    terminal.set_block(String::new());
    if let Some(why) = failed {
        return Err(why);
    }
    let parts = receipt.parts.values().map(|name| PartId { content_id: name.clone() }).collect();
    store.complete_multipart(key, &id, parts).await.map(drop).map_err(told)
}

fn part_of(archive: &Path, part: usize, part_size: u64) -> std::io::Result<Vec<u8>> {
    let mut file = File::open(archive)?;
    file.seek(SeekFrom::Start(part as u64 * part_size))?;
    let mut bytes = Vec::new();
    file.take(part_size).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Compares the store's copy with ours: how it was compared, or how it differs.
async fn verify(store: &AmazonS3, key: &Key, sums: &Sums) -> object_store::Result<Result<&'static str, String>> {
    let seen = match store.head(key).await {
        Ok(seen) => seen,
        Err(object_store::Error::NotFound { .. }) => return Ok(Err("it is not there".to_owned())),
        Err(error) => return Err(error),
    };
    if seen.size != sums.size {
        return Ok(Err(format!("it has {} bytes instead of {}", seen.size, sums.size)));
    }
    if seen.e_tag.is_some_and(|tag| tag.trim_matches('"') == sums.etag) {
        return Ok(Ok("its size and the checksums of its parts"));
    }
    // Encrypted by the store, or a store of another kind: only reading it back tells.
    let mut content = store.get(key).await?.into_stream();
    let mut context = Context::new(&SHA256);
    while let Some(bytes) = content.next().await {
        context.update(&bytes?);
    }
    match HEXLOWER.encode(context.finish().as_ref()) == sums.sha256 {
        true => Ok(Ok("reading it back")),
        false => Ok(Err("its SHA-256 is not the archive's".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_understood() {
        let check = |input: &str, expect: Option<(&str, &str)>| match UploadTarget::bucket_url(input) {
            Err(why) => assert!(expect.is_none() && why.contains("looks like s3://bucket/folder"), "{input}: {why}"),
            Ok(url) => {
                let target = UploadTarget { url, endpoint: None, region: None, place: CredentialsSource::default() };
                let (bucket, key) = target.bucket_and_key("a.tar.gz");
                assert_eq!(Some((bucket.as_str(), key.as_ref())), expect, "{input}");
            }
        };
        check("s3://results", Some(("results", "a.tar.gz")));
        check("s3://results/load/tests/", Some(("results", "load/tests/a.tar.gz")));
        check("s3://a", None);
        check("s3://Results", None);
        check("https://results", None);
        check("s3://results//x", None);
        check("s3://key:secret@results", None);
    }

    #[test]
    fn sums_are_those_a_store_makes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, "hello").unwrap();
        let sums = sums(&path).unwrap();
        assert_eq!((sums.size, sums.part_size), (5, PART_SIZE));
        assert_eq!(sums.sha256, "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
        // md5(md5("hello")) of one part.
        assert_eq!(sums.etag, format!("{}-1", HEXLOWER.encode(&Md5::digest(Md5::digest("hello")))));
    }
}

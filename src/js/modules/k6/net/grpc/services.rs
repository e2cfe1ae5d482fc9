//! The two services k6 itself calls: what a server says about its schema, and about its health.
//!
//! Only the fields that are needed are described here. Futures of this file are `Send`.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use prost::Message;

use super::load::MAX_FILES;
use super::sample::Made;
use crate::net::grpc::{Call, CallOutcome, Channel, Download, GrpcCode, GrpcMetadata, GrpcStatus, StreamEvent, Upload};

/// The two versions of the reflection service, the newer first.
const REFLECTION: [&str; 2] = [
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
];
/// More bytes of files are no description of a service.
const MAX_BYTES: usize = 64 << 20;
const HEALTH: &str = "/grpc.health.v1.Health/Check";

#[derive(Clone, PartialEq, Message)]
struct ReflectionRequest {
    #[prost(oneof = "ReflectionQuery", tags = "3, 4, 7")]
    question: Option<ReflectionQuery>,
}

#[derive(Clone, PartialEq, Eq, prost::Oneof)]
enum ReflectionQuery {
    #[prost(string, tag = "3")]
    File(String),
    #[prost(string, tag = "4")]
    Symbol(String),
    #[prost(string, tag = "7")]
    Services(String),
}

#[derive(Clone, PartialEq, Message)]
struct ReflectionResponse {
    #[prost(message, optional, tag = "4")]
    files: Option<DescriptorFiles>,
    #[prost(message, optional, tag = "6")]
    services: Option<Services>,
    #[prost(message, optional, tag = "7")]
    error: Option<ErrorResponse>,
}

#[derive(Clone, PartialEq, Message)]
struct DescriptorFiles {
    #[prost(bytes = "bytes", repeated, tag = "1")]
    descriptors: Vec<Bytes>,
}

#[derive(Clone, PartialEq, Message)]
struct Services {
    #[prost(message, repeated, tag = "1")]
    list: Vec<ServiceDescription>,
}

#[derive(Clone, PartialEq, Message)]
struct ServiceDescription {
    #[prost(string, tag = "1")]
    name: String,
}

#[derive(Clone, PartialEq, Message)]
struct ErrorResponse {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
}

/// The fields of a file descriptor that name it and its dependencies.
#[derive(Clone, PartialEq, Message)]
struct Descriptor {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, repeated, tag = "3")]
    dependencies: Vec<String>,
}

#[derive(Clone, PartialEq, Message)]
struct HealthRequest {
    #[prost(string, tag = "1")]
    service: String,
}

#[derive(Clone, PartialEq, Message)]
struct HealthResponse {
    #[prost(int32, tag = "1")]
    status: i32,
}

/// The descriptors in one answer of a reflection service.
#[cfg(any(test, fuzzing))]
pub(super) fn descriptors_of(message: &[u8]) -> Result<Vec<Bytes>, prost::DecodeError> {
    Ok(ReflectionResponse::decode(message)?.files.unwrap_or_default().descriptors)
}

/// Asks a server for the descriptors of all its services. The calls that took are added to `made`.
///
/// # Errors
/// Why there are none.
pub(super) async fn reflect(
    channel: &Channel,
    metadata: GrpcMetadata,
    made: &mut Vec<Made>,
) -> Result<Vec<Bytes>, String> {
    let mut last = None;
    for path in REFLECTION {
        let call = Call { path: path.to_owned(), metadata: metadata.clone(), timeout: None };
        match Conversation::open(channel, call).await {
            Ok(mut conversation) => {
                let files = conversation.files().await;
                match files {
                    Ok(files) => {
                        made.push(conversation.end().await);
                        return Ok(files);
                    }
                    Err(ReflectionError::Ended(outcome)) => {
                        made.push(Made::of(&outcome));
                        last = Some(outcome.status.clone());
                        if outcome.status.code != GrpcCode::UNIMPLEMENTED {
                            break;
                        }
                    }
                    Err(ReflectionError::Said(text)) => {
                        made.push(conversation.end().await);
                        return Err(text);
                    }
                }
            }
            Err(outcome) => {
                made.push(Made::of(&outcome));
                last = Some(outcome.status);
                break;
            }
        }
    }
    Err(format!("can't list services: {}", last.unwrap_or_else(GrpcStatus::canceled)))
}

enum ReflectionError {
    /// The stream is over.
    Ended(Box<CallOutcome>),
    /// The server has no answer.
    Said(String),
}

/// A reflection stream: one response for each request.
struct Conversation {
    upload: Upload,
    download: Download,
}

impl Conversation {
    async fn open(channel: &Channel, call: Call) -> Result<Self, CallOutcome> {
        let (upload, download) = channel.stream(call).await?;
        Ok(Self { upload, download })
    }

    async fn ask(&mut self, question: ReflectionQuery) -> Result<ReflectionResponse, ReflectionError> {
        let request = ReflectionRequest { question: Some(question) };
        self.upload.send(request.encode_to_vec().into());
        loop {
            match self.download.next().await {
                StreamEvent::Sent(_) => {}
                StreamEvent::Message(bytes, _) => {
                    let response = ReflectionResponse::decode(bytes);
                    let response =
                        response.map_err(|error| ReflectionError::Said(format!("can't read reflection: {error}")))?;
                    return match &response.error {
                        None => Ok(response),
                        Some(error) => {
                            let status = GrpcStatus::new(GrpcCode(error.code as u32), error.message.clone());
                            Err(ReflectionError::Said(format!("can't get method info: {status}")))
                        }
                    };
                }
                StreamEvent::End(outcome) => return Err(ReflectionError::Ended(outcome)),
            }
        }
    }

    /// The descriptors of all services and of everything they need.
    async fn files(&mut self) -> Result<Vec<Bytes>, ReflectionError> {
        let services = self.ask(ReflectionQuery::Services(String::new())).await?.services.unwrap_or_default();
        let mut known: BTreeMap<String, Bytes> = BTreeMap::new();
        let mut length = 0;
        let mut wanted: VecDeque<ReflectionQuery> =
            services.list.into_iter().map(|service| ReflectionQuery::Symbol(service.name)).collect();
        while let Some(question) = wanted.pop_front() {
            // Not every server has the files that every compiler brings along.
            let bundled = match &question {
                ReflectionQuery::File(name) if known.contains_key(name) => continue,
                ReflectionQuery::File(name) => super::load::bundled(name),
                _ => None,
            };
            let descriptors = match bundled {
                Some(bytes) => vec![bytes],
                None => self.ask(question).await?.files.unwrap_or_default().descriptors,
            };
            for bytes in descriptors {
                let Ok(descriptor) = Descriptor::decode(bytes.clone()) else { continue };
                length += bytes.len();
                if known.insert(descriptor.name, bytes).is_none() {
                    let is_new = |name: &String| !known.contains_key(name);
                    wanted.extend(descriptor.dependencies.into_iter().filter(is_new).map(ReflectionQuery::File));
                }
            }
            if known.len() > MAX_FILES || length > MAX_BYTES {
                return Err(ReflectionError::Said(format!(
                    "can't get method info: the server describes more than {MAX_FILES} files, or {} MB",
                    MAX_BYTES >> 20
                )));
            }
        }
        Ok(known.into_values().collect())
    }

    /// Closes the stream and waits for its end.
    async fn end(mut self) -> Made {
        self.upload.end();
        loop {
            if let StreamEvent::End(outcome) = self.download.next().await {
                return Made::of(&outcome);
            }
        }
    }
}

/// Asks how a service is; the empty name is the whole server.
///
/// # Errors
/// What the server says instead.
pub(super) fn check_health(
    channel: &Channel,
    service: String,
) -> impl Future<Output = (Made, Result<i32, String>)> + use<> {
    let call = Call { path: HEALTH.to_owned(), ..Call::default() };
    let asked = channel.unary(call, HealthRequest { service }.encode_to_vec().into());
    async move {
        let outcome = asked.await;
        let made = Made::of(&outcome);
        if !outcome.status.is_ok() {
            return (made, Err(outcome.status.to_string()));
        }
        let response = HealthResponse::decode(outcome.message.unwrap_or_default());
        (made, response.map(|response| response.status).map_err(|error| error.to_string()))
    }
}

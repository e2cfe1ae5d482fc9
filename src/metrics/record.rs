//! What a VU records: one record per event, expanded to samples only where samples are needed.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::builtin;
use super::metric::MetricId;
use super::tags::{SampleMetadata, TagSet};

/// A moment as nanoseconds since the Unix epoch, taken from the monotonic clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp(pub u64);

/// The monotonic clock tied to the wall clock once, so stamps never run backwards.
#[derive(Clone, Copy, Debug)]
pub struct Epoch {
    instant: Instant,
    unix_nanos: u64,
}

impl Epoch {
    /// Ties the clocks together, now.
    pub fn now() -> Self {
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        Self { instant: Instant::now(), unix_nanos: u64::try_from(unix.as_nanos()).unwrap_or(u64::MAX) }
    }

    /// The stamp of a monotonic moment.
    pub fn stamp(&self, at: Instant) -> Stamp {
        match at.checked_duration_since(self.instant) {
            Some(after) => Stamp(self.unix_nanos + after.as_nanos() as u64),
            None => Stamp(self.unix_nanos - (self.instant - at).as_nanos() as u64),
        }
    }
}

/// The phases of one HTTP request, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HttpTimings {
    /// From asking for a connection until having it: DNS, connect and TLS of a new one included.
    pub blocked: u64,
    /// TCP connect; 0 when a connection was reused.
    pub connecting: u64,
    /// TLS handshake; 0 when a connection was reused.
    pub tls_handshaking: u64,
    /// Writing the request.
    pub sending: u64,
    /// From the end of writing until the first byte of the answer.
    pub waiting: u64,
    /// From the first byte until the last.
    pub receiving: u64,
}

impl HttpTimings {
    /// Sending, waiting and receiving: what `http_req_duration` holds.
    pub fn duration(&self) -> u64 {
        self.sending + self.waiting + self.receiving
    }
}

/// One event.
#[derive(Clone, Debug)]
pub enum Record {
    /// One sample of one metric.
    Sample {
        /// When.
        time: Stamp,
        /// Of which metric.
        metric: MetricId,
        /// How much; milliseconds for times, bytes for data.
        value: f64,
        /// Where it came from.
        tags: Arc<TagSet>,
        /// `vu` and `iter`, where those system tags are on.
        metadata: Option<SampleMetadata>,
    },
    /// One hop of one HTTP request: eight or nine samples.
    Http {
        /// The end of the hop.
        time: Stamp,
        /// Its phases.
        timings: HttpTimings,
        /// For `http_req_failed`; `None` where the response callback is off.
        failed: Option<bool>,
        /// Where it came from.
        tags: Arc<TagSet>,
        /// `vu` and `iter`, where those system tags are on.
        metadata: Option<SampleMetadata>,
    },
    /// The end of an iteration (or of setup or teardown): bytes moved, and for a full iteration its duration.
    Iteration {
        /// The end.
        time: Stamp,
        /// How long it took, in nanoseconds; `None` when it was interrupted and in setup and teardown.
        duration: Option<u64>,
        /// Bytes written to sockets.
        sent: u64,
        /// Bytes read from sockets.
        received: u64,
        /// Where it came from.
        tags: Arc<TagSet>,
        /// `vu` and `iter`, where those system tags are on.
        metadata: Option<SampleMetadata>,
    },
}

/// Nanoseconds as the milliseconds k6 shows.
pub fn millis(nanos: u64) -> f64 {
    nanos as f64 / 1e6
}

impl Record {
    /// Its tag set.
    pub fn tags(&self) -> &Arc<TagSet> {
        match self {
            Self::Sample { tags, .. } | Self::Http { tags, .. } | Self::Iteration { tags, .. } => tags,
        }
    }

    /// When it happened.
    pub fn time(&self) -> Stamp {
        match self {
            Self::Sample { time, .. } | Self::Http { time, .. } | Self::Iteration { time, .. } => *time,
        }
    }

    /// `vu` and `iter`, where those system tags are on.
    pub fn metadata(&self) -> Option<&SampleMetadata> {
        match self {
            Self::Sample { metadata, .. } | Self::Http { metadata, .. } | Self::Iteration { metadata, .. } => {
                metadata.as_ref()
            }
        }
    }

    /// Calls `f` for each of its samples, in the order k6 emits them.
    pub fn each_sample(&self, mut f: impl FnMut(MetricId, f64)) {
        match self {
            Self::Sample { metric, value, .. } => f(*metric, *value),
            Self::Http { timings, failed, .. } => {
                f(builtin::HTTP_REQS, 1.0);
                f(builtin::HTTP_REQ_DURATION, millis(timings.duration()));
                f(builtin::HTTP_REQ_BLOCKED, millis(timings.blocked));
                f(builtin::HTTP_REQ_CONNECTING, millis(timings.connecting));
                f(builtin::HTTP_REQ_TLS_HANDSHAKING, millis(timings.tls_handshaking));
                f(builtin::HTTP_REQ_SENDING, millis(timings.sending));
                f(builtin::HTTP_REQ_WAITING, millis(timings.waiting));
                f(builtin::HTTP_REQ_RECEIVING, millis(timings.receiving));
                if let Some(failed) = failed {
                    f(builtin::HTTP_REQ_FAILED, f64::from(u8::from(*failed)));
                }
            }
            Self::Iteration { duration, sent, received, .. } => {
                f(builtin::DATA_SENT, *sent as f64);
                f(builtin::DATA_RECEIVED, *received as f64);
                if let Some(duration) = duration {
                    f(builtin::ITERATION_DURATION, millis(*duration));
                    f(builtin::ITERATIONS, 1.0);
                }
            }
        }
    }
}

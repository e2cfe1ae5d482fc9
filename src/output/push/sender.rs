//! Sends payloads to the server on a thread of its own, with a timeout for each, and counts what arrives.
//!
//! A failed push is one error line; further ones are only counted until one succeeds. At the end of the run one warning
//! says how many failed. A server that dies before it answers may have stored what it was sent, so the samples of
//! failed pushes are the most that can be missing there.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::transport::Transport;
use crate::log::{Level, Logger};
use crate::units::sync::lock;

/// The most bytes that wait for a slow peer; further payloads are dropped and counted.
const MAX_WAITING_BYTES: usize = 32 << 20;

/// How long the preparation before the first payload may take.
const OPEN_TIMEOUT: Duration = Duration::from_secs(3);

/// How long the end of a run waits for payloads on their way.
const FINISH_TIMEOUT: Duration = Duration::from_secs(10);

/// The body of one push.
#[derive(Debug)]
pub struct PushPayload {
    /// The bytes.
    pub body: Vec<u8>,
    /// The samples that are missing if it fails; 0 if a later payload repeats them.
    pub samples: u64,
}

/// The limits of a push output, and its messages for failures.
#[derive(Clone, Copy, Debug)]
pub struct PushLimits {
    /// The most concurrent pushes.
    pub max_concurrent: usize,
    /// The timeout of a push.
    pub timeout: Duration,
    /// k6's message for a failed push.
    pub failed: &'static str,
    /// k6's message if the last push failed.
    pub last_failed: &'static str,
}

/// What has been delivered and what has not.
#[derive(Debug, Default)]
struct DeliveryCounts {
    /// Queued or on their way.
    waiting_bytes: AtomicUsize,
    waiting_payloads: AtomicU64,
    waiting_samples: AtomicU64,
    arrived: AtomicU64,
    failed: AtomicU64,
    dropped: AtomicU64,
    skipped: AtomicU64,
    lost_samples: AtomicU64,
    /// Set by a failure, cleared when the encoder has been told to repeat.
    has_failed: AtomicBool,
    /// Whether the last push failed.
    is_failing: AtomicBool,
    error: Mutex<String>,
}

/// The queue of payloads to the sending thread.
pub struct PushSender {
    tx: UnboundedSender<PushPayload>,
    done_rx: mpsc::Receiver<()>,
    counts: Arc<DeliveryCounts>,
    name: String,
    limits: PushLimits,
    is_cumulative: bool,
    logger: Logger,
}

impl PushSender {
    /// Starts the thread that sends.
    ///
    /// # Errors
    /// If the system refuses a thread or a runtime.
    pub fn start(
        transport: Transport,
        name: &str,
        limits: PushLimits,
        is_cumulative: bool,
        logger: Logger,
    ) -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (tx, rx) = unbounded_channel();
        let (done_tx, done_rx) = mpsc::channel();
        let counts = Arc::new(DeliveryCounts::default());
        let send_loop = SendLoop { counts: counts.clone(), name: name.to_owned(), limits, logger: logger.clone() };
        thread::Builder::new().name("output-push".to_owned()).spawn(move || {
            runtime.block_on(send_loop.run(transport, rx));
            // The receiver is gone if `finish` has timed out.
            _ = done_tx.send(());
        })?;
        Ok(Self { tx, done_rx, counts, name: name.to_owned(), limits, is_cumulative, logger })
    }

    /// Queues a payload, or drops it if too much is waiting; never waits.
    pub fn send(&self, mut payload: PushPayload) {
        let counts = &self.counts;
        // Unused capacity would count as waiting too.
        payload.body.shrink_to_fit();
        if counts.waiting_bytes.load(Relaxed) + payload.body.len() > MAX_WAITING_BYTES {
            counts.lost_samples.fetch_add(payload.samples, Relaxed);
            counts.has_failed.store(true, Relaxed);
            if counts.dropped.fetch_add(1, Relaxed) == 0 {
                let text = format!("the output {} is too slow, samples are dropped", self.name);
                self.logger.log(Level::Warning, text, vec![("output", self.name.clone().into())]);
            }
            return;
        }
        counts.waiting_bytes.fetch_add(payload.body.len(), Relaxed);
        counts.waiting_payloads.fetch_add(1, Relaxed);
        counts.waiting_samples.fetch_add(payload.samples, Relaxed);
        // The thread ends only after this sender is dropped.
        _ = self.tx.send(payload);
    }

    /// Whether payloads are queued or on their way.
    pub fn is_busy(&self) -> bool {
        self.counts.waiting_payloads.load(Relaxed) > 0
    }

    /// Counts an interval in which nothing could be sent.
    pub fn skip(&self) {
        if self.counts.skipped.fetch_add(1, Relaxed) == 0 {
            let text =
                format!("a push of the output {} takes longer than its interval, points are left out", self.name);
            self.logger.log(Level::Warning, text, vec![("output", self.name.clone().into())]);
        }
    }

    /// Whether a push has failed since the last call.
    pub fn take_failed(&self) -> bool {
        self.counts.has_failed.swap(false, Relaxed)
    }

    /// Waits until everything has arrived or the timeout is over, and logs what was lost.
    pub fn finish(self) {
        let Self { tx, done_rx, counts, name, limits, is_cumulative, logger } = self;
        drop(tx);
        let is_overdue = done_rx.recv_timeout(FINISH_TIMEOUT).is_err();
        let given_up = if is_overdue { counts.waiting_payloads.load(Relaxed) } else { 0 };
        if is_overdue {
            counts.lost_samples.fetch_add(counts.waiting_samples.load(Relaxed), Relaxed);
        }
        let (failed, dropped) = (counts.failed.load(Relaxed), counts.dropped.load(Relaxed));
        if failed + dropped + given_up == 0 {
            return;
        }
        let is_failing = is_overdue || counts.is_failing.load(Relaxed);
        let mut why = lock(&counts.error).clone();
        if why.is_empty() {
            why = if is_overdue {
                format!("no answer within {} s", FINISH_TIMEOUT.as_secs())
            } else {
                "too slow".to_owned()
            };
        }
        let fields = || vec![("error", why.clone().into()), ("output", name.clone().into())];
        let was_logged = counts.is_failing.load(Relaxed) && limits.last_failed == limits.failed;
        if is_failing && !was_logged {
            logger.log(Level::Error, limits.last_failed, fields());
        }
        let total = counts.arrived.load(Relaxed) + failed + dropped + given_up;
        let pushes = format!("{} of {total} pushes failed", failed + dropped + given_up);
        let lost = if is_cumulative {
            let last = if is_failing { "the last values are missing there" } else { "the last values are there" };
            format!("{pushes}, {last}")
        } else {
            format!("{pushes}, up to {} samples are missing there", counts.lost_samples.load(Relaxed))
        };
        logger.log(Level::Warning, format!("the output {name}: {lost}"), fields());
    }
}

/// The sending thread.
struct SendLoop {
    counts: Arc<DeliveryCounts>,
    name: String,
    limits: PushLimits,
    logger: Logger,
}

impl SendLoop {
    async fn run(&self, mut transport: Transport, mut rx: UnboundedReceiver<PushPayload>) {
        match tokio::time::timeout(OPEN_TIMEOUT, transport.open()).await {
            Ok(Ok(())) => (),
            Ok(Err(error)) => self.logger.debug(format!("{}: {error}", self.name)),
            Err(_) => self.logger.debug(format!("{}: no answer within {} s", self.name, OPEN_TIMEOUT.as_secs())),
        }
        let mut under_way = FuturesUnordered::new();
        let mut is_over = false;
        while !is_over || !under_way.is_empty() {
            tokio::select! {
                payload = rx.recv(), if !is_over && under_way.len() < self.limits.max_concurrent => match payload {
                    Some(payload) => under_way.push(self.push(&transport, payload)),
                    None => is_over = true,
                },
                Some(()) = under_way.next(), if !under_way.is_empty() => (),
            }
        }
    }

    async fn push(&self, transport: &Transport, payload: PushPayload) {
        let PushPayload { body, samples } = payload;
        let size = body.len();
        let outcome = match tokio::time::timeout(self.limits.timeout, transport.send(body)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(format!("no answer within {} s", self.limits.timeout.as_secs())),
        };
        let counts = &self.counts;
        match outcome {
            Ok(()) => {
                counts.arrived.fetch_add(1, Relaxed);
                counts.is_failing.store(false, Relaxed);
            }
            Err(error) => {
                counts.failed.fetch_add(1, Relaxed);
                counts.lost_samples.fetch_add(samples, Relaxed);
                counts.has_failed.store(true, Relaxed);
                error.clone_into(&mut lock(&counts.error));
                if !counts.is_failing.swap(true, Relaxed) {
                    let fields = vec![("error", error.into()), ("output", self.name.clone().into())];
                    self.logger.log(Level::Error, self.limits.failed, fields);
                }
            }
        }
        counts.waiting_samples.fetch_sub(samples, Relaxed);
        counts.waiting_bytes.fetch_sub(size, Relaxed);
        counts.waiting_payloads.fetch_sub(1, Relaxed);
    }
}

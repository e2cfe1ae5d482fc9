//! Carries parcels to the other end on a thread of its own, never waits for it longer than said, and keeps account.
//!
//! A failed push is one error line, further ones are only counted until one succeeds; the end of the run tells in one
//! warning what did not arrive.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::transport::Transport;
use crate::log::{Level, Logger};

/// So many bytes may wait for a slow peer; further parcels are dropped and counted.
const MAX_WAITING_BYTES: usize = 32 << 20;

/// How long what comes before the first parcel may take.
const OPEN_TIMEOUT: Duration = Duration::from_secs(3);

/// How long the end of a run waits for what is on its way.
const FINISH_TIMEOUT: Duration = Duration::from_secs(10);

/// What is sent in one go.
#[derive(Debug)]
pub struct PushPayload {
    /// The bytes.
    pub body: Vec<u8>,
    /// The samples that are lost with it; 0 where a later parcel tells the same.
    pub samples: u64,
}

/// How patient a courier is, and what it says when its patience ends.
#[derive(Clone, Copy, Debug)]
pub struct PushLimits {
    /// How many parcels may be on their way at a time.
    pub at_once: usize,
    /// How long one may take.
    pub timeout: Duration,
    /// k6's words for a push that failed.
    pub failed: &'static str,
    /// k6's words when the last one failed.
    pub last_failed: &'static str,
}

/// What went out and what did not.
#[derive(Debug, Default)]
struct DeliveryCounts {
    /// Bytes, parcels and samples handed over and neither arrived nor given up.
    waiting_bytes: AtomicUsize,
    waiting_payloads: AtomicU64,
    waiting_samples: AtomicU64,
    arrived: AtomicU64,
    failed: AtomicU64,
    dropped: AtomicU64,
    skipped: AtomicU64,
    lost_samples: AtomicU64,
    /// Raised by a failure, lowered by whoever makes good for it.
    has_failed: AtomicBool,
    /// Whether the last parcel failed.
    is_failing: AtomicBool,
    error: Mutex<String>,
}

/// The near end of a line of parcels.
pub struct PushSender {
    tx: UnboundedSender<PushPayload>,
    done: mpsc::Receiver<()>,
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
    /// When the system refuses a thread or a runtime.
    pub fn start(
        transport: Transport,
        name: &str,
        limits: PushLimits,
        is_cumulative: bool,
        logger: Logger,
    ) -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (tx, payloads) = unbounded_channel();
        let (tell, done) = mpsc::channel();
        let counts = Arc::new(DeliveryCounts::default());
        let send_loop = SendLoop { counts: counts.clone(), name: name.to_owned(), limits, logger: logger.clone() };
        thread::Builder::new().name("output-push".to_owned()).spawn(move || {
            runtime.block_on(send_loop.run(transport, payloads));
            // Whoever waited for this long enough is gone.
            _ = tell.send(());
        })?;
        Ok(Self { tx, done, counts, name: name.to_owned(), limits, is_cumulative, logger })
    }

    /// Takes a parcel to be sent, or drops it when too much is waiting; never waits itself.
    pub fn hand(&self, mut payload: PushPayload) {
        let counts = &self.counts;
        // What was left free for it to grow would be waiting too.
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
        // The thread ends only after this end of the line.
        _ = self.tx.send(payload);
    }

    /// Whether something is on its way still.
    pub fn is_busy(&self) -> bool {
        self.counts.waiting_payloads.load(Relaxed) > 0
    }

    /// Counts a beat on which nothing could be sent.
    pub fn skip(&self) {
        if self.counts.skipped.fetch_add(1, Relaxed) == 0 {
            let text =
                format!("a push of the output {} takes longer than its interval, points are left out", self.name);
            self.logger.log(Level::Warning, text, vec![("output", self.name.clone().into())]);
        }
    }

    /// Whether something did not arrive since the last time this was asked.
    pub fn has_failed(&self) -> bool {
        self.counts.has_failed.swap(false, Relaxed)
    }

    /// Waits until everything has arrived or patience ends, and tells what was lost.
    pub fn finish(self) {
        let Self { tx, done, counts, name, limits, is_cumulative, logger } = self;
        drop(tx);
        let is_overdue = done.recv_timeout(FINISH_TIMEOUT).is_err();
        let given_up = if is_overdue { counts.waiting_payloads.load(Relaxed) } else { 0 };
        if is_overdue {
            counts.lost_samples.fetch_add(counts.waiting_samples.load(Relaxed), Relaxed);
        }
        let (failed, dropped) = (counts.failed.load(Relaxed), counts.dropped.load(Relaxed));
        if failed + dropped + given_up == 0 {
            return;
        }
        let is_failing = is_overdue || counts.is_failing.load(Relaxed);
        let mut why = counts.error.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if why.is_empty() {
            why = if is_overdue {
                format!("no answer within {} s", FINISH_TIMEOUT.as_secs())
            } else {
                "too slow".to_owned()
            };
        }
        let fields = || vec![("error", why.clone().into()), ("output", name.clone().into())];
        let was_told = counts.is_failing.load(Relaxed) && limits.last_failed == limits.failed;
        if is_failing && !was_told {
            logger.log(Level::Error, limits.last_failed, fields());
        }
        let total = counts.arrived.load(Relaxed) + failed + dropped + given_up;
        let pushes = format!("{} of {total} pushes did not arrive", failed + dropped + given_up);
        let lost = if is_cumulative {
            let last = if is_failing { "the last values are missing there" } else { "the last values are there" };
            format!("{pushes}, {last}")
        } else {
            format!("{pushes}, it lost {} samples", counts.lost_samples.load(Relaxed))
        };
        logger.log(Level::Warning, format!("the output {name}: {lost}"), fields());
    }
}

/// The thread's side.
struct SendLoop {
    counts: Arc<DeliveryCounts>,
    name: String,
    limits: PushLimits,
    logger: Logger,
}

impl SendLoop {
    async fn run(&self, mut transport: Transport, mut payloads: UnboundedReceiver<PushPayload>) {
        match tokio::time::timeout(OPEN_TIMEOUT, transport.open()).await {
            Ok(Ok(())) => (),
            Ok(Err(error)) => self.logger.debug(format!("{}: {error}", self.name)),
            Err(_) => self.logger.debug(format!("{}: no answer within {} s", self.name, OPEN_TIMEOUT.as_secs())),
        }
        let mut under_way = FuturesUnordered::new();
        let mut is_over = false;
        while !is_over || !under_way.is_empty() {
            tokio::select! {
                payload = payloads.recv(), if !is_over && under_way.len() < self.limits.at_once => match payload {
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
                error.clone_into(&mut counts.error.lock().unwrap_or_else(PoisonError::into_inner));
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

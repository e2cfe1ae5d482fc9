//! Carries parcels to the other end on a thread of its own, never waits for it longer than said, and keeps account.
//!
//! A failed push is one error line, further ones are only counted until one succeeds; the end of the run tells in one
//! warning what did not arrive.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::wire::Wire;
use crate::log::{Level, Logger};
use crate::units::sync::lock;

/// So many bytes may wait for a slow peer; further parcels are dropped and counted.
const MOST_WAITING: usize = 32 << 20;

/// How long what comes before the first parcel may take.
const OPENING: Duration = Duration::from_secs(3);

/// How long the end of a run waits for what is on its way.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is sent in one go.
#[derive(Debug)]
pub struct Parcel {
    /// The bytes.
    pub body: Vec<u8>,
    /// The samples that are lost with it; 0 where a later parcel tells the same.
    pub samples: u64,
}

/// How patient a courier is, and what it says when its patience ends.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
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
struct Account {
    /// Bytes, parcels and samples handed over and neither arrived nor given up.
    waiting_bytes: AtomicUsize,
    waiting_parcels: AtomicU64,
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
pub struct Courier {
    line: UnboundedSender<Parcel>,
    done: mpsc::Receiver<()>,
    account: Arc<Account>,
    name: String,
    rules: Rules,
    is_cumulative: bool,
    logger: Logger,
}

impl Courier {
    /// Starts the thread that sends.
    ///
    /// # Errors
    /// When the system refuses a thread or a runtime.
    pub fn start(wire: Wire, name: &str, rules: Rules, is_cumulative: bool, logger: Logger) -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (line, parcels) = unbounded_channel();
        let (tell, done) = mpsc::channel();
        let account = Arc::new(Account::default());
        let round = Round { account: account.clone(), name: name.to_owned(), rules, logger: logger.clone() };
        thread::Builder::new().name("output-push".to_owned()).spawn(move || {
            runtime.block_on(round.walk(wire, parcels));
            // Whoever waited for this long enough is gone.
            _ = tell.send(());
        })?;
        Ok(Self { line, done, account, name: name.to_owned(), rules, is_cumulative, logger })
    }

    /// Takes a parcel to be sent, or drops it when too much is waiting; never waits itself.
    pub fn hand(&self, mut parcel: Parcel) {
        let account = &self.account;
        // What was left free for it to grow would be waiting too.
        parcel.body.shrink_to_fit();
        if account.waiting_bytes.load(Relaxed) + parcel.body.len() > MOST_WAITING {
            account.lost_samples.fetch_add(parcel.samples, Relaxed);
            account.has_failed.store(true, Relaxed);
            if account.dropped.fetch_add(1, Relaxed) == 0 {
                let text = format!("the output {} is too slow, samples are dropped", self.name);
                self.logger.log(Level::Warning, text, vec![("output", self.name.clone().into())]);
            }
            return;
        }
        account.waiting_bytes.fetch_add(parcel.body.len(), Relaxed);
        account.waiting_parcels.fetch_add(1, Relaxed);
        account.waiting_samples.fetch_add(parcel.samples, Relaxed);
        // The thread ends only after this end of the line.
        _ = self.line.send(parcel);
    }

    /// Whether something is on its way still.
    pub fn is_busy(&self) -> bool {
        self.account.waiting_parcels.load(Relaxed) > 0
    }

    /// Counts a beat on which nothing could be sent.
    pub fn skip(&self) {
        if self.account.skipped.fetch_add(1, Relaxed) == 0 {
            let text =
                format!("a push of the output {} takes longer than its interval, points are left out", self.name);
            self.logger.log(Level::Warning, text, vec![("output", self.name.clone().into())]);
        }
    }

    /// Whether something did not arrive since the last time this was asked.
    pub fn has_failed(&self) -> bool {
        self.account.has_failed.swap(false, Relaxed)
    }

    /// Waits until everything has arrived or patience ends, and tells what was lost.
    pub fn finish(self) {
        let Self { line, done, account, name, rules, is_cumulative, logger } = self;
        drop(line);
        let is_overdue = done.recv_timeout(PATIENCE).is_err();
        let given_up = if is_overdue { account.waiting_parcels.load(Relaxed) } else { 0 };
        if is_overdue {
            account.lost_samples.fetch_add(account.waiting_samples.load(Relaxed), Relaxed);
        }
        let (failed, dropped) = (account.failed.load(Relaxed), account.dropped.load(Relaxed));
        if failed + dropped + given_up == 0 {
            return;
        }
        let is_failing = is_overdue || account.is_failing.load(Relaxed);
        let mut why = lock(&account.error).clone();
        if why.is_empty() {
            why = if is_overdue { format!("no answer within {} s", PATIENCE.as_secs()) } else { "too slow".to_owned() };
        }
        let fields = || vec![("error", why.clone().into()), ("output", name.clone().into())];
        let was_told = account.is_failing.load(Relaxed) && rules.last_failed == rules.failed;
        if is_failing && !was_told {
            logger.log(Level::Error, rules.last_failed, fields());
        }
        let total = account.arrived.load(Relaxed) + failed + dropped + given_up;
        let pushes = format!("{} of {total} pushes did not arrive", failed + dropped + given_up);
        let lost = if is_cumulative {
            let last = if is_failing { "the last values are missing there" } else { "the last values are there" };
            format!("{pushes}, {last}")
        } else {
            format!("{pushes}, it lost {} samples", account.lost_samples.load(Relaxed))
        };
        logger.log(Level::Warning, format!("the output {name}: {lost}"), fields());
    }
}

/// The thread's side.
struct Round {
    account: Arc<Account>,
    name: String,
    rules: Rules,
    logger: Logger,
}

impl Round {
    async fn walk(&self, mut wire: Wire, mut parcels: UnboundedReceiver<Parcel>) {
        match tokio::time::timeout(OPENING, wire.open()).await {
            Ok(Ok(())) => (),
            Ok(Err(error)) => self.logger.debug(format!("{}: {error}", self.name)),
            Err(_) => self.logger.debug(format!("{}: no answer within {} s", self.name, OPENING.as_secs())),
        }
        let mut under_way = FuturesUnordered::new();
        let mut is_over = false;
        while !is_over || !under_way.is_empty() {
            tokio::select! {
                parcel = parcels.recv(), if !is_over && under_way.len() < self.rules.at_once => match parcel {
                    Some(parcel) => under_way.push(self.push(&wire, parcel)),
                    None => is_over = true,
                },
                Some(()) = under_way.next(), if !under_way.is_empty() => (),
            }
        }
    }

    async fn push(&self, wire: &Wire, parcel: Parcel) {
        let Parcel { body, samples } = parcel;
        let size = body.len();
        let outcome = match tokio::time::timeout(self.rules.timeout, wire.send(body)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(format!("no answer within {} s", self.rules.timeout.as_secs())),
        };
        let account = &self.account;
        match outcome {
            Ok(()) => {
                account.arrived.fetch_add(1, Relaxed);
                account.is_failing.store(false, Relaxed);
            }
            Err(error) => {
                account.failed.fetch_add(1, Relaxed);
                account.lost_samples.fetch_add(samples, Relaxed);
                account.has_failed.store(true, Relaxed);
                error.clone_into(&mut lock(&account.error));
                if !account.is_failing.swap(true, Relaxed) {
                    let fields = vec![("error", error.into()), ("output", self.name.clone().into())];
                    self.logger.log(Level::Error, self.rules.failed, fields);
                }
            }
        }
        account.waiting_samples.fetch_sub(samples, Relaxed);
        account.waiting_bytes.fetch_sub(size, Relaxed);
        account.waiting_parcels.fetch_sub(1, Relaxed);
    }
}

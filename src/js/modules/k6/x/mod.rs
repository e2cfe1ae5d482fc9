//! `k6/x/...`: the modules of k6's extensions, each behind a feature of the build. One that a script does not import costs its
//! VUs nothing.
#![cfg_attr(
    not(feature = "x"),
    allow(dead_code, unused_imports, reason = "some modules need neither metrics nor samples")
)]

use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker, ready};
use std::time::Instant;

use crate::js::runtime::VuContext;
use crate::js::value::{Pending, Throw, Value};
use crate::metrics::record::millis;
use crate::metrics::{Contains, MetricId, MetricType, Record};

#[cfg(feature = "x-dns")]
pub mod dns;
#[cfg(feature = "x-exec")]
pub mod exec;
#[cfg(feature = "x-faker")]
pub mod faker;
#[cfg(feature = "x-file")]
pub mod file;
#[cfg(feature = "x-icmp")]
pub mod icmp;
#[cfg(feature = "x-mqtt")]
pub mod mqtt;
#[cfg(feature = "x-redis")]
pub mod redis;
#[cfg(feature = "x-sql")]
pub mod sql;
#[cfg(feature = "x-sse")]
pub mod sse;
#[cfg(feature = "x-ssh")]
pub mod ssh;
#[cfg(feature = "x-tcp")]
pub mod tcp;
#[cfg(feature = "x-tls")]
pub mod tls;

/// Declares a metric of a module, in every VU that imports it; what is declared already is found.
///
/// # Errors
/// The script has made another metric of this name.
pub fn declare(vu: &VuContext, name: &str, kind: MetricType, contains: Contains) -> Result<MetricId, Throw> {
    vu.script.registry.declare(name, kind, contains).map_err(Throw::go)
}

/// Declares a trend of times, see [`declare`].
///
/// # Errors
/// The script has made another metric of this name.
pub fn declare_trend(vu: &VuContext, name: &str) -> Result<MetricId, Throw> {
    declare(vu, name, MetricType::Trend, Contains::Time)
}

/// Writes down how long something took, in a trend that was declared when the module was imported.
///
/// # Errors
/// As [`declare`].
pub fn timed(vu: &VuContext, name: &str, began: Instant, ended: Instant, more: &[(&str, &str)]) -> Result<(), Throw> {
    let metric = declare_trend(vu, name)?;
    let took = millis(ended.saturating_duration_since(began).as_nanos() as u64);
    sample(vu, metric, took, ended, more);
    Ok(())
}

/// A promise of what comes of `work`, which writes down what it measures. What is there when its iteration is cut off is
/// written down too; what is still under way leaves nothing, as with requests and calls.
pub fn pending(work: impl Future<Output = Result<Value, Throw>> + 'static) -> Value {
    Value::Pending(Box::pin(LastLook(Some(Box::pin(work)))))
}

/// A future that is asked once more when it is dropped before its end.
struct LastLook(Option<Pending>);

impl Future for LastLook {
    type Output = Result<Value, Throw>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(work) = &mut self.0 else { return Poll::Pending };
        let result = ready!(work.as_mut().poll(cx));
        self.0 = None;
        Poll::Ready(result)
    }
}

impl Drop for LastLook {
    fn drop(&mut self) {
        if let Some(work) = self.0.take()
            && !std::thread::panicking()
        {
            // However much this task has done in its turn.
            let mut work = pin!(tokio::task::unconstrained(work));
            _ = work.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        }
    }
}

/// The tag `status` of what was timed.
pub fn status(is_ok: bool) -> &'static str {
    if is_ok { "ok" } else { "error" }
}

/// What a script is told that was not allowed what it does.
pub fn not_allowed(module: &str, doing: &str, flag: &str) -> Throw {
    Throw::go(format!("{module}: {doing} is not allowed to scripts unless they are run with --allow {flag}"))
}

/// Writes down a sample of something that happened at `at`, with the tags in force and `more`.
pub fn sample(vu: &VuContext, metric: MetricId, value: f64, at: Instant, more: &[(&str, &str)]) {
    let (time, tags) = (vu.script.epoch.stamp(at), vu.tags_with(more));
    vu.record(Record::Sample { time, metric, value, tags, metadata: vu.metadata() });
}

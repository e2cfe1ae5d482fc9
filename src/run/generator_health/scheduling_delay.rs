//! The scheduling delay of this generator: the pseudo-metric `volley_lag`, measured only when a threshold names it.
//!
//! A mark is sent to every script worker and every network thread ten times a second; how long it waits for its turn
//! is what a VU waits too. A generator that lags reports its own queue as the target's latency, so a run may limit it:
//! `volley_lag: ['p(99)<20']`, or `volley_lag{thread:network}`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;

use crate::metrics::{Contains, MetricId, MetricType, Record, Registry, TagSet, ThresholdDef};
use crate::run::TestRun;

/// The metric's name in thresholds.
const NAME: &str = "volley_lag";
/// How often marks are sent.
const PROBE_INTERVAL: Duration = Duration::from_millis(100);

/// Declares the metric if a threshold names it.
pub(in crate::run) fn declare(thresholds: &[(String, Vec<ThresholdDef>)], registry: &Registry) -> Option<MetricId> {
    let is_named = |name: &str| name.split('{').next().is_some_and(|metric| metric.trim() == NAME);
    let wanted = thresholds.iter().any(|(name, _)| is_named(name));
    // A script that has a metric of this name keeps it.
    if wanted && registry.find(NAME).is_none() {
        registry.declare(NAME, MetricType::Trend, Contains::Time).ok()
    } else {
        None
    }
}

impl TestRun {
    /// Sends marks until the run is over.
    pub(in crate::run) async fn measure_scheduling_delay(&self) {
        let Some(metric) = self.health.scheduling_delay else { return std::future::pending().await };
        let tags = |thread| self.script.interner.extend(&self.script.run_tags, [("thread", thread)]);
        let (script, network) = (tags("script"), tags("network"));
        let clients: Vec<_> = (0..self.health.network_threads as u64).map(|at| self.script.net.client(at)).collect();
        let mut beat = tokio::time::interval(PROBE_INTERVAL);
        beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            beat.tick().await;
            let sent = Instant::now();
            let workers = join_all((0..self.workers.len() as u64).map(|at| {
                let (tx, rx) = tokio::sync::oneshot::channel();
                let mark = move |_| -> futures_util::future::LocalBoxFuture<'static, ()> {
                    let seen = Instant::now();
                    // The run may be over.
                    Box::pin(async move { _ = tx.send(seen) })
                };
                self.workers.post(at, Box::new(mark));
                async move { rx.await.ok() }
            }));
            let threads = join_all(clients.iter().map(|client| {
                client.run(|_| {
                    let seen = Instant::now();
                    async move { seen }
                })
            }));
            let (workers, threads) = tokio::join!(workers, threads);
            let sample = |seen: Instant, tags: &Arc<TagSet>| Record::Sample {
                time: self.script.epoch.stamp(seen),
                metric,
                value: (seen - sent).as_secs_f64() * 1e3,
                tags: tags.clone(),
                metadata: None,
            };
            let mut batch: Vec<_> = workers.into_iter().flatten().map(|seen| sample(seen, &script)).collect();
            batch.extend(threads.into_iter().flatten().map(|seen| sample(seen, &network)));
            self.ledger().take(&mut batch);
        }
    }
}

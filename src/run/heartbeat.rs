//! What goes on beside the stages of a run: VU counts, thresholds, the limit of open files.

use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use super::TestRun;
use crate::execution::RunStatus;
use crate::exit_code::ExitCode;
use crate::metrics::{Record, builtin};

/// How often thresholds are judged while a run goes on.
const THRESHOLDS_INTERVAL: Duration = Duration::from_secs(2);
/// How often `vus` and `vus_max` are emitted.
const VUS_INTERVAL: Duration = Duration::from_secs(1);
/// How often the most VUs since the last time are written down for charts.
const PEAK_INTERVAL: Duration = Duration::from_millis(100);

impl TestRun {
    /// Never ends by itself.
    pub(super) async fn heartbeat(&self) {
        let every = |period| {
            let mut interval = tokio::time::interval_at(tokio::time::Instant::now() + period, period);
            interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            interval
        };
        let (mut vus, mut thresholds) = (every(VUS_INTERVAL), every(THRESHOLDS_INTERVAL));
        let mut peak = every(PEAK_INTERVAL);
        let mut has_files = true;
        loop {
            tokio::select! {
                _ = vus.tick() => self.count_vus(),
                // The peak was somewhere between the last time and now.
                _ = peak.tick() => self.chart_vus(Instant::now() - PEAK_INTERVAL / 2),
                _ = thresholds.tick() => self.judge_thresholds(),
                // From here on requests would fail for a reason of ours, and be counted against the target.
                () = self.script.net.out_of_files(), if has_files => {
                    has_files = false;
                    self.state.abort_with(ExitCode::Other, format!(
                        "the run was stopped: this process may have {} files open, and every connection is one; raise the \
                         limit (`ulimit -n`, or `LimitNOFILE` of a service), or spread the VUs over several machines",
                        crate::net::open_files::limit(),
                    ));
                }
            }
        }
    }

    /// Writes the most VUs since the last time down for charts.
    pub(super) fn chart_vus(&self, at: Instant) {
        if (RunStatus::Started..=RunStatus::Teardown).contains(&self.state.status()) {
            let (active, most) = self.state.most_active_vus();
            let (time, initialised) = (self.script.epoch.stamp(at), self.state.initialised_vus.load(Relaxed));
            self.ledger().record_vus(time, active, most, initialised);
        }
    }

    fn count_vus(&self) {
        // A run that waits to be started measures nothing.
        if self.state.status() == RunStatus::PausedBeforeRun {
            return;
        }
        let (time, tags) = (self.script.epoch.stamp(Instant::now()), &self.script.run_tags);
        let sample = |metric, value: u64| Record::Sample {
            time,
            metric,
            value: value as f64,
            tags: tags.clone(),
            metadata: None,
        };
        let mut batch = vec![
            sample(builtin::VUS, self.state.active_vus.load(Relaxed)),
            sample(builtin::VUS_MAX, self.state.initialised_vus.load(Relaxed)),
        ];
        let mut ledger = self.ledger();
        ledger.take(&mut batch);
        self.health.record(&mut ledger);
    }
}

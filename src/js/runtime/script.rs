//! What all VUs of a run share.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock};

use super::ModuleLoader;
use super::module_state::SharedModuleState;
use super::module_table::ModuleTable;
use crate::execution::RunState;
use crate::js::engine::Engine;
use crate::log::Logger;
use crate::metrics::record::Epoch;
use crate::metrics::system_tags::SystemTags;
use crate::metrics::{Interner, Registry, TagSet};
use crate::net::Net;
use crate::options::Permissions;
use crate::source::Secrets;
use crate::units::sync::lock;

/// One script and the run it is part of.
pub struct Script {
    /// The engine its VUs use.
    pub engine: Engine,
    /// Where the code of its modules comes from.
    pub loader: Arc<dyn ModuleLoader>,
    /// The modules of the k6 API.
    pub modules: &'static ModuleTable,
    /// What those keep for all VUs.
    pub module_state: Arc<SharedModuleState>,
    /// The address of the main module.
    pub address: String,
    /// `__ENV` before a scenario adds to it.
    pub env: Arc<BTreeMap<String, String>>,
    /// `__ENV` can't be written to.
    pub freeze_env: bool,
    /// Asynchronous work keeps what samples carry: the feature `async-metric-context`.
    pub async_metric_context: bool,
    /// Scripts find `global`.
    pub has_global: bool,
    /// The run's metrics.
    pub registry: Arc<Registry>,
    /// The run's tag sets.
    pub interner: Arc<Interner>,
    /// Which system tags samples carry.
    pub system_tags: SystemTags,
    /// What every sample of the run carries.
    pub run_tags: Arc<TagSet>,
    /// Where the script's words and errors go.
    pub log: Logger,
    /// The clock of samples.
    pub epoch: Epoch,
    /// What the run did so far; also the way to end it.
    pub state: Arc<RunState>,
    /// The network.
    pub net: Arc<Net>,
    /// What `k6/secrets` asks.
    pub secrets: Arc<Secrets>,
    /// What HTTP requests do unless they say otherwise.
    pub http: HttpDefaults,
    /// The option `rps`.
    pub rate_limit: Option<RateLimit>,
    /// The option `minIterationDuration`.
    pub min_iteration_duration: std::time::Duration,
    /// The option `throw`: failed requests and bad values throw.
    pub throw: bool,
    /// What it may do on this machine.
    pub permissions: Permissions,
    /// `--strict-k6`: what k6 does not have is not there.
    pub is_strict: bool,
    /// The consolidated options as `exec.test.options` shows them, JSON; known after the first pass.
    pub options: OnceLock<String>,
    /// What the script's own `options` show in VUs, JSON; known after the first pass.
    pub exported_options: OnceLock<String>,
    /// What `setup()` returned, JSON; `None` before it, and where it returned nothing.
    pub setup_data: Mutex<Option<Arc<str>>>,
}

/// Options that requests fall back to.
#[derive(Clone, Debug)]
pub struct HttpDefaults {
    /// The option `userAgent`.
    pub user_agent: String,
    /// The option `httpDebug`.
    pub dumping: crate::net::http::DumpLevel,
    /// The option `maxRedirects`, and whether anybody set it.
    pub max_redirects: (u32, bool),
    /// The option `discardResponseBodies`.
    pub discard_bodies: bool,
    /// The option `noCookiesReset`.
    pub keep_cookies: bool,
    /// The option `noVUConnectionReuse`.
    pub close_after_iteration: bool,
    /// The option `batch`.
    pub batch: usize,
    /// The option `batchPerHost`; 0 is no limit.
    pub batch_per_host: usize,
}

/// So many HTTP calls per second over all VUs, evenly spaced.
#[derive(Debug)]
pub struct RateLimit {
    gap: std::time::Duration,
    next: Mutex<std::time::Instant>,
}

impl RateLimit {
    /// At most `per_second` calls.
    pub fn new(per_second: u64) -> Self {
        let gap = std::time::Duration::from_secs(1) / u32::try_from(per_second.max(1)).unwrap_or(u32::MAX);
        Self { gap, next: Mutex::new(std::time::Instant::now()) }
    }

    /// Takes the next turn: when it is.
    pub fn turn(&self) -> std::time::Instant {
        let mut next = lock(&self.next);
        let turn = (*next).max(std::time::Instant::now());
        *next = turn + self.gap;
        turn
    }
}

impl Script {
    /// State that one module keeps for all VUs.
    pub fn module_state<T: Default + Send + Sync + 'static>(&self) -> Arc<T> {
        self.module_state.get()
    }

    /// What setup returned.
    pub fn setup_data(&self) -> Option<Arc<str>> {
        lock(&self.setup_data).clone()
    }
}

//! Opens everything a run writes, so that what can't be written is known before the test; and prints what is about to run.

use std::sync::{Arc, Mutex};

use super::{TestRun, reports, single_iteration, view};
use crate::failure::Failure;
use crate::log::Level;
use crate::output::{self, RunningOutput};
use crate::report::Dashboard;
use crate::summary::writing;
use crate::ui::banner::banner;

impl TestRun {
    /// Opens the outputs.
    ///
    /// # Errors
    /// An output that is unknown or can't be opened.
    pub(super) fn open_outputs(&self) -> Result<Vec<RunningOutput>, Failure> {
        if self.request.single_iteration {
            let (registry, terminal) = (self.script.registry.clone(), self.request.terminal.clone());
            let printer = Box::new(single_iteration::Printer::new(registry, terminal));
            return Ok(vec![output::run(printer, &mut self.ledger(), self.log.clone())?]);
        }
        self.try_summary_export();
        let context = self.output_context();
        let mut running = Vec::new();
        for asked in self.request.outputs.iter().filter(|asked| reports::dashboard_argument(asked).is_none()) {
            let made = output::make(asked, &context)?;
            running.push(output::run(made, &mut self.ledger(), self.log.clone())?);
        }
        Ok(running)
    }

    fn try_summary_export(&self) {
        let Some(name) = &self.request.summary_export else { return };
        let writes_it = |asked: &&String| asked.split_once('=').is_some_and(|(_, path)| path == name);
        if let Some(asked) = self.request.outputs.iter().find(writes_it) {
            self.log.warn(format!("`-o {asked}` and `--summary-export` write one file: only the summary will be left"));
        }
        // k6 reports it only at the end, and ends well: what was measured is worth more than its copy. So this is logged
        // early, but not as a warning.
        if let Err(error) = writing::ensure_writable(&self.request.cwd.join(name)) {
            let why = writing::plain(&error);
            self.log.log(Level::Info, format!("the summary can't be exported to '{name}': {why}"), Vec::new());
        }
    }

    fn output_context(&self) -> output::OutputContext {
        let thresholds = self.options.thresholds.as_ref().map(|thresholds| thresholds.0.clone()).unwrap_or_default();
        let submetrics = self.ledger().submetrics().map(|(metric, selector)| (metric, selector.clone())).collect();
        let env = self.request.process_env.clone();
        output::OutputContext {
            registry: self.script.registry.clone(),
            thresholds: thresholds.into(),
            submetrics,
            system_tags: self.script.system_tags,
            folder: self.request.cwd.clone(),
            stdout: Arc::new(Mutex::new(self.request.terminal.stdout_writer())),
            variables: env.keys().cloned().collect(),
            env: Arc::new(move |name| env.get(name).cloned()),
            features: self.request.script.layers.features.clone().into(),
            strict: self.request.script.strict,
            collectors: self.request.collectors.clone().into(),
            logger: self.log.clone(),
        }
    }

    /// Prints what is about to run.
    pub(super) fn announce(&self, outputs: &[RunningOutput], dashboard: Option<&Dashboard>) {
        let (terminal, about) = (&self.request.terminal, view::description(self, outputs, dashboard));
        if self.request.quiet {
            self.log.debug(about.render(false));
        } else {
            terminal.print(&banner(terminal.stdout_colors()));
            terminal.print(&terminal.fit(about.render(terminal.stdout_colors())));
        }
        if self.state.is_paused() && self.request.address.is_none() {
            let text = "the test starts paused, and without a REST API nothing can resume it; give it an `--address`";
            self.log.warn(text);
        }
    }
}

//! The live page of a procedure: one port from the first run to the verdict, whatever runs come and go behind it.
//!
//! Nobody who left it open holds anything up: at the end pages are sent the last document, and are let go of.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use super::child::DASHBOARD_PREFIX;
use super::observer::Observer;
use super::progress::ProcedureProgress;
use super::report;
use super::results::ProcedureResults;
use super::settings::ProcedureSettings;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::report::server::AtEnd;
use crate::report::{self as page, Dashboard};
use crate::ui::Terminal;
use crate::units::sync::lock;

/// So long pages may take to be sent the last document.
const FAREWELL_TIMEOUT: Duration = Duration::from_secs(1);

/// The page, or none.
pub struct LivePage {
    dashboard: Option<Dashboard>,
    shared: Arc<Mutex<LivePageState>>,
}

/// What the page is made from.
#[derive(Default)]
struct LivePageState {
    /// The procedure's part, as of the last stage.
    procedure: Value,
    /// The documents of runs that ended, as JSON.
    ended: Vec<String>,
    /// The name of the run that goes on.
    current: Option<String>,
    /// How far it is; nothing before there is anything to show.
    progress: Option<ProcedureProgress>,
    observer: Observer,
}

impl LivePage {
    /// Opens the page where it is wanted: asked for with `K6_WEB_DASHBOARD`, or on a terminal unless that says `false`.
    ///
    /// # Errors
    /// Settings that can't be meant; a port that was asked for and can't be had.
    pub fn open(
        settings: &ProcedureSettings,
        name: &str,
        observer: Observer,
        terminal: &Terminal,
    ) -> Result<Self, Failure> {
        let wrong = |why: String| Failure::new(ExitCode::InvalidConfig, why);
        let variable = |name: &str| settings.process_env.get(name).cloned();
        let asked = variable(DASHBOARD_PREFIX).filter(|value| !value.is_empty());
        let is_wanted = match asked.as_deref() {
            Some("true") => true,
            Some("false") => false,
            Some(other) => return Err(wrong(format!("`{DASHBOARD_PREFIX}={other}`: write `true` or `false`"))),
            None => terminal.stdout_is_tty(),
        };
        let shared = Arc::new(Mutex::new(LivePageState { observer, ..LivePageState::default() }));
        if !is_wanted {
            return Ok(Self { dashboard: None, shared });
        }
        let mut options = page::DashboardSettings::read(None, &variable).map_err(wrong)?;
        if options.host.is_empty() {
            "127.0.0.1".clone_into(&mut options.host);
        }
        if let Some(path) = &options.export {
            let line = format!(
                "  ! `{DASHBOARD_PREFIX}_EXPORT={path}` is not written: the page of a procedure is its report.html\n"
            );
            terminal.print(&line);
        }
        let made = shared.clone();
        let source = Arc::new(move || {
            let (observer, current) = {
                let shown = lock(&made);
                (shown.observer.clone(), shown.current.clone())
            };
            // Nobody who wants to show something new waits for a run that takes its time to answer.
            let document = current.as_ref().and_then(|_| observer.document());
            let shown = lock(&made);
            shown.document(document.filter(|_| shown.current == current))
        });
        match Dashboard::start(&options, name, source, AtEnd::Closes) {
            Ok(dashboard) => {
                if let Some(at) = dashboard.as_ref().and_then(|dashboard| dashboard.open_address) {
                    terminal.print(&format!(
                        "  ! the live page listens on {at}, beyond this machine: whoever reaches it can read the numbers\n"
                    ));
                }
                if dashboard.is_some() {
                    lock(&shared).observer.watch();
                }
                Ok(Self { dashboard, shared })
            }
            Err(error) if options.port.may_be_taken() => {
                terminal.print(&format!("  ! there is no live page: port 5665: {error}\n"));
                Ok(Self { dashboard: None, shared })
            }
            Err(error) => {
                let port = options.port.number().unwrap_or_default();
                Err(Failure::new(ExitCode::Other, format!("the live page can't be opened on port {port}: {error}")))
            }
        }
    }

    /// Where it is.
    pub fn url(&self) -> Option<String> {
        self.dashboard.as_ref().map(|dashboard| dashboard.url.clone())
    }

    /// Another stage begins: the page shows what the folder holds, and the run that goes on.
    pub fn refresh(&self, folder: &Path, progress: &ProcedureProgress, current: Option<&str>) {
        if self.dashboard.is_none() {
            return;
        }
        // A folder that can't be read is told by what needs it.
        let Ok(results) = ProcedureResults::read(folder) else { return };
        let document = report::live_document(&results);
        let runs = document["runs"].as_array().cloned().unwrap_or_default();
        let mut shown = lock(&self.shared);
        shown.procedure = document["procedure"].clone();
        // What an earlier try of the same run left is not of this one.
        shown.ended = runs.iter().filter(|run| run["name"].as_str() != current).map(Value::to_string).collect();
        shown.current = current.map(str::to_owned);
        shown.progress = Some(progress.clone());
    }

    /// Everything was judged: this is what everybody sees from now on.
    pub fn finish(&self, folder: &Path) {
        let Some(dashboard) = &self.dashboard else { return };
        if let Ok(document) = report::page_document(folder) {
            dashboard.finish(&document);
        }
    }

    /// Lets go of open pages.
    pub async fn close(self) {
        if let Some(mut dashboard) = self.dashboard {
            // A page that does not read does not hold anything up either.
            _ = tokio::time::timeout(FAREWELL_TIMEOUT, dashboard.until_closed()).await;
        }
    }
}

impl LivePageState {
    /// The document of this moment, with that of the run that goes on.
    fn document(&self, current: Option<Arc<str>>) -> String {
        let mut procedure = self.procedure.clone();
        if procedure.is_null() {
            procedure = json!({"name": "", "words": "Running", "verdict": "RUNNING", "reason": "checks before the runs",
                "facts": [], "notes": [], "criteria": [], "findings": [], "cards": [], "comparison": [], "checks": []});
        }
        if let Some(progress) = &self.progress {
            let glance = progress.glance();
            let stage = glance.stage().unwrap_or_else(|| "between the runs".to_owned());
            procedure["reason"] = format!("{stage}; {}", glance.left_text()).into();
        }
        procedure["is_live"] = true.into();
        procedure["current"] = self.current.clone().into();
        let mut runs = self.ended.join(",");
        if let (Some(name), Some(document)) = (&self.current, current)
            && let Some(rest) = document.strip_prefix('{')
        {
            let between = if runs.is_empty() { "" } else { "," };
            runs.push_str(&format!("{between}{{\"name\":{},{rest}", Value::from(name.as_str())));
        }
        format!("{{\"format\":\"volley-report\",\"version\":1,\"procedure\":{procedure},\"runs\":[{runs}]}}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_what_ended_and_what_goes_on() {
        let shown = LivePageState {
            procedure: json!({"name": "cache"}),
            ended: vec![r#"{"name":"baseline"}"#.to_owned(), r#"{"name":"stress"}"#.to_owned()],
            ..LivePageState::default()
        };
        let read = |shown: &LivePageState, current: Option<&str>| -> Value {
            serde_json::from_str(&shown.document(current.map(Into::into))).unwrap()
        };
        let document = read(&shown, None);
        assert_eq!((&document["format"], &document["procedure"]["is_live"]), (&"volley-report".into(), &true.into()));
        assert_eq!(document["runs"].as_array().map(Vec::len), Some(2));
        let shown = LivePageState { current: Some("spike".to_owned()), ..shown };
        let document = read(&shown, Some(r#"{"run":{}}"#));
        assert_eq!(
            (&document["procedure"]["current"], &document["runs"][2]["name"]),
            (&"spike".into(), &"spike".into())
        );
        // A run that has said nothing yet is named all the same, so that no page shows another one as the one that goes on.
        let document = read(&shown, None);
        assert_eq!((&document["procedure"]["current"], document["runs"].get(2)), (&"spike".into(), None));
        let document = read(&LivePageState::default(), None);
        assert_eq!(document["procedure"]["words"], "Running");
    }
}

//! `k6/browser`: pages of a Chromium that runs beside the test. What the classes look like is written in JavaScript, which sends
//! commands and is handed their replies and the events it asked for; connections and processes are in `net/devtools`.

use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::super::Op;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::js::runtime::{LifecycleStage, VuContext};
use crate::js::value::{Args, Throw, Value, text_of};
use crate::net::devtools::Subscription;
use crate::units::duration::Span;

mod link;
mod measure;
mod settings;
mod shared;

pub use link::close_links;
pub use shared::{PagePicture, close, configure, pictures, start_early};

use link::{Link, REPORT_VITALS};
use shared::SharedBrowser;

/// The native half.
pub const OPS: &[(&str, Op)] = &[
    ("declare", declare),
    ("refuse", refuse),
    ("inInit", in_init),
    ("connect", connect),
    ("connectNow", connect_now),
    ("about", about),
    ("isOpen", is_open),
    ("send", send),
    ("subscribe", subscribe),
    ("unsubscribe", unsubscribe),
    ("next", next),
    ("hold", hold),
    ("giveUp", give_up),
    ("after", after),
    ("cancel", cancel),
    ("nameMetrics", name_metrics),
    ("recordNamed", record_named),
    ("vitalsWorld", vitals_world),
    ("reportVitals", report_vitals),
    ("close", close_link),
    ("warn", super::warn),
    ("writeFile", write_file),
    ("span", span),
    ("failureFolder", failure_folder),
    ("startTimeout", start_timeout),
    ("pictured", pictured),
    ("base64", base64),
    ("textBase64", text_base64),
    ("base64Text", base64_text),
    ("pageScript", page_script),
];

/// The text of a file of js-stdlib.
macro_rules! stdlib {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/js-stdlib/k6/browser/", $name, ".js"))
    };
}

/// What runs in pages, by name.
const PAGE_SCRIPTS: &[(&str, &str)] = &[
    (
        "vitals",
        concat!(
            "(() => {\nif (window !== window.top || !/^(https?|file):/.test(location.href) || globalThis.volleyReportVitals) return;\n",
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/vendor/web-vitals/web-vitals.iife.js")),
            "\n(",
            stdlib!("page_vitals"),
            ")(webVitals);\n})()",
        ),
    ),
    ("actions", concat!(stdlib!("injected_selectors"), stdlib!("injected"))),
    ("roles", stdlib!("injected_roles")),
];

/// What k6 says where no browser was asked for, and what would help.
const ABSENT: &str = "browser not found in registry. make sure to set browser type option in scenario definition in order to use \
                      the browser module";
/// What is said in init code.
const IN_INIT: &str = "the browser can't be used in the init context, only in functions of scenarios";
/// What k6 puts before what is wrong with a browser.
const BUILDING: &str = "error building browser on IterStart";

/// What the scenario of a VU says about its browser.
enum Asked {
    Nothing,
    Chromium,
    Unknown(String),
}

fn asked(vu: &VuContext) -> Asked {
    if vu.stage.get() != LifecycleStage::Iterations {
        return Asked::Nothing;
    }
    let scenario = vu.scenario.borrow();
    asked_by(scenario.as_ref().and_then(|facts| facts.options.as_ref()))
}

/// Whether the options of a scenario ask for a browser that there is.
pub fn is_asked_by(options: Option<&serde_json::Value>) -> bool {
    matches!(asked_by(options), Asked::Chromium)
}

fn asked_by(options: Option<&serde_json::Value>) -> Asked {
    let entries = options.and_then(serde_json::Value::as_object).into_iter().flatten();
    let browser = entries.filter(|(key, _)| key.eq_ignore_ascii_case("browser")).map(|(_, browser)| browser).next();
    match browser.and_then(|browser| browser.get("type")) {
        None | Some(serde_json::Value::Null) => Asked::Nothing,
        Some(serde_json::Value::String(kind)) if kind == "chromium" => Asked::Chromium,
        Some(serde_json::Value::String(kind)) => Asked::Unknown(kind.clone()),
        Some(other) => Asked::Unknown(other.to_string()),
    }
}

/// Before an iteration: the run ends where its scenario asks for a browser that there can't be.
pub fn begin_iteration(vu: &VuContext) {
    if vu.existing_module_state::<measure::BrowserMetrics>().is_none() {
        return;
    }
    let problem = match asked(vu) {
        Asked::Nothing => return,
        Asked::Unknown(kind) => {
            Some(format!("initializing browser type: error parsing browser options: unsupported browser type: {kind}"))
        }
        Asked::Chromium => vu.script.module_state::<SharedBrowser>().settings(&vu.script.log).err(),
    };
    if let Some(problem) = problem {
        vu.abort_run(Failure::new(ExitCode::ScriptAborted, format!("{BUILDING}: {problem}")));
    }
}

/// Declares the metrics.
fn declare(vu: &VuContext, _args: Args) -> Result<Value, Throw> {
    measure::declare(vu)?;
    vu.script.module_state::<SharedBrowser>().note_import();
    Ok(Value::Undefined)
}

/// Why the script can't have a browser here; nothing if it can.
fn refuse(vu: &VuContext, _args: Args) -> Result<Value, Throw> {
    if vu.is_init() {
        return Ok(IN_INIT.into());
    }
    Ok(match asked(vu) {
        Asked::Chromium => Value::Undefined,
        _ => ABSENT.into(),
    })
}

/// Why no browser can be connected to here; nothing if one can.
fn in_init(vu: &VuContext, _args: Args) -> Result<Value, Throw> {
    Ok(if vu.is_init() { IN_INIT.into() } else { Value::Undefined })
}

/// `(url)` -> a promise of a link, or of what went wrong; without an address to the browser of the run.
fn connect(vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    let url = args.string(0);
    let vu = vu.rc();
    Ok(Value::Pending(Box::pin(async move {
        let shared = vu.script.module_state::<SharedBrowser>();
        let log = vu.script.log.clone();
        let linked = if url.is_empty() {
            shared.get(&log).await.map(|browser| Link::new(&vu, browser.connection.clone(), Some(browser)))
        } else {
            let connection = shared.connect(&url, Duration::from_secs(30), &log).await;
            connection.map(|connection| Link::new(&vu, connection, None))
        };
        match linked {
            Ok(link) => Ok(Value::Resource(link)),
            Err(problem) if url.is_empty() => {
                // Without a browser the scenario can do nothing.
                vu.abort_run(Failure::new(ExitCode::ScriptAborted, format!("{BUILDING}: {problem}")));
                Err(Throw::Stop)
            }
            Err(problem) => Ok(Value::String(problem)),
        }
    })))
}

/// As `connect` to the browser of the run; the VU waits for it.
fn connect_now(vu: &VuContext, _args: Args) -> Result<Value, Throw> {
    let (script, log) = (vu.script.clone(), vu.script.log.clone());
    let browser = vu.wait(async move { script.module_state::<SharedBrowser>().get(&log).await })?;
    match browser {
        Ok(browser) => Ok(Value::Resource(Link::new(vu, browser.connection.clone(), Some(browser)))),
        Err(problem) => {
            vu.abort_run(Failure::new(ExitCode::ScriptAborted, format!("{BUILDING}: {problem}")));
            Err(Throw::Stop)
        }
    }
}

/// `(link)` -> what the browser says about itself, as `Browser.getVersion` has it.
fn about(_vu: &VuContext, args: Args) -> Result<Value, Throw> {
    Ok(Value::Json(args.resource::<Link>(0)?.connection.about().to_vec().into()))
}

/// `(link)` -> whether its iteration and its browser are still there.
fn is_open(_vu: &VuContext, args: Args) -> Result<Value, Throw> {
    Ok(args.resource::<Link>(0)?.is_open().into())
}

/// `(link, session, method, params as JSON, whether something else waits for it)` -> the number of the command.
fn send(vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    let link = args.resource::<Link>(0)?;
    let (session, method, params) = (args.string(1), args.string(2), args.string(3));
    Ok(Value::Number(link.send(vu, &session, &method, &params, args.bool(4)) as f64))
}

/// `(link, session, event, texts)`: such events are wanted, where texts are given those that have one of them.
fn subscribe(_vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    let link = args.resource::<Link>(0)?;
    let (session, method) = (args.string(1), args.string(2));
    let texts = match args.take(3) {
        Value::List(list) => list,
        _ => Vec::new(),
    };
    let needles = texts.into_iter().filter_map(|text| if let Value::String(text) = text { Some(text) } else { None });
    link.connection.subscribe(&link.inbox, &session, Subscription { method, needles: needles.collect() });
    Ok(Value::Undefined)
}

/// `(link, session, event)`
fn unsubscribe(_vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    let link = args.resource::<Link>(0)?;
    link.connection.unsubscribe(&args.string(1), &args.string(2));
    Ok(Value::Undefined)
}

/// `(link)` -> a promise of what comes next.
fn next(vu: &VuContext, args: Args) -> Result<Value, Throw> {
    let next = args.resource::<Link>(0)?.next(vu);
    Ok(Value::Pending(Box::pin(async move { Ok(next.await) })))
}

/// `(link, whether it begins)`: the script waits for an event.
fn hold(vu: &VuContext, args: Args) -> Result<Value, Throw> {
    args.resource::<Link>(0)?.hold(vu, args.bool(1));
    Ok(Value::Undefined)
}

/// `(link, number of a command)`: no reply will come.
fn give_up(vu: &VuContext, args: Args) -> Result<Value, Throw> {
    args.resource::<Link>(0)?.give_up(vu, args.number(1) as u64);
    Ok(Value::Undefined)
}

/// `(link, milliseconds)` -> the number of a timer.
fn after(vu: &VuContext, args: Args) -> Result<Value, Throw> {
    let span = Span::from_millis(args.number(1).max(0.0)).to_duration();
    Ok(Value::Number(f64::from(args.resource::<Link>(0)?.set_deadline(vu, span))))
}

/// `(link, timer)`
fn cancel(vu: &VuContext, args: Args) -> Result<Value, Throw> {
    args.resource::<Link>(0)?.clear_deadline(vu, args.number(1) as u32);
    Ok(Value::Undefined)
}

/// `(link, session, whether the script names what is measured)`
fn name_metrics(_vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    let link = args.resource::<Link>(0)?;
    link.set_named_by_script(args.string(1), args.bool(2));
    Ok(Value::Undefined)
}

/// `(link, number, name)`: what was measured is called so; by its address, if there is no name.
fn record_named(vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    let (link, number) = (args.resource::<Link>(0)?, args.number(1) as u32);
    let name = if let Value::String(name) = args.take(2) { Some(name) } else { None };
    link.record_named(vu, number, name.as_deref());
    Ok(Value::Undefined)
}

/// `(link, session, world)`: where the vitals of a page are reported from.
fn vitals_world(_vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    let link = args.resource::<Link>(0)?;
    link.set_vitals_world(args.string(1), args.number(2));
    Ok(Value::Undefined)
}

/// The expression that makes a page report its vitals.
fn report_vitals(_vu: &VuContext, _args: Args) -> Result<Value, Throw> {
    Ok(REPORT_VITALS.into())
}

/// `(link)` -> a promise of its end.
fn close_link(vu: &VuContext, args: Args) -> Result<Value, Throw> {
    let (link, vu) = (args.resource::<Link>(0)?, vu.rc());
    Ok(Value::Pending(Box::pin(async move {
        link.close(&vu).await;
        Ok(Value::Undefined)
    })))
}

/// `(path, base64)`: writes a file, and the folders it is in.
fn write_file(_vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    let (path, data) = (args.string(0), args.string(1));
    let write = || -> Result<(), String> {
        let bytes = STANDARD.decode(data.as_bytes()).map_err(|error| error.to_string())?;
        let path = Path::new(&path);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|error| error.to_string())?;
        }
        std::fs::write(path, bytes).map_err(|error| error.to_string())
    };
    Ok(write().map_or_else(|error| Value::String(format!("writing {path}: {error}")), |()| Value::Undefined))
}

/// `(milliseconds)` -> as Go writes it.
fn span(_vu: &VuContext, args: Args) -> Result<Value, Throw> {
    Ok(Value::String(Span::from_millis(args.number(0)).to_string()))
}

/// Where screenshots of pages go whose actions failed.
fn failure_folder(vu: &VuContext, _args: Args) -> Result<Value, Throw> {
    let shared = vu.script.module_state::<SharedBrowser>();
    let folder = shared.settings(&vu.script.log).ok().and_then(|settings| settings.failure_screenshots.clone());
    Ok(folder.map_or(Value::Undefined, |folder| Value::String(folder.display().to_string())))
}

/// How long a new page may take, in milliseconds.
fn start_timeout(vu: &VuContext, _args: Args) -> Result<Value, Throw> {
    let shared = vu.script.module_state::<SharedBrowser>();
    let timeout = shared.settings(&vu.script.log).map_or(Duration::from_secs(30), |settings| settings.timeout);
    Ok(Value::Number(timeout.as_secs_f64() * 1000.0))
}

/// `(path, message)`: a page was pictured whose action failed with this message.
fn pictured(vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    let picture = PagePicture { path: args.string(0), message: args.string(1) };
    vu.script.module_state::<SharedBrowser>().add_picture(picture);
    Ok(Value::Undefined)
}

/// `(bytes or base64)` -> the other.
fn base64(_vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    Ok(match args.take(0) {
        Value::Bytes(bytes) => Value::String(STANDARD.encode(bytes)),
        Value::String(text) => match STANDARD.decode(text.as_bytes()) {
            Ok(bytes) => Value::Bytes(bytes.into()),
            Err(_) => Value::Undefined,
        },
        _ => Value::Undefined,
    })
}

/// `(text)` -> base64 of it as UTF-8.
fn text_base64(_vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    Ok(Value::String(STANDARD.encode(args.string(0))))
}

/// `(base64)` -> the text it is in UTF-8.
fn base64_text(_vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    let bytes = STANDARD.decode(args.string(0).as_bytes()).unwrap_or_default();
    Ok(Value::String(text_of(&bytes)))
}

/// `(name)` -> the text of a script that runs in pages.
fn page_script(_vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    let name = args.string(0);
    let found = PAGE_SCRIPTS.iter().find(|(known, _)| *known == name);
    Ok(found.map_or(Value::Undefined, |(_, text)| (*text).into()))
}

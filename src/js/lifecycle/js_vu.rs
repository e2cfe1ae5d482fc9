//! The lifecycle of one VU: init code, then setup, iterations, teardown or the summary, each one turn of its event loop.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use crate::execution::{ScenarioFacts, ScenarioRun, precise_timer};
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::js::engine::{ExportKind, PromiseOutcome, Realm};
use crate::js::loader::{Loader, package_advice};
use crate::js::runtime::event_loop::{TurnEnd, run_turn, value_of};
use crate::js::runtime::module_table::Hooks;
use crate::js::runtime::worker::Worker;
use crate::js::runtime::{LifecycleStage, Script, VuContext, coroutine};
use crate::js::value::{Exception, Handle, Throw, Value};
use crate::log::Level;
use crate::metrics::Record;
use crate::metrics::system_tags::SystemTag;

/// A VU with its JavaScript realm, after its init code ran.
#[derive(Clone)]
pub struct JsVu {
    /// The VU.
    pub vu: Rc<VuContext>,
    realm: Rc<dyn Realm>,
    activation: Rc<Activation>,
}

/// What a VU needs for the iterations of its scenario.
#[derive(Default)]
struct Activation {
    scenario: RefCell<Option<Arc<ScenarioRun>>>,
    /// The scenario's function, looked up in its first iteration.
    entry: Cell<Option<Handle>>,
    /// The setup data as this VU sees it, parsed when first needed.
    data: Cell<Option<Handle>>,
}

/// What the first pass over a script found.
#[derive(Clone, Debug, Default)]
pub struct Exports {
    /// Names of exported functions.
    pub functions: Vec<String>,
    /// Exports that are no function.
    pub values: Vec<String>,
    /// The export `options` as JSON.
    pub options: Option<String>,
}

impl Exports {
    /// True if there is an exported function of this name.
    pub fn has(&self, function: &str) -> bool {
        self.functions.iter().any(|name| name == function)
    }
}

const MAIN_ERROR: ExitCode = ExitCode::ScriptException;

/// Iterations that keep the neighbours waiting for less than this follow each other, up to 128 of them.
const SHORT_TURN: Duration = Duration::from_micros(100);

/// Why init code failed, with what would help.
fn explained(failure: Failure, loader: &Loader) -> Failure {
    if let Some(missing) = loader.unreadable().filter(|missing| failure.message.contains(&missing.text)) {
        // Not the script threw: a part of it is missing.
        let meant = missing.meant.map(|meant| format!(", did you mean {meant:?}?")).unwrap_or_default();
        return Failure::new(MAIN_ERROR, missing.text).hint(format!("imported at {}{meant}", missing.place));
    }
    if let Some(odd) = loader.unresolved().filter(|odd| failure.message.contains(&odd.text)) {
        let help = package_advice(odd.text.split('"').nth(1).unwrap_or_default());
        return failure.hint(format!("imported at {}; {help}", odd.place));
    }
    let is_about_json = |line: &str| line.starts_with("\tat ") && line.contains(".json:");
    if failure.message.starts_with("SyntaxError") && failure.message.lines().any(is_about_json) {
        return failure.hint("JSON is no module: read it with `JSON.parse(open('./data.json'))`");
    }
    if failure.message.starts_with("SyntaxError") {
        let mut places = failure.message.lines().filter_map(|line| line.strip_prefix("\tat "));
        let file = places.next().and_then(|place| place.rsplitn(3, ':').nth(2));
        if let Some(file) = file.filter(|file| loader.has_types(file)) {
            let hint = format!("there are types in it: name it {}.ts", file.trim_end_matches(".js"));
            return failure.hint(hint);
        }
        return placed(failure, loader);
    }
    failure
}

/// A syntax error with the place of the parser's: engines point behind it, or nowhere.
fn placed(mut failure: Failure, loader: &Loader) -> Failure {
    let (mut lines, places): (Vec<&str>, Vec<&str>) =
        failure.message.lines().partition(|line| !line.starts_with("\tat "));
    let file = places.first().and_then(|place| place.strip_prefix("\tat ")?.rsplitn(3, ':').nth(2));
    let Some((url, fault)) = loader.syntax_fault(file) else { return failure };
    let place = format!("\tat {url}:{}:{}", fault.line, fault.column);
    lines.push(&place);
    lines.extend(places.iter().skip(1));
    failure.message = format!("{}\n", lines.join("\n"));
    failure.hint(fault.message)
}

impl JsVu {
    /// Makes a VU and runs the script's init code in it.
    ///
    /// # Errors
    /// What the script threw, with its stack; or why a module can't be had.
    pub async fn init(id: u64, id_in_test: u64, script: &Arc<Script>, worker: &Rc<Worker>) -> Result<Self, Failure> {
        let vu = VuContext::new(id, id_in_test, script.clone(), worker.clone());
        let loader = Loader::of(script);
        loop {
            let host: Rc<dyn crate::js::engine::Host> = vu.clone();
            let realm: Rc<dyn Realm> = script.engine.realm(host).map_err(|throw| failure(&throw))?.into();
            let this = Self { vu: vu.clone(), realm, activation: Rc::default() };
            match this.on_stack(Self::run_init_code).await? {
                Err(_) if loader.must_reload() => {}
                result => {
                    loader.drop_transpiled();
                    this.realm.share();
                    return result.map(|()| this);
                }
            }
        }
    }

    fn run_init_code(&self) -> Result<(), Failure> {
        let loader = Loader::of(&self.vu.script);
        (self.hooks().realm_made)(&*self.realm, &self.vu).map_err(|throw| failure(&throw))?;
        let address = self.address();
        let evaluated = self.evaluate(&address);
        for file in loader.take_missing_maps() {
            self.vu.script.log.warn(format!("Couldn't load source map for {file}"));
        }
        if let Some(failure) = loader.unknown(&self.vu.script.address) {
            return Err(failure);
        }
        if let Some(sentence) = loader.absent_extensions().filter(|_| evaluated.is_ok() && !loader.files.is_sealed()) {
            self.vu.script.log.warn(sentence);
        }
        for sentence in loader.take_near_misses() {
            self.vu.script.log.warn(sentence);
        }
        evaluated.map_err(|failure| explained(failure, &loader))?;
        self.consolidate_options(&address)
    }

    /// The address of the main module, as engines know it.
    fn address(&self) -> String {
        Loader::of(&self.vu.script).entry(&self.vu.script.address)
    }

    /// Runs `work` on a stack of its own.
    async fn on_stack<T: 'static>(&self, work: impl FnOnce(&Self) -> T + 'static) -> Result<T, Failure> {
        let this = self.clone();
        let on_stack = move || {
            this.vu.enter_stack();
            let result = work(&this);
            this.vu.leave_stack();
            result
        };
        coroutine::run(on_stack).map(|task| async move { Ok(task.await) }).map_err(no_stack)?.await
    }

    /// Evaluates a module to its end, top-level awaits included.
    fn evaluate(&self, address: &str) -> Result<(), Failure> {
        let realm = &*self.realm;
        let promise = Cell::new(None);
        let begin = || realm.evaluate(address).inspect(|handle| promise.set(Some(*handle)));
        match run_turn(realm, &self.vu, begin) {
            TurnEnd::Done(handle) => {
                let value = value_of(realm, handle);
                realm.release(handle);
                match value {
                    Ok(_) => Ok(()),
                    Err(TurnEnd::Rejected(exception)) => Err(self.exception_failure(&exception)),
                    Err(_) => Ok(()),
                }
            }
            // What a module throws behind an `await` is an exception of the script like any other.
            TurnEnd::Rejected(other) => match promise.get().map(|handle| realm.outcome(handle)) {
                Some(PromiseOutcome::Rejected(exception)) => Err(self.exception_failure(&exception)),
                _ => Err(Failure::new(ExitCode::Other, format!("Uncaught (in promise) {}", other.report()))),
            },
            TurnEnd::Threw(exception) => Err(self.exception_failure(&exception)),
            TurnEnd::Stopped => Err(self.stopped()),
        }
    }

    fn stopped(&self) -> Failure {
        // What the summary aborts is no run any more.
        if let Some(failure) = self.vu.take_abort_in_summary() {
            return failure;
        }
        match self.vu.script.state.aborted() {
            Some(abort) => abort.failure,
            None => Failure::new(ExitCode::ExternalAbort, "the VU was stopped"),
        }
    }

    /// What the script exports; for the first pass.
    ///
    /// # Errors
    /// When reading an export throws, or the options are no JSON.
    pub async fn exports(&self) -> Result<Exports, Failure> {
        self.on_stack(|this| {
            let realm = &*this.realm;
            let address = &this.address();
            let mut exports = Exports::default();
            let mut has_options = false;
            for (name, export) in realm.exports(address).map_err(|throw| failure(&throw))? {
                has_options |= name == "options" && export != ExportKind::Nothing;
                match export {
                    ExportKind::Function => exports.functions.push(name),
                    ExportKind::Value | ExportKind::Nothing => exports.values.push(name),
                }
            }
            if has_options {
                let options = realm.export(address, "options").map_err(|throw| failure(&throw))?;
                let json = this.stdlib("exportOptions", vec![Value::Handle(options)]);
                realm.release(options);
                if let Value::String(json) = json.map_err(|throw| data_failure(&throw))? {
                    exports.options = Some(json);
                }
            }
            Ok(exports)
        })
        .await?
    }

    /// What a function of a module of ours, which may be any under `volley/`, returns for an export of the main module and
    /// further arguments; nothing if the main module has no such export.
    ///
    /// # Errors
    /// What the function threw, also while the export was read.
    pub async fn call_with_export(
        &self,
        module: &'static str,
        function: &'static str,
        export: &'static str,
        more: Vec<Value>,
    ) -> Result<Option<Value>, Failure> {
        self.on_stack(move |this| {
            let realm = &*this.realm;
            let address = &this.vu.script.address;
            let exported = realm.exports(address).map_err(|throw| failure(&throw))?;
            if !exported.iter().any(|(name, _)| name == export) {
                return Ok(None);
            }
            let export = realm.export(address, export).map_err(|throw| failure(&throw))?;
            let args = std::iter::once(Value::Handle(export)).chain(more).collect();
            let result = this.call_of(module, function, args);
            realm.release(export);
            let handle = result.map_err(|throw| failure(&throw))?;
            let value = value_of(realm, handle);
            realm.release(handle);
            Ok(value.ok())
        })
        .await?
    }

    /// Calls a function of js-stdlib's lifecycle module and takes its value.
    fn stdlib(&self, function: &str, args: Vec<Value>) -> Result<Value, Throw> {
        let realm = &*self.realm;
        let handle = self.stdlib_handle(function, args)?;
        let value = value_of(realm, handle);
        realm.release(handle);
        value.map_err(|turn| match turn {
            TurnEnd::Rejected(exception) => Throw::Exception(exception),
            _ => Throw::Stop,
        })
    }

    fn stdlib_handle(&self, function: &str, args: Vec<Value>) -> Result<Handle, Throw> {
        self.call_of("volley/lifecycle", function, args)
    }

    /// Calls a function of a module of ours.
    fn call_of(&self, module: &str, function: &str, args: Vec<Value>) -> Result<Handle, Throw> {
        let realm = &*self.realm;
        let evaluated = realm.evaluate(module)?;
        realm.release(evaluated);
        let function = realm.export(module, function)?;
        let result = realm.call(function, args);
        realm.release(function);
        result
    }

    /// In VUs the exported `options` show what was made of them.
    fn consolidate_options(&self, address: &str) -> Result<(), Failure> {
        let Some(json) = self.vu.script.exported_options.get() else { return Ok(()) };
        let realm = &*self.realm;
        let exported = realm.exports(address).map_err(|throw| failure(&throw))?;
        if !exported.iter().any(|(name, export)| name == "options" && *export == ExportKind::Value) {
            return Ok(());
        }
        let options = realm.export(address, "options").map_err(|throw| failure(&throw))?;
        let result = realm.part("volley/consolidate", None).and_then(|consolidate| {
            let args = vec![Value::Handle(options), Value::Json(json.clone().into())];
            let result = realm.call(consolidate, args);
            realm.release(consolidate);
            result
        });
        realm.release(options);
        result.map(|handle| realm.release(handle)).map_err(|throw| failure(&throw))
    }

    /// Runs `setup()`; what it returned, as JSON.
    ///
    /// # Errors
    /// What it threw. A stop is told as the run's abort.
    pub async fn setup(&self) -> Result<Option<String>, Failure> {
        self.begin_stage(LifecycleStage::Setup, "::setup");
        let result = self
            .on_stack(|this| {
                let realm = &*this.realm;
                let handle = this.call_export("setup", |_| Ok(Vec::new()))?;
                // An async function's result is inside its promise: it is encoded where it stands.
                let encoded = match realm.fulfilled(handle) {
                    Err(exception) => Err(this.exception_failure(&exception)),
                    Ok(value) => {
                        let json = this.stdlib("encodeData", vec![Value::Handle(value)]);
                        realm.release(value);
                        json.map_err(|throw| data_failure(&throw))
                    }
                };
                realm.release(handle);
                match encoded? {
                    Value::String(json) => Ok(Some(json)),
                    _ => Ok(None),
                }
            })
            .await?;
        self.end_stage().await;
        result
    }

    /// Runs `teardown(data)`.
    ///
    /// # Errors
    /// As [`JsVu::setup`].
    pub async fn teardown(&self) -> Result<(), Failure> {
        self.begin_stage(LifecycleStage::Teardown, "::teardown");
        let result = self
            .on_stack(|this| {
                let handle = this.call_export("teardown", |this| Ok(vec![Value::Handle(this.setup_data()?)]))?;
                this.realm.release(handle);
                Ok(())
            })
            .await?;
        self.end_stage().await;
        result
    }

    /// Runs `handleSummary(data)`; what it returned. `aliases` (JSON) are more names for what is in the data, which
    /// scripts can read and do not see when they look through it.
    ///
    /// # Errors
    /// As [`JsVu::setup`].
    pub async fn summarize(&self, data: String, aliases: Option<String>) -> Result<Value, Failure> {
        self.vu.stage.set(LifecycleStage::Summary);
        self.on_stack(move |this| {
            let (realm, vu) = (&*this.realm, &this.vu);
            let address = this.address();
            let handle = realm.export(&address, "handleSummary").map_err(|throw| failure(&throw))?;
            let args =
                vec![Value::Handle(handle), Value::String(data), aliases.map_or(Value::Undefined, Value::String)];
            let handle = this.ended(run_turn(realm, vu, || this.stdlib_handle("summarize", args)))?;
            match value_of(realm, handle) {
                Ok(value) => Ok(value),
                Err(TurnEnd::Rejected(exception)) => Err(this.exception_failure(&exception)),
                Err(_) => Ok(Value::Undefined),
            }
        })
        .await?
    }

    /// Calls an exported function with arguments made on the VU's own stack.
    fn call_export(
        &self,
        name: &str,
        args: impl FnOnce(&Self) -> Result<Vec<Value>, Throw>,
    ) -> Result<Handle, Failure> {
        let realm = &*self.realm;
        let address = self.address();
        let result = run_turn(realm, &self.vu, || {
            let function = realm.export(&address, name)?;
            let args = args(self)?;
            let result = realm.call(function, args);
            realm.release(function);
            result
        });
        self.ended(result)
    }

    fn ended(&self, end: TurnEnd) -> Result<Handle, Failure> {
        match end {
            TurnEnd::Done(handle) => Ok(handle),
            TurnEnd::Threw(exception) => Err(self.exception_failure(&exception)),
            TurnEnd::Rejected(exception) => {
                Err(Failure::new(ExitCode::Other, format!("Uncaught (in promise) {}", exception.report())))
            }
            TurnEnd::Stopped => Err(self.stopped()),
        }
    }

    fn begin_stage(&self, stage: LifecycleStage, group: &str) {
        self.vu.stage.set(stage);
        self.vu.set_tags(self.vu.script.run_tags.clone());
        self.vu.set_group(group.into());
        for hook in self.hooks().iteration_begins {
            hook(&self.vu);
        }
        if self.vu.script.system_tags.has(SystemTag::Iter) {
            self.vu.change_metadata("iter", Some("0".to_owned()));
        }
    }

    /// Setup and teardown move bytes, but are no iterations.
    async fn end_stage(&self) {
        self.close_open().await;
        let (sent, received) = self.vu.client.traffic();
        let (tags, metadata) = (self.vu.tags(), self.vu.metadata());
        self.vu.record(Record::Iteration { time: self.vu.now(), duration: None, sent, received, tags, metadata });
        self.vu.worker.flush();
    }

    /// Closes what the script left open.
    async fn close_open(&self) {
        for hook in self.hooks().close_open {
            if let Some(closing) = hook(&self.vu) {
                closing.await;
            }
        }
    }

    /// What modules do at the turning points of a VU's life.
    fn hooks(&self) -> &'static Hooks {
        &self.vu.script.modules.hooks
    }

    /// The setup data as this VU sees it, parsed once.
    fn setup_data(&self) -> Result<Handle, Throw> {
        if let Some(data) = self.activation.data.get() {
            return Ok(data);
        }
        let json = self.vu.script.setup_data();
        let value = json.map_or(Value::Undefined, |json| Value::Json(json.as_bytes().to_vec().into()));
        let data = self.realm.retain(value)?;
        self.activation.data.set(Some(data));
        Ok(data)
    }

    // Iterations -------------------------------------------------------------------------------------------------

    /// Takes the VU into a scenario.
    pub fn activate(&self, scenario: &Arc<ScenarioRun>) {
        let (vu, facts) = (&self.vu, &scenario.facts);
        vu.stop.lower();
        vu.stage.set(LifecycleStage::Iterations);
        vu.iterations_in_scenario.set(0);
        vu.env.replace(facts.env.clone());
        vu.scenario.replace(Some(facts.clone()));
        self.activation.scenario.replace(Some(scenario.clone()));
        if let Some(entry) = self.activation.entry.take() {
            self.realm.release(entry);
        }
        vu.script.state.vu_activated();
        facts.progress.active.fetch_add(1, Relaxed);
        self.tag_for(facts);
    }

    fn tag_for(&self, facts: &ScenarioFacts) {
        self.vu.set_tags(facts.tags.clone());
        self.vu.set_group("".into());
        if self.vu.script.system_tags.has(SystemTag::Vu) {
            self.vu.change_metadata("vu", Some(self.vu.id.to_string()));
        }
    }

    /// Takes the VU out of its scenario.
    pub fn release(&self) {
        if let Some(scenario) = self.activation.scenario.take() {
            self.vu.script.state.vu_released();
            scenario.facts.progress.active.fetch_sub(1, Relaxed);
        }
        self.vu.worker.flush();
    }

    /// Runs one iteration to its end and counts it.
    pub async fn iterate(&self) {
        let (vu, state) = (&self.vu, &self.vu.script.state);
        let Some(facts) = vu.scenario.borrow().clone() else { return };
        vu.iterations.set(vu.iterations.get() + 1);
        vu.iterations_in_scenario.set(vu.iterations_in_scenario.get() + 1);
        vu.scenario_iteration.set(facts.number_iteration());
        if vu.script.system_tags.has(SystemTag::Iter) {
            let number = (vu.iterations.get() - 1).to_string();
            vu.change_metadata("iter", Some(number));
        }
        for hook in self.hooks().iteration_begins {
            hook(vu);
        }
        facts.progress.running.fetch_add(1, Relaxed);
        let began = Instant::now();
        let end = self.on_stack(|this| this.run_entry()).await;
        let ended = Instant::now();
        let took = ended - began;
        // An iteration that ends the run has come to its own end.
        let is_full = match &end {
            Ok(TurnEnd::Stopped) => vu.take_abort_in_iteration(),
            Ok(_) => true,
            Err(_) => false,
        };
        match end {
            Ok(TurnEnd::Done(handle)) => self.realm.release(handle),
            Ok(TurnEnd::Threw(exception)) => self.report(&facts, &exception, false),
            Ok(TurnEnd::Rejected(exception)) => self.report(&facts, &exception, true),
            Ok(TurnEnd::Stopped) => {}
            Err(failure) => state.abort(failure),
        }
        for hook in self.hooks().function_ended {
            hook(vu, is_full);
        }
        self.close_open().await;
        let (sent, received) = vu.client.traffic();
        let duration = is_full.then_some(took.as_nanos() as u64);
        let (time, tags, metadata) = (vu.script.epoch.stamp(ended), vu.tags(), vu.metadata());
        vu.record(Record::Iteration { time, duration, sent, received, tags, metadata });
        for hook in self.hooks().iteration_counted {
            hook(vu);
        }
        facts.progress.running.fetch_sub(1, Relaxed);
        facts.progress.done.fetch_add(1, Relaxed);
        if is_full {
            state.complete.fetch_add(1, Relaxed);
            if let Some(rest) = vu.script.min_iteration_duration.checked_sub(took) {
                self.rest(rest).await;
            }
        } else {
            state.interrupted.fetch_add(1, Relaxed);
        }
        // A VU that never waits for anything would keep its neighbours waiting.
        match vu.turn_length() > SHORT_TURN {
            true => tokio::task::yield_now().await,
            false => tokio::task::consume_budget().await,
        }
    }

    /// The pause after an iteration shorter than `minIterationDuration`; a stop ends it.
    async fn rest(&self, rest: Duration) {
        if rest.is_zero() {
            return;
        }
        let stop = self.vu.stop.clone();
        tokio::select! {
            () = precise_timer::sleep(rest) => {}
            () = stop.raised() => {}
        }
    }

    /// Calls the scenario's function, on the VU's own stack.
    fn run_entry(&self) -> TurnEnd {
        let realm = &*self.realm;
        run_turn(realm, &self.vu, || {
            let entry = match self.activation.entry.get() {
                Some(entry) => entry,
                None => {
                    let address = self.address();
                    let name = self.vu.scenario.borrow().as_ref().map(|facts| facts.exec.clone()).unwrap_or_default();
                    (self.hooks().activated)(realm, &self.vu)?;
                    let entry = realm.export(&address, &name)?;
                    self.activation.entry.set(Some(entry));
                    entry
                }
            };
            let data = self.setup_data()?;
            realm.call(entry, vec![Value::Handle(data)])
        })
    }

    /// An iteration that failed is told of, and counts.
    fn report(&self, facts: &ScenarioFacts, exception: &Exception, in_promise: bool) {
        let mut fields = vec![("executor", facts.executor.into()), ("scenario", facts.name.to_string().into())];
        let hint = if exception.hint.is_empty() { self.advice(exception) } else { Some(exception.hint.clone()) };
        let has_hint = hint.is_some();
        if let Some(hint) = hint {
            fields.push(("hint", hint.into()));
        }
        let message = if in_promise {
            format!("Uncaught (in promise) {}", exception.report())
        } else {
            if !has_hint {
                fields.push(("hint", "script exception".into()));
            }
            fields.push(("source", "stacktrace".into()));
            exception.report().to_owned()
        };
        self.vu.script.log.log(Level::Error, message, fields);
    }

    /// What would be right instead of what a script did.
    fn advice(&self, exception: &Exception) -> Option<String> {
        Loader::of(&self.vu.script).advice(exception.report())
    }

    fn exception_failure(&self, exception: &Exception) -> Failure {
        exception_failure(exception).with_hint(self.advice(exception))
    }
}

fn no_stack(error: std::io::Error) -> Failure {
    let text = format!(
        "the system has no room for another VU's stack ({error}); raise the kernel's limit `vm.max_map_count` or use \
         fewer VUs"
    );
    Failure::new(ExitCode::Other, text)
}

fn exception_failure(exception: &Exception) -> Failure {
    Failure::exception(exception.report())
}

fn failure(throw: &Throw) -> Failure {
    match throw {
        Throw::Exception(exception) => exception_failure(exception),
        other => Failure::new(MAIN_ERROR, other.report()),
    }
}

/// Options or setup data that can't be written as JSON.
fn data_failure(throw: &Throw) -> Failure {
    let text = match throw {
        Throw::Exception(exception) => exception.text.strip_prefix("GoError: ").unwrap_or(&exception.text).to_owned(),
        other => other.report(),
    };
    Failure::new(ExitCode::Other, text)
}

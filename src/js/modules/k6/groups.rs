//! Groups: paths of names that samples are tagged with, and how long each takes.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Instant;

use crate::js::engine::direct::{Local, Look, Scope, leave_to};
use crate::js::runtime::{MetricContext, VuContext};
use crate::js::value::{Args, Throw, Value};
use crate::metrics::record::millis;
use crate::metrics::{Record, builtin};

/// The groups whose callbacks run, innermost last.
#[derive(Default)]
struct GroupStack(RefCell<Vec<Rc<Group>>>);

/// One group.
struct Group {
    /// The path outside.
    outside: Rc<str>,
    began: Instant,
    /// With the feature `async-metric-context`.
    contexts: Option<GroupContexts>,
}

/// What is in force around a group.
struct GroupContexts {
    /// Before it, to go back to.
    outside: Rc<MetricContext>,
    /// When its callback was called: what its duration carries.
    entry: Rc<MetricContext>,
    /// The event loop goes back to what was before it by itself.
    is_in_work: bool,
    has_ended: Cell<bool>,
}

/// The path of the present group, and that of one of this name in it.
fn paths(vu: &VuContext, name: &str) -> (Rc<str>, Rc<str>) {
    // The tag is the group, also where the script has put another name there.
    let tags = vu.tags();
    let outside = match tags.get("group") {
        Some(group) if *group != *vu.group() => group.into(),
        _ => vu.group(),
    };
    // The root has no name: a nameless group at the root is the root.
    let path = if name.is_empty() && outside.is_empty() { "".into() } else { format!("{outside}::{name}").into() };
    (outside, path)
}

/// `(name)`: the callback is about to be called.
///
/// # Errors
/// Never.
pub fn enter(vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    begin(vu, &args.string(0));
    Ok(Value::Undefined)
}

fn begin(vu: &VuContext, name: &str) {
    let (outside, path) = paths(vu, name);
    let group = Rc::new(Group { outside, began: Instant::now(), contexts: None });
    vu.module_state::<GroupStack>().0.borrow_mut().push(group);
    vu.set_group(path);
}

/// The callback has returned or thrown.
///
/// # Errors
/// Never.
pub fn leave(vu: &VuContext, _args: Args) -> Result<Value, Throw> {
    finish(vu);
    Ok(Value::Undefined)
}

fn finish(vu: &VuContext) {
    let Some(group) = vu.module_state::<GroupStack>().0.borrow_mut().pop() else { return };
    group.record(vu);
    vu.set_group(group.outside.clone());
}

/// `group(name, callback)`, made with a function for what is no text and no plain function, the language's `Function`, and the name
/// `constructor`.
///
/// # Errors
/// What the callback throws.
pub fn group(vu: &VuContext, scope: &mut dyn Scope) -> Result<Local, Throw> {
    super::refuse_init(vu, "group()")?;
    let (name, callback, function, constructor) = (scope.arg(0), scope.arg(1), scope.data(1), scope.data(2));
    if (scope.look(name), scope.look(callback)) != (Look::Text, Look::Function) || vu.script.async_metric_context {
        return leave_to(scope, 0);
    }
    let made_by = scope.get(callback, constructor)?;
    let name = scope.text(name);
    if !scope.is_same(made_by, function) || name.contains("::") {
        return leave_to(scope, 0);
    }
    begin(vu, &name);
    let result = scope.call(callback, &[]);
    // One that is interrupted is left from outside.
    if !matches!(result, Err(Throw::Stop)) {
        finish(vu);
    }
    result
}

/// As [`enter`] with the feature `async-metric-context`: the group, for [`close`] and [`end`].
///
/// # Errors
/// Never.
pub fn open(vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    let (outside, path) = paths(vu, &args.string(0));
    let before = vu.contexts.capture();
    vu.set_group(path);
    let (entry, is_in_work) = (vu.contexts.capture(), vu.contexts.is_working());
    let contexts = Some(GroupContexts { outside: before, entry, is_in_work, has_ended: Cell::new(false) });
    let group = Rc::new(Group { outside, began: Instant::now(), contexts });
    vu.module_state::<GroupStack>().0.borrow_mut().push(group.clone());
    Ok(Value::Resource(group))
}

/// `(group, ended)`: the callback has returned or thrown; what it changed ends with it.
///
/// # Errors
/// When it is given something else.
pub fn close(vu: &VuContext, args: Args) -> Result<Value, Throw> {
    let group = args.resource::<Group>(0)?;
    vu.module_state::<GroupStack>().0.borrow_mut().pop();
    if let Some(contexts) = &group.contexts {
        vu.contexts.swap(contexts.outside.clone());
    }
    if args.bool(1) {
        group.record(vu);
    }
    Ok(Value::Undefined)
}

/// `(group)`: what the callback returned is settled.
///
/// # Errors
/// As [`close`].
pub fn end(vu: &VuContext, args: Args) -> Result<Value, Throw> {
    args.resource::<Group>(0)?.record(vu);
    Ok(Value::Undefined)
}

/// Leaves the groups an iteration was in when it was ended from outside. They have a duration if the script ended them
/// itself, by `test.abort()`; groups that were interrupted have none.
pub fn leave_all(vu: &VuContext, was_script: bool) {
    let groups = vu.module_state::<GroupStack>().0.take();
    for group in groups.into_iter().rev() {
        if was_script {
            group.record(vu);
        }
        match &group.contexts {
            None => vu.set_group(group.outside.clone()),
            Some(contexts) if contexts.is_in_work => {}
            Some(contexts) => {
                vu.contexts.swap(contexts.outside.clone());
            }
        }
    }
}

impl Group {
    /// Writes its duration down, once.
    fn record(&self, vu: &VuContext) {
        let value = millis(self.began.elapsed().as_nanos() as u64);
        let Some(GroupContexts { entry, has_ended, .. }) = &self.contexts else {
            return vu.sample(builtin::GROUP_DURATION, value, vu.tags());
        };
        if !has_ended.replace(true) {
            let (tags, metadata) = (entry.tags.clone(), entry.metadata.clone());
            vu.record(Record::Sample { time: vu.now(), metric: builtin::GROUP_DURATION, value, tags, metadata });
        }
    }
}

//! `k6/data`: which VU builds a `SharedArray`, and where the others find it.
//!
//! One VU of the process builds at a time. A VU that asks meanwhile waits, and then finds the array or is the next to try.

use std::cell::RefCell;
use std::sync::Arc;

use tokio::sync::OwnedMutexGuard;

use super::super::Op;
use super::super::volley::shared_array::{Arrays, Builder, handle};
use crate::js::runtime::VuContext;
use crate::js::value::{Args, Throw, Value};

/// The native half.
pub const OPS: &[(&str, Op)] = &[("claim", claim), ("add", add), ("keep", keep), ("letGo", let_go)];

/// What this VU is building, the innermost last: a function that makes an array may ask for another one.
#[derive(Default)]
struct Building(RefCell<Vec<(String, Builder)>>, RefCell<Option<OwnedMutexGuard<()>>>);

/// `(name, kind of the function)` -> the array; `undefined` if it is up to this VU to build it.
fn claim(vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    if !vu.is_init() {
        return Err(Throw::go("new SharedArray must be called in the init context"));
    }
    let (name, kind) = (args.string(0), args.string(1));
    if name.is_empty() {
        return Err(Throw::go("empty name provided to SharedArray's constructor"));
    }
    if kind == "async" {
        return Err(Throw::go("SharedArray constructor does not support async functions as second argument"));
    }
    if kind != "function" {
        return Err(Throw::go("a function is expected as the second argument of SharedArray's constructor"));
    }
    let arrays = vu.script.module_state::<Arrays>();
    if let Some(array) = arrays.named(&name) {
        return Ok(handle(array));
    }
    let building = vu.module_state::<Building>();
    if building.0.borrow().iter().any(|(known, _)| *known == name) {
        return Err(Throw::go(format!("the SharedArray {name:?} can't be made out of itself")));
    }
    if building.1.borrow().is_none() {
        let guard = match arrays.building.clone().try_lock_owned() {
            Ok(guard) => guard,
            Err(_) => vu.wait(arrays.building.clone().lock_owned())?,
        };
        if let Some(array) = arrays.named(&name) {
            return Ok(handle(array));
        }
        building.1.replace(Some(guard));
    }
    building.0.borrow_mut().push((name, Builder::default()));
    Ok(Value::Undefined)
}

/// `(text)`: the next element, as JSON.
fn add(vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    let text = args.string(0);
    if let Some((_, builder)) = vu.module_state::<Building>().0.borrow_mut().last_mut() {
        builder.push(|out| out.extend_from_slice(text.as_bytes()));
    }
    Ok(Value::Undefined)
}

/// The array is complete -> the array.
fn keep(vu: &VuContext, _args: Args) -> Result<Value, Throw> {
    let building = vu.module_state::<Building>();
    let Some((name, builder)) = building.0.borrow_mut().pop() else { return Ok(Value::Undefined) };
    let array = Arc::new(builder.finish());
    vu.script.module_state::<Arrays>().name(name, array.clone());
    release(&building);
    Ok(handle(array))
}

/// The function threw, so there is no array.
fn let_go(vu: &VuContext, _args: Args) -> Result<Value, Throw> {
    let building = vu.module_state::<Building>();
    building.0.borrow_mut().pop();
    release(&building);
    Ok(Value::Undefined)
}

fn release(building: &Building) {
    if building.0.borrow().is_empty() {
        building.1.take();
    }
}

/// Lets others build, after a turn that was ended from outside: no code of the script's ran.
pub fn abandon(vu: &VuContext) {
    let Some(building) = vu.existing_module_state::<Building>() else { return };
    building.0.take();
    building.1.take();
}

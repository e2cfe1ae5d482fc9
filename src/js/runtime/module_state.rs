//! State of modules, by its type: what one keeps for a VU, and what it keeps once for all VUs of a run.

use std::any::{Any, TypeId};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{Arc, Mutex};

use rustc_hash::FxHashMap;

use crate::units::sync::lock;

/// What modules keep for one VU.
#[derive(Default)]
pub struct VuModuleState(RefCell<FxHashMap<TypeId, Rc<dyn Any>>>);

impl VuModuleState {
    /// The state of type `T`, made when it is first asked for.
    pub fn get<T: Default + 'static>(&self) -> Rc<T> {
        let mut states = self.0.borrow_mut();
        let state = states.entry(TypeId::of::<T>()).or_insert_with(|| Rc::new(T::default())).clone();
        state.downcast().unwrap_or_else(|_| unreachable!("states are kept by their type"))
    }

    /// The state of type `T`, if it was asked for before.
    pub fn existing<T: 'static>(&self) -> Option<Rc<T>> {
        self.0.borrow().get(&TypeId::of::<T>())?.clone().downcast().ok()
    }
}

/// What modules keep for all VUs of a run.
#[derive(Default)]
pub struct SharedModuleState(Mutex<FxHashMap<TypeId, Arc<dyn Any + Send + Sync>>>);

impl SharedModuleState {
    /// The state of type `T`, made when it is first asked for.
    pub fn get<T: Default + Send + Sync + 'static>(&self) -> Arc<T> {
        let mut states = lock(&self.0);
        let state = states.entry(TypeId::of::<T>()).or_insert_with(|| Arc::new(T::default())).clone();
        state.downcast().unwrap_or_else(|_| unreachable!("states are kept by their type"))
    }
}

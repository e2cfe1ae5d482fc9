//! The modules of the k6 API as everything below them sees them: one table, `modules::TABLE`, which a run is given.

use futures_util::future::LocalBoxFuture;

use super::VuContext;
use crate::js::engine::Realm;
use crate::js::engine::direct::{Local, Scope};
use crate::js::value::{Args, Throw, Value};

/// A native function.
pub type Op = fn(&VuContext, Args) -> Result<Value, Throw>;

/// A native function that works on the values of the script themselves.
pub type DirectOp = fn(&VuContext, &mut dyn Scope) -> Result<Local, Throw>;

/// Such functions by their specifiers, and by their names, with which `bind` of `native:engine` makes functions of them.
pub type DirectOps = &'static [(&'static str, &'static [(&'static str, DirectOp)])];

/// One module.
pub struct BuiltinModule {
    /// What a script writes in `import`.
    pub specifier: &'static str,
    /// The JavaScript half.
    pub source: &'static str,
    /// The native half: `import { name } from 'native:<specifier>'`.
    pub ops: &'static [(&'static str, Op)],
}

/// All modules, and what they have to do with the life of a VU.
pub struct ModuleTable {
    /// The living modules.
    pub modules: &'static [BuiltinModule],
    /// Expressions that are evaluated when a script first needs them: their addresses, `lazy:NAME`, and their texts.
    pub lazy_scripts: &'static [(&'static str, &'static str)],
    /// Names k6 once had, and what it says about each now.
    pub removed: &'static [(&'static str, &'static str)],
    /// The native functions of all modules in one row; a function's place in it is what engines call it by.
    pub ops: &'static [Op],
    /// The direct ones.
    pub direct_ops: DirectOps,
    /// What modules do at the turning points of a VU's life.
    pub hooks: Hooks,
}

/// What modules do at the turning points of a VU's life.
pub struct Hooks {
    /// A realm is new: its global scope is made.
    pub realm_made: RealmHook,
    /// Before a VU's first call in a scenario: from now on there are iterations.
    pub activated: RealmHook,
    /// A timer is due: its callback is called.
    pub timer_due: fn(&dyn Realm, &VuContext, u32) -> Result<(), Throw>,
    /// A turn threw or was stopped: nothing more of it will run.
    pub turn_abandoned: &'static [fn(&VuContext)],
    /// `setup()`, `teardown()` or an iteration is about to begin.
    pub iteration_begins: &'static [fn(&VuContext)],
    /// The function of an iteration has ended. False if it was interrupted from outside.
    pub function_ended: &'static [fn(&VuContext, bool)],
    /// Before setup, teardown or an iteration is counted: what is still open is closed.
    pub close_open: &'static [CloseHook],
    /// An iteration was counted.
    pub iteration_counted: &'static [fn(&VuContext)],
}

/// A hook that changes the JavaScript world of a VU.
pub type RealmHook = fn(&dyn Realm, &VuContext) -> Result<(), Throw>;

/// A hook that may have to wait; `None` if there is nothing to wait for.
pub type CloseHook = for<'v> fn(&'v VuContext) -> Option<LocalBoxFuture<'v, ()>>;

impl ModuleTable {
    /// The module a specifier names.
    pub fn find(&self, specifier: &str) -> Option<&'static BuiltinModule> {
        self.modules.iter().find(|module| module.specifier == specifier)
    }

    /// The lazy script at an address, which is `lazy:NAME`, and its text.
    pub fn lazy_script(&self, address: &str) -> Option<(&'static str, &'static str)> {
        self.lazy_scripts.iter().find(|(known, _)| *known == address).copied()
    }

    /// What k6 says about a module it once had.
    pub fn removal(&self, specifier: &str) -> Option<&'static str> {
        self.removed.iter().find(|(name, _)| *name == specifier).map(|(_, text)| *text)
    }

    /// True if neither there is a module of this name, nor k6 ever had one.
    pub fn is_unknown(&self, specifier: &str) -> bool {
        self.find(specifier).is_none() && self.removal(specifier).is_none()
    }

    /// The place of a direct function of a module.
    pub fn direct(&self, specifier: &str, name: &str) -> Option<usize> {
        let module = self.direct_ops.iter().position(|(known, _)| *known == specifier)?;
        let at = self.direct_ops[module].1.iter().position(|(known, _)| *known == name)?;
        Some(module * Self::DIRECT_OPS + at)
    }

    /// The direct function at a place.
    pub fn direct_op(&self, place: usize) -> Option<DirectOp> {
        let (_, ops) = self.direct_ops.get(place / Self::DIRECT_OPS)?;
        ops.get(place % Self::DIRECT_OPS).map(|(_, op)| *op)
    }

    /// A module has fewer.
    const DIRECT_OPS: usize = 64;

    /// The native half of a module: names and places.
    pub fn native(&self, specifier: &str) -> Option<Vec<(&'static str, usize)>> {
        let at = self.modules.iter().position(|module| module.specifier == specifier)?;
        let first: usize = self.modules[..at].iter().map(|module| module.ops.len()).sum();
        Some(self.modules[at].ops.iter().enumerate().map(|(at, (name, _))| (*name, first + at)).collect())
    }
}

/// The number of native functions of all modules.
pub const fn count_ops(modules: &[BuiltinModule]) -> usize {
    let (mut count, mut at) = (0, 0);
    while at < modules.len() {
        count += modules[at].ops.len();
        at += 1;
    }
    count
}

/// The native functions of all modules in one row; there are `N`, see [`count_ops`].
pub const fn row_of_ops<const N: usize>(modules: &[BuiltinModule]) -> [Op; N] {
    let mut row: [Op; N] = [|_, _| Ok(Value::Undefined); N];
    let (mut place, mut module) = (0, 0);
    while module < modules.len() {
        let mut at = 0;
        while at < modules[module].ops.len() {
            row[place] = modules[module].ops[at].1;
            place += 1;
            at += 1;
        }
        module += 1;
    }
    row
}

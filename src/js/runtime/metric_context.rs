//! What the samples of a VU carry, and how that follows work that goes on later.
//!
//! With the feature `async-metric-context` a piece of asynchronous work runs under the context it was registered in, and what
//! it changes ends with it. The event loop says when work begins and ends; whoever registers work captures and swaps. Without
//! the feature there is one context per VU, which is changed and never exchanged.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use crate::metrics::{SampleMetadata, TagSet};

/// What samples carry at one moment.
#[derive(Clone)]
pub struct MetricContext {
    /// Tags, the group's among them where that system tag is on.
    pub tags: Arc<TagSet>,
    /// Metadata, sorted by name.
    pub metadata: Option<SampleMetadata>,
    /// The path of the group: empty at the root, else `::a::b`.
    pub group: Rc<str>,
}

/// The contexts of one VU: the one in force, and the one to go back to.
pub struct MetricContexts {
    current: RefCell<Rc<MetricContext>>,
    /// What is in force between two pieces of asynchronous work; none while the call runs that a turn begins with.
    between: RefCell<Option<Rc<MetricContext>>>,
    /// The job that ends has set the context of the one behind it.
    is_for_next_job: Cell<bool>,
}

impl MetricContexts {
    /// Those of a new VU.
    pub fn new(tags: Arc<TagSet>) -> Self {
        let first = MetricContext { tags, metadata: None, group: "".into() };
        Self { current: RefCell::new(Rc::new(first)), between: RefCell::default(), is_for_next_job: Cell::new(false) }
    }

    /// The context in force, to keep: later changes don't show in it.
    pub fn capture(&self) -> Rc<MetricContext> {
        self.current.borrow().clone()
    }

    /// Puts another one in force; the one that was.
    pub fn swap(&self, context: Rc<MetricContext>) -> Rc<MetricContext> {
        self.current.replace(context)
    }

    /// Changes the one in force, and none that was captured.
    pub fn change(&self, change: impl FnOnce(&mut MetricContext)) {
        change(Rc::make_mut(&mut self.current.borrow_mut()));
    }

    /// Puts one in force for the job behind the one that runs.
    pub fn set_for_next_job(&self, context: Rc<MetricContext>) {
        self.swap(context);
        self.is_for_next_job.set(true);
    }

    /// From now on asynchronous work runs, and between its pieces what is in force now.
    pub fn begin_work(&self) {
        let current = self.capture();
        *self.between.borrow_mut() = Some(current);
    }

    /// A piece of asynchronous work has ended.
    pub fn end_piece(&self) {
        if self.is_for_next_job.take() {
            return;
        }
        if let Some(between) = &*self.between.borrow()
            && !Rc::ptr_eq(between, &self.current.borrow())
        {
            self.swap(between.clone());
        }
    }

    /// No more asynchronous work runs, whichever way the last piece ended.
    pub fn end_work(&self) {
        self.is_for_next_job.set(false);
        let between = self.between.take();
        if let Some(between) = between {
            self.swap(between);
        }
    }

    /// True while asynchronous work runs.
    pub fn is_working(&self) -> bool {
        self.between.borrow().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Interner;

    #[test]
    fn what_work_changes_ends_with_it() {
        let contexts = MetricContexts::new(Interner::default().set([]));
        let group = || contexts.capture().group.to_string();
        let enter = |path: &str| contexts.change(|context| context.group = path.into());
        enter("::call");
        let captured = contexts.capture();
        enter("::later");
        contexts.begin_work();
        contexts.swap(captured.clone());
        enter("::changed");
        assert_eq!((group(), &*captured.group), ("::changed".to_owned(), "::call"));
        contexts.end_piece();
        assert_eq!(group(), "::later");
        contexts.set_for_next_job(captured);
        contexts.end_piece();
        assert_eq!(group(), "::call");
        contexts.end_piece();
        assert_eq!(group(), "::later");
        enter("::interrupted");
        contexts.end_work();
        assert_eq!((group(), contexts.is_working()), ("::later".to_owned(), false));
    }
}

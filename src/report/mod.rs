//! The page of a run: live while it goes on, and the same page as one file that needs no network.
//!
//! A page is a function of one JSON document (`summary/README.md` tells its shape); nothing here measures, judges or
//! rounds. What the page looks like is in `page/`, written by hand: no framework, nothing loaded from elsewhere.

pub mod page;
pub mod server;
pub mod settings;

pub use page::{PageMode, page};
pub use server::Dashboard;
pub use settings::DashboardSettings;

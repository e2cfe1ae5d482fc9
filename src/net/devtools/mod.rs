//! Browsers over the Chrome DevTools protocol: the process, the WebSocket to it, and what of its messages is read.
//!
//! One connection serves many VUs. Of a message only its head is read (`id`, `method`, `sessionId`): a reply goes as text to who
//! sent the command, an event to who subscribed to it in that session, everything else is dropped. What requests and pages are
//! measured by is read here too ([`traffic`]).

mod connection;
mod endpoint;
mod inbox;
mod message;
mod message_log;
pub mod process;
pub mod traffic;

pub use connection::{DevtoolsConnection, Subscription};
pub use inbox::{Inbox, InboxItem};
pub use message_log::MessageLog;
pub use traffic::{PageVital, RequestEnd, RequestFacts, TrafficEvent};

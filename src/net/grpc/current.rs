//! The connection of a channel as both of its halves see it, and which of their threads drives it.
//!
//! The network thread opens it. While no call is under way there, it belongs to the thread of the script, which makes short calls
//! without a hand-over between two threads.

use std::sync::Mutex;

use tokio::sync::Notify;

use super::connection::GrpcConnection;
use crate::net::arrival;
use crate::units::sync::lock;

/// The present connection of a channel.
#[derive(Debug)]
pub(super) struct CurrentConnection {
    connection: Mutex<Option<GrpcConnection>>,
    /// The script's thread takes it when the network thread leaves it.
    is_wanted: bool,
    left: Notify,
}

impl CurrentConnection {
    /// None yet. `is_wanted` says that the script's thread [takes](Self::take_over) it.
    pub fn new(is_wanted: bool) -> Self {
        Self { connection: Mutex::default(), is_wanted, left: Notify::new() }
    }

    /// The connection, unless it has ended.
    pub fn get(&self) -> Option<GrpcConnection> {
        lock(&self.connection).clone().filter(|connection| !connection.is_over())
    }

    /// Replaces it.
    pub fn set(&self, connection: Option<GrpcConnection>) {
        *lock(&self.connection) = connection;
    }

    /// The connection, if this thread drives it and nothing is known against it.
    pub fn here(&self) -> Option<GrpcConnection> {
        self.get().filter(|connection| connection.driver.is_here() && !connection.driver.is_closed())
    }

    /// Reads and writes what can be, where this thread drives it.
    pub fn drive(&self) {
        if let Some(connection) = &*lock(&self.connection) {
            connection.driver.drive();
        }
    }

    /// A call of the network thread is under way: that drives it from now on.
    pub fn call_there(&self) {
        if let Some(connection) = &*lock(&self.connection) {
            connection.driver.release();
        }
    }

    /// Has this thread drive it, if no thread does.
    pub fn adopt(&self) {
        if let Some(connection) = &*lock(&self.connection) {
            connection.driver.adopt();
        }
    }

    /// Nothing is under way on the network thread: the script's may drive it, if it knows when bytes arrived.
    pub fn leave(&self) {
        if self.is_wanted && arrival::is_stamped() {
            self.call_there();
            self.left.notify_one();
        }
    }

    /// Has this thread drive it whenever the network thread leaves it.
    pub async fn take_over(&self) {
        loop {
            self.left.notified().await;
            self.adopt();
        }
    }
}

//! A call with one message each way, on whichever thread makes it.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::pin;
use std::task::Poll;
use std::time::Instant;

use bytes::Bytes;

use super::call::{self, Call, CallOutcome, ResponseProgress, StartedCall};
use super::config::ChannelConfig;
use super::connection::GrpcConnection;
use super::frames::frame;
use super::status::{GrpcCode, GrpcStatus};

/// A message of at most this many bytes, one frame of HTTP/2, is handed over with the head of its call.
pub(super) const SHORT_MESSAGE: usize = 16 << 10;

/// A call until it has its outcome, and what is known of it.
pub(super) struct Unary {
    pub call: Call,
    pub message: Bytes,
    began: Instant,
    deadline: Option<Instant>,
    seen: ResponseProgress,
    received: Option<Bytes>,
    /// It may be made once more where the server says that it has not processed it.
    may_repeat: bool,
    /// When what ended it arrived, where a byte said so.
    arrived: Option<Instant>,
    remote: Option<SocketAddr>,
}

impl Unary {
    /// A call that was asked for at `began`.
    pub fn new(call: Call, message: Bytes, began: Instant) -> Self {
        let deadline = call.timeout.map(|timeout| began + timeout);
        let seen = ResponseProgress::default();
        Self { call, message, began, deadline, seen, received: None, may_repeat: true, arrived: None, remote: None }
    }

    /// When the call was asked for.
    pub fn began(&self) -> Instant {
        self.began
    }

    /// When it must have ended.
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// The message as it is sent.
    ///
    /// # Errors
    /// It is too long.
    pub fn framed(&self, config: &ChannelConfig) -> Result<Bytes, GrpcStatus> {
        frame(&self.message, config.max_send)
    }

    /// Sends the message of a call whose head is on its way, and reads the response.
    ///
    /// # Errors
    /// What the call ends with, unless the server says so itself.
    pub async fn exchange(
        &mut self,
        connection: &GrpcConnection,
        started: StartedCall,
        framed: &Bytes,
        config: &ChannelConfig,
    ) -> Result<GrpcStatus, GrpcStatus> {
        self.remote = Some(connection.remote);
        let driver = &connection.driver;
        let received = &mut self.received;
        let take = async |message: Bytes| match received.replace(message) {
            None => Ok(()),
            Some(_) => {
                let text = "cardinality violation: expected <EOF> for non server-streaming RPCs, but received \
                            another message";
                Err(GrpcStatus::new(GrpcCode::INTERNAL, text))
            }
        };
        // Dropped after the streams.
        let mut in_flight = started.in_flight;
        let (mut upload, response) = (started.upload, started.response);
        // Handed over before the head has left, a short message leaves in the same write; it still waits for its window.
        let is_short = framed.len() <= SHORT_MESSAGE;
        if is_short {
            _ = driver.before_sending(|| upload.send_data(framed.clone(), true));
        }
        driver.drive();
        let upload = async {
            // A server may respond without reading everything; only the response counts.
            if !is_short {
                _ = call::send(&mut upload, framed.clone(), true).await;
            }
            std::future::pending::<()>().await;
        };
        let response = call::read(connection, response, config.max_receive, &mut self.seen, take);
        let status = tokio::select! {
            biased;
            status = response => status,
            () = upload => Err(GrpcStatus::canceled()),
        };
        self.arrived = if self.seen.is_lost { driver.ended() } else { Some(in_flight.arrivals().last) };
        if is_short && status.is_ok() {
            in_flight.ends();
        }
        status
    }

    /// True when the server said that it has not processed the call, which is to be made again then, once.
    pub fn repeats(&mut self) -> bool {
        let repeats = std::mem::take(&mut self.seen.is_untouched) && std::mem::take(&mut self.may_repeat);
        if repeats {
            (self.seen.is_lost, self.arrived) = (false, None);
        }
        repeats
    }

    /// What came of it.
    pub fn outcome(mut self, status: GrpcStatus) -> CallOutcome {
        let is_late = matches!((self.arrived, self.deadline), (Some(arrived), Some(deadline)) if arrived > deadline);
        let status = match status {
            // What arrived after the limit, though it is found before that is noticed.
            _ if is_late => {
                self.arrived = self.deadline;
                self.received = None;
                GrpcStatus::deadline()
            }
            status if status.is_ok() && self.received.is_none() => {
                let text = "cardinality violation: received no response message from non-server-streaming RPC";
                GrpcStatus::new(GrpcCode::INTERNAL, text)
            }
            status => status,
        };
        let mut outcome = CallOutcome::new(self.began, status);
        if let Some(arrived) = self.arrived {
            outcome.end_at(arrived);
        }
        let ResponseProgress { headers, trailers, .. } = self.seen;
        (outcome.headers, outcome.trailers, outcome.message, outcome.remote) =
            (headers, trailers, self.received, self.remote);
        outcome
    }

    /// Its time is up.
    pub fn time_out(mut self) -> CallOutcome {
        self.arrived = self.deadline;
        self.outcome(GrpcStatus::deadline())
    }
}

/// Waits for `exchange` until `deadline`, `None` when that has passed; for ever without one. Before it gives up, `drive` has what has
/// arrived by then read: a timer of this thread may fire first.
pub(super) async fn until<T>(
    deadline: Option<Instant>,
    drive: impl Fn(),
    exchange: impl Future<Output = T>,
) -> Option<T> {
    let Some(deadline) = deadline else { return Some(exchange.await) };
    let (mut exchange, mut due) = (pin!(exchange), pin!(tokio::time::sleep_until(deadline.into())));
    poll_fn(|cx| {
        if Instant::now() >= deadline {
            drive();
        }
        match exchange.as_mut().poll(cx) {
            Poll::Ready(result) => Poll::Ready(Some(result)),
            Poll::Pending => due.as_mut().poll(cx).map(|()| None),
        }
    })
    .await
}

//! Where the time of a request goes: the one place where it is measured, and the table of what every part is in every
//! ending.
//!
//! [`HopTimer`] is a state machine of phases that follow each other without a gap. A duration comes out of it only by
//! [`HopTimer::end`], which closes the phase under way: a phase that began and did not end can't read as zero.

use std::time::{Duration, Instant};

/// Where the time of a hop went. A hop is one request on the wire: a redirect, each leg of an authentication, each
/// request of a batch and each asynchronous request are hops of their own with times of their own.
///
/// | a hop that ends with          | `blocked`, `connecting`, `tls_handshaking` | `sending`        | `waiting`         | `receiving`      |
/// |-------------------------------|--------------------------------------------|------------------|-------------------|------------------|
/// | a response                    | what the connection cost, 0 for a kept one | all of it        | to the first byte | to the last byte |
/// | anything in the body or head: timeout, reset, EOF, bad chunk, protocol error | the same  | all of it | to the first byte | from the first byte to the end |
/// | anything before the first byte: timeout, reset, EOF, stream reset, GOAWAY | the same     | all of it | to the end        | 0                |
/// | anything while it is written  | the same                                   | to the end       | 0                 | 0                |
/// | the same, after the response began | the same                                | to the first byte | 0                | from there to the end |
/// | refused, unreachable, a blocked name, DNS, a connection that times out | 0     | 0                | 0                 | 0                |
/// | a TLS handshake that fails or times out, a proxy that refuses or keeps silent | `connecting` of the TCP connection, else 0 | 0 | 0 | 0  |
///
/// - `duration` is `sending + waiting + receiving`: everything since the connection was there. A connection that never
///   came has no duration, as in k6: how long it was waited for stands in `iteration_duration`, why in `error_code`.
/// - "The end" of a timeout is the moment of the limit, not when a busy thread noticed; that of a response, of its last
///   byte and of what is wrong with it is when the kernel had it (`net/arrival.rs`); that of a reset is when it was
///   noticed, at most some milliseconds later (`net/stand_in.rs`); that of all others is when they were noticed.
/// - What arrives after the limit is a timeout, also where a busy thread finds it before it notices that.
/// - HTTPS and HTTP/1.1 are the same table. On HTTP/2 `sending` ends when the last frame of the request is handed over,
///   which waits for the server's window, and the first byte is the head of the response. A request on a connection that
///   others share has neither `connecting` nor `tls_handshaking`.
/// - A server that responds while the request is still written ends `waiting` at 0; `receiving` begins when the writing
///   ended. Where it was faster than the system call that wrote, the request had left when that call began.
/// - A hop that is tried again (a kept connection turned out to be closed, a refused HTTP/2 stream) is one hop: the time
///   that the attempts without a response took is part of `waiting`; `blocked` is that of the last attempt, the pauses
///   in between belong to nothing.
/// - A hop that the end of its iteration cuts off leaves no times at all, as in k6; hops that had ended leave theirs.
///
/// The other times of a run, each beside the code that takes it:
///
/// | metric                | from                        | to                                       | in other endings |
/// |-----------------------|-----------------------------|------------------------------------------|------------------|
/// | `grpc_req_duration`   | the call was made           | the status arrived                       | a timeout: the limit; a lost connection, a local error: when it was noticed; interrupted: none |
/// | `ws_connecting`       | the connection was asked for | the handshake's response arrived          | without a response: when it failed; interrupted: none |
/// | `ws_session_duration` | the connection was asked for | the close arrived, `k6/ws`: was handled | a lost connection: when it was noticed; interrupted: the end of the iteration; never connected: none, `k6/ws`: until it failed |
/// | `ws_ping`             | the ping was written        | its pong arrived                         | no pong: none |
/// | `redis_duration` and the like of `k6/x` | the work was asked for | it was done | it failed: when that was noticed; interrupted: none, unless it was done already |
/// | `group_duration`      | the group was entered       | its function returned or threw           | `test.abort()`: then; interrupted: none |
/// | `iteration_duration`  | its function was called     | nothing is left to do, or it threw       | `test.abort()`: then; interrupted: none |
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timings {
    /// From asking for a connection until getting it: lookup, connect and handshake of a new one included.
    pub blocked: Duration,
    /// Opening the TCP connection.
    pub connecting: Duration,
    /// The TLS handshake, until the certificate was accepted: fetches of `tlsAIAFetch` that it waited for are a part of it.
    pub tls_handshaking: Duration,
    /// Writing the request.
    pub sending: Duration,
    /// Waiting for the first byte.
    pub waiting: Duration,
    /// Reading the response.
    pub receiving: Duration,
}

impl Timings {
    /// k6's `duration`: sending, waiting and receiving.
    pub fn duration(&self) -> Duration {
        self.sending + self.waiting + self.receiving
    }
}

/// The stopwatch of the hop under way.
#[derive(Clone, Debug)]
pub struct HopTimer {
    started: Instant,
    /// When the present attempt began.
    attempt: Instant,
    phase: Phase,
    connecting: Duration,
    tls_handshaking: Duration,
    /// What earlier attempts took that got no response.
    lost: Duration,
    /// The hop ended then, whenever that is noticed.
    over: Option<Instant>,
    /// It can't last longer than until then.
    deadline: Option<Instant>,
}

/// What a hop is doing. Each phase knows what the ones before it took.
#[derive(Clone, Copy, Debug)]
enum Phase {
    /// It asks for a connection.
    Connecting,
    /// It writes the request; `handed` is when the last part was given to the kernel.
    Sending { got: Instant, handed: Instant, first_byte: Option<Instant> },
    /// It has written the request.
    Waiting { got: Instant, handed: Instant, sent: Instant },
    /// The response has begun.
    Receiving { got: Instant, sending: Duration, waiting: Duration, since: Instant },
}

impl HopTimer {
    /// A hop begins: it asks for a connection. It can't last longer than until `deadline`.
    pub fn start(now: Instant, deadline: Option<Instant>) -> Self {
        Self {
            started: now,
            attempt: now,
            phase: Phase::Connecting,
            connecting: Duration::ZERO,
            tls_handshaking: Duration::ZERO,
            lost: Duration::ZERO,
            over: None,
            deadline,
        }
    }

    /// The next hop of the same request begins.
    pub fn next(&mut self, now: Instant) {
        *self = Self::start(now, self.deadline);
    }

    /// The same hop is tried again; what the attempt took that ends here is not forgotten.
    pub fn retry(&mut self, now: Instant) {
        let (timings, _) = self.end(|| now);
        let (started, lost) = (self.started, timings.duration());
        *self = Self { started, lost, ..Self::start(now, self.deadline) };
    }

    /// The attempt asks for its connection now, after a pause.
    pub fn ask(&mut self, now: Instant) {
        self.attempt = now;
    }

    /// True when `at` is later than the hop can last.
    pub fn is_past(&self, at: Instant) -> bool {
        self.deadline.is_some_and(|deadline| at > deadline)
    }

    /// When the hop began.
    pub fn started(&self) -> Instant {
        self.started
    }

    /// A TCP connection was opened for it.
    pub fn connected(&mut self, took: Duration) {
        self.connecting = took;
    }

    /// A TLS handshake was made for it.
    pub fn handshaken(&mut self, took: Duration) {
        self.tls_handshaking = took;
    }

    /// It has a connection, and begins to write.
    pub fn got(&mut self, now: Instant) {
        self.phase = Phase::Sending { got: now, handed: now, first_byte: None };
    }

    /// A part of the request is given to the kernel.
    pub fn handing_over(&mut self, now: Instant) {
        if let Phase::Sending { handed, .. } = &mut self.phase {
            *handed = now;
        }
    }

    /// The request is written, or can't be written any further.
    pub fn sent(&mut self, now: Instant) {
        let Phase::Sending { got, handed, first_byte } = self.phase else { return };
        self.phase = Phase::Waiting { got, handed, sent: now };
        if let Some(at) = first_byte {
            self.first_byte(at);
        }
    }

    /// Bytes of the response arrived at `at`; the first of them count.
    pub fn first_byte(&mut self, at: Instant) {
        match &mut self.phase {
            Phase::Sending { first_byte, .. } => _ = first_byte.get_or_insert(at),
            Phase::Waiting { got, handed, sent } => {
                let got = *got;
                // A server may be faster than the system call that wrote: the request had left when that began.
                let sent = if at < *sent { got.max(*handed) } else { *sent };
                self.phase = Phase::Receiving {
                    got,
                    sending: sent.saturating_duration_since(got),
                    waiting: at.saturating_duration_since(sent),
                    // A server that responds before it has read everything was not waited for.
                    since: at.max(sent),
                };
            }
            Phase::Connecting | Phase::Receiving { .. } => {}
        }
    }

    /// Whatever is noticed later, the hop was over at `at`: its last byte arrived, or writing failed.
    pub fn over(&mut self, at: Instant) {
        self.over = Some(at);
    }

    /// As [`over`](Self::over), unless that was before the hop had its connection: what was noticed then has no time of its own.
    pub fn over_since_got(&mut self, at: Instant) {
        let (Phase::Sending { got, .. } | Phase::Waiting { got, .. } | Phase::Receiving { got, .. }) = self.phase
        else {
            return;
        };
        if at >= got {
            self.over(at);
        }
    }

    /// The hop is over: where its time went, and when it ended. The phase under way is closed. What time it is `now` is asked for
    /// only where nothing has said yet when the hop was over.
    pub fn end(&self, now: impl FnOnce() -> Instant) -> (Timings, Instant) {
        let at = self.over.unwrap_or_else(|| {
            let now = now();
            self.deadline.map_or(now, |deadline| now.min(deadline))
        });
        let between = |from: Instant, to: Instant| to.saturating_duration_since(from);
        let zero = Duration::ZERO;
        let (got, sending, waiting, receiving) = match self.phase {
            // What never came about took no time, as in k6.
            Phase::Connecting => (self.attempt, zero, zero, zero),
            Phase::Sending { got, first_byte: None, .. } => (got, between(got, at), zero, zero),
            Phase::Sending { got, first_byte: Some(first), .. } => (got, between(got, first), zero, between(first, at)),
            Phase::Waiting { got, sent, .. } => (got, between(got, sent.min(at)), between(sent, at), zero),
            Phase::Receiving { got, sending, waiting, since } => (got, sending, waiting, between(since, at)),
        };
        let timings = Timings {
            blocked: between(self.attempt, got),
            connecting: self.connecting,
            tls_handshaking: self.tls_handshaking,
            sending,
            waiting: waiting + self.lost,
            receiving,
        };
        (timings, at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What happens to a hop, each at a millisecond.
    #[derive(Clone, Copy)]
    enum Step {
        Connected(u64),
        Handshaken(u64),
        Got(u64),
        Hands(u64),
        Sent(u64),
        Byte(u64),
        Over(u64),
        Retry(u64),
        Ask(u64),
        Next(u64),
    }
    use Step::*;

    /// Runs `steps`, ends the hop at `end`, and compares `[blocked, connecting, tls, sending, waiting, receiving]`.
    fn check(name: &str, steps: &[Step], end: u64, expect: [u64; 6]) {
        let zero = Instant::now();
        let at = |ms: u64| zero + Duration::from_millis(ms);
        let mut timer = HopTimer::start(zero, Some(at(1000)));
        for step in steps {
            match *step {
                Connected(ms) => timer.connected(Duration::from_millis(ms)),
                Handshaken(ms) => timer.handshaken(Duration::from_millis(ms)),
                Got(ms) => timer.got(at(ms)),
                Hands(ms) => timer.handing_over(at(ms)),
                Sent(ms) => timer.sent(at(ms)),
                Byte(ms) => timer.first_byte(at(ms)),
                Over(ms) => timer.over(at(ms)),
                Retry(ms) => timer.retry(at(ms)),
                Ask(ms) => timer.ask(at(ms)),
                Next(ms) => timer.next(at(ms)),
            }
        }
        let (timings, _) = timer.end(|| at(end));
        let Timings { blocked, connecting, tls_handshaking, sending, waiting, receiving } = timings;
        let parts = [blocked, connecting, tls_handshaking, sending, waiting, receiving];
        assert_eq!(parts.map(|part| part.as_millis() as u64), expect, "{name}");
        assert_eq!(timings.duration(), sending + waiting + receiving, "{name}");
    }

    #[test]
    fn every_ending_has_its_times() {
        let on = [Connected(3), Handshaken(5), Got(10), Hands(10), Sent(12)];
        let and = |more: &[Step]| [&on, more].concat();
        check("answered", &and(&[Byte(50), Over(80)]), 95, [10, 3, 5, 2, 38, 30]);
        check("a kept connection", &[Got(0), Hands(0), Sent(1), Byte(9), Over(9)], 9, [0, 0, 0, 1, 8, 0]);
        check("no first byte: reset, EOF, stream reset", &on, 600, [10, 3, 5, 2, 588, 0]);
        check("no first byte until the limit, noticed late", &on, 1080, [10, 3, 5, 2, 988, 0]);
        check("cut off in the body", &and(&[Byte(50)]), 600, [10, 3, 5, 2, 38, 550]);
        check("the limit in the body", &and(&[Byte(50)]), 1005, [10, 3, 5, 2, 38, 950]);
        check("cut off while it was written", &[Got(10), Hands(400)], 600, [10, 0, 0, 590, 0, 0]);
        check("writing failed, no answer in the time given", &[Got(10), Hands(20), Sent(400), Over(400)], 450, {
            [10, 0, 0, 390, 0, 0]
        });
        check("an early answer to half a request", &[Got(10), Byte(100)], 600, [10, 0, 0, 90, 0, 500]);
        check("an early answer", &[Got(10), Hands(200), Byte(100), Sent(250), Over(300)], 300, [10, 0, 0, 190, 0, 100]);
        check("refused", &[], 600, [0; 6]);
        check("a handshake that failed", &[Connected(3)], 600, [0, 3, 0, 0, 0, 0]);
        let both = [Connected(3), Handshaken(4), Handshaken(5), Got(20), Hands(20), Sent(21), Byte(30), Over(31)];
        check("a tunnel through a proxy that speaks TLS", &both, 31, [20, 3, 5, 1, 9, 1]);
        check("a tunnel's handshake that failed", &[Connected(3), Handshaken(4)], 600, [0, 3, 4, 0, 0, 0]);
    }

    #[test]
    fn a_server_faster_than_the_system_call_was_not_waited_for_less_than_nothing() {
        check("faster", &[Got(0), Hands(5), Sent(9), Byte(7), Over(8)], 8, [0, 0, 0, 5, 2, 1]);
        check(
            "before the last part was written",
            &[Got(0), Hands(5), Sent(9), Byte(3), Over(8)],
            8,
            [0, 0, 0, 5, 0, 3],
        );
    }

    #[test]
    fn attempts_without_an_answer_are_not_forgotten() {
        let kept = [Got(0), Hands(0), Sent(1), Retry(401), Ask(401)];
        let and = |more: &[Step]| [&kept, more].concat();
        check(
            "answered at last",
            &and(&[Connected(2), Got(404), Hands(404), Sent(404), Byte(410), Over(410)]),
            410,
            [3, 2, 0, 0, 407, 0],
        );
        check("then refused", &kept, 500, [0, 0, 0, 0, 401, 0]);
        check("after a pause", &[Got(0), Sent(0), Retry(7), Ask(107), Got(109), Sent(109)], 209, [2, 0, 0, 0, 107, 0]);
        check("the next hop has its own", &and(&[Next(500), Got(500), Sent(500)]), 600, [0, 0, 0, 0, 100, 0]);
    }
}

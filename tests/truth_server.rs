//! A server that does to each request what a plan says, and writes down by its own clock when it did it.
//!
//! Every moment is taken twice, before and after the system call, so that what it says of a client holds whenever the
//! machine let either of them run: a byte left no earlier than `before` and no later than `after`.

use std::collections::HashMap;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::sleep;
use tokio_rustls::TlsAcceptor;

/// Where a request goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// HTTP/1.1.
    Plain,
    /// HTTP/1.1 over TLS; some handshakes begin late.
    Tls,
    /// HTTP/2 over TLS.
    H2,
    /// Accepts, and never shakes hands.
    Mute,
    /// Nobody listens there.
    Closed,
}

/// What is done to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Answered after the delay, in one piece.
    Answer,
    /// The first bytes of the status line after the delay, the rest after the pause.
    SlowHead,
    /// The head after the delay, then pieces of the body with pauses.
    Drip,
    /// The same in chunks.
    Chunks,
    /// The body ends where the connection does, a pause after its last byte.
    UntilClose,
    /// Answered by a redirect to the request of this number.
    Redirect(usize),
    /// Answered after the delay by what is no HTTP.
    Garbage,
    /// Reset after the delay.
    Reset,
    /// Hung up on after the delay.
    HangUp,
    /// Nothing.
    Silence,
    /// Half an answer after the delay, then after the pause the connection ends.
    HalfThenHangUp,
    /// The same, with a reset.
    HalfThenReset,
    /// Half an answer, then a chunk that is none.
    BadChunk,
    /// Half an answer, then nothing.
    HalfThenSilence,
    /// The body of the request is read only after the delay, then it is answered.
    SlowRead,
    /// The body of the request is not read.
    NeverReads,
    /// Hung up on after the delay the first time, answered the second.
    SecondTime,
}

/// One request to come.
#[derive(Clone, Copy, Debug)]
pub struct Planned {
    pub door: Door,
    pub deed: Deed,
    pub delay: Duration,
    pub pause: Duration,
    /// How many bytes or pieces an answer has.
    pub size: usize,
    /// How many bytes the request has.
    pub upload: usize,
    /// How long the client waits.
    pub limit: Duration,
}

/// When something happened: not before the first, not after the second.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    pub before: Instant,
    pub after: Instant,
}

/// What was done to one request on the wire.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// Its first bytes were read.
    pub read: Instant,
    /// The first byte of the answer left.
    pub begun: Option<Moment>,
    /// The last byte left, or the connection was ended.
    pub ended: Option<Moment>,
    /// It came first on a new connection.
    pub opened: Option<Opened>,
}

/// What the server saw.
#[derive(Debug, Default)]
pub struct Seen {
    pub attempts: HashMap<usize, Vec<Attempt>>,
    pub connections: Vec<Connection>,
}

/// What went over one connection, in bytes as the sockets see them.
#[derive(Debug)]
pub struct Connection {
    /// Whose addresses it came to: every virtual user has its own.
    pub vu: usize,
    pub door: Door,
    /// When, how many came, how many left.
    pub bytes: Vec<(SystemTime, usize, usize)>,
    /// How many had left when the client last said something. On a connection of HTTP/1.1 it has read those, or it
    /// would have had nothing to say.
    left_before_last_word: usize,
    /// How many have left.
    left: usize,
    /// A request came over it. Where two connections of HTTP/2 were opened at once, one of them is not needed.
    is_used: Arc<AtomicBool>,
    /// The client's kernel threw away bytes that nobody had read, at that time. Without this, every byte that left was
    /// read: a socket that is closed with bytes in it, or to which bytes come later, answers with a reset (RFC 1122,
    /// 4.2.2.13).
    reset: Option<SystemTime>,
}

impl Connection {
    /// A client reads what has come no later than this, or never.
    const UNREAD: Duration = Duration::from_millis(500);

    /// How many bytes left until then, and the fewest of them that the client has read.
    pub fn left(&self, until: SystemTime) -> (usize, usize) {
        let left = |until| self.bytes.iter().filter(|(at, ..)| *at <= until).map(|(_, _, left)| left).sum();
        let all: usize = left(until);
        let read_for_sure = match (self.reset, self.door) {
            // Whether the client read on after its handshake, before it left, the kernel does not always tell: a connection
            // that both ends have closed is not reset.
            (_, Door::H2) if !self.is_used.load(SeqCst) => self.left_before_second_word(),
            (None, _) => all,
            (Some(reset), Door::H2) => left(reset - Self::UNREAD),
            (Some(_), _) => self.left_before_last_word,
        };
        (all, all.min(read_for_sure))
    }

    /// What has to be read before the handshake of TLS can be ended.
    fn left_before_second_word(&self) -> usize {
        let words = self.bytes.iter().scan(0, |words, (_, came, left)| {
            *words += usize::from(*came > 0);
            (*words < 2).then_some(*left)
        });
        words.sum()
    }

    /// How many bytes came until then.
    pub fn came(&self, until: SystemTime) -> usize {
        self.bytes.iter().filter(|(at, ..)| *at <= until).map(|(_, came, _)| came).sum()
    }

    /// Notes bytes that came and bytes that left, now.
    fn note(&mut self, came: usize, left: usize) {
        if came > 0 {
            self.left_before_last_word = self.left;
        }
        self.left += left;
        if came + left > 0 {
            self.bytes.push((SystemTime::now(), came, left));
        }
    }
}

struct Shared {
    plan: Vec<Planned>,
    /// How many connections are not over.
    open: AtomicUsize,
    seen: Mutex<Seen>,
    /// How often each request has come.
    arrivals: Mutex<HashMap<usize, usize>>,
}

/// The server, on threads of its own until it is dropped.
pub struct Server {
    runtime: Option<tokio::runtime::Runtime>,
    shared: Arc<Shared>,
    /// The addresses of the doors for each virtual user: plain, TLS, HTTP/2, mute, closed.
    pub addresses: Vec<[SocketAddr; 5]>,
    /// Holds the port where nobody listens.
    _closed: socket2::Socket,
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Server {
    pub fn start(plan: Vec<Planned>, seed: u64, vus: usize) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let shared =
            Arc::new(Shared { plan, open: AtomicUsize::new(0), seen: Mutex::default(), arrivals: Mutex::default() });
        let closed = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        closed.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
        let nobody = closed.local_addr().unwrap().as_socket().unwrap();
        let acceptors = [acceptor(b"http/1.1"), acceptor(b"h2")];
        let open = |vu: usize| {
            let mut addresses = [nobody; 5];
            let doors = [Door::Plain, Door::Tls, Door::H2, Door::Mute];
            for (address, door) in addresses.iter_mut().zip(doors) {
                let listener = listener();
                *address = listener.local_addr().unwrap();
                let acceptor = acceptors[usize::from(door == Door::H2)].clone();
                let random = Random(seed ^ 0xD00D ^ (vu as u64) << 32);
                runtime.spawn(accept(listener, door, vu, acceptor, shared.clone(), random));
            }
            addresses
        };
        let addresses = (0..vus).map(open).collect();
        Self { runtime: Some(runtime), shared, addresses, _closed: closed }
    }

    /// What it saw, when the client is gone and its last connection is over.
    pub fn seen(&self) -> Seen {
        let patience = Instant::now() + Duration::from_secs(10);
        while self.shared.open.load(SeqCst) > 0 {
            assert!(Instant::now() < patience, "connections of a client that has ended are over");
            std::thread::sleep(Duration::from_millis(5));
        }
        std::mem::take(&mut self.shared.seen.lock().unwrap())
    }
}

/// A listener whose connections hold little that was not read, so that a client notices when nobody reads.
fn listener() -> TcpListener {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(64 << 10).unwrap();
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    socket.listen(1024).unwrap();
    socket.set_nonblocking(true).unwrap();
    socket.into()
}

/// splitmix64, by Sebastiano Vigna: good enough to draw plans, and the same everywhere.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    pub fn millis(&mut self, from: u64, below: u64) -> Duration {
        Duration::from_millis(from + self.below(below - from))
    }
}

/// What shakes hands for one protocol, with a certificate of its own.
fn acceptor(protocol: &[u8]) -> TlsAcceptor {
    let own = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let key = rustls::pki_types::PrivatePkcs8KeyDer::from(own.signing_key.serialize_der()).into();
    let builder = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut config = builder.with_no_client_auth().with_single_cert(vec![own.cert.der().clone()], key).unwrap();
    config.alpn_protocols = vec![protocol.to_vec()];
    TlsAcceptor::from(Arc::new(config))
}

async fn accept(
    listener: TcpListener,
    door: Door,
    vu: usize,
    acceptor: TlsAcceptor,
    shared: Arc<Shared>,
    mut random: Random,
) {
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    loop {
        let Ok((tcp, _)) = listener.accept().await else { continue };
        let accepted = Instant::now();
        let (shared, acceptor) = (shared.clone(), acceptor.clone());
        let late = if random.below(3) == 0 { random.millis(5, 60) } else { Duration::ZERO };
        tokio::spawn(async move {
            tcp.set_nodelay(true).unwrap();
            let control = tcp.into_std().unwrap();
            let tcp = TcpStream::from_std(control.try_clone().unwrap()).unwrap();
            let mut counted = Counted::new(tcp, shared.clone(), vu, door);
            if door == Door::Mute {
                while matches!(counted.read(&mut [0; 4096]).await, Ok(1..)) {}
                return;
            }
            if door == Door::Plain {
                return serve(counted, control, shared, None).await;
            }
            _ = counted.parts().0.readable().await;
            let greeted = Instant::now();
            sleep(late).await;
            let before = Instant::now();
            let Ok(stream) = acceptor.accept(counted).await else { return };
            let shaken = Moment { before, after: Instant::now() };
            let opened = Some(Opened { accepted, greeted, shaken });
            match door {
                Door::H2 => serve_h2(stream, shared, opened).await,
                _ => serve(stream, control, shared, opened).await,
            }
        });
    }
}

/// When a connection with TLS came to be.
#[derive(Clone, Copy, Debug)]
pub struct Opened {
    /// TCP had it.
    pub accepted: Instant,
    /// The client's first word was there.
    pub greeted: Instant,
    /// It was answered not before, and the handshake ended.
    pub shaken: Moment,
}

/// One connection of HTTP/1.1. `control` is the same socket.
async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    control: std::net::TcpStream,
    shared: Arc<Shared>,
    mut opened: Option<Opened>,
) {
    loop {
        let mut head = Vec::new();
        let mut read = None;
        let end = loop {
            if let Some(end) = head.windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
            match stream.read_buf(&mut head).await {
                Ok(1..) => _ = read.get_or_insert_with(Instant::now),
                _ => return,
            }
        };
        let text = String::from_utf8_lossy(&head[..end]).into_owned();
        let (id, length) = (id_of(&text), length_of(&text));
        let mut left = length.saturating_sub(head.len() - end);
        let planned = shared.plan[id];
        let mut attempt = Attempt { read: read.unwrap(), begun: None, ended: None, opened: opened.take() };
        let is_again = shared.arrives(id);
        match planned.deed {
            Deed::SlowRead => sleep(planned.delay).await,
            Deed::NeverReads => {
                shared.note(id, attempt);
                sleep(planned.limit + Duration::from_millis(100)).await;
                // The client has left; what it wrote is taken, so that it can be counted.
                while matches!(stream.read(&mut [0; 65536]).await, Ok(1..)) {}
                return;
            }
            _ => {}
        }
        let mut room = vec![0; 65536];
        while left > 0 {
            let most = left.min(room.len());
            match stream.read(&mut room[..most]).await {
                Ok(count @ 1..) => left -= count,
                _ => return,
            }
        }
        let keeps = answer(&mut stream, &control, &planned, is_again, &mut attempt).await;
        if keeps {
            shared.note(id, attempt);
            continue;
        }
        if attempt.ended.is_none() && silent(planned.deed) {
            shared.note(id, attempt);
            while matches!(stream.read(&mut room).await, Ok(1..)) {}
            return;
        }
        // The connection ends here, both handles of it.
        let before = Instant::now();
        drop(stream);
        drop(control);
        attempt.ended.get_or_insert(Moment { before, after: Instant::now() });
        shared.note(id, attempt);
        return;
    }
}

fn silent(deed: Deed) -> bool {
    matches!(deed, Deed::Silence | Deed::HalfThenSilence | Deed::BadChunk | Deed::Garbage)
}

/// Does to a request of HTTP/1.1 what is planned; true when the connection goes on.
async fn answer<S: AsyncWrite + Unpin>(
    stream: &mut S,
    control: &std::net::TcpStream,
    planned: &Planned,
    is_again: bool,
    attempt: &mut Attempt,
) -> bool {
    let Planned { deed, delay, pause, size, .. } = *planned;
    let head = |more: &str| format!("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n{more}\r\n");
    let mut out = Out { stream, attempt };
    if deed != Deed::SlowRead && !(deed == Deed::SecondTime && is_again) {
        sleep(delay).await;
    }
    match deed {
        Deed::Answer | Deed::SlowRead => {
            let text = head(&format!("Content-Length: {size}\r\n")) + &"x".repeat(size);
            out.write(text.as_bytes()).await.is_ok()
        }
        Deed::SecondTime if is_again => out.write((head("Content-Length: 2\r\n") + "ok").as_bytes()).await.is_ok(),
        Deed::Redirect(to) => {
            let text = format!("HTTP/1.1 302 Found\r\nLocation: /{to}\r\nContent-Length: 0\r\n\r\n");
            out.write(text.as_bytes()).await.is_ok()
        }
        Deed::SlowHead => {
            let text = head(&format!("Content-Length: {size}\r\n")) + &"x".repeat(size);
            let (first, rest) = text.split_at(9);
            out.write(first.as_bytes()).await.is_ok() && {
                sleep(pause).await;
                out.write(rest.as_bytes()).await.is_ok()
            }
        }
        Deed::Drip | Deed::Chunks => {
            let is_chunked = deed == Deed::Chunks;
            let framing = match is_chunked {
                true => "Transfer-Encoding: chunked\r\n".to_owned(),
                false => format!("Content-Length: {}\r\n", 5 * size),
            };
            let mut fine = out.write(head(&framing).as_bytes()).await.is_ok();
            for _ in 0..size {
                sleep(pause).await;
                fine &= out.write(if is_chunked { b"5\r\nhello\r\n" } else { b"hello" }).await.is_ok();
            }
            fine && (!is_chunked || out.write(b"0\r\n\r\n").await.is_ok())
        }
        Deed::UntilClose => {
            _ = out.write(head("Connection: close\r\n").as_bytes()).await;
            sleep(pause).await;
            _ = out.write(b"body").await;
            sleep(pause).await;
            out.attempt.ended = None;
            false
        }
        Deed::Garbage => {
            _ = out.write(b"this is not HTTP\r\n\r\n").await;
            false
        }
        Deed::BadChunk => {
            _ = out.write((head("Transfer-Encoding: chunked\r\n") + "5\r\nhello\r\n").as_bytes()).await;
            sleep(pause).await;
            _ = out.write(b"zz\r\nno chunk\r\n").await;
            false
        }
        Deed::HalfThenHangUp | Deed::HalfThenReset | Deed::HalfThenSilence => {
            _ = out.write((head("Content-Length: 100\r\n") + "half").as_bytes()).await;
            out.attempt.ended = None;
            if deed != Deed::HalfThenSilence {
                sleep(pause).await;
            }
            if deed == Deed::HalfThenReset {
                reset(control);
            }
            false
        }
        Deed::Reset => {
            reset(control);
            false
        }
        Deed::HangUp | Deed::SecondTime | Deed::Silence | Deed::NeverReads => false,
    }
}

fn reset(control: &std::net::TcpStream) {
    socket2::SockRef::from(control).set_linger(Some(Duration::ZERO)).unwrap();
}

/// Writes pieces of an answer and notes when.
struct Out<'a, S> {
    stream: &'a mut S,
    attempt: &'a mut Attempt,
}

impl<S: AsyncWrite + Unpin> Out<'_, S> {
    async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let before = Instant::now();
        self.stream.write_all(bytes).await?;
        self.stream.flush().await?;
        let moment = Moment { before, after: Instant::now() };
        self.attempt.begun.get_or_insert(moment);
        self.attempt.ended = Some(moment);
        Ok(())
    }
}

impl Shared {
    /// A connection is over.
    fn end(&self, connection: Connection) {
        self.seen.lock().unwrap().connections.push(connection);
        self.open.fetch_sub(1, SeqCst);
    }

    /// A request has come; true when it is not the first time.
    fn arrives(&self, id: usize) -> bool {
        let mut arrivals = self.arrivals.lock().unwrap();
        let count = arrivals.entry(id).or_default();
        *count += 1;
        *count > 1
    }

    fn note(&self, id: usize, attempt: Attempt) {
        self.seen.lock().unwrap().attempts.entry(id).or_default().push(attempt);
    }
}

/// The number in the path of a request's first line.
fn id_of(head: &str) -> usize {
    let path = head.split_whitespace().nth(1).unwrap_or_default();
    path.trim_start_matches('/').parse().expect("a path is a number")
}

fn length_of(head: &str) -> usize {
    let line = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
    line.and_then(|text| text.trim().parse().ok()).unwrap_or(0)
}

/// One connection of HTTP/2.
async fn serve_h2(stream: tokio_rustls::server::TlsStream<Counted>, shared: Arc<Shared>, mut opened: Option<Opened>) {
    let is_used = stream.get_ref().0.connection.as_ref().map(|connection| connection.is_used.clone()).unwrap();
    let Ok(mut connection) = h2::server::handshake(stream).await else { return };
    while let Some(Ok((request, respond))) = connection.accept().await {
        let attempt = Attempt { read: Instant::now(), begun: None, ended: None, opened: opened.take() };
        is_used.store(true, SeqCst);
        tokio::spawn(answer_h2(request, respond, shared.clone(), attempt));
    }
}

async fn answer_h2(
    request: http::Request<h2::RecvStream>,
    mut respond: h2::server::SendResponse<Bytes>,
    shared: Arc<Shared>,
    mut attempt: Attempt,
) {
    let id: usize = request.uri().path().trim_start_matches('/').parse().expect("a path is a number");
    let Planned { deed, delay, pause, size, .. } = shared.plan[id];
    let mut body = request.into_body();
    sleep(delay).await;
    while let Some(Ok(piece)) = body.data().await {
        _ = body.flow_control().release_capacity(piece.len());
    }
    let now = || Moment { before: Instant::now(), after: Instant::now() };
    let head = |length: usize| http::Response::builder().header("content-length", length).body(()).unwrap();
    match deed {
        Deed::Reset => {
            attempt.ended = Some(now());
            respond.send_reset(h2::Reason::INTERNAL_ERROR);
        }
        Deed::Silence => {
            shared.note(id, attempt);
            _ = std::future::poll_fn(|cx| respond.poll_reset(cx)).await;
            return;
        }
        Deed::Drip => {
            attempt.begun = Some(now());
            attempt.ended = attempt.begun;
            let Ok(mut out) = respond.send_response(head(5 * size), size == 0) else { return };
            for piece in 1..=size {
                sleep(pause).await;
                attempt.ended = Some(now());
                _ = out.send_data("hello".into(), piece == size);
            }
        }
        Deed::HalfThenHangUp | Deed::HalfThenReset | Deed::HalfThenSilence => {
            attempt.begun = Some(now());
            let Ok(mut out) = respond.send_response(head(100), false) else { return };
            _ = out.send_data("half".into(), false);
            if deed == Deed::HalfThenSilence {
                shared.note(id, attempt);
                _ = std::future::poll_fn(|cx| out.poll_reset(cx)).await;
                return;
            }
            sleep(pause).await;
            attempt.ended = Some(now());
            match deed {
                Deed::HalfThenReset => out.send_reset(h2::Reason::INTERNAL_ERROR),
                _ => _ = out.send_data(Bytes::new(), true),
            }
        }
        _ => {
            attempt.begun = Some(now());
            attempt.ended = attempt.begun;
            let Ok(mut out) = respond.send_response(head(size), size == 0) else { return };
            if size > 0 {
                _ = out.send_data(vec![b'x'; size].into(), true);
            }
        }
    }
    if let Some(moment) = &mut attempt.ended {
        moment.after = Instant::now();
    }
    shared.note(id, attempt);
}

/// A socket whose raw bytes are counted. When it is dropped its half is closed, and what the client still says is read.
struct Counted {
    tcp: Option<TcpStream>,
    connection: Option<Connection>,
    shared: Arc<Shared>,
}

impl Drop for Counted {
    fn drop(&mut self) {
        let (Some(mut tcp), Some(mut connection)) = (self.tcp.take(), self.connection.take()) else { return };
        let shared = self.shared.clone();
        let socket = socket2::SockRef::from(&tcp);
        // Who resets the connection hears nothing any more.
        if socket.linger().is_ok_and(|linger| linger.is_some()) {
            return shared.end(connection);
        }
        _ = socket.shutdown(std::net::Shutdown::Write);
        tokio::spawn(async move {
            let mut room = vec![0; 65536];
            let mut error = None;
            loop {
                match tcp.read(&mut room).await {
                    Ok(0) => break,
                    Ok(count) => connection.note(count, 0),
                    Err(reset) => {
                        error = Some(reset);
                        break;
                    }
                }
            }
            // A reset may come after the end: the client said farewell, and then left with bytes unread.
            let ended = SystemTime::now();
            if error.is_none() {
                sleep(Duration::from_millis(200)).await;
                error = tcp.take_error().unwrap_or_else(Some);
            }
            connection.reset = connection.reset.or(error.map(|_| ended));
            shared.end(connection);
        });
    }
}

impl Counted {
    fn new(tcp: TcpStream, shared: Arc<Shared>, vu: usize, door: Door) -> Self {
        shared.open.fetch_add(1, SeqCst);
        let connection = Connection {
            vu,
            door,
            bytes: Vec::new(),
            left_before_last_word: 0,
            left: 0,
            is_used: Arc::default(),
            reset: None,
        };
        Self { tcp: Some(tcp), connection: Some(connection), shared }
    }

    fn parts(&mut self) -> (Pin<&mut TcpStream>, &mut Connection) {
        let (tcp, connection) = (self.tcp.as_mut(), self.connection.as_mut());
        (Pin::new(tcp.expect("it is open")), connection.expect("it is open"))
    }
}

impl AsyncRead for Counted {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let (tcp, connection) = self.parts();
        let read = ready!(tcp.poll_read(cx, buf));
        connection.reset = connection.reset.or(read.is_err().then(SystemTime::now));
        connection.note(buf.filled().len() - before, 0);
        Poll::Ready(read)
    }
}

impl AsyncWrite for Counted {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let (tcp, connection) = self.parts();
        let written = ready!(tcp.poll_write(cx, bytes));
        connection.reset = connection.reset.or(written.is_err().then(SystemTime::now));
        connection.note(0, *written.as_ref().unwrap_or(&0));
        Poll::Ready(written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.parts().0.poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.parts().0.poll_shutdown(cx)
    }
}

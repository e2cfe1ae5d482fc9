//! One session: a task that reads, one that writes whole packets, and those who wait for an answer.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncWriteExt as _, ReadHalf, WriteHalf};
use tokio::sync::{Mutex, Notify, mpsc, oneshot};
use tokio::task::AbortHandle;

use super::packet::{self, Hello, Packet, Qos, Will};
use super::wire::{MqttReader, farewell, framed};
use crate::net::client_connections::ClientConnections;
use crate::net::http::proto::error::NetError;
use crate::net::socket::NetStream;
use crate::net::tls::connect_with;
use crate::net::ws::HandshakeRequest;
use crate::net::ws::handshake::{self, OpenedSocket};

/// So many messages wait for a script that is slow; then the socket is not read.
const MAX_WAITING: usize = 10_000;
/// A farewell has so long to be written.
const FAREWELL_TIMEOUT: Duration = Duration::from_millis(500);
/// A topic, an id, a name are at most so long.
const MAX_TEXT: usize = u16::MAX as usize;

/// How a session is begun.
#[derive(Clone, Debug, Default)]
pub struct MqttConnect {
    /// Where the server is.
    pub host: String,
    /// Its port.
    pub port: String,
    /// Over TLS.
    pub encrypts: bool,
    /// In messages of a WebSocket that is opened like this; its address goes before host and port.
    pub web_socket: Option<HandshakeRequest>,
    /// Our name; the server gives one where it is empty.
    pub client_id: String,
    /// Who we are.
    pub username: Option<String>,
    /// What proves it.
    pub password: Option<String>,
    /// What is published when we are gone without a farewell.
    pub will: Option<Will>,
    /// The server expects a sign of life in this time; zero is none.
    pub keepalive: Duration,
    /// So long the server has to let us in.
    pub timeout: Duration,
    /// The server forgets what it knew of us.
    pub is_clean: bool,
}

/// What arrives of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// A message, and when.
    Message(String, Bytes, Instant),
    /// The connection is gone: why.
    Lost(String),
}

/// A session on its network thread.
#[derive(Debug)]
pub struct MqttSession {
    connections: Rc<ClientConnections>,
    live: RefCell<Option<Rc<Live>>>,
    /// How many connections there were.
    count: Cell<u32>,
    arrivals_tx: mpsc::Sender<(u32, Arrival)>,
    arrivals: Mutex<mpsc::Receiver<(u32, Arrival)>>,
}

/// What is to be written.
#[derive(Debug)]
enum Outgoing {
    /// A packet.
    Packet(Bytes),
    /// Frames of the WebSocket itself.
    Frames(Vec<u8>),
    /// The last packet.
    Farewell,
}

/// What is to be written, in order, and who is told when it was.
type Outbox = mpsc::UnboundedSender<(Outgoing, Option<oneshot::Sender<()>>)>;

/// An answer somebody waits for: the codes of a SUBACK, or none.
type OpenAnswers = RefCell<HashMap<u16, oneshot::Sender<Vec<u8>>>>;

/// What is there while there is a connection; dropping it closes that.
#[derive(Debug)]
struct Live {
    outbox: Outbox,
    answers: Rc<OpenAnswers>,
    last_id: Cell<u16>,
    /// Which connection of the session it is.
    number: u32,
    /// Nothing comes of it any more.
    is_lost: Rc<Cell<bool>>,
    tasks: [AbortHandle; 2],
}

impl Drop for Live {
    fn drop(&mut self) {
        self.tasks.iter().for_each(AbortHandle::abort);
    }
}

const NOT_CONNECTED: &str = "not connected";

/// Why nobody let us in: the connection failed.
fn lost(error: std::io::Error) -> String {
    format!("network Error : {error}")
}

impl MqttSession {
    /// A session without a connection.
    pub fn new(connections: Rc<ClientConnections>) -> Self {
        let (arrivals_tx, arrivals) = mpsc::channel(MAX_WAITING);
        Self { connections, live: RefCell::default(), count: Cell::new(0), arrivals_tx, arrivals: Mutex::new(arrivals) }
    }

    /// Connects and introduces us, in place of a connection that is open.
    ///
    /// # Errors
    /// Why not.
    pub async fn connect(&self, how: &MqttConnect) -> Result<Instant, String> {
        self.live.take();
        let texts = [Some(&how.client_id), how.username.as_ref(), how.password.as_ref()];
        let will = how.will.as_ref().map(|will| will.topic.len().max(will.payload.len()));
        if texts.into_iter().flatten().map(String::len).chain(will).any(|len| len > MAX_TEXT) {
            return Err(format!("no name, password or will is longer than {MAX_TEXT} bytes"));
        }
        let opened = tokio::time::timeout(how.timeout, self.open(how)).await;
        let (stream, wire, inbox) = opened.unwrap_or_else(|_| Err("network Error : i/o timeout".to_owned()))?;
        let is_web_socket = wire.is_web_socket();
        let (reader, writer) = tokio::io::split(stream);
        let (outbox, outbox_rx) = mpsc::unbounded_channel();
        let answers = Rc::<OpenAnswers>::default();
        let is_alive = Rc::new(Notify::new());
        let (loss_tx, mut loss_rx) = mpsc::unbounded_channel();
        let writing = tokio::task::spawn_local(write(writer, is_web_socket, outbox_rx, loss_tx.clone()));
        let number = self.count.get().wrapping_add(1);
        self.count.set(number);
        let reading = MqttReading {
            number,
            outbox: outbox.clone(),
            answers: answers.clone(),
            arrivals_tx: self.arrivals_tx.clone(),
            is_alive: is_alive.clone(),
        };
        let pinging = ping(outbox.clone(), how.keepalive, is_alive);
        let arrivals_tx = self.arrivals_tx.clone();
        let is_lost = Rc::<Cell<bool>>::default();
        let (watched, ending) = (answers.clone(), is_lost.clone());
        // The first that ends says why.
        let reading = tokio::task::spawn_local(async move {
            let why = tokio::select! {
                why = reading.run(reader, wire, inbox) => why,
                why = pinging => why,
                Some(why) = loss_rx.recv() => why,
            };
            // Who waits for an answer learns it at once, and nobody begins to wait.
            ending.set(true);
            watched.borrow_mut().clear();
            _ = arrivals_tx.send((number, Arrival::Lost(why))).await;
        });
        let tasks = [writing.abort_handle(), reading.abort_handle()];
        let live = Live { outbox, answers, last_id: Cell::new(0), number, is_lost, tasks };
        *self.live.borrow_mut() = Some(Rc::new(live));
        Ok(Instant::now())
    }

    async fn open(&self, how: &MqttConnect) -> Result<(NetStream, MqttReader, BytesMut), String> {
        let mut inbox = BytesMut::new();
        let (mut stream, mut wire) = match &how.web_socket {
            None => (self.open_socket(how).await?, MqttReader::plain()),
            Some(request) => {
                let opened = handshake::open(&self.connections, request, None, Instant::now()).await;
                let OpenedSocket { stream, rest, .. } =
                    opened.map_err(|error| format!("network Error : {}", error.text))?;
                let mut wire = MqttReader::web_socket();
                wire.take(&rest, &mut inbox).map_err(lost)?;
                (stream, wire)
            }
        };
        let hello = packet::connect(&Hello {
            client_id: &how.client_id,
            username: how.username.as_deref(),
            password: how.password.as_deref(),
            will: how.will.as_ref(),
            keepalive: u16::try_from(how.keepalive.as_secs()).unwrap_or(u16::MAX),
            is_clean: how.is_clean,
        });
        stream.write_all(&framed(hello, wire.is_web_socket())).await.map_err(lost)?;
        stream.flush().await.map_err(lost)?;
        loop {
            match packet::parse(&mut inbox)? {
                Some(Packet::ConnAck { code: 0 }) => return Ok((stream, wire, inbox)),
                Some(Packet::ConnAck { code }) => return Err(packet::refusal(code)),
                Some(_) => return Err("the server does not begin with CONNACK".to_owned()),
                None => {
                    if wire.read(&mut stream, &mut inbox).await.map_err(lost)? == 0 {
                        return Err("network Error : EOF".to_owned());
                    }
                    if let Some(reply) = wire.reply() {
                        stream.write_all(&reply).await.map_err(lost)?;
                        stream.flush().await.map_err(lost)?;
                    }
                }
            }
        }
    }

    async fn open_socket(&self, how: &MqttConnect) -> Result<NetStream, String> {
        let failed = |error: NetError| format!("network Error : {}", error.cause());
        let connector = self.connections.connector();
        let (socket, _) = connector.dial(&how.host, &how.port).await.map_err(failed)?;
        if !how.encrypts {
            return Ok(NetStream::Plain(socket));
        }
        let tls = connector.tls().for_connection(None, true)?;
        let handshake = connect_with(&tls, &how.host, socket, connector.issuers()).await;
        Ok(NetStream::Tls(handshake.map_err(failed)?.stream))
    }

    fn live(&self) -> Result<Rc<Live>, String> {
        let live = self.live.borrow().clone().filter(|live| !live.is_lost.get());
        live.ok_or_else(|| NOT_CONNECTED.to_owned())
    }

    /// Publishes, and waits for what the quality of service promises; when that was there.
    ///
    /// # Errors
    /// Why not.
    pub async fn publish(&self, topic: &str, payload: &[u8], qos: Qos, is_retained: bool) -> Result<Instant, String> {
        check_topic(topic)?;
        let live = self.live()?;
        if qos == Qos::AtMostOnce {
            let (written_tx, written) = oneshot::channel();
            _ = live
                .outbox
                .send((Outgoing::Packet(packet::publish(topic, payload, qos, is_retained, 0)), Some(written_tx)));
            written.await.map_err(|_| "connection lost before Publish completed".to_owned())?;
        } else {
            live.ask("Publish", |id| packet::publish(topic, payload, qos, is_retained, id)).await?;
        }
        Ok(Instant::now())
    }

    /// Subscribes to topics.
    ///
    /// # Errors
    /// Why not; one that the server refuses.
    pub async fn subscribe(&self, topics: &[(String, Qos)]) -> Result<Instant, String> {
        topics.iter().try_for_each(|(topic, _)| check_topic(topic))?;
        let codes = self.live()?.ask("Subscribe", |id| packet::subscribe(topics, id)).await?;
        match topics.iter().zip(codes).find(|(_, code)| *code > 2) {
            Some(((topic, _), _)) => Err(format!("the server refuses the subscription to {topic:?}")),
            None => Ok(Instant::now()),
        }
    }

    /// Ends subscriptions.
    ///
    /// # Errors
    /// Why not.
    pub async fn unsubscribe(&self, topics: &[(String, Qos)]) -> Result<Instant, String> {
        topics.iter().try_for_each(|(topic, _)| check_topic(topic))?;
        self.live()?.ask("Unsubscribe", |id| packet::unsubscribe(topics, id)).await?;
        Ok(Instant::now())
    }

    /// What arrives next.
    pub async fn next(&self) -> Option<Arrival> {
        let mut arrivals = self.arrivals.lock().await;
        loop {
            let (number, arrival) = arrivals.recv().await?;
            if !matches!(arrival, Arrival::Lost(_)) {
                return Some(arrival);
            }
            // One that another has taken the place of was not lost.
            let is_present = self.live.borrow().as_ref().is_some_and(|live| live.number == number);
            if is_present {
                self.live.take();
                return Some(arrival);
            }
        }
    }

    /// Says farewell and closes.
    pub async fn end(&self) {
        let Some(live) = self.live.take() else { return };
        let (written_tx, written) = oneshot::channel();
        _ = live.outbox.send((Outgoing::Farewell, Some(written_tx)));
        _ = tokio::time::timeout(FAREWELL_TIMEOUT, written).await;
    }
}

fn check_topic(topic: &str) -> Result<(), String> {
    match topic.is_empty() || topic.len() > MAX_TEXT || topic.contains('\0') {
        true => Err("invalid Topic; it has to be a text of 1 to 65535 bytes".to_owned()),
        false => Ok(()),
    }
}

impl Live {
    /// Sends a packet with an id and waits for the answer that has it.
    async fn ask(&self, what: &str, packet: impl FnOnce(u16) -> Bytes) -> Result<Vec<u8>, String> {
        let (answer_tx, answer) = oneshot::channel();
        let id = {
            let mut answers = self.answers.borrow_mut();
            // OpenAnswers that nobody waits for any more free their ids when they come.
            let mut ids = (1..=u16::MAX).map(|step| self.last_id.get().wrapping_add(step));
            let free = ids.find(|id| *id != 0 && !answers.contains_key(id));
            let id = free.ok_or("too many messages wait for their acknowledgement")?;
            answers.insert(id, answer_tx);
            id
        };
        self.last_id.set(id);
        _ = self.outbox.send((Outgoing::Packet(packet(id)), None));
        answer.await.map_err(|_| format!("connection lost before {what} completed"))
    }
}

async fn write(
    mut writer: WriteHalf<NetStream>,
    is_web_socket: bool,
    mut outbox: mpsc::UnboundedReceiver<(Outgoing, Option<oneshot::Sender<()>>)>,
    loss_tx: mpsc::UnboundedSender<String>,
) {
    while let Some((outgoing, written_tx)) = outbox.recv().await {
        let bytes = match outgoing {
            Outgoing::Packet(packet) => framed(packet, is_web_socket),
            Outgoing::Frames(frames) => frames.into(),
            Outgoing::Farewell => farewell(is_web_socket),
        };
        let written = async {
            writer.write_all(&bytes).await?;
            writer.flush().await
        };
        match written.await {
            Ok(()) => drop(written_tx.map(|tx| tx.send(()))),
            Err(error) => {
                _ = loss_tx.send(error.to_string());
                return;
            }
        }
    }
}

/// Says now and then that we are there; ends when the server has not answered.
async fn ping(outbox: Outbox, keepalive: Duration, is_alive: Rc<Notify>) -> String {
    if keepalive.is_zero() {
        return std::future::pending().await;
    }
    loop {
        tokio::time::sleep(keepalive.mul_f64(0.75)).await;
        _ = outbox.send((Outgoing::Packet(Bytes::from_static(&packet::PINGREQ)), None));
        if tokio::time::timeout(keepalive, is_alive.notified()).await.is_err() {
            return "pingresp not received, disconnecting".to_owned();
        }
    }
}

/// What is done with what arrives.
struct MqttReading {
    number: u32,
    outbox: Outbox,
    answers: Rc<OpenAnswers>,
    arrivals_tx: mpsc::Sender<(u32, Arrival)>,
    is_alive: Rc<Notify>,
}

impl MqttReading {
    /// Reads until the connection is gone: why.
    async fn run(self, mut reader: ReadHalf<NetStream>, mut wire: MqttReader, mut inbox: BytesMut) -> String {
        // Messages that come once, and were not yet released.
        let mut received = HashSet::new();
        loop {
            let packet = match packet::parse(&mut inbox) {
                Err(text) => return text,
                Ok(Some(packet)) => packet,
                Ok(None) => {
                    let read = wire.read(&mut reader, &mut inbox).await;
                    if let Some(reply) = wire.reply() {
                        _ = self.outbox.send((Outgoing::Frames(reply), None));
                    }
                    match read {
                        Ok(0) => return "EOF".to_owned(),
                        Ok(_) => continue,
                        Err(error) => return error.to_string(),
                    }
                }
            };
            if let Some(answer) = packet::acknowledge(&packet) {
                _ = self.outbox.send((Outgoing::Packet(answer), None));
            }
            match packet {
                Packet::Publish { topic, payload, qos, id } => {
                    if qos != Qos::ExactlyOnce || received.insert(id) {
                        let message = Arrival::Message(topic, payload, Instant::now());
                        _ = self.arrivals_tx.send((self.number, message)).await;
                    }
                }
                Packet::PubRel { id } => _ = received.remove(&id),
                Packet::PubAck { id } | Packet::PubComp { id } | Packet::UnsubAck { id } => self.answer(id, Vec::new()),
                Packet::SubAck { id, codes } => self.answer(id, codes),
                Packet::PingResp => self.is_alive.notify_one(),
                Packet::PubRec { .. } => {}
                Packet::ConnAck { .. } => return "a second CONNACK".to_owned(),
            }
        }
    }

    fn answer(&self, id: u16, codes: Vec<u8>) {
        if let Some(answer_tx) = self.answers.borrow_mut().remove(&id) {
            _ = answer_tx.send(codes);
        }
    }
}

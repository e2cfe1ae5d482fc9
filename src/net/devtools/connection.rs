//! One connection to one browser, shared by VUs.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use std::task::Poll;
use std::time::Duration;

use rustc_hash::FxHashMap;

use super::endpoint::socket_url;
use super::inbox::{Inbox, InboxItem};
use super::message::{AttachedToTarget, CreatedContext, DetachedFromTarget, Head, command};
use super::message_log::MessageLog;
use super::traffic::SessionTraffic;
use crate::net::client::Client;
use crate::net::http_client::HttpClient;
use crate::net::ws::{self, HandshakeRequest, OutgoingMessage, SocketChannel, SocketEvent};
use crate::units::sync::lock;

/// Which events of a session are wanted.
#[derive(Clone, Debug)]
pub struct Subscription {
    /// As in `Page.frameNavigated`.
    pub method: String,
    /// Only messages that have one of these texts in them; all, if there are none.
    pub needles: Vec<String>,
}

/// A connection to a browser.
#[derive(Debug)]
pub struct DevtoolsConnection {
    channel: Arc<SocketChannel>,
    state: Mutex<ConnectionState>,
    /// What the browser says about itself.
    about: OnceLock<Box<[u8]>>,
    log: Option<MessageLog>,
    /// Dropping the last clone would end the connection.
    _client: Client,
}

#[derive(Debug, Default)]
struct ConnectionState {
    last_id: u64,
    pending: FxHashMap<u64, PendingCommand>,
    sessions: FxHashMap<String, Session>,
    /// Who owns the contexts that were made here.
    contexts: FxHashMap<String, Arc<Inbox>>,
    /// Why there is no connection any more.
    ended: Option<String>,
}

#[derive(Debug)]
struct PendingCommand {
    /// Nobody, for commands of our own.
    inbox: Option<Arc<Inbox>>,
    makes_context: bool,
}

#[derive(Debug)]
struct Session {
    inbox: Arc<Inbox>,
    subscriptions: Vec<Subscription>,
    /// The requests of a page, with those of frames that have a session of their own.
    traffic: SessionTraffic,
    /// The session of the page, where this is one of a frame: a request can begin in one and end in another.
    page: Option<Arc<str>>,
}

impl DevtoolsConnection {
    /// Connects to the browser at `url`, over a network thread of `client`; an address of HTTP is asked for the socket.
    ///
    /// # Errors
    /// Why there is no connection, in Go's words.
    pub async fn open(
        client: Client,
        url: &str,
        timeout: Duration,
        log: Option<MessageLog>,
    ) -> Result<Arc<Self>, String> {
        let url = socket_url(&client, url, timeout).await?;
        let (channel, _) = ws::open(&HttpClient::remote(client.clone()), HandshakeRequest::new(&url, Vec::new()));
        let opened = tokio::time::timeout(timeout, channel.clone().next()).await;
        match opened.map(|opened| opened.event) {
            Ok(SocketEvent::Open(_)) => {}
            Ok(SocketEvent::Failed(error)) => return Err(error.text),
            Ok(_) => return Err("the browser has closed the connection".to_owned()),
            Err(_) => {
                channel.give_up(1000, String::new());
                return Err("context deadline exceeded".to_owned());
            }
        }
        let connection = Arc::new(Self {
            channel: channel.clone(),
            state: Mutex::default(),
            about: OnceLock::new(),
            log,
            _client: client.clone(),
        });
        let weak = Arc::downgrade(&connection);
        // The task runs until the socket is closed; it does not keep the connection.
        drop(client.run(move |_| async move {
            loop {
                let next = channel.clone().next().await;
                let Some(connection) = weak.upgrade() else { return };
                match next.event {
                    SocketEvent::Text(text) => connection.receive(text),
                    SocketEvent::Closed(_) => return connection.end("the browser has gone"),
                    _ => {}
                }
            }
        }));
        // Every target is attached to as it comes into being, and waits until it is told to run.
        let params = r#"{"autoAttach":true,"waitForDebuggerOnStart":true,"flatten":true}"#;
        connection.post(None, "", "Target.setAutoAttach", params);
        let inbox = Arc::default();
        connection.send(&inbox, "", "Browser.getVersion", "");
        let reply = poll_fn(|cx| inbox.pop_or_register(cx.waker()).map_or(Poll::Pending, Poll::Ready));
        match tokio::time::timeout(timeout, reply).await {
            Ok(InboxItem::Reply(_, message)) => _ = connection.about.set(message.into()),
            Ok(InboxItem::Ended(reason)) => return Err(reason),
            Ok(_) => {}
            Err(_) => return Err("context deadline exceeded".to_owned()),
        }
        Ok(connection)
    }

    /// The reply to `Browser.getVersion`.
    pub fn about(&self) -> &[u8] {
        self.about.get().map_or(b"{}", |about| about)
    }

    fn state(&self) -> MutexGuard<'_, ConnectionState> {
        lock(&self.state)
    }

    /// Sends a command, whose `params` are JSON; its number. The reply comes into `inbox`.
    pub fn send(&self, inbox: &Arc<Inbox>, session: &str, method: &str, params: &str) -> u64 {
        self.post(Some(inbox), session, method, params)
    }

    fn post(&self, inbox: Option<&Arc<Inbox>>, session: &str, method: &str, params: &str) -> u64 {
        let mut state = self.state();
        state.last_id += 1;
        let id = state.last_id;
        if let Some(reason) = &state.ended {
            if let Some(inbox) = inbox {
                let error = serde_json::json!({"id": id, "error": {"message": reason}});
                inbox.push(InboxItem::Reply(id, error.to_string().into_bytes()));
            }
            return id;
        }
        let makes_context = method == "Target.createBrowserContext";
        state.pending.insert(id, PendingCommand { inbox: inbox.cloned(), makes_context });
        // Under the lock, so that commands are written in the order of their numbers.
        let message = command(id, session, method, params);
        if let Some(log) = &self.log {
            log.sent(&message);
        }
        self.channel.send(OutgoingMessage::Text(message));
        id
    }

    /// From now on such events of the session come into its inbox. The browser's own session is the empty text.
    pub fn subscribe(&self, inbox: &Arc<Inbox>, session: &str, subscription: Subscription) {
        let mut state = self.state();
        let session = state.sessions.entry(session.to_owned()).or_insert_with(|| Session::of(inbox));
        session.subscriptions.retain(|known| known.method != subscription.method);
        session.subscriptions.push(subscription);
    }

    /// Such events don't come any more.
    pub fn unsubscribe(&self, session: &str, method: &str) {
        if let Some(session) = self.state().sessions.get_mut(session) {
            session.subscriptions.retain(|known| known.method != method);
        }
    }

    /// The contexts that `inbox` owns.
    pub fn contexts_of(&self, inbox: &Arc<Inbox>) -> Vec<String> {
        let state = self.state();
        let owned = state.contexts.iter().filter(|(_, owner)| Arc::ptr_eq(owner, inbox));
        owned.map(|(context, _)| context.clone()).collect()
    }

    /// Forgets everything that belongs to `inbox`.
    pub fn forget(&self, inbox: &Arc<Inbox>) {
        let mut state = self.state();
        state.contexts.retain(|_, owner| !Arc::ptr_eq(owner, inbox));
        state.sessions.retain(|_, session| !Arc::ptr_eq(&session.inbox, inbox));
        for pending in state.pending.values_mut() {
            pending.inbox.take_if(|owner| Arc::ptr_eq(owner, inbox));
        }
    }

    /// True while the browser is there.
    pub fn is_open(&self) -> bool {
        self.state().ended.is_none()
    }

    /// Closes the connection; the browser stays.
    pub fn close(&self) {
        self.end("the connection to the browser was closed");
        self.channel.detach(1000);
    }

    /// There is no connection any more: everyone is told.
    fn end(&self, reason: &str) {
        let mut state = self.state();
        if state.ended.is_some() {
            return;
        }
        state.ended = Some(reason.to_owned());
        let mut told: Vec<Arc<Inbox>> = Vec::new();
        let owners = state.contexts.values().chain(state.sessions.values().map(|session| &session.inbox));
        for inbox in owners.chain(state.pending.values().filter_map(|pending| pending.inbox.as_ref())) {
            if !told.iter().any(|known| Arc::ptr_eq(known, inbox)) {
                told.push(inbox.clone());
            }
        }
        *state = ConnectionState { last_id: state.last_id, ended: state.ended.take(), ..Default::default() };
        drop(state);
        told.iter().for_each(|inbox| inbox.push(InboxItem::Ended(reason.to_owned())));
    }

    /// Hands a message to whom it concerns.
    fn receive(&self, message: Vec<u8>) {
        if let Some(log) = &self.log {
            log.received(&message);
        }
        let Some(head) = Head::read(&message) else { return };
        let mut state = self.state();
        if let Some(id) = head.id {
            let Some(PendingCommand { inbox, makes_context }) = state.pending.remove(&id) else { return };
            let Some(inbox) = inbox else { return };
            if let Some(CreatedContext { browser_context_id }) = head.result().filter(|_| makes_context) {
                state.contexts.insert(browser_context_id, inbox.clone());
            }
            drop(state);
            return inbox.push(InboxItem::Reply(id, message));
        }
        let (name, method) = (head.session.unwrap_or_default(), head.method.unwrap_or_default());
        match method {
            "Target.attachedToTarget" => {
                let Some(attached) = head.params::<AttachedToTarget>() else { return };
                let parent = state.sessions.get(name).filter(|_| !name.is_empty());
                let page = parent.filter(|_| attached.target_info.kind == "iframe");
                let page = page.map(|parent| parent.page.clone().unwrap_or_else(|| name.into()));
                let parent = parent.map(|parent| parent.inbox.clone());
                let context = attached.target_info.browser_context_id.as_ref();
                let owner = parent.or_else(|| context.and_then(|context| state.contexts.get(context).cloned()));
                let Some(inbox) = owner else {
                    drop(state);
                    return self.leave(&attached);
                };
                state.sessions.insert(attached.session_id, Session { page, ..Session::of(&inbox) });
                drop(state);
                inbox.push(InboxItem::Event(message));
            }
            "Target.detachedFromTarget" => {
                let Some(DetachedFromTarget { session_id }) = head.params() else { return };
                let Some(session) = state.sessions.remove(&session_id) else { return };
                drop(state);
                session.inbox.push(InboxItem::Event(message));
            }
            _ => {
                let Some(session) = state.sessions.get_mut(name) else { return };
                match session.page.clone() {
                    None => session.measure(name, &head),
                    Some(page) => {
                        if let Some(session) = state.sessions.get_mut(&*page) {
                            session.measure(&page, &head);
                        }
                    }
                }
                let Some(session) = state.sessions.get(name) else { return };
                if session.wants(method, &message) {
                    let inbox = session.inbox.clone();
                    drop(state);
                    inbox.push(InboxItem::Event(message));
                }
            }
        }
    }

    /// A target that nobody here has asked for goes its own way.
    fn leave(&self, attached: &AttachedToTarget) {
        self.post(None, &attached.session_id, "Runtime.runIfWaitingForDebugger", "");
        let params = serde_json::json!({"sessionId": attached.session_id}).to_string();
        self.post(None, "", "Target.detachFromTarget", &params);
    }
}

impl Drop for DevtoolsConnection {
    fn drop(&mut self) {
        self.channel.detach(1000);
    }
}

impl Session {
    fn of(inbox: &Arc<Inbox>) -> Self {
        Self { inbox: inbox.clone(), subscriptions: Vec::new(), traffic: SessionTraffic::default(), page: None }
    }

    /// Hands on what a message says of requests and vitals; `name` is that of this session.
    fn measure(&mut self, name: &str, head: &Head<'_>) {
        let mut found = Vec::new();
        self.traffic.note(head, &mut found);
        for event in found {
            self.inbox.push(InboxItem::Traffic(name.to_owned(), Box::new(event)));
        }
    }

    fn wants(&self, method: &str, message: &[u8]) -> bool {
        self.subscriptions.iter().any(|known| {
            known.method == method
                && (known.needles.is_empty()
                    || known.needles.iter().any(|needle| memchr::memmem::find(message, needle.as_bytes()).is_some()))
        })
    }
}

//! The messages of the protocol, as far as they are read here.

use serde::Deserialize;
use serde_json::value::RawValue;

/// What every message has; the rest is left as it is.
#[derive(Deserialize)]
pub struct Head<'m> {
    /// The number of the command that this replies to.
    pub id: Option<u64>,
    /// The event.
    #[serde(borrow)]
    pub method: Option<&'m str>,
    /// The session it belongs to; none for that of the browser itself.
    #[serde(borrow, rename = "sessionId")]
    pub session: Option<&'m str>,
    /// What the event says.
    #[serde(borrow)]
    pub params: Option<&'m RawValue>,
    /// What a command came to.
    #[serde(borrow)]
    pub result: Option<&'m RawValue>,
}

impl<'m> Head<'m> {
    /// The head of a message; `None` for what is none.
    pub fn read(message: &'m [u8]) -> Option<Self> {
        serde_json::from_slice(message).ok()
    }

    /// What the event says, as a `T`.
    pub fn params<T: Deserialize<'m>>(&self) -> Option<T> {
        serde_json::from_str(self.params?.get()).ok()
    }

    /// What the command came to, as a `T`.
    pub fn result<T: Deserialize<'m>>(&self) -> Option<T> {
        serde_json::from_str(self.result?.get()).ok()
    }
}

/// `Target.attachedToTarget`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AttachedToTarget {
    /// The new session.
    pub session_id: String,
    /// What it is a session of.
    pub target_info: TargetInfo,
}

/// What there is to attach to.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TargetInfo {
    /// As in `page`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The context of its cookies and caches.
    pub browser_context_id: Option<String>,
}

/// `Target.detachedFromTarget`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DetachedFromTarget {
    /// The session that has ended.
    pub session_id: String,
}

/// What `Target.createBrowserContext` came to.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreatedContext {
    /// Its number.
    pub browser_context_id: String,
}

/// The text of a command; `params` is JSON.
pub fn command(id: u64, session: &str, method: &str, params: &str) -> String {
    let params = if params.is_empty() { "{}" } else { params };
    if session.is_empty() {
        return format!(r#"{{"id":{id},"method":"{method}","params":{params}}}"#);
    }
    format!(r#"{{"id":{id},"method":"{method}","params":{params},"sessionId":"{session}"}}"#)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_read_and_the_rest_is_left() {
        let check = |text: &str, expect: (Option<u64>, Option<&str>, Option<&str>, Option<&str>)| {
            let head = Head::read(text.as_bytes()).unwrap();
            assert_eq!((head.id, head.method, head.session, head.params.map(RawValue::get)), expect);
        };
        check(r#"{"id":7,"result":{"a":"}\"{"},"sessionId":"S"}"#, (Some(7), None, Some("S"), None));
        check(
            r#"{"method":"Page.x","params":{"id":1,"method":"no"},"sessionId":"S"}"#,
            (None, Some("Page.x"), Some("S"), Some(r#"{"id":1,"method":"no"}"#)),
        );
        check(r#"{"method":"Target.y","params":{}}"#, (None, Some("Target.y"), None, Some("{}")));
        assert!(Head::read(b"{").is_none());
    }

    #[test]
    fn commands_are_written() {
        assert_eq!(command(1, "", "Browser.getVersion", ""), r#"{"id":1,"method":"Browser.getVersion","params":{}}"#);
        let expect = r#"{"id":2,"method":"Page.enable","params":{"a":1},"sessionId":"S"}"#;
        assert_eq!(command(2, "S", "Page.enable", r#"{"a":1}"#), expect);
    }
}

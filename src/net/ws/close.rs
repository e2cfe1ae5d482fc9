//! How a connection ended: close codes with their names, and the texts that scripts see.
//!
//! The texts are those of the library k6 uses; scripts compare them.

/// Why a connection is over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CloseOutcome {
    /// The code of the close frame, 1005 for one without a code, 1006 where the connection ended without one; `None`
    /// after any other error.
    pub code: Option<u16>,
    /// What the close frame said; what went wrong where there was none.
    pub reason: String,
    /// What went wrong while writing, where that came first.
    pub write_error: Option<String>,
}

/// A normal end.
pub const NORMAL: u16 = 1000;
/// One side leaves: a page, a server.
pub const GOING_AWAY: u16 = 1001;
/// The peer broke the rules.
pub const PROTOCOL_ERROR: u16 = 1002;
/// Stands for a close frame without a code; never sent.
pub const NO_STATUS: u16 = 1005;
/// Stands for a connection that ended without a close frame; never sent.
pub const ABNORMAL: u16 = 1006;
/// A message that can't be decompressed.
pub const INVALID_PAYLOAD: u16 = 1007;
/// A message that is too long.
pub const TOO_BIG: u16 = 1009;

/// The codes that have a name.
const NAMES: [(u16, &str); 12] = [
    (NORMAL, "normal"),
    (GOING_AWAY, "going away"),
    (PROTOCOL_ERROR, "protocol error"),
    (1003, "unsupported data"),
    (NO_STATUS, "no status"),
    (ABNORMAL, "abnormal closure"),
    (INVALID_PAYLOAD, "invalid payload data"),
    (1008, "policy violation"),
    (TOO_BIG, "message too big"),
    (1010, "mandatory extension missing"),
    (1011, "internal server error"),
    (1015, "TLS handshake error"),
];

/// True for a code that a peer may put into a close frame.
pub fn may_be_received(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1013 | 3000..=4999)
}

/// What a close frame of this code carries. 1005 means none.
pub fn payload(code: u16, reason: &str) -> Vec<u8> {
    if code == NO_STATUS {
        return Vec::new();
    }
    let mut payload = code.to_be_bytes().to_vec();
    payload.extend_from_slice(reason.as_bytes());
    payload
}

impl CloseOutcome {
    /// A close frame came.
    pub fn closed(code: u16, reason: impl Into<String>) -> Self {
        Self { code: Some(code), reason: reason.into(), write_error: None }
    }

    /// Something else went wrong.
    pub fn failed(text: impl Into<String>) -> Self {
        Self { code: None, reason: text.into(), write_error: None }
    }

    /// The whole text: `websocket: close 4001: reason`.
    pub fn text(&self) -> String {
        let Some(code) = self.code else { return self.reason.clone() };
        let mut text = format!("websocket: close {code}");
        if let Some((_, name)) = NAMES.iter().find(|(known, _)| *known == code) {
            text.push_str(&format!(" ({name})"));
        }
        if !self.reason.is_empty() {
            text.push_str(": ");
            text.push_str(&self.reason);
        }
        text
    }

    /// The error that a script sees: none where the peer closed normally, or simply left.
    pub fn complaint(&self) -> Option<String> {
        match self.code {
            None => self.write_error.clone(),
            Some(NORMAL | GOING_AWAY) => None,
            Some(_) => Some(self.text()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closes_have_their_words() {
        let check = |code: u16, reason: &str, text: &str, complains: bool| {
            let farewell = CloseOutcome::closed(code, reason);
            assert_eq!((farewell.text().as_str(), farewell.complaint().is_some()), (text, complains));
        };
        check(1000, "", "websocket: close 1000 (normal)", false);
        check(1001, "bye", "websocket: close 1001 (going away): bye", false);
        check(1005, "", "websocket: close 1005 (no status)", true);
        check(1006, "unexpected EOF", "websocket: close 1006 (abnormal closure): unexpected EOF", true);
        check(1012, "", "websocket: close 1012", true);
        check(4001, "srv reason", "websocket: close 4001: srv reason", true);
        assert_eq!(CloseOutcome::failed("read tcp: reset").complaint(), None);
    }

    #[test]
    fn only_some_codes_may_be_received() {
        for (code, expect) in [(999, false), (1000, true), (1004, false), (1005, false), (1006, false), (1013, true)] {
            assert_eq!(may_be_received(code), expect, "{code}");
        }
        for (code, expect) in [(1014, false), (1015, false), (2999, false), (3000, true), (4999, true), (5000, false)] {
            assert_eq!(may_be_received(code), expect, "{code}");
        }
    }
}

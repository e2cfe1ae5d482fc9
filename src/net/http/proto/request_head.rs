//! A request on its way out: its head as HTTP/1.1 writes it, and its body in pieces that are never joined.

use std::io::IoSlice;

use bytes::Bytes;
use smallvec::SmallVec;

use super::headers::RequestHeaders;

/// A request as it is written on the wire.
#[derive(Debug)]
pub struct WireRequest<'a> {
    /// The method.
    pub method: &'a str,
    /// Path and query, or the whole URL for a proxy.
    pub target: &'a str,
    /// The value of `Host`.
    pub host: &'a str,
    /// The user's headers.
    pub headers: &'a RequestHeaders,
    /// Headers of this hop, sorted by name: `Authorization`, `Cookie`, `Referer`.
    pub hop_headers: &'a [(&'static str, &'a str)],
    /// What follows the head.
    pub body: WireBody<'a>,
    /// Adds `Connection: close` as the last line.
    pub close: bool,
}

/// The body of a request and how it is framed.
#[derive(Clone, Copy, Debug)]
pub enum WireBody<'a> {
    /// None, and no length.
    None,
    /// These bytes one after the other, with their length (which may be 0).
    Sized(&'a [Bytes]),
    /// Nothing, in a chunked frame: k6's way to send `""`.
    EmptyChunked,
}

impl WireBody<'_> {
    /// How many bytes it has.
    pub fn len(&self) -> usize {
        match self {
            Self::Sized(pieces) => pieces.iter().map(Bytes::len).sum(),
            Self::None | Self::EmptyChunked => 0,
        }
    }

    /// True when no bytes follow the head, apart from framing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl WireRequest<'_> {
    /// Writes the first line and the headers, down to the empty line.
    pub(in crate::net) fn write_head(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.method.as_bytes());
        out.push(b' ');
        let mut line = |parts: [&str; 3]| {
            for part in parts {
                out.extend_from_slice(part.as_bytes());
            }
            out.extend_from_slice(b"\r\n");
        };
        line([self.target, " HTTP/1.1", ""]);
        line(["Host", ": ", self.host]);
        if let Some(agent) = self.headers.user_agent.as_deref().filter(|agent| !agent.is_empty()) {
            line(["User-Agent", ": ", agent]);
        }
        match self.body {
            WireBody::None => {}
            WireBody::Sized(_) => {
                let mut digits = [0; 20];
                line(["Content-Length", ": ", decimal(self.body.len(), &mut digits)]);
            }
            WireBody::EmptyChunked => line(["Transfer-Encoding", ": ", "chunked"]),
        }
        self.each_field(|name, value| line([name, ": ", value]));
        if self.close && !self.headers.wants_close() {
            line(["Connection", ": ", "close"]);
        }
        line(["", "", ""]);
    }

    /// The user's headers and those of this hop, sorted by name.
    pub fn each_field(&self, mut each: impl FnMut(&str, &str)) {
        let mut hop_headers = self.hop_headers.iter().peekable();
        for (name, value) in &self.headers.rest {
            while let Some((own, value)) = hop_headers.next_if(|(own, _)| *own < name.as_str()) {
                each(own, value);
            }
            if hop_headers.next_if(|(own, _)| own == name).is_none_or(|(own, value)| {
                // What this hop says wins over what the user said.
                each(own, value);
                false
            }) {
                each(name, value);
            }
        }
        for (own, value) in hop_headers {
            each(own, value);
        }
    }
}

fn decimal(mut number: usize, digits: &mut [u8; 20]) -> &str {
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    std::str::from_utf8(&digits[at..]).unwrap_or("0")
}

/// At most this many pieces go into one write.
pub(in crate::net) const MAX_SLICES: usize = 8;

/// The part of a body that is not written yet.
pub(in crate::net) struct UnsentBody<'a> {
    pub pieces: &'a [Bytes],
    /// How much of the first piece is written.
    pub at: usize,
}

impl<'a> UnsentBody<'a> {
    pub const NONE: Self = Self { pieces: &[], at: 0 };

    pub fn is_empty(&self) -> bool {
        self.pieces.iter().map(Bytes::len).sum::<usize>() == self.at
    }

    pub fn show(&self, slices: &mut SmallVec<[IoSlice<'a>; MAX_SLICES]>) {
        let mut skipped = self.at;
        for piece in &self.pieces[..self.pieces.len().min(MAX_SLICES - slices.len())] {
            slices.push(IoSlice::new(&piece[std::mem::take(&mut skipped)..]));
        }
    }

    pub fn advance(&mut self, count: usize) {
        self.at += count;
        while let [first, rest @ ..] = self.pieces
            && self.at >= first.len()
        {
            self.at -= first.len();
            self.pieces = rest;
        }
    }
}

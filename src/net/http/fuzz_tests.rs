//! What must hold for whatever a server sends: heads, framings, cookies. Entered here with broken examples, and by the
//! targets of `tests/fuzz` with what libFuzzer thinks of.

use bytes::Bytes;

use super::Url;
use super::coding::decode;
use super::proto::cookies::{Cookie, CookieJar, cookie_header};
use super::proto::headers::{Headers, is_token_byte, is_valid_value};
use super::proto::response_head::{framing, parse_head};
use super::proto::{auth, ntlm};
#[cfg(test)]
pub use crate::units::fuzz_tests::break_each;

/// The head of an answer, and behind it its body: read in one piece and in small ones.
pub fn answer(data: &[u8]) {
    let end = memchr::memmem::find(data, b"\r\n\r\n").map_or(data.len(), |at| at + 4);
    let (head, body) = data.split_at(end);
    let Ok(mut answer) = parse_head(head) else { return };
    for (name, value) in answer.headers.iter() {
        assert!(!name.is_empty() && name.bytes().all(|byte| is_token_byte(byte) || byte == b' '), "{name:?}");
        assert!(!value.contains(['\r', '\n', '\0']), "{value:?}");
    }
    let coding = answer.headers.get("Content-Encoding").map(str::to_owned);
    let Ok(framing) = framing("GET", &mut answer) else { return };
    let read = |step: usize| {
        let (mut framing, mut kept, mut used) = (framing.clone(), Vec::new(), 0);
        for piece in body.chunks(step) {
            match framing.push(piece, &mut |part| kept.extend_from_slice(part)) {
                Ok(taken) => used += taken,
                Err(error) => return (kept, 0, Err(error.text.into_owned())),
            }
            if framing.is_done() {
                break;
            }
        }
        (kept, used, Ok(framing.is_done()))
    };
    let whole = read(usize::MAX);
    assert!(whole.0.len() <= body.len());
    for step in [1, 3, 4096] {
        assert_eq!(read(step), whole, "in pieces of {step}");
    }
    if let Some(coding) = coding {
        // Refused or decoded; a few KB can't become a lot in a test.
        _ = decode::decode(&coding, Bytes::from(whole.0));
    }
}

/// A `Set-Cookie`, kept and sent back.
pub fn cookie(data: &[u8]) {
    let line = String::from_utf8_lossy(data);
    let Some(cookie) = Cookie::parse(&line) else { return };
    let jar = CookieJar::new();
    for address in ["http://a.b.test/x/y?z", "https://127.0.0.1:8080/"] {
        let Ok(url) = Url::parse(address) else { panic!("{address} is a URL") };
        jar.store(&url, std::slice::from_ref(&cookie));
        let sent = cookie_header(None, &[], Some(&jar), &url).unwrap_or_default();
        assert!(!sent.bytes().any(|byte| byte < b' ' || byte == 0x7f), "{sent:?}");
        assert!(jar.cookies_for(&url).len() <= 1);
        jar.delete(&url, &cookie.name);
        jar.clear(&url);
        assert_eq!(jar.cookies_for(&url), []);
    }
}

/// A URL, as `Location` has it, and on its own.
pub fn location(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let Ok(base) = Url::parse("http://user:pw@host.test:81/a/b?c#d") else { panic!("this is a URL") };
    for url in [Url::parse(&text).ok(), base.join(&text).ok()].into_iter().flatten() {
        assert!(!url.request_target().contains(['\r', '\n', '\0']), "{url:?}");
        // What was read once is read again as the same.
        if url.host().is_empty() || url.host().contains('%') {
            // Nobody is asked there; and a zone stands in the text as the system wants it, not as a URL writes it.
            continue;
        }
        let again = Url::parse(url.as_str()).map(|again| again.as_str().to_owned());
        assert!(again.is_ok(), "{:?} of {text:?}: {again:?}", url.as_str());
        _ = (url.clean(), url.referer(), url.port_or_default(), url.credentials());
    }
}

/// A challenge: answered, or left alone; the answer is one that may be sent.
pub fn challenge(data: &[u8]) {
    let mut headers = Headers::default();
    for line in data.split(|byte| *byte == b'\n') {
        // As heads are read: nothing else gets here.
        if is_valid_value(&String::from_utf8_lossy(line)) {
            headers.push(b"Www-Authenticate", line);
        }
    }
    if let Some(challenge) = auth::DigestChallenge::find(&headers) {
        let answer = challenge.answer(("ann", "pw"), "GET", "/x?y", b"body", &auth::client_nonce());
        assert!(answer.starts_with("Digest username=\"ann\"") && is_valid_value(&answer), "{answer:?}");
    }
    if let Some(scheme) = ntlm::offered(&headers)
        && let Some(answer) = ntlm::authenticate(&headers, scheme, "dom\\ann", "pw")
    {
        assert!(answer.starts_with(scheme) && is_valid_value(&answer), "{answer:?}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_answer_is_read_or_refused() {
        break_each(
            &[
                b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello and more",
                b"HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n3;a=b\r\nabc\r\nA\r\n0123456789\r\n0\r\nX: y\r\n\r\nrest",
                b"HTTP/1.0 404 Not Found\nConnection: keep-alive\nX: folded\n  over lines\n\tand tabs\n\n\r\n\r\nuntil the end",
                b"HTTP/1.1 301 Moved\r\nLocation: /x\r\nSet-Cookie: a=b\r\nSet-Cookie: c=d\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n",
                b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip, deflate,br , zstd\r\nContent-Length: 20\r\n\r\n\x1f\x8b\x08\0\0\0\0\0\0\x03\x4b\xcc\x03\0\x4b\x1d\x88\x99\x02\0\0\0",
            ],
            answer,
        );
    }

    #[test]
    fn any_cookie_is_kept_or_refused() {
        break_each(
            &[
                b"name=value; Path=/x; Domain=.b.test; Expires=Wed, 21 Oct 2065 07:28:00 GMT; Max-Age=100; Secure; HttpOnly",
                b"sid=\"quoted, value\"; path=\"/\"; samesite=lax; partitioned",
                b"a=; expires=Thu, 01-Jan-70 00:00:00 GMT; max-age=-1",
                b"__Host-x=\xc3\xa4; domain=127.0.0.1; max-age=99999999999999999999",
            ],
            cookie,
        );
    }

    #[test]
    fn any_location_is_followed_or_refused() {
        break_each(
            &[
                b"http://user:pass%20word@host.test:8080/a%2Fb/../c?q=1&r=%zz#frag",
                b"//other/x",
                b"/abs?x",
                b"../up/./there",
                b"?only",
                b"https://[fe80::1%25en0]:443/\xc3\xbc",
                b"mailto:x@y",
            ],
            location,
        );
    }

    #[test]
    fn any_challenge_is_answered_or_left_alone() {
        break_each(
            &[
                b"Digest realm=\"a b\", nonce=\"n\", qop=\"auth,auth-int\", opaque=o, algorithm=MD5\nBasic realm=x",
                b"NTLM TlRMTVNTUAACAAAADAAMADgAAAAFgomiASNFZ4mrze8AAAAAAAAAACQAJABEAAAABgBwFwAAAA9TAGUAcgB2AGUAcgACAAwARABvAG0AYQBpAG4AAQAMAFMAZQByAHYAZQByAAAAAAA=",
                b"Negotiate, NTLM",
                b"NTLM TlRMTVNTUAACAAAA",
            ],
            challenge,
        );
    }
}

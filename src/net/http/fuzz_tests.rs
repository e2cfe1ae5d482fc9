//! What must hold for whatever a server sends: heads, framings, cookies. Entered here with broken examples, and by the
//! targets of `tests/fuzz` with what libFuzzer thinks of.

use bytes::Bytes;

use super::cookies::{Cookie, Jar, cookie_header};
use super::h1::{framing, parse_head};
use super::headers::is_token_byte;
use super::{Url, decode};

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
                Err(fault) => return (kept, 0, Err(fault.text.into_owned())),
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
    let jar = Jar::new();
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

/// Breaks examples in many ways and lets `check` look at each: a few thousand times, or for as many seconds as
/// `VOLLEY_FUZZ_SECONDS` says.
#[cfg(test)]
pub fn break_each(examples: &[&[u8]], check: impl Fn(&[u8])) {
    let seconds = std::env::var("VOLLEY_FUZZ_SECONDS").ok().and_then(|text| text.parse::<u64>().ok());
    let begun = std::time::Instant::now();
    let mut state: u64 = seconds.map_or(0x9e37_79b9_7f4a_7c15, |_| std::process::id().into());
    let mut random = move |below: usize| {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ mixed >> 31) as usize % below.max(1)
    };
    examples.iter().for_each(|example| check(example));
    let mut count = 0u64;
    while seconds.map_or(count < 3000, |seconds| begun.elapsed().as_secs() < seconds) {
        count += 1;
        let mut data = examples[random(examples.len())].to_vec();
        for _ in 0..=random(8) {
            let at = random(data.len() + 1);
            match random(7) {
                0 if at < data.len() => data[at] = random(256) as u8,
                1 if at < data.len() => data[at] ^= 1 << random(8),
                2 => data.truncate(at),
                3 => data.insert(at, b"\r\n\0 ;,=:.#|@*?!\\\"'(){}[]/%&<>~09azAZ\xc3\xff"[random(38)]),
                4 if at < data.len() => _ = data.remove(at),
                5 => {
                    // A piece of another example.
                    let other = examples[random(examples.len())];
                    let from = random(other.len() + 1);
                    let to = from + random(other.len() - from + 1);
                    data.splice(at..at, other[from..to].iter().copied());
                }
                _ => {
                    let to = at + random((data.len() - at).min(16) + 1);
                    let piece = data[at..to].repeat(1 + random(4));
                    data.splice(at..to, piece);
                }
            }
        }
        data.truncate(64 * 1024);
        check(&data);
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
}

//! A small HTTP/1.1 server for scripts under test, on 127.0.0.1, one thread per connection.
//!
//! It does what its paths say and nothing else; it is no example of a server. Misbehaviour lives here too:
//! `/reset` resets the connection, `/hang` never answers, `/close` says nothing and leaves.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Condvar, LazyLock, Mutex};
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::websocket;

/// The address of the server all tests share.
pub fn address() -> SocketAddr {
    static ADDRESS: LazyLock<SocketAddr> = LazyLock::new(|| serve(|stream| converse(stream).map(drop)));
    *ADDRESS
}

/// Its base URL, without a slash at the end.
pub fn url() -> String {
    format!("http://{}", address())
}

/// Gives every connection to a new listener to `handle`, on a thread of its own.
pub fn serve(handle: impl Fn(TcpStream) -> io::Result<()> + Clone + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("a listener has an address");
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let handle = handle.clone();
            // A client that leaves early is the client's business.
            std::thread::spawn(move || _ = handle(stream));
        }
    });
    address
}

/// Makes the connection end with a reset instead of a farewell.
pub fn reset(stream: &TcpStream) -> io::Result<()> {
    socket2::SockRef::from(stream).set_linger(Some(Duration::ZERO))
}

struct Request {
    method: String,
    path: String,
    query: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Request {
    fn read(reader: &mut impl BufRead) -> io::Result<Option<Self>> {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let mut words = line.split_whitespace();
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or("/"));
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let (method, path, query) = (method.to_owned(), path.to_owned(), query.to_owned());
        let mut headers = Vec::new();
        loop {
            line.clear();
            reader.read_line(&mut line)?;
            let Some((name, value)) = line.split_once(':') else { break };
            headers.push((name.to_owned(), value.trim().to_owned()));
        }
        let mut request = Self { method, path, query, headers, body: Vec::new() };
        if request.header("transfer-encoding") == Some("chunked") {
            request.body = read_chunks(reader)?;
        } else {
            let length = request.header("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
            reader.take(length).read_to_end(&mut request.body)?;
        }
        Ok(Some(request))
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    fn is_last(&self) -> bool {
        self.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"))
    }
}

/// A body in chunks (RFC 9112, 7.1), without extensions and trailers.
fn read_chunks(reader: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let length = u64::from_str_radix(line.trim_end(), 16).map_err(io::Error::other)?;
        reader.by_ref().take(length).read_to_end(&mut body)?;
        reader.read_exact(&mut [0; 2])?;
        if length == 0 {
            return Ok(body);
        }
    }
}

struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Answer {
    fn new(status: u16, kind: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: vec![("Content-Type".to_owned(), kind.to_owned())], body: body.into() }
    }

    fn text(body: impl Into<String>) -> Self {
        Self::new(200, "text/plain", body.into())
    }

    fn json(value: &Value) -> Self {
        Self::new(200, "application/json", value.to_string())
    }

    fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    fn write(&self, method: &str, stream: &mut impl Write) -> io::Result<()> {
        let mut head = format!("HTTP/1.1 {} {}\r\n", self.status, reason(self.status));
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        let has_body = self.status >= 200 && self.status != 204 && self.status != 304;
        if has_body {
            head += &format!("Content-Length: {}\r\n", self.body.len());
        }
        let mut bytes = (head + "\r\n").into_bytes();
        if has_body && method != "HEAD" {
            bytes.extend_from_slice(&self.body);
        }
        stream.write_all(&bytes)
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        204 => "No Content",
        302 => "Found",
        404 => "Not Found",
        500 => "Internal Server Error",
        _ => "Whatever",
    }
}

/// Answers requests until the client leaves.
pub fn converse(stream: TcpStream) -> io::Result<TcpStream> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut writer = stream.try_clone()?;
    let mut count = 0;
    while let Some(request) = Request::read(&mut reader)? {
        count += 1;
        if request.header("upgrade") == Some("websocket") && request.path.starts_with("/ws/") {
            websocket::serve(writer, &request.path, &request.headers)?;
            break;
        }
        match answer(&request, count) {
            Some(answer) => answer.write(&request.method, &mut writer)?,
            None if request.path == "/reset" => {
                reset(&stream)?;
                break;
            }
            None if request.path == "/raw" => {
                // Whatever the client wants to hear.
                writer.write_all(&request.body)?;
                break;
            }
            None if request.path == "/hang" => {
                // Until the client gives up.
                _ = reader.read(&mut [0]);
                break;
            }
            None => break,
        }
        if request.is_last() {
            break;
        }
    }
    Ok(stream)
}

/// What there is at a path; `None` for misbehaviour.
fn answer(request: &Request, count: usize) -> Option<Answer> {
    let parts: Vec<_> = request.path.trim_matches('/').split('/').collect();
    let number = |text: &str| text.parse::<usize>().unwrap_or(0);
    Some(match parts.as_slice() {
        ["echo", ..] => Answer::json(&echo(request)),
        ["status", status] => Answer::new(number(status) as u16, "text/plain", format!("status {status}")),
        ["json"] => Answer::json(&json!({
            "data": [{"id": 1, "name": "one"}, {"id": 2, "name": "two"}],
            "total": 2, "price": 12.5, "ok": true, "nothing": null,
        })),
        ["text"] => Answer::text("plain text"),
        ["bytes", length] => {
            let bytes: Vec<u8> = (0..number(length)).map(|at| (at % 256) as u8).collect();
            Answer::new(200, "application/octet-stream", bytes)
        }
        ["together", count, key] => Answer::text(if meet(key, number(count)) { "together" } else { "alone" }),
        ["redirect", "0"] => Answer::text("arrived"),
        ["redirect", hops] => {
            Answer::new(302, "text/plain", "").with("Location", format!("/redirect/{}", number(hops) - 1))
        }
        ["headers", count] => (0..number(count))
            .fold(Answer::text("many"), |answer, at| answer.with(&format!("X-Many-{at}"), at.to_string())),
        ["cookies", "many", count] => (0..number(count))
            .fold(Answer::text("many"), |answer, at| answer.with("Set-Cookie", format!("c{at}={at}; Path=/"))),
        ["cookies"] => Answer::json(&json!(request.header("cookie"))),
        ["cookies", "set"] => {
            let set = request.query.split('&').filter(|pair| !pair.is_empty());
            set.fold(Answer::text("set"), |answer, pair| answer.with("Set-Cookie", format!("{pair}; Path=/")))
        }
        ["gzip"] => {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(b"it was compressed").ok()?;
            Answer::new(200, "text/plain", encoder.finish().ok()?).with("Content-Encoding", "gzip")
        }
        // The body as it came, without its last bytes, as if it were in these codings.
        ["encoded", codings, missing] => {
            let kept = request.body.len().saturating_sub(number(missing));
            Answer::new(200, "text/plain", &request.body[..kept]).with("Content-Encoding", codings.replace('+', ", "))
        }
        ["basic", user, password] => {
            use base64::Engine as _;
            let expected = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
            match request.header("authorization") == Some(&format!("Basic {expected}")) {
                true => Answer::text("welcome"),
                false => Answer::new(401, "text/plain", "who are you"),
            }
        }
        ["html"] => Answer::new(200, "text/html", "<html><body><h1>Title</h1><a href=\"/text\">go</a></body></html>"),
        ["reflect"] => Answer::new(200, "text/html", request.body.clone()),
        // What the bytes of the body add up to; a form's boundary and head are not looked at.
        ["sum"] => Answer::text(contents(request).iter().map(|byte| u64::from(*byte)).sum::<u64>().to_string()),
        ["told", key] => Answer::text(websocket::told(key)),
        ["nth"] => Answer::text(count.to_string()),
        ["close" | "reset" | "hang" | "raw"] => return None,
        _ => Answer::new(404, "text/plain", "nothing here"),
    })
}

/// Waits until so many requests wait under this key; false when they don't come.
fn meet(key: &str, count: usize) -> bool {
    static WAITING: Mutex<Option<HashMap<String, usize>>> = Mutex::new(None);
    static CAME: Condvar = Condvar::new();
    let mut waiting = WAITING.lock().expect("nobody panicked");
    *waiting.get_or_insert_default().entry(key.to_owned()).or_default() += 1;
    CAME.notify_all();
    let are_few = |waiting: &mut Option<HashMap<String, usize>>| waiting.get_or_insert_default()[key] < count;
    let (_guard, result) = CAME.wait_timeout_while(waiting, Duration::from_secs(20), are_few).expect("nobody panicked");
    !result.timed_out()
}

/// The body, or the one file of a form.
fn contents(request: &Request) -> &[u8] {
    let body = &request.body[..];
    let Some(boundary) = request.header("content-type").and_then(|kind| kind.split_once("boundary=")) else {
        return body;
    };
    let end = format!("\r\n--{}--\r\n", boundary.1);
    let begin = body.windows(4).position(|bytes| bytes == b"\r\n\r\n").map_or(0, |at| at + 4);
    body.strip_suffix(end.as_bytes()).map_or(body, |body| &body[begin..])
}

fn echo(request: &Request) -> Value {
    let headers: Map<_, _> =
        request.headers.iter().map(|(name, value)| (name.to_lowercase(), Value::from(value.as_str()))).collect();
    json!({
        "method": request.method,
        "path": request.path,
        "query": request.query,
        "headers": headers,
        "body": String::from_utf8_lossy(&request.body),
    })
}

//! `stats`: the metrics of a running test, asked for at its REST API and printed as YAML.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use serde_json::Value;

use super::usage::refuse;
use crate::failure::Failure;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Asks the run whose REST API listens at `address` (`host:port` or `:port`).
///
/// # Errors
/// Nobody there, or an answer that isn't a list of metrics; code 255.
pub fn fetch(address: &str) -> Result<String, Failure> {
    let address = if address.starts_with(':') { format!("localhost{address}") } else { address.to_owned() };
    let failed = |error: std::io::Error| refuse(format!("asking `{address}` for its metrics: {error}"));
    let mut stream = connect(&address).map_err(failed)?;
    stream.set_read_timeout(Some(PATIENCE)).map_err(failed)?;
    // HTTP/1.0, so that the answer ends where the connection does.
    let request = format!("GET /v1/metrics HTTP/1.0\r\nHost: {address}\r\nAccept: application/json\r\n\r\n");
    stream.write_all(request.as_bytes()).map_err(failed)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).map_err(failed)?;
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.lines().next().unwrap_or_default();
    let unexpected = || refuse(format!("`{address}` doesn't answer like a running test: {status}"));
    if status.split(' ').nth(1) != Some("200") {
        return Err(unexpected());
    }
    let value: Value = serde_json::from_str(body).map_err(|_| unexpected())?;
    Ok(yaml(value["data"].as_array().ok_or_else(unexpected)?))
}

fn connect(address: &str) -> std::io::Result<TcpStream> {
    let mut last = std::io::ErrorKind::AddrNotAvailable.into();
    for candidate in address.to_socket_addrs()? {
        match TcpStream::connect_timeout(&candidate, PATIENCE) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn yaml(metrics: &[Value]) -> String {
    let mut sorted: Vec<&Value> = metrics.iter().collect();
    sorted.sort_by_key(|metric| metric["id"].as_str());
    let mut text = String::new();
    for metric in sorted {
        let facts = &metric["attributes"];
        // Writing to a string can't fail. JSON scalars are YAML scalars.
        let _ = writeln!(text, "- name: {}", metric["id"]);
        for key in ["type", "contains", "tainted"] {
            let _ = writeln!(text, "  {key}: {}", facts[key]);
        }
        text.push_str("  sample:\n");
        for (name, value) in facts["sample"].as_object().into_iter().flatten() {
            let _ = writeln!(text, "    {name}: {value}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader};
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn metrics_are_asked_for_and_printed() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            // All of it is read: a connection closed on unread bytes is reset, and the answer lost with it.
            let mut request = BufReader::new(&stream).lines().map(Result::unwrap);
            assert_eq!(request.next().unwrap(), "GET /v1/metrics HTTP/1.0");
            assert!(request.any(|line| line.is_empty()));
            let body = r#"{"data":[{"type":"metrics","id":"vus","attributes":{"type":"gauge","contains":"default",
                "tainted":null,"sample":{"value":2}}}]}"#;
            write!(stream, "HTTP/1.0 200 OK\r\n\r\n{body}").unwrap();
        });
        let expect =
            "- name: \"vus\"\n  type: \"gauge\"\n  contains: \"default\"\n  tainted: null\n  sample:\n    value: 2\n";
        assert_eq!(fetch(&address).unwrap(), expect);
        server.join().unwrap();
    }
}

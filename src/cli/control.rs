//! `stats`, `status`, `pause`, `resume` and `scale`: clients of a running test's REST API; answers are printed as YAML.
//!
//! k6 2 kept only `stats`; the others are those of k6 1. No load: plain sockets, and no runtime is started for them.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use clap::Args;
use serde_json::{Map, Value, json};

use super::commands::{Command, CommandContext};
use super::usage::{bad_value, no_arguments, refuse, unknown_command};
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::options::text;

/// How long an answer may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// Print the metrics of a running test
#[derive(Debug, Args)]
pub(super) struct StatsArgs {
    /// Must be empty
    #[arg(hide = true)]
    stray: Vec<String>,
}

impl Command for StatsArgs {
    fn run(self, context: CommandContext) -> Result<ExitCode, Failure> {
        ask("stats", &self.stray, &context, || Ok(ControlRequest::Metrics))
    }
}

/// Print how a running test is doing
#[derive(Debug, Args)]
pub(super) struct StatusArgs {
    /// Must be empty
    #[arg(hide = true)]
    stray: Vec<String>,
}

impl Command for StatusArgs {
    fn run(self, context: CommandContext) -> Result<ExitCode, Failure> {
        ask("status", &self.stray, &context, || Ok(ControlRequest::Status))
    }
}

/// Hold a running test whose scenarios are externally-controlled
#[derive(Debug, Args)]
pub(super) struct PauseArgs {
    /// Must be empty
    #[arg(hide = true)]
    stray: Vec<String>,
}

impl Command for PauseArgs {
    fn run(self, context: CommandContext) -> Result<ExitCode, Failure> {
        ask("pause", &self.stray, &context, || Ok(ControlRequest::paused(true)))
    }
}

/// Let a paused test go on, or start one that was started with --paused
#[derive(Debug, Args)]
pub(super) struct ResumeArgs {
    /// Must be empty
    #[arg(hide = true)]
    stray: Vec<String>,
}

impl Command for ResumeArgs {
    fn run(self, context: CommandContext) -> Result<ExitCode, Failure> {
        ask("resume", &self.stray, &context, || Ok(ControlRequest::paused(false)))
    }
}

/// Change the VUs of a running test with an externally-controlled scenario
#[derive(Clone, Debug, Default, Args)]
pub(super) struct ScaleArgs {
    /// How many VUs work
    #[arg(short = 'u', long, value_name = "COUNT")]
    vus: Option<String>,
    /// How many VUs there may be
    #[arg(short, long, value_name = "COUNT")]
    max: Option<String>,
    /// Must be empty
    #[arg(hide = true)]
    stray: Vec<String>,
}

impl Command for ScaleArgs {
    fn run(self, context: CommandContext) -> Result<ExitCode, Failure> {
        ask("scale", &self.stray, &context, || ControlRequest::scale(&self))
    }
}

/// Sends a request to a running test and prints what it says; of these commands k6 2 has only `stats`.
fn ask(
    name: &str,
    stray: &[String],
    context: &CommandContext,
    request: impl FnOnce() -> Result<ControlRequest, Failure>,
) -> Result<ExitCode, Failure> {
    if context.global.strict && name != "stats" {
        return Err(refuse(unknown_command(name, "")));
    }
    no_arguments(name, stray)?;
    let request = request()?;
    let missing = || refuse(format!("`{name}` needs the `--address` of a running test"));
    let hint = "start the test with `--address=localhost:6565` and say the same here, or set K6_ADDRESS for both";
    let address = context.global.address.as_ref().ok_or_else(|| missing().hint(hint))?;
    context.print(&request.send(address)?)
}

/// What is asked of a running test.
#[derive(Clone, Debug, PartialEq)]
enum ControlRequest {
    /// Its metrics.
    Metrics,
    /// How it is doing.
    Status,
    /// To change: attributes of its status.
    Change(Map<String, Value>),
}

impl ControlRequest {
    /// `pause` and `resume`.
    fn paused(paused: bool) -> Self {
        Self::Change([("paused".to_owned(), json!(paused))].into_iter().collect())
    }

    /// `scale`.
    ///
    /// # Errors
    /// Invalid numbers, or none at all; code 255.
    fn scale(args: &ScaleArgs) -> Result<Self, Failure> {
        let mut wanted = Map::new();
        for (flag, key, value) in [("-u, --vus", "vus", &args.vus), ("-m, --max", "vus-max", &args.max)] {
            if let Some(value) = value {
                let count = text::parse_int(value).map_err(|error| bad_value(flag, value, error))?;
                wanted.insert(key.to_owned(), json!(count));
            }
        }
        if wanted.is_empty() {
            return Err(refuse("`scale` needs `--vus` or `--max`"));
        }
        Ok(Self::Change(wanted))
    }

    /// Sends it to the run whose REST API listens at `address` (`host:port` or `:port`).
    ///
    /// # Errors
    /// No answer, an answer that no running test gives, or the reason why it refused; code 255.
    fn send(&self, address: &str) -> Result<String, Failure> {
        let (method, path, body) = match self {
            Self::Metrics => ("GET", "/v1/metrics", String::new()),
            Self::Status => ("GET", "/v1/status", String::new()),
            Self::Change(wanted) => {
                let body = json!({"data": {"type": "status", "id": "default", "attributes": wanted}});
                ("PATCH", "/v1/status", body.to_string())
            }
        };
        let address = if address.starts_with(':') { format!("localhost{address}") } else { address.to_owned() };
        let (status, body) = exchange(&address, method, path, &body)
            .map_err(|error| refuse(format!("asking the test at `{address}`: {error}")))?;
        let unexpected = || refuse(format!("`{address}` doesn't answer like a running test: {status}"));
        let value: Value = serde_json::from_str(&body).map_err(|_| unexpected())?;
        if status.split(' ').nth(1) != Some("200") {
            let error = &value["errors"][0];
            let words = |key: &str| error[key].as_str().map(str::to_owned);
            let (Some(title), Some(detail)) = (words("title"), words("detail")) else { return Err(unexpected()) };
            return Err(refuse(format!("the test at `{address}` refused: {title}: {detail}")));
        }
        match self {
            Self::Metrics => Ok(metrics_yaml(value["data"].as_array().ok_or_else(unexpected)?)),
            _ => Ok(yaml(value["data"]["attributes"].as_object().ok_or_else(unexpected)?, "")),
        }
    }
}

/// The status line and the body of an answer.
fn exchange(address: &str, method: &str, path: &str, body: &str) -> std::io::Result<(String, String)> {
    let mut stream = connect(address)?;
    stream.set_read_timeout(Some(ANSWER_TIMEOUT))?;
    // HTTP/1.0, so that the answer ends where the connection does.
    let head = format!("{method} {path} HTTP/1.0\r\nHost: {address}\r\nAccept: application/json\r\n");
    let length = body.len();
    let request = format!("{head}Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}");
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    Ok((head.lines().next().unwrap_or_default().to_owned(), body.to_owned()))
}

fn connect(address: &str) -> std::io::Result<TcpStream> {
    let mut last = std::io::ErrorKind::AddrNotAvailable.into();
    for candidate in address.to_socket_addrs()? {
        match TcpStream::connect_timeout(&candidate, ANSWER_TIMEOUT) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn metrics_yaml(metrics: &[Value]) -> String {
    let mut sorted: Vec<&Value> = metrics.iter().collect();
    sorted.sort_by_key(|metric| metric["id"].as_str());
    let mut text = String::new();
    for metric in sorted {
        let facts = &metric["attributes"];
        // Writing to a string can't fail.
        let _ = writeln!(text, "- name: {}", metric["id"]);
        for key in ["type", "contains", "tainted"] {
            let _ = writeln!(text, "  {key}: {}", facts[key]);
        }
        text.push_str("  sample:\n");
        text.push_str(&yaml(facts["sample"].as_object().unwrap_or(&Map::new()), "    "));
    }
    text
}

/// One line for each value; JSON scalars are YAML scalars.
fn yaml(object: &Map<String, Value>, indent: &str) -> String {
    object.iter().map(|(name, value)| format!("{indent}{name}: {value}\n")).collect()
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader};
    use std::net::TcpListener;

    use super::*;

    /// What the client sends first, and what it makes of this answer.
    fn asked(request: &ControlRequest, answer: &str) -> (String, Result<String, String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let answer = answer.to_owned();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            // All of it is read: a connection closed on unread bytes is reset, and the answer lost with it.
            let mut reader = BufReader::new(&stream);
            let mut lines = Vec::new();
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).unwrap();
                if line.trim_end().is_empty() {
                    break;
                }
                lines.push(line.trim_end().to_owned());
            }
            let length = lines.iter().find_map(|line| line.strip_prefix("Content-Length: ")).unwrap();
            let mut body = vec![0; length.parse().unwrap()];
            reader.read_exact(&mut body).unwrap();
            write!(stream, "{answer}").unwrap();
            format!("{} {}", lines[0], String::from_utf8(body).unwrap())
        });
        let said = request.send(&address).map_err(|failure| failure.message.replace(&address, "ADDRESS"));
        (server.join().unwrap(), said)
    }

    #[test]
    fn questions_are_asked_and_answers_printed() {
        let check = |request: ControlRequest, answer: &str, sent: &str, expect: Result<&str, &str>| {
            let (seen, said) = asked(&request, answer);
            assert_eq!(seen.trim_end(), sent);
            assert_eq!(said.as_deref().map_err(String::as_str), expect);
        };
        check(
            ControlRequest::Metrics,
            "HTTP/1.0 200 OK\r\n\r\n{\"data\":[{\"type\":\"metrics\",\"id\":\"vus\",\"attributes\":{\"type\":\"gauge\",\
             \"contains\":\"default\",\"tainted\":null,\"sample\":{\"value\":2}}}]}",
            "GET /v1/metrics HTTP/1.0",
            Ok(
                "- name: \"vus\"\n  type: \"gauge\"\n  contains: \"default\"\n  tainted: null\n  sample:\n    value: 2\n",
            ),
        );
        check(
            ControlRequest::paused(true),
            "HTTP/1.0 200 OK\r\n\r\n{\"data\":{\"type\":\"status\",\"id\":\"default\",\"attributes\":{\"status\":7,\
             \"paused\":true}}}",
            "PATCH /v1/status HTTP/1.0 {\"data\":{\"type\":\"status\",\"id\":\"default\",\"attributes\":{\"paused\":true}}}",
            Ok("status: 7\npaused: true\n"),
        );
        let scale = ScaleArgs { vus: Some("3".to_owned()), max: Some("9".to_owned()), stray: Vec::new() };
        check(
            ControlRequest::scale(&scale).unwrap(),
            "HTTP/1.0 500 Internal Server Error\r\n\r\n{\"errors\":[{\"status\":\"500\",\"title\":\"T\",\"detail\":\"d\"}]}",
            "PATCH /v1/status HTTP/1.0 \
             {\"data\":{\"type\":\"status\",\"id\":\"default\",\"attributes\":{\"vus\":3,\"vus-max\":9}}}",
            Err("the test at `ADDRESS` refused: T: d"),
        );
        check(
            ControlRequest::Status,
            "HTTP/1.0 200 OK\r\n\r\nhello",
            "GET /v1/status HTTP/1.0",
            Err("`ADDRESS` doesn't answer like a running test: HTTP/1.0 200 OK"),
        );
    }

    #[test]
    fn scaling_needs_numbers() {
        let check = |vus: Option<&str>, expect: &str| {
            let args = ScaleArgs { vus: vus.map(str::to_owned), max: None, stray: Vec::new() };
            assert_eq!(ControlRequest::scale(&args).unwrap_err().message, expect);
        };
        check(None, "`scale` needs `--vus` or `--max`");
        let why = "strconv.ParseInt: parsing \"many\": invalid syntax";
        check(Some("many"), &format!("invalid argument \"many\" for \"-u, --vus\" flag: {why}"));
    }
}

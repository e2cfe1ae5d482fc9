//! A second pair of eyes: one connection, one plain GET at a time on a steady beat, no JavaScript, no runtime.
//!
//! `prober URL [SECONDS] [PER_SECOND]` prints `{"count":..,"p50_ms":..,"p95_ms":..,"max_ms":..}`: what the target's
//! latency looks like from beside a load generator. Without a URL, as under `cargo bench`, it says so and does nothing.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program of its own: its output is its purpose")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// A target that says nothing for this long is gone.
const PATIENCE: Duration = Duration::from_secs(10);

fn main() -> ExitCode {
    // cargo adds options and filters of its own; only what looks like a URL starts anything.
    let mut arguments = std::env::args().skip(1).skip_while(|argument| !argument.starts_with("http://"));
    let Some(url) = arguments.next() else {
        println!("usage: prober http://host:port/path [seconds, 10] [requests per second, 100]");
        return ExitCode::SUCCESS;
    };
    let mut number = |default: f64| arguments.next().map_or(Ok(default), |typed| positive(&typed));
    let result = number(10.0).and_then(|seconds| Ok((seconds, number(100.0)?))).and_then(|(seconds, per_second)| {
        let count = (seconds * per_second).ceil() as u32;
        probe(&url, count, Duration::from_secs_f64(1.0 / per_second)).map_err(|error| format!("{url}: {error}"))
    });
    match result {
        Ok(latencies) => {
            println!("{}", report(latencies));
            ExitCode::SUCCESS
        }
        Err(line) => {
            eprintln!("prober: {line}");
            ExitCode::FAILURE
        }
    }
}

fn positive(typed: &str) -> Result<f64, String> {
    let number = typed.parse().ok().filter(|number: &f64| *number > 0.0 && *number <= 1e6);
    number.ok_or_else(|| format!("`{typed}` is not a number above 0"))
}

/// Makes `count` requests, one every `beat`, and returns how long each took in milliseconds.
fn probe(url: &str, count: u32, beat: Duration) -> std::io::Result<Vec<f64>> {
    let (authority, path) = match url["http://".len()..].split_once('/') {
        Some((authority, path)) => (authority, format!("/{path}")),
        None => (&url["http://".len()..], "/".to_owned()),
    };
    let address = if authority.contains(':') { authority.to_owned() } else { format!("{authority}:80") };
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut writer = stream.try_clone()?;
    let mut reader = BufReader::with_capacity(64 * 1024, stream);
    let request = format!("GET {path} HTTP/1.1\r\nHost: {authority}\r\nUser-Agent: volley-prober\r\n\r\n");

    let started = Instant::now();
    let mut latencies = Vec::with_capacity(count as usize);
    for turn in 0..count {
        let due = started + beat * turn;
        // Late already? Then at once: the beat is kept on average, and a slow answer delays but never drops a probe.
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        let sent = Instant::now();
        writer.write_all(request.as_bytes())?;
        skip_response(&mut reader)?;
        latencies.push(sent.elapsed().as_secs_f64() * 1e3);
    }
    Ok(latencies)
}

/// Reads one response to its last byte.
fn skip_response(reader: &mut BufReader<TcpStream>) -> std::io::Result<()> {
    let refuse = |why: String| Err(std::io::Error::other(why));
    let (mut line, mut status, mut length) = (String::new(), None, None);
    loop {
        line.clear();
        if reader.read_line(&mut line)? == 0 {
            return refuse("the target closed the connection".to_owned());
        }
        let text = line.trim_end();
        if status.is_none() {
            status = Some(text.split(' ').nth(1).unwrap_or("").to_owned());
        } else if text.is_empty() {
            break;
        } else if let Some((name, value)) = text.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse::<u64>().ok();
        }
    }
    if status.as_deref() != Some("200") {
        return refuse(format!("expected status 200, got `{}`", status.unwrap_or_default()));
    }
    let Some(length) = length else { return refuse("the response has no Content-Length".to_owned()) };
    std::io::copy(&mut reader.take(length), &mut std::io::sink()).map(drop)
}

fn report(mut latencies: Vec<f64>) -> String {
    latencies.sort_by(f64::total_cmp);
    let percentile = |part: f64| {
        // Between neighbours by distance, as k6 does, so that the two can be compared.
        let place = part * (latencies.len() - 1) as f64;
        let (low, high) = (latencies[place.floor() as usize], latencies[place.ceil() as usize]);
        low + (high - low) * place.fract()
    };
    let (count, p50, p95, max) = (latencies.len(), percentile(0.5), percentile(0.95), percentile(1.0));
    format!("{{\"count\":{count},\"p50_ms\":{p50:.4},\"p95_ms\":{p95:.4},\"max_ms\":{max:.4}}}")
}

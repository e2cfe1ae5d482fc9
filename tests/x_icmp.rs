//! `k6/x/icmp` on the loopback interface, on every engine of the build. Needs the right to open raw sockets, or those for pings.

use std::fs;

use serde_json::Value;
use socket2::{Domain, Protocol, Socket, Type};

use crate::harness::missing;
use crate::program::{engines, run};
use crate::redis::{check, logged, script};

/// Skips a test where pings are not allowed.
pub fn needs_sockets() {
    let opens = |kind| Socket::new(Domain::IPV4, kind, Some(Protocol::ICMPV4)).is_ok();
    if !opens(Type::DGRAM) && !opens(Type::RAW) {
        missing("no socket for pings may be opened here (net.ipv4.ping_group_range, CAP_NET_RAW)");
    }
}

const HEAD: &str = r"
import icmp, { ping, pingAsync } from 'k6/x/icmp';
const told = (work) => { try { return work(); } catch (error) { return String(error); } };
const say = (...values) => console.log(...values.map((value) => typeof value === 'string' ? value : JSON.stringify(value)));
";

fn with_head(text: &str) -> String {
    format!("{HEAD}{text}")
}

#[test]
fn pings_and_their_options() {
    needs_sockets();
    let text = with_head(
        r"
export const options = { hosts: { 'far.test': '127.0.0.2' }, blockHostnames: ['blocked.test'], blacklistIPs: ['10.0.0.0/8'] };
const early = told(() => ping('127.0.0.1'));
const times = { count: 3, interval: '1ms', timeout: 5000 };
export default async function () {
  say(early, icmp.ping === ping, ping('127.0.0.1'), ping('far.test', { count: 2, interval: 1 }), ping('localhost', { size: 0, ttl: 3 }));
  const replies = [];
  const alive = await pingAsync('far.test', { ...times, size: 100, id: 4242, seq: 65535, source: '127.0.0.1', tags: { mine: 'yes' } }, (error, reply) => replies.push(error ?? reply));
  const one = replies[0];
  say(alive, replies.length, replies.map((reply) => reply.seq), one.alive, one.target, one.target_ip, one.target_ip_version, one.size, one.options.size);
  say(one.received_at >= one.sent_at, Math.abs(Date.now() - one.sent_at) < 60000, one.ttl, replies.every((reply) => reply.id === one.id));
  let plain;
  say(await pingAsync('127.0.0.1', (error, reply) => { plain = reply; }), plain.size, plain.options, await pingAsync('127.0.0.1'));
  // Nobody answers there.
  say(ping('127.0.0.1', { ttl: 0, timeout: '50ms', source: '127.0.0.1', count: 0 }), ping('127.0.0.1', { threshold: 500 }));
  say(told(() => ping('blocked.test')), told(() => ping('10.0.0.1')), await pingAsync('blocked.test').catch((error) => `${error.name} ${error.message}`));
  say(told(() => ping('127.0.0.1', { count: 'x' })), told(() => ping('127.0.0.1', { timeout: {} })), told(() => ping('127.0.0.1', { source: 'x' })), told(() => ping('127.0.0.1', { interval: 'x' })));
}",
    );
    for engine in engines() {
        let expect = [
            "GoError: ping is not allowed in the init context true true true true",
            "true 3 [65535,0,1] true far.test 127.0.0.2 ip4 100 100",
            "true true 64 true",
            "true 56  true",
            "false true",
            "GoError: hostname (blocked.test) is in a blocked pattern (blocked.test) GoError: IP (10.0.0.1) is in a blacklisted range (10.0.0.0/8) ICMPError hostname (blocked.test) is in a blocked pattern (blocked.test)",
            "GoError: invalid type: number expected GoError: invalid type: duration expected, not map[string]interface {} GoError: invalid source address \"x\" GoError: time: invalid duration \"x\"",
        ];
        let home = tempfile::tempdir().unwrap();
        let env = [("K6_PING_MINIMUM_INTERVAL", "1ms".to_owned())];
        let outcome = run(&mut script(&home, engine, &text, &env));
        let said: Vec<String> = logged(&outcome.stderr).into_iter().map(|line| line.replace("undefined", "")).collect();
        assert_eq!(said, expect, "{engine}: {}", outcome.stderr);
        let summary: Value = serde_json::from_slice(&fs::read(home.path().join("summary.json")).unwrap()).unwrap();
        let metrics = &summary["metrics"];
        let count = |name: &str| metrics[name]["count"].as_f64().unwrap_or_default();
        assert_eq!((count("icmp_packets_sent"), count("icmp_packets_received")), (10.0, 10.0), "{summary}");
        assert!(count("icmp_errors") >= 3.0 && metrics["icmp_rtt"]["max"].as_f64() > Some(0.0), "{summary}");
        assert!(
            metrics["icmp_resolve"]["max"].is_number() && metrics["icmp_setup"]["max"].as_f64() > Some(0.0),
            "{summary}"
        );
        assert_eq!(metrics["icmp_reply_ttl"]["value"], 64, "{summary}");
        assert!(count("data_sent") > 600.0, "{summary}");
    }
}

#[test]
fn many_vus_deadlines_and_iterations_that_are_cut_off() {
    needs_sockets();
    let text = with_head(
        r"
import { check } from 'k6';
export const options = { thresholds: { checks: ['rate==1'], 'icmp_rtt{ip:127.0.0.1,proto:ICMP}': ['max>0'], icmp_packets_sent: ['count<2000'] }, scenarios: {
  many: { executor: 'shared-iterations', exec: 'many', vus: 30, iterations: 300 },
  cut: { executor: 'shared-iterations', exec: 'cut', vus: 2, iterations: 2, maxDuration: '1s', gracefulStop: '0s' },
  late: { executor: 'shared-iterations', exec: 'late', vus: 1, iterations: 1 },
} };
export const many = () => check(ping('127.0.0.1', { size: 10 }), { alive: (alive) => alive === true });
export async function cut() { await pingAsync('127.0.0.1', { count: 60000, interval: '10ms' }); say('it ended'); }
export async function late() {
  const errors = [];
  const alive = await pingAsync('127.0.0.1', { count: 50, interval: '100ms', deadline: '350ms' }, (error) => { if (error) errors.push(error.message); });
  say(alive, ...errors);
}",
    );
    for engine in engines() {
        let env = [("K6_PING_MINIMUM_INTERVAL", "10ms".to_owned())];
        check(engine, &text, &env, &["true deadline exceeded"]);
    }
}

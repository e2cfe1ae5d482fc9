#!/usr/bin/env python3
"""One odd answer hurts nobody else: every odd answer over every protocol it can come by, one run each.

    load_tests/speed/hostile.py                         everything, on both engines
    load_tests/speed/hostile.py --only gzip             the cells whose name or protocol contains this
    load_tests/speed/hostile.py --engine boa            one engine
    load_tests/speed/hostile.py --list                  the names

In every run three VUs ask a healthy server 200 times a second, and one VU asks a server that misbehaves in one way.
The neighbours keep 80 % of the requests that they make beside a healthy fourth VU, resident memory stays below 200 MB
(more where the script itself asks to keep more), the run ends within its graceful stop and a second, and nothing
panics. Prints a Markdown table; ends with 1 when a cell is outside.

Needs Python 3 and openssl.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from hostile_cases import CASES, Case
from run import HERE, ROOT, Trouble, finish

SECONDS, GRACE, RATE = 2, 1, 200
KEPT_SHARE = 0.8
# A control is as good as the machine is quiet, so it is taken again after so many cells.
CONTROL_EVERY = 20
STUCK_SECONDS = 60

SCRIPT = """
import http from 'k6/http';
import ws from 'k6/ws';
import { WebSocket } from 'k6/websockets';
import grpc from 'k6/net/grpc';
import exec from 'k6/execution';
import { sleep } from 'k6';
import { Counter, Trend } from 'k6/metrics';
INIT
const neighbours = new Counter('neighbours'), calls = new Counter('calls'), answers = new Trend('answer_ms');
const { GOOD, URL, PROTOCOL } = __ENV;
export const options = {
  insecureSkipTLSVerify: true,
  scenarios: {
    neighbours: {
      executor: 'constant-arrival-rate', rate: RATE, duration: 'SECONDSs', preAllocatedVUs: 3, maxVUs: 3, exec: 'neighbour',
      gracefulStop: '1s',
    },
    odd: { executor: 'constant-vus', vus: 1, duration: 'SECONDSs', gracefulStop: 'GRACEs', exec: 'odd' },
  },
};
export function neighbour() {
  if (http.get(GOOD).status === 200) neighbours.add(1);
}
const client = new grpc.Client();
client.load(['FOLDER'], 'odd.proto');
const say = (...what) => { if (exec.vu.iterationInScenario === 0) console.log('seen', what.join(' ').slice(0, 200)); };
const timed = (call) => {
  const from = Date.now();
  const answer = call();
  answers.add(Date.now() - from);
  return answer;
};
const fetched = (res) => { say(res.status, res.error_code, res.error); return res; };
const message = { text: 'x' };
function open() { client.connect(URL, { plaintext: true, timeout: '3s', maxReceiveSize: 4194304 }); }
function invoke() {
  const answer = timed(() => { open(); return client.invoke('odd.Odd/Do', message, { timeout: '3s' }); });
  say(answer.status, answer.error && answer.error.message);
  client.close();
}
function stream() {
  open();
  const call = new grpc.Stream(client, 'odd.Odd/Talk', { timeout: '1s' });
  let count = 0;
  call.on('data', () => (count += 1));
  call.on('error', (error) => say('error', error.message));
  call.on('end', () => { say('end', count); client.close(); });
  call.write(message);
  call.end();
}
function reflect() {
  try {
    timed(() => client.connect(URL, { plaintext: true, timeout: '3s', reflect: true }));
    say('connected');
  } catch (error) {
    say(String(error).slice(0, 150));
  }
  client.close();
}
const get = (params) => PROTOCOL === 'grpc' ? invoke() : fetched(timed(() => http.get(URL, { timeout: '3s', ...params })));
const post = () => PROTOCOL === 'grpc' ? invoke() : fetched(timed(() => http.post(URL, 'x'.repeat(100000), { timeout: '1s' })));
// Both modules in turns.
function connect(params, heard = () => {}) {
  let count = 0;
  const ending = (what) => say(what, count);
  if (exec.vu.iterationInScenario % 2 === 0) {
    timed(() => ws.connect(URL, params, (socket) => {
      socket.on('message', (data) => { count += 1; heard(data); });
      socket.on('binaryMessage', () => (count += 1));
      socket.on('error', (error) => ending(`error ${error.error()}`));
      socket.on('close', (code) => ending(`close ${code}`));
      socket.setTimeout(() => socket.close(), 1000);
    }));
    return;
  }
  const socket = new WebSocket(URL, null, params);
  socket.onmessage = (event) => { count += 1; if (typeof event.data === 'string') heard(event.data); };
  socket.onerror = (event) => ending(`error ${event.error}`);
  socket.onclose = (event) => ending(`close ${event.code}`);
  setTimeout(() => socket.close(), 1000);
}
export function odd() {
  calls.add(0);
  try {
    CALL
  } catch (error) {
    say(String(error).slice(0, 150));
    if (!(error instanceof Error) && exec.vu.iterationInScenario === 0) throw error;
  }
  calls.add(1);
  sleep(0.05);
}
"""

PROTO = """syntax = "proto3";
package odd;
message Message { Message inner = 1; repeated string text = 2; map<string, string> map = 3; }
message Asked { string text = 2; }
service Odd { rpc Do (Asked) returns (Message); rpc Talk (stream Asked) returns (stream Message); }
"""


# ---------------------------------------------------------------- servers


class Peer:
    """hostile_peer.py in a process of its own, as long as the `with` block."""

    def __init__(self, case, protocol, folder):
        self.command = [sys.executable, str(HERE / "hostile_peer.py"), case, protocol, str(folder)]

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        port = self.process.stdout.readline().strip()
        if not port:
            self.__exit__()
            raise Trouble(f"`{' '.join(self.command)}` did not start")
        self.address = f"127.0.0.1:{port}"
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


def certificates(folder):
    """A certificate for the servers; one with very many names, and a chain of many."""

    def openssl(*words):
        made = subprocess.run(["openssl", *words], capture_output=True, text=True, cwd=folder)
        if made.returncode != 0:
            raise Trouble(f"openssl: {made.stderr.strip().splitlines()[-1]}")

    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-keyout", "key.pem", "-out", "cert.pem")

    def with_names(name, count):
        names = ",".join(f"DNS:host-{number}.example.test" for number in range(count))
        (folder / f"{name}.cnf").write_text(
            f"[req]\ndistinguished_name=dn\nx509_extensions=e\nprompt=no\n[dn]\nCN={name}\n[e]\nsubjectAltName={names}\n"
        )
        openssl("req", "-x509", "-key", "key.pem", "-days", "2", "-config", f"{name}.cnf", "-out", f"{name}.pem")
        return (folder / f"{name}.pem").read_text()

    with_names("long", 20_000)
    # Below the 64 KB of a handshake message.
    (folder / "chain.pem").write_text((folder / "cert.pem").read_text() + with_names("link", 30) * 40)


# ---------------------------------------------------------------- one cell


@dataclass
class Seen:
    code: int
    seconds: float
    memory: float
    neighbours: int
    calls: int
    longest: float
    said: str
    trouble: str


def script_of(case, protocol, folder):
    call = case.script.replace("HTTP_OR_WS", "connect();" if protocol == "wss" else "get();")
    script = SCRIPT.replace("INIT", case.init).replace("CALL", call).replace("FOLDER", str(folder))
    if "await " in call:
        script = script.replace("export function odd", "export async function odd")
    return script.replace("RATE", str(RATE)).replace("SECONDS", str(SECONDS)).replace("GRACE", str(GRACE))


def run(binary, engine, script, good, peer, protocol, folder):
    """One run, with what it cost and came to."""
    path, summary = folder / "script.js", folder / "summary.json"
    path.write_text(script)
    summary.unlink(missing_ok=True)
    scheme = {"h2": "https://", "grpc": ""}.get(protocol, f"{protocol}://")
    tail = "" if protocol == "grpc" else "/"
    env = {"GOOD": f"http://{good}/", "URL": f"{scheme}{peer}{tail}", "PROTOCOL": protocol}
    command = [str(binary), "run", "--quiet", "--no-usage-report", "--log-format=raw", "--js-engine", engine]
    command += [part for name, value in env.items() for part in ("-e", f"{name}={value}")]
    command += ["--summary-export", str(summary), str(path)]
    out = folder / "out.txt"
    began = time.monotonic()
    with open(out, "wb") as sink:
        process = subprocess.Popen(command, stdout=sink, stderr=sink, stdin=subprocess.DEVNULL)
        stuck = False
        while True:
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            if not stuck and time.monotonic() - began > STUCK_SECONDS:
                stuck = True
                process.kill()
            time.sleep(0.01)
    seconds = time.monotonic() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    text = out.read_text(errors="replace")
    metrics = json.loads(summary.read_text())["metrics"] if summary.exists() else {}
    count = lambda name: int(metrics.get(name, {}).get("count", 0))
    said = [line.removeprefix("seen ") for line in text.splitlines() if line.startswith("seen ")]
    panics = [line for line in text.splitlines() if "panicked at" in line or "did not stop within" in line]
    longest = metrics.get("answer_ms", {}).get("max", 0.0)
    trouble = panics[0] if panics else "" if metrics else "no summary: " + (text.strip().splitlines() or [""])[-1]
    code = process.returncode
    return Seen(code, seconds, usage.ru_maxrss / 1024, count("neighbours"), count("calls"), longest, said[-1] if said else "", trouble)


def judge(case, seen, control):
    """What is outside, in words."""
    wrong = []
    if seen.neighbours < KEPT_SHARE * control.neighbours:
        wrong.append("neighbours")
    if seen.memory > case.memory:
        wrong.append("memory")
    if seen.seconds > control.seconds + GRACE + 1:
        wrong.append("end")
    if seen.code != 0:
        wrong.append(f"exit code {seen.code}")
    if seen.trouble:
        wrong.append(seen.trouble)
    return wrong


# ---------------------------------------------------------------- the command


def cell_text(text):
    return "".join(sign if sign.isprintable() and sign != "|" else " " for sign in text)[:90]


def measure(args, folder, good):
    """All cells of all engines; prints the table as it grows. Returns how many are outside."""
    calm = Case(("http",), "http.get(GOOD);", None)
    outside, cells, began = 0, 0, time.monotonic()
    print("| engine | answer | over | neighbours | peak MB | end | odd calls | longest ms | what the script saw | |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for engine in args.engines:
        control, since = None, 0
        for name, case in CASES.items():
            for protocol in case.protocols:
                # Transports do not depend on the engine.
                if engine != args.engines[0] and protocol in ("https", "wss") and not args.all:
                    continue
                if args.only and not any(only in f"{name} {protocol}" for only in args.only):
                    continue
                if control is None or since >= CONTROL_EVERY:
                    control = run(args.bin, engine, script_of(calm, "http", folder), good.address, good.address, "http", folder)
                    since = 0
                    if not control.neighbours:
                        raise Trouble(f"the control on {engine} came to nothing: {control.trouble}")
                since, cells = since + 1, cells + 1
                if case.files:
                    case.files(folder)
                # A cell that is outside is looked at once more: the machine may have been busy.
                for _ in range(2):
                    with Peer(name, protocol, folder) as peer:
                        seen = run(args.bin, engine, script_of(case, protocol, folder), good.address, peer.address, protocol, folder)
                    wrong = judge(case, seen, control)
                    if not wrong or args.once:
                        break
                outside += bool(wrong)
                end = seen.seconds - control.seconds
                print(
                    f"| {engine} | {name} | {protocol} | {seen.neighbours / control.neighbours:.0%} | {seen.memory:.0f} | {end:+.1f} s | "
                    f"{seen.calls} | {seen.longest:.0f} | {cell_text(seen.said)} | {'**' + ', '.join(wrong) + '**' if wrong else 'ok'} |",
                    flush=True,
                )
    minutes = (time.monotonic() - began) / 60
    print(f"\n{cells} cells in {minutes:.1f} minutes, {outside} outside.")
    reasons = {f"`{name}`: {case.memory} MB, {case.why}" for name, case in CASES.items() if case.memory != 200}
    if reasons and not args.only:
        print("\nAllowed more than 200 MB:\n\n" + "\n".join(f"- {reason}" for reason in sorted(reasons)))
    return outside, cells


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=Path, default=ROOT / "target/release/volley", help="the volley binary")
    parser.add_argument("--engine", choices=["quickjs", "boa", "both"], default="both", help="which engine (both)")
    parser.add_argument("--only", action="append", metavar="TEXT", help="cells whose name or protocol contains this")
    parser.add_argument("--all", action="store_true", help="https and wss on the second engine, too")
    parser.add_argument("--once", action="store_true", help="do not look again at cells that are outside")
    parser.add_argument("--list", action="store_true", help="print the names and end")
    args = parser.parse_args(argv)
    if args.list:
        for name, case in CASES.items():
            print(f"{name}: {', '.join(case.protocols)}")
        return 0
    if not (args.bin.is_file() and os.access(args.bin, os.X_OK)):
        raise Trouble(f"there is no program at `{args.bin}`")
    args.bin = args.bin.resolve()
    args.engines = ["quickjs", "boa"] if args.engine == "both" else [args.engine]
    with tempfile.TemporaryDirectory(prefix="volley-hostile-") as name:
        folder = Path(name)
        certificates(folder)
        (folder / "odd.proto").write_text(PROTO)
        with Peer("good", "http", folder) as good:
            outside, cells = measure(args, folder, good)
    if not cells:
        raise Trouble("no cell has such a name; `--list` prints them")
    return 1 if outside else 0


if __name__ == "__main__":
    finish(main)

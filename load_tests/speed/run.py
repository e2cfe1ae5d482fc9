#!/usr/bin/env python3
"""What does the load generator itself cost? One command, one table, beside `wrk` on the same target in the same run.

    load_tests/speed/run.py                        everything, about fifteen minutes
    load_tests/speed/run.py --rows simple,json     the two that matter most, about three
    load_tests/speed/run.py --against OTHER        another build of volley, run in turns with this one
    load_tests/speed/run.py --against OLD --judge  the same, judged: OLD is a build of commit 89df37c
    load_tests/speed/run.py --k6 PATH              k6, run in turns; else its column is of another day
    load_tests/speed/run.py --help

Compares requests per CPU-second of the generator process (user + system), which holds up on busy machines where
requests per second do not. Needs nothing but Python 3; uses wrk, nginx and rustc where they are there, and says so
where not.
"""

import argparse
import contextlib
import json
import os
import re
import resource
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
VUS = 20

# Floors per engine. Those of speed are multiples of what a build of commit 89df37c reaches in the same run (`--judge`).
SPEED_FLOORS = {
    "simple": {"quickjs": 1.3, "boa": 1.2},
    "json": {"quickjs": 1.8, "boa": 1.5},
    "journey": {"quickjs": 2.0, "boa": 2.0},
    "batch": {"quickjs": 1.3, "boa": 1.3},
    "post": {"quickjs": 1.25, "boa": 1.6},
    "https": {"quickjs": 1.3, "boa": 1.2},
    "h2": {"quickjs": 1.4, "boa": 1.3},
    "ws": {"quickjs": 2.5, "boa": 4.0},
    "grpc": {"quickjs": 1.5, "boa": 1.5},
}
# The others: KB per VU, multiples of the bundle's size, CPU-seconds, growth, multiples of what the prober sees.
FLOORS = {
    "memory": {"quickjs": 120.0, "boa": 250.0},
    "bare": {"quickjs": 90.0, "boa": 200.0},
    "bundle": {"quickjs": 1.8, "boa": 4.0},
    "init": {"quickjs": 2.5, "boa": 8.0},
    "flat": {"quickjs": 0.05, "boa": 0.05},
    "truth": {"quickjs": 1.3, "boa": 1.3},
}
# What k6 2.2.0 reached on another day, as ratios to `wrk` (`h2load` for `h2`) of that day; for orientation only.
K6 = {"simple": "0.068", "json": "0.030", "batch": "0.082", "post": "0.055", "https": "0.12", "h2": "0.16"}
K6 |= {"memory": "178 KB", "bare": "77 KB", "bundle": "x3.0", "init": "7.9 s", "truth": "p95 x10-16"}
ROUTE = {"simple": "plain", "json": "json", "journey": "json", "batch": "plain", "post": "plain"}
ROUTE |= {"https": "https", "h2": "h2", "ws": "ws", "grpc": "grpc"}
# What is counted where it is not requests: messages, and iterations of one call each.
COUNTED = {"ws": "ws_msgs_sent", "grpc": "iterations"}
# What a row is compared with: the program and the route.
YARDSTICK = {"https": ("wrk", "https"), "h2": ("h2load", "h2")}
PLAIN = ("wrk", "plain")
SCRIPT = {"https": "simple.js", "h2": "simple.js"}
ALL_ROWS = ["simple", "json", "journey", "batch", "post", "https", "h2", "ws", "grpc", "memory", "bare"]
ALL_ROWS += ["bundle", "init", "flat", "truth"]
DEFAULT_ROWS = ALL_ROWS


class Trouble(Exception):
    """One line for the person who runs this."""


# ---------------------------------------------------------------- the target


def document():
    """The JSON document of the demo target's `/json`, so that both targets serve the same bytes."""
    data = [
        {
            "id": number,
            "title": f"Risk number {number}",
            "description": "A short text about what could happen, and to whom.",
            "impact": number % 5 + 1,
            "probability": number % 3 + 1,
            "status": "open",
        }
        for number in range(1, 21)
    ]
    return json.dumps({"data": data, "total": 20, "page": 1, "limit": 20}, separators=(",", ":"))


class Companion:
    """The demo target, for what nginx does not speak: WebSocket and gRPC."""

    def __init__(self, binary, workdir):
        self.log = workdir / "companion.log"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{free.getsockname()[1]}"
        self.urls = {"ws": f"ws://{self.address}/ws/echo", "grpc": self.address}
        self.command = [str(binary), "target", "--listen", self.address, "--db-latency", "0s"]

    def __enter__(self):
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log)
        await_port(self.process, int(self.address.rpartition(":")[2]), self.command, self.log)
        return self

    def __exit__(self, *_):
        end(self.process)


def await_port(process, port, command, log):
    """Waits until a server that was just started listens."""
    for _ in range(200):
        if process.poll() is not None:
            break
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    end(process)
    raise Trouble(f"the target `{' '.join(command)}` did not start: {first_line(log)}")


def end(process):
    """Ends a server, kindly first."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class Target:
    """An HTTP server with a 5-byte and a 2.9 KB route on a free port; stops at the end of the `with` block."""

    def __init__(self, kind, binary, workdir):
        self.kind, self.workdir = kind, workdir
        with socket.socket() as free, socket.socket() as tls, socket.socket() as h2:
            for one in (free, tls, h2):
                one.bind(("127.0.0.1", 0))
            self.port, self.tls_port, self.h2_port = (one.getsockname()[1] for one in (free, tls, h2))
        if kind == "nginx":
            self.urls = {"plain": self._url("/"), "json": self._url("/json")}
            self.has_tls = self._certificate()
            if self.has_tls:
                self.urls |= {name: f"https://127.0.0.1:{port}/" for name, port in self._tls_ports()}
            self.command = ["nginx", "-p", str(workdir), "-e", str(workdir / "error.log"), "-c", str(self._config())]
            self.name = "nginx, one worker"
        else:
            self.urls = {"plain": self._url("/plain"), "json": self._url("/json")}
            self.command = [str(binary), "target", "--listen", f"127.0.0.1:{self.port}", "--db-latency", "0s"]
            self.name = "volley target"

    def _url(self, path):
        return f"http://127.0.0.1:{self.port}{path}"

    def _tls_ports(self):
        return [("https", self.tls_port), ("h2", self.h2_port)]

    def _certificate(self):
        """A certificate for the two TLS servers; without `openssl` there are none."""
        if not shutil.which("openssl"):
            return False
        names = ["-keyout", str(self.workdir / "key.pem"), "-out", str(self.workdir / "cert.pem")]
        command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
        return subprocess.run(command + names, capture_output=True).returncode == 0

    def _tls_servers(self):
        if not self.has_tls:
            return ""
        kinds = {self.tls_port: "ssl", self.h2_port: "ssl http2"}
        return "\n".join(
            f"""  server {{
    listen 127.0.0.1:{port} {kind} backlog=8192;
    ssl_certificate {self.workdir}/cert.pem;
    ssl_certificate_key {self.workdir}/key.pem;
    location = / {{ default_type text/plain; return 200 "hello"; }}
  }}"""
            for port, kind in kinds.items()
        )

    def _config(self):
        temps = "\n".join(
            f"  {name}_temp_path {self.workdir}/{name};"
            for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        path = self.workdir / "nginx.conf"
        path.write_text(
            f"""daemon off;
worker_processes 1;
worker_rlimit_nofile 20000;
pid {self.workdir}/nginx.pid;
{"user root;" if os.geteuid() == 0 else ""}
events {{ worker_connections 16000; }}
http {{
  access_log off;
{temps}
  # A connection lives as long as the generator wants it to; nginx would close it after 1,000 requests.
  keepalive_timeout 3600s;
  keepalive_requests 1000000000;
  server {{
    listen 127.0.0.1:{self.port} backlog=8192;
    location = / {{ default_type text/plain; return 200 "hello"; }}
    location = /json {{ default_type application/json; return 200 '{document()}'; }}
  }}
{self._tls_servers()}
}}
"""
        )
        return path

    def __enter__(self):
        log = open(self.workdir / "target.log", "wb")
        self.process = subprocess.Popen(self.command, stdout=log, stderr=log)
        await_port(self.process, self.port, self.command, self.workdir / "target.log")
        return self

    def __exit__(self, *_):
        end(self.process)


def first_line(path):
    lines = [line.strip() for line in Path(path).read_text(errors="replace").splitlines() if line.strip()]
    return lines[0] if lines else "it said nothing"


# ---------------------------------------------------------------- measuring


@dataclass
class Cost:
    requests: int
    wall: float
    cpu: float

    @property
    def per_cpu_second(self):
        return self.requests / self.cpu if self.cpu else 0.0

    @property
    def per_second(self):
        return self.requests / self.wall if self.wall else 0.0


def run_to_end(command, stdout, stderr):
    """Runs a process and returns its exit code, wall seconds, and user + system seconds as the kernel counted them."""
    started = time.monotonic()
    with open(stdout, "wb") as out, open(stderr, "wb") as err:
        process = subprocess.Popen(command, stdout=out, stderr=err)
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            raise
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, time.monotonic() - started, usage.ru_utime + usage.ru_stime


def wrk(url, seconds, workdir):
    out, err = workdir / "wrk.out", workdir / "wrk.err"
    code, _, cpu = run_to_end(["wrk", "-t1", f"-c{VUS}", f"-d{seconds}s", url], out, err)
    found = re.search(r"(\d+) requests in ([\d.]+)(ms|s|m),", out.read_text())
    if code != 0 or not found:
        raise Trouble(f"wrk failed with code {code}: {first_line(err)}")
    if "Non-2xx" in out.read_text() or "Socket errors" in out.read_text():
        raise Trouble(f"wrk got errors from {url}, so its figure means nothing")
    unit = {"ms": 0.001, "s": 1.0, "m": 60.0}[found[3]]
    return Cost(int(found[1]), float(found[2]) * unit, cpu)


def h2load(url, seconds, workdir):
    out, err = workdir / "h2load.out", workdir / "h2load.err"
    code, _, cpu = run_to_end(["h2load", "-t1", f"-c{VUS}", "-m1", f"-D{seconds}", url], out, err)
    text = out.read_text()
    found = re.search(r"finished in ([\d.]+)s", text), re.search(r"(\d+) succeeded, (\d+) failed", text)
    if code != 0 or not all(found) or found[1][2] != "0":
        raise Trouble(f"h2load failed with code {code}: {first_line(err)}")
    return Cost(int(found[1][1]), float(found[0][1]), cpu)


class Volley:
    """The binary under test, or another one that runs the same scripts."""

    def __init__(self, binary, workdir):
        self.binary, self.workdir = binary, workdir

    def command(self, engine, script, options, env):
        pairs = [part for name, value in env.items() for part in ("-e", f"{name}={value}")]
        chosen = [] if engine == "k6" else ["--js-engine", engine]
        return [str(self.binary), "run", "--quiet", *chosen, *options, *pairs, str(HERE / script)]

    def load(self, engine, script, url, seconds, vus=VUS, env=None, more=()):
        """Runs a script for some seconds; returns its cost and its metrics. `more` are further flags."""
        export = self.workdir / "summary.json"
        export.unlink(missing_ok=True)
        options = ["--vus", str(vus), "--duration", f"{seconds}s", "--summary-export", str(export), *more]
        if url.startswith("https:"):
            options.append("--insecure-skip-tls-verify")
        err = self.workdir / "volley.err"
        command = self.command(engine, script, options, {"URL": url, **(env or {})})
        code, wall, cpu = run_to_end(command, self.workdir / "volley.out", err)
        if code != 0:
            raise Trouble(f"{script} on {engine} ended with code {code}: {first_line(err)}")
        metrics = json.loads(export.read_text())["metrics"]
        failed = metrics.get("http_req_failed", {}).get("value", 0)
        wrong = metrics.get("checks", {}).get("fails", 0) or "threw" in err.read_text(errors="replace")
        if failed or wrong:
            raise Trouble(f"{script} on {engine}: {failed:.2%} of the requests and {wrong} checks failed, no figure")
        counted = COUNTED.get(Path(script).stem, "http_reqs")
        return Cost(int(metrics[counted]["count"]), wall, cpu), metrics

    def start(self, engine, script, env, stderr):
        """Starts a script that goes on by itself; the caller stops it."""
        with open(self.workdir / "volley.out", "wb") as out:
            return subprocess.Popen(self.command(engine, script, [], env), stdout=out, stderr=stderr, text=True)


def resident_kb(pid):
    """VmRSS in KB; 0 once the process is gone."""
    try:
        found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return 0
    return int(found[1]) if found else 0


def sockets(pid):
    """How many sockets the process holds: one per VU once all have made their request."""
    count = 0
    try:
        for entry in os.scandir(f"/proc/{pid}/fd"):
            try:
                count += os.readlink(entry.path).startswith("socket:")
            except OSError:
                pass
    except OSError:
        pass
    return count


def stop(process):
    """Ends a process that was started by `Volley.start`, kindly first."""
    for number in (signal.SIGINT, signal.SIGINT, signal.SIGKILL):
        if process.poll() is not None:
            break
        process.send_signal(number)
        try:
            process.communicate(timeout=5)
        except subprocess.TimeoutExpired:
            pass
    if process.stderr:
        process.stderr.close()


# ---------------------------------------------------------------- the rows


class Table:
    """Collects rows and prints them at the end, aligned."""

    HEAD = ["row", "generator", "figure", "requests/s", "per CPU-second", "ratio", "floor"]
    HEAD += ["of --against", "of k6", "k6 (another day)", ""]

    def __init__(self):
        self.rows, self.missed = [], 0

    def add(
        self, row, generator, figure="", rate="", cpu="", ratio="", floor="", against="", of_k6="", k6="", good=None
    ):
        verdict = {None: "", True: "ok", False: "MISSED"}[good]
        self.missed += good is False
        self.rows.append([row, generator, figure, rate, cpu, ratio, floor, against, of_k6, k6, verdict])
        print("  " + "  ".join(cell for cell in self.rows[-1] if cell), file=sys.stderr, flush=True)

    def trouble(self, row, generator, line):
        self.add(row, generator, f"failed: {line}", good=False)

    def show(self):
        used = [place for place in range(len(self.HEAD)) if place == 0 or any(row[place] for row in self.rows)]
        lines = [[row[place] for place in used] for row in [self.HEAD, *self.rows]]
        # A failure's line may be long; it widens nothing but its own row.
        widths = [max(len(line[i]) for line in lines if not line[i].startswith("failed: ")) for i in range(len(used))]
        for number, line in enumerate(lines):
            print("| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths)) + " |")
            if number == 0:
                print("|" + "|".join("-" * (width + 2) for width in widths) + "|")


def generators(args, volley, others, with_against=False):
    """Who runs the scripts: the engines of the binary under test, and those of the other binaries that are given."""
    found = [(engine, volley, engine) for engine in args.engines] if volley else []
    if with_against and "against" in others:
        found += [(f"{engine} of --against", others["against"], engine) for engine in args.engines]
    if "k6" in others:
        found.append(("k6", others["k6"], "k6"))
    return found


def speed_rows(rows, args, urls, volley, others, table, workdir):
    """Requests per CPU-second: the median of some repeats, taken in turns so that a noisy minute hits all alike."""
    costs, failed = {}, {}
    for row in [row for row in rows if ROUTE[row] not in urls]:
        print(f"note: `{row}` needs nginx and openssl, or the volley binary, it is left out", file=sys.stderr)
        rows = [other for other in rows if other != row]
    yardsticks = {PLAIN} | {YARDSTICK.get(row, ("wrk", ROUTE[row])) for row in rows if row not in COUNTED}
    programs = {"wrk": wrk, "h2load": h2load}

    def measure(key, run):
        if key in failed:
            return
        try:
            costs.setdefault(key, []).append(run())
        except Trouble as trouble:
            failed[key] = str(trouble)

    for turn in range(args.repeat):
        for program, route in sorted(yardsticks):
            if shutil.which(program):
                run = programs[program]
                measure((program, route), lambda: run(urls[route], args.seconds, workdir))
        for row in rows:
            # Who comes first is some percent better off, so every other turn has the opposite order.
            order = generators(args, volley, others, with_against=True)
            for name, program, engine in order if turn % 2 == 0 else reversed(order):
                url = urls[ROUTE[row]]
                script = SCRIPT.get(row, f"{row}.js")
                measure((name, row), lambda: program.load(engine, script, url, args.seconds)[0])

    def median(key):
        taken = sorted(costs.get(key, []), key=lambda cost: cost.per_cpu_second)
        return taken[(len(taken) - 1) // 2] if taken and key not in failed else None

    labels = {"plain": "5 bytes", "json": "2.9 KB", "https": "5 bytes over TLS", "h2": "5 bytes over HTTP/2"}
    for program, route in sorted(yardsticks):
        cost, label = median((program, route)), labels[route]
        if cost:
            rate, cpu = f"{cost.per_second:,.0f}", f"{cost.per_cpu_second:,.0f}"
            table.add(label, program, rate=rate, cpu=cpu, ratio="1" if route != "json" else "")
        elif (program, route) in failed:
            table.trouble(label, program, failed[(program, route)])

    def times(cost, other):
        return f"x{cost.per_cpu_second / other.per_cpu_second:.2f}" if other else ""

    for row in rows:
        for name, program, engine in generators(args, volley, others, with_against=True):
            cost = median((name, row))
            if not cost:
                table.trouble(row, name, failed[(name, row)])
                continue
            is_ours = program is volley
            yardstick = median(YARDSTICK.get(row, PLAIN)) if row not in COUNTED else None
            ratio = cost.per_cpu_second / yardstick.per_cpu_second if yardstick else None
            other = median((f"{engine} of --against", row)) if is_ours else None
            floor = SPEED_FLOORS[row].get(engine) if is_ours and args.judge else None
            table.add(
                row,
                name,
                rate=f"{cost.per_second:,.0f}",
                cpu=f"{cost.per_cpu_second:,.0f}",
                ratio=f"{ratio:.3f}" if ratio else "-",
                floor=f">= x{floor}" if floor else "",
                against=times(cost, other),
                of_k6=times(cost, median(("k6", row))) if is_ours else "",
                k6=K6.get(row, "") if is_ours else "",
                good=other is not None and cost.per_cpu_second / other.per_cpu_second >= floor if floor else None,
            )


def idle_memory(volley, engine, url, vus, script="idle.js", env=None):
    """Resident KB when every VU has made its request, if there is a URL, and sleeps."""
    log = volley.workdir / "idle.err"
    with open(log, "wb") as stderr:
        process = volley.start(engine, script, {"URL": url, "IDLE_VUS": vus, **(env or {})}, stderr)
    try:
        deadline = time.monotonic() + 120
        while (ready := sockets(process.pid) if url else vus * ("speed-mark ready" in log.read_text())) < vus:
            if process.poll() is not None:
                raise Trouble(f"{Path(script).name} with {vus} VUs ended with code {process.returncode}: {first_line(log)}")
            if time.monotonic() > deadline:
                raise Trouble(f"only {ready} of {vus} VUs were there after two minutes: {first_line(log)}")
            time.sleep(0.25)
        # The last ones have connected but may not have read yet: wait until the memory stands still.
        before, now = -1, resident_kb(process.pid)
        while abs(now - before) > max(64, now // 1000) and time.monotonic() < deadline:
            time.sleep(4)
            before, now = now, resident_kb(process.pid)
        if process.poll() is not None:
            raise Trouble(f"{Path(script).name} with {vus} VUs ended with code {process.returncode}: {first_line(log)}")
        return now
    finally:
        stop(process)


def memory_row(row, args, url, volley, others, table):
    """What one more VU costs: `memory` has made a request and keeps its connection, `bare` has made none."""
    for name, program, engine in generators(args, volley, others, with_against=True):
        try:
            low, high = (idle_memory(program, engine, url, vus) for vus in (1000, 3000))
            slope = (high - low) / 2000
            figure = f"{slope:.0f} KB per VU ({low // 1024} MB at 1,000, {high // 1024} MB at 3,000)"
            floor = FLOORS.get(row, {}).get(engine) if program is volley else None
            k6 = K6[row] if program is volley else ""
            limit = f"<= {floor:.0f} KB" if floor else ""
            table.add(row, name, figure, floor=limit, k6=k6, good=slope <= floor if floor else None)
        except Trouble as trouble:
            table.trouble(row, name, trouble)


BUNDLE = """import moment from 'moment-timezone/builds/moment-timezone-with-data-1970-2030.js';
import _ from 'lodash';
import { faker } from '@faker-js/faker/locale/en';
import { sleep } from 'k6';

export const options = {
  scenarios: { one: { executor: 'per-vu-iterations', vus: Number(__ENV.IDLE_VUS), iterations: 1, maxDuration: '30m', gracefulStop: '0s' } },
};

export default function () {
  if (__VU === 1) console.log('speed-mark ready');
  const zone = moment.tz('2026-01-01T00:00:00', 'Europe/Berlin').format();
  if (_.chunk([1, 2, 3], 2).length !== 2 || !zone.startsWith('2026') || !faker.person.fullName()) throw new Error('wrong');
  sleep(Number(__ENV.IDLE_SLEEP));
}
"""


def build_bundle(workdir):
    """A bundle as teams make them, by esbuild from npm; kept beside the builds of the project."""
    folder = ROOT / "target" / "speed-bundle"
    script = folder / "bundle.js"
    if not script.is_file():
        if not shutil.which("npm"):
            raise Trouble("there is no `npm` to make the bundle with (Debian: `apt-get install npm`)")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "entry.js").write_text(BUNDLE)
        packages = ["moment-timezone@0.5", "lodash@4", "@faker-js/faker@9", "esbuild@0.25"]
        build = ["node_modules/.bin/esbuild", "entry.js", "--bundle", "--format=esm", "--target=es2020", "--minify"]
        build += ["--external:k6", f"--outfile={script}"]
        for command in (["npm", "install", "--no-audit", "--no-fund", *packages], build):
            made = subprocess.run(command, cwd=folder, capture_output=True, text=True)
            if made.returncode != 0:
                raise Trouble(f"the bundle can't be made: {(made.stderr.strip() or made.stdout.strip()).splitlines()[0]}")
    return script


def bundle_rows(rows, args, volley, others, table, workdir):
    """What a VU costs whose script is a large bundle: `bundle` its memory, `init` the CPU of a run that makes 250."""
    try:
        script = build_bundle(workdir)
    except Trouble as trouble:
        table.trouble("bundle", "npm", trouble)
        return
    size = script.stat().st_size / 1024
    for name, program, engine in generators(args, volley, others, with_against=True):
        floors = {row: FLOORS[row].get(engine) if program is volley else None for row in ("bundle", "init")}
        k6 = {row: K6[row] if program is volley else "" for row in floors}
        try:
            if "bundle" in rows:
                low, high = (idle_memory(program, engine, "", vus, script, {"IDLE_SLEEP": 1800}) for vus in (50, 250))
                slope, floor = (high - low) / 200 / size, floors["bundle"]
                figure = f"x{slope:.2f} of {size:.0f} KB ({low // 1024} MB at 50 VUs, {high // 1024} MB at 250)"
                limit = f"<= x{floor}" if floor else ""
                table.add("bundle", name, figure, floor=limit, k6=k6["bundle"], good=slope <= floor if floor else None)
            if "init" in rows:
                command = program.command(engine, script, [], {"IDLE_VUS": 250, "IDLE_SLEEP": 0})
                err = workdir / "init.err"
                code, wall, cpu = run_to_end(command, workdir / "init.out", err)
                if code != 0:
                    raise Trouble(f"the bundle on {engine} ended with code {code}: {first_line(err)}")
                floor, figure = floors["init"], f"{cpu:.2f} s of CPU for 250 VUs, {wall:.2f} s"
                limit = f"<= {floor} s" if floor else ""
                table.add("init", name, figure, floor=limit, k6=k6["init"], good=cpu <= floor if floor else None)
        except Trouble as trouble:
            table.trouble("bundle", name, trouble)


def flat_marks(volley, engine, script, env):
    """Runs a script that says two marks, and returns the resident memory at each, in KB."""
    marks, lines = {}, []
    process = volley.start(engine, script, env, subprocess.PIPE)
    try:
        for line in process.stderr:
            found = re.search(r"speed-mark (early|late)", line)
            if found:
                marks[found[1]] = resident_kb(process.pid)
            elif line.strip():
                lines.append(line.strip())
        process.wait()
    finally:
        stop(process)
    if process.returncode != 0 or len(marks) < 2 or 0 in marks.values():
        said = lines[0] if lines else "it said nothing"
        raise Trouble(f"{script} ended with code {process.returncode} and {len(marks)} of 2 marks: {said}")
    return marks["early"], marks["late"]


def flat_row(args, target, volley, table):
    for engine in args.engines:
        env = {"URL": target.urls["plain"], "REQUESTS": args.flat_requests}
        try:
            marks = flat_marks(volley, engine, "flat.js", env)
        except Trouble as trouble:
            table.trouble("flat", engine, trouble)
            continue
        growth, floor = marks[1] / marks[0] - 1, FLOORS["flat"][engine]
        early, late = (f"{mark / 1024:.1f} MB" for mark in marks)
        figure = f"{growth:+.1%} ({early} after {args.flat_requests // 10:,}, {late} after {args.flat_requests:,})"
        table.add("flat", engine, figure, floor=f"<= {floor:.0%}", k6="grows", good=growth <= floor)


def build_prober(args, workdir):
    """The prober needs nothing but std, so rustc makes it in a second; no cargo, no lock on the target folder."""
    if args.prober:
        return args.prober
    if not shutil.which("rustc"):
        raise Trouble("there is no `rustc` to build the prober with; build it elsewhere and name it with --prober")
    binary = workdir / "prober"
    made = subprocess.run(
        ["rustc", "-O", "--edition", "2024", str(HERE / "prober.rs"), "-o", str(binary)], capture_output=True, text=True
    )
    if made.returncode != 0:
        raise Trouble(f"rustc can't build the prober: {made.stderr.strip().splitlines()[0]}")
    return binary


def probe(prober, url, seconds):
    """Starts the prober; the caller reads its JSON."""
    return subprocess.Popen([str(prober), url, str(seconds)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def truth_row(args, target, volley, others, table, workdir):
    """60 VUs that pause: do their p50 and p95 agree with what a prober sees at the same moment?"""
    vus, seconds, url = 60, 20, target.urls["json"]
    try:
        prober = build_prober(args, workdir)
    except Trouble as trouble:
        table.trouble("truth", "prober", trouble)
        return
    quiet = probe(prober, url, 5).communicate()[0]
    if quiet:
        seen = json.loads(quiet)
        figure = f"p50 {seen['p50_ms']:.2f} ms, p95 {seen['p95_ms']:.2f} ms, nothing else running"
        table.add("truth", "prober alone", figure)
    for name, program, engine in generators(args, volley, others):
        beside = None
        try:
            # The prober looks at the middle of the run: neither the start of the VUs nor their end.
            beside = subprocess.Popen(
                [sys.executable, "-c", "import time,os,sys; time.sleep(4); os.execv(sys.argv[1], sys.argv[1:])"]
                + [str(prober), url, str(seconds - 8)],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            cost, metrics = program.load(engine, "json.js", url, seconds, vus, {"THINK": args.think})
            out, err = beside.communicate(timeout=60)
            if beside.returncode != 0:
                raise Trouble(f"the prober failed: {err.strip()}")
            seen, told = json.loads(out), metrics["http_req_duration"]
            p50, p95 = told["med"] / seen["p50_ms"], told["p(95)"] / seen["p95_ms"]
            figure = (
                f"p50 {told['med']:.2f} ms, seen {seen['p50_ms']:.2f} (x{p50:.2f}); "
                f"p95 {told['p(95)']:.2f} ms, seen {seen['p95_ms']:.2f} (x{p95:.2f})"
            )
            rate = f"{cost.requests / seconds:,.0f}"
            if program is not volley:
                table.add("truth", name, figure, rate=rate)
                continue
            floor = FLOORS["truth"][engine]
            good = max(p50, p95) <= floor
            table.add("truth", name, figure, rate=rate, floor=f"<= x{floor}", k6=K6["truth"], good=good)
        except (Trouble, KeyError, ValueError, subprocess.TimeoutExpired) as trouble:
            table.trouble("truth", name, trouble)
        finally:
            if beside and beside.poll() is None:
                beside.kill()
                beside.communicate()


# ---------------------------------------------------------------- the command


def names(allowed):
    def read(text):
        chosen = [name.strip() for name in text.split(",") if name.strip()]
        wrong = [name for name in chosen if name not in allowed]
        if wrong or not chosen:
            raise argparse.ArgumentTypeError(f"`{text}`: expected some of {', '.join(allowed)}, separated by commas")
        return chosen

    return read


def parse(argv):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=Path, default=ROOT / "target/release/volley", help="the volley binary")
    parser.add_argument("--against", type=Path, metavar="PATH", help="another volley binary, to compare with")
    parser.add_argument("--judge", action="store_true", help="floors of speed hold: --against is a build of 89df37c")
    parser.add_argument("--k6", type=Path, metavar="PATH", help="a k6 binary, to compare with")
    parser.add_argument("--engines", type=names(["quickjs", "boa"]), default=["quickjs", "boa"], metavar="LIST")
    parser.add_argument("--rows", type=names(ALL_ROWS), default=DEFAULT_ROWS, metavar="LIST", help=", ".join(ALL_ROWS))
    parser.add_argument("--repeat", type=int, default=3, help="take the median of so many (3); even to compare builds")
    parser.add_argument("--seconds", type=int, default=5, help="length of one measurement (5)")
    parser.add_argument("--target", choices=["auto", "nginx", "volley"], default="auto", help="what to measure against")
    parser.add_argument("--prober", type=Path, help="a prober that is built already")
    parser.add_argument("--think", default="0.029", help="mean pause of a VU in `truth`, in seconds (0.029: ~2,000 req/s)")
    parser.add_argument("--flat-requests", type=int, default=2_000_000, help="requests of `flat` (2,000,000)")
    args = parser.parse_args(argv)
    if args.repeat < 1 or args.seconds < 1 or args.flat_requests < 2000 or args.flat_requests % 2000:
        parser.error("--repeat and --seconds are at least 1, --flat-requests a multiple of 2,000")
    if args.judge and not args.against:
        parser.error("--judge needs --against, a build of commit 89df37c")
    return args


def raise_file_limit():
    """3,000 VUs are 3,000 sockets on each side."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY or soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (65536 if hard == resource.RLIM_INFINITY else hard, hard))


def main(argv=None):
    args = parse(argv)
    raise_file_limit()
    args.has_wrk = shutil.which("wrk") is not None
    has_binary = os.access(args.bin, os.X_OK) and args.bin.is_file()
    if not args.has_wrk:
        print("note: there is no `wrk` here, so there are no ratios (Debian: `apt-get install wrk`)", file=sys.stderr)
    if not has_binary:
        print(f"note: there is no volley at `{args.bin}`, so only the yardsticks are measured", file=sys.stderr)
    has_nginx = shutil.which("nginx") is not None
    kind = args.target if args.target != "auto" else "nginx" if has_nginx else "volley"
    if kind == "nginx" and not has_nginx:
        raise Trouble("there is no `nginx` here (Debian: `apt-get install nginx-light`)")
    if kind == "volley" and not has_binary:
        why = "`--target volley` needs the binary" if has_nginx else "neither nginx nor the volley binary is here"
        raise Trouble(f"there is nothing to measure against: {why}")

    for name, path in {"--against": args.against, "--k6": args.k6}.items():
        if path and not (path.is_file() and os.access(path, os.X_OK)):
            raise Trouble(f"{name}: there is no program at `{path}`")

    table = Table()
    with tempfile.TemporaryDirectory(prefix="volley-speed-") as folder:
        workdir = Path(folder)
        volley = Volley(args.bin.resolve(), workdir) if has_binary else None
        given = {"against": args.against, "k6": args.k6}
        others = {name: Volley(path.resolve(), workdir) for name, path in given.items() if path}
        with Target(kind, args.bin.resolve(), workdir) as target, contextlib.ExitStack() as stack:
            urls = dict(target.urls)
            plan = f"target: {target.name}; {VUS} VUs; {args.seconds} s; median of {args.repeat}"
            print(plan, file=sys.stderr, flush=True)
            speed = [row for row in args.rows if row in ROUTE]
            if has_binary and any(ROUTE[row] in ("ws", "grpc") for row in speed):
                companion = stack.enter_context(Companion(args.bin.resolve(), workdir))
                urls |= companion.urls
            if speed:
                speed_rows(speed, args, urls, volley, others, table, workdir)
            for row, url in {"memory": urls["plain"], "bare": ""}.items():
                if row in args.rows:
                    memory_row(row, args, url, volley, others, table)
            if volley and {"bundle", "init"} & set(args.rows):
                bundle_rows(args.rows, args, volley, others, table, workdir)
            if "flat" in args.rows and volley:
                flat_row(args, target, volley, table)
            if "truth" in args.rows:
                truth_row(args, target, volley, others, table, workdir)
    table.show()
    return 1 if table.missed else 0 if has_binary else 2


def finish(main):
    """Runs a program of this folder; trouble is one line."""
    try:
        sys.exit(main())
    except Trouble as trouble:
        print(f"{Path(sys.argv[0]).name}: {trouble}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    finish(main)

#!/usr/bin/env python3
"""Do the modules `k6/x/...` last? 100 VUs for 20 seconds with each, against real servers of this machine that are started here.

    load_tests/extensions/soak.py                            all of them on each engine: a quarter of an hour
    load_tests/extensions/soak.py redis mqtt                 only these
    load_tests/extensions/soak.py --engines boa --vus 20 --duration 10
    load_tests/extensions/soak.py --help

After the time the iterations are cut off, and four seconds of rest follow. A module is good when
- every check held and nothing was said at the level of errors,
- resident memory is level: its median in the last third of the time is at most 10 % (and 4 MB) above that in the first third;
  garbage that an engine has not collected yet looks like growth, so where it grows 5 VUs work as fast as they can for three times as
  long, which shows what is never freed,
- connections to its servers that are open at rest are those of the pools of VUs and of setup(), and for modules without pools there are none,
- no program it has started is left, and the servers have no connection left once the run has ended.
Ends with 1 when one is not good. Servers that are not installed are named and their modules left out, which is not good either.
"""

import argparse
import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

import servers
from servers import Missing, Servers

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
GROWTH, SLACK_KB = 0.10, 4096
MARGIN = 120  # seconds that a run may take longer than planned
REST = 4  # seconds, as in lib/plan.js
WARM_UP = 2  # seconds that don't count
FEW = 5  # VUs of a second look
GROWS = "memory grows"


@dataclass(frozen=True)
class Soak:
    """A scenario: its script, its servers, how many connections each VU may keep open, and more arguments."""

    name: str
    serve: Callable
    kept: int = 0
    args: list = field(default_factory=list)


SOAKS = [
    # Three commands at once.
    Soak("redis", servers.redis, kept=3),
    Soak("redis_cluster", servers.redis_cluster, kept=3),
    Soak("sql_postgres", servers.postgres, kept=1),
    Soak("sql_mysql", servers.mariadb, kept=1),
    Soak("sql_sqlite", servers.nothing),
    Soak("dns", servers.dnsmasq),
    Soak("tcp", servers.echoes),
    Soak("tls", servers.echoes),
    Soak("sse", servers.event_streams),
    Soak("mqtt", servers.mosquitto),
    Soak("ssh", servers.sshd, kept=1),
    Soak("icmp", servers.nothing),
    Soak("exec", servers.nothing, args=["--allow", "exec"]),
    Soak("file", servers.folder, args=["--allow", "file"]),
    Soak("faker", servers.nothing),
]


def resident_kb(pid):
    try:
        found = re.search(r"^VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text(), re.M)
    except OSError:
        return 0
    return int(found[1]) if found else 0


def established(ports, side):
    """How many connections are open to these ports, seen from the server (`sport`) or from those that connected (`dport`)."""
    if not ports:
        return 0
    wanted = " or ".join(f"{side} = :{port}" for port in ports)
    found = subprocess.run(["ss", "-tnH", "state", "established", f"( {wanted} )"], capture_output=True, text=True)
    return len(found.stdout.splitlines())


def children(pid):
    return subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True).stdout.split()


@dataclass
class Seen:
    """What was seen of one run."""

    code: int | None
    samples: list
    open_at_rest: int
    programs_at_rest: list
    said: list
    metrics: dict


def watch(words, ports, seconds, work):
    """Runs it to its end: what was seen meanwhile."""
    log, export = work / "log", work / "summary.json"
    with open(log, "wb") as sink:
        process = subprocess.Popen([str(word) for word in words], stdout=sink, stderr=sink, cwd=work)
        samples, opened, programs, began = [], None, [], None
        deadline = time.monotonic() + seconds + REST + MARGIN
        try:
            while process.poll() is None and time.monotonic() < deadline:
                if began is None and b"soak: began" in log.read_bytes():
                    began = time.monotonic()
                elif began is not None:
                    since = time.monotonic() - began
                    if since < seconds:
                        samples.append((since, resident_kb(process.pid)))
                    elif since > seconds + REST / 2 and opened is None:
                        opened, programs = established(ports, "dport"), children(process.pid)
                time.sleep(0.1)
        finally:
            process.kill()
            code = process.wait()
    said = [line for line in log.read_text(errors="replace").splitlines() if "level=error" in line]
    metrics = json.loads(export.read_text())["metrics"] if export.exists() else {}
    return Seen(code, samples, 0 if opened is None else opened, programs, said, metrics)


def judge(seen, soak, vus, seconds):
    """What is wrong, and the memory of the first and the last third in KB."""
    wrong = []
    if seen.code != 0:
        wrong.append(f"it ended with code {seen.code}")
    checks = seen.metrics.get("checks", {})
    if checks.get("fails", 1) or not checks.get("passes"):
        wrong.append(f"checks: {checks.get('passes', 0)} held, {checks.get('fails', 0)} did not")
    if seen.said:
        wrong += [f"{len(seen.said)} lines of errors, the first:", seen.said[0][:300]]
    part = lambda low, high: [kb for since, kb in seen.samples if low <= since < high]
    first, last = part(WARM_UP, seconds / 3), part(seconds * 2 / 3, seconds)
    if not first or not last:
        return [*wrong, "memory was not seen long enough"], 0, 0
    early, late = statistics.median(first), statistics.median(last)
    if late > early * (1 + GROWTH) and late > early + SLACK_KB:
        wrong.append(GROWS)
    if seen.open_at_rest > soak.kept * (vus + 1):
        wrong.append(f"{seen.open_at_rest} connections were open at rest")
    if seen.programs_at_rest:
        wrong.append(f"{len(seen.programs_at_rest)} programs were left")
    return wrong, early, late


def look_twice(binary, engine, soak, vus, seconds):
    """A run, and a second one where memory grew: a line of what was seen, and what is wrong."""
    line, wrong = run(binary, engine, soak, vus, seconds)
    if GROWS not in wrong:
        return line, wrong
    again, found = run(binary, engine, soak, FEW, seconds * 3, pause=0.005)
    return f"{line}; {FEW} VUs: {again}", [text for text in wrong if text != GROWS] + found


def run(binary, engine, soak, vus, seconds, pause=0.1):
    """One run: a line of what was seen, and what is wrong."""
    with tempfile.TemporaryDirectory(prefix="volley-soak-") as folder, Servers(folder) as started:
        work = Path(folder)
        env = soak.serve(started)
        words = [binary, "run", "--quiet", "--no-color", "--js-engine", engine, "--summary-export", work / "summary.json", *soak.args]
        for name, value in {**env, "VUS": vus, "SECONDS": seconds, "PAUSE": pause}.items():
            words += ["-e", f"{name}={value}"]
        seen = watch([*words, HERE / f"{soak.name}.js"], started.ports, seconds, work)
        wrong, early, late = judge(seen, soak, vus, seconds)
        end = time.monotonic() + 5
        while (left := established(started.ports, "sport")) and time.monotonic() < end:
            time.sleep(0.1)
        if left:
            wrong.append(f"the servers have {left} connections after the end")
    count = seen.metrics.get("iterations", {}).get("count", 0)
    growth = f"{late / early - 1:+.1%}" if early else "?"
    line = f"{count:9,.0f} iterations, {early / 1024:6.1f} MB, then {late / 1024:6.1f} MB ({growth}), {seen.open_at_rest:4} open at rest"
    return line, wrong


def names(allowed):
    def read(text):
        chosen = text.split(",")
        if wrong := [name for name in chosen if name not in allowed]:
            raise argparse.ArgumentTypeError(f"`{wrong[0]}`: expected some of {', '.join(allowed)}, separated by commas")
        return chosen

    return read


def main():
    known = [soak.name for soak in SOAKS]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("modules", nargs="*", choices=[*known, []], metavar="MODULE", help=" ".join(known))
    parser.add_argument("--bin", type=Path, default=ROOT / "target/release/volley", help="the volley binary")
    parser.add_argument("--engines", type=names(["quickjs", "boa"]), default=["quickjs", "boa"], metavar="LIST")
    parser.add_argument("--vus", type=int, default=100, help="VUs of a run (100)")
    parser.add_argument("--duration", type=int, default=20, help="seconds of a run (20)")
    args = parser.parse_args()
    if not args.bin.is_file():
        parser.error(f"there is no {args.bin}: build it, or name one with --bin")
    if not 1 <= args.vus <= 200 or not 10 <= args.duration <= 600:
        parser.error("--vus is 1 to 200 and --duration 10 to 600")
    binary, failed = args.bin.resolve(), 0
    for soak in (soak for soak in SOAKS if soak.name in (args.modules or known)):
        for engine in args.engines:
            try:
                line, wrong = look_twice(binary, engine, soak, args.vus, args.duration)
            except Missing as missing:
                line, wrong = "", [str(missing)]
            failed += bool(wrong)
            print(f"{soak.name:14} {engine:8} {line}  {'good' if not wrong else 'WRONG'}", flush=True)
            for text in wrong:
                print(f"    {text}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

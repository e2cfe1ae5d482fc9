#!/usr/bin/env python3
"""Do iterations start when they are due? Runs arrival.js and compares start times with the schedule of its options.

    load_tests/speed/arrival.py                 four schedules of a minute each, and one with too few VUs
    load_tests/speed/arrival.py --seconds 10    shorter
    load_tests/speed/arrival.py --help

Needs nginx (or takes `volley target`) and nothing else but Python 3. Ends with 1 when a bound is missed.
"""

import argparse
import datetime
import json
import math
import shutil
import tempfile
from pathlib import Path

from run import HERE, ROOT, Table, Target, Trouble, finish, first_line, run_to_end

P99_BOUND_MS = 2.0
CPU_BOUND = 0.5


def due_times(rate, seconds, is_ramp):
    """When each iteration is due, in seconds from the start."""
    if not is_ramp:
        return [number / rate for number in range(math.ceil(rate * seconds))]
    half, times = seconds / 2, []
    # Up: rate * t^2 / (2 * half) iterations until t; down the same way backwards.
    count = rate * half / 2
    # The first is due when the sum reaches one; what would be due at the very end is not started any more.
    for number in range(1, int(2 * count)):
        if number <= count:
            times.append(math.sqrt(2 * number * half / rate))
        else:
            times.append(seconds - math.sqrt(2 * (2 * count - number) * half / rate))
    return times


def instant(text):
    """Nanoseconds of an RFC 3339 time; `datetime` knows only microseconds."""
    main, rest = text[:19], text[19:]
    end = max(rest.find("Z"), rest.find("+"), rest.find("-", 1))
    fraction, zone = rest[1:end] if rest.startswith(".") else "", rest[end:]
    whole = datetime.datetime.fromisoformat(main + zone.replace("Z", "+00:00"))
    return int(whole.timestamp()) * 10**9 + int(fraction.ljust(9, "0")[:9] or 0)


def run(args, target, workdir, engine, rate, is_ramp, vus, slow=0):
    points, export = workdir / "points.json", workdir / "summary.json"
    env = {"URL": target.urls["plain"], "RATE": rate, "SECONDS": args.seconds, "VUS": vus, "SLOW": slow}
    if is_ramp:
        env["RAMP"] = 1
    pairs = [part for name, value in env.items() for part in ("-e", f"{name}={value}")]
    command = [str(args.bin), "run", "--quiet", "--js-engine", engine, "-o", f"json={points}", *pairs]
    command += ["--summary-export", str(export), str(HERE / "arrival.js")]
    err = workdir / "volley.err"
    code, wall, cpu = run_to_end(command, workdir / "volley.out", err)
    if code != 0:
        raise Trouble(f"arrival.js on {engine} ended with code {code}: {first_line(err)}")
    metrics = json.loads(export.read_text())["metrics"]
    starts = []
    with open(points) as lines:
        for line in lines:
            if '"metric":"iteration_duration"' in line and '"type":"Point"' in line:
                data = json.loads(line)["data"]
                starts.append(instant(data["time"]) / 1e9 - data["value"] / 1e3)
    dropped = int(metrics.get("dropped_iterations", {}).get("count", 0))
    return sorted(starts), int(metrics["iterations"]["count"]), dropped, cpu / wall


def judge(args, target, workdir, table, engine, rate, is_ramp):
    starts, done, dropped, share = run(args, target, workdir, engine, rate, is_ramp, vus=100)
    due = due_times(rate, args.seconds, is_ramp)
    name = f"0 to {rate:,}/s to 0" if is_ramp else f"{rate:,}/s"
    late = []
    if dropped == 0 and len(starts) == len(due):
        offsets = [start - time for start, time in zip(starts, due)]
        # The schedule began when the most punctual iteration says it did.
        late = sorted((offset - min(offsets)) * 1e3 for offset in offsets)
    p99 = late[int(len(late) * 0.99)] if late else math.inf
    figure = f"due {len(due):,} = {done:,} started + {dropped:,} dropped; p50 {late[len(late) // 2]:.2f} ms, " if late else ""
    figure += f"p99 {p99:.2f} ms late, worst {late[-1]:.2f}" if late else f"due {len(due):,}, {done:,} started, {dropped:,} dropped"
    good = done + dropped == len(due) and p99 <= P99_BOUND_MS and share <= 2 * CPU_BOUND
    table.add(name, engine, figure, rate=f"{share * 50:.0f} % CPU of two cores", floor=f"p99 <= {P99_BOUND_MS} ms", good=good)


def starve(args, target, workdir, table, engine):
    """Five VUs that take a second each can start five iterations a second; the rest has to be dropped."""
    rate, vus = 50, 5
    _, done, dropped, _ = run(args, target, workdir, engine, rate, False, vus, slow=1)
    due = rate * args.seconds
    # A VU is free again a moment after its second is over, so each may miss a beat of the schedule now and then.
    expected = vus * args.seconds
    figure = f"due {due:,} = {done:,} started + {dropped:,} dropped; at most {expected:,} could start"
    good = done + dropped == due and expected * 0.95 <= done <= expected
    table.add("too few VUs", engine, figure, floor="adds up", good=good)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=Path, default=ROOT / "target/release/volley", help="the volley binary")
    parser.add_argument("--engines", default="quickjs,boa", help="comma-separated")
    parser.add_argument("--seconds", type=int, default=60, help="length of each run, even (60)")
    args = parser.parse_args()
    kind = "nginx" if shutil.which("nginx") else "volley"
    table = Table()
    with tempfile.TemporaryDirectory(prefix="volley-arrival-") as folder:
        workdir = Path(folder)
        with Target(kind, args.bin.resolve(), workdir) as target:
            for engine in args.engines.split(","):
                for rate, is_ramp in ((50, False), (500, False), (2000, False), (2000, True)):
                    judge(args, target, workdir, table, engine, rate, is_ramp)
                starve(args, target, workdir, table, engine)
    table.show()
    return 1 if table.missed else 0


if __name__ == "__main__":
    finish(main)

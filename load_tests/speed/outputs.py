#!/usr/bin/env python3
"""What do outputs cost? json.js as fast as it goes, without an output and with each, in turns.

    load_tests/speed/outputs.py                 none, json, csv and Prometheus remote write, about three minutes
    load_tests/speed/outputs.py --wide          memory over ten million requests, 200 endpoints and 50 thresholds
    load_tests/speed/outputs.py --help

Compares CPU seconds per request of the generator process. Needs nginx (or takes `volley target`); the row `prometheus`
needs Debian's `prometheus` and is left out without it. Ends with 1 when a bound is missed.
"""

import argparse
import os
import shutil
import socket
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from run import ROOT, Table, Target, Trouble, Volley, finish, first_line, flat_marks, raise_file_limit, stop

# By how much CPU per request may grow.
BOUNDS = {"json": 0.25, "csv": 0.25, "prometheus": 0.05}
WIDE_GROWTH = 0.05


class Prometheus:
    """A Prometheus that takes remote writes; stops at the end of the `with` block."""

    def __init__(self, workdir):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/api/v1/write"
        self.log = workdir / "prometheus.log"
        config = workdir / "prometheus.yml"
        config.write_text("global: {}\n")
        self.command = ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={workdir}/tsdb"]
        self.command += [f"--web.listen-address=127.0.0.1:{self.port}", "--web.enable-remote-write-receiver"]

    def __enter__(self):
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log)
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return self
            time.sleep(0.1)
        stop(self.process)
        raise Trouble(f"prometheus did not start: {first_line(self.log)}")

    def __exit__(self, *_):
        stop(self.process)


def costs(args, target, volley, table, workdir, prometheus):
    outputs = {"none": [], "json": ["-o", f"json={workdir}/points.json"], "csv": ["-o", f"csv={workdir}/points.csv"]}
    if prometheus:
        outputs["prometheus"] = ["-o", "experimental-prometheus-rw"]
        os.environ["K6_PROMETHEUS_RW_SERVER_URL"] = prometheus.url
        os.environ["K6_PROMETHEUS_RW_TREND_STATS"] = "p(95),p(99),avg,max"
    else:
        table.trouble("prometheus", "", "there is no `prometheus` here (Debian: `apt-get install prometheus`)")
    for engine in args.engines.split(","):
        seen = {name: [] for name in outputs}
        for _ in range(args.repeat):
            for name, flags in outputs.items():
                cost, _ = volley.load(engine, "json.js", target.urls["json"], args.seconds, more=flags)
                seen[name].append(1 / cost.per_cpu_second)
        base = statistics.median(seen["none"])
        for name in outputs:
            cost = statistics.median(seen[name])
            growth, bound = cost / base - 1, BOUNDS.get(name)
            figure = f"{cost * 1e6:.1f} us of CPU per request" + ("" if bound is None else f", {growth:+.1%}")
            floor, good = ("", None) if bound is None else (f"<= {bound:+.0%}", growth <= bound)
            table.add(name, engine, figure, floor=floor, good=good)


def wide(args, target, volley, table):
    for engine in args.engines.split(","):
        try:
            early, late = flat_marks(volley, engine, "wide.js", {"URL": target.urls["plain"], "REQUESTS": args.requests})
        except Trouble as trouble:
            table.trouble("wide", engine, trouble)
            continue
        growth = late / early - 1
        figure = f"{growth:+.1%} ({early / 1024:.1f} MB after {args.requests // 10:,}, {late / 1024:.1f} MB after {args.requests:,})"
        table.add("wide", engine, figure, floor=f"<= {WIDE_GROWTH:.0%}", good=growth <= WIDE_GROWTH)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=Path, default=ROOT / "target/release/volley", help="the volley binary")
    parser.add_argument("--engines", default="quickjs,boa", help="comma-separated")
    parser.add_argument("--seconds", type=int, default=5, help="length of each run (5)")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each, of which the median counts (3)")
    parser.add_argument("--wide", action="store_true", help="the row of ten million requests instead")
    parser.add_argument("--requests", type=int, default=10_000_000, help="requests of that row")
    args = parser.parse_args()
    raise_file_limit()
    kind = "nginx" if shutil.which("nginx") else "volley"
    table = Table()
    with tempfile.TemporaryDirectory(prefix="volley-outputs-") as folder:
        workdir = Path(folder)
        volley = Volley(args.bin.resolve(), workdir)
        with Target(kind, args.bin.resolve(), workdir) as target:
            if args.wide:
                wide(args, target, volley, table)
            elif shutil.which("prometheus"):
                with Prometheus(workdir) as prometheus:
                    costs(args, target, volley, table, workdir, prometheus)
            else:
                costs(args, target, volley, table, workdir, None)
    table.show()
    return 1 if table.missed else 0


if __name__ == "__main__":
    finish(main)

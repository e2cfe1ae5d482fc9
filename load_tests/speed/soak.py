#!/usr/bin/env python3
"""Does memory stay level? Very many requests of one process per engine against a fast local target.

    load_tests/speed/soak.py                          10,000,000 requests on each engine, tens of minutes
    load_tests/speed/soak.py --requests 200000        shorter
    load_tests/speed/soak.py --engines boa
    load_tests/speed/soak.py --help

20 VUs make requests to two routes, read headers, cookies and JSON, check, group and count, as scripts do. Resident memory
is sampled ten times a second. The first tenth of the requests warms up; from there on neither the median of any further
tenth nor the end may be more than 5 % above the median of the second tenth. Ends with 1 when one is, and when a request failed.

Needs nginx (or takes `volley target`) and nothing else but Python 3.
"""

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from run import HERE, ROOT, Table, Target, Trouble, Volley, finish, first_line, names, resident_kb, stop

BOUND = 0.05
VUS = 20
MARK = "soak-mark "


def watch(volley, engine, target, requests, workdir):
    """Runs the soak to its end: how many requests were made, how many failed, and samples of (mark, resident KB)."""
    export, log = workdir / "soak.json", workdir / "soak.log"
    export.unlink(missing_ok=True)
    env = {"URL": target.urls["plain"], "JSON_URL": target.urls["json"], "REQUESTS": requests, "VUS": VUS}
    options = ["--log-format=raw", "--summary-export", str(export)]
    samples, mark, read = [], 0, 0
    began = time.monotonic()
    with open(log, "wb") as sink:
        process = subprocess.Popen(volley.command(engine, "soak.js", options, env), stdout=sink, stderr=sink)
    try:
        with open(log, encoding="utf-8", errors="replace") as lines:
            while process.poll() is None:
                for line in lines:
                    if line.startswith(MARK):
                        mark = int(line.removeprefix(MARK))
                        print(f"  {engine}: {mark * 10} %, {resident_kb(process.pid) / 1024:.1f} MB", file=sys.stderr, flush=True)
                if kb := resident_kb(process.pid):
                    samples.append((mark, kb))
                time.sleep(0.1)
    finally:
        stop(process)
    if process.returncode != 0:
        raise Trouble(f"the soak on {engine} ended with code {process.returncode}: {first_line(log)}")
    metrics = json.loads(export.read_text())["metrics"]
    made, failed = int(metrics["http_reqs"]["count"]), metrics["http_req_failed"]["value"]
    return made, failed, samples, time.monotonic() - began


def judge(samples):
    """The median after the first tenth, the highest median of a later tenth, and that of the last, in KB."""
    tenths = [statistics.median(found) for at in range(10) if (found := [kb for mark, kb in samples if mark == at])]
    if len(tenths) < 3:
        raise Trouble("too few samples: make more requests")
    return tenths[1], max(tenths[2:]), tenths[-1]


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=Path, default=ROOT / "target/release/volley", help="the volley binary")
    parser.add_argument("--engines", type=names(["quickjs", "boa"]), default=["quickjs", "boa"], metavar="LIST")
    parser.add_argument("--requests", type=int, default=10_000_000, help="requests of each engine (10,000,000)")
    parser.add_argument("--target", choices=["auto", "nginx", "volley"], default="auto", help="what to ask")
    args = parser.parse_args(argv)
    # Two requests an iteration, ten marks.
    if args.requests < 20 * VUS or args.requests % (20 * VUS):
        parser.error(f"--requests is a multiple of {20 * VUS}")
    if not args.bin.is_file():
        raise Trouble(f"there is no program at `{args.bin}`")
    kind = args.target if args.target != "auto" else "nginx" if shutil.which("nginx") else "volley"
    table = Table()
    with tempfile.TemporaryDirectory(prefix="volley-soak-") as folder:
        workdir = Path(folder)
        volley = Volley(args.bin.resolve(), workdir)
        with Target(kind, args.bin.resolve(), workdir) as target:
            for engine in args.engines:
                try:
                    made, failed, samples, seconds = watch(volley, engine, target, args.requests, workdir)
                    early, highest, last = judge(samples)
                except Trouble as trouble:
                    table.trouble("soak", engine, trouble)
                    continue
                growth = highest / early - 1
                figure = (
                    f"{made:,} requests, {failed:.2%} failed; {early / 1024:.1f} MB after the first tenth, then at most "
                    f"{highest / 1024:.1f} MB ({growth:+.1%}), at last {last / 1024:.1f} MB ({last / early - 1:+.1%})"
                )
                good = growth <= BOUND and not failed and made == args.requests
                table.add("soak", engine, figure, rate=f"{made / seconds:,.0f}", floor=f"<= +{BOUND:.0%}", good=good)
    table.show()
    return 1 if table.missed else 0


if __name__ == "__main__":
    finish(main)

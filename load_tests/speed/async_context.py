#!/usr/bin/env python3
"""What does the feature async-metric-context cost? simple.js and async.js without it and with it, in turns.

    load_tests/speed/async_context.py
    load_tests/speed/async_context.py --engines quickjs --repeat 7
    load_tests/speed/async_context.py --help

Compares CPU seconds per request of the generator process. Needs nginx (or takes `volley target`). Ends with 1 when requests cost
more than 5 % more with it.
"""

import argparse
import shutil
import statistics
import tempfile
from pathlib import Path

from run import ROOT, Table, Target, Volley, finish, raise_file_limit

# By how much CPU per request may grow.
BOUND = 0.05
SCRIPTS = {"simple": "simple.js", "async": "async.js"}


def costs(args, target, volley, table):
    ways = {"off": [], "on": ["--features", "async-metric-context"]}
    for engine in args.engines.split(","):
        for row, script in SCRIPTS.items():
            seen = {way: [] for way in ways}
            for turn in range(args.repeat):
                # Who comes first is some percent better off.
                for way, flags in list(ways.items())[:: 1 if turn % 2 == 0 else -1]:
                    cost, _ = volley.load(engine, script, target.urls["plain"], args.seconds, more=flags)
                    seen[way].append(1 / cost.per_cpu_second)
            off, on = (statistics.median(seen[way]) for way in ways)
            growth = on / off - 1
            figure = f"{off * 1e6:.2f} us of CPU per request, {on * 1e6:.2f} with the feature, {growth:+.1%}"
            table.add(row, engine, figure, floor=f"<= {BOUND:+.0%}", good=growth <= BOUND)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=Path, default=ROOT / "target/release/volley", help="the volley binary")
    parser.add_argument("--engines", default="quickjs,boa", help="comma-separated")
    parser.add_argument("--seconds", type=int, default=5, help="length of each run (5)")
    parser.add_argument("--repeat", type=int, default=5, help="runs of each, of which the median counts (5)")
    args = parser.parse_args()
    raise_file_limit()
    kind = "nginx" if shutil.which("nginx") else "volley"
    table = Table()
    with tempfile.TemporaryDirectory(prefix="volley-async-context-") as folder:
        workdir = Path(folder)
        volley = Volley(args.bin.resolve(), workdir)
        with Target(kind, args.bin.resolve(), workdir) as target:
            costs(args, target, volley, table)
    table.show()
    return 1 if table.missed else 0


if __name__ == "__main__":
    finish(main)

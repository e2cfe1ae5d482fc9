#!/usr/bin/env python3
"""What does it cost to run as one of several instances? Measures the CPU time of processes as the kernel counts it:

- one instance with a hundred series alone, and the same joined with another one: the difference, as a share of one core (limit 1 %);
- `volley conduct` with a hundred simulated instances of a hundred series each (limit: one core, and it keeps up).

    load_tests/scale_out/cost.py                    with target/dist, target/release or target/debug, whichever is there first
    load_tests/scale_out/cost.sh                    the same after `cargo build --release`
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

import fleet
from senders import TICK, Senders

HERE = Path(__file__).resolve().parent


def cpu_of(pid):
    """Seconds of CPU that a process has used, its threads included."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def ended(child):
    """Waits for a child; the seconds of CPU it has used."""
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"it ended with {child.returncode}")
    return usage.ru_utime + usage.ru_stime


def joining(args):
    """The CPU time of one alone, and of the first and the second of two."""
    site = fleet.Fleet(args.bin, fleet.Loopback(), [args.engine], HERE / "series.js")
    try:
        site.start_redis()
        script = lambda rate: ["-e", f"SECONDS={args.seconds}", "-e", f"RATE={rate}", "test.js"]
        common = ["run", "--quiet", "--address", "", "--js-engine", args.engine, "--summary-json"]
        alone, first, second = [], [], []
        for nth in range(args.repeat):
            child = site.start([site.binary, *common, "alone.json", *script(20)], "alone")
            alone.append(ended(child))
            join = ["--join", f"{site.meeting}{nth}", "--instance"]
            children = [
                site.start([site.binary, *common, f"{at}.json", *join, f"{at}/2", *script(40)], f"joined{at}") for at in (1, 2)
            ]
            # The first is waited for last: it reports.
            second.append(ended(children[1]))
            first.append(ended(children[0]))
        best = [min(times) for times in (alone, first, second)]
        shares = [(joined - best[0]) / args.seconds * 100 for joined in best[1:]]
        print(f"a hundred series for {args.seconds} s: {best[0]:.2f} s of CPU alone; joined {best[2]:.2f} s ({shares[1]:+.2f} % of a core)")
        print(f"as the one that conducts {best[1]:.2f} s ({shares[0]:+.2f} %), start, merge and reports included")
        return shares[1] < 1.0
    finally:
        site.close()


def conducting(args):
    """The CPU time of one that conducts a hundred."""
    site = fleet.Fleet(args.bin, fleet.Loopback(), [args.engine], HERE / "series.js")
    try:
        site.start_redis()
        subprocess.run([site.binary, "archive", "-O", "test.tar", "test.js"], cwd=site.folder, check=True, capture_output=True)
        senders = Senders("127.0.0.1", site.redis_port, "run-1", args.senders, (site.folder / "test.tar").read_bytes())
        conductor = site.start([site.binary, "conduct", site.meeting, "--instances", args.senders, "--ui", "plain"], "conductor")
        begun, last, most, at_begin = None, 0, 0, 0.0
        while begun is None or time.monotonic() - begun < args.seconds:
            if conductor.poll() is not None:
                raise SystemExit(site.said("conductor"))
            waiting = senders.tick()
            if senders.stage == "running" and begun is None:
                begun, at_begin, senders.bytes = time.monotonic(), cpu_of(conductor.pid), 0
            if begun and time.monotonic() - begun > 3:
                most = max(most, waiting)
            time.sleep(TICK)
        took = time.monotonic() - begun
        spent = cpu_of(conductor.pid) - at_begin
        last = senders.tick()
        print(
            f"{args.senders} instances of a hundred series for {took:.0f} s, {senders.bytes / took / 1e6:.1f} MB a second: {spent:.2f} s of CPU, "
            f"{spent / took * 100:.1f} % of a core; frames that wait: at most {most}, at the end {last}; counted anew {senders.epoch - 1} times"
        )
        return spent / took < 1 and most <= 3 * args.senders
    finally:
        site.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    fleet.arguments(parser)
    parser.add_argument("--engine", default="quickjs")
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--senders", type=int, default=100)
    args = parser.parse_args()
    print(f"{args.bin}, {os.cpu_count()} cores")
    results = [joining(args), conducting(args)]
    sys.exit(not all(results))


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""What does a page cost volley itself? Its own CPU per page load, and its memory over very many addresses; Chromium excluded.

    load_tests/browser/cost.py                     200 page loads, then 2,000 addresses, on each engine: some ten minutes
    load_tests/browser/cost.py --engines quickjs --addresses 400
    load_tests/browser/cost.py --help

A page load is `page.goto`, a click by a locator and a `textContent`. CPU is user and system time of the process, without its
children, from after the first ten loads on. Memory is the resident memory after a tenth, a half and all of the addresses, each
of which is new. The run asks a gate here for leave where something is read, so that it stands still meanwhile.
Needs Chromium and Python 3. As root, Chromium needs K6_BROWSER_ARGS=no-sandbox.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from leftovers import HERE, MARGIN, PATIENCE, ROOT, end_on_sigterm, left, names, start_target, wait_until

WARM = 10  # page loads before any that is measured
SLOWEST = 5  # seconds that a page load may take before the run counts as stuck
TICKS = os.sysconf("SC_CLK_TCK")


def cpu_millis(pid):
    """User and system time of a process, without that of its children."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / TICKS


def resident_mb(pid):
    return int(re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())[1]) / 1024


def readings(binary, url, engine, kind, count, read):
    """Runs cost.js; [(loads made, what `read` says of the process then)]."""
    found = []
    running = threading.Event()
    process = None

    class Gate(BaseHTTPRequestHandler):
        def do_GET(self):
            running.wait()
            found.append((int(self.path.removeprefix("/")), read(process.pid)))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    with tempfile.TemporaryDirectory() as work, ThreadingHTTPServer(("127.0.0.1", 0), Gate) as gate:
        threading.Thread(target=gate.serve_forever, daemon=True).start()
        words = [binary, "run", "--quiet", "--no-color", "--log-format=raw", "--js-engine", engine, "-e", f"BASE_URL={url}", "-e", f"KIND={kind}"]
        words += ["-e", f"GATE=http://127.0.0.1:{gate.server_port}", "-e", f"COUNT={count}", "-e", f"WARM={WARM}", str(HERE / "cost.js")]
        process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, cwd=work, env=os.environ | {"TMPDIR": work})
        running.set()
        try:
            said = process.communicate(timeout=count * SLOWEST + MARGIN)[1]
        finally:
            process.kill()
            process.wait()
            wait_until(lambda: not left(Path(work)), PATIENCE)
            gate.shutdown()
    if process.returncode != 0 or "Uncaught" in said or [made for made, _ in found][-1:] != [count]:
        sys.exit(f"cost.py: the run on {engine} ended with {process.returncode}: {said[:300]}")
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=Path, default=ROOT / "target/release/volley", help="the volley binary")
    parser.add_argument("--engines", type=names(["quickjs", "boa"]), default=["quickjs", "boa"], metavar="LIST")
    parser.add_argument("--loads", type=int, default=200, help="page loads whose CPU is measured (200)")
    parser.add_argument("--addresses", type=int, default=2000, help="addresses over which memory is watched (2,000)")
    args = parser.parse_args()
    if not args.bin.is_file():
        parser.error(f"there is no {args.bin}: build it, or name one with --bin")
    if not 10 <= args.loads <= 10_000 or not 10 <= args.addresses <= 100_000:
        parser.error("--loads is 10 to 10,000 and --addresses 10 to 100,000")
    end_on_sigterm()
    binary = str(args.bin.resolve())
    target, url = start_target(binary)
    try:
        for engine in args.engines:
            spent = [millis for _, millis in readings(binary, url, engine, "loads", args.loads, cpu_millis)]
            print(f"{engine:8} {(spent[-1] - spent[0]) / args.loads:.2f} ms CPU per page load, over {args.loads}", flush=True)
            sizes = [f"{size:.1f} MB at {made}" for made, size in readings(binary, url, engine, "addresses", args.addresses, resident_mb)]
            print(f"{engine:8} {', '.join(sizes)} addresses", flush=True)
    finally:
        target.kill()
        target.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())

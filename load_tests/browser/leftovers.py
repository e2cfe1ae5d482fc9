#!/usr/bin/env python3
"""What is left of a run with browsers? Whatever ends it: no process, no folder of a profile, no socket.

    load_tests/browser/leftovers.py                            10 VUs for 60 s, four ends, on each engine: eight minutes
    load_tests/browser/leftovers.py --duration 20 --vus 3      shorter
    load_tests/browser/leftovers.py --engines boa --ends killed
    load_tests/browser/leftovers.py --help

Every run has a folder of its own for temporary files and a `volley target` of its own. What belongs to it are processes that
name the folder, sockets and files in it. Ends with 1 when something is left, or when a run did not end as it should.
Needs Chromium and Python 3. As root, Chromium needs K6_BROWSER_ARGS=no-sandbox.
"""

import argparse
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PATIENCE = 20  # seconds that what belonged to a run may take to go
MARGIN = 90  # seconds that a run may take longer than planned
DONE = "logged in"


@dataclass(frozen=True)
class End:
    """How a run ends: what is sent to whom after a third of it, and the exit code it then has."""

    name: str
    signal: int | None
    to_browser: bool
    code: int


ENDS = [
    End("regular", None, False, 0),
    End("interrupted", signal.SIGINT, False, 105),
    End("killed", signal.SIGKILL, False, -signal.SIGKILL),
    End("browser-killed", signal.SIGKILL, True, 0),
]


def command_line(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return []


def processes(folder):
    """Processes that name the folder: {pid: words of the command line}."""
    found = {int(entry): command_line(entry) for entry in os.listdir("/proc") if entry.isdigit()}
    return {pid: words for pid, words in found.items() if any(str(folder) in word for word in words)}


def browsers(folder):
    """Those of them that are browsers: neither the shell that guards one nor a process that one has started."""
    return {pid for pid, words in processes(folder).items() if not words[0].endswith("sh") and not any(word.startswith("--type=") for word in words)}


def sockets(folder):
    return [line.split()[-1] for line in Path("/proc/net/unix").read_text().splitlines() if str(folder) in line]


def left(folder):
    """What belongs to a run and is still there, in words."""
    found = [f"process {pid}: {' '.join(words)[:100]}" for pid, words in processes(folder).items()]
    found += [f"socket {path}" for path in sockets(folder)]
    return found + [f"file {path}" for path in folder.iterdir()]


def wait_until(holds, seconds):
    end = time.monotonic() + seconds
    while not (is_met := holds()) and time.monotonic() < end:
        time.sleep(0.1)
    return is_met


def start_target(binary):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    target = subprocess.Popen([binary, "target", "--listen", address], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def answers():
        with socket.socket() as probe:
            return probe.connect_ex((address.split(":")[0], int(address.split(":")[1]))) == 0

    if not wait_until(answers, PATIENCE):
        target.kill()
        sys.exit(f"leftovers.py: the target does not listen at {address}")
    return target, f"http://{address}"


def end_on_sigterm():
    """From now on a SIGTERM clears up as a Ctrl+C does."""

    def end(*_):
        sys.exit(f"{Path(sys.argv[0]).name}: ended")

    signal.signal(signal.SIGTERM, end)


def run(binary, url, engine, end, vus, duration):
    """One run; (how often somebody logged in, what is wrong)."""
    wrong = []
    with tempfile.TemporaryDirectory() as work:
        folder, log = Path(work, "tmp"), Path(work, "log")
        folder.mkdir()
        words = [binary, "run", "--quiet", "--no-color", "--log-format=raw", "--js-engine", engine, "-e", f"BASE_URL={url}", "-e", f"VUS={vus}"]
        words += ["-e", f"DURATION={duration}s", str(HERE / "journey.js")]
        count = lambda: log.read_text(errors="replace").splitlines().count(DONE)
        with log.open("wb") as sink:
            process = subprocess.Popen(words, stdout=sink, stderr=sink, env=os.environ | {"TMPDIR": str(folder)}, cwd=work)
            try:
                if not wait_until(lambda: count() > 0 or process.poll() is not None, MARGIN):
                    wrong.append("nobody logged in")
                if end.signal is not None:
                    time.sleep(duration / 3)
                    there = browsers(folder)
                    if not there:
                        wrong.append("there was no browser to end")
                    before = count()
                    for pid in there if end.to_browser else [process.pid]:
                        os.kill(pid, end.signal)
                    if end.to_browser:
                        wrong += no_successor(process, lambda: bool(browsers(folder) - there), lambda: count() > before)
                code = process.wait(duration + MARGIN)
                if code != end.code:
                    wrong.append(f"it ended with {code} instead of {end.code}")
            except subprocess.TimeoutExpired:
                wrong.append("it did not end")
            finally:
                process.kill()
                process.wait()
                # Also where this script is ended: the folder can't go before what is in it.
                gone = wait_until(lambda: not left(folder), PATIENCE)
        done = count()
        if not gone:
            wrong += left(folder)
        if wrong:
            wrong += ["the last it said:", *log.read_text(errors="replace").splitlines()[-5:]]
    return done, wrong


def no_successor(process, is_there, has_worked):
    """What is wrong after a browser was ended, while the run goes on: a new one has to come, and somebody has to log in there."""
    seen = False

    def worked():
        nonlocal seen
        seen = seen or is_there()
        return (seen and has_worked()) or process.poll() is not None

    wait_until(worked, MARGIN)
    if seen and has_worked():
        return []
    what = "nobody logged in with the new browser" if seen else "no new browser came"
    # Not a fault of the run, where the machine was too slow.
    return [what if process.poll() is None else f"{what} before the run was over: a longer --duration shows whether one does"]


def names(allowed):
    def read(text):
        chosen = text.split(",")
        if wrong := [name for name in chosen if name not in allowed]:
            raise argparse.ArgumentTypeError(f"`{wrong[0]}`: expected some of {', '.join(allowed)}, separated by commas")
        return chosen

    return read


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=Path, default=ROOT / "target/release/volley", help="the volley binary")
    parser.add_argument("--engines", type=names(["quickjs", "boa"]), default=["quickjs", "boa"], metavar="LIST")
    parser.add_argument("--ends", type=names([end.name for end in ENDS]), default=[end.name for end in ENDS], metavar="LIST", help="regular,interrupted,killed,browser-killed")
    parser.add_argument("--vus", type=int, default=10, help="VUs of a run (10)")
    parser.add_argument("--duration", type=int, default=60, help="seconds of a run (60)")
    args = parser.parse_args()
    if not args.bin.is_file():
        parser.error(f"there is no {args.bin}: build it, or name one with --bin")
    if not 1 <= args.vus <= 50 or not 15 <= args.duration <= 600:
        parser.error("--vus is 1 to 50 and --duration 15 to 600")
    end_on_sigterm()
    binary = str(args.bin.resolve())
    target, url = start_target(binary)
    failed = 0
    try:
        for engine in args.engines:
            for end in (end for end in ENDS if end.name in args.ends):
                done, wrong = run(binary, url, engine, end, args.vus, args.duration)
                failed += bool(wrong)
                print(f"{engine:8} {end.name:15} {done:5} logins  {'nothing is left' if not wrong else 'WRONG'}", flush=True)
                for line in wrong:
                    print(f"    {line}", flush=True)
    finally:
        target.kill()
        target.wait()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

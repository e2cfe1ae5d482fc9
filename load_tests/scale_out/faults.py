#!/usr/bin/env python3
"""What happens to the result of a joined test when something goes wrong, compared with the log of the target: what was lost, who was
named after how long, the verdict and the exit codes. Each fault says what it must come to; the script ends with 1 where one does not.

    load_tests/scale_out/faults.py                     all, some ten minutes
    load_tests/scale_out/faults.py kill-first stop     these
    load_tests/scale_out/faults.py --list
"""

import argparse
import ctypes.util
import glob
import json
import signal
import subprocess
import sys
import time
import urllib.request
from collections import Counter

import fleet
import points

COUNT = 3
# What an instance measures and has not sent yet is lost with it: it sends once a second, and is asked some dozen times a second.
UNSENT_SECONDS = 2.0


class Trial:
    """One test of three instances to which something happens."""

    def __init__(self, args, name):
        self.args, self.name, self.seconds = args, name, args.seconds
        self.site = fleet.fleet(args, COUNT)
        self.site.start_redis()
        self.children, self.wrong, self.facts = {}, [], []

    def start(self, nth, env=None, extra=()):
        script = [*self.site.env_flags(self.seconds, self.args.rate), "test.js"] if nth != 2 else []
        own = ["--join", self.site.meeting, "--join-timeout", "60s", "--summary-json", f"whole.{nth}.json", *extra]
        self.children[nth] = self.site.instance(nth, COUNT, own, script, env)

    def start_all(self, envs=None, extra=()):
        for nth in range(1, COUNT + 1):
            self.start(nth, (envs or {}).get(nth), extra)

    def begin(self, seconds=5):
        """Until it has been going on for so long."""
        self.site.wait_for_requests(1)
        time.sleep(seconds)

    def kill(self, nth):
        self.children[nth].kill()
        self.children[nth].wait()
        return time.monotonic()

    def end(self):
        return {nth: child.wait() for nth, child in self.children.items()}

    def ends_well(self):
        """All end with 0, and nothing is lost."""
        codes = self.end()
        self.expect("exit codes", codes, dict.fromkeys(codes, 0))
        self.result(1, codes)

    def expect(self, what, found, expected):
        if found != expected:
            self.wrong.append(f"{what}: {found!r}, not {expected!r}")

    def result(self, nth, codes, lost_of=(), incomplete=False, is_cut=False):
        """Compares the result that instance `nth` reports with the target's log."""
        whole = self.site.document(f"whole.{nth}.json")
        if whole is None:
            self.wrong.append(f"instance {nth} reports nothing:\n{self.site.said(f'instance.{nth}')[-1500:]}")
            return
        log = points.read_log(self.site.folder / "target.log")
        asked = Counter(peer for _, _, _, peer in log)
        measured = next(int(m["values"]["count"]) for m in whole["metrics"] if m["name"] == "http_reqs")
        checks = next(m["values"]["passes"] + m["values"]["fails"] for m in whole["metrics"] if m["name"] == "checks")
        named = sum(one["passes"] + one["fails"] for one in whole["checks"]["list"])
        missing = len(log) - measured
        share = sum(asked.values()) / COUNT / self.seconds
        # Requests that were on their way when an instance was killed are in the log, and nobody measured them.
        allowed = int(len(lost_of) * (share * UNSENT_SECONDS + 2 * 16))
        # So is what the end of the test cuts: the target answers, and nobody waits for it.
        allowed += 16 if is_cut else 0
        self.facts.append(f"{missing} of {len(log)} requests lost")
        if not 0 <= missing <= allowed:
            self.wrong.append(f"{missing} requests lost, at most {allowed} may be")
        self.expect("checks by name", named, checks)
        self.facts.append(f"{whole['verdict']['headline']}, exit {codes}")
        self.expect("incomplete", whole["run"]["incomplete"] is not None, incomplete)
        if not lost_of:
            check = points.Check()
            raw = points.Points(self.site.points())
            points.check_metrics(check, whole, raw)
            self.facts.append(f"{check.compared} figures compared")
            self.wrong += check.wrong

    def named(self, by, text, since, limit=5.0):
        self.site.wait_until(f"instance.{by}", text, 30)
        took = time.monotonic() - since
        self.facts.append(f"named after {took:.1f} s")
        if took > limit:
            self.wrong.append(f"named after {took:.1f} s, {limit} s are allowed")


def killed(trial, nth):
    trial.start_all()
    trial.begin(7)
    since = trial.kill(nth)
    reporter = 2 if nth == 1 else 1
    trial.named(reporter, f"instance {nth}/3 is lost", since)
    codes = trial.end()
    trial.result(reporter, codes, lost_of=[nth], incomplete=True)
    trial.expect("exit codes", codes, {n: -9 if n == nth else 2 if n == reporter else 0 for n in codes})


def kill_first(trial):
    killed(trial, 1)


def kill_middle(trial):
    killed(trial, 2)


def kill_last(trial):
    killed(trial, 3)


def redis_killed(trial):
    """For good: each keeps its own result, and `merge` makes one of them."""
    trial.start_all(extra=["--join-timeout", "5s"])
    trial.begin()
    trial.site.stop_redis()
    codes = trial.end()
    trial.expect("exit codes", codes, dict.fromkeys(codes, 2))
    files = [f"whole.{nth}.json" for nth in codes]
    merged = subprocess.run(
        [trial.site.binary, "merge", *files, "--out", "whole.9.json"], cwd=trial.site.folder, capture_output=True, text=True, check=False
    )
    trial.expect("the exit code of merge", (merged.returncode, merged.stderr), (0, ""))
    trial.result(9, codes)


def redis_back(trial):
    """Gone for thirty seconds, and back with nothing of what it knew."""
    trial.seconds += 30
    trial.start_all()
    trial.begin()
    trial.site.stop_redis()
    time.sleep(30)
    before = trial.site.answered()
    trial.site.start_redis()
    trial.site.wait_until("instance.1", "can be reached again")
    trial.facts.append(f"{before} requests up to the end of the outage")
    trial.ends_well()


def stand_still(trial, nth, by, text):
    """Instance `nth` stands still for ten seconds, of which instance `by` says `text`."""
    trial.seconds += 10
    trial.start_all()
    trial.begin()
    trial.children[nth].send_signal(signal.SIGSTOP)
    since = time.monotonic()
    trial.named(by, text, since)
    time.sleep(max(0, 10 - (time.monotonic() - since)))
    trial.children[nth].send_signal(signal.SIGCONT)


def stopped(trial):
    """One stands still for ten seconds."""
    stand_still(trial, 2, by=1, text="instance 2/3 is lost")
    trial.site.wait_until("instance.1", "instance 2/3 is heard again")
    trial.ends_well()


def stopped_first(trial):
    """The one that conducts stands still for ten seconds: the next one takes over, and gives it back."""
    stand_still(trial, 1, by=2, text="nothing is heard of instance 1/3 any more")
    trial.ends_well()


def slow(trial):
    """One gets a quarter of the time it wants."""
    trial.start_all()
    trial.begin(2)
    child = trial.children[2]
    while child.poll() is None:
        child.send_signal(signal.SIGSTOP)
        time.sleep(0.3)
        child.send_signal(signal.SIGCONT)
        time.sleep(0.1)
        if trial.children[1].poll() is not None:
            break
    trial.ends_well()


def clocks(trial):
    """One clock is five seconds fast, one five seconds slow."""
    libraries = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1") + [ctypes.util.find_library("faketimeMT") or ""]
    if not libraries[0]:
        trial.facts.append("NOT TRIED: libfaketime is not installed (Debian: faketime)")
        return
    fake = {"LD_PRELOAD": libraries[0], "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1"}
    trial.start_all(envs={2: {**fake, "FAKETIME": "+5s"}, 3: {**fake, "FAKETIME": "-5s"}})
    codes = trial.end()
    trial.expect("exit codes", codes, dict.fromkeys(codes, 0))
    first = {}
    for line in (trial.site.folder / "target.log").read_text().splitlines():
        at, peer, path = line.split(" ", 2)
        if not path.startswith("/teardown"):
            first.setdefault(peer, float(at))
    apart = max(first.values()) - min(first.values())
    trial.facts.append(f"first requests {apart:.2f} s apart")
    if apart > 1.5:
        trial.wrong.append(f"the instances began {apart:.2f} s apart")
    trial.result(1, codes)


def late(trial):
    """The last one is started five seconds after the others: they wait for it. One that comes when the test has begun is refused."""
    trial.start(1)
    trial.start(2)
    time.sleep(5)
    trial.expect("requests before all are there", trial.site.answered(), 0)
    trial.start(3)
    trial.begin(1)
    refused = trial.site.start([trial.site.binary, "run", "--join", trial.site.meeting, "--instance", f"3/{COUNT}", "test.js"], "late")
    trial.expect("the exit code of one that comes too late", refused.wait(), 104)
    trial.expect("what it says", "has begun, instance 3/3 is too late" in trial.site.said("late"), True)
    trial.facts.append("too late: 104")
    trial.ends_well()


def twice(trial):
    """One number is started twice: the second one is refused, in one line."""
    trial.start(1)
    trial.site.wait_until("instance.1", "has joined")
    command = [trial.site.binary, "run", "--join", trial.site.meeting, "--instance", f"1/{COUNT}", "test.js"]
    again = subprocess.run(command, cwd=trial.site.folder, capture_output=True, text=True, check=False)
    trial.expect("the exit code of the second one", again.returncode, 104)
    trial.expect("lines it says", len(again.stderr.strip().splitlines()), 1)
    trial.facts.append("refused: " + again.stderr.strip().split('msg=', 1)[-1][:90])
    trial.start(2)
    trial.start(3)
    trial.ends_well()


def silent_after(trial, since, what):
    """Nobody asks the target any more two seconds later."""
    last = max(float(line.split(" ", 1)[0]) for line in (trial.site.folder / "target.log").read_text().splitlines() if "/teardown/" not in line)
    trial.facts.append(f"the last request {max(0, last - since):.1f} s after {what}")
    if last - since > 2:
        trial.wrong.append(f"requests {last - since:.1f} s after {what}")


def interrupted(trial):
    """Ctrl+C at the first one reaches all."""
    trial.start_all()
    trial.begin()
    since = time.time()
    trial.children[1].send_signal(signal.SIGINT)
    codes = trial.end()
    trial.facts.append(f"all ended {time.time() - since:.1f} s after it")
    silent_after(trial, since, "the signal")
    trial.expect("exit codes", codes, {1: 105, 2: 0, 3: 0})
    trial.result(1, codes, is_cut=True)


def aborted(trial):
    """A threshold on what all have measured ends it for all: no instance comes to so many requests by itself."""
    script = (trial.site.folder / "test.js").read_text()
    limit = trial.args.rate * 5
    script = script.replace("checks: ['rate==1'],", f"checks: ['rate==1'], due: [{{ threshold: 'count<{limit}', abortOnFail: true }}],")
    (trial.site.folder / "test.js").write_text(script)
    trial.start_all()
    trial.begin(1)
    log = trial.site.folder / "target.log"
    while sum("/arrivals/" in line for line in log.read_text().splitlines()) < limit:
        time.sleep(0.05)
    since = time.time()
    codes = trial.end()
    # It is known a second later what was measured, and another one is allowed for judging it.
    silent_after(trial, since + 2, "the limit was known to be crossed")
    trial.expect("exit codes", codes, {1: 99, 2: 0, 3: 0})
    trial.result(1, codes, is_cut=True)


HELD = """
import http from 'k6/http';
import { sleep } from 'k6';
import exec from 'k6/execution';
export const options = { scenarios: { ramp: { executor: 'externally-controlled', vus: 3, maxVUs: 12, duration: `${__ENV.SECONDS}s` } } };
export default function () {
  http.get(`${__ENV.BASE_URL}/ramp/${exec.scenario.iterationInTest}/${exec.vu.idInTest}`, { tags: { name: 'ramp' } });
  sleep(0.2);
}
"""


def held(trial):
    """What the REST API of the first one is told, all do: hold, go on, more VUs."""
    (trial.site.folder / "test.js").write_text(HELD)
    address = f"127.0.0.1:{fleet.free_port()}"
    trial.start(1, extra=["--address", address])
    trial.start(2)
    trial.start(3)

    def tell(**attributes):
        body = json.dumps({"data": {"type": "status", "id": "default", "attributes": attributes}}).encode()
        asked = urllib.request.Request(f"http://{address}/v1/status", body, {"Content-Type": "application/json"}, method="PATCH")
        with urllib.request.urlopen(asked, timeout=5) as answer:
            trial.expect("the API's answer", answer.status, 200)

    def asked_for(seconds):
        """The requests of a time, by peer."""
        before = len((trial.site.folder / "target.log").read_text().splitlines())
        time.sleep(seconds)
        lines = (trial.site.folder / "target.log").read_text().splitlines()[before:]
        return Counter(line.split(" ")[1] for line in lines)

    trial.begin(2)
    trial.expect("instances at work", len(asked_for(2)), 3)
    tell(paused=True)
    time.sleep(2)
    trial.expect("requests while all are held", sum(asked_for(2).values()), 0)
    tell(paused=False)
    time.sleep(2)
    few = asked_for(2)
    trial.expect("instances at work again", len(few), 3)
    tell(vus=12)
    time.sleep(2)
    many = asked_for(2)
    trial.facts.append(f"{sum(few.values())} requests of 3 VUs in 2 s, {sum(many.values())} of 12")
    if min(many[peer] / few[peer] for peer in few) < 2:
        trial.wrong.append(f"not all have four times as many VUs: {few}, {many}")
    codes = trial.end()
    trial.expect("exit codes", codes, {1: 0, 2: 0, 3: 0})


FAULTS = {
    "kill-first": kill_first, "kill-middle": kill_middle, "kill-last": kill_last, "redis-killed": redis_killed,
    "redis-back": redis_back, "stop": stopped, "stop-first": stopped_first, "slow": slow, "clocks": clocks, "late": late, "twice": twice, "interrupt": interrupted,
    "abort": aborted, "held": held,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    fleet.arguments(parser)
    parser.set_defaults(rate=30)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--list", action="store_true", help="say which faults there are")
    parser.add_argument("faults", nargs="*", metavar="FAULT")
    args = parser.parse_args()
    if args.list:
        print("\n".join(FAULTS))
        return
    failed = False
    for name in args.faults or FAULTS:
        trial = Trial(args, name)
        try:
            FAULTS[name](trial)
        except SystemExit as why:
            trial.wrong.append(str(why))
        finally:
            print(f"{name}: {'FAILED' if trial.wrong else 'ok'}: {'; '.join(trial.facts)}", flush=True)
            print("".join(f"  {line}\n" for line in trial.wrong), end="", flush=True)
            failed |= bool(trial.wrong)
            fleet.finish(trial.site, args)
    sys.exit(failed)


if __name__ == "__main__":
    main()

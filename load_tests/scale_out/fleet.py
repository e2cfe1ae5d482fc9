"""Instances of one test, the target they ask, and the Redis server they meet at: started, harmed and ended by scripts."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BRIDGE = "volleybr0"


def free_port(host="127.0.0.1"):
    with socket.socket() as probe:
        probe.bind((host, 0))
        return probe.getsockname()[1]


def run_quietly(*command):
    return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)


class Loopback:
    """Each instance has an address of its own on the loopback device."""

    host = "127.0.0.1"

    def enter(self, _):
        return []

    def flags(self, nth):
        return ["--local-ips", f"127.0.1.{nth}"]

    def close(self):
        pass


class Namespaces:
    """Each instance has a network of its own, and a cable to a bridge, where target and Redis are."""

    host = "10.213.77.1"

    def __init__(self, count):
        self.count = count
        self.close()
        self.ip("link", "add", BRIDGE, "type", "bridge")
        self.ip("addr", "add", f"{self.host}/24", "dev", BRIDGE)
        self.ip("link", "set", BRIDGE, "up")
        for nth in range(1, count + 1):
            name, outer, inner = f"volley{nth}", f"volleyo{nth}", f"volleyi{nth}"
            self.ip("netns", "add", name)
            self.ip("link", "add", outer, "type", "veth", "peer", "name", inner)
            self.ip("link", "set", inner, "netns", name)
            self.ip("link", "set", outer, "master", BRIDGE, "up")
            self.ip("-n", name, "addr", "add", f"10.213.77.{nth + 1}/24", "dev", inner)
            self.ip("-n", name, "link", "set", inner, "up")
            self.ip("-n", name, "link", "set", "lo", "up")

    @staticmethod
    def ip(*arguments):
        done = run_quietly("ip", *arguments)
        if done.returncode:
            raise SystemExit(f"ip {' '.join(arguments)}: {done.stderr.strip()} (this needs root; `--network loopback` does not)")

    def enter(self, nth):
        return ["ip", "netns", "exec", f"volley{nth}"] if nth else []

    def flags(self, _):
        return []

    def close(self):
        for nth in range(1, self.count + 1):
            run_quietly("ip", "netns", "del", f"volley{nth}")
        run_quietly("ip", "link", "del", BRIDGE)


class Fleet:
    """A folder, a target, a Redis server, and the instances of one test."""

    def __init__(self, binary, network, engines=("quickjs",), script=HERE / "test.js"):
        self.binary, self.network, self.engines = str(binary), network, engines
        self.folder = Path(tempfile.mkdtemp(prefix="volley-scale-out-"))
        shutil.copy(script, self.folder / "test.js")
        self.children = []
        self.port = free_port(network.host)
        self.redis_port = free_port(network.host)
        self.target = self.start([sys.executable, HERE / "target.py", network.host, self.port, "target.log"], "target")
        self.wait_for_port(self.port)
        self.redis = None

    def start(self, command, name, env=None):
        out = open(self.folder / f"{name}.txt", "wb")
        child = subprocess.Popen(
            [str(part) for part in command], cwd=self.folder, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONHASHSEED": "0", **(env or {})},
        )
        self.children.append(child)
        return child

    def wait_for_port(self, port):
        for _ in range(600):
            with contextlib.suppress(OSError), socket.create_connection((self.network.host, port), 1):
                return
            time.sleep(0.05)
        raise SystemExit(f"nothing listens on port {port}")

    def start_redis(self):
        program = shutil.which("redis-server") or shutil.which("valkey-server")
        if not program:
            raise SystemExit("there is no redis-server (Debian: redis-server)")
        self.redis = self.start([program, "--port", self.redis_port, "--bind", self.network.host, "--protected-mode", "no", "--save", ""], "redis")
        self.wait_for_port(self.redis_port)

    def stop_redis(self):
        self.redis.kill()
        self.redis.wait()

    @property
    def meeting(self):
        return f"redis://{self.network.host}:{self.redis_port}/run-1"

    def env_flags(self, seconds, rate):
        url = f"http://{self.network.host}:{self.port}"
        return ["-e", f"BASE_URL={url}", "-e", f"SECONDS={seconds}", "-e", f"RATE={rate}"]

    def instance(self, nth, count, arguments, script, env=None, before=()):
        """Starts the instance of this number; `script` are the arguments with the script, or none."""
        command = [*self.network.enter(nth), *before, self.binary, "run", "--instance", f"{nth}/{count}", "--ui", "plain"]
        command += ["--address", "", "--js-engine", self.engines[nth % len(self.engines)], "-o", f"json=points.{nth}.json"]
        command += [*self.network.flags(nth), *arguments, *script]
        return self.start(command, f"instance.{nth}", env)

    def said(self, name):
        path = self.folder / f"{name}.txt"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def wait_until(self, name, text, limit=60):
        """Until this process has said it."""
        begun = time.monotonic()
        while text not in self.said(name):
            if time.monotonic() - begun > limit:
                raise SystemExit(f"{name} did not say `{text}`:\n{self.said(name)}")
            time.sleep(0.05)
        return time.monotonic() - begun

    def wait_for_requests(self, count, limit=120):
        """Until the target has answered so many."""
        begun = time.monotonic()
        while self.answered() < count:
            if time.monotonic() - begun > limit:
                raise SystemExit("the target is not asked")
            time.sleep(0.05)

    def answered(self):
        log = self.folder / "target.log"
        return log.read_bytes().count(b"\n") if log.exists() else 0

    def document(self, name):
        path = self.folder / name
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None

    def points(self):
        return sorted(self.folder.glob("points.*.json"))

    def close(self):
        for child in self.children:
            if child.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    child.send_signal(signal.SIGCONT)
                    child.kill()
                child.wait()
        self.network.close()


def arguments(parser):
    """The arguments that all scripts here have."""
    built = [ROOT / "target" / kind / "volley" for kind in ("dist", "release", "debug")]
    parser.add_argument("--bin", default=next((path for path in built if path.exists()), "volley"), help="the program")
    parser.add_argument("--network", choices=["loopback", "namespaces"], default="loopback", help="addresses on 127.0.1.x, or network namespaces (root)")
    parser.add_argument("--instances", type=int, default=8)
    parser.add_argument("--rate", type=int, default=80, help="arrivals a second, of all")
    parser.add_argument("--engines", default="quickjs,boa", help="instances take them in turns")
    parser.add_argument("--keep", action="store_true", help="keep the folder, and say where it is")


def fleet(args, count=None):
    network = Namespaces(count or args.instances) if args.network == "namespaces" else Loopback()
    return Fleet(Path(args.bin).resolve() if os.sep in str(args.bin) else args.bin, network, args.engines.split(","))


def finish(site, args):
    site.close()
    if args.keep:
        print(f"  in {site.folder}")
    else:
        shutil.rmtree(site.folder, ignore_errors=True)

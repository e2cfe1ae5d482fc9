"""A hundred instances that measure nothing: they say of themselves what instances say (`src/join/words.rs`) and send a second's worth of
a hundred series each second, to find out what it costs to conduct them."""

import json
import random
import socket
import struct
import time

TICK = 0.25


class Redis:
    """Just enough of a client."""

    def __init__(self, host, port):
        self.socket = socket.create_connection((host, port))
        self.reader = self.socket.makefile("rb")

    def ask(self, *commands):
        """Sends all of them at once; their answers."""
        parts = []
        for command in commands:
            parts.append(b"*%d\r\n" % len(command))
            for part in command:
                part = part if isinstance(part, bytes) else str(part).encode()
                parts.append(b"$%d\r\n%b\r\n" % (len(part), part))
        self.socket.sendall(b"".join(parts))
        return [self.answer() for _ in commands]

    def answer(self):
        line = self.reader.readline()
        kind, rest = line[:1], line[1:-2]
        if kind == b"$":
            size = int(rest)
            return None if size < 0 else self.reader.read(size + 2)[:-2]
        if kind == b"*":
            return [self.answer() for _ in range(int(rest))]
        if kind == b"-":
            raise RuntimeError(rest.decode())
        return rest


def varint(number):
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def text(word):
    return varint(len(word)) + word.encode()


def second_of_series(per_second):
    """The bytes of `src/metrics/delta.rs`: 50 trends of so many values, 30 counters, 20 rates."""
    out = []
    for at in range(50):
        values = sorted(random.uniform(0, 100) for _ in range(per_second))
        out.append(text(f"trend_{at}") + b"\x03\x01" + varint(len(values)) + struct.pack("<3d", values[0], values[-1], sum(values)))
        packed = struct.pack(f"<{len(values)}d", *values)
        out.append(b"\x01" + varint(len(packed)) + packed)
    for at in range(30):
        out.append(text(f"counter_{at}") + b"\x00" + struct.pack("<d", per_second) + varint(per_second))
    for at in range(20):
        out.append(text(f"rate_{at}") + b"\x02" + varint(per_second // 2) + varint(per_second - per_second // 2))
    return b"".join(out)


class Senders:
    """All of them, over one connection."""

    def __init__(self, host, port, run, count, archive, per_second=100):
        self.redis, self.count = Redis(host, port), count
        base = f"volley:{run}"
        self.redis.ask(("SET", base, "abcdef0123456789", "PX", 15000, "NX"))
        ident = self.redis.ask(("GET", base))[0].decode()
        self.base, self.keys = base, f"{base}:{ident}:"
        self.redis.ask(("SET", self.keys + "of", count), ("SET", self.keys + "archive", archive), ("SET", self.keys + "setup", ""))
        self.bodies = [second_of_series(per_second) for _ in range(count)]
        self.stage, self.sent, self.number, self.epoch = "ready", 0.0, 0, 0
        self.control = {}
        self.bytes = 0

    def report(self):
        return json.dumps({
            "token": "simulated", "stage": self.stage, "test": "one", "active": 5, "initialised": 5, "max_vus": 5,
            "complete": self.number * 100, "interrupted": 0, "elapsed": {"secs": self.number, "nanos": 0}, "scenarios": [],
            "is_held": False, "marked_as_failed": False, "abort": None,
        })

    def tick(self):
        """Says how all are, and sends what is due."""
        commands = [("SET", f"{self.keys}member:{at}", self.report(), "PX", 2000) for at in range(self.count)]
        commands.append(("PEXPIRE", self.base, 15000))
        control = self.control
        if control.get("start_at"):
            self.stage = "running"
        elif control.get("set_up_by") is not None:
            self.stage = "set_up"
        if control.get("epoch", 0) != self.epoch:
            self.epoch, self.number = control["epoch"], 0
        if self.stage == "running" and time.monotonic() - self.sent >= 1:
            self.sent = time.monotonic()
            for at, body in enumerate(self.bodies):
                frame = struct.pack("<3Q", at, self.epoch, self.number) + body
                self.bytes += len(frame)
                commands.append(("RPUSH", self.keys + "frames", frame))
            self.number += 1
        commands += [("GET", self.keys + "control"), ("LLEN", self.keys + "frames")]
        *_, found, waiting = self.redis.ask(*commands)
        self.control = json.loads(found) if found else {}
        return int(waiting)

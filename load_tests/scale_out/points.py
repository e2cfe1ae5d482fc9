"""What a test came to, found without the program that is judged: adds up the raw points of all instances (`-o json`) and compares
them with the document of the whole (`--summary-json`, `merge --out`) and with the log of the target.

    load_tests/scale_out/points.py WHOLE.json TARGET.log POINTS.json...
"""

import base64
import json
import math
import struct
import sys
import zlib
from collections import Counter, defaultdict
from pathlib import Path

# As `metrics/trend.rs` says it: a histogram of three significant digits has 2048 sub-buckets.
SUB_BUCKETS = 2048
HALF = SUB_BUCKETS // 2
EXACT_LIMIT = 10_000


def nanoseconds(text):
    """A moment as `-o json` writes it, in UTC, as something that can be compared."""
    whole, _, rest = text.rstrip("Z").partition(".")
    return whole, rest.ljust(9, "0")


class Points:
    """The points of all instances, by metric."""

    def __init__(self, files):
        self.values = defaultdict(list)
        self.tagged = defaultdict(list)
        self.gauges = defaultdict(list)
        self.kinds = {}
        self.lines = 0
        for file in files:
            for line in Path(file).read_text(encoding="utf-8").splitlines():
                try:
                    entry = json.loads(line)
                except json.JSONDecodeError:
                    # A process that was killed leaves half a line.
                    continue
                if entry["type"] == "Metric":
                    self.kinds[entry["metric"]] = entry["data"]["type"]
                    continue
                name, data = entry["metric"], entry["data"]
                self.lines += 1
                self.values[name].append(data["value"])
                self.tagged[name].append((data.get("tags") or {}, data["value"]))
                if self.kinds.get(name) == "gauge":
                    self.gauges[name].append((nanoseconds(data["time"]), data["value"]))

    def select(self, name):
        """The values of a metric, or of a sub-metric `name{key:value}`."""
        if "{" not in name:
            return self.values[name]
        metric, rest = name[:-1].split("{", 1)
        wanted = [part.strip().split(":", 1) for part in rest.split(",")]
        return [value for tags, value in self.tagged[metric] if all(tags.get(k.strip('"')) == v.strip('"') for k, v in wanted)]


def index_of(units):
    """The bucket of a value in a histogram of three digits."""
    bucket = max(units.bit_length() - 11, 0)
    sub = units >> bucket
    return ((bucket + 1) << 10) + sub - HALF


def buckets_of(values, scale):
    """The counts of all buckets, of these values."""
    counts = Counter()
    for value in values:
        units = int(abs(value) * scale * (1.0 + 1e-14))
        counts[(value < 0, index_of(units))] += 1
    return counts


def decode(text):
    """The counts of all buckets, of a histogram in the V2 format: zigzag LEB128, a negative count is a run of empty buckets."""
    data = base64.b64decode(text)
    cookie, length, _, digits, lowest, _, _ = struct.unpack(">iiiiqqd", data[:40])
    if cookie & ~0xF0 == 0x1C849304:
        data = zlib.decompress(data[8 : 8 + length])
        cookie, length, _, digits, lowest, _, _ = struct.unpack(">iiiiqqd", data[:40])
    assert (cookie & ~0xF0, digits, lowest) == (0x1C849303, 3, 1), (hex(cookie), digits, lowest)
    counts, at, index, end = {}, 40, 0, 40 + length
    while at < end:
        value = shift = 0
        for nth in range(9):
            byte = data[at]
            at += 1
            if nth == 8:
                value |= byte << shift
                break
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        count = (value >> 1) ^ -(value & 1)
        if count < 0:
            index -= count
        else:
            if count:
                counts[index] = count
            index += 1
    return counts


def percentile(ordered, percent):
    """By linear interpolation, as k6 has it."""
    place = percent / 100 * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


class Check:
    """What is compared, and what differs."""

    def __init__(self):
        self.compared = 0
        self.wrong = []

    def same(self, what, found, expected, tolerance=0.0):
        self.compared += 1
        if isinstance(expected, float) or isinstance(found, float):
            is_same = found is not None and abs(found - expected) <= max(tolerance * abs(expected), 1e-9 * max(abs(expected), 1))
        else:
            is_same = found == expected
        if not is_same:
            self.wrong.append(f"{what}: {found!r}, not {expected!r}")
        return is_same

    def at_most(self, what, found, limit):
        self.compared += 1
        if found > limit:
            self.wrong.append(f"{what}: {found}, more than {limit}")


def check_trend(check, metric, values):
    name, ordered = metric["name"], sorted(values)
    found = metric["values"]
    check.same(f"{name} count", found["count"], len(values))
    if not values:
        return
    check.same(f"{name} min", found["min"], float(ordered[0]))
    check.same(f"{name} max", found["max"], float(ordered[-1]))
    check.same(f"{name} avg", found["avg"], math.fsum(values) / len(values), 1e-9)
    scale = metric["histogram"]["scale"]
    kept = {(False, at): count for at, count in decode(metric["histogram"]["hdr_v2"]).items()} if "hdr_v2" in metric["histogram"] else {}
    if "hdr_v2_negative" in metric["histogram"]:
        kept.update({(True, at): count for at, count in decode(metric["histogram"]["hdr_v2_negative"]).items()})
    added = buckets_of(values, scale)
    differing = {at for at in kept.keys() | added.keys() if kept.get(at, 0) != added.get(at, 0)}
    check.same(f"{name}: buckets that differ", len(differing), 0)
    check.same(f"{name} exact", metric["exact"], len(values) <= EXACT_LIMIT)
    if metric["exact"]:
        raw = base64.b64decode(metric["exact_values"])
        check.same(f"{name}: exact values", sorted(struct.unpack(f"<{len(raw) // 8}d", raw)) == ordered, True)
    # Of a histogram a percentile is the middle of a bucket: half a thousandth.
    tolerance = 1e-9 if metric["exact"] else 1e-3
    for stat, percent in [("med", 50), ("p(90)", 90), ("p(95)", 95), ("p(99)", 99)]:
        if stat in found:
            check.same(f"{name} {stat}", float(found[stat]), float(percentile(ordered, percent)), tolerance)


def check_metrics(check, whole, points):
    """Every metric of the document against the points."""
    for metric in whole["metrics"]:
        name, found = metric["name"], metric["values"]
        values = points.select(name)
        if name in ("vus", "vus_max") or name.startswith(("vus{", "vus_max{")):
            # Added up over instances, at no common moment.
            continue
        if metric["type"] == "trend":
            check_trend(check, metric, values)
        elif metric["type"] == "counter":
            check.same(f"{name} count", float(found["count"]), math.fsum(values), 1e-12)
        elif metric["type"] == "rate":
            check.same(f"{name} passes", found["passes"], sum(value != 0 for value in values))
            check.same(f"{name} fails", found["fails"], sum(value == 0 for value in values))
        elif values:
            check.same(f"{name} min", float(found["min"]), float(min(values)))
            check.same(f"{name} max", float(found["max"]), float(max(values)))
            # Several instances may have set it at the same moment.
            latest = max(time for time, _ in points.gauges[name])
            last = [value for time, value in points.gauges[name] if time == latest]
            check.same(f"{name} is the last value", found["value"] in last, True)
    shown = {metric["name"] for metric in whole["metrics"]}
    check.same("metrics without a sum", sorted(name for name in points.values if name not in shown), [])
    for one in whole["checks"]["list"]:
        of_name = [value for tags, value in points.tagged["checks"] if tags.get("check") == one["name"]]
        check.same(f"check `{one['name']}`", (one["passes"], one["fails"]), (sum(v != 0 for v in of_name), sum(v == 0 for v in of_name)))
    requests = Counter((tags["name"], tags["method"]) for tags, _ in points.tagged["http_reqs"])
    for endpoint in whole["endpoints"]:
        key = (endpoint["name"], endpoint["method"])
        check.same(f"endpoint {key}", endpoint["requests"], requests[key])


def read_log(path):
    """What the target answered: (scenario, iteration, VU, peer) each."""
    log = []
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        _, peer, path = line.split(" ", 2)
        _, scenario, iteration, vu = path.split("/")
        log.append((scenario, int(iteration), int(vu), peer))
    return log


def check_log(check, points, log):
    """Every request that the target answered was measured, once, and the other way round; iterations have numbers of their own."""
    check.same("requests in the target's log", len(log), int(sum(points.values["http_reqs"])))
    for scenario in ("arrivals", "ramp"):
        asked = sorted(iteration for name, iteration, _, _ in log if name == scenario)
        told = sorted(int(v) for tags, v in points.tagged["iteration_in_test"] if tags.get("scenario") == scenario)
        check.same(f"iterations of {scenario} in the log", asked == told, True)
        check.same(f"iterations of {scenario} that ran twice", len(told) - len(set(told)), 0)
    # Of arrivals every number up to the last is there; of VUs that loop, each instance has counted as far as it came.
    arrivals = sorted(i for name, i, _, _ in log if name == "arrivals")
    dropped = int(sum(points.values["dropped_iterations"]))
    if dropped == 0:
        check.same("numbers of arrivals", arrivals, list(range(len(arrivals))))
    owners = defaultdict(set)
    for _, _, vu, peer in log:
        if vu:
            owners[vu].add(peer)
    check.same("VUs with one number at two instances", sum(len(peers) > 1 for peers in owners.values()), 0)
    return len(arrivals) + dropped


def compare(whole, points, log, due=None):
    """All of it; what was compared and what differs."""
    check = Check()
    check_metrics(check, whole, points)
    arrived = check_log(check, points, log)
    if due is not None:
        check.same("arrivals that were due", arrived, due)
    return check


if __name__ == "__main__":
    document, target, *files = sys.argv[1:]
    checked = compare(json.loads(Path(document).read_text(encoding="utf-8")), Points(files), read_log(target))
    print("\n".join(checked.wrong) or f"{checked.compared} figures agree")
    sys.exit(bool(checked.wrong))

#!/usr/bin/env python3
"""Is the result of eight instances that of one with the same samples? They run against one target with a log of its own, joined over
Redis and then by files and `merge`; all raw points are added up without the program (`points.py`) and compared with the result.

    load_tests/scale_out/exact.py                                    both, 60 s each
    load_tests/scale_out/exact.py --seconds 10 --ways joined
    load_tests/scale_out/exact.py --network namespaces               each instance in a network of its own (root)
"""

import argparse
import subprocess
import sys

import fleet
import points


def joined(site, args, conducts):
    """All meet at a Redis server; only the last one has the script."""
    site.start_redis()
    count, common = args.instances, ["--join", site.meeting]
    children = []
    if conducts:
        command = [site.binary, "conduct", site.meeting, "--instances", count, "--ui", "plain", "--summary-json", "whole.json"]
        conductor = site.start(command, "conductor")
    for nth in range(1, count + 1):
        script = [*site.env_flags(args.seconds, args.rate), "test.js"] if nth == count else []
        own = ["--summary-json", "whole.json"] if nth == 1 and not conducts else []
        children.append(site.instance(nth, count, common + own, script))
    codes = [child.wait() for child in children]
    if conducts:
        codes.append(conductor.wait())
    return codes, [0] * len(codes)


def by_files(site, args, _):
    """Each runs alone and writes a file; `merge` makes one result of them."""
    count = args.instances
    script = [*site.env_flags(args.seconds, args.rate), "test.js"]
    children = [site.instance(nth, count, ["--summary-json", f"part.{nth}.json"], script) for nth in range(1, count + 1)]
    codes = [child.wait() for child in children]
    files = [f"part.{nth}.json" for nth in range(1, count + 1)]
    merged = subprocess.run([site.binary, "merge", *files, "--out", "whole.json"], cwd=site.folder, capture_output=True, text=True, check=False)
    (site.folder / "merge.txt").write_text(merged.stdout + merged.stderr, encoding="utf-8")
    return [*codes, merged.returncode], [0] * (count + 1)


WAYS = {"joined": (joined, False), "conducted": (joined, True), "files": (by_files, False)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    fleet.arguments(parser)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--ways", default="joined,files", help=f"of {', '.join(WAYS)}")
    args = parser.parse_args()
    failed = False
    for name in args.ways.split(","):
        way, conducts = WAYS[name]
        site = fleet.fleet(args)
        try:
            codes, expected = way(site, args, conducts)
            whole = site.document("whole.json")
            if whole is None:
                print(f"{name}: FAILED, there is no result; exit codes {codes}")
                print("".join(site.said(f"instance.{nth}")[-2000:] for nth in (1, args.instances)))
                failed = True
                continue
            log = points.read_log(site.folder / "target.log")
            raw = points.Points(site.points())
            # By files, each instance calls setup() and teardown().
            check = points.compare(whole, raw, log, args.rate * args.seconds)
            check.same("exit codes", codes, expected)
            check.same("incomplete", whole["run"]["incomplete"], None)
            lines = check.wrong or [f"{check.compared} figures agree"]
            dropped = int(sum(raw.values["dropped_iterations"]))
            print(
                f"{name}: {'FAILED' if check.wrong else 'ok'}, {raw.lines} points of {args.instances} instances, {len(log)} requests in the "
                f"target's log, {dropped} arrivals dropped"
            )
            print("\n".join(f"  {line}" for line in lines))
            failed |= bool(check.wrong)
        finally:
            fleet.finish(site, args)
    sys.exit(failed)


if __name__ == "__main__":
    main()

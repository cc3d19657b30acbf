#!/usr/bin/env python3
"""Runs Slither over the contracts and compares what it finds with the answers of slither.toml.

Usage: slither.py PATH-OF-SLITHER, from the repository's root. Ends with 1 if a finding has no answer, or an answer no finding.
"""

import collections
import json
import os
import pathlib
import subprocess
import sys
import tomllib

ANSWERS = pathlib.Path(__file__).with_name("slither.toml")
REPORT = pathlib.Path("cache/slither.json")


def findings(slither):
    """(detector, impact, place) of every finding; the place is `Contract.function`, `Contract.variable` or `Contract`."""
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.unlink(missing_ok=True)
    # A profile of its own, because Slither cleans the build's output first.
    environment = os.environ | {"FOUNDRY_PROFILE": "audit"}
    command = [slither, ".", "--filter-paths", "node_modules", "--json", str(REPORT)]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if not REPORT.exists():
        sys.exit(f"slither wrote no report:\n{run.stdout}{run.stderr}")
    # Slither goes on without a function that it cannot translate, and finds little in the contracts that inherit it.
    gaps = [line for line in run.stderr.splitlines() if "to generate IR" in line]
    if gaps:
        sys.exit("\n".join(["slither did not understand everything:", *gaps]))
    report = json.loads(REPORT.read_text())
    if not report["success"]:
        sys.exit(f"slither failed: {report['error']}")
    for finding in report["results"]["detectors"]:
        element = finding["elements"][0]
        parent = element.get("type_specific_fields", {}).get("parent") or {}
        place = ".".join(name for name in (parent.get("name"), element["name"]) if name)
        yield finding["check"], finding["impact"], place


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    answers = {}
    for answer in tomllib.loads(ANSWERS.read_text())["answer"]:
        for place in answer["places"]:
            answers[answer["detector"], place] = answer["reason"]
    unused = set(answers)
    unanswered = []
    counts = collections.Counter()
    for detector, impact, place in findings(sys.argv[1]):
        counts[impact, detector] += 1
        key = next((key for key in ((detector, place), (detector, "*")) if key in answers), None)
        unused.discard(key)
        if key is None:
            unanswered.append(f"{impact} {detector}: {place}")
    for (impact, detector), count in sorted(counts.items()):
        print(f"{count:4} {impact:13} {detector}")
    for line in unanswered:
        print(f"not answered: {line}")
    for detector, place in sorted(unused):
        print(f"answer without a finding: {detector}: {place}")
    print(f"{sum(counts.values())} findings, {len(unanswered)} not answered")
    sys.exit(1 if unanswered or unused else 0)


if __name__ == "__main__":
    main()

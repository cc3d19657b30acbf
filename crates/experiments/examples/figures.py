"""Reads a sweep's figures.parquet and computes the means and paired differences of sweep.json again.

    python3 figures.py DIR

Needs polars, or pandas with pyarrow. Ends with 1 if a number is not the one in sweep.json.
"""

import json
import math
import sys
from pathlib import Path

CELL = ["scenario", "depth", "pass_through", "recovery_half_life"]
SHOWN = ["overshoot", "liquidated_volume", "bad_debt_bp", "bad_debt_max_bp", "blocks_to_solvency"]


def rows_of(path):
    """The table as a list of dictionaries; a figure that does not apply is None."""
    try:
        import polars
    except ImportError:
        import pandas

        frame = pandas.read_parquet(path).astype(object)
        return frame.where(frame.notna(), None).to_dict("records")
    return polars.read_parquet(path).to_dicts()


def mean(values):
    return math.fsum(values) / len(values) if values else None


def is_mean(written, values):
    """Whether a number is the mean of the values, up to the rounding of their sum."""
    greatest = max(map(abs, values), default=0.0)
    return bool(values) and abs(mean(values) - written) <= 1e-12 * greatest


def main(directory):
    summary = json.loads((directory / "sweep.json").read_text())
    rows = rows_of(directory / "figures.parquet")
    by_path = {(tuple(row[key] for key in CELL), row["policy"], row["seed"]): row for row in rows}
    seeds = sorted({row["seed"] for row in rows})
    wrong = compared = 0

    def check(place, values, written):
        nonlocal wrong, compared
        compared += 1
        if not is_mean(written, values):
            wrong += 1
            print(f"{place}: computed {mean(values)}, sweep.json has {written}", file=sys.stderr)

    for cell in summary["cells"]:
        key = tuple(cell[name] for name in CELL)

        def figure(policy, seed, name):
            return by_path[key, policy, seed][name]

        print(f"\n{cell['scenario']}, x/C {cell['depth']}, phi {cell['pass_through']}, {cell['recovery_half_life']} s")
        print(f"{'':24}" + "".join(f"{name:>20}" for name in SHOWN))
        for policy, means in cell["means"].items():
            for name, written in means.items():
                values = [figure(policy, seed, name) for seed in seeds]
                values = [value for value in values if value is not None]
                check(f"{key} {policy} {name}", values, written["value"])
            shown = [means.get(name, {}).get("value") for name in SHOWN]
            print(f"{policy:24}" + "".join(f"{'n/a' if value is None else format(value, '.6g'):>20}" for value in shown))
        for comparison in cell["comparisons"]:
            against = comparison["against"]
            for policy, differences in comparison["differences"].items():
                for name, written in differences.items():
                    pairs = [(figure(policy, seed, name), figure(against, seed, name)) for seed in seeds]
                    pairs = [pair for pair in pairs if None not in pair]
                    place = f"{key} {policy} less {against} {name}"
                    check(place, [own - base for own, base in pairs], written["mean"]["value"])

    print(f"\n{compared} numbers computed again from {len(rows)} paths, {wrong} differ")
    return 1 if wrong or not compared else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: figures.py DIR")
    sys.exit(main(Path(sys.argv[1])))

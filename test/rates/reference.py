#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""The rate curve in 60-digit decimals: prints the table of test/rates/RateCurve.t.sol.

    python3 test/rates/reference.py

Inputs are the integers that the contract receives; nothing else is rounded until a figure is printed.
"""

from decimal import Decimal as D, getcontext

getcontext().prec = 60
YEAR = 365 * 86_400
WAD = 10**18

# target, low, high, speed, minimum, maximum; WAD, and WAD per second
ADAPTIVE = (9 * 10**17, 25 * 10**16, 4 * WAD, 50 * WAD // YEAR, 10**15 // YEAR, 2 * WAD // YEAR)
STEEP = (5 * 10**17, 0, 10 * WAD, 1000 * WAD // YEAR, 1, WAD // YEAR)
KINKED = (8 * 10**17, 5 * 10**17, 20 * WAD, 0, 4 * 10**16 // YEAR, 4 * 10**16 // YEAR)


def ln(rate):
    """Natural logarithm of a rate given in WAD per second."""
    return (D(rate) / WAD).ln()


def log(rate):
    """The same as the contract stores it."""
    return int((ln(rate) * 10**12).to_integral_value())


def average(curve, utilisation, start, elapsed):
    target, low, high, speed, minimum, maximum = (D(v) / WAD for v in curve)
    u = min(D(utilisation) / WAD, D(1))
    e = (u - target) / (1 - target) if u > target else (u - target) / target
    start = D(start) / 10**12
    x = speed * e * elapsed

    def at(s):
        # The rate a log stands for may lie half a rounding outside a bound; it then stays where it is.
        moved = start + s * x
        return max(moved, min(start, minimum.ln())) if x < 0 else min(moved, max(start, maximum.ln()))

    mean = (at(D(0)).exp() + 2 * at(D("0.5")).exp() + at(D(1)).exp()) / 4
    multiplier = 1 + (high - 1) * e if e > 0 else 1 + (1 - low) * e
    return mean * multiplier, at(D(1))


FOUR = 4 * 10**16 // YEAR
CASES = [
    # utilisation, start, elapsed
    ("ADAPTIVE", ADAPTIVE, [
        (0, log(FOUR), 0),
        (9 * 10**17, log(FOUR), 86_400),
        (WAD, log(FOUR), 0),
        (95 * 10**16, log(FOUR), 12),
        (45 * 10**16, log(FOUR), 12),
        (WAD, log(FOUR), 86_400),
        (0, log(FOUR), 86_400),
        (WAD, log(FOUR), 20 * 86_400),      # the middle is inside, the end at the bound
        (WAD, log(FOUR), 90 * 86_400),      # both at the bound
        (0, log(FOUR), 20 * 86_400),
        (0, log(FOUR), 10 * YEAR),
        (WAD, log(ADAPTIVE[5]), 3_600),     # starts at the bound
        (123_456_789_012_345_678, log(ADAPTIVE[4]), 3_600),
        (123_456_789_012_345_678, -20_123_456_789_012, 54_321),
        (987_654_321_098_765_432, -17_000_000_000_001, 7_777),
        (9 * 10**17 + 1, log(FOUR), 12),
        (9 * 10**17 - 1, log(FOUR), 12),
        (2 * WAD, log(FOUR), 600),          # more lent out than lenders own
    ]),
    ("STEEP", STEEP, [
        (0, log(1_000_000), 10),            # low multiplier 0
        (10**17, log(1_000_000), 1_000_000),
        (WAD, log(1), 30_000),
        (3 * 10**17, log(WAD // YEAR), 5_000),
    ]),
    ("KINKED", KINKED, [
        (0, log(FOUR), 12),
        (4 * 10**17, log(FOUR), 12),
        (8 * 10**17, log(FOUR), 86_400),
        (9 * 10**17, log(FOUR), 86_400),
        (WAD, log(FOUR), YEAR),
    ]),
]

if __name__ == "__main__":
    for name, curve, cases in CASES:
        print(f"// {name}: " + ", ".join(str(v) for v in curve))
        for u, start, elapsed in cases:
            rate, end = average(curve, u, start, elapsed)
            print(f"_check({u}, {start}, {elapsed}, {int(rate * 10**36)}, {int(end * WAD)});")

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Replays the histories that BackstopTraces.t.sol writes in a ledger of rational numbers, one entry a depositor, and compares.

    BACKSTOP_TRACES=10000 script/forge test --match-contract BackstopTraces
    python3 test/backstop/ledger.py

The ledger knows no shares: an absorption of x takes d x / T of every depositor's d, T their sum; collateral is divided by d / T;
a sale takes from every depositor's stock alike and divides the proceeds by it. Whole base units that were paid are facts: what
an exit or a claim in kind rounds off stays with those who remain. Entries pay for the locked shares, whose owner is nobody.

Bounds, per depositor, over a whole history: k is the number of times that shares were rounded (his own: two an entry, three a
rescaling; of a batch that entered beside him: one), n three base units for each time that he was brought up to date, and two.
    deposit     what k shares were worth at most
    collateral  what k shares received, and n base units
    proceeds    what k shares received and were worth, and n base units
"""

import sys
from fractions import Fraction as Q

NOBODY = -1
LOCKED = 10**6


class Ledger:
    def __init__(self, seed):
        self.seed = seed
        self.left = {NOBODY: Q(0)}  # free deposits
        self.leaving = {}  # account -> (period, amount)
        self.entering = {}  # account -> (period, assets)
        self.stock = [{}, {}]
        self.owed = {}
        self.rounded = {}
        self.updates = {}
        self.share_worth = Q(0)  # the most that a share was ever worth
        self.per_share = [Q(0), Q(0), Q(0)]  # all that one share ever received: collaterals, debt asset
        self.shares = 0
        self.assets = 0

    def parts(self):
        parts = dict(self.left)
        for account, (_, amount) in self.leaving.items():
            parts[account] = parts.get(account, Q(0)) + amount
        return parts

    def scale(self, factor):
        for account in self.left:
            self.left[account] *= factor
        for account, (period, amount) in self.leaving.items():
            self.leaving[account] = (period, amount * factor)

    def note(self, account, times=1):
        self.rounded[account] = self.rounded.get(account, 0) + times

    def touch(self, account):
        self.updates[account] = self.updates.get(account, 0) + 1

    def step(self, kind, n):
        if kind == "D":
            account, assets, period = n
            before = self.entering.get(account, (period, 0))
            assert before[0] == period
            self.entering[account] = (period, before[1] + assets)
            self.touch(account)
        elif kind == "C":
            self.cross(*n)
        elif kind == "Q":
            self.assets, self.shares = n
            assert sum(self.parts().values()) == self.assets, "deposits do not add up"
            if self.shares:
                self.share_worth = max(self.share_worth, Q(self.assets, self.shares))
        elif kind == "A":
            self.absorb(*n)
        elif kind == "V":
            self.leave(*n)
        elif kind == "S":
            self.sell(*n)
        elif kind == "P":
            for account, part in self.parts().items():
                self.owed[account] = self.owed.get(account, Q(0)) + n[0] * part / self.assets
            self.per_share[2] += Q(n[0], self.shares)
        elif kind == "X":
            account, shares, free, period = n
            amount = self.left[account] * shares / free
            self.left[account] -= amount
            before = self.leaving.get(account, (period, Q(0)))
            assert before[0] == period
            self.leaving[account] = (period, before[1] + amount)
            self.touch(account)
        elif kind == "T":
            account, to, shares, free = n
            amount = self.left[account] * shares / free
            self.left[account] -= amount
            self.left[to] = self.left.get(to, Q(0)) + amount
            # What was rounded off the sender's shares is now missing from both.
            self.note(to, self.rounded.get(account, 0))
            self.touch(account)
            self.touch(to)
        elif kind == "K":
            account, collateral, amount = n
            stock = self.stock[collateral]
            mine = stock.get(account, Q(0))
            self.check("claim", amount, mine, self.rounded.get(account, 0) * self.per_share[collateral], account, collateral)
            total = sum(stock.values())
            if mine:
                stock[account] = Q(0)
                for other in stock:
                    stock[other] *= (total - amount) / (total - mine)
            self.touch(account)
        elif kind == "G":
            account, amount = n
            self.owed[account] = self.owed.get(account, Q(0)) - amount
            self.touch(account)

    def cross(self, period, exit_shares, exit_assets, entry_assets, entry_shares, shift):
        leaving = [a for a, (p, _) in self.leaving.items() if p == period]
        gone = Q(0)
        for account in leaving:
            amount = self.leaving.pop(account)[1]
            self.owed[account] = self.owed.get(account, Q(0)) + amount
            gone += amount
            self.touch(account)
        total = sum(self.parts().values())
        if exit_shares:
            self.scale((total + gone - exit_assets) / total)
            total = total + gone - exit_assets
        # Free shares, waiting shares, and the sum of all of them are rounded one by one.
        if shift:
            for account in self.parts():
                self.note(account, 3)
        if not entry_assets:
            return
        entering = [a for a, (p, _) in self.entering.items() if p == period]
        # What is rounded off the batch falls to all who are there.
        for account in self.parts():
            self.note(account)
        bought = LOCKED if total == 0 else LOCKED - (LOCKED >> shift)
        locked = Q(bought, bought + entry_shares) * entry_assets
        self.left[NOBODY] += locked
        for account in entering:
            assets = self.entering.pop(account)[1]
            self.left[account] = self.left.get(account, Q(0)) + assets * (1 - locked / entry_assets)
            # The batch and his part of it.
            self.note(account, 2)
            self.touch(account)

    def absorb(self, collateral, assets, amount):
        total = self.assets
        stock = self.stock[collateral]
        for account, part in self.parts().items():
            stock[account] = stock.get(account, Q(0)) + amount * part / total
        self.scale(Q(total - assets, total))
        self.assets -= assets
        self.per_share[collateral] += Q(amount, self.shares)

    def leave(self, collateral):
        """What is left of a stock, next to nothing, is everybody's before the next absorption."""
        total = sum(self.stock[collateral].values())
        self.stock[collateral] = {a: total * part / self.assets for a, part in self.parts().items()}
        self.per_share[collateral] += Q(total, self.shares)

    def sell(self, collateral, amount, proceeds):
        stock = self.stock[collateral]
        total = sum(stock.values())
        for account, part in stock.items():
            self.owed[account] = self.owed.get(account, Q(0)) + proceeds * part / total
            stock[account] = part * (total - amount) / total
        self.per_share[2] += self.per_share[collateral] * Q(proceeds) / total

    def check(self, what, got, exact, shares_part, account, column):
        slack = shares_part + 2 + 3 * self.updates.get(account, 0)
        error = abs(got - exact)
        if error > slack:
            sys.exit(f"history {self.seed}: {what} {column} of {account}: {got}, exactly {float(exact)}, bound {float(slack)}")
        worst = WORST.setdefault(what, [Q(0), Q(0)])
        worst[0] = max(worst[0], error)
        worst[1] = max(worst[1], error / slack)

    def final(self, account, shares, exit_shares, owed, first, second):
        k = self.rounded.get(account, 0)
        deposit = Q((shares + exit_shares) * self.assets, self.shares) if self.shares else Q(0)
        exact = self.left.get(account, Q(0)) + self.leaving.get(account, (0, Q(0)))[1]
        self.check("deposit", deposit, exact, k * self.share_worth, account, "")
        for collateral, got in enumerate((first, second)):
            self.check("collateral", got, self.stock[collateral].get(account, Q(0)), k * self.per_share[collateral], account, collateral)
        self.check("proceeds", owed, self.owed.get(account, Q(0)), k * (self.per_share[2] + self.share_worth), account, "")


WORST = {}


def main(path):
    ledger, histories, steps = None, 0, 0
    for line in open(path):
        kind, *numbers = line.split()
        n = [int(x) for x in numbers]
        if kind == "N":
            ledger = Ledger(n[0])
            histories += 1
        elif kind == "F":
            ledger.final(*n)
        elif kind == "Z":
            for collateral in (0, 1):
                assert sum(ledger.stock[collateral].values()) == n[2 + collateral], "stock does not add up"
            assert sum(ledger.parts().values()) == n[0], "deposits do not add up"
        else:
            ledger.step(kind, n)
            steps += 1
    print(f"{histories} histories, {steps} events: all within the bounds")
    for what, (error, share) in sorted(WORST.items()):
        print(f"  {what}: largest error {float(error):.6g} base units, {float(share):.3f} of its bound")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "cache/backstop-traces.txt")

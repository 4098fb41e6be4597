"""Random numbers, drawn in the order in which they are asked for or by what they are asked for."""

from __future__ import annotations

from typing import Protocol
from zlib import crc32

import numpy as np

from riskseg.synthetic.world import Floats, Ints


class Luck(Protocol):
    """Random numbers for accounts, on a day, for a purpose."""

    def shares(self, account: Ints, day: int, purpose: str) -> Floats:
        """For each account a number from 0 up to, not including, 1."""

    def numbers(self, account: Ints, day: int, purpose: str, low: int, high: int) -> Ints:
        """For each account a whole number from `low` up to, not including, `high`."""


class InOrder:
    """The next numbers of a generator, whatever they are for."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng

    def shares(self, account: Ints, day: int, purpose: str) -> Floats:
        return self._rng.random(len(account))

    def numbers(self, account: Ints, day: int, purpose: str, low: int, high: int) -> Ints:
        return self._rng.integers(low, high, len(account))


class Keyed:
    """Numbers that follow from a seed, the account, the day and the purpose alone: whatever else
    happens, an account has the same luck. `first` is the number of the first account.

    The generator is SplitMix64 (Steele, Lea and Flood 2014), its state the key.
    """

    def __init__(self, seed: int, first: int) -> None:
        self._seed, self._first = seed, first

    def shares(self, account: Ints, day: int, purpose: str) -> Floats:
        key = (self._seed * _STEP + day * _BY_DAY + crc32(purpose.encode()) * _BY_PURPOSE) % 2**64
        state = (account + self._first).astype(np.uint64) * np.uint64(_STEP) + np.uint64(key)
        mixed = _mixed(_mixed(state))
        return np.asarray((mixed >> np.uint64(11)) * 2.0**-53, dtype=np.float64)

    def numbers(self, account: Ints, day: int, purpose: str, low: int, high: int) -> Ints:
        shares = self.shares(account, day, purpose)
        return low + np.floor(shares * (high - low)).astype(np.int64)


_STEP, _BY_DAY, _BY_PURPOSE = 0x9E3779B97F4A7C15, 0xD1B54A32D192ED03, 0xABC98388FB8FAC03


def _mixed(state: np.typing.NDArray[np.uint64]) -> np.typing.NDArray[np.uint64]:
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))

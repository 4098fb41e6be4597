"""The chosen numbers of the invented world. Every one is an assumption, none is measured.

They are set so that the portfolio has the shape of a utility's: about one live account in six
in arrears at a month's end, a collections funnel that thins like a real one, a few defaults.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Days = npt.NDArray[np.int32]  # days counted from the first day of history
Flags = npt.NDArray[np.bool_]

NEVER: Final = 1_000_000  # a day that does not come
ARREARS_FROM: Final = 500  # pence; less than this overdue is a residue, not arrears
DAYS_TO_PAY: Final = 14


class Reason(IntEnum):
    """Why a bill was not paid when it should have been. It decides what will help."""

    FORGOT = 0
    CANNOT = 1
    WILL_NOT = 2


class Action(IntEnum):
    """What the creditor did, from mild to harsh."""

    SMS = 0
    LETTER = 1
    CALL = 2
    SUPPORT_REVIEW = 3
    FINAL_NOTICE = 4
    VISIT = 5
    AGENCY = 6


ACTIONS: Final = tuple(action.name.lower() for action in Action)
ACTION_CHANNELS: Final = ("sms", "post", "phone", "desk", "post", "field", "file")


@dataclass(frozen=True, slots=True)
class Type:
    """A hidden type: its share of parties and the means of what its people are like."""

    name: str
    share: float
    attention: float
    ability: float
    willingness: float
    vulnerable: float
    direct_debit: float


TYPES: Final = (
    Type("can_pay_will_pay", 0.58, 0.93, 0.90, 0.96, 0.09, 0.70),
    Type("forgetful", 0.19, 0.55, 0.86, 0.92, 0.11, 0.30),
    Type("stretched", 0.14, 0.82, 0.45, 0.90, 0.23, 0.35),
    Type("crisis", 0.03, 0.68, 0.22, 0.82, 0.50, 0.20),
    Type("strategic", 0.06, 0.82, 0.82, 0.33, 0.06, 0.15),
)
SPREAD: Final = 9.0  # of people around their type's mean: a Beta's two parameters add up to this

REGIONS: Final = ("north", "east", "south", "west", "central", "coast")
REGION_SHARES: Final = (0.20, 0.15, 0.22, 0.15, 0.18, 0.10)
REGION_HARDSHIP: Final = (1.2, 0.9, 0.8, 1.0, 0.9, 1.5)  # times the share of strained types
PROPERTIES: Final = ("flat", "terraced", "semi_detached", "detached")
PROPERTY_SHARES: Final = (0.24, 0.28, 0.30, 0.18)
PROPERTY_USE: Final = (0.75, 0.95, 1.05, 1.35)
TARIFFS: Final = ("standard", "fixed", "social")
TARIFF_PRICE: Final = (1.0, 0.95, 0.70)
METHODS: Final = ("direct_debit", "card", "cash", "bank_transfer")
DIRECT_DEBIT, CARD, CASH, BANK = range(4)
ARMS: Final = ("usual", "control", "early_support")
USUAL, CONTROL, EARLY_SUPPORT = range(3)
ARM_SHARES: Final = (0.90, 0.05, 0.05)

# Accounts: how they come and go.
SECOND_ACCOUNT: Final = 0.06  # of odd-numbered places, so about 3% of parties hold two
QUARTERLY: Final = 0.15
MOVES_A_YEAR: Final = 0.07
OLDEST_ACCOUNT_YEARS: Final = 25
MEAN_ACCOUNT_YEARS: Final = 7.0
VULNERABLE_KNOWN: Final = 0.68  # of the truly vulnerable, those the creditor knows of
VULNERABLE_WRONGLY: Final = 0.018  # of the others, those with an outdated flag
FLAG_UNKNOWN: Final = 0.02
MEDICAL_NEED: Final = 0.22  # of the truly vulnerable

# Income shocks: at most one a party, so that the truth is one pair of dates.
SHOCKS_A_YEAR: Final = 0.20
SHOCKS_STRAINED: Final = 2.0  # times as many where ability is lowest
SHOCK_SHORTEST: Final = 30
SHOCK_MEAN: Final = 110.0

# Bills, in pence a month.
BILL_BASE: Final = 5200.0
BILL_A_HEAD: Final = 1150.0
DUE_BY_PAYDAY: Final = 0.45
WINTER: Final = 0.40  # how far bills swing with the seasons; the peak is in mid January
MISBILLED: Final = 0.004  # of bills: too high, found out, cancelled and billed again
MISBILLED_DISPUTED: Final = 0.7
UNFOUNDED_DISPUTES: Final = 0.0008
RECORDED_LATE: Final = 0.003
REBILL_RECORDED_LATE: Final = 0.3

# Why a bill is missed.
FORGETS: Final = 0.19
CANNOT_AT_ZERO: Final = 1.3  # log-odds of not affording a bill, at ability 0 …
CANNOT_BY_ABILITY: Final = -7.8
CANNOT_IN_SHOCK: Final = 3.1
CANNOT_IN_WINTER: Final = 0.2
WILL_NOT: Final = 0.52
FINAL_BILL_FORGOTTEN: Final = 0.14  # added for the bill that follows a mover
FINAL_BILL_LEFT: Final = 0.06
MISS_AT_MOST: Final = 0.97

# How arrears are paid off: the chance a day, by reason, before any action of the creditor.
RESPONSE_DAYS: Final = 14
BOOST: Final = np.array(  # times the chance a day is raised for RESPONSE_DAYS, less one
    #  sms  letter call support final visit agency
    [
        [1.5, 1.2, 2.0, 1.2, 1.5, 1.5, 1.0],  # forgot
        [0.2, 0.3, 0.7, 2.6, 0.9, 1.0, 0.5],  # cannot
        [0.3, 0.5, 1.4, 0.2, 6.0, 7.0, 7.0],  # will not
    ]
)
VULNERABLE_RESPONSE: Final = np.array([1.0, 0.5, 0.9, 1.5, 0.4, 0.4, 0.3])
SHOCK_SLOWS: Final = 0.4
GONE_SLOWS: Final = 0.5
SHELTERED_SLOWS: Final = 0.2  # in breathing space

# The creditor's old policy: a ladder by days past due.
STEPS: Final = (
    (7, Action.SMS),
    (21, Action.LETTER),
    (30, Action.CALL),
    (60, Action.FINAL_NOTICE),
    (70, Action.VISIT),
    (120, Action.AGENCY),
)
CONTROL_UNTIL: Final = 60  # accounts in control get no action before this day
WRITE_OFF_LIVE: Final = 270
WRITE_OFF_CLOSED: Final = 180
BREATHING_SPACE: Final = 60
COMPLAINT_DAYS: Final = 28  # within which every complaint is answered


def winter(day_of_year: Days) -> Floats:
    """How wintry a day is: 1 in mid January, -1 in mid July."""
    return np.asarray(np.cos(2 * np.pi * (day_of_year - 15) / 365.25), dtype=np.float64)


def logistic(x: Floats) -> Floats:
    """The inverse of the log-odds."""
    return np.asarray(1.0 / (1.0 + np.exp(-x)), dtype=np.float64)

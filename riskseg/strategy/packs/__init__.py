"""Guard packs: rules of a country and a trade, ready to be included in a strategy.

A pack is a YAML file beside this one. It speaks of kinds of action, since it cannot know what a
strategy calls its own; `means` of an action says which kinds it is.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cache
from importlib.resources import files

# The kinds of action that packs speak of.
KINDS: Mapping[str, str] = {
    "disconnection": "cutting off the supply",
    "prepayment_meter": "fitting a prepayment meter, or switching a smart meter to prepayment, "
    "without the customer's consent",
    "flow_limiter": "fitting a device that limits the flow of water",
    "legal": "proceedings in court, or the threat of them",
    "agency": "placing the debt with an agency",
    "visit": "a visit to the home",
    "call": "a telephone call, whoever or whatever dials",
    "automated_call": "a call by an autodialler or with an artificial or recorded voice",
    "text": "a text message",
    "email": "an email",
    "letter": "a letter",
    "contact": "anything that reaches the customer: calls, texts, emails, letters, visits, and "
    "actions with `contact: true`",
    "other": "none of these, so that no pack has a rule about it",
    "support": "an offer of help, or a look at whether the customer can pay",
}


# What an action of a kind is besides: a rule about calls is about those a machine makes too.
ALSO: Mapping[str, tuple[str, ...]] = {
    "automated_call": ("call", "contact"),
    "call": ("contact",),
    "text": ("contact",),
    "email": ("contact",),
    "letter": ("contact",),
    "visit": ("contact",),
}

# What makes an action harsh, whatever help it is said to be besides.
_HARSH = frozenset({"disconnection", "prepayment_meter", "flow_limiter", "legal", "agency"})


def is_help(kinds: Collection[str]) -> bool:
    """Whether an action of these kinds is an offer of help and nothing harsh."""
    return "support" in kinds and not _HARSH.intersection(kinds)


@cache
def shipped_packs() -> Mapping[str, str]:
    """The text of each pack that riskseg ships, by name."""
    package_files = sorted(files(__name__).iterdir(), key=lambda file: file.name)
    return {
        file.name.removesuffix(".yaml"): file.read_text(encoding="utf-8")
        for file in package_files
        if file.name.endswith(".yaml")
    }

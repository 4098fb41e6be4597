"""A counterexample as the text of an example, ready for examples.yaml."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import yaml

from riskseg.domain.decision import OUTCOMES
from riskseg.domain.yaml_text import Dumper
from riskseg.rules.contact_hours import hours_of
from riskseg.rules.state import is_state
from riskseg.strategy.proof.results import Account


class _Plain(Dumper):
    """Decimals as the numbers they are."""


_Plain.add_representer(
    Decimal,
    lambda dumper, value: dumper.represent_scalar(
        # A number without a point is no float to YAML, and would be tagged as one.
        "tag:yaml.org,2002:float" if value % 1 else "tag:yaml.org,2002:int",
        f"{value:f}" if value % 1 else f"{value:.0f}",
    ),
)


def example(name: str, account: Account, decision: Mapping[str, Any], *, margin: str) -> str:
    """The account as one entry of `examples`, expecting what it gets today; each line begins with
    the margin."""
    expected = {outcome_name: decision[outcome_name] for outcome_name in OUTCOMES}
    example_lines = [
        f"- example: {_flow(name)}",
        f"  given:  {values(account)}",
        f"  expect: {_flow(expected)}",
    ]
    return "\n".join(margin + line for line in example_lines)


def margin_of(examples: str) -> str:
    """What stands before the entries of an examples.yaml: YAML takes no other among them."""
    first_example = re.search(
        r"^examples:(?:\s*#.*)?\n(?:[ \t]*(?:#.*)?\n)*([ ]*)- ", examples, re.MULTILINE
    )
    return first_example[1] if first_example else "  "


def values(account: Account) -> str:
    """The account's facts as one line of YAML, the date first, less what was never done for it: an
    example that leaves that out means the same."""
    stated = {
        name: value for name, value in account.items() if not _goes_without_saying(name, value)
    }
    return _flow(dict(sorted(stated.items(), key=_first)))


def _goes_without_saying(name: str, value: object) -> bool:
    # Hours that an example leaves out are those of its day.
    return value is None and is_state(name) and hours_of(name) is None


def _first(item: tuple[str, Any]) -> tuple[bool, str]:
    return item[0] != "as_of", item[0]


def _flow(value: object) -> str:
    """On one line; a text of its own without the dots that end a document."""
    if isinstance(value, bool | int | date):
        return str(value)
    text = yaml.dump(
        value,
        Dumper=_Plain,
        default_flow_style=True,
        width=10_000,
        sort_keys=False,
        allow_unicode=True,
    )
    return text.removesuffix("\n").removesuffix("...").strip()

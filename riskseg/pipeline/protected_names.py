"""Attributes whose names say that they may be protected, where riskseg.toml says nothing of that.

Only the people who use a model know what they may not learn from. Until they say so of a column,
models learn from it, and no check looks for what stands for it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from riskseg.domain.columns import Column
from riskseg.domain.facts import Fact
from riskseg.features.catalogue import Catalogue
from riskseg.pipeline.load import Ledger

# Words within a name; and names that are such as a whole, for `account_age` is nobody's age.
_WORD = re.compile(
    r"(?:^|[\W_])(?:sex|gender|geschlecht|race|ethnicity|ethnic|nationality|nationalität|"
    r"staatsangehörigkeit|citizenship|religion|disability|disabled|pregnant|pregnancy|"
    r"marriage|marital|familienstand)(?:$|[\W_])",
    re.IGNORECASE,
)
_NAME = re.compile(
    r"(?:customer_|client_)?(?:age|alter|age_years|birthday|birth_?date|date_of_birth|dob|"
    r"geburtsdatum)",
    re.IGNORECASE,
)


def unmarked(ledger: Ledger, catalogue: Catalogue, facts: Mapping[str, Fact]) -> tuple[str, ...]:
    """The attributes of accounts that models may learn from and that may be protected, less those
    of which riskseg.toml or features.yaml says whether they are."""
    accounts = ledger.authored.get("accounts")
    described = {**catalogue.columns, **(accounts.described if accounts is not None else {})}
    said = {name for name, column in described.items() if _says(column)}
    return tuple(
        name
        for name in ledger.attributes
        if name in facts
        and name not in said
        and (not facts[name].static or not ledger.billed)
        and (_WORD.search(name) or _NAME.fullmatch(name))
    )


def note_of(names: Sequence[str]) -> str:
    """What to say of such attributes, in one note for all."""
    they, are, their = ("they", "are", "their names") if names[1:] else ("it", "is", "its name")
    return (
        f"{', '.join(names)}: by {their}, {they} may be protected by law, and models may learn "
        f"from what is not declared protected. If {they} {are}, write `protected = true` under "
        f"[source.accounts.columns.{names[0]}]; if not, `protected = false`."
    )


def _says(column: Column) -> bool:
    return "protected" in column.shape.model_fields_set

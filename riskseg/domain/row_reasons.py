"""What is wrong with a bad row, as its quarantine file says it: one code and one text, however many
faults a row has.

The code and the beginning of the text are those of the first fault; the others follow it with their
codes: `paid_on is not a date; amount is negative (RS103)`.
"""

from __future__ import annotations


def fault_sql(code: str, reason: str) -> str:
    """One fault, of SQL expressions of its code and of what it is."""
    return f"struct_pack(code := {code}, reason := {reason})"


def code_sql(faults: str) -> str:
    """The code of a row, of an expression of the list of its faults; null where it has none."""
    return f"{faults}[1].code"


def reason_sql(faults: str) -> str:
    """All that is wrong with a row, of an expression of the list of its faults."""
    return f"""concat(
            {faults}[1].reason,
            array_to_string(
                list_transform(
                    {faults}[2:], lambda f: concat('; ', f.reason, ' (', f.code, ')')
                ),
                ''
            )
        )"""

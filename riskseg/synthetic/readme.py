"""The README that is written beside the data: that it is synthetic, its columns, its story."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from riskseg.synthetic import world as w
from riskseg.synthetic.tables import SCHEMAS


def readme(accounts: int, months: int, seed: int, since: date, until: date) -> str:
    """The text, Markdown. Numbers in it are read from `world`, columns from the schemas."""
    readme_lines = [
        "# SYNTHETIC billing history",
        "",
        "Every row here is generated. No person, address, bill or payment is real, and no number",
        "is measured from a real portfolio. Do not quote results on it as results on customers.",
        "",
        f"{accounts:,} accounts, {months} months from {since} to {until}, seed {seed}. "
        "The same numbers make the same files.",
        "The files show what was recorded by the close of the last day; nothing later is in them.",
        "",
        *_story(),
        *_columns(),
    ]
    return "\n".join(readme_lines)


def _story() -> Iterator[str]:
    yield "## The story"
    yield ""
    yield (
        "**Households.** Each has three hidden traits between 0 and 1: attention, ability and "
        "willingness to pay. They scatter around the means of a hidden type and do not change. "
        "A party's accounts share them."
    )
    yield ""
    yield "| type | share | attention | ability | willingness | truly vulnerable |"
    yield "|---|---|---|---|---|---|"
    for t in w.TYPES:
        yield (
            f"| {t.name} | {t.share:.0%} | {t.attention} | {t.ability} | {t.willingness} "
            f"| {t.vulnerable:.0%} |"
        )
    yield ""
    yield (
        "The shares of types with low ability differ by region, so region stands in for hardship. "
        f"The creditor knows {w.VULNERABLE_KNOWN:.0%} of the truly vulnerable, has an outdated "
        f"flag for {w.VULNERABLE_WRONGLY:.1%} of the others, and does not know for "
        f"{w.FLAG_UNKNOWN:.0%}."
    )
    yield ""
    yield (
        "**Shocks.** Parties lose income for some months, at a rate of "
        f"{w.SHOCKS_A_YEAR:.0%} a year (the ablest) to {w.SHOCKS_A_YEAR * w.SHOCKS_STRAINED:.0%} "
        "(the poorest), at most once in the "
        "history. During it bills are far likelier to be missed, arrears are paid off "
        "more slowly, promises and plans break. It ends, and so does its effect."
    )
    yield ""
    yield (
        "**Bills** follow the home, the people in it and the season; winter's are the highest and "
        "the hardest to pay. A few are wrong: they are disputed or found out, cancelled and billed "
        "again."
    )
    yield ""
    yield (
        "**Missing a bill** has one of three reasons, each with its own chance: it is forgotten "
        "(attention; never with a direct debit), it cannot be afforded (ability, shock, winter), "
        "or it is not wanted (willingness). A direct debit without funds is refused, or taken and "
        "returned some days later; after the second time it ends. Some only pay some days late."
    )
    yield ""
    yield (
        "**Paying arrears.** Each day in arrears there is a chance of paying, in whole or in part, "
        f"that depends on the reason. An action of the creditor raises it for {w.RESPONSE_DAYS} "
        "days by a factor that depends on reason and action: a reminder helps who forgot, a "
        "support review helps who cannot pay, a notice or a visit moves who will not. The truly "
        "vulnerable respond less to pressure and more to support. Many pay only the latest bill "
        "and stay one behind."
    )
    yield ""
    yield (
        "**The creditor's old policy** is a ladder by days past due: "
        + ", ".join(f"{action.name.lower()} at {day}" for day, action in w.STEPS)
        + ". It pauses for promises, plans, disputes and breathing space. Households known to be "
        "vulnerable get a support_review in place of final_notice and harsher. Who was treated "
        "thus depends on who was in arrears: what follows an action is not its effect. "
        f"For that there are two arms drawn at random: control, {w.ARM_SHARES[w.CONTROL]:.0%}, no "
        f"action before day {w.CONTROL_UNTIL}; early_support, "
        f"{w.ARM_SHARES[w.EARLY_SUPPORT]:.0%}, support_review in place of the letter."
    )
    yield ""
    yield (
        "**Endings.** Movers' accounts close with a final bill, which some leave unpaid; as many "
        f"accounts open as close. Debt is written off {w.WRITE_OFF_LIVE} days past due, or "
        f"{w.WRITE_OFF_CLOSED} on a closed account; a written-off account is closed that day."
    )
    yield ""


def _columns() -> Iterator[str]:
    for table_name, schema in SCHEMAS.items():
        yield f"## {table_name}.parquet"
        yield ""
        if table_name == "truth":
            yield "Hidden from every model and strategy; only for measuring them."
            yield ""
        yield "| column | type | meaning |"
        yield "|---|---|---|"
        for field in schema:
            yield f"| {field.name} | {field.type} | {field.metadata[b'means'].decode()} |"
        yield ""

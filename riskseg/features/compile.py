"""Checked features as SQL: one aggregation pass over each range, then one row a snapshot."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from riskseg.domain.definitions import open_bill
from riskseg.domain.facts import Kind
from riskseg.domain.relations import Relation, fact_column, from_minor, literal, quoted
from riskseg.domain.source_tables import DATED_TABLES
from riskseg.domain.tables import BILL_FACTS
from riskseg.expressions import Node, in_few_digits, to_sql
from riskseg.expressions.tree import Arithmetic, Name
from riskseg.features.accounts_together import SHARED, together_facts
from riskseg.features.feature import DATED, Feature

# What is kept in minor units of a bill, payment, event or account.
AMOUNTS = frozenset({"amount", "paid", "overdue", "disputed", "unpaid", "credit"})
_RELATION = {
    "bills": BILL_FACTS.name,
    "payments": "payment_facts",
    "events": "event_facts",
    **{range_: f"{range_}_facts" for range_ in SHARED},
}


@dataclass(frozen=True)
class Compiled:
    """`relations` end in one aggregate a range (`bills_features` and so on); `columns` gives, for
    each feature, its SQL over those aggregates joined under their range's name."""

    relations: tuple[Relation, ...]
    columns: Mapping[str, str]
    ranges: tuple[str, ...]


def days_needed(features: Iterable[Feature]) -> int | None:
    """How many days of bills the features look back on, beside open ones; None for all of them."""
    windows = [f.window for f in features if f.range == "bills" and f.window != "open"]
    return None if None in windows else max((w for w in windows if isinstance(w, int)), default=0)


def compile_features(
    features: Mapping[str, Feature],
    scale: int,
    *,
    focus: bool,
    undone: bool,
    more_events: Sequence[str],
    left_out: Sequence[str],
    bill_order: str,
    account: Mapping[str, str],
) -> Compiled:
    """SQL for the features, which must hold whatever they are worked out from.

    `focus` says that snapshots name a bill (`focus_bill`) that counts as the latest.
    `undone` says that the ledger's payments are reversed by others, `more_events` which
    relations hold events too, as of each snapshot, and `left_out` of which kinds the ledger's own
    events do not count. Of bills issued and due on the
    same days the latest is the last by `bill_order`, SQL over `bill_facts` f.
    `account` gives the SQL of the account's own dates (as_of, opened_on).
    """
    relations: list[Relation] = []
    columns: dict[str, str] = {}
    ranges: list[str] = []
    for range_ in (*DATED_TABLES, *SHARED):
        chosen = [f for f in features.values() if f.range == range_]
        if not chosen:
            continue
        ranges.append(range_)
        if range_ == "payments":
            relations.append(_payment_facts(chosen, undone))
        elif range_ == "events":
            relations.append(_event_facts(chosen, more_events, left_out))
        aggregates = {f.name: _aggregate(f, scale, focus, bill_order) for f in chosen}
        relations.append(_one_pass(range_, aggregates, _joins(range_, chosen, focus)))
        for feature in chosen:
            column = f"{range_}.{quoted(feature.name)}"
            columns[feature.name] = (
                f"coalesce({column}, {feature.empty})" if feature.empty is not None else column
            )
    if together := [range_ for range_ in ranges if range_ in SHARED]:
        relations = [*together_facts(together, focus=focus), *relations]
    for feature in features.values():
        if feature.range == "account" and feature.value is not None:
            columns[feature.name] = _worked_out(
                feature, {**{n: f"({sql})" for n, sql in columns.items()}, **account}, scale
            )
    return Compiled(tuple(relations), columns, tuple(ranges))


def _worked_out(feature: Feature, columns: Mapping[str, str], scale: int) -> str:
    """A feature of the account from others, of which `columns` are the SQL: in few digits, and in
    many where these do not suffice."""
    assert feature.value is not None
    stored = _stored(feature, scale)
    exact = f"cast({to_sql(feature.value, columns.__getitem__)} as {stored})"
    quick = in_few_digits(feature.value, columns.__getitem__)
    # Where one feature hangs on the next, the text must not double with each of them.
    if quick is None or "try_cast" in exact:
        return exact
    return f"coalesce(try_cast({quick} as {stored}), {exact})"


def _one_pass(range_: str, aggregates: Mapping[str, str], joins: str) -> Relation:
    """`RANGE_features`: the features of one range, a row for each snapshot that has such facts."""
    columns = ",\n            ".join(
        f"{aggregate} as {quoted(name)}" for name, aggregate in aggregates.items()
    )
    return Relation(
        f"{range_}_features",
        f"""
        select f.snap,
            {columns}
        from {_RELATION[range_]} f
        {joins}
        group by f.snap
        """,
    )


def _joins(range_: str, chosen: list[Feature], focus: bool) -> str:
    """What the facts `f` of a range are joined with: the snapshots `s` where these name bills, and
    the ledger's own rows `b` of bills where a feature names what only these have."""
    if range_ != "bills":
        return ""
    snapshots = "join snapshots s on s.snap = f.snap"
    if any(_of_ledger(f) & f.names for f in chosen):
        return f"""{snapshots}
        join ledger_bills b on b.account_no = s.account_no and b.bill_id = f.bill_id"""
    return snapshots if focus else ""


def _stored(feature: Feature, scale: int) -> str:
    """The type a feature is kept in; a cast to fewer decimals rounds a half away from zero."""
    match feature.fact.kind:
        case Kind.INTEGER:
            return "bigint"
        case Kind.DECIMAL if feature.is_money:
            return f"decimal(18, {scale})"
        case Kind.DECIMAL:
            return "decimal(18, 4)" if feature.range == "account" else "decimal(38, 6)"
        case Kind.DATE:
            return "date"
        case Kind.TEXT | Kind.LEVEL:
            return "varchar"
        case Kind.NUMBER:
            return "double"
    return "boolean"


def _aggregate(feature: Feature, scale: int, focus: bool, bill_order: str) -> str:
    """A feature as an aggregate over the facts `f` of its range."""
    # Amounts and their sums are aggregated in minor units, whole numbers, and made decimal once at
    # the end. Any other value is worked out in money, or a number in it would be one of pence.
    in_minor_units = feature.value is not None and feature.is_money and adds_up(feature.value.tree)
    latest = feature.aggregate == "latest"
    value = "*"
    if feature.value is not None:
        value = to_sql(feature.value, _raw if in_minor_units else _exact(feature, scale))
        if feature.value.type.kind is Kind.NUMBER and not latest:
            value = f"cast(case when isfinite({value}) then {value} end as decimal(28, 6))"
    conditions = _conditions(feature, scale, focus)
    if latest and focus:
        call = f"max({value})"
    elif latest:
        # Unlike arg_max, it does not pass over the latest bill where its value is null.
        call = f"arg_max_null({value}, (f.issued_on, f.due_on, {bill_order}))"
    elif conditions:
        # Quicker than `filter`, and the same: no aggregate counts what is null.
        counted = "true" if feature.value is None else value
        call = f"{feature.aggregate}(case when {' and '.join(conditions)} then {counted} end)"
    else:
        call = f"{feature.aggregate}({value})"
    if latest and conditions:
        call += f" filter (where {' and '.join(conditions)})"
    if in_minor_units:
        return from_minor(call, scale)
    if latest and feature.value and _is_attribute(feature.value.tree, feature):
        return call  # as the source has it, however many decimals that are
    return f"cast({call} as {_stored(feature, scale)})"


def _conditions(feature: Feature, scale: int, focus: bool) -> list[str]:
    """Which facts `f` count for a feature: those in its window that its filter takes."""
    conditions = []
    latest = feature.aggregate == "latest"
    if feature.window == "open":
        conditions.append(open_bill("f."))
    elif feature.window is not None and not (latest and focus):
        dated = f"f.{DATED[feature.range]}"
        conditions.append(f"{dated} > f.as_of - {feature.window}")
        # The bill issued last has rarely fallen due yet.
        if not latest:
            conditions.append(f"{dated} <= f.as_of")
    if feature.filter is not None:
        conditions.append(to_sql(feature.filter, _exact(feature, scale)))
    if latest and focus:
        conditions.append("f.bill_id = s.focus_bill")
    return conditions


def _of_ledger(feature: Feature) -> frozenset[str]:
    """What a feature of bills can name that allocation does not hand on: it is the ledger's."""
    return frozenset(feature.attributes) | ({"known_on"} if feature.range == "bills" else set())


def _is_attribute(node: Node, feature: Feature) -> bool:
    return isinstance(node, Name) and node.name in feature.attributes and not feature.is_money


def adds_up(node: Node) -> bool:
    """Whether a value is an amount, or amounts added and subtracted."""
    match node:
        case Name(name, _):
            return name in AMOUNTS
        case Arithmetic("+" | "-", left, right, Kind.DECIMAL):
            return adds_up(left) and adds_up(right)
    return False


def _raw(name: str) -> str:
    """What a value or filter names, as the facts `f` have it: amounts in minor units."""
    return "f.amount_minor" if name == "amount" else f"f.{quoted(name)}"


def _exact(feature: Feature, scale: int) -> Callable[[str], str]:
    """SQL of what a feature's value or filter names: amounts as decimals, and from the ledger's
    bill `b` what allocation does not hand on."""

    def named(name: str) -> str:
        if name in _of_ledger(feature):
            return f"b.{fact_column(name) if name in feature.attributes else name}"
        return from_minor(_raw(name), scale) if name in AMOUNTS else _raw(name)

    return named


def _payment_facts(chosen: list[Feature], undone: bool) -> Relation:
    """`payment_facts`: payments known at each snapshot, no older than the longest window. Where
    some are taken back by others (`undone`), those others are no payments; nor are refunds."""
    if not undone:
        return Relation(
            "payment_facts",
            f"""
            select s.snap, s.as_of, f.paid_on, f.amount_minor, f.method,
                f.settled as settled,
                f.pending as pending,
                false as undone
            from ledger_payments f
            join snapshots s on {_known("payments", chosen)}
            where not f.refund
            """,
        )
    return Relation(
        "payment_facts",
        f"""
        select s.snap, s.as_of, f.paid_on, f.amount_minor, f.method,
            f.settled and coalesce(u.amount_minor, 0) = 0 as settled,
            f.pending as pending,
            coalesce(u.amount_minor, 0) > 0 as undone
        from ledger_payments f
        join snapshots s on {_known("payments", chosen)}
        left join undone u on u.snap = s.snap and u.part_id = f.part_id
        where f.reverses is null and not f.refund
        """,
    )


def _event_facts(
    chosen: list[Feature], more_events: Sequence[str], left_out: Sequence[str]
) -> Relation:
    """`event_facts`: events known at each snapshot, no older than the longest window, and what came
    of promises, plans and disputes, where riskseg works that out."""
    more = "".join(
        f"""
        union all
        select snap, as_of, happened_on, kind, channel, outcome, amount_minor, until
        from {name}"""
        for name in more_events
    )
    others = f"where f.kind not in ({', '.join(map(literal, left_out))})" if left_out else ""
    return Relation(
        "event_facts",
        f"""
        select s.snap, s.as_of, f.happened_on, f.kind, f.channel, f.outcome, f.amount_minor,
            f.until
        from ledger_events f
        join snapshots s on {_known("events", chosen)}
        {others}
        {more}
        """,
    )


def _known(range_: str, chosen: list[Feature]) -> str:
    """Whether a snapshot `s` knows the fact `f` of its account, and a feature looks so far back."""
    conditions = ["s.account_no = f.account_no", "f.known_on <= s.as_of"]
    windows = [f.window for f in chosen]
    if None not in windows:
        longest = max(window for window in windows if isinstance(window, int))
        conditions.append(f"f.{DATED[range_]} > s.as_of - {longest}")
    return " and ".join(conditions)

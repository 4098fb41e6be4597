"""Load a workspace's sources into the engine: mapped, typed, checked, bad rows set apart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from riskseg.domain.columns import Column, check_agreement, described
from riskseg.domain.facts import Fact, Kind
from riskseg.domain.problems import Problems, did_you_mean
from riskseg.domain.relations import fact_column, quoted
from riskseg.domain.source_tables import DATED_TABLES
from riskseg.engine import Engine, EngineError
from riskseg.features.catalogue import Catalogue, without
from riskseg.features.feature import BillAttribute
from riskseg.features.snapshots import FIRST_KNOWN
from riskseg.ledger.accounts import DATES, LIFECYCLE
from riskseg.ledger.contract import CONTRACT
from riskseg.ledger.mapping import Mapped
from riskseg.ledger.money import Money
from riskseg.ledger.plans import Plans
from riskseg.ledger.staging import Fault, account_ids_sql, numbered_sql, stage
from riskseg.ledger.views import ledger_views
from riskseg.pipeline.contracts import check_table
from riskseg.pipeline.events import load_events
from riskseg.pipeline.quarantine import BadRows, all_sound, find_bad_rows, refuse
from riskseg.sources.describe import kind_of, map_sources
from riskseg.sources.unchanged import Stamps, check_unchanged, stamps
from riskseg.treatment.episodes import EPISODE_STARTED_ON
from riskseg.workspace import Source, Workspace

# More distinct texts than this are names, not levels.
MOST_LEVELS = 64


@dataclass(frozen=True)
class Ledger:
    """What was loaded. The engine holds the tables `ledger_accounts`, `ledger_bills`,
    `ledger_payments`, `ledger_events` (views of the sound rows) and `account_ids`.

    `has` lists sources and `source.column`s for the catalogue's `needs`. `first_on` and
    `last_on` are the first and last day on which anything of the ledger became known, `stamps`
    tell whether the sources' files are still those that were loaded. `attributes` are those of
    accounts; `authored` is what riskseg.toml says of each source. `promise_grace` are the days of
    grace of a promise to pay; None where nothing was promised.
    """

    sources: Mapping[str, Mapped]
    rows: Mapping[str, int]
    bad: tuple[BadRows, ...]
    money: Money
    has: frozenset[str]
    attributes: Mapping[str, Fact]
    bill_attributes: tuple[BillAttribute, ...]
    accounts: int
    first_on: date | None
    last_on: date | None
    stamps: Stamps
    promise_grace: int | None = None
    known_by: date | None = None
    authored: Mapping[str, Source] = field(default_factory=dict)

    @property
    def billed(self) -> bool:
        return "bills" in self.sources

    @property
    def listed(self) -> bool:
        return "accounts" in self.sources

    @property
    def dated(self) -> bool:
        return (self.listed and self.sources["accounts"].has("valid_from")) or self.observed

    @property
    def observed(self) -> bool:
        """Whether rows of accounts say on which day they were observed."""
        return self.listed and self.sources["accounts"].has("observed_on")

    @property
    def undone(self) -> bool:
        """Whether payments are taken back by others."""
        return self.money.reverses


def load(
    engine: Engine,
    workspace: Workspace,
    problems: Problems,
    *,
    limit: bool = True,
    texts: bool = False,
) -> Ledger | None:
    """The ledger, or None after adding Problems: a source that cannot be read or, with `limit`,
    more bad rows than `max_bad_rows` allows. `texts` keeps the ids of bills and payments
    readable (see :func:`riskseg.ledger.staging.stage`)."""
    before = stamps(workspace)
    sources = map_sources(engine, workspace, problems)
    if sources is None:
        return None
    scale = workspace.settings.scale
    try:
        engine.run(account_ids_sql(list(sources.values())))
    except EngineError as error:
        check_unchanged(workspace, before)
        first = next(iter(sources.values()))
        problems.add("RS007", f"The accounts' ids cannot be read: {error}", file=first.file)
        return None
    faults = _stage(engine, sources, scale, problems, texts=texts)
    bad: list[BadRows] = []
    if faults is not None and not all_sound(engine, sources):
        # Only now is it worth numbering rows, so that the bad ones can be pointed at.
        faults = _stage(engine, sources, scale, problems, numbered=True)
        texts = True
        bad = find_bad_rows(engine, sources, faults or {})
    check_unchanged(workspace, before)
    if faults is None:
        return None
    rows = {name: engine.value(f"select count(*) from {name}") for name in sources}
    refuse(workspace, rows, bad if limit else [], problems)
    if len(problems):
        return None
    recorded = load_events(engine, workspace, problems)
    if len(problems):
        return None
    _views(engine, sources, scale)
    attributes = _attributes(engine, workspace, sources, "accounts", problems)
    bill_attributes = _bill_attributes(engine, workspace, sources, problems)
    if len(problems):
        return None
    first_on, last_on = _window(engine, sources)
    return Ledger(
        sources=sources,
        rows=rows,
        bad=tuple(bad),
        money=_money(engine, workspace, sources, texts),
        has=_has(sources, recorded=recorded),
        attributes=attributes,
        bill_attributes=bill_attributes,
        accounts=engine.value("select count(*) from account_ids"),
        first_on=first_on,
        last_on=last_on,
        stamps=before,
        promise_grace=_promise_grace(engine, workspace, sources),
        authored={name: workspace.settings.sources[name] for name in sources},
    )


def _stage(
    engine: Engine,
    sources: Mapping[str, Mapped],
    scale: int,
    problems: Problems,
    *,
    numbered: bool = False,
    texts: bool = False,
) -> dict[str, dict[int, Fault]] | None:
    """Stage every source; the checks by table and number, or None after adding a Problem."""
    faults = {}
    for name, mapped in sources.items():
        staging = stage(mapped, scale, numbered=numbered, texts=texts)
        try:
            if numbered:
                engine.run(numbered_sql(mapped))
            engine.run(staging.sql)
        except EngineError as error:
            problems.add("RS007", f"The rows of {name} cannot be read: {error}", file=mapped.file)
            return None
        faults[name] = {f.number: f for f in staging.faults}
    return faults


def _attributes(
    engine: Engine,
    workspace: Workspace,
    sources: Mapping[str, Mapped],
    table: str,
    problems: Problems,
) -> dict[str, Fact]:
    """The attributes of a table as facts. Any may be unknown: today's data without nulls is no
    promise. A text has levels only where riskseg.toml declares them, or tomorrow's file could
    change them. What is known of an account's row without a date is known as of today only."""
    if table not in sources:
        return {}
    mapped = sources[table]
    declared = workspace.settings.sources[table].levels
    of = "" if table == "accounts" else " of the latest bill"
    dated = table == "bills" or mapped.has("valid_from") or mapped.has("observed_on")
    facts = {}
    for name in mapped.attributes:
        kind = kind_of(mapped.types[name])[0]
        facts[name] = Fact(
            name,
            Kind.LEVEL if kind is Kind.TEXT and name in declared else kind,
            nullable=True,
            levels=declared.get(name, ()) if kind is Kind.TEXT else (),
            words=f"{name}{of} is {{value}}",
            family=name,
            source=table,
            static=not dated,
            seen=_seen(engine, table, name) if kind is Kind.TEXT else (),
        )
    _check_levels(workspace, table, facts, problems)
    return facts


def _bill_attributes(
    engine: Engine, workspace: Workspace, sources: Mapping[str, Mapped], problems: Problems
) -> tuple[BillAttribute, ...]:
    """The attributes of bills as facts, with what riskseg.toml says of them and where."""
    if "bills" not in sources:
        return ()
    facts = _attributes(engine, workspace, sources, "bills", problems)
    source = workspace.settings.sources["bills"]
    said = {name: [column] for name, column in source.described.items()}
    facts |= _described(source, said, facts, facts, problems)
    written = sources["bills"].written
    lines = {name: source.lines.get(written[name]) or source.lines.get("from") for name in facts}
    return tuple(BillAttribute(fact, source.file, lines[name]) for name, fact in facts.items())


def _seen(engine: Engine, table: str, attribute: str) -> tuple[str, ...]:
    """The texts that a table's rows hold; none where they are too many to be levels."""
    column = fact_column(attribute)
    texts = engine.rows(
        f"""
        select distinct {column}
        from ledger_{table}
        where {column} is not null
        order by 1
        limit {MOST_LEVELS + 1}
        """
    )
    return tuple(text for (text,) in texts) if len(texts) <= MOST_LEVELS else ()


def _check_levels(
    workspace: Workspace, table: str, facts: Mapping[str, Fact], problems: Problems
) -> None:
    """Add a Problem for each declaration of levels that is about no text of a table."""
    source = workspace.settings.sources[table]
    for name in source.levels:
        if name not in facts and source.excuses(name):
            continue
        at: dict[str, Any] = {"file": source.file, "line": source.level_lines[name]}
        if name not in facts:
            message = f'{table} have no attribute "{name}", whose levels are declared.'
            problems.add("RS501", message, **at, hint=did_you_mean(name, facts))
        elif facts[name].kind is not Kind.LEVEL:
            message = f'"{name}" is a {facts[name].kind}; only a text has levels.'
            hint = f'Map it to a text: `{name} = "cast({name} as varchar)"`.'
            problems.add("RS304", message, **at, hint=hint)


def _views(engine: Engine, sources: Mapping[str, Mapped], scale: int) -> None:
    for view, statement in ledger_views(sources, scale).items():
        engine.run(statement)
        check_table(view, engine.columns(view))
    if "bills" in sources and "accounts" not in sources:
        engine.run(FIRST_KNOWN)


def _money(
    engine: Engine, workspace: Workspace, sources: Mapping[str, Mapped], readable_ids: bool
) -> Money:
    bills, payments = sources.get("bills"), sources.get("payments")
    negative = bills is not None and engine.value(
        "select coalesce(bool_or(amount_minor < 0), false) from ledger_bills"
    )
    named = payments is not None and payments.has("bill_id")
    if named:
        named = engine.value(
            "select coalesce(bool_or(bill_id is not null), false) from ledger_payments"
        )
    return Money(
        names_bills=bool(named),
        reverses=payments is not None and payments.has("reverses") and payments.has("payment_id"),
        cancels=bills is not None and bills.has("cancelled_on"),
        disputes=bills is not None and bills.has("disputed_amount"),
        credits=bool(negative),
        arrears_from=workspace.settings.arrears_from_minor,
        readable_ids=readable_ids,
        plans=_plans(engine, workspace) if bills is not None else None,
        raises_disputes=_any_event(engine, "kind = 'dispute'"),
        # A later event of the same dispute may name its bill.
        disputes_amounts=_any_event(
            engine, "kind = 'dispute' and bill_id is null and amount_minor > 0"
        ),
    )


def _any_event(engine: Engine, condition: str) -> bool:
    """Whether there is an event of the source, or of the journal, that meets a condition."""
    select = f"select exists (select 1 from ledger_events where {condition})"
    return bool(engine.value(select))


def _plans(engine: Engine, workspace: Workspace) -> Plans | None:
    """What the workspace says of plans; None where nothing is paid in instalments."""
    settings = workspace.settings
    planned = engine.value("select exists (select 1 from ledger_instalments)")
    return Plans(settings.plan_grace, settings.broken_plan == "re_age") if planned else None


def _promise_grace(
    engine: Engine, workspace: Workspace, sources: Mapping[str, Mapped]
) -> int | None:
    """The days of grace of a promise; None where there are no promises or no bills."""
    promised = "bills" in sources and engine.value(
        """
        select coalesce(bool_or(kind = 'promise' and amount_minor > 0 and until is not null), false)
        from ledger_events
        """
    )
    return workspace.settings.promise_grace if promised else None


def _has(sources: Mapping[str, Mapped], *, recorded: bool) -> frozenset[str]:
    """What the catalogue may need. Events are there too where riskseg has `recorded` any."""
    names = set(sources)
    if recorded:
        names |= {"events", "instalments"}
        names |= {f"events.{column.name}" for column in CONTRACT["events"].columns}
    names |= {f"{name}.{column}" for name, m in sources.items() for column in m.columns}
    if "payments" in sources and {"payments.status", "payments.reverses"} & names:
        names.add("payments.undone")
    return frozenset(names)


def _window(engine: Engine, sources: Mapping[str, Mapped]) -> tuple[date | None, date | None]:
    dated = [name for name in DATED_TABLES if name in sources]
    if not dated and "accounts" in sources and sources["accounts"].has("observed_on"):
        days = "select min(observed_on), max(observed_on) from ledger_accounts"
        return engine.rows(days)[0]
    if not dated:
        return None, None
    # What riskseg recorded of an account is no history to learn from.
    union = " union all ".join(
        f"""select min(known_on) as first_on, max(known_on) as last_on
        from {n}
        where fault is null"""
        for n in dated
    )
    first, last = engine.rows(f"select min(first_on), max(last_on) from ({union})")[0]
    return first, last


def own_facts(catalogue: Catalogue, dates: Iterable[str], *, billed: bool) -> dict[str, Fact]:
    """The facts that riskseg itself gives: the lifecycle, `dates` of the account, those of bills
    where there are any, and the features that the catalogue has available."""
    facts = {LIFECYCLE.name: LIFECYCLE}
    for name in dates:
        facts[name] = Fact(name, Kind.DATE, nullable=True, words=f"{name} {{value}}")
    if billed:
        facts["first_billed_on"] = Fact(
            "first_billed_on", Kind.DATE, nullable=True, words="first billed on {value}"
        )
        facts[EPISODE_STARTED_ON.name] = EPISODE_STARTED_ON
    return facts | {n: f.fact for n, f in catalogue.available().items()}


def workspace_facts(
    catalogue: Catalogue, ledger: Ledger, problems: Problems
) -> tuple[Catalogue, dict[str, Fact]]:
    """The catalogue as this workspace sees it, and every fact a rule may name here."""
    available = without(catalogue, ledger.has)
    dates = [name for name in DATES if f"accounts.{name}" in ledger.has]
    facts = own_facts(available, dates, billed=ledger.billed)
    for name, fact in ledger.attributes.items():
        if name in facts or name == "as_of":
            source = ledger.sources["accounts"]
            written = source.written[name]
            problems.add(
                "RS503",
                f'The attribute "{written}" of accounts has the name of a fact of riskseg\'s own, '
                f"{name}.",
                file=source.file,
                line=source.lines.get(written) or source.lines.get("from"),
                hint=f"Name it otherwise in [source.accounts]: `NAME = '{quoted(written)}'`.",
            )
            continue
        # Whoever counts, a count is never negative.
        declared = available.declared().get(name)
        if declared is not None and fact.kind.is_numeric:
            fact = replace(fact, lower=declared.lower, upper=declared.upper)
        facts[name] = fact
    if not ledger.listed:
        return available, facts
    described_by: dict[str, list[Column]] = {}
    for place in (ledger.authored["accounts"].described, available.columns):
        for name, column in place.items():
            described_by.setdefault(name, []).append(column)
    accounts = ledger.authored["accounts"]
    return available, facts | _described(accounts, described_by, ledger.attributes, facts, problems)


def _described(
    source: Source,
    said: Mapping[str, list[Column]],
    attributes: Mapping[str, Fact],
    facts: Mapping[str, Fact],
    problems: Problems,
) -> dict[str, Fact]:
    """The attributes of a source of which something is `said`, with that. A Problem for what is
    said of no attribute, or cannot be."""
    facts_described = {}
    for name, columns in said.items():
        if name not in attributes:
            if source.excuses(name):
                continue
            for column in columns:
                message = f'{source.table} have no attribute "{name}", which is described here.'
                hint = did_you_mean(name, attributes)
                problems.add("RS501", message, hint=hint, **column.at())
        elif name in facts:
            if len(columns) > 1:
                check_agreement(name, columns[0], columns[1], problems)
            facts_described[name] = described(facts[name], columns, problems)
    return facts_described

"""Load a workspace's sources into the engine: mapped, typed, checked, bad rows set apart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field
from datetime import date
from typing import NoReturn

from riskseg.domain.facts import Fact
from riskseg.domain.problems import Problems
from riskseg.domain.source_tables import DATED_TABLES
from riskseg.engine import Engine, EngineError
from riskseg.features.feature import BillAttribute
from riskseg.features.snapshots import first_known_sql
from riskseg.ledger.contract import CONTRACT
from riskseg.ledger.mapping import Mapped
from riskseg.ledger.money import Money
from riskseg.ledger.plans import Plans
from riskseg.ledger.reversals import (
    ANY_CHAIN,
    BILLS_OF_CHAINS,
    NO_CHAINS,
    PAYMENTS_IN_PARTS,
    REVERSED_REFUNDS,
    SOUND_PAYMENTS,
    WITH_FURTHER_PAYMENTS,
    chains_sql,
    split_parts_sql,
)
from riskseg.ledger.set_apart import quarantined_accounts_sql
from riskseg.ledger.staging import account_ids_sql, numbered_sql, stage
from riskseg.ledger.views import ledger_views
from riskseg.pipeline.attributes import attributes_of, bill_attributes_of
from riskseg.pipeline.contracts import check_table
from riskseg.pipeline.events import load_events
from riskseg.pipeline.keys import (
    UnmetKey,
    check_doubled,
    check_keys,
    unmet_keys,
    with_likely_reasons,
)
from riskseg.pipeline.overlays import Overlaid, overlay_accounts
from riskseg.pipeline.quarantine import BadRows, all_sound, find_bad_rows, refuse
from riskseg.pipeline.staged_ledger import NotKept, kept_or_made
from riskseg.sources.balances import in_words, outcomes
from riskseg.sources.copies import check_copies
from riskseg.sources.describe import map_sources
from riskseg.sources.rows_read import check_counts, explain_failure
from riskseg.sources.unchanged import Stamps, check_unchanged, stamps
from riskseg.workspace import Source, Workspace


@dataclass(frozen=True)
class Ledger:
    """What was loaded. The engine holds the tables `ledger_accounts`, `ledger_bills`,
    `ledger_payments`, `ledger_events` (views of the sound rows) and `account_ids`.

    `has` lists sources and `source.column`s for the catalogue's `needs`: events always, since
    riskseg records some itself; `learns_from` has those only where there are any. `first_on` and
    `last_on` are the first and last day on which anything of the ledger became known, `stamps`
    tell whether the sources' files are still those that were loaded. `attributes` are those of
    accounts; `authored` is what riskseg.toml says of each source. `promise_grace` are the days of
    grace of a promise to pay; None where nothing was promised. `overlaid` is what overlays added.
    `alike` are notes of rows that stand there twice, as it seems.
    """

    sources: Mapping[str, Mapped]
    rows: Mapping[str, int]
    bad: tuple[BadRows, ...]
    unmet: tuple[UnmetKey, ...]
    alike: tuple[str, ...]
    money: Money
    has: frozenset[str]
    learns_from: frozenset[str]
    attributes: Mapping[str, Fact]
    bill_attributes: tuple[BillAttribute, ...]
    accounts: int
    first_on: date | None
    last_on: date | None
    stamps: Stamps
    promise_grace: int | None = None
    known_by: date | None = None
    authored: Mapping[str, Source] = field(default_factory=dict)
    overlaid: Overlaid | None = None

    @property
    def of_sources(self) -> frozenset[str]:
        """Those of `has` that a source has, and not only what riskseg records itself."""
        return frozenset(name for name in self.has if name.partition(".")[0] in self.sources)

    @property
    def outcomes(self) -> tuple[str, ...]:
        """Attributes that tell what came of an account: nothing may be learned from them."""
        source = self.authored.get("accounts")
        return outcomes(source.balances) if source is not None and source.balances else ()

    @property
    def billed(self) -> bool:
        return "bills" in self.sources

    @property
    def listed(self) -> bool:
        return "accounts" in self.sources

    @property
    def dated(self) -> bool:
        with_overlays = self.overlaid is not None and self.overlaid.dated
        own = self.listed and self.sources["accounts"].has("valid_from")
        return own or self.observed or with_overlays

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
    stamps_before = stamps(workspace)
    sources = map_sources(engine, workspace, problems)
    if sources is None:
        return None
    settings = workspace.settings
    staged = _staged(engine, workspace, sources, stamps_before, problems, texts=texts)
    if staged is None:
        return None
    bad, texts = staged
    rows_by_source = {
        source_name: engine.value(f"select count(*) from {source_name}") for source_name in sources
    }
    check_counts(sources, rows_by_source, problems)
    unmet = unmet_keys(engine, sources, texts=texts)
    bad = with_likely_reasons(bad, unmet)
    refuse(workspace, rows_by_source, bad if limit else [], problems)
    of_keys = Problems()
    check_keys(workspace, unmet, of_keys)
    alike = check_doubled(engine, workspace, sources, of_keys)
    check_copies(workspace, of_keys)
    if limit:
        problems.extend(of_keys)
    if len(problems):
        return None
    engine.run(quarantined_accounts_sql(sources if bad else ()))
    recorded = load_events(engine, workspace, problems)
    if len(problems):
        return None
    with_bad_rows = {bad_group.table for bad_group in bad}
    _views(engine, sources, settings.scale, with_bad_rows)
    attributes = attributes_of(engine, workspace, sources, "accounts", problems)
    if "accounts" in sources and workspace.settings.sources["accounts"].balances is not None:
        attributes |= in_words(attributes)
    overlaid = None
    if "accounts" in sources and workspace.settings.overlays:
        overlaid = overlay_accounts(engine, workspace, sources["accounts"], problems)
        attributes |= overlaid.attributes
    bill_attributes = bill_attributes_of(engine, workspace, sources, problems)
    if len(problems):
        return None
    problems.extend(of_keys)  # which hide nothing else from whoever looks for all there is
    first_on, last_on = _window(engine, sources)
    return Ledger(
        sources={**sources, "accounts": overlaid.accounts} if overlaid else sources,
        rows=rows_by_source,
        bad=tuple(bad),
        unmet=unmet,
        alike=alike,
        money=_money(engine, workspace, sources, texts),
        has=_has(sources, recorded=True),
        learns_from=_has(sources, recorded=recorded),
        attributes=attributes,
        bill_attributes=bill_attributes,
        accounts=engine.value("select count(*) from account_ids"),
        first_on=first_on,
        last_on=last_on,
        stamps=stamps_before,
        promise_grace=_promise_grace(engine, workspace, sources),
        authored={source_name: workspace.settings.sources[source_name] for source_name in sources},
        overlaid=overlaid,
    )


def _staged(
    engine: Engine,
    workspace: Workspace,
    sources: Mapping[str, Mapped],
    before: Stamps,
    problems: Problems,
    *,
    texts: bool,
) -> tuple[list[BadRows], bool] | None:
    """Number the accounts and stage every source, or have what an earlier command staged of the
    same files. Returns the bad rows, and whether ids are texts; None after adding a Problem."""
    staging = _Staging(engine, workspace, sources, before, problems, texts=texts)
    try:
        kept_or_made(engine, workspace, before, [*staging.statements], staging.make)
        return [], texts
    except _NotStaged:
        return None
    except NotKept:
        # Only now is it worth numbering rows, so that the bad ones can be pointed at.
        numbered = _Staging(engine, workspace, sources, before, problems, texts=True, numbered=True)
    try:
        numbered.make()
    except _NotStaged:
        return None
    bad = find_bad_rows(engine, sources, numbered.faults)
    _split_sound(engine, sources, texts=True)
    return bad, True


class _NotStaged(Exception):
    """A source cannot be staged; a Problem says why."""


class _Staging:
    """The tables of accounts and rows, made of the sources. `faults` are the checks by table and
    number. With `numbered`, rows have numbers, and bad ones are among them; without, it raises
    NotKept where there are any."""

    def __init__(
        self,
        engine: Engine,
        workspace: Workspace,
        sources: Mapping[str, Mapped],
        before: Stamps,
        problems: Problems,
        *,
        texts: bool,
        numbered: bool = False,
    ) -> None:
        self.engine, self.workspace, self.sources = engine, workspace, sources
        self.before, self.problems = before, problems
        self.texts, self.numbered = texts, numbered
        settings = workspace.settings
        self.stagings = {
            table: stage(
                mapped, settings.scale, currency=settings.currency, numbered=numbered, texts=texts
            )
            for table, mapped in sources.items()
        }
        self.faults = {
            table: {fault.number: fault for fault in staging.faults}
            for table, staging in self.stagings.items()
        }

    @property
    def statements(self) -> Iterator[str]:
        """Every statement that may be carried out to make the tables."""
        yield account_ids_sql(list(self.sources.values()))
        for staging in self.stagings.values():
            yield staging.sql
        if _takes_back(self.sources):
            yield from (ANY_CHAIN, *NO_CHAINS, *chains_sql(texts=self.texts), REVERSED_REFUNDS)
        if _splits(self.sources):
            yield from (BILLS_OF_CHAINS, SOUND_PAYMENTS, split_parts_sql(texts=self.texts))

    def make(self) -> None:
        """Make the tables. Raises _NotStaged after adding a Problem, and RS620."""
        engine = self.engine
        try:
            engine.run(account_ids_sql(list(self.sources.values())))
        except EngineError as error:
            check_unchanged(self.workspace, self.before)
            self._fail(error, *_unreadable(engine, self.sources))
        for table, mapped in self.sources.items():
            try:
                if self.numbered:
                    engine.run(numbered_sql(mapped))
                engine.run(self.stagings[table].sql)
            except EngineError as error:
                self._fail(error, table, mapped)
        if _takes_back(self.sources):
            any_chain = engine.value(ANY_CHAIN)
            for statement in chains_sql(texts=self.texts) if any_chain else NO_CHAINS:
                engine.run(statement)
            if engine.value("select exists (select 1 from payments where refund)"):
                engine.run(REVERSED_REFUNDS)
        if not self.numbered:
            if not all_sound(engine, self.sources):
                raise NotKept
            _split_sound(engine, self.sources, texts=self.texts)
        check_unchanged(self.workspace, self.before)

    def _fail(self, error: EngineError, table: str, mapped: Mapped) -> NoReturn:
        if not explain_failure(self.workspace, self.problems):
            _add_unreadable(table, mapped, error, self.problems)
        raise _NotStaged


def _unreadable(engine: Engine, sources: Mapping[str, Mapped]) -> tuple[str, Mapped]:
    """The first source whose accounts cannot be read."""
    for table, mapped in sources.items():
        try:
            engine.rows(f"select count(account_id) from {mapped.rows}")
        except EngineError:
            return table, mapped
    return next(iter(sources.items()))


def _add_unreadable(table: str, mapped: Mapped, error: EngineError, problems: Problems) -> None:
    message = f"The rows of {table} cannot be read: {error.reason}."
    hint = "Correct the file, or the expressions of its columns in riskseg.toml."
    line = mapped.lines.get("from")
    problems.add("RS007", message, file=mapped.file, line=line, hint=hint)


def _takes_back(sources: Mapping[str, Mapped]) -> bool:
    """Whether payments can be taken back by others."""
    payments = sources.get("payments")
    return payments is not None and payments.has("reverses") and payments.has("payment_id")


def _splits(sources: Mapping[str, Mapped]) -> bool:
    """Whether payments of several bills can be taken back in parts."""
    return _takes_back(sources) and sources["payments"].has("bill_id")


def _split_sound(engine: Engine, sources: Mapping[str, Mapped], *, texts: bool) -> None:
    """Make what is worked out of the sound payments that are taken back."""
    if _splits(sources):
        engine.run(BILLS_OF_CHAINS)
        engine.run(SOUND_PAYMENTS)
        engine.run(split_parts_sql(texts=texts))


def _views(
    engine: Engine,
    sources: Mapping[str, Mapped],
    scale: int,
    with_bad_rows: Set[str],
) -> None:
    views = ledger_views(sources, scale, with_bad_rows)
    if _splits(sources):
        if engine.value("select exists (select 1 from further_reversals)"):
            views["ledger_payments"] = WITH_FURTHER_PAYMENTS
        if engine.value("select exists (select 1 from split_parts)"):
            views["ledger_payments"] = PAYMENTS_IN_PARTS
    for view, statement in views.items():
        engine.run(statement)
        check_table(view, engine.columns(view))
    if "bills" in sources and "accounts" not in sources:
        engine.run(first_known_sql(sorted(with_bad_rows & {"bills", "payments"})))


def _money(
    engine: Engine, workspace: Workspace, sources: Mapping[str, Mapped], readable_ids: bool
) -> Money:
    bills, payments = sources.get("bills"), sources.get("payments")
    negative = bills is not None and engine.value(
        "select coalesce(bool_or(amount_minor < 0), false) from ledger_bills"
    )
    names_bills = payments is not None and payments.has("bill_id")
    if names_bills:
        names_bills = engine.value(
            "select coalesce(bool_or(bill_id is not null), false) from ledger_payments"
        )
    return Money(
        names_bills=bool(names_bills),
        reverses=_takes_back(sources),
        cancels=bills is not None and bills.has("cancelled_on"),
        disputes=bills is not None and bills.has("disputed_amount"),
        credits=bool(negative),
        arrears_from=workspace.settings.arrears_from_minor,
        readable_ids=readable_ids,
        plans=_plans(engine, workspace) if bills is not None else None,
        refunds=payments is not None
        and payments.has("status")
        and engine.value("select exists (select 1 from ledger_payments where refund)"),
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
    """What the catalogue may need; with events where riskseg has `recorded` any."""
    available_names = set(sources)
    if recorded:
        available_names |= {"events", "instalments"}
        available_names |= {f"events.{column.name}" for column in CONTRACT["events"].columns}
    available_names |= {
        f"{source_name}.{column}"
        for source_name, mapped_source in sources.items()
        for column in mapped_source.columns
    }
    if "payments" in sources and {"payments.status", "payments.reverses"} & available_names:
        available_names.add("payments.undone")
    return frozenset(available_names)


def _window(engine: Engine, sources: Mapping[str, Mapped]) -> tuple[date | None, date | None]:
    dated = [dated_source for dated_source in DATED_TABLES if dated_source in sources]
    if not dated and "accounts" in sources and sources["accounts"].has("observed_on"):
        observed_days = "select min(observed_on), max(observed_on) from ledger_accounts"
        return engine.rows(observed_days)[0]
    if not dated:
        return None, None
    # What riskseg recorded of an account is no history to learn from.
    union = " union all ".join(
        f"""select min(known_on) as first_on, max(known_on) as last_on
        from {dated_table}
        where fault is null"""
        for dated_table in dated
    )
    first, last = engine.rows(f"select min(first_on), max(last_on) from ({union})")[0]
    return first, last

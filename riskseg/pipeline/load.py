"""Load a workspace's sources into the engine: mapped, typed, checked, bad rows set apart."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from datetime import date

from riskseg.domain.facts import Fact
from riskseg.domain.problems import Problems
from riskseg.domain.source_tables import DATED_TABLES
from riskseg.engine import Engine
from riskseg.features.feature import BillAttribute
from riskseg.features.snapshots import first_known_sql
from riskseg.ledger.contract import CONTRACT
from riskseg.ledger.mapping import Mapped
from riskseg.ledger.money import Money
from riskseg.ledger.plans import Plans
from riskseg.ledger.reversals import (
    PAYMENTS_IN_PARTS,
    WITH_FURTHER_PAYMENTS,
)
from riskseg.ledger.set_apart import quarantined_accounts_sql
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
from riskseg.pipeline.quarantine import BadRows, refuse
from riskseg.pipeline.staged_answers import StagedAnswers
from riskseg.pipeline.staging import StagedSources, splits, takes_back
from riskseg.sources.balances import in_words, outcomes
from riskseg.sources.copies import check_copies
from riskseg.sources.describe import map_sources
from riskseg.sources.rows_read import check_counts
from riskseg.sources.unchanged import Stamps, stamps
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
    `alike` are notes of rows that stand there twice, as it seems. `kept` is the name under which
    the staged rows are kept for the next command, None where they are not.
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
    kept: str | None = None

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
    shows_ids: bool = False,
) -> Ledger | None:
    """The ledger, or None after adding Problems: a source that cannot be read or, with `limit`,
    more bad rows than `max_bad_rows` allows. `texts` keeps the ids of bills and payments
    readable (see :func:`riskseg.ledger.staging.stage`), and `shows_ids` where they could not be
    read anew (see :class:`riskseg.pipeline.staging.StagedSources`)."""
    stamps_before = stamps(workspace)
    sources = map_sources(engine, workspace, problems)
    if sources is None:
        return None
    settings = workspace.settings
    staged = StagedSources(
        engine, workspace, sources, stamps_before, problems, texts, shows_ids
    ).have()
    if staged is None:
        return None
    answers = StagedAnswers(engine, workspace, staged.kept)
    bad, texts = list(staged.bad), staged.texts
    rows_by_source = {
        source_name: engine.value(f"select count(*) from {source_name}") for source_name in sources
    }
    check_counts(sources, rows_by_source, problems)
    unmet = unmet_keys(engine, answers, sources, texts=texts)
    bad = with_likely_reasons(bad, unmet)
    refuse(workspace, rows_by_source, bad if limit else [], problems)
    of_keys = Problems()
    # Where bills has no rows, that is said, and not also that no id names a bill.
    no_bills = rows_by_source.get("bills") == 0
    named = tuple(one for one in unmet if not (no_bills and one.key.column == "bill_id"))
    check_keys(workspace, named, of_keys)
    alike = check_doubled(answers, workspace, sources, of_keys)
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
    attributes = attributes_of(answers, workspace, sources, "accounts", problems)
    if "accounts" in sources and workspace.settings.sources["accounts"].balances is not None:
        attributes |= in_words(attributes)
    overlaid = None
    if "accounts" in sources and workspace.settings.overlays:
        overlaid = overlay_accounts(engine, workspace, sources["accounts"], problems)
        attributes |= overlaid.attributes
    bill_attributes = bill_attributes_of(answers, workspace, sources, problems)
    if len(problems):
        return None
    problems.extend(of_keys)  # which hide nothing else from whoever looks for all there is
    first_on, last_on = _window(answers, sources)
    money = _money(engine, answers, workspace, sources, texts)
    answers.keep()
    return Ledger(
        sources={**sources, "accounts": overlaid.accounts} if overlaid else sources,
        rows=rows_by_source,
        bad=tuple(bad),
        unmet=unmet,
        alike=alike,
        money=money,
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
        kept=staged.kept,
    )


def _views(
    engine: Engine,
    sources: Mapping[str, Mapped],
    scale: int,
    with_bad_rows: Set[str],
) -> None:
    views = ledger_views(sources, scale, with_bad_rows)
    if splits(sources):
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
    engine: Engine,
    answers: StagedAnswers,
    workspace: Workspace,
    sources: Mapping[str, Mapped],
    readable_ids: bool,
) -> Money:
    bills, payments = sources.get("bills"), sources.get("payments")
    negative = bills is not None and answers.value(
        "select coalesce(bool_or(amount_minor < 0), false) from ledger_bills"
    )
    names_bills = payments is not None and payments.has("bill_id")
    if names_bills:
        names_bills = answers.value(
            "select coalesce(bool_or(bill_id is not null), false) from ledger_payments"
        )
    return Money(
        names_bills=bool(names_bills),
        reverses=takes_back(sources),
        cancels=bills is not None and bills.has("cancelled_on"),
        disputes=bills is not None and bills.has("disputed_amount"),
        credits=bool(negative),
        arrears_from=workspace.settings.arrears_from_minor,
        readable_ids=readable_ids,
        plans=_plans(engine, workspace) if bills is not None else None,
        refunds=payments is not None
        and payments.has("status")
        and answers.value("select exists (select 1 from ledger_payments where refund)"),
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


def _window(
    answers: StagedAnswers, sources: Mapping[str, Mapped]
) -> tuple[date | None, date | None]:
    dated = [dated_source for dated_source in DATED_TABLES if dated_source in sources]
    if not dated and "accounts" in sources and sources["accounts"].has("observed_on"):
        observed_days = "select min(observed_on), max(observed_on) from ledger_accounts"
        return answers.rows(observed_days)[0]
    if not dated:
        return None, None
    # What riskseg recorded of an account is no history to learn from.
    union = " union all ".join(
        f"""select min(known_on) as first_on, max(known_on) as last_on
        from {dated_table}
        where fault is null"""
        for dated_table in dated
    )
    first, last = answers.rows(f"select min(first_on), max(last_on) from ({union})")[0]
    return first, last

"""The balances that a source has of its own: a column of accounts, or a file beside the ledger."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from riskseg.domain.ageing import BUCKETS
from riskseg.domain.facts import folded
from riskseg.domain.problems import Problems, did_you_mean, problem
from riskseg.domain.relations import Relation, fact_column, quoted
from riskseg.domain.words import counted
from riskseg.engine import DuplicateColumnsError, Engine, EngineError
from riskseg.ledger.accounts import account_rows
from riskseg.ledger.keys import UNMET_BALANCES, reasons
from riskseg.pipeline.contracts import build
from riskseg.pipeline.load import Ledger
from riskseg.sources.reader import SourceReader, kind_of_source, open_source
from riskseg.sources.sql_text import NotAllowedError
from riskseg.workspace import Source

# The largest amount that is taken, in minor units, as of bills and payments.
_LARGEST = 10**13


class SourceBalances:
    """What an argument such as `closing_balance` or `balances.csv` says of accounts' balances.

    :meth:`load` makes the table `source_balances` of an engine: account_id, account_no (null for an
    account that is not known), balance and, for each of `buckets`, its column, in minor units. An
    amount is null where the source leaves it out. `notes` say what a person should know of them.
    """

    def __init__(self, against: str, here: Path, problems: Problems) -> None:
        """Adds RS006 for a file that cannot be read. Names of files are looked up from `here`."""
        self.against = against
        self.buckets: tuple[str, ...] = ()
        self.notes: list[str] = []
        self._reader: SourceReader | None = None
        if kind_of_source(against) is None:
            return
        source = Source("balances", against, {}, file=against)
        try:
            self._reader = open_source(source, here)
            self._reader.check(problems)
        except NotAllowedError as error:
            problems.add("RS006", f"{error}.", file=against)

    def files(self) -> list[Path]:
        """The files that hold them."""
        return [] if self._reader is None else self._reader.files()

    def load(self, engine: Engine, ledger: Ledger, scale: int, as_of: date) -> None:
        """Make `source_balances`. Raises RS501 for a column that accounts do not have, RS007 for a
        file without the columns, RS101 to RS104 for rows that cannot be read, RS109 where there is
        no balance."""
        if self._reader is None:
            self._load_column(engine, ledger, as_of)
        else:
            self._load_file(engine, self._reader)
        amounts = ["balance", *self.buckets]
        _check(engine, self.against, scale, amounts)
        self._convert(engine, scale, amounts)

    def _load_column(self, engine: Engine, ledger: Ledger, as_of: date) -> None:
        name = folded(self.against)
        if name not in ledger.attributes:
            raise problem(
                "RS501",
                f'Accounts have no attribute "{self.against}", and it is not a file that can be '
                "read.",
                hint=did_you_mean(name, ledger.attributes)
                or "Name a column of accounts, or a file with account_id and balance.",
            )
        if not ledger.dated:
            self.notes.append(
                f"{name} has no date: it is compared as it stands in accounts today, and not as it "
                f"was on {as_of}."
            )
        snapshots = f"""
        select account_no as snap, account_no, date '{as_of}' as as_of
        from account_ids
        """
        text = f"""
        select i.account_id, i.account_no, 0 as row,
            cast(r.{fact_column(name)} as varchar) as balance
        from account_ids i
        join account_rows r on r.snap = i.account_no
        """
        rows = [
            Relation("snapshots", snapshots, materialized=True),
            account_rows([name], dated=ledger.dated),
            Relation("told_balances", text, materialized=True),
        ]
        build(engine, rows)

    def _load_file(self, engine: Engine, reader: SourceReader) -> None:
        try:
            relation = reader.relation(engine)
            headers = {folded(header): quoted(header) for header in engine.columns(relation)}
        except (EngineError, DuplicateColumnsError) as error:
            reason = error.reason if isinstance(error, EngineError) else str(error)
            message = f"The balances cannot be read: {reason.rstrip('.')}."
            raise problem("RS006", message, file=self.against) from error
        problems = Problems()
        for needed in ("account_id", "balance"):
            if needed not in headers:
                close = did_you_mean(needed, headers)
                hint = f"Rename it, or select it: \"select … as {needed} from '…'\". {close}"
                message = f'The balances have no column "{needed}".'
                problems.add("RS007", message, file=self.against, hint=hint.strip())
        problems.raise_if_any()
        self.buckets = tuple(bucket.column for bucket in BUCKETS if bucket.column in headers)
        texts = ", ".join(
            f"cast({headers[name]} as varchar) as {name}" for name in ("balance", *self.buckets)
        )
        engine.run(
            f"""
            create temp table told_balances as
            select f.*, i.account_no
            from (
                select row_number() over () as row,
                    cast({headers["account_id"]} as varchar) as account_id,
                    {texts}
                from {relation}
            ) f
            left join account_ids i on i.account_id = f.account_id
            """
        )

    def _convert(self, engine: Engine, scale: int, amounts: list[str]) -> None:
        """`source_balances` from `told_balances`: texts as minor units."""
        minor = ", ".join(
            f"cast(round(cast(nullif(trim({name}), '') as decimal(28, 6)) * {10**scale}) as bigint)"
            f" as {name}"
            for name in amounts
        )
        engine.run(
            f"""
            create temp table source_balances as
            select account_id, account_no, {minor}
            from told_balances
            """
        )
        rows, unknown = engine.rows(
            "select count(*), count(*) filter (where balance is null) from source_balances"
        )[0]
        if rows == unknown:
            raise problem(
                "RS109",
                f"There is no balance in {self.against}: nothing can be compared.",
                file=self.against if self._reader else None,
                hint="Give each account its balance, 0 where it owes nothing.",
            )
        if unknown:
            rows = "account has" if unknown == 1 else "accounts have"
            self.notes.append(f"{unknown:,} {rows} no balance in {self.against}: not compared.")
        self._note_unmet(engine)

    def _note_unmet(self, engine: Engine) -> None:
        """A note of the ids that would meet an account in another spelling."""
        for number, ids, example in engine.rows(UNMET_BALANCES):
            if number:
                words, shown = reasons()[number - 1].words, counted(ids, "account id")
                self.notes.append(
                    f'{shown} of {self.against} (for instance "{example}") not known here would '
                    f"match {words}."
                )


def _check(engine: Engine, file: str, scale: int, amounts: list[str]) -> None:
    """Raise the Problems of `told_balances`: each kind of fault with its first row."""
    faults = [
        ("RS101", "account_id is null", "account_id is null"),
        (
            "RS104",
            "account_id occurs twice",
            "account_id in (select account_id from told_balances group by 1 having count(*) > 1)",
        ),
    ]
    for name in amounts:
        given = f"nullif(trim({name}), '')"
        number = f"try_cast({given} as decimal(28, 6))"
        wrong = f"{given} is not null and ({number} is null or abs({number}) * {10**scale} > "
        faults.append(("RS102", f"{name} is not an amount of money", f"{wrong}{_LARGEST})"))
        more = f"{number} <> round({number}, {scale})"
        faults.append(("RS103", f"{name} has more than {scale} decimals", more))
    problems = Problems()
    for code, message, condition in faults:
        count, row, account = engine.rows(
            f"""
            select count(*), min(row), arg_min(account_id, row)
            from told_balances
            where {condition}
            """
        )[0]
        if count:
            place = f"row {row:,} after the header" if row else f"account {account}"
            rows = f"{count:,} row{'' if count == 1 else 's'}, the first is {place}"
            hint = "Correct it, or select the rows and columns that are meant."
            problems.add(code, f"{message} ({rows}).", file=file, hint=hint)
    problems.raise_if_any()

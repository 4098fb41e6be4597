"""Whether what riskseg.toml says of a source's new and changed rows can be so."""

from __future__ import annotations

from collections.abc import Iterable

from riskseg.domain.facts import folded
from riskseg.domain.problems import Problems, ProblemsError, did_you_mean, problem
from riskseg.engine import Engine
from riskseg.sources.database_connections import Database, DatabaseColumn
from riskseg.workspace import Source

_TIMES, _NUMBERS = ("date", "timestamp"), ("integer", "unsigned", "decimal")


def check_incremental(
    source: Source, columns: Iterable[DatabaseColumn], database: Database
) -> None:
    """Raise RS004 for a watermark or key that is no column, for a watermark that has no order, and
    for a lookback of another kind than the watermark."""
    assert source.incremental is not None
    incremental, problems = source.incremental, Problems()
    by_name = {folded(column.name): column for column in columns}
    for key, names in (("watermark", [incremental.watermark]), ("key", incremental.key)):
        for name in names:
            if folded(name) not in by_name:
                problems.add(
                    "RS004",
                    f'`{key}` cannot be "{name}": the rows of {source.table} have no such column.',
                    file=source.file,
                    line=source.incremental_lines.get(key),
                    hint=did_you_mean(name, by_name)
                    or "Name a column of the table or select, and not one that it is mapped to.",
                )
    problems.raise_if_any()
    family = by_name[folded(incremental.watermark)].type.family
    is_text_of_time = family == "text" and database.keeps_days_as_text
    if family not in (*_TIMES, *_NUMBERS) and not is_text_of_time:
        raise _problem(
            source,
            "watermark",
            f'`watermark` cannot be "{incremental.watermark}", which is of the type {family}.',
            "Name a date, a time or a number that grows with every insert and update.",
        )
    if incremental.lookback is None:
        return
    said = f"`lookback` cannot be {incremental.lookback!r} for a watermark of the type {family}."
    if is_text_of_time:
        hint = "Remove it: for days and times that are texts it is always one day."
        raise _problem(source, "lookback", said, hint)
    if (incremental.interval is None) != (family in _NUMBERS):
        fitting = "a number" if family in _NUMBERS else "a time, such as `2 hours`"
        raise _problem(source, "lookback", said, f"Write {fitting}.")


def _problem(source: Source, key: str, message: str, hint: str) -> ProblemsError:
    """RS004 at the line of a key of `[source.TABLE.incremental]`."""
    line = source.incremental_lines.get(key)
    return problem("RS004", message, file=source.file, line=line, hint=hint)


def check_days_as_text(source: Source, engine: Engine, watermark: str, rows: str) -> None:
    """Raise RS004 where a watermark that is a text holds what is no day or time as 2026-06-30: the
    order of other texts is not that of what they stand for."""
    day = "[0-9]{4}-[0-9]{2}-[0-9]{2}([ T].*)?"
    select = f"""
        select count(*)
        from ({rows})
        where not regexp_full_match({watermark}, '{day}')
            or ({watermark} is not null and try_cast(left({watermark}, 10) as date) is null)
        """
    if engine.value(select):
        raise _problem(
            source,
            "watermark",
            f"`watermark` holds texts that are no days or times, such as 2026-06-30, in the column "
            f"{watermark} of {source.table}.",
            "Name a column of days, times or numbers.",
        )


def check_key(source: Source, engine: Engine, columns: str, rows: str) -> None:
    """Raise RS004 where more than one row has the same values in the columns of a key."""
    doubled = engine.rows(
        f"""
        select {columns}
        from ({rows})
        group by all
        having count(*) > 1
        order by all
        limit 1
        """
    )
    if doubled:
        values = ", ".join("no value" if value is None else str(value) for value in doubled[0])
        raise _problem(
            source,
            "key",
            f"`key` cannot be {columns}: more than one row of {source.table} has {values}.",
            "Name the columns that together are different in each row, or remove `key` where "
            "rows are only added.",
        )

"""CSV files that a select reads: with the options that are pinned for CSV, but for those that the
select states itself. What types its columns have is the select's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from riskseg.domain.relations import literal
from riskseg.engine import Engine, EngineError
from riskseg.sources.csv_faults import Fault
from riskseg.sources.csv_files import pinned
from riskseg.sources.csv_text import CsvText, csv_text, faults_of_rows, regular_text
from riskseg.sources.sql_text import Named, reader
from riskseg.workspace.reading import TextForm

# A select that states one of these says itself where the rows are.
_OWN_FORM = {
    "allow_quoted_nulls", "auto_detect", "buffer_size", "columns", "comment", "compression",
    "encoding", "header", "ignore_errors", "names", "new_line", "null_padding", "skip",
    "store_rejects", "strict_mode",
}  # fmt: skip
_DELIMITER = ("delim", "sep")


@dataclass(frozen=True)
class CsvRead:
    """The files of one `read_csv` of a select: the file that the engine reads for each, and the
    options that are added."""

    files: Mapping[Path, Path]
    options: Mapping[str, str]


def reads_csv(named: Named) -> bool:
    if named.call is not None:
        return named.call.function in ("read_csv", "read_csv_auto")
    return reader(named.name) == "read_csv"


def form_of(named: Named, form: TextForm) -> TextForm | None:
    """How the files of a name are to be read; None where the select states it in full."""
    stated = {} if named.call is None else named.call.options
    if _OWN_FORM & stated.keys() or not {"escape"}.isdisjoint(stated):
        return None
    for name in _DELIMITER:
        if name in stated:
            form = replace(form, delimiter=stated[name])
    if "quote" in stated:
        form = replace(form, quote=stated["quote"] or "")
    is_of_one_byte = len((form.delimiter or ",").encode()) == 1 and len(form.quote.encode()) <= 1
    return form if is_of_one_byte else None


def csv_read(
    engine: Engine, named: Named, paths: Sequence[Path], form: TextForm, table: str
) -> CsvRead | dict[Path, list[Fault]]:
    """How the files are read that are named in one place; or what is wrong with them, by file."""
    stated = {} if named.call is None else named.call.options
    stated_form = form_of(named, form)
    if stated_form is None:
        options = without_stated({"comment": "''", "quote": "'\"'"}, stated)
        return CsvRead({path: path for path in paths}, options)
    texts = {path: csv_text(path, stated_form, table) for path in paths}
    faults = {path: [text] for path, text in texts.items() if isinstance(text, Fault)}
    if faults:
        return faults
    sound = [text for text in texts.values() if isinstance(text, CsvText)]
    for text in sound[1:]:
        if text.dialect != sound[0].dialect:
            message = f"The file has another delimiter than {sound[0].path.name}."
            hint = "Read it by a `read_csv` of its own, and put `union all by name` between them."
            return {text.path: [Fault("RS022", message, text.header_line, hint)]}
    options = {**pinned(sound), "header": "true"}
    if len({text.line_end for text in sound}) > 1:
        del options["new_line"]
    files = {text.path: _regular(engine, text, stated_form, table) for text in sound}
    if faults := _count_faults(engine, sound, files, options, stated_form, table):
        return faults
    return CsvRead(files, without_stated({**options, **_types(stated)}, stated))


# What a column of a select may be taken for. That a text is a truth value is never guessed: a
# column of Yes, No and Part-time would be of another kind in a file that has only the first two.
_CANDIDATES = ("BIGINT", "DOUBLE", "DATE", "VARCHAR")


def _types(stated: Mapping[str, object]) -> dict[str, str]:
    """The options for types, unless the select states all of them."""
    if not stated.keys().isdisjoint(("columns", "all_varchar", "auto_detect")):
        return {}
    listed = ", ".join(map(literal, _CANDIDATES))
    return {"auto_type_candidates": f"[{listed}]", "dateformat": "'%Y-%m-%d'"}


def _count_faults(
    engine: Engine,
    texts: Sequence[CsvText],
    files: Mapping[Path, Path],
    options: Mapping[str, str],
    form: TextForm,
    table: str,
) -> dict[Path, list[Fault]]:
    """What is wrong where the engine does not read each row of the files, whatever the select makes
    of them."""
    written = ", ".join(f"{name} = {value}" for name, value in options.items())
    faults: dict[Path, list[Fault]] = {}
    for text in texts:
        read = f"read_csv({engine.file(files[text.path])}, all_varchar = true, {written})"
        try:
            rows = engine.value(f"select count(*) from {read}")
        except EngineError as error:
            unknown = Fault("RS006", f"The file cannot be read: {error.reason}.", None, "")
            faults[text.path] = faults_of_rows(text, form, table) or [unknown]
            continue
        if rows != text.rows:
            message = f"The file has {text.rows:,} rows, and {rows:,} of them were read."
            hint = "Look for quotes that are not closed, or write the file again."
            faults[text.path] = [Fault("RS023", message, None, hint)]
    return faults


def without_stated(options: Mapping[str, str], stated: Mapping[str, object]) -> dict[str, str]:
    """The options that the select does not state, by whatever of their names."""
    left = {name: value for name, value in options.items() if name not in stated}
    if not stated.keys().isdisjoint(_DELIMITER):
        left.pop("delim", None)
    if "quote" in stated or "escape" in stated:
        left.pop("escape", None)
        left.pop("quote", None)
    return left


def _regular(engine: Engine, text: CsvText, form: TextForm, table: str) -> Path:
    """The file, or a copy of it that the engine can read."""
    if text.regular:
        return text.path
    copy = engine.new_file(text.path.name.removesuffix(".gz"))
    with copy.open("wb") as stream:
        stream.write(text.header + b"\n")
        stream.writelines(regular_text(text, form, table))
    return copy

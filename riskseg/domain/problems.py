"""Problems: faults that a person can cause and fix, located and collected.

A Problem says what is wrong, where it stands, what was expected and how to fix it.
Code that finds one adds it to a :class:`Problems` and goes on looking, so that a person
sees all of them together. Faults of our own are ordinary exceptions, never Problems.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

# One line a code: what kind of fault it is. `docs/reference/problems.md` is generated from
# this table. A code, once published, keeps its meaning.
CODES: dict[str, str] = {
    # RS0xx: the workspace and its riskseg.toml
    "RS001": "no workspace here",
    "RS002": "a file cannot be read as TOML or YAML",
    "RS003": "a key that does not exist",
    "RS004": "a value of the wrong type or outside its domain",
    "RS005": "a required key is missing",
    "RS006": "a source file or table does not exist",
    "RS007": "a source expression does not work on its source",
    "RS008": "a folder or file named in riskseg.toml does not exist",
    "RS009": "a key occurs twice in one mapping",
    "RS010": "an output would overwrite something else, or cannot be written",
    "RS011": "columns of a source with the same name",
    "RS012": "SQL in riskseg.toml that does more than select from its files",
    "RS013": "a file of accounts that cannot replace the workspace's sources",
    "RS014": "a layout that does not exist",
    "RS016": "a database or store of files that cannot be reached or read",
    "RS017": "a time with a zone, and no zone whose day is meant",
    "RS020": "a file whose bytes are not of the encoding that is stated or recognised",
    "RS021": "lines of a file that are not rows of its table",
    "RS022": "files of one source that do not fit together",
    "RS023": "the rows that were read are not those of the file",
    "RS024": "a package of Python that is needed and not installed",
    # RS1xx: the data contract
    "RS101": "a required value is null",
    "RS102": "a value does not have the type of its column",
    "RS103": "a number outside its domain",
    "RS104": "a key that should be unique occurs twice",
    "RS105": "dates out of order",
    "RS106": "an account that accounts does not list",
    "RS107": "a word that its column does not allow",
    "RS108": "an amount in another currency than the workspace's",
    "RS109": "a source has no rows",
    "RS110": "a payment reverses a payment that does not exist",
    "RS111": "many rows of a source stand there twice",
    "RS112": "ids that meet nothing",
    "RS113": "two files of a source have the same bytes",
    # RS2xx: a strategy's files
    "RS200": "a strategy file is missing",
    "RS201": "a name that is not defined",
    "RS202": "a name defined twice",
    "RS203": "a table without a last row for all other accounts",
    "RS204": "a row that can never match",
    "RS205": "a level that does not exist",
    "RS206": "cuts that do not rise, or do not end at the top",
    "RS207": "a segment that no path serves",
    "RS208": "a path whose steps or continuation cannot be followed",
    "RS209": "an action that does not exist",
    "RS210": "a strategy outside its effective dates",
    "RS211": "an example that does not come out as expected",
    "RS212": "a fact this workspace does not have",
    "RS214": "a model the strategy uses is not there",
    "RS215": "a row with the wrong number of cells",
    "RS216": "a protective fact that no guard uses",
    "RS217": "a sheet of rules that is missing, unknown, duplicated or unreadable",
    "RS218": "a cell of a sheet that cannot be read as part of a rule",
    "RS219": "a table of rules that a sheet cannot hold",
    "RS220": "an `instead` that the same guard forbids, or that is harsher",
    "RS221": "a guard pack that does not exist",
    "RS222": "guard packs that contradict each other",
    "RS223": "an empty strategy file",
    "RS224": "a file in a strategy's folder that is not part of a strategy",
    "RS225": "a significant action that no included guard pack knows",
    "RS226": "a calendar of holidays that is not known, or one without a day",
    "RS227": "contact hours, or a quiet period, that cannot be",
    "RS228": "a path that does not say what follows its last step",
    "RS229": "a duty that counts from no date of the account",
    "RS230": "a version of a strategy that cannot be found",
    "RS231": "a constant that nothing uses",
    "RS240": "rules that change on a day, where one query is asked for",
    "RS241": "a rule that the SQL of a database cannot hold",
    # RS3xx: expressions
    "RS301": "an expression cannot be read",
    "RS302": "an expression outside the language",
    "RS303": "an unknown name in an expression",
    "RS304": "types that cannot be combined",
    "RS305": "a condition that can be unknown and does not say what then",
    "RS306": "a number divided by something that can be zero",
    "RS307": "a value that the fact compared with it can never have",
    # RS4xx: models
    "RS401": "a model that does not exist",
    "RS402": "too few accounts or outcomes to learn from",
    "RS403": "all outcomes are the same",
    "RS404": "a feature that gives the answer away",
    "RS405": "a history too short for the spec",
    "RS406": "a model file that has been changed or is damaged",
    "RS407": "no feature to learn from",
    "RS408": "a target that the sources cannot give",
    "RS409": "a model made for other features than this workspace has",
    "RS410": "a model version whose folder is gone",
    "RS411": "a model without a champion",
    "RS412": "a scorecard file that cannot be imported",
    # RS5xx: features
    "RS501": "a feature that does not exist",
    "RS503": "a feature defined twice",
    # RS6xx: runs
    "RS601": "an account that does not exist",
    "RS602": "an as-of date outside the known history",
    "RS603": "the journal is gone, cannot be read or is of another version",
    "RS604": "another run holds the workspace",
    "RS605": "a date before any strategy was in force",
    "RS606": "a strategy that is refuted or not proved",
    "RS607": "an activation dated before decisions that were already made",
    "RS608": "a run the journal does not have",
    "RS609": "a run whose inputs are not kept",
    "RS610": "the kept inputs of a run cannot be read, or were changed",
    "RS611": "a model version that a run was decided with is gone",
    "RS612": "a span of time that cannot be read",
    "RS613": "an account that breaks an assumption of the proofs",
    "RS614": "a number too large to calculate with",
    "RS615": "too little memory",
    "RS616": "a file or folder that riskseg is not allowed to use",
    "RS617": "a kept ledger that is damaged",
    "RS618": "Spark that cannot be reached, or that fails",
    "RS619": "a journal that cannot be moved there",
    "RS620": "a source that changed while a run was reading it",
    "RS630": "an outcome of an action that was never issued",
    "RS631": "an action that is not on the list",
    "RS632": "an action that cannot be approved or rejected",
    "RS633": "there is no open hold, promise or dispute to end",
    "RS634": "a bill that does not exist",
    "RS635": "a worklist that is issued after that of a later day",
    "RS636": "a worklist that is issued before its day",
    "RS640": "a question that needs a source which the workspace lacks",
    "RS641": "an overlay whose keys no account has",
    "RS642": "a question about segments that is not known",
    "RS643": "a question that needs an earlier day",
    "RS650": "a feed that is not as riskseg.toml expects it",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault. `file` is as the person would name it; `line` counts from 1."""

    code: str
    what: str
    file: str | None = None
    line: int | None = None
    hint: str = ""

    def __post_init__(self) -> None:
        if self.code not in CODES:
            raise KeyError(f"{self.code} is not in the table of Problem codes")

    @property
    def where(self) -> str:
        if self.file is None:
            return ""
        return self.file if self.line is None else f"{self.file}:{self.line}"

    def __str__(self) -> str:
        head = f"{self.code} {self.where}: " if self.file else f"{self.code} "
        tail = f" {self.hint}" if self.hint else ""
        return f"{head}{self.what}{tail}"

    def as_dict(self) -> dict[str, object]:
        return {
            "code": self.code,
            "kind": CODES[self.code],
            "file": self.file,
            "line": self.line,
            "what": self.what,
            "hint": self.hint,
        }


# The exit codes of commands that do not end well: with Problems, or by a fault of riskseg's own.
USERS_FAULT, OUR_FAULT, BUSY, BAD_FEED = 1, 3, 4, 5
# Problems of feeds: one that stands there twice, and one that is not as it is expected to be.
_OF_FEEDS = {"RS111", "RS650"}


class ProblemsError(Exception):
    """Raised when work cannot go on; carries every Problem found so far."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))

    @property
    def exit_code(self) -> int:
        """The code with which a command ends for these Problems: 4 where another command holds the
        workspace, 5 where a feed is not as expected, and 1 otherwise."""
        codes = {problem.code for problem in self.problems}
        if codes == {"RS604"}:
            return BUSY
        return BAD_FEED if codes and codes <= _OF_FEEDS else USERS_FAULT


class Problems:
    """Collects Problems; the same one is kept once."""

    def __init__(self) -> None:
        self._found: dict[Problem, None] = {}

    def add(
        self,
        code: str,
        what: str,
        *,
        file: str | None = None,
        line: int | None = None,
        hint: str = "",
    ) -> None:
        self._found.setdefault(Problem(code, what, file, line, hint))

    def extend(self, problems: Iterable[Problem]) -> None:
        for problem in problems:
            self._found.setdefault(problem)

    def __iter__(self) -> Iterator[Problem]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def raise_if_any(self) -> None:
        if self._found:
            ordered = sorted(self._found, key=lambda p: (p.file or "", p.line or 0, p.code))
            raise ProblemsError(ordered)


def problem(
    code: str, what: str, *, file: str | None = None, line: int | None = None, hint: str = ""
) -> ProblemsError:
    """A single Problem, ready to raise."""
    return ProblemsError([Problem(code, what, file, line, hint)])


def did_you_mean(
    name: str,
    known: Iterable[str],
    *,
    some: bool = False,
    closeness: float = 0.6,
    otherwise: str | None = None,
) -> str:
    """`Did you mean "x"?` when something close exists, else what to do `otherwise`; left out, a
    short list of what exists. `some` says that `known` is not all there is; of a `closeness` of 1
    is the name itself."""
    known_names = sorted(set(known))
    close = difflib.get_close_matches(name, known_names, n=1, cutoff=closeness)
    if close:
        return f'Did you mean "{close[0]}"?'
    if otherwise is not None:
        return otherwise
    if not known_names:
        return ""
    shown = ", ".join(known_names[:12]) + (", …" if len(known_names) > 12 else "")
    return f"There are, for instance: {shown}." if some else f"Known here: {shown}."

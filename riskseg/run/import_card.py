"""`models import`: a scorecard made elsewhere becomes a version of a model."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError

from riskseg.domain.facts import Fact, folded
from riskseg.domain.problems import Problems, problem
from riskseg.domain.system_errors import read_cure
from riskseg.domain.yaml_text import inline
from riskseg.features.snapshots import as_of_snapshots
from riskseg.learning.imported import imported
from riskseg.learning.scorecard.card_file import read_card
from riskseg.learning.scorecard.imported import Meaning, scorecard_of
from riskseg.learning.scorecard.tables import Scale
from riskseg.learning.spec import RESERVED_NAMES, AuthoredSpec, ModelName, parse_spec
from riskseg.pipeline.contracts import build
from riskseg.pipeline.facts import facts as facts_relations
from riskseg.pipeline.frames import frame, model_columns
from riskseg.pipeline.model_versions import KEEP, keep
from riskseg.pipeline.models import check_spec, read_named
from riskseg.pipeline.open_journal import open_journal
from riskseg.pipeline.population import implied, population_sql
from riskseg.pipeline.session import LOAD, Session, begin, locked, open_checked, scratch_engine
from riskseg.pipeline.stages import Job, Plan, Progress, Stage
from riskseg.results.models import ImportedCard

if TYPE_CHECKING:
    import pandas as pd

    from riskseg.expressions import Expression
    from riskseg.workspace import Workspace

READ = Stage("read", "every row of the card, against the facts there are")
REFERENCE = Stage("reference", "accounts as of a date, to compare later ones with")

# Accounts that are enough to see how a feature is spread.
ENOUGH = 100_000
# What a spec's target may be, by the words of --target.
TARGETS = ("late", "default")


class _Import(Job):
    """What a run of `models import` holds while it is carried out."""

    accounts: pd.DataFrame | None = None

    def __init__(
        self,
        workspace: Workspace,
        file: Path,
        name: str,
        meaning: Meaning,
        *,
        target: str | None,
        question: str,
        reference_as_of: date | None,
        at: datetime,
        by: str,
        promote: str | None,
        progress: Progress | None,
    ) -> None:
        super().__init__(progress)
        self.at, self.by, self.promote = at, by, promote
        self.workspace, self.file, self.name, self.meaning = workspace, file, name, meaning
        self.target, self.question, self.reference_as_of = target, question, reference_as_of
        self.content = _content(file)

    def load(self) -> None:
        self.opened.enter_context(locked(self.workspace))
        engine = self.opened.enter_context(scratch_engine(self.workspace, lasting=True))
        self.session = begin(self.workspace, engine)

    def read(self) -> None:
        """The card, and the spec of its model."""
        facts, shown_file = self.session.facts, str(self.file)
        authored, spec_text = _spec(self.workspace, self.name, self.target, self.question)
        self.authored, self.spec_text = authored, spec_text
        problems = Problems()
        lacking = self.session.catalogue.lacking
        self.condition = check_spec(authored, facts, lacking, problems)
        imported_card = None
        card = read_card(_text(self.content, self.file), shown_file, problems)
        if card is not None:
            outcome = authored.spec.target.column
            imported_card = scorecard_of(
                card, facts, self.meaning, shown_file, problems, outcome=outcome
            )
        problems.raise_if_any()
        assert imported_card is not None
        self.card, self.calibration = imported_card
        self.facts = [facts[folded(feature)] for feature in self.card.features]

    def refer(self) -> None:
        assert self.reference_as_of is not None
        self.accounts = _accounts(
            self.session, self.authored, self.condition, self.facts, self.reference_as_of
        )

    def keep(self) -> None:
        trained = imported(
            self.authored.spec,
            self.card,
            self.calibration,
            self.facts,
            source=self.file.name,
            content=self.content,
            accounts=self.accounts,
            threads=self.session.engine.threads,
        )
        workspace, text = self.workspace, self.spec_text
        spec = workspace.models / f"{self.name}.yaml"
        if text is not None:
            workspace.models.mkdir(parents=True, exist_ok=True)
            spec.write_text(text, encoding="utf-8")
        with open_journal(workspace) as journal:
            kept = keep(
                workspace, self.name, trained, journal, self.at, by=self.by, promote=self.promote
            )
        self.done = ImportedCard(
            model=self.name,
            version=trained.version,
            champion=kept.champion,
            features=len(self.facts),
            spec=None if text is None else workspace.shown(spec),
            accounts=0 if self.accounts is None else len(self.accounts),
            notes=self.card.notes,
        )


def plan(*, reference: bool = True) -> Plan:
    """What `models import` carries out; with `reference`, a day for it is given."""
    refer = [REFERENCE.by(_Import.refer)] if reference else []
    return [LOAD.by(_Import.load), READ.by(_Import.read), *refer, KEEP.by(_Import.keep)]


def import_card(
    root: Path,
    file: Path,
    name: str,
    meaning: Meaning,
    *,
    target: str | None = None,
    question: str = "",
    reference_as_of: date | None = None,
    promote: bool = False,
    at: datetime,
    by: str = "import",
    reason: str = "",
    progress: Progress | None = None,
) -> ImportedCard:
    """Keep a version of the model `name` whose points are those of a CSV file.

    The model's spec says what is predicted and of whom; where there is none, one is written from
    `target` (late, default or column:NAME) and `question`. The first version of a model is its
    champion, a later one only with `promote`. Raises RS412 and RS501 for what is wrong with the
    file, by line, and the Problems of the spec.
    """
    job = _Import(
        open_checked(root),
        file,
        name,
        meaning,
        target=target,
        question=question,
        reference_as_of=reference_as_of,
        at=at,
        by=by,
        promote=(reason or "imported with --promote") if promote else None,
        progress=progress,
    )
    job.carry_out(plan(reference=reference_as_of is not None))
    return job.done


def meaning_of_points(
    *,
    pdo: float | None = None,
    points_at_odds: tuple[float, float] | None = None,
    factor: float | None = None,
    offset: float | None = None,
    base: float | None = None,
    intercept: float | None = None,
    riskier: bool | None = None,
) -> Meaning:
    """What the points of a card mean: `pdo` points double the odds, and a score is `points_at_odds`
    of good to bad; or score = offset + factor·ln(odds). Raises ValueError for what does not go
    together."""
    for (value, option_name), (other_value, other_name) in (
        ((pdo, "pdo"), (points_at_odds, "points_at_odds")),
        ((factor, "factor"), (offset, "offset")),
    ):
        if (value is None) != (other_value is None):
            raise ValueError(f"{option_name} and {other_name} go together.")
    if pdo is not None and factor is not None:
        raise ValueError("Give pdo or factor, not both.")
    if base is not None and intercept is not None:
        raise ValueError("Give base for points or intercept for log-odds, not both.")
    scale = None
    if points_at_odds is not None and pdo is not None:
        score, odds = points_at_odds
        if not odds or not pdo:
            raise ValueError("The points that double the odds, and the odds, must be more than 0.")
        scale = Scale(score, odds, pdo)
    elif factor is not None and offset is not None:
        if not factor:
            raise ValueError("A factor of 0 makes every score the same.")
        scale = Scale(offset, 1.0, factor * math.log(2))
    base_given = base if base is not None else intercept
    return Meaning(scale, None if base_given is None else Decimal(repr(base_given)), riskier)


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        message = f"This cannot be read: {error.strerror or error}."
        raise problem("RS412", message, file=str(file), hint=read_cure(error)) from None


def _text(content: bytes, file: Path) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line_number = content[: error.start].count(b"\n") + 1
        raise problem(
            "RS412",
            "This is not UTF-8 text.",
            file=str(file),
            line=line_number,
            hint="Save it as UTF-8.",
        ) from None


def _spec(
    workspace: Workspace, name: str, target: str | None, question: str
) -> tuple[AuthoredSpec, str | None]:
    """(the model's spec, its text where it is to be written)."""
    _check_name(name)
    spec_path = workspace.models / f"{name}.yaml"
    problems = Problems()
    shown = workspace.shown(spec_path)
    if spec_path.exists():
        authored = read_named(workspace, spec_path, problems)
        problems.raise_if_any()
        assert authored is not None
        if target is not None and _target(target) != _target_of(authored):
            raise problem(
                "RS408",
                f"The spec's target is not {target}.",
                file=shown,
                line=authored.line("target"),
                hint="Leave out --target, or give the card to a model of its own.",
            )
        return authored, None
    if target is None:
        raise problem(
            "RS401",
            f"There is no {shown}, so it is not known what the card predicts.",
            hint="Give --target late, --target default or --target column:NAME.",
        )
    new_spec_text = (
        "# What an imported scorecard predicts, and of whom.\n"
        f"name: {inline(name)}\n"
        + (f"question: {inline(question)}\n" if question else "")
        + f"target: {_target(target)}\n"
        "learners: [scorecard]\n"
    )
    authored = parse_spec(new_spec_text, shown, problems)
    problems.raise_if_any()
    assert authored is not None
    return authored, new_spec_text


def _check_name(name: str) -> None:
    """Raise RS004 for a name that no spec can have."""
    try:
        TypeAdapter(ModelName).validate_python(name)
    except ValidationError:
        raise problem(
            "RS004",
            f'A model cannot be called "{name}".',
            hint="Use small letters, digits and _, and a letter first; "
            f"{', '.join(RESERVED_NAMES)} is taken by a file that is not the spec of a model.",
        ) from None


def _target(word: str) -> str:
    """A target as a spec has it."""
    target_kind, _, column = word.partition(":")
    if target_kind == "column" and column:
        return f"{{column: {inline(folded(column))}}}"
    if word not in TARGETS:
        raise problem(
            "RS408",
            f'"{word}" is not a target.',
            hint="Write --target late, --target default or --target column:NAME.",
        )
    return f"{{event: {word}}}"


def _target_of(authored: AuthoredSpec) -> str:
    target = authored.spec.target
    if target.column is not None:
        return f"{{column: {inline(target.column)}}}"
    return f"{{event: {target.event}}}"


def _accounts(
    session: Session,
    authored: AuthoredSpec,
    condition: Expression | None,
    facts: Sequence[Fact],
    as_of: date,
) -> pd.DataFrame:
    """The card's features of the population as of a date; of many accounts, some."""
    import pandas as pd

    session.answers(as_of)
    engine, ledger = session.engine, session.ledger
    population, spec = condition, authored.spec
    condition_sql = population_sql(
        implied(spec.target.event, spec.target.dpd, billed=ledger.billed), population
    )
    feature_names = [fact.name for fact in facts]
    reads = {*map(folded, feature_names), *(condition.names if condition else ())}
    selected = model_columns(feature_names, session.facts)
    account_ranges = session.partitions()
    stride = max(1, sum(last - first + 1 for first, last in account_ranges) // ENOUGH)
    frames = []
    for first, last in account_ranges:
        snapshots = as_of_snapshots(as_of, first, last, listed=ledger.listed, dated=ledger.dated)
        build(engine, facts_relations(ledger, session.catalogue, session.scale, reads, snapshots))
        sql = f"select {selected} from facts where ({condition_sql}) and account_no % {stride} = 0"
        frames.append(frame(engine, f"{sql} order by account_no"))
    accounts = pd.concat(frames, ignore_index=True)
    if not len(accounts):
        raise problem(
            "RS602",
            f"No account is of the model's population as of {as_of}.",
            hint="Give another day with --reference-as-of.",
        )
    return accounts

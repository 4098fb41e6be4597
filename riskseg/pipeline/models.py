"""Specs, versions and champions: what lies in models/ and what the journal says of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from riskseg.domain.definitions import DEFAULT_DAYS_PAST_DUE
from riskseg.domain.facts import Fact, Kind, folded
from riskseg.domain.problems import Problems, ProblemsError, did_you_mean, problem
from riskseg.domain.relations import fact_column
from riskseg.domain.words import first_few
from riskseg.domain.yaml_text import exactly, inline
from riskseg.expressions import Expression
from riskseg.learning.spec import RESERVED_NAMES, AuthoredSpec, read_spec
from riskseg.pipeline.frames import learnable
from riskseg.pipeline.population import check_population, implied, population_sql
from riskseg.workspace import Workspace

if TYPE_CHECKING:
    from riskseg.learning.artefact import Model

# What says whether a model observed at issue looks at the latest bill on the as-of date. A run of
# an earlier version has kept the day of issue alone.
ISSUED = ("latest_known_on", "latest_issued_on")


@dataclass(frozen=True)
class Scorer:
    """A champion ready to score: the model, and the SQL condition of its population.

    A model that is observed `at_issue` of a bill covers an account on the day its latest bill is
    issued and recorded; `of_bills` is its population where snapshots name the bill themselves.
    """

    model: Model
    population: str
    reads: frozenset[str]
    of_bills: str | None = None

    @property
    def at_issue(self) -> bool:
        return self.of_bills is not None


def spec_files(workspace: Workspace) -> dict[str, Path]:
    """Each model's spec, by the name of its file."""
    return {
        p.stem: p for p in sorted(workspace.models.glob("*.yaml")) if p.stem not in RESERVED_NAMES
    }


def read_specs(workspace: Workspace, problems: Problems) -> dict[str, AuthoredSpec]:
    specs = {}
    for stem, path in spec_files(workspace).items():
        authored = read_named(workspace, path, problems)
        if authored is not None:
            specs[stem] = authored
    return specs


def read_named(workspace: Workspace, path: Path, problems: Problems) -> AuthoredSpec | None:
    """The spec in a file of its own name, or None after adding its Problems."""
    authored = read_spec(path, problems, shown=workspace.shown(path))
    if authored is None or authored.spec.name == path.stem:
        return authored
    problems.add(
        "RS004",
        f'The model is named "{authored.spec.name}" in a file named "{path.name}".',
        file=authored.file,
        line=authored.line("name"),
        hint="Give both the same name.",
    )
    return None


def spec_of(workspace: Workspace, name: str) -> AuthoredSpec:
    """A trained model's spec as its file says it now. Raises RS401 where there is none any more,
    and the Problems of the specs there are."""
    problems = Problems()
    specs = read_specs(workspace, problems)
    problems.raise_if_any()
    if name not in specs:
        file = workspace.shown(workspace.models / f"{name}.yaml")
        raise problem(
            "RS401",
            f'The spec of "{name}" is no longer there.',
            file=file,
            hint="Restore the file: it says how outcomes are observed.",
        )
    return specs[name]


def check_spec(
    authored: AuthoredSpec,
    facts: Mapping[str, Fact],
    lacking: Mapping[str, str],
    problems: Problems,
    *,
    outcomes: bool = True,
) -> Expression | None:
    """Add Problems for names in a spec that this workspace does not know; without `outcomes` the
    column to be predicted may be one of them."""
    spec = authored.spec
    known_names = {*facts, *lacking}
    for spec_part, keys in (
        ("features", ("exclude", "static", "keep")),
        ("fairness", ("by", "protected")),
    ):
        for spec_key in keys:
            for index_in_list, spec_name in enumerate(getattr(getattr(spec, spec_part), spec_key)):
                line = authored.line(spec_part, spec_key, index_in_list)
                if spec_name not in known_names:
                    message = f'There is no feature or attribute "{spec_name}".'
                    hint = did_you_mean(spec_name, known_names)
                    problems.add("RS501", message, file=authored.file, line=line, hint=hint)
                elif spec_part == "fairness" and spec_name not in facts:
                    message = f'"{spec_name}" is not known here: it needs {lacking[spec_name]}.'
                    hint = "Add the source, or name another attribute."
                    problems.add("RS501", message, file=authored.file, line=line, hint=hint)
                elif spec_part == "fairness" and not learnable(facts[spec_name]):
                    message = f'"{spec_name}" is a date: there are no groups to judge a model by.'
                    hint = "Name an attribute with levels, or a number."
                    problems.add("RS501", message, file=authored.file, line=line, hint=hint)
    if spec.target.column is not None and spec.target.column not in facts and outcomes:
        problems.add(
            "RS408",
            f'The accounts have no column "{spec.target.column}".',
            file=authored.file,
            line=authored.line("target", "column"),
            hint=_where_the_outcome_is(spec.target.column, facts),
        )
    elif spec.target.column is not None and spec.target.column in facts:
        fact = facts[spec.target.column]
        _check_positive(authored, fact, problems)
        if outcomes and spec.target.positive is None and fact.kind.is_textual:
            _check_text_outcome(authored, fact, problems)
    return check_population(
        spec.population, facts, problems, file=authored.file, line=authored.line("population")
    )


def _where_the_outcome_is(column: str, facts: Mapping[str, Fact]) -> str:
    """A name that is nearly the same is meant. Another column is not proposed: most are no
    outcomes, and the file's own is often not mapped yet."""
    possible = [name for name, fact in facts.items() if fact.kind is not Kind.DATE]
    mapped = f'Write `{inline(column)} = "COLUMN"` under [source.accounts] in riskseg.toml, where '
    mapped += "COLUMN is the column of the file that says how each account came out."
    return did_you_mean(column, possible, closeness=_A_SLIP, otherwise=mapped)


def _check_positive(authored: AuthoredSpec, fact: Fact, problems: Problems) -> None:
    """Add RS408 for a bad outcome that the column cannot hold, or that none of the few levels of a
    text is."""
    positive, levels = authored.spec.target.positive, fact.levels or fact.seen
    if positive is None:
        return
    message = f'"{fact.name}" never holds "{positive}".'
    hint = ""
    if fact.kind.is_textual:
        hint = did_you_mean(str(positive), levels)
        if not levels or str(positive) in levels:
            return
    elif fact.kind is Kind.BOOLEAN:
        hint = f"Write {{column: {inline(fact.name)}, positive: true}}, or false."
        if str(positive).lower() in ("true", "false", "1", "0"):
            return
    else:
        hint = f"It is {fact.kind}: give the number that is the bad outcome."
        if not isinstance(positive, bool) and _is_number(str(positive)):
            return
    line = authored.line("target", "positive")
    problems.add("RS408", message, file=authored.file, line=line, hint=hint)


# How close a name is to another that differs in a slip of the keyboard: "income" is further from
# "outcome".
_A_SLIP = 0.75

# What stands for a good or a bad outcome without a word of the spec, were it no text.
_ZERO_OR_ONE = frozenset({"0", "1", "0.0", "1.0", "true", "false"})


def _check_text_outcome(authored: AuthoredSpec, fact: Fact, problems: Problems) -> None:
    """Add RS408 for a column of texts of which nothing says which is the bad outcome. One that is
    0 or 1 but for a few values has rows that are wrong: none of its values is proposed."""
    texts_seen = fact.levels or fact.seen
    strays = [
        inline(text_seen) for text_seen in texts_seen if text_seen.lower() not in _ZERO_OR_ONE
    ]
    listed = first_few([inline(seen_value) for seen_value in texts_seen])
    if not strays and texts_seen:
        message = f'"{fact.name}" holds {listed} as texts.'
        hint = f"Make it a number: {_mapped_by(fact, 'cast')}"
    elif 0 < len(strays) < len(texts_seen):
        message = f'"{fact.name}" should be 0 or 1, and also holds {first_few(strays)}.'
        hint = (
            "Correct those rows at the source, or leave their outcome unknown: "
            f"{_mapped_by(fact, 'try_cast')}"
        )
    else:
        message = f'"{fact.name}" is {fact.kind}, and the spec does not name the bad outcome.'
        choice = f", where VALUE is one of {listed}" if texts_seen else ""
        hint = f"Write {{column: {inline(fact.name)}, positive: VALUE}}{choice}."
    line = authored.line("target", "column")
    problems.add("RS408", message, file=authored.file, line=line, hint=hint)


def _mapped_by(fact: Fact, function: str) -> str:
    """How to map a column of texts to a number. Under another name the texts would stay, and the
    model would learn the outcome from them."""
    return (
        f'write `{inline(fact.name)} = "{function}(COLUMN as integer)"` under [source.accounts] '
        "in riskseg.toml, where COLUMN is the file's own. The name has to stay the same: a second "
        "column with the outcome "
        "in it would give the answer away."
    )


def _is_number(text: str) -> bool:
    return exactly(text.strip()) is not None


def without_champion(workspace: Workspace, name: str, recorded: Iterable[str]) -> ProblemsError:
    """A model with versions, none of which is the champion: RS411."""
    versions = [
        recorded_version
        for recorded_version in dict.fromkeys(recorded)
        if not is_gone(workspace, name, recorded_version)
    ]
    return problem(
        "RS411",
        f'No version of the model "{name}" is the champion.',
        file=workspace.shown(workspace.models / f"{name}.yaml"),
        hint=f"`riskseg models show {name} VERSION` says how good a version is, `riskseg models "
        f"promote {name} VERSION` makes it the champion: {', '.join(versions)}."
        if versions
        else f"Run `riskseg train {name}`.",
    )


def champions(
    workspace: Workspace,
    names: Mapping[str, str],
    promoted: Mapping[str, str],
    recorded: Mapping[str, Sequence[str]],
) -> dict[str, Model]:
    """The champion of each model in `names` (its key there, the model's name), loaded.

    `promoted` maps models to the versions the journal promoted, `recorded` to all that it has.
    Raises RS401 for each that has never been trained, RS411 for each without a champion, RS406 for
    each that is damaged, RS410 for each whose folder is gone.
    """
    from riskseg.learning.artefact import load

    problems = Problems()
    loaded: dict[str, Model] = {}
    never_trained = [n for n in names.values() if n not in promoted and not recorded.get(n)]
    for key, model_name in names.items():
        version = promoted.get(model_name)
        if version is None and recorded.get(model_name):
            problems.extend(without_champion(workspace, model_name, recorded[model_name]).problems)
            continue
        if version is None:
            problems.add(
                "RS401",
                f'The model "{model_name}" has not been trained here.',
                file=workspace.shown(workspace.models / f"{model_name}.yaml"),
                hint=f"Run `riskseg train {model_name}`. {without_hint(workspace, *never_trained)}",
            )
            continue
        folder = workspace.models / model_name / version
        if is_gone(workspace, model_name, version):
            problems.extend(gone(workspace, model_name, version, champion=True).problems)
            continue
        try:
            loaded[key] = load(folder, shown=workspace.shown(folder))
        except ProblemsError as error:
            problems.extend(error.problems)
    problems.raise_if_any()
    return loaded


def without_hint(workspace: Workspace, *models: str) -> str:
    """How the strategy decides where models cannot be trained."""
    names = ", ".join(f'"{name}"' for name in sorted({*workspace.settings.without_models, *models}))
    return (
        f"To decide without it until it is trained, write `without_models = [{names}]` under "
        "[workspace] in riskseg.toml: its probability is then unknown for every account."
    )


def unknown_for_all(key: str, model: str) -> str:
    """What a model means that was never trained, and that riskseg.toml does without."""
    return f"{model} is not trained: {key} is unknown for every account (without_models)."


def is_gone(workspace: Workspace, name: str, version: str) -> bool:
    """Whether nothing is left of a version but the journal's word."""
    return not (workspace.models / name / version).exists()


def there(workspace: Workspace, name: str) -> list[str]:
    """The versions of a model whose folders are there, whether or not the journal has them."""
    return sorted(p.parent.name for p in (workspace.models / name).glob("[!.]*/manifest.json"))


def without_spec(workspace: Workspace) -> list[str]:
    """Models that have versions and no spec: nothing says how to learn them."""
    names = {p.parent.parent.name for p in workspace.models.glob("[!.]*/[!.]*/manifest.json")}
    return sorted(names - set(spec_files(workspace)))


def gone(workspace: Workspace, name: str, version: str, *, champion: bool) -> ProblemsError:
    """The Problem of a version whose folder is gone: RS410."""
    versions_left = there(workspace, name)
    other_ways = (
        f" or make one that is there the champion with `riskseg models promote {name} VERSION`: "
        f"{', '.join(versions_left)}."
        if champion and versions_left
        else f" or name one that is there: {', '.join(versions_left)}."
        if versions_left
        else f" or run `riskseg train {name}`."
    )
    lost_version = f"{version}, the champion of {name}," if champion else f"{name} {version}"
    return problem(
        "RS410",
        f"The folder of {lost_version} is gone.",
        file=workspace.shown(workspace.models / name / version),
        hint=f"Restore it from a copy (`riskseg models register FOLDER`),{other_ways}",
    )


def scorer(model: Model, facts: Mapping[str, Fact], *, billed: bool) -> Scorer:
    """The model with the population it was trained for. Raises RS409 where facts are missing."""
    features = frozenset(map(folded, model.features))
    missing = [feature_name for feature_name in model.features if folded(feature_name) not in facts]
    if missing:
        raise problem(
            "RS409",
            f"The model {model.name} {model.version} needs {', '.join(missing)}, which the sources "
            "do not have.",
            hint="Bring back the column or its source, or train the model again.",
        )
    problems = Problems()
    own_condition = check_population(
        model.population, facts, problems, file=f"{model.name} {model.version}"
    )
    problems.raise_if_any()
    target = model.manifest.spec.target
    dpd = target.days_past_due or DEFAULT_DAYS_PAST_DUE
    sql = population_sql(implied(target.event, dpd, billed=billed), own_condition)
    beside = frozenset(
        feature_name for feature_name in model.named_in_reasons if feature_name in facts
    )
    reads = features | beside | (own_condition.names if own_condition else frozenset())
    if model.manifest.spec.observe.at != "issue":
        return Scorer(model, sql, reads)
    issue_day = next((issue_fact for issue_fact in ISSUED if issue_fact in facts), ISSUED[0])
    return Scorer(model, f"({sql}) and {fact_column(issue_day)} = as_of", reads | {issue_day}, sql)


def used_champions(workspace: Workspace, uses: Mapping[str, str], journal: Any) -> dict[str, Model]:
    """The champion of each model that a strategy uses, less those that were never trained and that
    riskseg.toml says are done without."""
    done_without = {
        key
        for key, name in uses.items()
        if name in workspace.settings.without_models and not journal.models(name)
    }
    needed = {key: name for key, name in uses.items() if key not in done_without}
    return load_champions(workspace, needed, journal)


def load_champions(workspace: Workspace, uses: Mapping[str, str], journal: Any) -> dict[str, Model]:
    promoted, recorded = {}, {}
    for used_model in uses.values():
        record = journal.champion(used_model)
        if record is not None:
            promoted[used_model] = record.version
        else:
            recorded[used_model] = [
                recorded_version.version for recorded_version in journal.models(used_model)
            ]
    return champions(workspace, uses, promoted, recorded)

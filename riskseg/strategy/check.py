"""From authored to checked: every Problem of every file at once, or a Strategy."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from itertools import pairwise

from riskseg.domain.facts import Fact, Kind
from riskseg.domain.problems import Problems, did_you_mean
from riskseg.expressions import Expression, check
from riskseg.strategy.authored import AuthoredGuard, AuthoredRow, AuthoredStrategy
from riskseg.strategy.checked import (
    COLUMNS,
    NO_ACTION,
    UNSCORED,
    Action,
    Band,
    Condition,
    Example,
    Guard,
    Path,
    Scheme,
    SegmentRow,
    Step,
    Strategy,
    TierRow,
)
from riskseg.strategy.covered import unreachable
from riskseg.strategy.fingerprint import fingerprint

AS_OF = Fact("as_of", Kind.DATE, words="the as-of date")
_ZERO, _ONE = Decimal(0), Decimal(1)


def check_strategy(
    authored: AuthoredStrategy,
    facts: Mapping[str, Fact],
    lacking: Mapping[str, str],
    models: Mapping[str, bool],
    problems: Problems,
) -> Strategy | None:
    """The checked strategy, or None after adding its Problems.

    `facts` are those the workspace has; `lacking` maps a known fact it cannot compute to the
    source it would need. `models` are the workspace's models (the value is not looked at).
    """
    found = Problems()
    strategy = _Checker(authored, facts, lacking, models, found).strategy()
    problems.extend(found)
    return strategy if len(found) == 0 else None


class _Checker:
    def __init__(
        self,
        authored: AuthoredStrategy,
        facts: Mapping[str, Fact],
        lacking: Mapping[str, str],
        models: Mapping[str, bool],
        problems: Problems,
    ) -> None:
        self.a, self.problems = authored, problems
        self.lacking = lacking
        self.models = models
        self.named: set[str] = set()
        self.stand_ins: dict[str, object] = {}
        self.scope: dict[str, Fact] = {AS_OF.name: AS_OF, **facts}
        self._expect()
        self._models()

    def tell(self, code: str, what: str, file: str, *path: str | int, mend: str = "") -> None:
        self.problems.add(code, what, mend=mend, **self.a.at(file, *path))

    # What expressions may name

    def _expect(self) -> None:
        """Facts the strategy brings a stand-in for, where the workspace lacks them."""
        for name, expected in self.a.head.expects.items():
            unknown = expected.otherwise == "unknown"
            if name in self.scope:
                continue
            value = None if unknown else _as(expected.type, expected.otherwise)
            if value is None and not unknown:
                told = f'"{name}" is a {expected.type}: {expected.otherwise!r} cannot stand for it.'
                self.tell("RS004", told, "strategy.yaml", "expects", name, "else")
            kind = Kind(expected.type)
            self.scope[name] = Fact(name, kind, nullable=unknown, words=f"{name} is {{value}}")
            self.stand_ins[name] = value

    def _models(self) -> None:
        for name, model in self.a.head.uses.items():
            if model not in self.models:
                self.tell(
                    "RS214",
                    f'"{name}" uses the model "{model}", which this workspace does not have.',
                    "strategy.yaml",
                    "uses",
                    name,
                    mend=did_you_mean(model, self.models) or f"Add models/{model}.yaml.",
                )
            self.scope[name] = Fact(
                name,
                Kind.DECIMAL,
                nullable=True,
                lower=_ZERO,
                upper=_ONE,
                words=f"{name} {{value}}",
            )

    def expression(
        self, text: object, file: str, *path: str | int, value: bool = False, unknown: bool = False
    ) -> Expression | None:
        """A checked expression; a fact the workspace lacks is told as that, not as misspelt."""
        found = Problems()
        at = self.a.at(file, *path)
        expression = check(
            text,
            {**self._ghosts(), **self.scope},
            found,
            expect="value" if value else "condition",
            may_be_unknown=unknown or value,
            **at,
        )
        self.problems.extend(found)
        if expression is None:
            return None
        missing = sorted(n for n in expression.names if n not in self.scope)
        for name in missing:
            self.problems.add(
                "RS212",
                self._lacks(name),
                mend=f"Add that source to riskseg.toml, or a stand-in: `expects: {{{name}: …}}` in "
                "strategy.yaml.",
                **at,
            )
        self.named |= expression.names
        return None if missing else expression

    def _lacks(self, name: str) -> str:
        need = _source(self.lacking[name])
        return f'"{name}" needs {need}, which this workspace does not have.'

    def _ghosts(self) -> dict[str, Fact]:
        return {n: Fact(n, Kind.INTEGER, lower=_ZERO) for n in self.lacking}

    # The files, one after the other

    def strategy(self) -> Strategy | None:
        head = self.a.head
        self._names()
        bands = self._bands()
        actions = self._actions()
        schemes = self._schemes()
        columns, rows = self._segments(bands)
        paths = self._paths(actions)
        guards = self._guards(actions)
        for i, name in enumerate(head.protective):
            if name not in self.scope:
                self._unknown_fact(name, "strategy.yaml", "protective", i)
            elif self.scope[name].kind is not Kind.BOOLEAN:
                told = f'"{name}" is a {self.scope[name].kind}; a protective fact is true or false.'
                self.tell("RS304", told, "strategy.yaml", "protective", i)
            elif not len(self.problems) and not any(
                name in guard.when.expression.names for guard in guards
            ):
                told = f'"{name}" is protective, and no guard looks at it: it protects nobody.'
                mend = "Write a guard with it in guards.yaml, or take it off the list."
                self.tell("RS216", told, "strategy.yaml", "protective", i, mend=mend)
        priority = None
        if head.priority is not None:
            priority = self.expression(head.priority, "strategy.yaml", "priority", value=True)
            if priority and not priority.type.kind.is_numeric:
                told = f"The priority is a {priority.type.kind}, not a number."
                self.tell("RS304", told, "strategy.yaml", "priority")
        examples = self._examples(bands, actions)
        self.named |= {c for c in columns if c in self.scope}
        self.named |= {b.of for b in bands} | set(head.protective) | {"as_of"}
        if len(self.problems):
            return None
        return Strategy(
            name=head.name,
            purpose=head.purpose,
            owner=head.owner,
            effective_from=head.effective_from,
            effective_to=head.effective_to,
            uses=dict(head.uses),
            bands=bands,
            schemes=schemes,
            columns=columns,
            rows=rows,
            actions=actions,
            protective=tuple(head.protective),
            paths=paths,
            guards=guards,
            properties=(),
            priority=priority,
            examples=examples,
            facts={n: self.scope[n] for n in sorted(self.named)},
            stand_ins={n: v for n, v in self.stand_ins.items() if n in self.named},
            fingerprint=fingerprint(self.a),
            folder=self.a.documents["strategy.yaml"].file.removesuffix("/strategy.yaml"),
        )

    def _unknown_fact(self, name: str, file: str, *path: str | int) -> None:
        if name in self.lacking:
            told = (
                f'"{name}" needs {_source(self.lacking[name])}, which this workspace does not have.'
            )
            self.tell("RS212", told, file, *path)
        else:
            told = f'There is no fact "{name}".'
            self.tell("RS201", told, file, *path, mend=did_you_mean(name, self.scope))

    def _names(self) -> None:
        """Probabilities, bands and schemes stand side by side in a decision."""
        taken = {name: "a column of every decision" for name in COLUMNS}
        for kind, file, keys, names in (
            ("a probability", "strategy.yaml", ("uses",), self.a.head.uses),
            ("a band", "strategy.yaml", ("bands",), self.a.head.bands),
            ("a tier scheme", "tiers.yaml", (), self.a.tiers.root),
        ):
            for name in names:
                if name in taken:
                    told = f'"{name}" cannot be {kind}: it is {taken[name]} already.'
                    self.tell("RS202", told, file, *keys, name, mend="Give it another name.")
                taken[name] = kind

    def _bands(self) -> tuple[Band, ...]:
        bands = []
        for name, band in self.a.head.bands.items():
            at = ("bands", name)
            if band.of not in self.a.head.uses:
                told = f'The band "{name}" is of "{band.of}", which `uses` does not define.'
                mend = did_you_mean(band.of, self.a.head.uses)
                self.tell("RS201", told, "strategy.yaml", *at, "of", mend=mend)
            cuts = tuple(band.cuts.items())
            ups = [cut for _, cut in cuts]
            if UNSCORED in band.cuts:
                told = f'"{UNSCORED}" is always there, for accounts without a probability.'
                self.tell("RS206", told, "strategy.yaml", *at, "cuts", UNSCORED, mend="Remove it.")
            elif not ups or ups[-1] != 1:
                told = f'The cuts of "{name}" do not end at 1: some probabilities have no level.'
                mend = "End the last level at 1."
                self.tell("RS206", told, "strategy.yaml", *at, "cuts", mend=mend)
            for (level, low), (above, high) in pairwise(cuts):
                if high <= low:
                    told = f'"{above}" ends at {high}, not above "{level}", which ends at {low}.'
                    mend = "Write the levels from the lowest cut to the highest."
                    self.tell("RS206", told, "strategy.yaml", *at, "cuts", above, mend=mend)
            if ups and ups[0] <= 0:
                told = f'"{cuts[0][0]}" ends at {ups[0]}: no probability is below that.'
                mend = "Begin with a cut above 0."
                self.tell("RS206", told, "strategy.yaml", *at, "cuts", cuts[0][0], mend=mend)
            bands.append(Band(name, band.of, cuts))
        return tuple(bands)

    def _actions(self) -> tuple[Action, ...]:
        seen: dict[str, Action] = {}
        for rank, action in enumerate(self.a.head.actions, start=1):
            if action.name in seen or action.name == NO_ACTION:
                told = f'The action "{action.name}" is defined twice.'
                if action.name == NO_ACTION:
                    told = f'The action "{NO_ACTION}" is always there.'
                self.tell("RS202", told, "strategy.yaml", "actions", rank - 1, mend="Remove it.")
            seen[action.name] = Action(
                action.name, action.channel, action.contact, action.significant, rank
            )
        return tuple(seen.values())

    def _schemes(self) -> tuple[Scheme, ...]:
        schemes = []
        for name, rows in self.a.tiers.root.items():
            checked: list[TierRow] = []
            ended: int | None = None
            for i, row in enumerate(rows):
                at = (name, i)
                line = self.a.documents["tiers.yaml"].line(*at)
                if ended is not None:
                    told = (
                        f'The row "{row.tier}" can never match: the row on line {ended} takes all.'
                    )
                    self.tell("RS204", told, "tiers.yaml", *at, mend=f"Move it above line {ended}.")
                if (row.when is None) == (row.otherwise is None):
                    told = f'The row "{row.tier}" needs either `when` or `otherwise: true`.'
                    self.tell("RS005", told, "tiers.yaml", *at)
                    continue
                when = None
                if row.when is not None:
                    when = self._condition(row.when, row.unknown, "tiers.yaml", *at, "when")
                    if when is None:
                        continue
                elif ended is None:
                    ended = line
                checked.append(TierRow(row.tier, when, line))
            if ended is None:
                told = f'The scheme "{name}" has no last row that takes every other account.'
                mend = "End it with `- {tier: …, otherwise: true}`."
                self.tell("RS203", told, "tiers.yaml", name, mend=mend)
            schemes.append(Scheme(name, tuple(checked)))
        return tuple(schemes)

    def _condition(
        self, text: object, unknown: str | None, file: str, *path: str | int
    ) -> Condition | None:
        expression = self.expression(text, file, *path, unknown=unknown is not None)
        return Condition(expression, unknown == "match") if expression else None

    def _own_levels(self, bands: tuple[Band, ...]) -> dict[str, tuple[str, ...]]:
        """Levels of bands and schemes as written, whatever is wrong with a row's condition."""
        tiers = self.a.tiers.root.items()
        return {b.name: b.levels for b in bands} | {
            name: tuple(dict.fromkeys(row.tier for row in rows)) for name, rows in tiers
        }

    def _segments(self, bands: tuple[Band, ...]) -> tuple[tuple[str, ...], tuple[SegmentRow, ...]]:
        levels: dict[str, tuple[str | bool, ...] | None] = {}
        own = self._own_levels(bands)
        for i, column in enumerate(self.a.segments.columns):
            if column in own:
                levels[column] = own[column]
            elif column not in self.scope:
                if column in self.lacking:
                    self._unknown_fact(column, "segments.yaml", "columns", i)
                    continue
                told = f'"{column}" is no band, tier scheme or fact.'
                mend = did_you_mean(column, [*own, *self.scope])
                self.tell("RS201", told, "segments.yaml", "columns", i, mend=mend)
            elif self.scope[column].kind is Kind.BOOLEAN:
                levels[column] = (True, False)
            elif self.scope[column].kind.is_textual:
                levels[column] = self.scope[column].levels or None
            else:
                told = f'"{column}" is a {self.scope[column].kind}; a column needs levels.'
                mend = "Make it a band or a tier scheme."
                self.tell("RS304", told, "segments.yaml", "columns", i, mend=mend)
        rows: list[SegmentRow] = []
        ids: dict[str, int] = {}
        for i, row in enumerate(self.a.segments.rows):
            line = self.a.documents["segments.yaml"].line("rows", i)
            if row.id in ids:
                told = f'The row id "{row.id}" stands twice.'
                self.tell("RS202", told, "segments.yaml", "rows", i, mend="Give it another id.")
            ids[row.id] = i
            cells = self._cells(row, i, levels)
            if cells is not None:
                rows.append(SegmentRow(row.id, cells, row.segment, line))
        written = self.a.segments.rows
        if not written or any(cell != "any" for cell in written[-1].match):
            told = "The last row does not take every other account."
            width = len(self.a.segments.columns)
            mend = f"End with a row whose cells are all `any`: [{', '.join(['any'] * width)}]."
            at = ("rows", len(written) - 1) if written else ("rows",)
            self.tell("RS203", told, "segments.yaml", *at, mend=mend)
        # Rows at fault are left out: fewer rows above can only find fewer rows covered.
        if len(levels) == len(self.a.segments.columns):
            nullable = {
                c for c in levels if c in self.scope and c not in own and self.scope[c].nullable
            }
            for row_, by in unreachable(tuple(rows), tuple(levels.items()), nullable):
                lines = ", ".join(f'row "{b.id}" (line {b.line})' for b in by)
                self.problems.add(
                    "RS204",
                    f'The row "{row_.id}" can never match: {lines} '
                    f"cover{'s' if len(by) == 1 else ''} it.",
                    file=self.a.documents["segments.yaml"].file,
                    line=row_.line,
                    mend=f"Move it above line {by[0].line}, or narrow that row.",
                )
        return tuple(self.a.segments.columns), tuple(rows)

    def _cells(
        self, row: AuthoredRow, i: int, levels: Mapping[str, tuple[str | bool, ...] | None]
    ) -> tuple[frozenset[str | bool] | None, ...] | None:
        """A row's cells, or None after telling what is wrong with them."""
        columns = self.a.segments.columns
        if len(row.match) != len(columns):
            told = f'The row "{row.id}" has {len(row.match)} cells for {len(columns)} columns.'
            self.tell("RS215", told, "segments.yaml", "rows", i, "match")
            return None
        cells: list[frozenset[str | bool] | None] = []
        sound = True
        for j, (cell, column) in enumerate(zip(row.match, columns, strict=True)):
            if cell == "any":
                cells.append(None)
                continue
            listed = cell if isinstance(cell, list) else [cell]
            known = levels.get(column)
            for level in listed:
                if known is not None and level not in known:
                    told = f'"{column}" has no level "{level}".'
                    mend = did_you_mean(str(level), map(str, known))
                    self.tell("RS205", told, "segments.yaml", "rows", i, "match", j, mend=mend)
                    sound = False
            cells.append(frozenset(listed))
        return tuple(cells) if sound else None

    def _paths(self, actions: tuple[Action, ...]) -> tuple[Path, ...]:
        segments = {row.segment for row in self.a.segments.rows}
        served: dict[str, str] = {}
        paths: list[Path] = []
        names = list(self.a.paths.root)
        for name, path in self.a.paths.root.items():
            for i, segment in enumerate(path.for_):
                if segment not in segments:
                    told = f'"{name}" is for "{segment}", which no row of segments.yaml gives.'
                    mend = did_you_mean(segment, segments)
                    self.tell("RS201", told, "paths.yaml", name, "for", i, mend=mend)
                elif segment in served:
                    told = f'"{segment}" has two paths: "{served[segment]}" and "{name}".'
                    self.tell("RS202", told, "paths.yaml", name, "for", i, mend="Keep one.")
                served.setdefault(segment, name)
            starts = self.expression(path.starts, "paths.yaml", name, "starts", value=True)
            if starts and starts.type.kind is not Kind.DATE:
                told = (
                    f"The path starts at {path.starts}, which is a {starts.type.kind}, not a date."
                )
                mend = "Use a date, such as episode_started_on or next_due_on."
                self.tell("RS304", told, "paths.yaml", name, "starts", mend=mend)
            steps = []
            for i, step in enumerate(path.steps):
                if step.action not in {a.name for a in actions}:
                    told = f'There is no action "{step.action}".'
                    mend = did_you_mean(step.action, (a.name for a in actions))
                    self.tell("RS209", told, "paths.yaml", name, "steps", i, "action", mend=mend)
                if i and step.day <= path.steps[i - 1].day:
                    told = f"Day {step.day} does not come after day {path.steps[i - 1].day}."
                    mend = "List the steps in the order of their days, one a day."
                    self.tell("RS208", told, "paths.yaml", name, "steps", i, mend=mend)
                line = self.a.documents["paths.yaml"].line(name, "steps", i)
                steps.append(Step(step.day, step.action, step.template, line))
            then = None if path.then == "stay" else path.then
            if then is not None and then not in names:
                told = f'The path "{name}" goes on to "{then}", which does not exist.'
                mend = did_you_mean(then, [*names, "stay"])
                self.tell("RS208", told, "paths.yaml", name, "then", mend=mend)
            elif then is not None and (early := self._before(then)) is not None:
                told = (
                    f'"{name}" goes on to "{then}", which has a step on day {early}: by then past.'
                )
                mend = "Days before day 0 are for the path an account begins on."
                self.tell("RS208", told, "paths.yaml", name, "then", mend=mend)
            ends = None
            if path.ends_when is not None:
                ends = self._condition(
                    path.ends_when, path.unknown, "paths.yaml", name, "ends_when"
                )
            if starts is not None:
                paths.append(
                    Path(name, tuple(path.for_), starts, tuple(steps), then, ends, path.due_for)
                )
        self._circles()
        continued = {p.then for p in self.a.paths.root.values()}
        for name, path in self.a.paths.root.items():
            if not path.for_ and name not in continued:
                told = f'No segment and no other path leads to "{name}".'
                self.tell(
                    "RS208", told, "paths.yaml", name, mend="Name its segments, or remove it."
                )
        first = {row.segment: i for i, row in reversed(list(enumerate(self.a.segments.rows)))}
        for segment, i in first.items():
            if segment not in served:
                told = f'No path serves the segment "{segment}".'
                mend = f"Add {segment} to the `for` of a path in paths.yaml."
                self.tell("RS207", told, "segments.yaml", "rows", i, "segment", mend=mend)
        return tuple(paths)

    def _before(self, name: str) -> int | None:
        """The first day before day 0 on which the path has a step."""
        return min((s.day for s in self.a.paths.root[name].steps if s.day < 0), default=None)

    def _circles(self) -> None:
        told: set[str] = set()
        for name in self.a.paths.root:
            walked = [name]
            while (then := self.a.paths.root[walked[-1]].then) in self.a.paths.root:
                if then in walked:
                    circle = walked[walked.index(then) :]
                    if not told & set(circle):
                        way = " → ".join([*circle, then])
                        what = f"The paths go round in a circle: {way}."
                        mend = "Let one of them `stay`."
                        self.tell("RS208", what, "paths.yaml", circle[-1], "then", mend=mend)
                    told |= set(circle)
                    break
                walked.append(then)

    def _guards(self, actions: tuple[Action, ...]) -> tuple[Guard, ...]:
        known = {a.name for a in actions}
        seen: set[str] = set()
        guards: list[Guard] = []
        for i, entry in enumerate(self.a.guards.root):
            kinds = [k for k in ("guard", "hold", "requirement", "duty") if getattr(entry, k)]
            if len(kinds) != 1:
                told = "An entry is one of: guard, hold, requirement, duty."
                self.tell("RS004", told, "guards.yaml", i)
                continue
            kind = kinds[0]
            name = str(getattr(entry, kind))
            if name in seen:
                told = f'The name "{name}" stands twice.'
                self.tell("RS202", told, "guards.yaml", i, mend="Give it another name.")
            seen.add(name)
            if kind == "duty":
                self.tell(
                    "RS213",
                    f'The duty "{name}" would not be carried out: this version has no duties.',
                    "guards.yaml",
                    i,
                    mend="Put the action on a path, or remove the duty.",
                )
                continue
            if not self._fits(entry, kind, name, i):
                continue
            never = self._forbidden(entry, kind, known, i)
            if entry.instead is not None and entry.instead not in known | {NO_ACTION}:
                told = f'There is no action "{entry.instead}".'
                mend = did_you_mean(entry.instead, known)
                self.tell("RS209", told, "guards.yaml", i, "instead", mend=mend)
            text, key = (entry.needs, "needs") if kind == "requirement" else (entry.when, "when")
            # An unknown guard protects; an unknown need is not met.
            expression = self.expression(text, "guards.yaml", i, key, unknown=True)
            if expression is None:
                continue
            matches = kind != "requirement" and entry.unknown != "skip"
            guards.append(
                Guard(
                    name=name,
                    kind=kind,  # type: ignore[arg-type]  # duty is refused above
                    when=Condition(expression, matches),
                    negated=kind == "requirement",
                    never=frozenset(never),
                    instead=None if entry.instead == NO_ACTION else entry.instead,
                    source=entry.source,
                    effective_from=entry.effective_from,
                    effective_to=entry.effective_to,
                    line=self.a.documents["guards.yaml"].line(i),
                )
            )
        return tuple(guards)

    def _fits(self, entry: AuthoredGuard, kind: str, name: str, i: int) -> bool:
        """Whether the entry has the keys of its kind and no others."""
        takes = {
            "guard": ({"when", "never"}, {"instead", "unknown"}),
            "hold": ({"when"}, {"unknown"}),
            "requirement": ({"of", "needs"}, {"instead"}),
        }
        needed, optional = takes[kind]
        always = {kind, "source", "effective_from", "effective_to"}
        fits = True
        for key in sorted(entry.model_fields_set - needed - optional - always):
            told = f'"{key}" does not go with a {kind}.'
            self.tell(
                "RS003", told, "guards.yaml", i, key, mend=did_you_mean(key, needed | optional)
            )
            fits = False
        for key in sorted(needed - entry.model_fields_set):
            told = f'The {kind} "{name}" has no `{key}`.'
            self.tell("RS005", told, "guards.yaml", i)
            fits = False
        return fits

    def _forbidden(self, entry: AuthoredGuard, kind: str, known: set[str], i: int) -> list[str]:
        if kind == "hold":
            return sorted(known)
        listed = [entry.of] if kind == "requirement" else list(entry.never or ())
        for j, action in enumerate(listed):
            if action not in known:
                at: tuple[str | int, ...] = (i, "of") if kind == "requirement" else (i, "never", j)
                told = f'There is no action "{action}".'
                mend = did_you_mean(str(action), known)
                self.tell("RS209", told, "guards.yaml", *at, mend=mend)
        return [str(a) for a in listed]

    def _examples(
        self, bands: tuple[Band, ...], actions: tuple[Action, ...]
    ) -> tuple[Example, ...]:
        expected = {name: set(levels) for name, levels in self._own_levels(bands).items()}
        expected |= {"segment": {r.segment for r in self.a.segments.rows}}
        expected |= {"path": set(self.a.paths.root)}
        expected |= {"action": {a.name for a in actions} | {NO_ACTION}}
        given = [*self.scope, *self.lacking, *self.a.head.expects, "day"]
        examples = []
        document = self.a.documents["examples.yaml"]
        for name in self.a.examples.defaults:
            if name not in given:
                told = f'There is no fact "{name}".'
                mend = did_you_mean(name, given)
                self.tell("RS201", told, "examples.yaml", "defaults", name, mend=mend)
        for i, example in enumerate(self.a.examples.examples):
            at = ("examples", i)
            for name in example.given:
                if name not in given:
                    told = f'There is no fact "{name}".'
                    mend = did_you_mean(name, given)
                    self.tell("RS201", told, "examples.yaml", *at, "given", name, mend=mend)
            for name, value in example.expect.items():
                if name not in expected:
                    told = f'"{name}" is not something a decision has.'
                    mend = did_you_mean(name, expected)
                    self.tell("RS201", told, "examples.yaml", *at, "expect", name, mend=mend)
                elif value not in expected[name]:
                    told = f'"{name}" can never be "{value}".'
                    mend = did_you_mean(str(value), expected[name])
                    self.tell("RS205", told, "examples.yaml", *at, "expect", name, mend=mend)
            merged = {**self.a.examples.defaults, **example.given}
            line = document.line(*at)
            examples.append(Example(example.example, merged, example.expect, document.file, line))
        return tuple(examples)


def _source(need: str) -> str:
    table, _, column = need.partition(".")
    return f"{column} in the {table} source" if column else f"the {table} source"


def _as(type_: str, value: object) -> object | None:
    """A stand-in as its type, or None where it is not one."""
    match type_:
        case "boolean":
            return value if isinstance(value, bool) else None
        case "integer":
            return value if isinstance(value, int) and not isinstance(value, bool) else None
        case "decimal":
            fits = isinstance(value, int | float) and not isinstance(value, bool)
            return Decimal(str(value)) if fits else None
        case "text":
            return value if isinstance(value, str) else None
        case _:
            return value

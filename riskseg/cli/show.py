"""How results are shown to a person. The same results go to machines with --json."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from rich import box
from rich.console import Console, JustifyMethod
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from riskseg.cli.progress import visible
from riskseg.domain.columns import values_meant
from riskseg.domain.facts import Fact, Kind, glossed
from riskseg.domain.words import counted
from riskseg.domain.words import money as money_text
from riskseg.learning.evidence.model import Comparison, ProtectedAttribute, SwapPart
from riskseg.learning.evidence.verdict import Verdict
from riskseg.learning.evidence.verdicts import attribute, told_by_chance
from riskseg.learning.reasons import NOTHING
from riskseg.pipeline.account_story import Story
from riskseg.rules.elements import NO_ACTION, Dated
from riskseg.rules.model import Path, Strategy
from riskseg.rules.rule import registered
from riskseg.run.assign import Assigned
from riskseg.run.features import Listed
from riskseg.run.recalibrate import Recalibrated
from riskseg.run.train import Kept
from riskseg.strategy.kinds import Included, Property

# What is shown of a learner, and its name among the metrics.
METRICS = {
    "AUC": "auc",
    "Gini": "gini",
    "KS": "ks",
    "Brier": "brier",
    "log-loss": "log_loss",
    "ECE": "expected_calibration_error",
}


# Calibration: 1 and 0 are right.
CALIBRATION = {
    "calibration slope": "calibration_slope",
    "calibration intercept": "calibration_intercept",
}


class _Literal(Table):
    """A table whose texts are shown as they are: a name in brackets is no style."""

    def add_row(self, *cells: Any, **how: Any) -> None:
        literal = (Text(visible(cell)) if isinstance(cell, str) else cell for cell in cells)
        super().add_row(*literal, **how)


def table(*columns: str, right: Sequence[str] = (), title: str | None = None) -> Table:
    shown = Text(visible(title)) if title else None
    made = _Literal(box=box.SIMPLE_HEAD, title=shown, title_justify="left", pad_edge=False)
    made.title_style = "bold"
    for column in columns:
        justify: JustifyMethod = "right" if column in right else "left"
        made.add_column(Text(visible(column)), justify=justify, overflow="fold")
    return made


def number(value: int) -> str:
    return f"{value:,}"


def money(value: Any, scale: int) -> str:
    """An amount in a table whose title names the currency."""
    return "–" if value is None else money_text(value, scale=scale)


def day(value: str | None) -> str:
    """A date of observation; an account file has none."""
    return value or "–"


def share(part: Any, whole: Any) -> str:
    return f"{100 * part / whole:.1f}%" if whole else "–"


def assigned(console: Console, done: Assigned) -> None:
    """The table of segments a billing manager reads first."""
    columns = ("segment", "accounts", "share", "overdue", "mean probability", "path", "due today")
    made = table(*columns, right=columns[1:5] + columns[6:])
    for s in done.segments:
        paths = sorted(s.paths, key=lambda p: (-s.paths[p], p))
        made.add_row(
            s.segment,
            number(s.accounts),
            share(s.accounts, done.rows),
            money(s.overdue, done.scale),
            "–" if s.mean is None else f"{100 * s.mean:.1f}%",
            ", then ".join(paths[:2]),
            number(s.due),
        )
    made.add_section()
    made.add_row(
        "all",
        number(done.rows),
        share(done.rows, done.rows),
        money(sum((s.overdue for s in done.segments), Decimal(0)), done.scale),
        "",
        "",
        number(sum(s.due for s in done.segments)),
    )
    told = f"{done.strategy.name} as of {done.as_of}"
    of = f"; mean probability: {done.of}" if done.of else ""
    console.print(f"[bold]{told}[/]  (overdue in {done.currency}{of})")
    console.print(made)
    actions = ", ".join(f"{a} {number(n)}" for a, n in sorted(done.actions.items()))
    console.print(f"Actions due on {done.as_of}: {actions or 'none'}.")
    run = f"run {done.run_id}{'' if done.activated else ', not activated'}"
    console.print(f"{counted(done.rows, 'decision')} in {done.place} ({run}).")
    if done.strategy.default_values:
        console.print(f"[dim]{escape(default_values(done.strategy.default_values))}[/]")


def default_values(values: Mapping[str, object]) -> str:
    told = ", ".join(f"{n} ({'unknown' if v is None else v})" for n, v in values.items())
    return f"Not in this workspace, so the strategy's default value is used: {told}."


def kept(console: Console, one: Kept) -> None:
    s = one.summary
    asked = s["question"] or s["predicts"]
    console.print(f"[bold]{s['name']}[/] {s['version']}  [dim]{escape(asked)}[/]")
    counted = ("rows", "bad", "rate", "parties")
    if s["imported"] and not s["hold_out"]["rows"]:
        console.print(f"Imported from {escape(s['imported']['file'])}: no outcome has judged it.")
        _ships(console, one)
        return
    counts = table("", *counted, "from", "until", right=counted)
    for name, key in (("training", "training"), ("hold-out", "hold_out")):
        c = s[key]
        counts.add_row(
            name,
            number(c["rows"]),
            number(c["bad"]),
            share(c["bad"], c["rows"]),
            number(c["parties"]),
            day(c["from"]),
            day(c["until"]),
        )
    console.print(counts)
    if s["known_by"]:
        console.print(f"Learned from what was known by {s['known_by']} (train --as-of).")
    learners = table("on the hold-out", *METRICS, right=tuple(METRICS))
    for name, m in s["learners"].items():
        mark = " ←" if name == s["learner"] else ""
        learners.add_row(name + mark, *(f"{m[key]:.4f}" for key in METRICS.values()))
    console.print(learners)
    _ships(console, one)


def _ships(console: Console, one: Kept) -> None:
    s = one.summary
    console.print(f"Ships: {shipped(s)}. {escape(s['why'])}")
    for note in s["notes"]:
        console.print(f"Note: {escape(note)}")
    verdict(console, s["verdict"])
    console.print(escape(_state(one)) + "\n")


def _state(one: Kept) -> str:
    """Whether a version is the champion, and what makes it that."""
    if one.champion:
        return "It is the champion."
    promote = f"`riskseg models promote {one.name} {one.version}` makes it this one."
    if one.champion_version is not None:
        return f"Another version is the champion; {promote}"
    why = one.summary["verdict"].too_weak
    return f"It is not made the champion{f': {why}' if why else ''}. {promote}"


def verdict(console: Console, of: Verdict) -> None:
    """The verdict on a model: in sentences, then the checks that do not hold."""
    for sentence in filter(None, (f"{of.ranking} {of.calibration}".strip(), of.certainty)):
        console.print(escape(sentence))
    for check in of.checks:
        if check.status == "watch":
            message = f"  ! {check.found} {check.act}"
            console.print(escape(message.rstrip()), soft_wrap=True)
    unknown = [check.topic for check in of.checks if check.status == "unknown"]
    if unknown:
        console.print(f"Not known: {'; '.join(escape(topic) for topic in unknown)}.")


def shipped(s: Mapping[str, Any]) -> str:
    """The learner, its form and its calibration, in a few words."""
    form = f" ({s['form']})" if s["form"] else ""
    return f"{s['learner']}{form}, calibration {s['calibration']}"


def interval(told: Sequence[float], digits: int = 4) -> str:
    estimate, low, high = told
    return f"{estimate:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def model(console: Console, s: Mapping[str, Any]) -> None:
    shown = Kept(s["name"], s["version"], bool(s["champion"]), s, s["champion_version"])
    kept(console, shown)
    if s["parent"]:
        console.print(f"Recalibrated from version {s['parent']}.\n")
    sure = table("how sure, on the hold-out", "estimate (95% interval)")
    for name, key in {**METRICS, **CALIBRATION}.items():
        if estimate := s["intervals"].get(key):
            sure.add_row(name, interval(estimate))
    if s["intervals"]:
        console.print(sure)
    strength = table("feature", "weight", "risk", "what it is", right=("weight",))
    for f in s["features"]:
        weight = f"{f['gain']:.0f}" if "gain" in f else f"{f['least']:.1f} to {f['most']:.1f}"
        risk = {1: "+", -1: "-", 0: ""}[f["direction"]]
        strength.add_row(f["feature"], weight, risk, glossed(f["words"]) + values_meant(f))
    console.print(strength)
    if s["dropped"]:
        dropped = table("left out", "why")
        for name, why in s["dropped"].items():
            dropped.add_row(name, str(why))
        console.print(dropped)
    for protected in s["protected"]:
        if protected.auc is not None:
            console.print(escape(told_by(protected)))


def told_by(protected: ProtectedAttribute) -> str:
    """How well the features tell one level of a protected attribute, where that was measured."""
    auc, level = protected.auc, attribute(protected)
    assert auc is not None
    if told_by_chance(auc):
        return f"The features tell {level} no better than chance: AUC {interval(auc, 2)}."
    most = f", most of all {', '.join(protected.through)}" if protected.through else ""
    return f"The features tell {level} with AUC {interval(auc, 2)}{most}."


def comparison(console: Console, compared: Comparison) -> None:
    console.print(f"{number(compared.rows)} accounts that neither learned from")
    for note in compared.notes:
        console.print(f"Note: {escape(note)}")
    made = table("", *METRICS, *CALIBRATION, right=(*METRICS, *CALIBRATION))
    for version in compared.models:
        figures = (f"{version.metrics[key]:.4f}" for key in {**METRICS, **CALIBRATION}.values())
        made.add_row(version.name, *figures)
    console.print(made)
    changed = table("the second less the first", "difference (95% interval)")
    for name, key in METRICS.items():
        if difference := getattr(compared.difference, key, None):
            changed.add_row(name, interval(difference, 5))
    console.print(changed)
    swap = compared.swap
    swapped = table("treated by", "accounts", "share", "bad", right=("accounts", "share", "bad"))
    named = {"both": "both", "only_a": "the first alone", "only_b": "the second alone"}
    for key, shown in {**named, "neither": "neither"}.items():
        part: SwapPart = getattr(swap, key)
        rate = "–" if part.rate is None else f"{100 * part.rate.value:.1f}%"
        swapped.add_row(shown, number(part.rows), f"{100 * part.share:.1f}%", rate)
    console.print(swapped)
    moves = compared.moves
    console.print(
        f"Treated from probability {swap.cut_a:.4f} by the first, {swap.cut_b:.4f} by the "
        f"second. {100 * moves.same_tenth:.1f}% of accounts are in the same tenth of both, "
        f"{100 * moves.within_one_tenth:.1f}% at most one tenth apart."
    )


def recalibrated(console: Console, done: Recalibrated) -> None:
    console.print(f"[bold]{done.name}[/] {done.version}, recalibrated from {done.parent}")
    observed = f"observed {done.first} to {done.last}, " if done.first else ""
    console.print(f"{number(done.rows)} accounts, {observed}{number(done.bad)} of them bad")
    console.print(f"log-odds: {done.slope:.4f} × what they were, {done.intercept:+.4f}")
    made = table("on these accounts", *METRICS, *CALIBRATION, right=(*METRICS, *CALIBRATION))
    for name, m in (("before", done.before), ("after", done.after)):
        made.add_row(name, *(f"{m[key]:.4f}" for key in {**METRICS, **CALIBRATION}.values()))
    console.print(made)
    for note in done.notes:
        console.print(f"Note: {escape(note)}")
    if not done.champion:
        console.print(f"`riskseg models promote {done.name} {done.version}` makes it the champion.")


def features(console: Console, listed: Sequence[Listed]) -> None:
    made = table("name", "type", "window", "risk", "what it is")
    for one in listed:
        fact = one.fact
        risk = {1: "+", -1: "-", 0: ""}[fact.direction]
        words = Text(visible(glossed(fact.words)))
        if one.lacks:
            words = Text(f"not here: needs {one.lacks}", style="dim")
        made.add_row(fact.name, str(fact.kind), one.window, risk, words)
    console.print(made)


def strategy(console: Console, s: Strategy) -> None:
    console.print(
        f"[bold]{s.name}[/] {s.fingerprint}\n{escape(s.purpose)} (owner: {escape(s.owner)})\n"
    )
    for band in s.bands:
        low, cuts = Decimal(0), []
        for level, high in band.cuts:
            cuts.append(f"{level} {low:f} to {high:f}")
            low = high
        cut = f"band {band.name} of {band.of}: {', '.join(cuts)}; unscored"
        console.print(escape(cut))
    for scheme in s.schemes:
        made = table("tier", "when", "unknown", title=f"tiers: {scheme.name}")
        for row in scheme.rows:
            when = "otherwise" if row.when is None else row.when.expression.text
            unknown = ""
            if row.when is not None and row.when.expression.type.nullable:
                unknown = "match" if row.when.unknown else "skip"
            made.add_row(row.tier, when, unknown)
        console.print(made)
    made = table("row", *s.columns, "segment", "path", title="segments")
    for row_ in s.rows:
        cells = ["any" if c is None else ", ".join(sorted(map(str, c))) for c in row_.cells]
        paths = ", then ".join(path.name for path in by_date(s.paths_of(row_.segment)))
        made.add_row(row_.id, *cells, row_.segment, paths)
    console.print(made)
    columns = ["path", "starts at", "steps", "then"]
    dated = any(path.effective_from or path.effective_to for path in s.paths)
    made = table(*columns, *(["in force"] if dated else []), title="paths")
    for path in s.paths:
        steps = ", ".join(f"{p.day}: {p.action}" for p in path.steps) or "–"
        cells = [path.name, escape(path.starts.text), steps, path.then or "stay"]
        made.add_row(*cells, *([days(path)] if dated else []))
    console.print(made)
    if s.guards:
        columns = ["guard", "kind", "when", "never", "instead", "source"]
        dated = any(g.effective_from or g.effective_to for g in s.guards)
        made = table(*columns, *(["in force"] if dated else []), title="guards")
        for g in s.guards:
            cells = [
                g.name,
                g.kind,
                escape(g.condition_text),
                g.forbidden_text,
                g.instead or "",
                escape(g.source or ""),
            ]
            made.add_row(*cells, *([days(g)] if dated else []))
        console.print(made)
    if properties := s.of(Property):
        made = table("property", "is to hold", "unknown", "source", title="to be proved")
        for one in properties:
            unknown = ("holds" if one.that.unknown else "broken") if unsure(one) else ""
            made.add_row(one.name, one.that.expression.text, unknown, one.source or "")
        console.print(made)
    for pack in s.of(Included):
        guard_pack(console, pack)
    if s.default_values:
        console.print(f"[dim]{escape(default_values(s.default_values))}[/]")


def days(dated: Dated) -> str:
    """The days on which something is in force, as a person says them."""
    first = f"from {dated.effective_from}" if dated.effective_from else ""
    last = f"until {dated.effective_to}" if dated.effective_to else ""
    return " ".join(filter(None, (first, last))) or "always"


def by_date(paths: Sequence[Path]) -> list[Path]:
    return sorted(paths, key=lambda path: path.effective_from or date.min)


def unsure(one: Property) -> bool:
    """Whether the property can be unknown."""
    return one.that.expression.type.nullable


def guard_pack(console: Console, pack: Included) -> None:
    """What a guard pack is, which of its rules do not apply, and what it does not cover."""
    console.print(f"[bold]guard pack {pack.name}[/]: {escape(pack.title)}")
    console.print(f"For {escape(pack.for_)}. {escape(pack.note)}")
    console.print(f"{len(pack.applying)} rules of it are among the guards above.")
    for rule, kinds in pack.idle:
        kind = ", ".join(kinds)
        console.print(f"  {rule} does not apply: no action here means {kind}.")
    for rule in pack.without:
        console.print(f"  {rule} is left out: {escape(pack.reason or '')}")
    console.print("It does not cover:")
    for one in pack.not_covered:
        console.print(f"  - {escape(one)}")
    console.print()


def fact_value(fact: Fact | None, value: Any, scale: int) -> str:
    if value is None:
        return "unknown"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if fact is not None and fact.unit == "money":
        return money(value, scale)
    if fact is not None and fact.kind is Kind.DECIMAL:
        return f"{value:f}".rstrip("0").rstrip(".") or "0"
    return str(value)


def story(console: Console, s: Story) -> None:
    d = s.decision
    template = f" ({escape(d['template'])})" if d["template"] else ""
    due = f"[bold]{d['action']}[/]{template}"
    console.print(
        f"[bold]{escape(str(d['account_id']))}[/] as of {d['as_of']}: {d['lifecycle']}, "
        f"segment [bold]{d['segment']}[/], path [bold]{escape(d['path'])}[/]"
        + (f" day {d['path_day']}" if d["path_day"] is not None else "")
        + f", action {due}"
    )
    if d["balance_overdue"] is not None:
        console.print(
            f"{money_text(d['balance_overdue'], s.currency, s.scale)} overdue, "
            f"{d['days_past_due']} days past due; next: {d['next_action'] or 'nothing'}"
            + (f" on {d['next_on']}" if d["next_on"] else "")
        )
    for score in s.scores:
        if score.p is None:
            outside = f"the account is outside the population of {score.model}"
            console.print(f"\n[bold]{escape(score.key)}[/]: none; {outside}.")
            continue
        by = f"{score.model} {score.version} ({score.learner})"
        console.print(f"\n[bold]{escape(score.key)} {100 * score.p:.2f}%[/] by {by}")
        if not any(reason.contribution > 0 for reason in score.reasons):
            console.print(f"  {NOTHING}")
        for reason in score.reasons:
            console.print(f"  {reason.contribution:+.2f}  {escape(reason.words)}")
    made = table("table", "gives", "row", "because", "line", title="Which rows matched")
    for m in s.matched:
        made.add_row(m.table, m.result, m.row, m.text, str(m.line or ""))
    console.print()
    console.print(made)
    if s.steps:
        made = table("day", "on", "path", "action", "template", "", title="The path")
        for step in s.steps:
            mark = "" if step.when == "ahead" else step.when
            when = (str(step.day), str(step.on or ""))
            made.add_row(*when, step.path, step.action, step.template or "", mark)
        console.print(made)
    if s.guards:
        made = table("guard", "kind", "state", "forbids", "source", title="Guards")
        for g in s.guards:
            state = Text(g.state, style="dim" if g.state == "not in force" else "bold")
            stops = getattr(registered()[g.kind], "stops_everything", False)
            forbids = "everything" if stops else ", ".join(g.forbids)
            made.add_row(g.name, g.kind, state, forbids, g.source or "")
        console.print(made)
        if s.step_due not in (d["action"], NO_ACTION):
            own = f"The path's own step, {s.step_due}, is not lawful here"
            console.print(f"{own}: {d['action']} instead.\n")
    if s.bills:
        columns = ("bill", "due", "amount", "paid", "overdue", "cleared", "days late")
        right = ("amount", "paid", "overdue", "days late")
        made = table(
            *columns,
            right=right,
            title="The last bills",
        )
        for b in s.bills:
            made.add_row(
                b.bill_id,
                str(b.due_on),
                money(b.amount, s.scale),
                money(b.paid, s.scale),
                money(b.overdue, s.scale) if b.overdue else "",
                str(b.cleared_on or ""),
                str(b.days_past_due or ""),
            )
        console.print(made)
    facts = "  ".join(
        f"{n}={escape(fact_value(s.strategy.facts.get(n), v, s.scale))}" for n, v in s.facts.items()
    )
    console.print(f"[dim]Facts the rules read: {facts}[/]")
    if s.default_values:
        console.print(f"[dim]{escape(default_values(s.default_values))}[/]")
    for note in s.notes:
        console.print(f"Note: {escape(note)}.")
    if s.run is not None:
        same = "" if s.changes or s.notes else " The sources give the same today."
        console.print(f"\nAs run {s.run} decided it on {s.decided_at:%Y-%m-%d}.{same}")
    if s.changes:
        made = table("", "then", "now", title="What the sources give otherwise now")
        for change in s.changes:
            fact = s.strategy.facts.get(change.name)
            then, now = (
                fact_value(fact, value, s.scale) if fact or value is not None else "none"
                for value in (change.then, change.now)
            )
            made.add_row(change.name, then, now)
        console.print(made)
        if s.bills:
            console.print("The bills above are by the sources as they are now.")

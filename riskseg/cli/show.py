"""How results are shown to a person. The same results go to machines with --json."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console, JustifyMethod
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from riskseg.cli.progress import problems_to_stderr, stderr, stdout, visible
from riskseg.domain.decision import NO_ACTION
from riskseg.domain.facts import Kind, glossed
from riskseg.domain.words import NOTHING_RAISES_RISK, counted
from riskseg.domain.words import money as money_text

if TYPE_CHECKING:
    from riskseg.results.interval import Interval
    from riskseg.results.models import (
        Comparison,
        Headline,
        ImportedCard,
        Metrics,
        ModelExport,
        ModelSummary,
        ModelVersions,
        ProtectedLevel,
        Recalibration,
        Registration,
        Training,
        Verdict,
    )
    from riskseg.results.runs import Decisions, Explanation, FactForm, Scores
    from riskseg.results.strategies import (
        GuardShown,
        PackShown,
        PathShown,
        StrategyShown,
    )
    from riskseg.results.workspace import Check, Demo, FactList

# How the direction of risk is shown.
RISK = {1: "+", -1: "-", 0: ""}
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


def decisions(done: Decisions) -> None:
    """The table of segments a billing manager reads first."""
    console = stdout()
    columns = ("segment", "accounts", "share", "overdue", "mean probability", "path", "due today")
    made = table(*columns, right=columns[1:5] + columns[6:])
    for s in done.segments:
        paths = sorted(s.paths, key=lambda p: (-s.paths[p], p))
        made.add_row(
            s.segment,
            number(s.accounts),
            share(s.accounts, done.rows),
            money(s.overdue, done.scale),
            "–" if s.probability is None else f"{100 * s.probability:.1f}%",
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
    title = f"{done.strategy.name} as of {done.as_of}"
    of = f"; mean probability: {done.of}" if done.of else ""
    console.print(f"[bold]{title}[/]  (overdue in {done.currency}{of})")
    console.print(made)
    actions = ", ".join(f"{a} {number(n)}" for a, n in sorted(done.actions.items()))
    console.print(f"Actions due on {done.as_of}: {actions or 'none'}.")
    run = f"run {done.run_id}{'' if done.activated else ', not activated'}"
    console.print(f"{counted(done.rows, 'decision')} in {done.place} ({run}).")
    if done.default_values:
        console.print(f"[dim]{escape(default_values(done.default_values))}[/]")


def versions(done: ModelVersions) -> None:
    """Every trained version."""
    made = table("model", "version", "learner", "AUC", "trained", "", right=("AUC",))
    for version in done:
        auc = "–" if version.auc is None else f"{version.auc:.4f}"
        champion = "champion" if version.champion else ""
        champion += "" if version.there else ", its folder is gone"
        trained_at = version.at.isoformat()
        made.add_row(version.model, version.version, version.learner, auc, trained_at, champion)
    stdout().print(made if len(done) else "No model has been trained here. Run `riskseg train`.")


def registered(done: Registration) -> None:
    """A version from elsewhere; what is to be known of it to stderr."""
    for note in done.notes:
        stderr().print(note, markup=False)
    champion = "; it is the champion" if done.champion else ""
    print(f"{done.model} {done.version} is in {done.place}{champion}.")


def imported(done: ImportedCard) -> None:
    """A version made of a card; what is to be known of it to stderr."""
    for note in done.notes:
        stderr().print(f"Note: {note}", markup=False)
    if done.spec:
        print(f"Wrote {done.spec}.")
    champion = "; it is the champion" if done.champion else ""
    print(f"{done.model} {done.version}: {done.features} features{champion}.")


def exported(done: ModelExport, *, runs: bool) -> None:
    """Where a version was written, and how it was checked, unless it is a form nothing `runs`."""
    print(f"{done.model} {done.version}: {done.place}")
    if not runs:
        print("The bins and points are those of the version; there is nothing to run.")
    elif done.rows is None:
        print("It was not run here, and so not checked against riskseg.")
    else:
        print(
            f"{done.rows:,} made-up accounts scored both ways: "
            f"probabilities differ by {done.difference:.2g} at most."
        )


def demo(done: Demo) -> None:
    """What the demo trained and decided, and what to ask next."""
    for model_ in done.models:
        _version(stdout(), model_.summary)
    decisions(done.assigned)
    columns = ["account_id", "action", "priority"]
    decided = done.to_arrow().select(columns).to_pylist()
    due = [row for row in decided if row["action"] != NO_ACTION] or decided
    first = max(due, key=lambda row: (row["priority"] or 0, row["account_id"]))
    stdout().print(
        f"\nThe workspace is {done.folder}. Ask it why: "
        f"riskseg -w {done.folder} explain {first['account_id']} --as-of {done.assigned.as_of}"
    )


def check(done: Check) -> None:
    """What was read and found; the Problems to stderr."""
    for name, count in done.rows.items():
        bad = f", {done.bad[name]:,} of them bad" if name in done.bad else ""
        print(f"{name}: {counted(count, 'row')}{bad}")
    if done.models:
        print(f"models: {', '.join(done.models)}")
    if done.strategy:
        print(f"strategy: {done.strategy}")
    if done.default_values:
        print(default_values(done.default_values))
    for note in done.notes:
        print(note)
    if done.problems:
        problems_to_stderr(done.problems)
    else:
        print("No problems.")


def scores(done: Scores) -> None:
    """How many rows were scored, and where they are."""
    print(f"{counted(done.rows, 'row' if done.of_bills else 'account')} in {done.place}")
    for name, count in done.scored.items():
        print(f"p_{name}: {count:,} scored by version {done.models[name]}")


def default_values(values: Mapping[str, object]) -> str:
    used = ", ".join(f"{n} ({'unknown' if v is None else v})" for n, v in values.items())
    return f"Not in this workspace, so the strategy's default value is used: {used}."


def training(trained: Training) -> None:
    """The versions that were trained: what each learned from, how good it is, whether it ships."""
    for model_ in trained:
        _version(stdout(), model_.summary)


def _version(console: Console, summary: ModelSummary) -> None:
    asked = summary.question or summary.predicts
    console.print(f"[bold]{summary.name}[/] {summary.version}  [dim]{escape(asked)}[/]")
    if summary.imported and not summary.hold_out.rows:
        console.print(
            f"Imported from {escape(summary.imported['file'])}: no outcome has judged it."
        )
        _ships(console, summary)
        return
    counted = ("rows", "bad", "rate", "parties")
    counts = table("", *counted, "from", "until", right=counted)
    for name, part in (("training", summary.training), ("hold-out", summary.hold_out)):
        counts.add_row(
            name,
            number(part.rows),
            number(part.bad),
            share(part.bad, part.rows),
            number(part.parties),
            day(part.from_),
            day(part.until),
        )
    console.print(counts)
    if summary.known_by:
        console.print(f"Learned from what was known by {summary.known_by} (train --as-of).")
    learners = table("on the hold-out", *METRICS, right=tuple(METRICS))
    for name, metrics in summary.learners.items():
        mark = " ←" if name == summary.learner else ""
        learners.add_row(name + mark, *figures(metrics, METRICS))
    console.print(learners)
    _ships(console, summary)


def figures(metrics: Headline | Metrics, columns: Mapping[str, str]) -> list[str]:
    """The metrics of those columns, to four decimals."""
    return [f"{getattr(metrics, key):.4f}" for key in columns.values()]


def _ships(console: Console, summary: ModelSummary) -> None:
    console.print(f"Ships: {shipped(summary)}. {escape(summary.why)}")
    for note in summary.notes:
        console.print(f"Note: {escape(note)}")
    verdict(console, summary.verdict)
    console.print(escape(_state(summary)) + "\n")


def _state(summary: ModelSummary) -> str:
    """Whether a version is the champion, and what makes it that."""
    if summary.champion:
        return "It is the champion."
    promote = f"`riskseg models promote {summary.name} {summary.version}` makes it this one."
    if summary.champion_version is not None:
        return f"Another version is the champion; {promote}"
    why = summary.verdict.too_weak
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


def shipped(summary: ModelSummary) -> str:
    """The learner, its form and its calibration, in a few words."""
    form = f" ({summary.form})" if summary.form else ""
    return f"{summary.learner}{form}, calibration {summary.calibration}"


def interval(of: Interval, digits: int = 4) -> str:
    """An estimate with its 95% interval."""
    estimate, low, high = of
    return f"{estimate:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def model(summary: ModelSummary) -> None:
    """A version: what `train` shows, its intervals, its features and what was left out."""
    console = stdout()
    _version(console, summary)
    if summary.parent:
        console.print(f"Recalibrated from version {summary.parent}.\n")
    sure = table("how sure, on the hold-out", "estimate (95% interval)")
    for name, key in {**METRICS, **CALIBRATION}.items():
        if estimate := summary.intervals.get(key):
            sure.add_row(name, interval(estimate))
    if summary.intervals:
        console.print(sure)
    strength = table("feature", "weight", "risk", "what it is", right=("weight",))
    for feature in summary.features:
        weight = (
            f"{feature.least:.1f} to {feature.most:.1f}"
            if feature.gain is None
            else f"{feature.gain:.0f}"
        )
        meaning = feature.meaning
        strength.add_row(feature.feature, weight, RISK[feature.direction], meaning)
    console.print(strength)
    if summary.dropped:
        dropped = table("left out", "why")
        for name, why in summary.dropped.items():
            dropped.add_row(name, why)
        console.print(dropped)
    for level in summary.protected:
        if level.auc is not None:
            console.print(escape(proxy(level)))


def proxy(of: ProtectedLevel) -> str:
    """How well the features predict one level of a protected attribute."""
    assert of.auc is not None
    if of.by_chance:
        return f"The features tell {of.name} no better than chance: AUC {interval(of.auc, 2)}."
    most = f", most of all {', '.join(of.through)}" if of.through else ""
    return f"The features tell {of.name} with AUC {interval(of.auc, 2)}{most}."


def comparison(done: Comparison) -> None:
    """Two versions: their metrics, the differences, and whom each would treat."""
    console = stdout()
    console.print(f"{number(done.rows)} accounts that neither learned from")
    for note in done.notes:
        console.print(f"Note: {escape(note)}")
    columns = {**METRICS, **CALIBRATION}
    made = table("", *columns, right=tuple(columns))
    for compared in done.models:
        made.add_row(compared.name, *figures(compared.metrics, columns))
    console.print(made)
    changed = table("the second less the first", "difference (95% interval)")
    for name, key in METRICS.items():
        if difference := getattr(done.difference, key, None):
            changed.add_row(name, interval(difference, 5))
    console.print(changed)
    swapped = table("treated by", "accounts", "share", "bad", right=("accounts", "share", "bad"))
    swap = done.swap
    for name, part in (
        ("both", swap.both),
        ("the first alone", swap.only_a),
        ("the second alone", swap.only_b),
        ("neither", swap.neither),
    ):
        rate = "–" if part.rate is None else f"{100 * part.rate.value:.1f}%"
        swapped.add_row(name, number(part.rows), f"{100 * part.share:.1f}%", rate)
    console.print(swapped)
    console.print(
        f"Treated from probability {swap.cut_a:.4f} by the first, {swap.cut_b:.4f} by the "
        f"second. {100 * done.moves.same_tenth:.1f}% of accounts are in the same tenth of both, "
        f"{100 * done.moves.within_one_tenth:.1f}% at most one tenth apart."
    )


def recalibrated(done: Recalibration) -> None:
    """A recalibrated version, beside the one it comes from."""
    console = stdout()
    console.print(f"[bold]{done.name}[/] {done.version}, recalibrated from {done.parent}")
    observed = f"observed {done.first} to {done.last}, " if done.first else ""
    console.print(f"{number(done.rows)} accounts, {observed}{number(done.bad)} of them bad")
    console.print(f"log-odds: {done.slope:.4f} × what they were, {done.intercept:+.4f}")
    columns = {**METRICS, **CALIBRATION}
    made = table("on these accounts", *columns, right=tuple(columns))
    for name, metrics in (("before", done.before), ("after", done.after)):
        made.add_row(name, *figures(metrics, columns))
    console.print(made)
    for note in done.notes:
        console.print(f"Note: {escape(note)}")
    if not done.champion:
        console.print(f"`riskseg models promote {done.name} {done.version}` makes it the champion.")


def features(facts: FactList) -> None:
    """The facts of the catalogue and the data, and what those that are not here need."""
    console = stdout()
    made = table("name", "type", "window", "risk", "what it is")
    for listed in facts:
        fact = listed.fact
        words = Text(visible(glossed(fact.words)))
        if listed.lacks:
            words = Text(f"not here: needs {listed.lacks}", style="dim")
        made.add_row(fact.name, str(fact.kind), listed.window, RISK[fact.direction], words)
    console.print(made)


def strategy(s: StrategyShown) -> None:
    """A strategy: its bands, tiers, segments, paths, guards, properties and guard packs."""
    console = stdout()
    console.print(
        f"[bold]{s.name}[/] {s.version}\n{escape(s.purpose)} (owner: {escape(s.owner)})\n"
    )
    for band in s.bands:
        low, cuts = Decimal(0), []
        for cut in band.cuts:
            cuts.append(f"{cut.level} {low:f} to {cut.below:f}")
            low = cut.below
        console.print(escape(f"band {band.name} of {band.of}: {', '.join(cuts)}; unscored"))
    for scheme in s.tiers:
        made = table("tier", "when", "unknown", title=f"tiers: {scheme.name}")
        for tier in scheme.rows:
            made.add_row(tier.tier, tier.when or "otherwise", tier.unknown or "")
        console.print(made)
    made = table("row", *s.columns, "segment", "path", title="segments")
    for row in s.rows:
        cells = ["any" if c == "any" else ", ".join(map(str, c)) for c in row.match]
        paths = [path for path in s.paths if row.segment in path.for_]
        in_order = sorted(paths, key=lambda path: path.effective_from or date.min)
        made.add_row(row.id, *cells, row.segment, ", then ".join(path.name for path in in_order))
    console.print(made)
    _dated(
        console,
        "paths",
        ("path", "starts at", "steps", "then"),
        [
            (
                path,
                path.name,
                escape(path.starts),
                ", ".join(f"{p.day}: {p.action}" for p in path.steps) or "–",
                path.then,
            )
            for path in s.paths
        ],
    )
    if s.guards:
        columns = ("guard", "kind", "when", "never", "instead", "source")
        _dated(
            console,
            "guards",
            columns,
            [
                (
                    guard,
                    guard.name,
                    guard.kind,
                    escape(guard.condition),
                    guard.forbids,
                    guard.instead or "",
                    escape(guard.source or ""),
                )
                for guard in s.guards
            ],
        )
    if s.properties:
        made = table("property", "is to hold", "unknown", "source", title="to be proved")
        counts = {"match": "holds", "skip": "broken", None: ""}
        for declared in s.properties:
            unknown = counts[declared.unknown]
            made.add_row(declared.name, declared.that, unknown, declared.source or "")
        console.print(made)
    for pack in s.packs:
        guard_pack(console, pack)
    if s.defaults:
        console.print(f"[dim]{escape(default_values(s.defaults))}[/]")


def _dated(
    console: Console, title: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> None:
    """A table of what may have effective dates: each row begins with the thing itself."""
    dated = any(thing.effective_from or thing.effective_to for thing, *_ in rows)
    made = table(*columns, *(["in force"] if dated else []), title=title)
    for thing, *cells in rows:
        made.add_row(*cells, *([days(thing)] if dated else []))
    console.print(made)


def days(dated: PathShown | GuardShown) -> str:
    """The days on which something is in force, as a person says them."""
    first = f"from {dated.effective_from}" if dated.effective_from else ""
    last = f"until {dated.effective_to}" if dated.effective_to else ""
    return " ".join(filter(None, (first, last))) or "always"


def guard_pack(console: Console, pack: PackShown) -> None:
    """What a guard pack is, which of its rules do not apply, and what it does not cover."""
    console.print(f"[bold]guard pack {pack.name}[/]: {escape(pack.title)}")
    console.print(f"For {escape(pack.for_)}. {escape(pack.note)}")
    console.print(f"{len(pack.applying)} rules of it are among the guards above.")
    for idle in pack.idle:
        kinds = ", ".join(idle.kinds)
        console.print(f"  {idle.rule} does not apply: no action here means {kinds}.")
    for rule in pack.without:
        console.print(f"  {rule} is left out: {escape(pack.reason or '')}")
    console.print("It does not cover:")
    for duty in pack.not_covered:
        console.print(f"  - {escape(duty)}")
    console.print()


def fact_value(form: FactForm | None, value: Any, scale: int) -> str:
    if value is None:
        return "unknown"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if form is not None and form.unit == "money":
        return money(value, scale)
    if form is not None and form.kind == Kind.DECIMAL:
        return f"{value:f}".rstrip("0").rstrip(".") or "0"
    return str(value)


def explanation(done: Explanation) -> None:
    """An account's decision, then what led to it, then what has changed since."""
    console = stdout()
    _decision(console, done)
    _probabilities(console, done)
    _rules_matched(console, done)
    _last_bills(console, done)
    facts = "  ".join(
        f"{name}={escape(fact_value(done.forms.get(name), value, done.scale))}"
        for name, value in done.facts.items()
    )
    console.print(f"[dim]Facts the rules read: {facts}[/]")
    if done.default_values:
        console.print(f"[dim]{escape(default_values(done.default_values))}[/]")
    for note in done.notes:
        console.print(f"Note: {escape(note)}.")
    _since_the_run(console, done)


def _decision(console: Console, done: Explanation) -> None:
    """What was decided, and what is owed."""
    decision = done.decision
    template = f" ({escape(decision['template'])})" if decision["template"] else ""
    path_day = f" day {decision['path_day']}" if decision["path_day"] is not None else ""
    console.print(
        f"[bold]{escape(str(decision['account_id']))}[/] as of {decision['as_of']}: "
        f"{decision['lifecycle']}, segment [bold]{decision['segment']}[/], "
        f"path [bold]{escape(decision['path'])}[/]{path_day}, "
        f"action [bold]{decision['action']}[/]{template}"
    )
    if decision["balance_overdue"] is not None:
        next_on = f" on {decision['next_on']}" if decision["next_on"] else ""
        console.print(
            f"{money_text(decision['balance_overdue'], done.currency, done.scale)} overdue, "
            f"{decision['days_past_due']} days past due; "
            f"next: {decision['next_action'] or 'nothing'}{next_on}"
        )


def _probabilities(console: Console, done: Explanation) -> None:
    """Each probability with its reasons."""
    for score in done.scores:
        if score.p is None:
            outside = f"the account is outside the population of {score.model}"
            console.print(f"\n[bold]{escape(score.key)}[/]: none; {outside}.")
            continue
        by = f"{score.model} {score.version} ({score.learner})"
        console.print(f"\n[bold]{escape(score.key)} {100 * score.p:.2f}%[/] by {by}")
        if not any(reason.contribution > 0 for reason in score.reasons):
            console.print(f"  {NOTHING_RAISES_RISK}")
        for reason in score.reasons:
            console.print(f"  {reason.contribution:+.2f}  {escape(reason.words)}")


def _rules_matched(console: Console, done: Explanation) -> None:
    """The rows that matched, the steps of the path, and the guards."""
    made = table("table", "gives", "row", "because", "line", title="Which rows matched")
    for row in done.matched:
        made.add_row(row.table, row.result, row.row, row.text, str(row.line or ""))
    console.print()
    console.print(made)
    if done.steps:
        made = table("day", "on", "path", "action", "template", "", title="The path")
        for step in done.steps:
            mark = "" if step.when == "ahead" else step.when
            when = (str(step.day), str(step.on or ""))
            made.add_row(*when, step.path, step.action, step.template or "", mark)
        console.print(made)
    if done.guards:
        made = table("guard", "kind", "state", "forbids", "source", title="Guards")
        for guard in done.guards:
            state = Text(guard.state, style="dim" if guard.state == "not in force" else "bold")
            forbids = "everything" if guard.stops_everything else ", ".join(guard.forbids)
            made.add_row(guard.name, guard.kind, state, forbids, guard.source or "")
        console.print(made)
        action = done.decision["action"]
        if done.step_due not in (action, NO_ACTION):
            own = f"The path's own step, {done.step_due}, is not lawful here"
            console.print(f"{own}: {action} instead.\n")


def _last_bills(console: Console, done: Explanation) -> None:
    if not done.bills:
        return
    columns = ("bill", "due", "amount", "paid", "overdue", "cleared", "days late")
    right = ("amount", "paid", "overdue", "days late")
    made = table(*columns, right=right, title="The last bills")
    for bill in done.bills:
        made.add_row(
            bill.bill_id,
            str(bill.due_on),
            money(bill.amount, done.scale),
            money(bill.paid, done.scale),
            money(bill.overdue, done.scale) if bill.overdue else "",
            str(bill.cleared_on or ""),
            str(bill.days_past_due or ""),
        )
    console.print(made)


def _since_the_run(console: Console, done: Explanation) -> None:
    """Which run decided so, and what the sources give otherwise now."""
    if done.run is not None:
        same = "" if done.changes or done.notes else " The sources give the same today."
        console.print(f"\nAs run {done.run} decided it on {done.decided_at:%Y-%m-%d}.{same}")
    if done.changes:
        made = table("", "then", "now", title="What the sources give otherwise now")
        for change in done.changes:
            form = done.forms.get(change.name)
            then, now = (
                fact_value(form, value, done.scale) if form or value is not None else "none"
                for value in (change.then, change.now)
            )
            made.add_row(change.name, then, now)
        console.print(made)
        if done.bills:
            console.print("The bills above are by the sources as they are now.")

"""How proofs are shown: a line a kind of claim, then whatever is not proved, with its account."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape

from riskseg.results.strategies import ProofResult, StrategyProof
from riskseg.strategy.proof.results import claims
from riskseg.strategy.proof.written import example

_COLOUR = {"proved": "green", "refuted": "bold red", "unproved": "bold yellow"}


def proven(console: Console, done: StrategyProof, *, with_notes: bool, granted: bool) -> None:
    console.print(f"{done.strategy.name} {done.strategy.version}")
    results = done.proofs.results
    for claim, words in claims().items():
        of = [r for r in results if r.claim == claim]
        if not of:
            continue
        counts = {v: sum(r.verdict == v for r in of) for v in _COLOUR}
        message = ", ".join(f"[{_COLOUR[v]}]{n} {v}[/]" for v, n in counts.items() if n)
        console.print(f"  {claim:<15} {message}  [dim]{escape(words)}[/]")
    for verdict in ("refuted", "unproved"):
        for result in done.proofs.of("refuted" if verdict == "refuted" else "unproved"):
            _fault(console, result, done)
    if granted:
        console.print("\ntaken for granted of every account")
        for line in done.granted:
            console.print(f"  {escape(line)}")
    notes = done.proofs.notes
    if with_notes:
        heading = "no fault, and worth knowing" if notes else "The order of rows decides nowhere."
        console.print(f"\n{heading}")
        for note in notes:
            console.print(f"  {escape(note.subject)}: {escape(note.what)}")
    count = len(results)
    if done.proofs.verdict == "proved":
        console.print(
            f"\nAll {count} properties are proved, for every account the catalogue allows."
        )
    else:
        message = (
            f"{len(done.proofs.of('proved'))} proved, {len(done.proofs.of('refuted'))} refuted"
        )
        unproved = len(done.proofs.of("unproved"))
        console.print(f"\nOf {count} properties: {message}, {unproved} unproved.")
    if not with_notes:
        console.print("[dim]Where the order of rows decides, and for whom: --notes[/]")


def _fault(console: Console, result: ProofResult, done: StrategyProof) -> None:
    where = "" if result.file is None else result.file
    where += "" if result.line is None else f":{result.line}"
    console.print(
        f"\n[{_COLOUR[result.verdict]}]{result.verdict}[/] {result.claim} "
        f"[bold]{escape(result.subject)}[/] [cyan]{escape(where)}[/]\n  {escape(result.fault)}"
    )
    decisions = done.decisions.get(result.name, ())
    for number, (account, decision) in enumerate(zip(result.accounts, decisions, strict=True)):
        flag = "" if len(decisions) == 1 else (", without the flag", ", with the flag")[number]
        text = example(f"refutes {result.name}{flag}", account, decision, margin=done.margin)
        # As it is: a terminal must not wrap what is to be pasted.
        console.print(text, markup=False, soft_wrap=True)

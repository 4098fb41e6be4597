"""How proofs are shown: a line a kind of claim, then whatever is not proved, with its account."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape

from riskseg.results.strategies import ProofResult, StrategyProof
from riskseg.strategy.proof.example_text import example
from riskseg.strategy.proof.results import claims

_COLOUR = {"proved": "green", "refuted": "bold red", "unproved": "bold yellow"}


def show_proofs(console: Console, proof: StrategyProof, *, with_notes: bool, granted: bool) -> None:
    console.print(f"{proof.strategy.name} {proof.strategy.version}")
    results = proof.proofs.results
    for claim, claim_text in claims().items():
        verdicts: list[str] = [result.verdict for result in results if result.claim == claim]
        if not verdicts:
            continue
        count_by_verdict = {verdict: verdicts.count(verdict) for verdict in _COLOUR}
        message = ", ".join(
            f"[{_COLOUR[verdict]}]{times} {verdict}[/]"
            for verdict, times in count_by_verdict.items()
            if times
        )
        console.print(f"  {claim:<15} {message}  [dim]{escape(claim_text)}[/]")
    for result in (*proof.proofs.of("refuted"), *proof.proofs.of("unproved")):
        _fault(console, result, proof)
    if granted:
        console.print("\nassumed of every account")
        for assumption in proof.granted:
            console.print(f"  {escape(assumption)}")
    notes = proof.proofs.notes
    if with_notes:
        heading = "not faults, but worth knowing" if notes else "The order of rows never matters."
        console.print(f"\n{heading}")
        for note in notes:
            console.print(f"  {escape(note.subject)}: {escape(note.what)}")
    property_count = len(results)
    if proof.proofs.verdict == "proved":
        console.print(
            f"\nAll {property_count} properties are proved, for every account the catalogue allows."
        )
    else:
        message = (
            f"{len(proof.proofs.of('proved'))} proved, {len(proof.proofs.of('refuted'))} refuted"
        )
        unproved = len(proof.proofs.of("unproved"))
        console.print(f"\nOf {property_count} properties: {message}, {unproved} unproved.")
    if not with_notes:
        console.print("[dim]To see where the order of rows matters, and for whom: --notes[/]")


def _fault(console: Console, result: ProofResult, proof: StrategyProof) -> None:
    position = "" if result.file is None else result.file
    position += "" if result.line is None else f":{result.line}"
    console.print(
        f"\n[{_COLOUR[result.verdict]}]{result.verdict}[/] {result.claim} "
        f"[bold]{escape(result.subject)}[/] [cyan]{escape(position)}[/]\n  {escape(result.fault)}"
    )
    decisions = proof.decisions.get(result.name, ())
    for index, (account, decision) in enumerate(zip(result.accounts, decisions, strict=True)):
        flag = "" if len(decisions) == 1 else (", without the flag", ", with the flag")[index]
        example_text = example(
            f"refutes {result.name}{flag}", account, decision, margin=proof.margin
        )
        # As it is: a terminal must not wrap what is to be pasted.
        console.print(example_text, markup=False, soft_wrap=True)

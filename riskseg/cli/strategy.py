"""`riskseg strategy …`: the rules themselves."""

from __future__ import annotations

import typer

from riskseg.cli.common import AsJson, plain, print_json, root
from riskseg.cli.told import USERS_FAULT, guarded, problems_to_stderr, stdout

strategy_app = typer.Typer(help="The rules themselves: check, test, show.", no_args_is_help=True)


@strategy_app.command("check")
@guarded
def strategy_check(as_json: AsJson = False) -> None:
    """Check the strategy against the facts of this workspace."""
    from riskseg.run.rulebook import show as run

    checked = run(root())
    if as_json:
        print_json({"strategy": checked.name, "version": checked.fingerprint, "problems": []})
        return
    print(f"{checked.name} {checked.fingerprint}: no problems.")


@strategy_app.command("test")
@guarded
def strategy_test(as_json: AsJson = False) -> None:
    """Run the strategy's examples through the SQL that decides real accounts."""
    from riskseg.run.rulebook import test as run

    done = run(root())
    if as_json:
        print_json(
            {
                "strategy": done.strategy.name,
                "examples": [
                    {"example": e.name, "decision": d}
                    for e, d in zip(done.strategy.examples, done.decisions, strict=False)
                ],
                "problems": [p.as_dict() for p in done.problems],
            }
        )
    else:
        failed = {p.line for p in done.problems}
        for example in done.strategy.examples:
            print(f"{'FAIL' if example.line in failed else 'ok  '} {example.name}")
        if done.problems:
            problems_to_stderr(done.problems)
        else:
            print(f"{len(done.strategy.examples)} examples come out as expected.")
    if done.problems:
        raise typer.Exit(USERS_FAULT)


@strategy_app.command("show")
@guarded
def strategy_show(as_json: AsJson = False) -> None:
    """Show the strategy as it is understood: bands, tiers, segments, paths, guards."""
    from riskseg.run.rulebook import show as run

    checked = run(root())
    if as_json:
        told = plain(checked)
        told["facts"] = sorted(checked.facts)
        print_json(told)
        return
    from riskseg.cli import show

    show.strategy(stdout(), checked)

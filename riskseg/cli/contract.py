"""`riskseg contract`: what the sources must hold, for those who deliver them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from riskseg import run as use_cases
from riskseg.cli.common import AsJson, one_line, present, root
from riskseg.cli.exit_codes import guarded

if TYPE_CHECKING:
    from riskseg.results.contract import DataContract


@guarded
def contract(
    out: Annotated[
        Path | None, typer.Option("--out", help="A .yaml file; stdout if left out.")
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(help="What it is called; as the folder if left out.", callback=one_line),
    ] = None,
    version: Annotated[
        str, typer.Option("--contract-version", help="Its version.", callback=one_line)
    ] = "1.0.0",
    as_json: AsJson = False,
) -> None:
    """Export what riskseg expects of its sources as a data contract (ODCS).

    For instance `riskseg contract --out contract.yaml`, for whoever delivers the files: which
    columns are read, what each must hold, and what must hold of the rows.
    """
    present(
        lambda _: use_cases.contract.contract(root(), out, name=name, version=version),
        show_contract,
        as_json=as_json,
        quiet=True,
    )


def show_contract(data_contract: DataContract) -> None:
    """The contract, or where it is."""
    print(data_contract.text if data_contract.place is None else data_contract.place, end="")
    if data_contract.place is not None:
        print()

"""The shell examples of the README and the guides, run as they stand, page after page.

Commands of a ```console block begin with `$ `; what follows is output. A ```toml or ```yaml block
with `title="PLACE"` is written there.

What stands in for what a reader has:
- the README's demo has 1,000 accounts, and every account it explains is the one the demo names;
- the water utility's three files are those of `water_utility.py`, an account file that of `loans`;
- each guide runs in a copy of the folder the README leaves behind.

Every line shown must come, in the order shown, in what the command prints; numbers, dates and ids
are examples and are not compared, and `…` stands for anything. A command that shows a Problem
or a refutation must end with 1, every other with 0.
"""

from __future__ import annotations

import csv
import os
import random
import re
import shutil
import subprocess
import sys
from math import exp
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.docs import water_utility
from tests.docs.pages import ROOT, blocks

GUIDES = [
    ROOT / "docs" / "guide" / f"{name}.md"
    for name in (
        *("getting-started", "data", "sources", "features", "models", "strategy", "account-files"),
        *("proofs", "versions", "sheets", "rehearse", "fortnight", "ageing", "insights", "audit"),
        *("promotion", "every-day", "warehouse"),
    )
]


@pytest.mark.slow  # .ci/run carries it out
def test_every_example_of_the_readme_does_what_it_shows(tmp_path: Path) -> None:
    check_columns(after_the_readme(tmp_path))


@pytest.mark.slow
def test_every_example_of_the_guides_does_what_its_page_shows(tmp_path: Path) -> None:
    first, faults = after_the_readme(tmp_path), []
    for guide in GUIDES:
        folder = tmp_path / guide.stem
        shutil.copytree(first, folder)
        loans(folder / "loans.csv")
        faults += follow(guide, folder)
    assert not faults, "\n".join(faults)


def after_the_readme(place: Path) -> Path:
    """The folder that the README leaves behind, each of its examples having done what it shows."""
    first = place / "readme"
    first.mkdir()
    water_utility.write(first)
    faults = follow(ROOT / "README.md", first)
    assert not faults, "\n".join(faults)
    return first


def follow(page: Path, folder: Path) -> list[str]:
    """Carry out a page in a folder; what did not go as it shows."""
    faults = []
    explained: dict[str, str] = {}
    for block in blocks(page):
        where = f"{page.relative_to(ROOT)}:{block.line}"
        if block.title:
            (folder / block.title).write_text(block.text, encoding="utf-8")
        if block.language != "console":
            continue
        for command, shown in commands(block.text):
            for there, here in explained.items():
                command = command.replace(there, here)
            code, printed = run(default_value(command), folder)
            if command == "riskseg demo" and (hint := re.search(r"explain (A\d+)", printed)):
                named = re.findall(r"explain (A\d+)", page.read_text(encoding="utf-8"))
                explained = dict.fromkeys(named, hint[1])
            expected = 1 if any(re.match(r"RS\d{3} |refuted ", line) for line in shown) else 0
            if code != expected:
                faults.append(f"{where}: `{command}` ended with {code}:\n{printed}")
            if lost := missing(shown, printed):
                reported = "\n".join(lost)
                faults.append(f"{where}: `{command}` does not print\n{reported}\nbut\n{printed}")
    return faults


def commands(text: str) -> list[tuple[str, list[str]]]:
    """Each command of a console block, with the lines shown after it."""
    found: list[tuple[str, list[str]]] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        else:
            found[-1][1].append(line)
    return found


def default_value(command: str) -> str:
    return "riskseg demo --accounts 1000" if command == "riskseg demo" else command


def run(command: str, folder: Path) -> tuple[int, str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env={**os.environ, "PATH": path, "NO_COLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def missing(shown: list[str], printed: str) -> list[str]:
    """Lines shown that are not printed, or not in that order."""
    left = iter([bare(line) for line in printed.splitlines()])
    lost = []
    for line in shown:
        pattern = ".*".join(re.escape(part) for part in bare(line).split("…"))
        if pattern.strip(".*") and not any(re.fullmatch(pattern, other) for other in left):
            lost.append(line)
            left = iter([bare(line) for line in printed.splitlines()])
    return lost


def bare(line: str) -> str:
    """A line's words: no rules, no numbers, dates or ids, one blank between."""
    line = line.replace("─", "").replace("–", "#")
    line = re.sub(r"\b[0-9a-f]{12}(?:[0-9a-f]{4})?\b", "#", line)
    line = re.sub(r"-?[A-Z]?\d[\d,.]*%?", "#", line)
    line = re.sub(r"#(?:[#.,\- ]*#)*", "#", line)
    return re.sub(r" *# *", "#", re.sub(r"\s+", " ", line)).strip()


def loans(place: Path) -> None:
    """An account file: 1,500 loans, the outcome of the last hundred not known yet."""
    draw = random.Random(7)  # noqa: S311 (invented data)
    with place.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(
            ["id", "employment", "years_at_address", "used_share", "open_loans", "defaulted"]
        )
        for number in range(1500):
            work = draw.choice(["employed", "self_employed", "none"])
            years, used, open_loans = draw.randrange(30), round(draw.random(), 2), draw.randrange(6)
            odds = -3.2 + 2.6 * used + 0.35 * open_loans - 0.03 * years + 0.9 * (work == "none")
            bad = int(draw.random() < 1 / (1 + exp(-odds)))
            known = bad if number < 1400 else ""
            rows.writerow([f"{number:05d}", work, years, used, open_loans, known])


def check_columns(folder: Path) -> None:
    """The decision columns of docs/reference/files.md are those of a real file, in order."""
    page = (ROOT / "docs" / "reference" / "files.md").read_text(encoding="utf-8")
    _, _, reported = page.partition("## A decision")
    documented = re.findall(r"^\| `([^`]+)`", reported, re.MULTILINE)
    real = pq.read_schema(folder / "riskseg-demo" / "decisions.parquet").names
    own = {"p_…": ["p_late", "p_default"], "…": ["risk", "late_risk", "standing", "behaviour"]}
    assert [c for name in documented for c in own.get(name, [name])] == real

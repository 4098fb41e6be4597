"""The same facts give the same bytes, and what is known only later makes no difference."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from riskseg.pipeline import training_rows as observed
from riskseg.run.assign import assign
from riskseg.run.train import train
from tests.support import portfolio as p
from tests.support.sampled import one_in, only

Copy = Callable[[Path], Path]


def decisions(workspace: Path, name: str = "decisions.parquet") -> bytes:
    place = workspace / name
    assign(workspace, p.AS_OF, str(place), at=p.AT, reasons="all")
    return place.read_bytes()


@pytest.fixture(scope="module")
def undisturbed(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return decisions(p.copied(trained, tmp_path_factory.mktemp("undisturbed") / "workspace"))


def test_a_second_run(trained: Path, copy_of: Copy, undisturbed: bytes) -> None:
    workspace = copy_of(trained)
    assert decisions(workspace) == undisturbed
    assert decisions(workspace, "again.parquet") == undisturbed


@pytest.mark.parametrize("partitions", only(5, [1, 2, 7, 40]))
def test_two_ranges_of_accounts_at_a_time(
    trained: Path, copy_of: Copy, undisturbed: bytes, partitions: int
) -> None:
    workspace = copy_of(trained)
    threads = f"threads = 2\npartitions = {partitions}"
    p.replace(workspace, "riskseg.toml", "threads = 1", threads)
    assert decisions(workspace) == undisturbed


def test_rows_in_any_order(trained: Path, copy_of: Copy, undisturbed: bytes) -> None:
    workspace = copy_of(trained)
    rng = random.Random(3)  # noqa: S311
    for table in p.TABLES:
        head, *rows = p.rows(workspace, table)
        rng.shuffle(rows)
        p.write_rows(workspace, table, [head, *rows])
    assert decisions(workspace) == undisturbed


# Facts of after the as-of date, 2026-05-15


def _happened_later(workspace: Path) -> None:
    p.add_rows(
        workspace,
        "bills",
        *(
            dict(account_id=f"A{n:08}", bill_id=f"X{n}", issued_on="2026-05-16",
                 due_on="2026-05-16", amount="500.00", kind="charge", recorded_on="2026-05-16")
            for n in range(1, 60)
        ),
    )  # fmt: skip
    p.add_rows(
        workspace,
        "payments",
        *(
            dict(payment_id=f"Y{n}", account_id=f"A{n:08}", paid_on="2026-05-16", amount="900.00",
                 method="cash", status="settled", recorded_on="2026-05-16")
            for n in range(60, 200)
        ),
    )  # fmt: skip
    p.add_rows(
        workspace,
        "events",
        *(
            dict(account_id=f"A{n:08}", happened_on="2026-05-16", kind=kind, outcome="broken")
            for n in range(1, 200)
            for kind in ("promise", "dispute", "contact", "action")
        ),
    )


def _recorded_later(workspace: Path) -> None:
    p.add_rows(
        workspace,
        "bills",
        *(
            dict(account_id=f"A{n:08}", bill_id=f"X{n}", issued_on="2026-01-10",
                 due_on="2026-01-24", amount="500.00", kind="charge", recorded_on="2026-05-16")
            for n in range(1, 60)
        ),
    )  # fmt: skip
    p.add_rows(
        workspace,
        "payments",
        *(
            dict(payment_id=f"Y{n}", account_id=f"A{n:08}", paid_on="2026-05-02", amount="900.00",
                 method="cash", status="settled", recorded_on="2026-05-16")
            for n in range(60, 200)
        ),
    )  # fmt: skip
    p.add_rows(
        workspace,
        "events",
        *(
            dict(account_id=f"A{n:08}", happened_on="2026-05-01", kind=kind, outcome="broken",
                 recorded_on="2026-05-16")
            for n in range(1, 200)
            for kind in ("promise", "dispute", "contact", "action")
        ),
    )  # fmt: skip


def _accounts_opened_later(workspace: Path) -> None:
    """One whose id comes before all others, one between, one after: numbers move, decisions not."""
    ids = ("A00000000", "A00000100x", "Z1")
    p.add_rows(workspace, "accounts", *(dict(account_id=i, opened_on="2026-05-16") for i in ids))
    p.add_rows(
        workspace,
        "bills",
        *(
            dict(account_id=i, bill_id="1", issued_on="2026-05-20", due_on="2026-06-04",
                 amount="9.00", kind="charge", recorded_on="2026-05-20")
            for i in ids
        ),
    )  # fmt: skip


def _payments_reversed_later(workspace: Path) -> None:
    head, *rows = p.rows(workspace, "payments")
    names = head.split(",")
    whole = [dict(zip(names, row.split(","), strict=True)) for row in rows]
    undone = {row["reverses"] for row in whole}
    early = [
        r
        for r in whole
        if r["paid_on"] <= "2026-05-15"
        and r["status"] == "settled"
        and not r["reverses"]
        and r["payment_id"] not in undone
    ]
    p.add_rows(
        workspace,
        "payments",
        *(
            dict(payment_id=f"R{n}", account_id=r["account_id"], paid_on="2026-05-16",
                 amount=r["amount"], status="settled", reverses=r["payment_id"],
                 recorded_on="2026-05-16")
            for n, r in enumerate(early[::3])
        ),
    )  # fmt: skip


def _bills_cancelled_later(workspace: Path) -> None:
    head, *rows = p.rows(workspace, "bills")
    at = head.split(",").index("cancelled_on")
    done = []
    for n, row in enumerate(rows):
        cells = row.split(",")
        if n % 3 == 0 and not cells[at] and cells[3] <= "2026-05-15":
            cells[at] = "2026-05-16"
        done.append(",".join(cells))
    p.write_rows(workspace, "bills", [head, *done])


def _closed_later(workspace: Path) -> None:
    head, *rows = p.rows(workspace, "accounts")
    names = head.split(",")
    done = []
    for n, row in enumerate(rows):
        cells = row.split(",")
        for name in ("closed_on", "written_off_on"):
            opened = cells[names.index("opened_on")]
            if n % 4 == 0 and not cells[names.index(name)] and opened < "2026-05-15":
                cells[names.index(name)] = "2026-05-16"
        done.append(",".join(cells))
    p.write_rows(workspace, "accounts", [head, *done])


LATER = {
    "happened later": _happened_later,
    "recorded later": _recorded_later,
    "accounts opened later": _accounts_opened_later,
    "payments reversed later": _payments_reversed_later,
    "bills cancelled later": _bills_cancelled_later,
    "accounts closed later": _closed_later,
}


@pytest.mark.parametrize("plant", one_in(3, LATER))
def test_facts_of_later(plant: str, trained: Path, copy_of: Copy, undisturbed: bytes) -> None:
    workspace = copy_of(trained)
    LATER[plant](workspace)
    assert decisions(workspace) == undisturbed


def test_the_same_facts_a_day_earlier_do_make_a_difference(
    trained: Path, copy_of: Copy, undisturbed: bytes
) -> None:
    """Else the tests above would hold of a run that reads nothing."""
    for plant in (_happened_later, _payments_reversed_later, _bills_cancelled_later, _closed_later):
        workspace = copy_of(trained)
        plant(workspace)
        for table in p.TABLES:
            p.write_rows(
                workspace,
                table,
                [row.replace("2026-05-16", "2026-05-15") for row in p.rows(workspace, table)],
            )
        assert decisions(workspace) != undisturbed


def _dated(workspace: Path) -> None:
    """Accounts with a valid_from, of long ago."""
    head, *rows = p.rows(workspace, "accounts")
    lines = [f"{head},valid_from", *(f"{row},2000-01-01" for row in rows)]
    p.write_rows(workspace, "accounts", lines)


def test_rows_of_an_account_that_are_valid_later(trained: Path, copy_of: Copy) -> None:
    workspace = copy_of(trained)
    _dated(workspace)
    before = decisions(workspace)
    head, *rows = p.rows(workspace, "accounts")
    names = head.split(",")
    later = []
    for row in rows[::2]:
        cells = dict(zip(names, row.split(","), strict=True))
        later.append(
            cells
            | {"valid_from": "2026-05-16", "is_vulnerable": "true", "region": "north"}
            | {"breathing_space_from": "2026-05-01", "breathing_space_until": "2026-06-30"}
        )
    p.add_rows(workspace, "accounts", *later)
    assert decisions(workspace, "later.parquet") == before
    p.write_rows(
        workspace,
        "accounts",
        [r.replace(",2026-05-16", ",2026-05-15") for r in p.rows(workspace, "accounts")],
    )
    assert decisions(workspace, "now.parquet") != before


def assert_same_versions(workspace: Path, trained: Path, names: Iterable[str]) -> None:
    for name in names:
        [version] = (p for p in (workspace / "models" / name).iterdir() if p.is_dir())
        [other] = (p for p in (trained / "models" / name).iterdir() if p.is_dir())
        assert version.name == other.name
        for file in sorted(version.iterdir()):
            assert (other / file.name).read_bytes() == file.read_bytes(), file.name


@pytest.mark.slow  # the fits of one learner are compared every time
def test_training_at_two_threads(sound: Path, trained: Path, copy_of: Copy) -> None:
    workspace = copy_of(sound)
    p.replace(workspace, "riskseg.toml", "threads = 1", "threads = 2")
    train(workspace, (), at=p.AT)
    assert_same_versions(workspace, trained, p.MODELS)


@pytest.mark.slow
def test_training_each_model_alone(
    sound: Path, trained: Path, copy_of: Copy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Together they share facts, though their windows differ; here also in other parts."""
    monkeypatch.setattr(observed, "PAIRS_A_PART", 20_000)
    workspace = copy_of(sound)
    for name in p.MODELS:
        train(workspace, (name,), at=p.AT)
    assert_same_versions(workspace, trained, p.MODELS)

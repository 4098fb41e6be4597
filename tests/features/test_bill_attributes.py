"""Attributes of bills: mapped, described, and known of the latest bill and to own features."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from riskseg.domain.facts import Kind
from riskseg.domain.problems import Problems, ProblemsError
from riskseg.domain.relations import Relation
from riskseg.features.catalogue import read_catalogue
from riskseg.features.snapshots import as_of_snapshots, at_issue_snapshots, issue_snapshots
from riskseg.pipeline.contracts import build
from riskseg.pipeline.definitions import definitions
from riskseg.pipeline.facts import facts
from riskseg.pipeline.session import (
    Session,
    begin,
    open_checked,
    read_own_catalogue,
    scratch_engine,
)
from riskseg.pipeline.special_values import proposed
from riskseg.rules.model import Strategy
from tests.support.account_file import decide, write_rules

# account, bill, issued, product, rate, fee, code. The latest bill of `a` has no product; the two of
# `d` are of one day, and the hashes of their ids are in the other order than the ids.
BILLS = (
    ("a", "1", date(2025, 1, 1), "loan", 0.1, Decimal("1.005"), 7),
    ("a", "2", date(2025, 2, 1), "rent", 0.2, Decimal("2.000"), 999),
    ("a", "3", date(2025, 3, 1), None, 0.3, None, None),
    ("b", "4", date(2025, 3, 1), "rent", float("nan"), Decimal("0.125"), 1),
    ("b", "5", date(2025, 3, 2), "loan", 0.7, Decimal("0.250"), 2),
    ("d", "8", date(2025, 3, 1), "rent", 0.5, Decimal("1"), 4),
    ("d", "9", date(2025, 3, 1), "card", 0.6, Decimal("2"), 5),
    ("c", "6", date(2024, 1, 1), "loan", 0.9, Decimal("9.999"), 3),
)
MAPPED = 'Product = "prod"\nrate = "rate"\nfee = "fee"\n'


def workspace(root: Path, bills: str = MAPPED, more: str = "", features: str = "") -> Path:
    columns = [list(column) for column in zip(*BILLS, strict=True)]
    table = pa.table(
        {
            "account_id": columns[0],
            "bill_id": columns[1],
            "issued_on": columns[2],
            "due_on": [issued.replace(day=20) for issued in columns[2]],
            "amount": pa.array([Decimal("10.00")] * len(BILLS), pa.decimal128(9, 2)),
            "prod": columns[3],
            "rate": columns[4],
            "fee": pa.array(columns[5], pa.decimal128(9, 3)),
            "code": columns[6],
            "paid_on": columns[2],
        }
    )
    pq.write_table(table, root / "bills.parquet")
    (root / "riskseg.toml").write_text(
        f'[source.bills]\nfrom = "bills.parquet"\n{bills}{more}', encoding="utf-8"
    )
    (root / "models").mkdir()
    (root / "models" / "features.yaml").write_text(features, encoding="utf-8")
    return root


def begun(root: Path, engine: Any) -> Session:
    return begin(open_checked(root), engine)


def values(
    root: Path, names: Sequence[str], snapshots: Relation | None = None, *, texts: bool = False
) -> list[Any]:
    """The named facts as of 31 March 2025 or at `snapshots`, one row a snapshot."""
    with scratch_engine(open_checked(root)) as engine:
        session = begin(open_checked(root), engine, texts=texts)
        whole = as_of_snapshots(date(2025, 3, 31), 1, 4, listed=False, dated=False)
        relations = facts(
            session.ledger,
            session.catalogue,
            2,
            names,
            snapshots or whole,
            focus=snapshots is not None,
        )
        build(engine, relations)
        listed = ", ".join(f'"@{name}"' for name in names)
        return engine.rows(f"select {listed} from facts order by snap")


def found(root: Path) -> list[tuple[str, str]]:
    with pytest.raises(ProblemsError) as caught, scratch_engine(open_checked(root)) as engine:
        begun(root, engine)
    return [(one.code, str(one)) for one in caught.value.problems]


def test_the_latest_bill_says_its_attributes(tmp_path: Path) -> None:
    root = workspace(tmp_path)
    names = ("latest_product", "latest_rate", "latest_fee")
    # Not of an earlier bill where the latest has none; of no bill that is over a year old.
    assert values(root, names)[:3] == [
        (None, 0.3, None),
        ("loan", 0.7, Decimal("0.250")),
        (None, None, None),
    ]


def test_which_of_two_bills_of_a_day_is_the_latest_does_not_depend_on_how_ids_are_kept(
    tmp_path: Path,
) -> None:
    root = workspace(tmp_path)
    names = ("latest_product", "latest_rate", "latest_fee")
    hashed = values(root, names)
    assert str(values(root, names, texts=True)) == str(hashed)
    with (root / "riskseg.toml").open("a", encoding="utf-8") as toml:
        toml.write(
            """amount = "case when bill_id = '6' then null else amount end"
[workspace]
max_bad_rows = 0.5
"""
        )
    # The bad bill is the only one of its account, `c`, which stays.
    assert str(values(root, names)) == str([*hashed[:2], (None, None, None), *hashed[3:]])


def test_bills_issued_on_a_day_are_numbered_alike_however_ids_are_kept(tmp_path: Path) -> None:
    """What a model learns from is in this order: a bad row elsewhere must not change it."""
    root = workspace(tmp_path)
    numbered = []
    for texts in (False, True):
        with scratch_engine(open_checked(root)) as engine:
            session = begin(open_checked(root), engine, texts=texts)
            order = session.ledger.money.bill_order("focus_bill")
            build(engine, [issue_snapshots(date(2025, 1, 1), date(2025, 3, 31), order)])
            numbered.append(
                engine.rows(
                    'select s.snap, b."@product" from snapshots s join ledger_bills b '
                    "on b.account_no = s.account_no and b.bill_id = s.focus_bill order by s.snap"
                )
            )
    assert numbered[0] == numbered[1]


def test_a_bill_scored_at_issue_has_its_own_attributes(tmp_path: Path) -> None:
    root = workspace(tmp_path)
    on = "select account_no, account_no as snap, date '2025-03-01' as as_of from account_ids"
    at_issue = at_issue_snapshots(Relation("accounts", on))
    found = values(root, ("latest_product",), at_issue, texts=True)
    assert found == [(None,), ("rent",), ("rent",), ("card",)]


def test_features_of_ones_own_name_them(tmp_path: Path) -> None:
    own = """\
- {name: loans, range: bills, aggregate: count, filter: "coalesce(product, '') = 'loan'", words: w}
- {name: bills, range: bills, aggregate: count, words: w}
- {name: fees, range: bills, aggregate: sum, value: fee, unit: money, words: w}
- {name: rates, range: bills, aggregate: sum, value: rate, words: w}
- {name: newest, range: bills, aggregate: latest, value: product, words: w}
- {name: lent, range: account, value: "case when coalesce(latest_product, '') = 'loan' then 1 end",
   words: w}
"""
    root = workspace(tmp_path, features=own)
    names = ("loans", "bills", "fees", "rates", "newest", "lent")
    assert values(root, names)[:3] == [
        (1, 3, Decimal("3.01"), Decimal("0.600000"), None, None),
        # A rate that is no number is as unknown as one that is missing.
        (1, 2, Decimal("0.38"), Decimal("0.700000"), "loan", 1),
        (1, 1, Decimal("10.00"), Decimal("0.900000"), "loan", None),
    ]


def test_a_filter_on_an_attribute_only_lessens_a_count(tmp_path: Path) -> None:
    from riskseg.features.relations import relations

    own = """\
- {name: loans, range: bills, aggregate: count, filter: "coalesce(product, '') = 'loan'", words: w}
- {name: bills, range: bills, aggregate: count, words: w}
"""
    with scratch_engine(open_checked(workspace(tmp_path, features=own))) as engine:
        session = begun(tmp_path, engine)
        features = [session.catalogue.features[name] for name in ("loans", "bills")]
        held = [one.text for one in relations(features, session.facts)]
    assert '"loans" <= "bills"' in held
    assert '"bills" <= "loans"' not in held


def test_only_what_riskseg_toml_names_is_an_attribute(tmp_path: Path) -> None:
    more = '[source.bills.columns.code]\nwords = "the code is {value}"\nspecial_values = [999]\n'
    levels = ['levels = ["loan", "rent"]', 'direction = "+"', ""][0]
    root = workspace(tmp_path, more=f"{more}[source.bills.columns.product]\n{levels}\n")
    with scratch_engine(open_checked(root)) as engine:
        session = begun(root, engine)
        known = {n: f for n, f in session.facts.items() if n.startswith("latest_")}
        assert not proposed(engine, session.ledger, session.catalogue, session.facts)
    added = set(known) - set(read_catalogue(None, Problems()).features)
    assert added == {
        *("latest_product", "latest_rate", "latest_fee", "latest_code"),
    }
    assert (known["latest_product"].kind, known["latest_product"].levels) == (
        Kind.LEVEL,
        ("loan", "rent"),
    )
    assert known["latest_code"].words == "the code is {value}"
    assert known["latest_code"].special_values == (999.0,)


@pytest.mark.parametrize(
    ("bills", "more", "features", "code", "message"),
    [
        ('isued_on = "issued_on"\n', "", "", "RS003", 'Did you mean "issued_on"?'),
        ('paid = "code"\n', "", "", "RS503", '"paid" of bills would be known as paid'),
        ('terms = "code"\n', "", "", "RS503", "known as latest_terms"),
        ("", '[source.bills.levels]\ncolour = ["red"]\n', "", "RS501", 'no attribute "colour"'),
        ("", '[source.bills.columns.colour]\nunit = "x"\n', "", "RS501", 'no attribute "colour"'),
        (
            'product = "prod"\n',
            '[source.bills.columns.product]\ndirection = "+"\n',
            "",
            "RS304",
            "it has no direction of risk",
        ),
        (
            'product = "prod"\n',
            "",
            '- {name: latest_product, range: bills, aggregate: count, words: "w"}\n',
            "RS503",
            "known as latest_product",
        ),
        (
            'product = "prod"\n',
            "",
            '- {name: most, range: bills, aggregate: max, value: product, words: "w"}\n',
            "RS304",
            "a text only of the latest bill",
        ),
        (
            'product = "prod"\n',
            "",
            "- {name: n, range: bills, aggregate: count, filter: product = 'x', words: \"w\"}\n",
            "RS305",
            "or give it a value with `coalesce(…, …)`.",
        ),
        (
            "",
            "",
            '- {name: most, range: bills, aggregate: latest, value: product, words: "w"}\n',
            "RS303",
            "product",
        ),
    ],
)
def test_what_cannot_be_is_a_problem(
    tmp_path: Path, bills: str, more: str, features: str, code: str, message: str
) -> None:
    problems = found(workspace(tmp_path, bills, more, features))
    assert [c for c, _ in problems] == [code]
    assert message in problems[0][1]


def test_without_data_what_names_one_is_left_out(tmp_path: Path) -> None:
    own = """\
- {name: loans, range: bills, aggregate: count, filter: "coalesce(Product, '') = 'loan'", words: w}
- {name: all_bills, range: bills, aggregate: count, words: w}
"""
    problems = Problems()
    catalogue = read_own_catalogue(open_checked(workspace(tmp_path, features=own)), None, problems)
    assert not problems
    assert "all_bills" in catalogue.features
    assert not {"loans", "latest_product"} & set(catalogue.features)


def test_how_an_attribute_is_mapped_is_part_of_what_a_fact_means(tmp_path: Path) -> None:
    def defined(name: str, bills: str) -> dict[str, str]:
        root = tmp_path / name
        root.mkdir()
        workspace(root, bills)
        with scratch_engine(open_checked(root)) as engine:
            session = begun(root, engine)
            strategy = Strategy.__new__(Strategy)
            for key, value in {"facts": {}, "uses": {}, "default_values": {}}.items():
                object.__setattr__(strategy, key, value)
            return definitions(session, strategy, ["latest_product"])

    first = defined("first", 'product = "prod"\n')
    other = defined("other", 'product = "upper(prod)"\nrate = "rate"\n')
    assert {n for n in other if first.get(n) != other[n]} == {"bills.product"}


def test_rules_decide_by_them(tmp_path: Path) -> None:
    segments = """\
columns: [latest_product]
rows:
  - {id: rented, match: [rent], segment: hit}
  - {id: rest, match: [any], segment: miss}
"""
    levels = '[source.bills.levels]\nproduct = ["loan", "rent", "card"]\n'
    root = workspace(tmp_path, more=f'{levels}[workspace]\nstrategy = "rules/s"\n')
    write_rules(root, {"segments.yaml": segments})
    decided = {name: row["segment"] for name, row in decide(root, date(2025, 3, 31)).items()}
    latest = dict(zip("abcd", [v for (v,) in values(root, ["latest_product"])], strict=True))
    assert decided == {n: "hit" if v == "rent" else "miss" for n, v in latest.items()}
    assert "hit" in decided.values()
    # A product that is none of the levels stops the run, and nothing is decided.
    toml = (root / "riskseg.toml").read_text(encoding="utf-8")
    (root / "riskseg.toml").write_text(toml.replace('"loan", ', ""), encoding="utf-8")
    with pytest.raises(ProblemsError) as caught:
        decide(root, date(2025, 3, 31))
    assert [one.code for one in caught.value.problems] == ["RS613"]

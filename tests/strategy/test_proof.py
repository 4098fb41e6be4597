"""Proofs of strategies: the terms against the SQL, analyses with known answers, and what each
claim catches."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from riskseg.domain.facts import Fact, Kind
from riskseg.domain.problems import Problems
from riskseg.expressions import check
from riskseg.features.catalogue import read_catalogue
from riskseg.ledger.accounts import LIFECYCLE
from riskseg.rules.model import Strategy
from riskseg.rules.proof_account import Granted, any_account
from riskseg.strategy.proof.ask import UNSURE, Asker
from riskseg.strategy.proof.decision import decide, decided
from riskseg.strategy.proof.difference import meaning
from riskseg.strategy.proof.example_text import example, margin_of
from riskseg.strategy.proof.notes import notes
from riskseg.strategy.proof.prove import prove
from riskseg.strategy.proof.results import Result
from riskseg.treatment.episodes import EPISODE_STARTED_ON
from tests.support import accounts
from tests.support.strategies import FACTS, SMALL, changed, read_folder, sound

STARTER = Path(__file__).parents[2] / "rules" / "household-utility"
DECIDED = ("segment", "path", "path_day", "step", "action", "channel")


def catalogue_facts() -> dict[str, Fact]:
    catalogue = read_catalogue(None, Problems())
    own = {f.name: f for f in (LIFECYCLE, EPISODE_STARTED_ON)}
    return own | {n: f.fact for n, f in catalogue.features.items()}


@pytest.fixture(scope="module")
def starter() -> Strategy:
    strategy, problems = read_folder(STARTER, catalogue_facts(), {})
    assert strategy is not None, problems
    return strategy


def results(strategy: Strategy, granted: Granted | None = None) -> dict[str, Result]:
    found = prove(strategy, granted or Granted(), Asker(5.0))
    return {result.name: result for result in found}


def refuted(strategy: Strategy) -> dict[str, Result]:
    return {n: r for n, r in results(strategy).items() if r.verdict != "proved"}


# -- the terms and the SQL -----------------------------------------------------------------------


@pytest.mark.parametrize("which", ["starter", "small", "periods"])
def test_the_terms_decide_as_the_sql_does(which: str, starter: Strategy, tmp_path: Path) -> None:
    strategy = starter if which == "starter" else sound(tmp_path, BY_NAME[which])
    as_of = date(2026, 3, 2)
    some = accounts.random_accounts(strategy, as_of, 60, seed=5)
    by_sql = accounts.decided(strategy, some, as_of)
    for account, expected in zip(some, by_sql, strict=True):
        reported = decided(strategy, account, DECIDED)
        assert reported == {name: expected[name] for name in DECIDED}, account


def test_a_cut_between_two_probabilities(tmp_path: Path) -> None:
    strategy = sound(tmp_path, changed("strategy.yaml", "low: 0.1,", "low: 0.1000001,"))
    as_of = date(2026, 3, 2)
    (some,) = accounts.random_accounts(strategy, as_of, 1, seed=1)
    for p in ("0.100000", "0.100001"):
        account = {**some, "p": Decimal(p)}
        (expected,) = accounts.decided(strategy, [account], as_of)
        assert decided(strategy, account, ["risk"])["risk"] == expected["risk"]


def test_what_is_refuted_is_decided_so_by_the_sql(tmp_path: Path) -> None:
    files = {**SAFE, **with_guard("- prove: action <> 'letter'\n")}
    strategy = sound(tmp_path, files)
    (result,) = refuted(strategy).values()
    (account,) = result.accounts
    as_of = account["as_of"]
    assert isinstance(as_of, date)
    assert accounts.decided(strategy, [account], as_of)[0]["action"] == "letter"


BY_NAME: Mapping[str, Mapping[str, str]] = {
    "small": SMALL,
    "periods": {
        **SMALL,
        "paths.yaml": SMALL["paths.yaml"]
        .replace("trace: {for: [trace],", "trace: {for: [trace], effective_to: 2026-03-01,")
        .replace("  then: trace\n", "  stay: deliberately\n")
        + """\
trace_anew: {for: [trace], starts: hold_from, effective_from: 2026-03-02,
             steps: [{day: 5, action: letter}], stay: deliberately}
""",
        "guards.yaml": SMALL["guards.yaml"]
        + """\
- guard: until_spring
  when: days_past_due < 60
  never: [sms]
  effective_to: 2026-03-02
""",
    },
}


# -- analyses with known answers -----------------------------------------------------------------

NUMBERS: Mapping[str, Fact] = {
    "score": Fact("score", Kind.INTEGER, lower=Decimal(0), upper=Decimal(999)),
    "ratio": Fact("ratio", Kind.DECIMAL, lower=Decimal(0)),
    "x": Fact("x", Kind.INTEGER),
    "n": Fact("n", Kind.INTEGER, nullable=True),
    "a": Fact("a", Kind.LEVEL, levels=("1", "2", "3")),
    "b": Fact("b", Kind.LEVEL, levels=("1", "2", "3")),
}


def one_scheme(folder: Path, rows: str) -> Strategy:
    """A strategy of one table of conditions."""
    files = {
        "strategy.yaml": "name: one\npurpose: a table\nowner: tests\nactions: []\n",
        "tiers.yaml": f"table:\n{rows}",
        "segments.yaml": "columns: [table]\nrows:\n  - {id: all, match: [any], segment: s}\n",
        "paths.yaml": "p: {for: [s], starts: as_of}\n",
    }
    return sound(folder, files, NUMBERS)


def noted(strategy: Strategy, asker: Asker | None = None) -> list[str]:
    decision = decide(strategy, any_account(strategy.facts, Granted()))
    return [note.what for note in notes(strategy, decision, asker or Asker())]


class Hurried(Asker):
    """Settles nothing, on every machine alike."""

    def solver(self, *given: Any) -> Any:
        solver = super().solver(*given)
        solver.set("rlimit", 1)
        return solver


@pytest.mark.parametrize(
    ("rows", "unreached", "reported"),
    [
        pytest.param(
            """\
  - {tier: decline, when: score <= 660 and ratio > 0.40}
  - {tier: approve, when: score >= 660 and ratio <= 0.40}
  - {tier: refer, when: score <= 660 and ratio <= 0.40}
  - {tier: rest, otherwise: true}
""",
            [],
            [
                "approve comes before refer: ratio ≤ 0.4, score = 660",
                "rest takes the rest: ratio > 0.4, score > 660",
            ],
            id="a gap above 660 and an overlap at 660",
        ),
        pytest.param(
            """\
  - {tier: above_10, when: x > 10}
  - {tier: above_20, when: x > 20}
  - {tier: rest, otherwise: true}
""",
            ["table above_20"],
            ["above_10 comes before above_20: x > 20", "rest takes the rest: x ≤ 10"],
            id="above 10 before above 20",
        ),
        pytest.param(
            "".join(
                f"  - {{tier: box{i}{j}, when: \"a = '{i}' and b = '{j}'\"}}\n"
                for i in (1, 2, 3)
                for j in (1, 2, 3)
                if (i, j) != (2, 3)
            )
            + "  - {tier: rest, otherwise: true}\n",
            [],
            ["rest takes the rest: a 2, b 3"],
            id="a grid of boxes with one missing",
        ),
        pytest.param(
            """\
  - {tier: low, when: n < 5, unknown: skip}
  - {tier: high, when: n >= 5, unknown: skip}
  - {tier: rest, otherwise: true}
""",
            [],
            ["rest takes the rest: n unknown"],
            id="a nullable column with < and >= alone",
        ),
        pytest.param(
            """\
  - {tier: low, when: score < 500}
  - {tier: high, when: score >= 500}
  - {tier: rest, otherwise: true}
""",
            ["table rest"],
            [],
            id="nothing left for the last row",
        ),
    ],
)
def test_tables_with_known_answers(
    tmp_path: Path, rows: str, unreached: list[str], reported: list[str]
) -> None:
    strategy = one_scheme(tmp_path, rows)
    assert [r.subject for r in refuted(strategy).values()] == unreached
    assert [t for t in noted(strategy) if "takes the rest" in t or "before" in t] == reported


def test_notes_that_cannot_be_settled_say_so(tmp_path: Path) -> None:
    rows = """\
  - {tier: above_10, when: x > 10}
  - {tier: above_20, when: x * x > 400 and x * n > 7, unknown: skip}
  - {tier: rest, otherwise: true}
"""
    assert noted(one_scheme(tmp_path, rows), Hurried()) == [
        f"above_10 comes before above_20: {UNSURE}",
        f"rest takes the rest: {UNSURE}",
    ]


def test_the_order_of_too_many_rows_is_not_looked_at(tmp_path: Path) -> None:
    rows = "".join(f"  - {{tier: t{n}, when: x > {n}}}\n" for n in range(40))
    strategy = one_scheme(tmp_path, rows + "  - {tier: rest, otherwise: true}\n")
    assert noted(strategy) == ["41 rows: beyond 40, their order is not looked at"]


def test_a_row_of_a_sheet_is_reported_of_in_its_sheet(tmp_path: Path) -> None:
    files = {name: text for name, text in SMALL.items() if name != "segments.yaml"}
    table = "id,behaviour,segment\nlate,late,trace\nnew,new,chase\nrest,any,leave\n"
    strategy = sound(tmp_path, {**files, "segments.csv": table})
    found = results(strategy)["row-reached segments new"]
    assert (found.file, found.line) == ("rules/segments.csv", 3)


def test_a_covered_row_names_the_rows_that_cover_it(tmp_path: Path) -> None:
    rows = """\
  - {tier: low, when: score < 300}
  - {tier: high, when: score >= 700}
  - {tier: other, when: ratio > 2}
  - {tier: ends, when: score < 200 or score > 800}
  - {tier: rest, otherwise: true}
"""
    (result,) = refuted(one_scheme(tmp_path, rows)).values()
    assert result.subject == "table ends"
    assert '"low" (line 2), "high" (line 3) take all it would' in result.fault
    assert "other" not in result.fault


# -- what each claim catches ---------------------------------------------------------------------

# The small strategy with nothing to refute: whoever may not go to the agency gets a letter.
SAFE = {
    **SMALL,
    "guards.yaml": SMALL["guards.yaml"].replace(
        "needs: days_past_due >= 60", "needs: days_past_due >= 60\n  instead: letter"
    ),
}


def safely(file: str, old: str, new: str) -> dict[str, str]:
    """The safe strategy's file with one text replaced."""
    assert SAFE[file].count(old) == 1
    return {file: SAFE[file].replace(old, new)}


def with_guard(text: str) -> dict[str, str]:
    return {"guards.yaml": SAFE["guards.yaml"] + text}


@pytest.mark.parametrize(
    ("files", "names"),
    [
        ({}, []),
        (safely("guards.yaml", "- guard: vulnerable\n  when: is_vulnerable\n  never: [agency]\n"
                "  instead: letter", "- guard: vulnerable\n  when: is_vulnerable\n"
                "  never: [agency]\n  instead: sms"), []),
        (with_guard("- guard: x\n  when: days_past_due < 60\n  never: [letter]\n"),
         ["instead-lawful old", "instead-lawful vulnerable"]),
        (safely("guards.yaml", "needs: days_past_due >= 60", "needs: days_past_due < 0"),
         ["step-taken trace day 10 agency"]),
        (safely("guards.yaml", "when: on_plan", "when: on_plan and days_past_due < 0"),
         ["guard-used plan"]),
        (safely("tiers.yaml", "days_past_due > 30", "days_past_due > 30 and days_past_due < 9"),
         ["row-reached behaviour late"]),
        (with_guard("- prove: not (risk = 'low' and action <> 'none')\n  name: mild\n"),
         ["declared mild"]),
        (with_guard("- prove: p > 0.1 or action <> 'sms'\n  name: unsaid\n"),
         ["declared unsaid"]),
        (with_guard("- prove: p >= 0.1 or action <> 'sms'\n  name: unsaid\n  unknown: match\n"),
         []),
        (safely("tiers.yaml", "when: days_past_due > 30",
                "when: days_past_due > 30 or is_vulnerable is true"),
         ["protection is_vulnerable"]),
    ],
)  # fmt: skip
def test_each_claim_catches_its_fault(
    tmp_path: Path, files: Mapping[str, str], names: list[str]
) -> None:
    strategy = sound(tmp_path, {**SAFE, **files})
    found = refuted(strategy)
    assert sorted(found) == sorted(names), {n: r.fault for n, r in found.items()}
    assert {r.verdict for r in found.values()} <= {"refuted"}


AGENCY = "{name: agency, channel: file}"


@pytest.mark.parametrize(
    ("action", "special", "names"),
    [
        ("significant: true", "", []),
        ("significant: true, automatic: true", "", ["people-decide is_vulnerable"]),
        ("significant: true, automatic: true", "special_category: [on_plan]\n",
         ["people-decide on_plan"]),
        ("significant: true, automatic: true", "special_category: []\n", []),
    ],
)  # fmt: skip
def test_no_automatic_action_depends_on_a_special_category(
    tmp_path: Path, action: str, special: str, names: list[str]
) -> None:
    head = SAFE["strategy.yaml"].replace(AGENCY, AGENCY.replace("}", f", {action}}}"))
    found = refuted(sound(tmp_path, {**SAFE, "strategy.yaml": head + special}))
    assert sorted(found) == names
    for name in names:
        before, after = found[name].accounts
        assert {n for n in after if after[n] != before[n]} == {name.split()[1]}


def test_an_automatic_action_keeps_whatever_no_special_category_decides(tmp_path: Path) -> None:
    """A text message goes to everybody who is late, vulnerable or not, unless a hold stops it."""
    sms = "{name: sms, channel: sms}"
    automatic = sms.replace("}", ", significant: true, automatic: true}")
    head = SAFE["strategy.yaml"].replace(sms, automatic)
    strategy = sound(tmp_path, {**SAFE, "strategy.yaml": head})
    assert results(strategy)["people-decide is_vulnerable"].verdict == "proved"


def test_protection_counts_what_was_done_on_earlier_days(tmp_path: Path) -> None:
    """With the flag the agency becomes a letter; without it an agency too early becomes nothing,
    and nothing had been done before."""
    found = refuted(sound(tmp_path, SMALL))
    assert sorted(found) == ["protection is_vulnerable"]
    without, with_ = found["protection is_vulnerable"].accounts
    assert {n for n in with_ if with_[n] != without[n]} == {"is_vulnerable"}
    # After a letter on an earlier day of that path another is no harsher.
    once = "steps: [{day: 10, action: agency}]"
    twice = "steps: [{day: 2, action: letter}, {day: 10, action: agency}]"
    assert refuted(sound(tmp_path, changed("paths.yaml", once, twice))) == {}


@pytest.mark.parametrize(
    ("means", "names"),
    [
        ("means: support", []),
        ("means: [support, letter]", []),
        ("means: [support, agency]", ["protection is_vulnerable"]),
        ("means: support, significant: true", ["protection is_vulnerable"]),
        ("means: letter", ["protection is_vulnerable"]),
    ],
)
def test_help_is_no_harsher_than_nothing(tmp_path: Path, means: str, names: list[str]) -> None:
    letter = "{name: letter, channel: post"
    files = changed("strategy.yaml", letter, f"{letter}, {means}")
    assert sorted(refuted(sound(tmp_path, files))) == names


def test_harm_is_harsher_than_help(tmp_path: Path) -> None:
    """The flag turns an offer of help into a letter."""
    files = {
        **changed("strategy.yaml", "{name: agency,", "{name: agency, means: support,"),
        "guards.yaml": "- {guard: g, when: is_vulnerable, never: [agency], instead: letter}\n",
    }
    assert sorted(refuted(sound(tmp_path, files))) == ["protection is_vulnerable"]


@pytest.mark.parametrize("pack", ["au-energy", "gb-energy", "gb-water", "us-collections"])
def test_the_starter_with_a_pack_is_proved(tmp_path: Path, pack: str) -> None:
    """Its harshest actions taken for the harshest the pack speaks of."""
    files = {file.name: file.read_text(encoding="utf-8") for file in STARTER.glob("*.yaml")}
    files["guards.yaml"] += f"- include: {pack}\n"
    head = files["strategy.yaml"]
    for old, new in (
        ("field, contact: true}", "field, contact: true, means: [visit, disconnection]}"),
        ("four_eyes: true}", "four_eyes: true, means: [prepayment_meter, flow_limiter]}"),
        ("phone, contact: true}", "phone, contact: true, means: automated_call}"),
    ):
        assert head.count(old) == 1
        head = head.replace(old, new)
    files["strategy.yaml"] = head
    strategy = sound(tmp_path, files, catalogue_facts())
    assert {n: r.fault for n, r in refuted(strategy).items()} == {}


def test_an_example_to_paste(tmp_path: Path) -> None:
    account = {
        "p": Decimal("0.150000"),
        "owed": Decimal("40"),
        "note": "no",
        "as_of": date(2026, 3, 2),
        "hold_from": None,
    }
    decision = {"segment": "s", "path": "p", "action": "none"}
    text = example("refutes x: y", account, decision, margin="")
    assert yaml.safe_load(text) == [
        {
            "example": "refutes x: y",
            "given": {
                "as_of": date(2026, 3, 2),
                "hold_from": None,
                "note": "no",
                "owed": 40,
                "p": 0.15,
            },
            "expect": {"segment": "s", "path": "p", "action": "none"},
        }
    ]


# -- what is assumed -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        (STARTER / "examples.yaml").read_text(encoding="utf-8"),
        (STARTER.parent / "account-file" / "examples.yaml").read_text(encoding="utf-8"),
        "examples:\n- example: flush\n  given: {}\n",
        "defaults: {}\nexamples:  # some\n\n    # deep\n    - {example: deep}\n",
        "examples:\n",
    ],
    ids=["household-utility", "account-file", "flush", "deep", "none yet"],
)
def test_pasted_at_the_end_of_the_examples_it_is_one_of_them(text: str) -> None:
    before = yaml.safe_load(text)["examples"] or []
    decision = {"segment": "s", "path": "p", "action": "none"}
    pasted = text + example("new", {"as_of": date(2026, 3, 2)}, decision, margin=margin_of(text))
    after = yaml.safe_load(pasted)["examples"]
    assert after[:-1] == before
    assert after[-1]["expect"] == decision


def test_a_relation_is_taken_for_granted(tmp_path: Path) -> None:
    facts = {n: Fact(n, Kind.INTEGER, lower=Decimal(0)) for n in ("few", "many")}
    files = {
        "strategy.yaml": "name: one\npurpose: a table\nowner: tests\nactions: []\n",
        "tiers.yaml": "t:\n  - {tier: odd, when: few > many}\n  - {tier: rest, otherwise: true}\n",
        "segments.yaml": "columns: [t]\nrows:\n  - {id: all, match: [any], segment: s}\n",
        "paths.yaml": "p: {for: [s], starts: as_of}\n",
    }
    strategy = sound(tmp_path, files, facts)
    assert refuted(strategy) == {}
    known = check("few <= many", strategy.facts, Problems())
    assert known is not None
    found = results(strategy, Granted(relations=(known,)))
    assert found["row-reached t odd"].verdict == "refuted"


# -- two strategies ------------------------------------------------------------------------------


def turns(folder: Path, files: Mapping[str, str]) -> list[tuple[str, ...]]:
    (folder / "old").mkdir()
    (folder / "new").mkdir()
    old, new = sound(folder / "old", SMALL), sound(folder / "new", {**SMALL, **files})
    found = meaning(old, new, Granted(), Asker())
    assert not found.unsure
    return [
        (t.outcome, f"{t.before} -> {t.after}", *(", ".join(r) for r in t.regions))
        for t in found.turns
    ]


def test_one_cut_moved(tmp_path: Path) -> None:
    found = turns(tmp_path, changed("strategy.yaml", "low: 0.1,", "low: 0.15,"))
    assert found == [
        (
            "segment",
            "chase -> leave",
            "lifecycle live or written_off, 0.1 ≤ p < 0.15, behaviour new or late",
        )
    ]


def test_a_turn_without_an_account_in_time_is_not_settled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
    old = sound(tmp_path / "old", SMALL)
    new = sound(tmp_path / "new", changed("strategy.yaml", "low: 0.1,", "low: 0.15,"))
    monkeypatch.setattr(Asker, "example", lambda *_: None)
    found = meaning(old, new, Granted(), Asker())
    assert (found.turns, found.unsure) == ((), (f"segment chase → leave: {UNSURE}",))


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"tiers.yaml": "# other words\nbehaviour:\n"
         "- {tier: new, when: not (months_on_book >= 6), unknown: match}\n"
         "- {tier: late, when: 30 < days_past_due}\n- {otherwise: true, tier: good}\n"},
        {"segments.yaml": SMALL["segments.yaml"].replace(
            "  - {id: closed,", "  - {id: other, match: [written_off, low, new], segment: leave}\n"
            "  - {id: closed,")},
    ],
    ids=["itself", "written otherwise", "a row that says what another says"],
)  # fmt: skip
def test_no_difference_in_meaning(tmp_path: Path, files: Mapping[str, str]) -> None:
    assert turns(tmp_path, files) == []


def test_a_step_moved_is_reported_by_its_days(tmp_path: Path) -> None:
    found = turns(tmp_path, changed("paths.yaml", "{day: 3, action: sms,", "{day: 5, action: sms,"))
    assert {f[1]: [part for part in f[2].split(", ") if "days since" in part] for f in found} == {
        "sms -> none": ["days since episode_started_on 3 to 4"],
    }


def test_facts_of_the_small_strategy_vary() -> None:
    """Else the random accounts above would test little."""
    assert len(FACTS) > 10

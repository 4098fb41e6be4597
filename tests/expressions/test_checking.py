"""What the language takes and refuses, with which Problem, and what type it finds."""

from __future__ import annotations

import datetime
from decimal import Decimal

import pytest

from riskseg.domain.facts import Fact, Kind
from riskseg.domain.problems import Problem, Problems
from riskseg.expressions import Expression, check, show

FACTS = [
    Fact("bills", Kind.INTEGER),
    Fact("promises", Kind.INTEGER, nullable=True),
    Fact("months", Kind.INTEGER, lower=Decimal(1)),
    Fact("debt", Kind.INTEGER, upper=Decimal(-1)),
    Fact("balance", Kind.DECIMAL),
    Fact("p_late", Kind.DECIMAL, nullable=True),
    Fact("usage", Kind.NUMBER),
    Fact("reading", Kind.NUMBER, nullable=True),
    Fact("as_of", Kind.DATE),
    Fact("hold_until", Kind.DATE, nullable=True),
    Fact("is_live", Kind.BOOLEAN),
    Fact("is_vulnerable", Kind.BOOLEAN, nullable=True),
    Fact("tariff", Kind.TEXT),
    Fact("region", Kind.TEXT, nullable=True),
    Fact("band", Kind.LEVEL, levels=("low", "high", "unscored")),
    Fact("stage", Kind.LEVEL, levels=("early", "late")),
    Fact("order", Kind.INTEGER),
    Fact("My Column", Kind.INTEGER),
]
SCOPE = {fact.name: fact for fact in FACTS}


def checked(text: object, **how: object) -> tuple[Expression | None, list[Problem]]:
    problems = Problems()
    found = check(text, SCOPE, problems, file="tiers.yaml", line=7, **how)  # type: ignore[arg-type]
    return found, list(problems)


def codes(text: object, **how: object) -> list[str]:
    found, problems = checked(text, **how)
    assert (found is None) == bool(problems), "None exactly where there are Problems"
    return sorted({problem.code for problem in problems})


CONDITIONS = [
    "is_live",
    "true",
    "not is_live",
    "bills >= 2",
    "bills == 2",
    "bills != 2 and balance <> 0",
    "balance > 10 or usage < 0.5",
    "balance > bills",
    "usage > balance",
    "bills in (1, 2, -3)",
    "bills in (1, 2.5)",
    "bills not in (1, 2)",
    "balance between 1 and 2.5",
    "balance not between 1 and 2.5",
    "as_of between '2026-01-01' and date '2026-12-31'",
    "as_of > '2026-01-01'",
    "'2026-01-01' < as_of",
    "as_of in ('2026-01-01', date '2026-01-02')",
    "as_of + 3 > as_of - bills",
    "as_of - date '2026-01-01' > 30",
    "days_between('2026-01-01', as_of) > 30",
    "add_days(as_of, 3) > '2026-01-01'",
    "month(as_of) in (12, 1, 2) and year(as_of) > 2025",
    "day_of_week(as_of) = 1 or day_of_month(as_of) = 31",
    "tariff = 'O''Brien'",
    "band = 'low'",
    "band in ('low', 'high')",
    "band = tariff",
    "case when is_live then 'low' else 'high' end = band",
    "case band when 'low' then 1 when 'high' then 2 else 3 end > 1",
    "is_live = true",
    "is_live = (bills > 1)",
    "promises is null",
    "is_vulnerable is true",
    "is_vulnerable is not false",
    "(balance * 1.5 - usage) / 2 > -bills",
    "round(balance / months, 2) > floor(balance) - ceil(usage)",
    "abs(-balance) > greatest(bills, 1)",
    "least(as_of, '2026-01-01') = as_of",
    'order > 1 and "My Column" > 1',
    "promises IS NULL",
    "bills > 1 AND is_live",
    "bills = 999999999999999999",
    "balance > 0.000001",
    "balance > .5",
]


@pytest.mark.parametrize("text", CONDITIONS)
def test_a_sound_condition_is_taken(text: str) -> None:
    found, problems = checked(text)
    assert problems == []
    assert found is not None
    assert (found.type.kind, found.type.nullable, found.text) == (Kind.BOOLEAN, False, text)


@pytest.mark.parametrize("text", CONDITIONS)
def test_what_is_shown_means_the_same(text: str) -> None:
    first, _ = checked(text)
    assert first is not None
    again, problems = checked(show(first.tree))
    assert problems == []
    assert again is not None
    assert again.tree == first.tree


REFUSED = [
    # RS301: unreadable
    ("", "RS301"),
    ("   ", "RS301"),
    ("bills >", "RS301"),
    ("(bills > 1", "RS301"),
    ("bills > 'a", "RS301"),
    ("bills is_live", "RS301"),
    ("bills > 1\0", "RS301"),
    # RS302: readable, outside the language
    ("select 1", "RS302"),
    ("drop table accounts", "RS302"),
    ("(select 1) > 0", "RS302"),
    ("bills in (select bills)", "RS302"),
    ("exists (select 1)", "RS302"),
    ("exists(from accounts)", "RS302"),
    ("bills > 1; drop table accounts", "RS302"),
    ("bills > 1 -- and is_live", "RS302"),
    ("bills > 1 /* and is_live */", "RS302"),
    ("accounts.bills > 1", "RS302"),
    ("main.accounts.bills > 1", "RS302"),
    ("*", "RS302"),
    ("count(*) > 1", "RS302"),
    ("columns(*) > 1", "RS302"),
    ("sum(bills) over () > 1", "RS302"),
    ("read_csv('secrets.csv')", "RS302"),
    ("getenv('HOME') = 'a'", "RS302"),
    ("cast(bills as double) > 1", "RS302"),
    ("bills::double > 1", "RS302"),
    ("timestamp '2026-01-01' > as_of", "RS302"),
    ("tariff || 'x' = 'ax'", "RS302"),
    ("tariff = 'a' 'b'", "RS302"),
    ("tariff like 'a%'", "RS302"),
    ("tariff similar to 'a'", "RS302"),
    ("bills > ?", "RS302"),
    ("bills > $1", "RS301"),
    ("bills > :limit", "RS302"),
    ("as_of + interval 3 day > as_of", "RS302"),
    ("current_date > as_of", "RS302"),
    ("now() > as_of", "RS302"),
    ("bills % 2 = 0", "RS302"),
    ("bills // 2 = 0", "RS302"),
    ("bills ** 2 = 0", "RS302"),
    ("bills is distinct from 2", "RS302"),
    ("bills is 2", "RS302"),
    ("bills in bills", "RS302"),
    ("bills in (months, 2)", "RS302"),
    ("bills in (1 + 1)", "RS302"),
    ("bills in ()", "RS302"),
    ("balance between symmetric 1 and 2", "RS302"),
    ("(bills, months) = (1, 2)", "RS302"),
    ("bills[1] > 1", "RS302"),
    ("[bills] = [1]", "RS302"),
    ("{'a': bills} = 1", "RS302"),
    ("if(is_live, true, false)", "RS302"),
    ("try(bills) > 1", "RS302"),
    ("coalesce(distinct promises, 1) > 1", "RS302"),
    ("balance > 1e5", "RS302"),
    ("balance > 0.0000001", "RS302"),
    ("balance > 1234567890123456789", "RS302"),
    ("round(balance, bills) > 1", "RS302"),
    ("round(balance, 7) > 1", "RS302"),
    ("nullif(bills, months) > 1", "RS302"),
    # RS303: unknown names
    ("blance > 1", "RS303"),
    # RS304: kinds
    ("bills", "RS304"),
    ("tariff", "RS304"),
    ("null", "RS304"),
    ("bills and is_live", "RS304"),
    ("not bills", "RS304"),
    ("tariff > 'a'", "RS304"),
    ("band between 'a' and 'b'", "RS304"),
    ("tariff = 1", "RS304"),
    ("tariff in (1, 2)", "RS304"),
    ("is_live = 1", "RS304"),
    ("is_live > true", "RS304"),
    ("is_live = 'true'", "RS304"),
    ("1 < bills < 3", "RS304"),
    ("as_of > 1", "RS304"),
    ("as_of > 'soon'", "RS304"),
    ("as_of > '2026-02-30'", "RS304"),
    ("as_of > date '2026-13-01'", "RS304"),
    ("as_of > tariff", "RS304"),
    ("as_of + 1.5 > as_of", "RS304"),
    ("as_of + as_of > as_of", "RS304"),
    ("3 - as_of > 1", "RS304"),
    ("as_of * 2 > 1", "RS304"),
    ("tariff + 1 > 1", "RS304"),
    ("-tariff = 1", "RS304"),
    ("coalesce(promises, 'a') = 1", "RS304"),
    ("coalesce(null, null) = 1", "RS304"),
    ("coalesce(promises) = 1", "RS304"),
    ("case when is_live then 1 else 'a' end = 1", "RS304"),
    ("case when bills then 1 else 2 end = 1", "RS304"),
    ("greatest(tariff, 'a') = 'a'", "RS304"),
    ("year(balance) = 1", "RS304"),
    ("year() = 1", "RS304"),
    ("abs(tariff) = 1", "RS304"),
    ("abs(balance, 1) = 1", "RS304"),
    ("days_between(as_of, 'soon') = 1", "RS304"),
    # RS305: unknown and not provided for
    ("promises > 1", "RS305"),
    ("is_vulnerable", "RS305"),
    ("not is_vulnerable", "RS305"),
    ("promises = null", "RS305"),
    ("null <> bills", "RS305"),
    ("bills in (1, null)", "RS305"),
    ("null is null", "RS305"),
    ("bills + null > 1", "RS305"),
    ("greatest(promises, 1) > 1", "RS305"),
    ("greatest(promises, 1) is not null and is_live", "RS305"),
    ("case when promises > 1 then true else false end", "RS305"),
    ("case promises when 1 then true else false end", "RS305"),
    ("case when is_live then true end", "RS305"),
    ("nullif(bills, 0) > 1", "RS305"),
    # RS306: divided by what can be zero
    ("balance / bills > 1", "RS306"),
    ("balance / 0 > 1", "RS306"),
    ("balance / (months - 1) > 1", "RS306"),
    # RS307: never equal
    ("band = 'hgih'", "RS307"),
    ("'hgih' <> band", "RS307"),
    ("band in ('low', 'hgih')", "RS307"),
    ("band = stage", "RS307"),
    ("nullif(band, 'hgih') is null", "RS307"),
    ("case when is_live then 'low' else 'hgih' end = stage", "RS307"),
    ("case band when 'hgih' then true else false end", "RS307"),
]


@pytest.mark.parametrize(("text", "code"), REFUSED)
def test_what_is_refused_and_why(text: str, code: str) -> None:
    assert codes(text) == [code]


def test_all_faults_are_reported_together_with_file_and_line() -> None:
    _, problems = checked("blance > 1 and band = 'hgih' and tarif = 'a' and tariff like 'b'")
    assert sorted(problem.code for problem in problems) == ["RS302", "RS303", "RS303", "RS307"]
    assert {problem.where for problem in problems} == {"tiers.yaml:7"}
    assert any('"blance" is not known here. Did you mean "balance"?' in str(p) for p in problems)
    assert any("is never 'hgih'. Did you mean \"high\"?" in str(p) for p in problems)


def test_an_unknown_condition_names_its_facts_and_the_mends() -> None:
    _, (problem,) = checked("promises > 1 and balance > 2 and p_late > 0.5")
    assert problem.code == "RS305"
    assert "because of p_late and promises" in problem.what
    for hint in ("is null", "coalesce", "unknown: match", "unknown: skip"):
        assert hint in problem.hint


def test_may_be_unknown_lets_a_condition_be_unknown_but_not_its_parts() -> None:
    found, problems = checked("promises > 1", may_be_unknown=True)
    assert problems == []
    assert found is not None
    assert found.type.nullable
    assert codes("least(promises, 1) > 1", may_be_unknown=True) == ["RS305"]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (True, "true"),
        (3, "3"),
        (2.5, "2.5"),
        (datetime.date(2026, 3, 2), "date '2026-03-02'"),
    ],
)
def test_plain_yaml_values_are_expressions(value: object, shown: str) -> None:
    found, problems = checked(value, expect="value")
    assert problems == []
    assert found is not None
    assert show(found.tree) == shown


@pytest.mark.parametrize("value", [None, [1], {"a": 1}, datetime.datetime(2026, 1, 1)])
def test_other_yaml_values_are_not(value: object) -> None:
    assert codes(value, expect="value") == ["RS301"]


@pytest.mark.parametrize(
    ("text", "kind", "nullable", "levels"),
    [
        ("bills + 1", Kind.INTEGER, False, ()),
        ("bills + 1.5", Kind.DECIMAL, False, ()),
        ("bills / 2", Kind.DECIMAL, False, ()),
        ("balance * usage", Kind.NUMBER, False, ()),
        ("-promises", Kind.INTEGER, True, ()),
        ("floor(balance)", Kind.INTEGER, False, ()),
        ("floor(usage)", Kind.NUMBER, False, ()),
        ("round(bills, 2)", Kind.INTEGER, False, ()),
        ("round(p_late, 2)", Kind.DECIMAL, True, ()),
        ("as_of - hold_until", Kind.INTEGER, True, ()),
        ("as_of - 7", Kind.DATE, False, ()),
        ("7 + as_of", Kind.DATE, False, ()),
        ("coalesce(hold_until, '2026-01-01')", Kind.DATE, False, ()),
        ("coalesce(promises, p_late)", Kind.DECIMAL, True, ()),
        ("coalesce(promises, p_late, 0)", Kind.DECIMAL, False, ()),
        ("nullif(bills, 0)", Kind.INTEGER, True, ()),
        ("band", Kind.LEVEL, False, ("low", "high", "unscored")),
        ("region", Kind.TEXT, True, ()),
        ("coalesce(region, 'none')", Kind.TEXT, False, ()),
        (
            "case when is_live then stage else 'gone' end",
            Kind.LEVEL,
            False,
            ("early", "late", "gone"),
        ),
        ("case when is_live then 'a' end", Kind.LEVEL, True, ("a",)),
        ("case when is_live then region else 'a' end", Kind.TEXT, True, ()),
        ("case when is_live then null else 1.5 end", Kind.DECIMAL, True, ()),
        ("promises > 1", Kind.BOOLEAN, True, ()),
    ],
)
def test_types(text: str, kind: Kind, nullable: bool, levels: tuple[str, ...]) -> None:
    found, problems = checked(text, expect="value")
    assert problems == []
    assert found is not None
    assert (found.type.kind, found.type.nullable) == (kind, nullable)
    assert found.type.levels == levels


# Each is unknown nowhere only because one part is read knowing what another tells.
NARROWED = [
    "promises is not null and promises > 3",
    "promises > 3 and promises is not null",
    "promises is null or promises > 3",
    "promises > 3 or promises is null",
    "not (promises is null) and promises > 3",
    "not (promises is not null and promises > 3)",
    "promises is not null and (promises > 3 or promises < 1)",
    "promises is not null and p_late is not null and promises + p_late > 3",
    "(promises is null or p_late is null) or promises > p_late",
    "not (promises is null or p_late is null) and promises > p_late",
    "promises + 1 is not null and promises > 3",
    "is_vulnerable is true and is_vulnerable",
    "is_vulnerable is not true or is_vulnerable",
    "(promises > 3) is true and promises < 9",
    "case when promises is null then false else promises > 3 end",
    "case when promises is not null then promises > 3 else true end",
    "case when promises is null then 0 when promises > 3 then 1 else promises end > 0",
    "coalesce(promises, 0) > 3",
    "coalesce(promises > 3, false)",
    "(promises > 3) is not false",
    "(promises is null) <> true and promises > 3",
    "(promises is null) = false and promises > 3",
]


@pytest.mark.parametrize("text", NARROWED)
def test_narrowing(text: str) -> None:
    assert codes(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "promises is null and promises > 3",
        "promises is not null or promises > 3",
        "p_late is not null and promises > 3",
        "promises is not null or promises is null and promises > 3",
        "(promises is not null or p_late is not null) and promises > 3",
        "(promises is not null and bills > 1) or promises > 3",
        "(promises > 3) is false or promises > 1",
        "(promises is not null) <> true and promises > 3",
        "(promises is not null) = false and promises > 3",
        "promises > 3 and promises < 9",
        "coalesce(promises, p_late) is not null and promises > 3",
    ],
)
def test_what_does_not_narrow(text: str) -> None:
    assert codes(text) == ["RS305"]


@pytest.mark.parametrize(
    "text",
    [
        "balance / 2",
        "balance / -0.5",
        "balance / months",
        "balance / abs(months)",
        "balance / debt",
        "balance / nullif(bills, 0)",
        "balance / coalesce(nullif(bills, 0), 1)",
        "balance / greatest(bills, 1)",
        "balance / least(months, debt)",
        "usage / months",
        "case when bills <> 0 then balance / bills else 0 end",
        "case when bills = 0 then 0 else balance / bills end",
        "case bills when 0 then 0 else balance / bills end",
        "case when bills not in (0, 1) then balance / bills else 0 end",
        "case when bills in (1, 2) then balance / bills else 0 end",
        "balance / case when bills > 0 then bills else 1 end",
        "bills > 0 and balance / bills > 1",
        "0 < bills and balance / bills > 1",
        "bills >= 1 and balance / bills > 1",
        "bills = 2 and balance / bills > 1",
        "bills between 1 and 5 and balance / bills > 1",
        "bills = 0 or balance / bills > 1",
        "not bills <> 0 or balance / bills > 1",
        "usage <> 0 and balance / usage > 1",
        "balance - bills <> 0 and 1 / (balance - bills) > 1",
    ],
)
def test_safe_divisions(text: str) -> None:
    assert codes(text, expect="value") == []


@pytest.mark.parametrize(
    "text",
    [
        "balance / nullif(bills, 1)",
        "balance / coalesce(nullif(bills, 0), 0)",
        "balance / greatest(bills, 0)",
        "balance / least(bills, 1)",
        "balance / round(months / 3, 0)",
        "bills >= 0 and balance / bills > 1",
        "bills < 1 and balance / bills > 1",
        "bills <> 1 and balance / bills > 1",
        "bills <> 0 or balance / bills > 1",
        "months <> 0 and balance / bills > 1",
        "case when bills in (0, 1) then balance / bills else 0 end",
        "case when bills = 0 then balance / bills else 0 end",
        "balance / bills > 1 and bills <> 0",
    ],
)
def test_unsafe_divisions(text: str) -> None:
    assert codes(text, expect="value") == ["RS306"]


def test_names_are_those_the_text_names() -> None:
    found, _ = checked("bills > 1 and coalesce(promises, 0) between bills and months")
    assert found is not None
    assert found.names == {"bills", "promises", "months"}


def nested_between(depth: int) -> str:
    text = "bills"
    for _ in range(depth):
        text = f"case when {text} between 0 and 1 then 1 else 2 end"
    return f"{text} > 1"


@pytest.mark.parametrize(
    "text",
    [
        "(" * 5_000 + "is_live" + ")" * 5_000,
        "(" * 900 + "is_live" + ")" * 900,
        "not " * 1_500 + "is_live",
        "- " * 900 + "bills > 1",
        "case when " * 300 + "is_live" + " then true else false end" * 300,
        " + ".join(["bills"] * 900) + " > 1",
        "coalesce(" * 300 + "bills" + ", 1)" * 300 + " > 1",
        nested_between(20),
        "is_live and " * 20_000 + "is_live",
    ],
)
def test_the_too_deep_and_the_too_long_are_problems(text: str) -> None:
    assert codes(text) == ["RS302"]


def test_a_long_flat_condition_is_fine() -> None:
    assert codes(" or ".join(["bills = 1"] * 400)) == []
    assert codes("(" * 15 + " and ".join(["bills = 1"] * 400) + ")" * 15) == []


def test_a_name_with_a_blank_is_shown_in_quotes() -> None:
    _, problems = checked("Pay Method = 'Cash' and bills > 1")
    (problem,) = problems
    assert (problem.code, problem.hint) == (
        "RS301",
        'A name with a blank in it stands in double quotes: "Pay Method".',
    )

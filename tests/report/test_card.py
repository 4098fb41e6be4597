"""The model card: what is on the page, what is said where something is not, and that it is safe."""

from __future__ import annotations

import math
import re
import sys
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest

from riskseg.learning.evidence.checks import beyond_chance, checks
from riskseg.learning.evidence.limits import limits
from riskseg.learning.evidence.model import Evidence, Judged
from riskseg.learning.manifest import Manifest
from riskseg.learning.reference import Reference
from riskseg.learning.words import held, times
from riskseg.report.drawing import Scale
from riskseg.report.model_card import card
from riskseg.results.interval import Interval
from riskseg.results.model_evidence import ModelCheck
from tests.support.manifests import manifest_json

Plain = dict[str, Any]

NUMBERS = {
    "late_bills_12m": ("{value} bills paid late in 12 months", 1),
    "max_dpd_12m": ("at most {value} days past due in 12 months", 1),
    "balance_overdue": ("{value} overdue", 1),
    "months_on_book": ("{value} months on book", -1),
    "mean_days_to_pay_6m": ("pays after {value} days on average", 1),
    "payments_6m": ("{value} payments in 6 months", -1),
    "last_bill_amount": ("last bill {value}", 0),
    "share_of_bills_paid_in_part_and_by_more_than_one_payment_12m": ("share {value}", 1),
}
OF_A_FILE = """
question: Will any bill falling due in the next 60 days still be unpaid 14 days after it was due?
target: {column: outcome}
hold_out: {share: 0.25}
features: {exclude: [region]}
seed: 7
"""
OF_BILLS = """
question: Will any bill falling due in the next 60 days still be unpaid 14 days after it was due?
target: {event: late, days_past_due: 14, horizon_days: 60}
observe: {every: 30 days, for: 360 days, history: 180 days}
hold_out: {last: 90 days}
population: bills_12m >= 3
features: {exclude: [region]}
seed: 7
"""
MONTHS = [f"2025-{m:02d}" for m in range(4, 13)] + ["2026-01", "2026-02", "2026-03"]


def fixed(value: Any) -> float:
    return round(float(value), 6)


def wilson(bad: float, rows: float) -> list[float]:
    p, z = bad / rows, 1.96
    middle = (p + z * z / (2 * rows)) / (1 + z * z / rows)
    half = z * np.sqrt(p * (1 - p) / rows + z * z / (4 * rows * rows)) / (1 + z * z / rows)
    return [fixed(p), fixed(max(middle - half, 0)), fixed(middle + half)]


def area(label: Any, p: Any) -> list[float]:
    rank = np.argsort(np.argsort(p)) + 1
    bad, good = label.sum(), (1 - label).sum()
    value = (rank[label == 1].sum() - bad * (bad + 1) / 2) / (bad * good)
    half = 0.5 / np.sqrt(bad)
    return [fixed(value), fixed(value - half), fixed(min(value + half, 1))]


def bins(rng: Any, n: int, direction: int = 1) -> list[Plain]:
    cuts = np.cumsum(rng.integers(1, 9, n - 1)).astype(float)
    found: list[Plain] = []
    for k in range(n):
        low, high = (None if k == 0 else cuts[k - 1]), (None if k == n - 1 else cuts[k])
        found.append({"from": low, "to": high})
    found.append({"missing": True})
    for k, b in enumerate(found):
        rows = int(4000 * 0.6**k) + 40
        rate = 0.03 * 1.6 ** (k if direction > 0 else n - k) / 2
        bad = int(rows * min(rate, 0.8))
        points = f"{(n / 2 - k) * 9.37 * direction:.2f}"
        b |= {"count": rows, "bad": bad, "bad_rate": fixed(bad / rows), "points": points}
        b["woe"] = fixed((n / 2 - k) * 0.3)
    return found


def evidence_of(rng: Any, rows: int, shift: float, dates: bool) -> tuple[Plain, Any, Any]:
    margin = rng.normal(shift, 1.5, rows)
    p = np.round(1 / (1 + np.exp(-margin)), 6)
    label = (rng.random(rows) < p).astype(int)
    order = np.argsort(-p)
    caught = np.cumsum(label[order]) / label.sum()
    roc_at = np.unique(np.linspace(0, rows, 101).astype(int))
    bads = np.r_[0, np.cumsum(label[order])][roc_at]
    roc = [
        [fixed((n - b) / (rows - label.sum())), fixed(b / label.sum())]
        for n, b in zip(roc_at, bads, strict=True)
    ]
    grid = np.quantile(p, np.linspace(0, 1, 101))
    curve = [
        [fixed(g), fixed((p[label == 0] <= g).mean()), fixed((p[label == 1] <= g).mean())]
        for g in grid
    ]
    widest = max(curve, key=lambda c: c[1] - c[2])
    groups = []
    for part in np.array_split(np.argsort(p), 10):
        groups.append(
            {
                "low": fixed(p[part].min()),
                "high": fixed(p[part].max()),
                "mean": fixed(p[part].mean()),
                "rate": wilson(label[part].sum(), len(part)),
                "rows": len(part),
                "bad": float(label[part].sum()),
            }
        )
    gains = [
        {
            "share": (k + 1) / 10,
            "caught": fixed(caught[rows * (k + 1) // 10 - 1]),
            "lift": fixed(caught[rows * (k + 1) // 10 - 1] / ((k + 1) / 10)),
        }
        for k in range(10)
    ]
    edges = np.linspace(0, 1, 21)
    good, _ = np.histogram(p[label == 0], edges)
    bad, _ = np.histogram(p[label == 1], edges)
    months = []
    for k, month in enumerate(MONTHS if dates else []):
        these = rng.choice(rows, rows // 3, replace=False)
        measured = {
            "from": f"{month}-03",
            "until": f"{month}-27",
            "part": "hold_out" if k >= 9 else "training",
            "rows": len(these),
            "bad": int(label[these].sum()),
            "auc": area(label[these], p[these]) if label[these].sum() > 10 else None,
            "mean": fixed(p[these].mean()),
            "rate": wilson(label[these].sum(), len(these)),
            "psi": fixed(0.004 + 0.01 * k * rng.random()),
        }
        months.append(measured)
    effects = []
    for n, (name, (said, direction)) in enumerate(NUMBERS.items()):
        values = np.unique(np.round(np.quantile(rng.gamma(1.2, 8, 900), np.linspace(0, 1, 14))))
        size = 0.35 / (n + 1) ** 0.7
        points = [
            {
                "value": float(v),
                "margin": fixed(size * (k - 5) * (direction or 0.3)),
                "share": fixed(0.95 / len(values)),
            }
            for k, v in enumerate(values)
        ]
        if n % 2 == 0:
            points.append({"value": None, "margin": fixed(size), "share": 0.05})
        effects.append(
            {
                "feature": name,
                "words": said,
                "kind": "number",
                "direction": direction,
                "points": points,
            }
        )
    levels = [
        ("direct debit", -0.4, 0.6),
        ("card", 0.2, 0.2),
        ("cash at the post office", 0.7, 0.1),
        ("standing order", -0.2, 0.06),
        (None, 0.3, 0.04),
    ]
    effects.append(
        {
            "feature": "payment_method",
            "words": "",
            "kind": "text",
            "direction": 0,
            "points": [{"value": v, "margin": m, "share": s} for v, m, s in levels],
        }
    )
    effects.append(
        {
            "feature": "has_plan",
            "words": "on a plan: {value}",
            "kind": "boolean",
            "direction": 1,
            "points": [
                {"value": False, "margin": -0.05, "share": 0.9},
                {"value": True, "margin": 0.5, "share": 0.1},
            ],
        }
    )
    auc = area(label, p)
    evidence: Plain = {
        "format": 1,
        "learner": "scorecard",
        "intervals": {
            "auc": auc,
            "ks": [fixed(widest[1] - widest[2] + d) for d in (0, -0.05, 0.05)],
            "brier": [0.0712, 0.0651, 0.0774],
            "log_loss": [0.2431, 0.2262, 0.2603],
            "expected_calibration_error": [0.0061, 0.004, 0.0121],
            "calibration_slope": [0.98, 0.9, 1.06],
            "calibration_intercept": [0.02, -0.06, 0.1],
        },
        "roc": roc,
        "ks": {"value": fixed(widest[1] - widest[2]), "at": widest[0], "curve": curve},
        "calibration": groups,
        "gains": gains,
        "distribution": {
            "edges": [fixed(x) for x in edges],
            "good": [fixed(x) for x in good / good.sum()],
            "bad": [fixed(x) for x in bad / bad.sum()],
        },
        "by_snapshot": months,
        "stability": {
            "probability": {"psi": 0.0123, "by_chance": 0.0041},
            "features": [
                {
                    "feature": name,
                    "psi": fixed(0.15 / (n + 1) ** 2 / len(part) * 8),
                    "by_chance": 0.0031,
                    "part": part,
                }
                for n, name in enumerate([*NUMBERS, "payment_method", "has_plan"])
                for part in (("training halves", "hold-out") if n % 3 == 0 else ("hold-out",))
            ],
        },
        "effects": effects,
        "monotone": [
            {"feature": name, "direction": way, "violations": 0, "worst": 0.0, "constrained": True}
            for name, (_, way) in NUMBERS.items()
            if way
        ],
        "cohorts": [],
        "protected": [],
        "learning_curve": [],
    }
    return evidence, label, p


def cohorts(rng: Any, label: Any, p: Any) -> list[Plain]:
    found = []
    for attribute, levels in (
        ("region", ["north", "south", "east", "the far western isles", None]),
        ("is_vulnerable", [True, False]),
    ):
        drawn = rng.integers(0, len(levels), len(p))
        drawn[rng.random(len(p)) < 0.6] = 0
        if len(levels) > 2:
            drawn[(drawn == 3) & (rng.random(len(p)) < 0.9)] = 1
        for k, level in enumerate(levels):
            these = np.flatnonzero(drawn == k)
            bad = int(label[these].sum())
            found.append(
                {
                    "attribute": attribute,
                    "level": level,
                    "rows": len(these),
                    "bad": bad,
                    "auc": area(label[these], p[these]) if bad >= 10 else None,
                    "expected_calibration_error": 0.01,
                    "mean": fixed(p[these].mean()),
                    "rate": wilson(bad, len(these)),
                    "above_cut": wilson((p[these] >= 0.2).sum(), len(these)),
                    "cut": 0.2,
                }
            )
    return found


def manifest_of(learner: str, label: Any, dates: bool) -> Plain:
    def metrics(auc: float) -> Plain:
        return {
            "auc": auc,
            "gini": fixed(2 * auc - 1),
            "ks": 0.381,
            "brier": 0.0712,
            "log_loss": 0.2431,
            "expected_calibration_error": 0.0061,
            "calibration_slope": 0.98,
            "calibration_intercept": 0.02,
            "lift_by_decile": [3.1, 2.0, 1.4, 1.0, 0.8, 0.6, 0.4, 0.3, 0.2, 0.1],
        }

    def counts(rows: int, bad: int, parties: int, days: tuple[str | None, str | None]) -> Plain:
        several = {"rows": rows, "bad": bad, "stands_for": float(rows), "parties": parties}
        return several | {"from": days[0], "until": days[1]}

    training, held = (
        [("2025-04-03", "2025-12-27"), ("2026-01-03", "2026-03-27")] if dates else [(None,) * 2] * 2
    )
    facts = [(n, "integer", said, way) for n, (said, way) in NUMBERS.items()]
    facts += [("payment_method", "text", "", 0), ("has_plan", "boolean", "on a plan: {value}", 1)]
    return manifest_json(
        OF_BILLS if dates else OF_A_FILE,
        name="late_payment",
        learner=learner,
        form=None,
        champion={
            "learner": learner,
            "why": "lightgbm gains 0.0042 AUC over scorecard, between 0.0011 and 0.0074: not all "
            "of it above 0.01",
            "gain": {"auc": 0.0042, "low": 0.0011, "high": 0.0074},
        },
        population="bills_12m >= 3" if dates else None,
        features=[
            {
                "name": n,
                "kind": k,
                "words": said,
                "unit": "days" if "dpd" in n else "",
                "direction": way,
                "family": "lateness" if "late" in n else "",
                "protected": False,
            }
            for n, k, said, way in facts
        ],
        dropped={
            "region": "excluded by the spec",
            "tariff": "known only as of today",
            "meter_type": "known only as of today",
            "opened_on": "a date",
        },
        notes=["Two of three seeds agreed on 15 leaves."],
        tried={
            "lightgbm": {
                "settings": [
                    {
                        "what": f"{n} leaves, rate 0.05",
                        "log_loss": 0.2431 + n / 10000,
                        "chosen": n == 7,
                    }
                    for n in (7, 15, 31, 63)
                ],
                "calibrations": [{"what": "beta", "log_loss": 0.2422, "chosen": True}],
            },
            "scorecard": {
                "settings": [
                    {"what": "one-way tables alone", "log_loss": 0.2471, "chosen": False},
                    {"what": "with two-way tables", "log_loss": 0.2466, "chosen": True},
                ],
                "calibrations": [
                    {"what": "sigmoid", "log_loss": 0.2466, "chosen": True},
                    {"what": "isotonic", "log_loss": 0.2502, "chosen": False},
                ],
            },
        },
        training=counts(11890, 1402, 3021, training),
        hold_out=counts(len(label), int(label.sum()), 1204, held),
        metrics={
            "scorecard": {"out_of_fold": metrics(0.782345), "hold_out": metrics(0.774321)},
            "lightgbm": {"out_of_fold": metrics(0.786345), "hold_out": metrics(0.779321)},
        },
        fingerprints={"data": "ab" * 32},
        libraries={"python": "3.11.9", "numpy": "2.3.0", "lightgbm": "4.6.0"},
        files={"reference.json": "cd" * 32, "evidence.json": "ef" * 32},
    )


def scorecard_of(rng: Any) -> Plain:
    features = [
        {
            "feature": name,
            "kind": "number",
            "average": "1.20",
            "bins": bins(rng, 3 + n % 5, way or 1),
        }
        for n, (name, (_, way)) in enumerate(NUMBERS.items())
    ]
    levels: list[Plain] = [
        {"levels": ["direct debit", "standing order"]},
        {"levels": ["card"]},
        {"levels": ["cash at the post office", "cheque"]},
        {"other": True},
        {"missing": True},
    ]
    for k, b in enumerate(levels):
        b |= {
            "count": 900 - 200 * k,
            "bad": 40 + 10 * k,
            "points": f"{12 - 9.5 * k:.2f}",
            "bad_rate": fixed((40 + 10 * k) / (900 - 200 * k)),
        }
    features.append(
        {"feature": "payment_method", "kind": "levels", "average": "3.10", "bins": levels}
    )
    one, two = bins(rng, 5), bins(rng, 4)
    points = [[f"{(a - 2) * (b - 2) * 1.73:.2f}" for b in range(len(two))] for a in range(len(one))]
    return {
        "scale": {"score": 600, "odds_good_to_bad": 50, "points_to_double_odds": 20},
        "base": "521.37",
        "dropped": {"last_bill_amount_3m": "information value 0.0021: no more than chance"},
        "features": features,
        "pairs": [
            {
                "features": ["late_bills_12m", "balance_overdue"],
                "bins": [one, two],
                "points": points,
            }
        ],
    }


def reference_of() -> Plain:
    features: Plain = {
        name: {"cuts": [1.0, 4.0, 9.0, 31.5], "shares": [0.2] * 5, "missing": 0.02}
        for name in NUMBERS
    }
    features["payment_method"] = {
        "levels": {"direct debit": 0.6, "card": 0.2},
        "other": 0.16,
        "missing": 0.04,
    }
    features["has_plan"] = {"cuts": [0.0], "shares": [0.0, 1.0], "missing": 0.0}
    return {
        "rows": 11890,
        "probability": {"cuts": [0.1], "shares": [0.5, 0.5], "missing": 0.0},
        "features": features,
    }


def scorecard_champion() -> tuple[Plain, Plain, Plain | None, Plain]:
    """Dated rows, two-way tables, groups, protected attributes, a learning curve."""
    rng = np.random.default_rng(5)
    evidence, label, p = evidence_of(rng, 3900, -2.9, dates=True)
    evidence["cohorts"] = cohorts(rng, label, p)
    evidence["protected"] = [
        {
            "attribute": "is_vulnerable",
            "in_model": False,
            "auc": [0.71, 0.69, 0.73],
            "through": ["late_bills_12m", "payment_method"],
        },
        {"attribute": "is_pensioner", "in_model": False, "auc": [0.55, 0.53, 0.57], "through": []},
    ]
    evidence["learning_curve"] = [
        {
            "share": s,
            "rows": int(11890 * s),
            "bad": int(1402 * s),
            "auc": [fixed(0.78 - 0.005 / s + d / s**0.5) for d in (0, -0.012, 0.012)],
        }
        for s in (0.125, 0.25, 0.5, 0.75, 1.0)
    ]
    return manifest_of("scorecard", label, True), evidence, scorecard_of(rng), reference_of()


def lightgbm_champion() -> tuple[Plain, Plain, Plain | None, Plain]:
    """Dated rows with sampled goods, recalibrated from a parent; one feature turns."""
    rng = np.random.default_rng(6)
    evidence, label, _ = evidence_of(rng, 6000, -4.6, dates=True)
    evidence["learner"] = "lightgbm"
    evidence["monotone"][1] |= {"violations": 2, "worst": 0.0213, "constrained": False}
    manifest = manifest_of("lightgbm", label, True)
    manifest["training"]["stands_for"] = 1402 + 10.0 * (11890 - 1402)
    manifest["parent"] = "0123456789ab"
    manifest["recalibrated"] = {"slope": 1.0, "intercept": -0.213, "since": "2026-01-03"}
    return manifest, evidence, None, reference_of()


def account_file() -> tuple[Plain, Plain, Plain | None, Plain]:
    """No dates, few bads, a note: what an analyst with one small file has."""
    rng = np.random.default_rng(7)
    evidence, label, _ = evidence_of(rng, 250, -1.0, dates=False)
    evidence["monotone"] = []
    manifest = manifest_of("scorecard", label, False)
    manifest["training"] |= {"rows": 750, "bad": 61, "stands_for": 750.0}
    manifest["notes"] = ["Only 61 bad outcomes: nothing was tuned."]
    manifest["tried"] = {}
    return manifest, evidence, scorecard_of(rng) | {"pairs": []}, reference_of()


CASES = {"scorecard": scorecard_champion, "lightgbm": lightgbm_champion, "file": account_file}

CHARTS = {
    "ROC curve": "roc",
    "Kolmogorov-Smirnov": "ks",
    "Calibration, whole range": "calibration",
    "Calibration, where the accounts are": "calibration-near",
    "Gains": "gains",
    "Lift": "lift",
    "Probabilities by outcome": "distribution",
    "AUC by month": "auc-by-month",
    "Predicted and observed by month": "rate-by-month",
    "PSI of the probability by month": "psi-by-month",
    "PSI by feature": "psi-by-feature",
    "How far each feature moves the odds": "strength",
    "The shape of each effect": "effect-1",
    "bins": "bins-1",
    "groups": "cohorts-1",
    "learning curve": "learning-curve",
}
# What is said in the place of a chart whose data are not there.
INSTEAD = {
    "roc": "No ROC curve",
    "ks": "No KS curves",
    "calibration": "No calibration groups",
    "gains": "No gains or lift",
    "distribution": "No distribution by outcome",
    "by_snapshot": "No comparison by month",
    "effects": "No effects were measured",
    "monotone": "No feature has a declared direction",
    "cohorts": "No groups were compared",
    "protected": "No attribute is marked as protected",
    "learning_curve": "No learning curve",
}
DRAWN_FROM = {
    "roc": ["roc"],
    "ks": ["ks"],
    "calibration": ["calibration", "calibration-near"],
    "gains": ["gains", "lift"],
    "distribution": ["distribution"],
    "by_snapshot": ["auc-by-month", "rate-by-month", "psi-by-month"],
    "effects": ["strength", "effect-1"],
    "cohorts": ["cohorts-1"],
    "learning_curve": ["learning-curve"],
}
VOID = {"meta", "br"}


class Page(HTMLParser):
    """The page as a browser reads it: every tag closed by its own, ids, attributes and text."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.ids: list[str] = []
        self.attributes: list[tuple[str, str, str | None]] = []
        self.text: list[str] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value) for name, value in attrs]
        self.ids += [value or "" for name, value in attrs if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value) for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] != "style":
            self.text.append(data)

    @property
    def said(self) -> str:
        return " ".join(" ".join(self.text).split())


def page_of(manifest: Plain, evidence: Plain, scorecard: Plain | None, reference: Plain) -> str:
    """The card of plain data, as files hold it."""
    return card(
        Manifest.model_validate(manifest),
        Evidence.model_validate(evidence),
        scorecard,
        Reference.model_validate(reference),
    )


def checks_of(manifest: Plain, evidence: Plain) -> dict[str, ModelCheck]:
    found = checks(Manifest.model_validate(manifest), Evidence.model_validate(evidence))
    return {check.topic: check for check in found}


def limits_of(manifest: Plain, evidence: Plain) -> list[str]:
    found = limits(Manifest.model_validate(manifest), Evidence.model_validate(evidence))
    return [limit.title for limit in found]


def drawings(page: str) -> dict[str, ET.Element]:
    """Every chart of the page by its key, parsed as XML."""
    found = {}
    for svg_text in re.findall(r"<svg .*?</svg>", page, flags=re.S):
        svg = ET.fromstring(svg_text)  # noqa: S314 (our own text)
        key = svg.attrib["aria-labelledby"].split("-t ")[0]
        assert key not in found
        found[key] = svg
    return found


@pytest.fixture(scope="module")
def data() -> dict[str, tuple[Plain, Plain, Plain | None, Plain]]:
    return {name: make() for name, make in CASES.items()}


@pytest.fixture(scope="module")
def pages(data: dict[str, tuple[Plain, Plain, Plain | None, Plain]]) -> dict[str, str]:
    return {name: page_of(*case) for name, case in data.items()}


def test_every_chart_is_there_where_its_data_are(pages: dict[str, str]) -> None:
    assert set(CHARTS.values()) <= set(drawings(pages["scorecard"]))
    assert set(CHARTS.values()) - {"bins-1", "cohorts-1", "learning-curve"} <= set(
        drawings(pages["lightgbm"])
    )
    assert '<table class="heat">' in pages["scorecard"]
    assert '<table class="heat">' not in pages["lightgbm"]


@pytest.mark.parametrize("part", sorted(INSTEAD))
def test_a_chart_without_data_is_a_sentence(
    data: dict[str, tuple[Plain, Plain, Plain | None, Plain]], pages: dict[str, str], part: str
) -> None:
    manifest, evidence, scorecard, reference = data["scorecard"]
    nothing: Any = [] if isinstance(evidence[part], list) else None
    page = page_of(manifest, evidence | {part: nothing}, scorecard, reference)
    assert INSTEAD[part] in Page(page).said
    assert INSTEAD[part] not in Page(pages["scorecard"]).said
    gone = set(drawings(pages["scorecard"])) - set(drawings(page))
    assert set(DRAWN_FROM.get(part, [])) <= gone


def test_a_card_can_be_made_of_a_manifest_alone(
    data: dict[str, tuple[Plain, Plain, Plain | None, Plain]],
) -> None:
    manifest = Manifest.model_validate(data["lightgbm"][0])
    nothing = Reference(rows=0, probability=None, features={})
    page = card(manifest, Evidence.of_no_outcomes([]), None, nothing)
    assert drawings(page) == {}
    assert "0.779" in Page(page).said
    assert "No table of points: LightGBM ships" in Page(page).said


@pytest.mark.parametrize("case", sorted(CASES))
def test_the_page_is_whole(pages: dict[str, str], case: str) -> None:
    page = Page(pages[case])
    assert len(page.ids) == len(set(page.ids))
    links = {value for tag, name, value in page.attributes if tag == "a" and name == "href"}
    assert links == {f"#{link[1:]}" for link in links if link}
    assert {link[1:] for link in links if link} <= set(page.ids)
    for key, svg in drawings(pages[case]).items():
        assert svg.attrib["role"] == "img"
        assert [child.tag for child in svg][:2] == ["title", "desc"], key
        assert all(child.text for child in list(svg)[:2]), key
        assert svg.attrib["viewBox"]
    assert "<script" not in pages[case]
    # For screen readers and the keyboard: no column without a heading, no frame out of reach.
    assert not re.search(r"<th[^>]*></th>", pages[case])
    assert "<pre>" not in pages[case]
    for outside in ("http", "src=", "@import", "url("):
        assert outside not in pages[case]


@pytest.mark.parametrize("case", sorted(CASES))
def test_nothing_unreadable_is_shown(pages: dict[str, str], case: str) -> None:
    assert re.findall(r"\b(?:nan|None|null|inf|True|False)\b", Page(pages[case]).said) == []
    assert re.findall(r'"-?(?:nan|inf)"|NaN', pages[case]) == []


@pytest.mark.parametrize("case", sorted(CASES))
def test_text_is_large_enough_and_inside_its_chart(pages: dict[str, str], case: str) -> None:
    """At 800 pixels a half-width chart is 366 pixels wide, a third 241 and a whole one 752."""
    shown = {400: 366, 350: 338, 262: 241, 820: 752}
    for key, svg in drawings(pages[case]).items():
        width, height = (float(n) for n in svg.attrib["viewBox"].split()[2:])
        for text in svg.iter("text"):
            size = float(text.attrib["font-size"])
            assert size * shown[int(width)] / width >= 11, key
            x, y = float(text.attrib["x"]), float(text.attrib["y"])
            assert -1 <= x <= width + 1 and 0 <= y <= height, (key, text.text)
            if "transform" in text.attrib:
                continue
            wide = 6.4 * len("".join(text.itertext())) if not list(text) else 0
            start = {"start": x, "middle": x - wide / 2, "end": x - wide}[
                text.attrib["text-anchor"]
            ]
            assert start >= -8 and start + wide <= width + 14, (key, text.text)


@pytest.mark.parametrize("case", sorted(CASES))
def test_the_same_data_make_the_same_page(pages: dict[str, str], case: str) -> None:
    assert page_of(*CASES[case]()) == pages[case]


def test_users_words_are_text_and_never_markup() -> None:
    manifest, evidence, scorecard, reference = scorecard_champion()
    assert scorecard is not None
    bad = "<script>alert('x')</script>&\"\x00"
    old = "late_bills_12m"
    swap = {old: bad, "payment_method": "</style></svg>"}

    def swapped(value: Any) -> Any:
        if isinstance(value, dict):
            return {swap.get(k, k): swapped(v) for k, v in value.items()}
        if isinstance(value, list):
            return [swapped(item) for item in value]
        return swap.get(value, value) if isinstance(value, str) else value

    manifest, evidence, scorecard, reference = (
        swapped(value) for value in (manifest, evidence, scorecard, reference)
    )
    manifest["spec"]["question"] = bad
    manifest["spec"]["target"] = {"column": bad}
    manifest["population"] = manifest["spec"]["population"] = "a < 3 and b > '<b>'"
    manifest["notes"] = [bad]
    manifest["dropped"] = {bad: bad}
    tried = [{"what": bad, "log_loss": 0.4, "chosen": True}]
    manifest["tried"] = {"scorecard": {"settings": tried, "calibrations": tried}}
    manifest["champion"]["why"] = bad
    for cohort in evidence["cohorts"]:
        cohort["attribute"], cohort["level"] = bad, f"{bad}{cohort['level']}"
    scorecard["features"][-1]["bins"][0]["levels"] = [bad]
    page = page_of(manifest, evidence, scorecard, reference)
    assert "<script" not in page and "\x00" not in page
    assert page.count("</style>") == 1
    read = Page(page)
    assert "<script>alert('x')</script>&\"�" in read.said
    assert "a < 3 and b > '<b>'" in read.said
    assert len(drawings(page)) > 20


@pytest.mark.parametrize("case", sorted(CASES))
def test_numbers_are_those_of_the_evidence(
    data: dict[str, tuple[Plain, Plain, Plain | None, Plain]], pages: dict[str, str], case: str
) -> None:
    manifest, evidence, scorecard, _ = data[case]
    said = Page(pages[case]).said
    auc, brier = evidence["intervals"]["auc"], evidence["intervals"]["brier"]
    assert f"{auc[0]:.3f} ({auc[1]:.3f} to {auc[2]:.3f})" in said
    assert f"{brier[0]:.4f} ({brier[1]:.4f} to {brier[2]:.4f})" in said
    assert f"KS {evidence['ks']['value']:.3f}" in said
    assert f"{manifest['hold_out']['rows']:,}" in said
    for group in evidence["calibration"]:
        assert f"{group['bad']:.0f}" in said
    for step in evidence["learning_curve"]:
        assert f"{step['rows']:,} rows, {step['bad']:,} bad: AUC {step['auc'][0]:.3f}" in said
    for group in (*evidence["cohorts"], *evidence["by_snapshot"]):
        if group["auc"]:
            assert f"{group['auc'][0]:.3f} ({group['auc'][1]:.3f} to {group['auc'][2]:.3f})" in said
    for digest in manifest["files"].values():
        assert digest in said
    for row in (scorecard or {"features": []})["features"]:
        assert all(bin_["points"] in said for bin_ in row["bins"])
    for pair in (scorecard or {}).get("pairs", []):
        assert f"{float(pair['points'][0][0]):+.2f}" in said


def test_sampled_goods_count_for_those_not_kept(
    data: dict[str, tuple[Plain, Plain, Plain | None, Plain]], pages: dict[str, str]
) -> None:
    said = Page(pages["lightgbm"]).said
    assert "one good in 10 was kept" in said
    training = data["lightgbm"][0]["training"]
    assert f"{100 * training['bad'] / training['stands_for']:.1f}%" in said
    assert "one good in" not in Page(pages["scorecard"]).said


def test_a_recalibrated_version_names_its_parent(pages: dict[str, str]) -> None:
    said = Page(pages["lightgbm"]).said
    assert "recalibrated version of 0123456789ab" in said
    assert "times 1.000, plus -0.213" in said
    assert "Parent version" not in Page(pages["scorecard"]).said


@pytest.mark.parametrize(
    ("case", "titles"),
    [
        ("scorecard", {"Who has an outcome", "Groups too small to judge"}),
        (
            "lightgbm",
            {"Who has an outcome", "Outcomes were sampled", "Few bad outcomes to judge by"},
        ),
        (
            "file",
            {
                "No dates",
                "The outcome is a column of the file",
                "No population was named",
                "Few bad outcomes to judge by",
                "Few bad outcomes to learn from",
            },
        ),
    ],
)
def test_limits_come_from_the_data(
    data: dict[str, tuple[Plain, Plain, Plain | None, Plain]],
    pages: dict[str, str],
    case: str,
    titles: set[str],
) -> None:
    found = set(limits_of(*data[case][:2]))
    others = {"A forecast, not an effect", "The bad rate has moved"}
    assert found - others == titles
    said = Page(pages[case]).said
    assert all(title in said for title in titles)


def test_whose_the_outcome_is_depends_on_when_rows_are_observed(
    data: dict[str, tuple[Plain, Plain, Plain | None, Plain]],
) -> None:
    manifest, evidence = data["scorecard"][:2]
    spec = manifest["spec"]
    at_issue = manifest | {"spec": spec | {"observe": {**spec.get("observe", {}), "at": "issue"}}}
    titles = limits_of(at_issue, evidence)
    assert "Whose outcome it is" in titles and "Who has an outcome" not in titles


CHANGES: list[tuple[str, Plain, str]] = [
    ("It ranks better than chance", {"intervals.auc": [0.52, 0.49, 0.55]}, "which is chance"),
    ("It ranks better than chance", {"intervals.auc": [0.97, 0.96, 0.98]}, "higher than outcomes"),
    ("It is as good on rows it never saw", {"intervals.auc": [0.7, 0.68, 0.72]}, "lost ground"),
    (
        "Its probabilities are right on average and in spread",
        {"intervals.calibration_slope": [0.7, 0.6, 0.8]},
        "too bold",
    ),
    (
        "Its probabilities are right on average and in spread",
        {"intervals.calibration_intercept": [-0.3, -0.4, -0.2]},
        "too high on average",
    ),
    (
        "Scores and features are distributed as in training",
        {"stability.probability": {"psi": 0.2, "by_chance": 0.01}, "stability.features": []},
        "PSI of the probability 0.200",
    ),
    (
        "Risk moves only in the declared directions",
        {"monotone": [{"feature": "x", "direction": 1, "violations": 1, "worst": 0.5,
                       "constrained": False}]},
        "x turns against",
    ),
    (
        "It does not use protected attributes, nor proxies for them",
        {"protected": [{"attribute": "age", "in_model": True, "auc": None, "through": []}]},
        "The model reads age",
    ),
    (
        "It does not use protected attributes, nor proxies for them",
        {"protected": [{"attribute": "sex", "level": "f", "in_model": False,
                        "auc": [0.9, 0.88, 0.92], "through": ["tariff"]}]},
        "together predict sex f (AUC 0.90)",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("topic", "change", "found"), CHANGES)
def test_a_check_that_does_not_hold_is_to_be_watched(topic: str, change: Plain, found: str) -> None:
    manifest, evidence, scorecard, reference = scorecard_champion()
    for path, value in change.items():
        *above, last = path.split(".")
        place = evidence
        for key in above:
            place = place[key]
        place[last] = value
    check = checks_of(manifest, evidence)[topic]
    assert check.status == "watch" and check.act
    assert found in check.found
    assert found in Page(page_of(manifest, evidence, scorecard, reference)).said


STABLE = "Scores and features are distributed as in training"


@pytest.mark.parametrize(
    ("probability", "feature", "found"),
    [
        ((0.047, 0.048), (0.02, 0.01), ""),
        ((0.2, 0.19), (0.02, 0.01), ""),  # few rows: chance alone makes as much
        ((0.02, 0.01), (0.2, 0.19), ""),
        ((0.2, 0.01), (0.02, 0.01), "PSI of the probability 0.200 (chance gives 0.010)."),
        ((0.047, 0.048), (0.2, 0.01), "PSI of x 0.20."),  # the probability is no part of it
    ],
)
def test_what_chance_moves_is_no_warning(
    probability: tuple[float, float], feature: tuple[float, float], found: str
) -> None:
    manifest, evidence, _, _ = scorecard_champion()
    keys = ("psi", "by_chance")
    evidence["stability"] = {
        "probability": dict(zip(keys, probability, strict=True)),
        "features": [{"feature": "x", "part": "hold-out", **dict(zip(keys, feature, strict=True))}],
    }
    check = checks_of(manifest, evidence)[STABLE]
    assert (check.status, check.found) == ("watch", found) if found else check.status == "holds"


def test_a_protected_feature_that_was_offered_and_left_out_is_not_read() -> None:
    manifest, evidence, scorecard, reference = scorecard_champion()
    manifest["features"].append(
        manifest["features"][0] | {"name": "region", "protected": True, "kind": "text"}
    )
    by_topic = checks_of(manifest, evidence)
    topic = "It does not use protected attributes, nor proxies for them"
    assert "region" not in by_topic[topic].found
    read, offered = len(evidence["effects"]), len(manifest["features"])
    said = Page(page_of(manifest, evidence, scorecard, reference)).said
    assert f"The model reads {read} features of the {offered} it was offered." in said
    evidence["effects"].append(evidence["effects"][0] | {"feature": "region"})
    by_topic = checks_of(manifest, evidence)
    assert by_topic[topic].found == "The model reads region, marked as protected."


def test_an_attribute_that_is_reported_the_wrong_way_round_is_not_reported() -> None:
    manifest, evidence, scorecard, reference = scorecard_champion()
    evidence["protected"] = [
        {"attribute": "region", "level": "north", "in_model": False, "auc": [0.45, 0.42, 0.47],
         "through": ["tariff"]},
    ]  # fmt: skip
    said = Page(page_of(manifest, evidence, scorecard, reference)).said
    assert "region north no 0.450 (0.420 to 0.470); no better than chance" in said


def test_choices_that_were_judged_on_other_rows_are_not_put_side_by_side() -> None:
    manifest, evidence, scorecard, reference = scorecard_champion()
    settings = [
        {"what": "16 leaves, 2 folds (on 20,000 rows)", "log_loss": 0.06273, "chosen": False},
        {"what": "8 leaves (on 20,000 rows)", "log_loss": 0.06463, "chosen": True},
        {"what": "one seed of 50 trees", "log_loss": 0.06401, "chosen": True},
    ]
    manifest["tried"] = {"scorecard": {"settings": settings, "calibrations": []}}
    said = Page(page_of(manifest, evidence, scorecard, reference)).said
    assert "16 leaves rejected 2 folds, 20,000 rows 0.06273" in said
    assert "8 leaves chosen all folds, 20,000 rows 0.06463" in said
    assert "one seed of 50 trees chosen all folds, all rows 0.06401" in said
    assert "Log losses compare only where they were judged on the same folds and rows." in said


@pytest.mark.parametrize(
    ("odds", "shown"),
    [(1.0, "×1"), (1.05, "×1.05"), (1.1, "×1.1"), (0.95, "×0.95"), (2.0, "×2"), (0.0625, "×0.062"),
     (31.6, "×32")],
)  # fmt: skip
def test_ticks_of_odds_near_one_are_reported_apart(odds: float, shown: str) -> None:
    assert times(odds) == shown


@pytest.mark.parametrize(
    ("shares", "status"),
    [
        ([[0.5, 0.45, 0.55], [0.1, 0.08, 0.12]], "watch"),
        ([[0.5, 0.05, 0.95], [0.1, 0.08, 0.12]], "holds"),  # too few to say
        ([[0.15, 0.14, 0.16], [0.1, 0.08, 0.12]], "holds"),
    ],
)
def test_four_fifths_is_judged_beyond_chance(shares: list[list[float]], status: str) -> None:
    manifest, evidence, _, _ = scorecard_champion()
    one = {"attribute": "age", "rows": 900, "bad": 90, "auc": None, "mean": 0.1,
           "rate": [0.1, 0.09, 0.11], "cut": 0.2}  # fmt: skip
    evidence["cohorts"] = [one | {"level": n, "above_cut": s} for n, s in enumerate(shares)]
    check = checks_of(manifest, evidence)["It treats groups alike"]
    assert check.status == status


def test_a_miss_is_watched_only_beyond_chance() -> None:
    rows = {"rows": 900, "bad": 90.0, "auc": None, "rate": Interval(0.1, 0.09, 0.11)}
    near, far = (Judged(mean=mean, **rows) for mean in (0.111, 0.15))
    assert not beyond_chance([], 10)
    assert not beyond_chance([near], 10)
    assert not beyond_chance([near] * 2, 10)
    assert beyond_chance([near] * 3, 10)
    assert beyond_chance([far], 10)


@pytest.mark.parametrize("form", ["linear", "sqrt", "log"])
@pytest.mark.parametrize(("low", "high"), [(0.001, 0.4), (0.02, 1.0), (1.0, 25_000.0)])
def test_ticks_are_apart_in_order_and_inside(form: Any, low: float, high: float) -> None:
    scale = Scale(low, high, 50, 390, form)
    ticks = scale.ticks(40)
    places = [scale(tick) for tick in ticks]
    assert len(ticks) >= 2
    assert all(low - 1e-9 <= tick <= high + 1e-9 for tick in ticks)
    gaps = np.diff(places)
    assert (gaps >= 39.9 if form != "linear" else gaps > 20).all()


@pytest.mark.parametrize(
    ("bin_", "kind", "said"),
    [
        ({"from": None, "to": 3.0}, "integer", "below 3"),
        ({"from": 3.0, "to": 4.0}, "integer", "3"),
        ({"from": 3.0, "to": 6.0}, "integer", "3 to 5"),
        ({"from": 3.0, "to": 6.0}, "decimal", "3 to <6"),
        ({"from": 1000.5, "to": None}, "decimal", "1,000.50 or more"),
        ({"from": -9.0, "to": math.nextafter(-9.0, 0.0)}, "number", "-9"),
        ({"from": math.nextafter(-9.0, 0.0), "to": 0.5}, "number", "above -9 to <0.5"),
        ({"from": 0.0, "to": sys.float_info.min}, "number", "0"),
        ({"from": sys.float_info.min, "to": None}, "number", "above 0"),
        ({"from": None, "to": 1.0}, "boolean", "no"),
        ({"from": 1.0, "to": None}, "boolean", "yes"),
        ({"from": None, "to": None}, "number", "any value"),
        ({"levels": ["a", "b"]}, "text", "a, b"),
        ({"other": True}, "text", "any other level"),
        ({"missing": True}, "integer", "missing"),
    ],
)
def test_what_a_bin_holds_is_said_in_the_features_own_kind(
    bin_: Plain, kind: str, said: str
) -> None:
    assert held(bin_, kind) == said

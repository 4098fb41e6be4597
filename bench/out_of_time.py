"""riskseg by default beside LightGBM with defaults, out of time, on histories of bills.

    python bench/out_of_time.py [--sets invoices,instalments,fines,portfolio] [--data DIR]

Each set is a workspace with a model whose question is the set's; everything else in its spec is
what `riskseg init` writes. LightGBM learns from the very same rows and features, text as
categories, and both are judged on the rows held out at the end. `portfolio` is generated and is
always there; the others are public data that is no part of this project.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import warnings
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.metrics import log_loss, roc_auc_score

from riskseg.learning import train as learning
from riskseg.run import generate
from riskseg.run import init as starters
from riskseg.run import train as training

if TYPE_CHECKING:
    from riskseg.learning.frame import TrainingFrame

ROOT = Path(__file__).parent.parent
LEARNERS = "learners: [scorecard, lightgbm]\nchampion: {prefer: scorecard}\nseed: 7\n"

SETS: dict[str, tuple[str, str]] = {
    "invoices": (
        """
[source.accounts]
from       = '''select customerID, any_value(countryCode) as country
                from '{data}/ibm_ar/ibm_ar.parquet' group by 1'''
account_id = "customerID"

[source.bills]
from       = "{data}/ibm_ar/ibm_ar.parquet"
account_id = "customerID"
bill_id    = "invoiceNumber"
issued_on  = "InvoiceDate"
due_on     = "DueDate"
amount     = "InvoiceAmount"

[source.payments]
from       = "{data}/ibm_ar/ibm_ar.parquet"
account_id = "customerID"
bill_id    = "invoiceNumber"
paid_on    = "SettledDate"
amount     = "InvoiceAmount"
""",
        "target: {event: late, days_past_due: 0, horizon_days: 45}\n"
        "observe: {at: issue, for: 560 days, history: 30 days}\nhold_out: {last: 150 days}\n",
    ),
    "instalments": (
        """
[source.bills]
from       = '''select SK_ID_CURR, SK_ID_PREV || '-' || NUM_INSTALMENT_NUMBER as bill,
                date '2018-01-01' + cast(max(DAYS_INSTALMENT) as integer) as due,
                max(AMT_INSTALMENT) as amount
                from '{data}/home_credit_mini/installments_payments.parquet' group by all'''
account_id = "SK_ID_CURR"
bill_id    = "bill"
issued_on  = "due - 30"
due_on     = "due"
amount     = "round(amount, 2)"

[source.payments]
from       = '''select SK_ID_CURR, SK_ID_PREV || '-' || NUM_INSTALMENT_NUMBER as bill,
                date '2018-01-01' + cast(DAYS_ENTRY_PAYMENT as integer) as paid, AMT_PAYMENT
                from '{data}/home_credit_mini/installments_payments.parquet'
                where DAYS_ENTRY_PAYMENT is not null'''
account_id = "SK_ID_CURR"
bill_id    = "bill"
paid_on    = "paid"
amount     = "round(AMT_PAYMENT, 2)"
""",
        "target: {event: late, days_past_due: 0, horizon_days: 60}\n"
        "observe: {every: 30 days, for: 1500 days, history: 180 days}\n"
        "hold_out: {last: 360 days}\npopulation: bills_12m >= 3\n",
    ),
    "fines": (
        """
[source.accounts]
from       = "{data}/road_traffic_fines/accounts.parquet"
account_id = "account_id"

[source.bills]
from       = '''select *, row_number() over (partition by bill_id order by issue_date) as nth
                from '{data}/road_traffic_fines/bills.parquet' qualify nth = 1'''
account_id = "account_id"
bill_id    = "bill_id"
issued_on  = "issue_date"
due_on     = "due_date"
amount     = "amount"

[source.payments]
from       = '''select * from '{data}/road_traffic_fines/payments.parquet'
                where paid_date < '2010-03-01' '''
account_id = "account_id"
bill_id    = "bill_id"
paid_on    = "paid_date"
amount     = "amount"
""",
        "target: {event: late, days_past_due: 0, horizon_days: 400}\n"
        "observe: {at: issue, for: 2400 days, history: 30 days}\nhold_out: {last: 360 days}\n"
        "features: {static: [article, vehicle_class, points]}\n",
    ),
    "portfolio": (
        "".join(
            f'\n[source.{table}]\nfrom = "data/{table}.parquet"\n'
            for table in ("accounts", "bills", "payments", "events")
        ),
        "target: {event: late, days_past_due: 14, horizon_days: 60}\n"
        "observe: {every: 30 days, for: 360 days, history: 180 days}\nhold_out: {last: 90 days}\n"
        "population: bills_12m >= 3\n",
    ),
}


class Taken(Exception):
    """The rows that training would have learned from."""


def frame_of(name: str, data: Path, folder: Path) -> tuple[Any, TrainingFrame]:
    """(the spec, the rows that `riskseg train` observes)."""
    sources, spec = SETS[name]
    starters.init(folder, toml='[workspace]\nstrategy = "rules/household-utility"\n')
    for other in (folder / "models").glob("*.yaml"):
        other.unlink()
    (folder / "riskseg.toml").write_text(
        '[workspace]\nstrategy = "rules/household-utility"\n' + sources.replace("{data}", str(data))
    )
    (folder / "models/late.yaml").write_text(f"name: late\n{spec}{LEARNERS}")
    if name == "portfolio":
        generate.generate(
            folder / "data", accounts=10_000, months=24, seed=7, until=date(2026, 6, 30)
        )
    found: list[Any] = []

    def take(authored: Any, frame: TrainingFrame, **_: Any) -> None:
        found.extend((authored, frame))
        raise Taken

    real, learning.train = learning.train, take  # type: ignore[assignment]
    try:
        training.train(folder, (), at=datetime(2026, 1, 1, tzinfo=UTC))
    except Taken:
        pass
    finally:
        learning.train = real
    return found[0], found[1]


def of_lightgbm(frame: TrainingFrame) -> Any:
    """Probabilities of the rows held out, by LightGBM as it comes."""
    import lightgbm as lgb

    rows = frame.rows[[fact.name for fact in frame.features]].copy()
    for fact in frame.features:
        if fact.kind.is_textual:
            rows[fact.name] = rows[fact.name].astype("category")
    seen = ~frame.held_out
    model = lgb.LGBMClassifier(verbosity=-1, random_state=0, n_jobs=1)
    model.fit(rows[seen], frame.label[seen], sample_weight=frame.weight[seen])
    return model.predict_proba(rows[frame.held_out])[:, 1]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    options.add_argument("--sets", default=",".join(SETS))
    options.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    given = options.parse_args()
    warnings.filterwarnings("ignore")
    print("| set | rows | held out | learner | AUC | log loss | Brier | s |")
    print("|---|--:|--:|---|--:|--:|--:|--:|")
    for name in given.sets.split(","):
        if name != "portfolio" and not given.data.is_dir():
            print(f"{name}: there is no {given.data}", file=sys.stderr)
            continue
        with tempfile.TemporaryDirectory() as scratch:
            authored, frame = frame_of(name, given.data.resolve(), Path(scratch) / "w")
        label, weight = (part[frame.held_out] for part in (frame.label, frame.weight))
        seen = f"| {name} | {len(frame):,} | {len(label):,} "

        def show(
            learner: str, figures: tuple[float, float, float], s: float, name: str = seen
        ) -> None:
            auc, loss, brier = figures
            print(f"{name}| {learner} | {auc:.4f} | {loss:.4f} | {brier:.4f} | {s:.1f} |")

        began = time.perf_counter()
        p = of_lightgbm(frame)
        took = time.perf_counter() - began
        weighted = {"sample_weight": weight}
        show(
            "LightGBM",
            (
                roc_auc_score(label, p, **weighted),
                log_loss(label, p, **weighted),
                float(np.average((p - label) ** 2, weights=weight)),
            ),
            took,
        )
        began = time.perf_counter()
        trained = learning.train(authored, frame, threads=2)
        took = time.perf_counter() - began
        for learner, metrics in trained.metrics.items():
            ships = " (ships)" if learner == trained.learner else ""
            m = metrics["hold_out"]
            show(f"riskseg {learner}{ships}", (m["auc"], m["log_loss"], m["brier"]), took)


if __name__ == "__main__":
    main()

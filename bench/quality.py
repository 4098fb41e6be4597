"""How good riskseg's models are beside other libraries, on public data and the same folds.

    python bench/quality.py [--sets german,uci] [--peers LightGBM,EBM] [--only-riskseg]
                            [--folds 5] [--repeats 1] [--against "optbinning scorecard"]
                            [--threads 1] [--json FILE] [--cache FILE]

For each data set: stratified folds; every learner is fitted to the rows outside a fold and judged
on the fold. Ids are left out; no learner is given anything of a data set but its columns. The table
on stdout gives the mean and standard deviation of the folds' AUC, the mean Brier score and log
loss, the expected calibration error (ten groups of equal count over all folds' probabilities:
the mean gap between what was said and what happened), and the median CPU seconds, of all threads
together, to fit and to predict a fold: at one thread, the time on an idle machine.

On a small data set five folds decide little: `--repeats 10` shuffles the rows into folds ten times,
the first time as without it, and `--against NAME` sets every other learner beside one of them on
the same folds, with the standard error of the mean difference.

Results of the peers are kept in the cache file, a line each, so that a run that was stopped goes
on where it was. riskseg itself is measured anew every time, unless `--cache-riskseg` is given.
"""

from __future__ import annotations

import argparse
import base64
import fcntl
import hashlib
import json
import os
import re
import statistics
import sys
import tempfile
import warnings
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from peers import PEERS, Floats, Labels, Peer, Predict
from threadpoolctl import threadpool_limits

import riskseg
from riskseg.domain.facts import Fact, Kind
from riskseg.domain.problems import Problems

if TYPE_CHECKING:
    from riskseg.learning.frame import TrainingFrame

ROOT = Path(__file__).parent.parent
GROUPS = 10
LEAST = 1e-6  # probabilities are kept from 0 and 1 by this much, for the log loss


@dataclass(frozen=True)
class Source:
    """A public data set: its file, the columns that only number its rows, and its bad outcome."""

    file: str
    ids: tuple[str, ...]
    target: str
    bad: Any


SOURCES = {
    "german": Source("german_credit/german_credit.parquet", (), "creditability", "bad"),
    "uci": Source(
        "uci_credit_default/uci_credit_default.parquet", ("ID",), "default_next_month", 1
    ),
    "gmsc": Source("give_me_some_credit/cs_training.parquet", ("id",), "SeriousDlqin2yrs", 1),
}

# The same words for every data set. The first three show each learner alone; the last is the spec
# that `riskseg init` writes, and so what a person gets.
RISKSEG = {
    "riskseg classic scorecard": "learners: [scorecard]\nscorecard: {form: classic}\n",
    "riskseg additive scorecard": "learners: [scorecard]\nscorecard: {form: additive}\n",
    "riskseg LightGBM": "learners: [lightgbm]\n",
    "riskseg by default": "learners: [scorecard, lightgbm]\nchampion: {prefer: scorecard}\n",
}


@dataclass(frozen=True)
class Table:
    name: str
    rows: pd.DataFrame
    kinds: dict[str, Kind]
    label: Labels


@dataclass(frozen=True)
class Result:
    """A learner's work on one fold. `reported` is what it did there, for the record."""

    auc: float
    brier: float
    log_loss: float
    fit_seconds: float
    predict_seconds: float
    probability: Floats
    reported: str = ""

    def line(self) -> dict[str, Any]:
        packed = base64.b64encode(self.probability.astype("<f4").tobytes()).decode()
        return {**asdict(self), "probability": packed}

    @classmethod
    def from_line(cls, line: dict[str, Any]) -> Result:
        packed = base64.b64decode(line["probability"])
        return cls(**{**line, "probability": np.frombuffer(packed, "<f4").astype(np.float64)})


class Cache:
    """Results by key, a line each; several runs may write to one file at a time."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._known: dict[str, dict[str, Any]] = {}
        if file is not None and file.exists():
            for line in file.read_text().splitlines():
                if line.endswith("}}"):  # the last may be half written
                    reported = json.loads(line)
                    self._known[reported["key"]] = reported["result"]

    def get(self, key: str) -> Result | None:
        return Result.from_line(dict(self._known[key])) if key in self._known else None

    def put(self, key: str, result: Result) -> None:
        if self._file is None:
            return
        with self._file.open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.write(json.dumps({"key": key, "result": result.line()}) + "\n")


def read_table(name: str, data: Path, most: int | None) -> Table | None:
    """Numbers as float64, text as objects, plain names; None where the file is absent."""
    source = SOURCES[name]
    if not (data / source.file).is_file():
        return None
    read = pd.read_parquet(data / source.file)
    if most is not None and most < len(read):
        read = read.sample(most, random_state=0).reset_index(drop=True)
    label = (read[source.target] == source.bad).to_numpy(dtype=np.int8)
    columns: dict[str, Any] = {}
    kinds: dict[str, Kind] = {}
    for column in read.columns.drop([source.target, *source.ids]):
        values = read[column]
        plain = re.sub(r"\W+", "_", column).strip("_").lower()
        if pd.api.types.is_numeric_dtype(values.dtype):
            whole = pd.api.types.is_integer_dtype(values.dtype)
            kinds[plain] = Kind.INTEGER if whole else Kind.NUMBER
            columns[plain] = values.astype(np.float64)
        else:
            kinds[plain] = Kind.TEXT
            columns[plain] = values.astype(object).where(values.notna(), None)
    return Table(name, pd.DataFrame(columns), kinds, label)


def folds_of(label: Labels, folds: int, repeats: int = 1) -> list[tuple[Any, Any]]:
    """(rows seen, rows unseen) of each fold, in every one of the shuffles."""
    from sklearn.model_selection import StratifiedKFold

    return [
        fold
        for shuffle in range(repeats)
        for fold in StratifiedKFold(folds, shuffle=True, random_state=shuffle).split(label, label)
    ]


def calibration_error(label: Labels, probability: Floats) -> float:
    """The mean gap between probability and rate of bad in ten groups of equal count."""
    order = np.argsort(probability, kind="stable")
    gaps = [
        len(group) * abs(probability[group].mean() - label[group].mean())
        for group in np.array_split(order, GROUPS)
    ]
    return float(sum(gaps) / len(label))


def cpu_seconds() -> float:
    """CPU time of this process and its finished children: other work on the machine is not in
    it."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def judged(
    label: Labels, probability: Floats, fitted: float, predicted: float, reported: str = ""
) -> Result:
    from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

    kept = np.clip(probability, LEAST, 1 - LEAST)
    return Result(
        auc=float(roc_auc_score(label, probability)),
        brier=float(brier_score_loss(label, probability)),
        log_loss=float(log_loss(label, kept)),
        fit_seconds=fitted,
        predict_seconds=predicted,
        probability=probability,
        reported=reported,
    )


def of_peer(peer: Peer, table: Table, seen: Any, unseen: Any, threads: int) -> Result:
    rows = table.rows.iloc[seen].reset_index(drop=True)
    batch = table.rows.iloc[unseen].reset_index(drop=True)
    start = cpu_seconds()
    predict: Predict = peer.fit(rows, table.label[seen], threads)
    fitted = cpu_seconds()
    probability = np.asarray(predict(batch), dtype=np.float64)
    done = cpu_seconds()
    return judged(table.label[unseen], probability, fitted - start, done - fitted)


def training_frame(table: Table, unseen: Any) -> TrainingFrame:
    """All rows, those of the fold held out: training reads them only to report on them."""
    from riskseg.learning.frame import TrainingFrame

    count = len(table.label)
    facts = [
        Fact(name, kind, nullable=bool(table.rows[name].isna().any()))
        for name, kind in table.kinds.items()
    ]
    held = np.zeros(count, dtype=bool)
    held[unseen] = True
    account = np.array([f"{row:08d}" for row in range(count)], dtype=object)
    return TrainingFrame(
        rows=table.rows,
        features=tuple(facts),
        label=table.label,
        account=account,
        group=account,
        as_of=np.full(count, np.datetime64("NaT", "ns")),
        held_out=held,
        weight=np.ones(count),
    )


def of_riskseg(spec: str, table: Table, unseen: Any, threads: int) -> Result:
    from riskseg.learning.artefact import load
    from riskseg.learning.spec import parse_spec
    from riskseg.learning.train import train

    problems = Problems()
    text = f"name: quality\ntarget: {{column: bad}}\n{spec}"
    authored = parse_spec(text, "quality.yaml", problems)
    problems.raise_if_any()
    assert authored is not None
    frame = training_frame(table, unseen)
    batch = table.rows.iloc[unseen].reset_index(drop=True)
    start = cpu_seconds()
    trained = train(authored, frame, threads=threads)
    fitted = cpu_seconds()
    with tempfile.TemporaryDirectory() as root:
        folder = Path(root) / trained.version
        folder.mkdir()
        for name, content in trained.files.items():
            (folder / name).write_bytes(content)
        model = load(folder)
    start_predicting = cpu_seconds()
    probability = np.asarray(model.predict(batch, threads), dtype=np.float64)
    done = cpu_seconds()
    calibration = json.loads(trained.files["calibration.json"])[trained.learner]["kind"]
    reported = f"{trained.learner}, calibrated by {calibration}"
    return judged(
        table.label[unseen], probability, fitted - start, done - start_predicting, reported
    )


def learning_code() -> str:
    """A hash of riskseg's learning code: results of another are not its own."""
    digest = hashlib.sha256()
    for file in sorted((Path(riskseg.__file__).parent / "learning").rglob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def summary(table: Table, learner: str, results: list[Result], order: Any) -> dict[str, Any]:
    probability = np.concatenate([result.probability for result in results])
    aucs = [result.auc for result in results]
    return {
        "set": table.name,
        "learner": learner,
        "auc": statistics.mean(aucs),
        "auc_sd": statistics.stdev(aucs) if len(aucs) > 1 else 0.0,
        "brier": statistics.mean(result.brier for result in results),
        "log_loss": statistics.mean(result.log_loss for result in results),
        "calibration_error": calibration_error(table.label[order], probability),
        "fit_seconds": statistics.median(result.fit_seconds for result in results),
        "predict_seconds": statistics.median(result.predict_seconds for result in results),
        "auc_of_folds": aucs,
        "log_loss_of_folds": [result.log_loss for result in results],
        "reported": [result.reported for result in results if result.reported],
    }


def markdown(rows: list[dict[str, Any]]) -> str:
    lines = [
        "| data | learner | AUC | sd | Brier | log loss | calibration error | fit s | predict s |",
        "|---|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for row in rows:
        lines.append(
            f"| {row['set']} | {row['learner']} | {row['auc']:.4f} | {row['auc_sd']:.4f} "
            f"| {row['brier']:.4f} | {row['log_loss']:.4f} | {row['calibration_error']:.4f} "
            f"| {row['fit_seconds']:.1f} | {row['predict_seconds']:.2f} |"
        )
    return "\n".join(lines)


def beside(rows: list[dict[str, Any]], other: str, folds: int) -> str:
    """Every learner less one of them, on the same folds.

    Folds share most of the rows they learn from, and repeats all of them, so the mean of n
    differences with standard deviation s is known to s sqrt(1/n + unseen/seen), not s / sqrt(n)
    (Nadeau & Bengio, "Inference for the generalization error", Machine Learning 52, 2003).
    """
    lines = [
        f"| data | less {other} | folds | better | AUC | error | log loss | error |",
        "|---|---|--:|--:|--:|--:|--:|--:|",
    ]
    measured = {(row["set"], row["learner"]): row for row in rows}
    for (name, learner), row in measured.items():
        reference = measured.get((name, other))
        if reference is None or learner == other:
            continue
        auc, loss = (
            np.array(row[what]) - np.array(reference[what])
            for what in ("auc_of_folds", "log_loss_of_folds")
        )
        spread = np.sqrt(1 / len(auc) + 1 / (folds - 1))
        lines.append(
            f"| {name} | {learner} | {len(auc)} | {(auc > 0).sum()} "
            f"| {auc.mean():+.4f} | {auc.std(ddof=1) * spread:.4f} "
            f"| {loss.mean():+.4f} | {loss.std(ddof=1) * spread:.4f} |"
        )
    return "\n".join(lines)


def names_of(given: str | None, known: dict[str, Any], what: str) -> list[str]:
    if given is None:
        return list(known)
    names = [name.strip() for name in given.split(",")]
    for name in names:
        if name not in known:
            sys.exit(f"there is no {what} {name!r}: {'; '.join(known)}")
    return names


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--sets", help=f"of {', '.join(SOURCES)}; default all")
    parser.add_argument("--peers", help=f"of {'; '.join(PEERS)}; default all")
    parser.add_argument("--riskseg", help=f"of {'; '.join(RISKSEG)}; default all")
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--only-riskseg", action="store_true")
    only.add_argument("--only-peers", action="store_true")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=1, help="shuffles into folds")
    parser.add_argument("--against", help="the learner the others are set beside, fold by fold")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rows", type=int, help="a sample of each data set, for a quick look")
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--cache-riskseg", action="store_true")
    given = parser.parse_args()
    warnings.filterwarnings("ignore")
    cache = Cache(given.cache)
    peers = [] if given.only_riskseg else names_of(given.peers, PEERS, "peer")
    ours = [] if given.only_peers else names_of(given.riskseg, RISKSEG, "learner of riskseg")
    if given.against and given.against not in [*peers, *ours]:
        sys.exit(f"{given.against!r} is not measured here: {'; '.join([*peers, *ours])}")
    summaries: list[dict[str, Any]] = []
    failed = False
    threadpool_limits(given.threads)
    for name in names_of(given.sets, SOURCES, "data set"):
        table = read_table(name, given.data, given.rows)
        if table is None:
            print(f"{name}: there is no {given.data / SOURCES[name].file}", file=sys.stderr)
            continue
        folds = folds_of(table.label, given.folds, given.repeats)
        order = np.concatenate([unseen for _, unseen in folds])
        for learner in [*peers, *ours]:
            peer = PEERS.get(learner)
            how = f"{peer.versions}: {peer.settings}" if peer else RISKSEG[learner]
            how += "" if peer else learning_code()
            keep = peer is not None or given.cache_riskseg
            results: list[Result] = []
            for number, (seen, unseen) in enumerate(folds):
                key = json.dumps(
                    [name, learner, how, len(table.label), given.folds, number, given.threads]
                )
                result = cache.get(key) if keep else None
                if result is None:
                    try:
                        if peer:
                            result = of_peer(peer, table, seen, unseen, given.threads)
                        else:
                            result = of_riskseg(RISKSEG[learner], table, unseen, given.threads)
                    except Exception as error:  # one learner's fault hides no other's result
                        print(f"{name} · {learner} failed: {error!r}", file=sys.stderr)
                        failed = True
                        break
                    if keep:
                        cache.put(key, result)
                results.append(result)
                print(
                    f"{name} · {learner} · fold {number + 1}: AUC {result.auc:.4f}, log loss "
                    f"{result.log_loss:.4f}, {result.fit_seconds:.1f} s {result.reported}",
                    file=sys.stderr,
                    flush=True,
                )
            if len(results) == len(folds):
                summaries.append(summary(table, learner, results, order))
    print(markdown(summaries))
    if given.against:
        print(f"\n{beside(summaries, given.against, given.folds)}")
    if given.json:
        reported = {"folds": given.folds, "repeats": given.repeats, "threads": given.threads}
        reported["results"] = summaries
        reported["peers"] = {name: f"{p.versions}: {p.settings}" for name, p in PEERS.items()}
        given.json.write_text(json.dumps(reported, indent=1) + "\n")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()

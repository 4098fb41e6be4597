"""`models export`: a version in a form that other systems run, checked against riskseg."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from riskseg.domain.problems import Problems
from riskseg.learning.artefact import Model
from riskseg.learning.export.check import check_rows
from riskseg.learning.export.points import points_csv
from riskseg.learning.export.sql import sql
from riskseg.pipeline.model_versions import opened
from riskseg.pipeline.outputs import check_output
from riskseg.pipeline.session import open_checked, scratch_engine
from riskseg.results.models import ModelExport
from riskseg.store.files import write_beside

if TYPE_CHECKING:
    import pandas as pd

    from riskseg.engine import Engine
    from riskseg.learning.frame import Floats

Form = Literal["sql", "onnx", "points.csv"]


def export(
    root: Path,
    name: str,
    version: str | None,
    to: Form,
    out: Path | None,
    *,
    dialect: str = "duckdb",
) -> ModelExport:
    """Write a version as SQL, ONNX or a table of points. Raises RS004, RS401, RS406.

    SQL of DuckDB is run on the made-up accounts, ONNX too where onnxruntime is installed.
    """
    workspace = open_checked(root)
    model, _ = opened(workspace, name, version)
    out_path = out or Path(f"{model.name}.{to}")
    problems = Problems()
    check_output(workspace, out_path, problems, (f".{to.rpartition('.')[2]}",))
    problems.raise_if_any()
    file_content, rows, difference = b"", None, None
    if to == "points.csv":
        file_content = points_csv(model).encode()
    elif to == "sql":
        sql_select = sql(model, dialect)
        file_content = sql_select.encode()
        if dialect == "duckdb":
            with scratch_engine(workspace) as engine:
                rows, difference = _check_sql(engine, model, sql_select)
    else:
        from riskseg.learning.export.onnx_graph import onnx_model

        file_content = onnx_model(model)
        rows, difference = _check_onnx(model, file_content)
    with write_beside(out_path, token="export") as draft:
        draft.write_bytes(file_content)
    return ModelExport(
        model=model.name,
        version=model.version,
        place=str(out_path),
        rows=rows,
        difference=difference,
    )


def _check_sql(engine: Engine, model: Model, text: str) -> tuple[int, float]:
    import pyarrow as pa

    accounts = check_rows(model)
    engine.register("accounts", pa.Table.from_pandas(accounts, preserve_index=False))
    exported = engine.arrow(
        f"select probability from ({text.rstrip().rstrip(';')}) order by account_id"
    )
    return len(accounts), _widest(model, accounts, exported["probability"].to_numpy())


def _check_onnx(model: Model, content: bytes) -> tuple[int | None, float | None]:
    import numpy as np

    try:
        import onnxruntime
    except ImportError:
        return None, None
    accounts = check_rows(model)
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    feed = {}
    for fact in model.facts:
        feature_values = accounts[fact.name]
        if fact.kind.is_textual:
            input_column = feature_values.where(feature_values.notna(), "").to_numpy(dtype=object)
        else:
            input_column = feature_values.to_numpy(dtype=np.float64)
        feed[fact.name] = input_column.reshape(-1, 1)
    exported = session.run(["probability"], feed)[0][:, 0]
    return len(accounts), _widest(model, accounts, exported)


def _widest(model: Model, accounts: pd.DataFrame, exported: Floats) -> float:
    import numpy as np

    return float(np.abs(model.predict(accounts) - exported).max())

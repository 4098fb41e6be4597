"""What a run measured, for a monitoring system: as JSON, and as OpenMetrics text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Literal

from riskseg.results.part import Part

# The characters that have a meaning within a label's value.
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})


class MetricSample(Part):
    """A value, and what it is of."""

    labels: Mapping[str, str]
    value: float


class RunMetric(Part):
    """What was measured, in a sentence, and its values. Every metric is a gauge: its value on this
    run."""

    name: str
    help: str
    unit: Literal["seconds"] | None = None
    samples: tuple[MetricSample, ...]


class RunMetrics(Part):
    """What a run of a command measured. Of one that failed `as_of` and `run_id` are null."""

    command: str
    workspace: str | None
    """The folder of the workspace; null where none was found."""
    as_of: date | None
    run_id: str | None
    finished_at: datetime
    metrics: tuple[RunMetric, ...]

    def as_openmetrics(self) -> str:
        """The same as OpenMetrics text, which Prometheus' older text format reads, too. Every value
        has the command and the workspace as labels: a collector reads the files of several
        commands and workspaces as one, in which nothing may stand twice."""
        of_run = {"command": self.command}
        if self.workspace is not None:
            of_run["workspace"] = self.workspace
        lines = []
        for metric in self.metrics:
            lines.append(f"# TYPE {metric.name} gauge")
            if metric.unit is not None:
                lines.append(f"# UNIT {metric.name} {metric.unit}")
            help_text = metric.help.replace("\\", "\\\\").replace("\n", "\\n")
            lines.append(f"# HELP {metric.name} {help_text}")
            lines += [
                f"{metric.name}{_labels({**of_run, **s.labels})} {_number(s.value)}"
                for s in metric.samples
            ]
        return "\n".join([*lines, "# EOF", ""])


def metric(
    name: str,
    help_text: str,
    values: Iterable[tuple[Mapping[str, str], float]],
    *,
    unit: Literal["seconds"] | None = None,
) -> RunMetric:
    """A metric of riskseg's, of values by their labels."""
    samples = tuple(MetricSample(labels=labels, value=float(value)) for labels, value in values)
    return RunMetric(name=f"riskseg_{name}", help=help_text, unit=unit, samples=samples)


def _labels(labels: Mapping[str, str]) -> str:
    listed = (f'{name}="{value.translate(_ESCAPES)}"' for name, value in labels.items())
    return f"{{{','.join(listed)}}}"


def _number(value: float) -> str:
    return str(int(value)) if value.is_integer() else repr(value)

"""problems.md: the codes of Problems."""

from __future__ import annotations

from collections.abc import Iterator

from riskseg.domain.problems import CODES

_GROUPS = {
    "RS0": "The workspace and riskseg.toml",
    "RS1": "The data contract",
    "RS2": "A strategy's files",
    "RS3": "Expressions",
    "RS4": "Models",
    "RS5": "Features",
    "RS6": "Runs",
}


def problems() -> Iterator[str]:
    yield "# Problems"
    yield ""
    yield (
        "A Problem is a fault in what riskseg was given. It has a code, the file and line where it "
        "stands, what is wrong, and, where there is something to say, how to fix it. A command "
        "gathers all it can find before it ends, with exit code 1. A code keeps its meaning from "
        "one version to the next."
    )
    yield ""
    group = ""
    for number in sorted(CODES):
        if number[:3] != group:
            if group:
                yield ""
            group = number[:3]
            yield f"## {_GROUPS[group]}"
            yield ""
            yield "| code | what kind of fault |"
            yield "|---|---|"
        yield f"| {number} | {CODES[number]} |"
    yield ""

"""A small cluster of Apache Spark on this machine: a master, and two workers of one core that take
themselves for two hosts, since a task is never worked on twice on one.

    python -m tests.support.spark_cluster WORKSPACE

prints what becomes of pieces of work, and of a run of `assign`, when executors are slow or killed.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from riskseg.engine.spark import Spark
from riskseg.pipeline.stages import Progress, Stage
from riskseg.run.assign import assign
from tests.support import portfolio as p

PORT = 17077
MASTER = f"spark://127.0.0.1:{PORT}"
SETTINGS = {
    "spark.speculation": "true",
    "spark.speculation.quantile": "0.5",
    "spark.speculation.multiplier": "1.1",
    "spark.speculation.minTaskRuntime": "1s",
    "spark.executor.memory": "512m",
    "spark.default.parallelism": "2",
    "spark.driver.host": "127.0.0.1",
    "spark.executorEnv.PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
}
# What Spark's Java needs to be allowed when it is started without Spark's own scripts.
OPENED = (
    "java.lang",
    "java.lang.invoke",
    "java.nio",
    "java.util",
    "sun.nio.ch",
    "sun.util.calendar",
)
# How long a slow executor sleeps: much longer than all of the work.
SLOW_SECONDS = 300


@dataclass(frozen=True)
class Cluster:
    workers: list[subprocess.Popen[bytes]]

    def kill_an_executor(self) -> None:
        """Kill the Java of an executor, as when its machine is lost."""
        [executor] = _children(self.workers[0].pid)
        os.kill(executor, signal.SIGKILL)


def _children(pid: int) -> list[int]:
    return [int(c) for c in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()] or [
        int(child)
        for task in Path(f"/proc/{pid}/task").iterdir()
        for child in (task / "children").read_text().split()
    ]


@contextmanager
def cluster() -> Iterator[Cluster]:
    """The cluster, once its workers are known to its master."""
    import pyspark

    home = Path(pyspark.__file__).parent
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        environment = {
            **os.environ,
            "SPARK_HOME": str(home),
            "SPARK_LOCAL_DIRS": folder,
            "SPARK_SCALA_VERSION": "2.13",
            "PYSPARK_PYTHON": sys.executable,
        }
        log = Path(folder, "master.log")

        def start(of: str, *words: str) -> subprocess.Popen[bytes]:
            opens = [f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in OPENED]
            command = ["java", "-Xmx256m", *opens, "-cp", f"{home}/jars/*"]
            command += [f"org.apache.spark.deploy.{of}", *words, "--webui-port", "0"]
            out = log if of.startswith("master") else Path(folder, f"{words[1]}.log")
            with out.open("wb") as file:
                return subprocess.Popen(command, env=environment, stdout=file, stderr=file)

        started = [start("master.Master", "--host", "127.0.0.1", "--port", str(PORT))]
        try:
            for number in (2, 3):
                place = ("--host", f"127.0.0.{number}", "--work-dir", f"{folder}/{number}")
                size = ("--cores", "1", "--memory", "700m")
                started.append(start("worker.Worker", *place, *size, MASTER))
            until = time.monotonic() + 120
            while log.read_text().count("Registering worker") < 2:
                assert time.monotonic() < until, log.read_text()
                time.sleep(0.2)
            yield Cluster(started[1:])
        finally:
            for process in started:
                process.kill()
                process.wait()


def slow_at_first(piece: bytes) -> bytes:
    from pyspark import TaskContext

    context = TaskContext.get()
    assert context is not None
    if piece == b"a" and context.attemptNumber() == 0:
        time.sleep(SLOW_SECONDS)
    return piece + str(context.attemptNumber()).encode()


def main(root: Path) -> None:
    place = root / "out.parquet"

    def run(progress: Progress | None = None, spark: str | None = None) -> str:
        assign(root, p.AS_OF, str(place), at=p.AT, spark=spark, progress=progress)
        manifest = Path(f"{place}.manifest.json").read_bytes()
        return hashlib.sha256(place.read_bytes() + manifest).hexdigest()

    found: dict[str, object] = {"here": run()}
    p.replace(root, "riskseg.toml", "threads = 1\n", "threads = 1\npartitions = 6\n")
    settings = " ".join(f"--conf {name}={value}" for name, value in SETTINGS.items())
    os.environ["PYSPARK_SUBMIT_ARGS"] = f"{settings} pyspark-shell"
    os.environ["PYSPARK_PYTHON"] = sys.executable
    with cluster() as started:
        spark = Spark(MASTER)
        assert spark.slots == 2
        begun = time.monotonic()
        found["slow"] = [piece.decode() for piece in spark.each(slow_at_first, [b"a", b"b"])]
        found["seconds"] = time.monotonic() - begun
        decided = 0

        def reached(stage: Stage, _done: int, _total: int) -> None:
            nonlocal decided
            decided += stage.name == "decide"
            if stage.name == "decide" and decided == 2:
                started.kill_an_executor()

        found["killed"] = run(Progress(reached=reached), MASTER)
        found["decided"] = decided
    print(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))

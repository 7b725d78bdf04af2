"""``make bench``: the engine, a baseline and a floor against one mock server, interleaved, as a table.

The ideal is the sum over layers of the slowest proposer, plus the aggregator's first token. Figures are medians over
the rounds unless they say otherwise; only figures of one run may be compared with each other.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import IO, Any

import orjson

from tests.bench.mock import AGGREGATOR_FIRST_S, SLOWEST_S

ENGINE, BASELINE, FLOOR = "engine", "baseline", "floor"
GROWTH_RUNS = 1000


def ideal_s(layers: int) -> float:
    """Seconds to the first answer token if nothing but the models took time."""
    return (layers - 1) * SLOWEST_S + AGGREGATOR_FIRST_S


@dataclass
class Worker:
    """A measured process."""

    process: subprocess.Popen[bytes]
    said: IO[bytes]

    def measure(self, **command: Any) -> dict[str, Any]:
        """See ``tests.bench.worker``."""
        whole = {"layers": 2, "runs": 1, "at_once": 1, "fast": False, "history": 0, **command}
        stdin, stdout = _pipes(self.process)
        stdin.write(orjson.dumps(whole) + b"\n")
        stdin.flush()
        line = stdout.readline()
        if not line:
            self.said.seek(0)
            raise SystemExit(f"A worker ended: {self.said.read().decode(errors='replace')[-2_000:]}")
        reply: dict[str, Any] = orjson.loads(line)
        return reply


@dataclass(frozen=True)
class Row:
    """One line of the table. ``goal`` None: shown for comparison only."""

    what: str
    values: dict[str, str]
    goal: str = ""
    reached: bool | None = None


def first_token(workers: dict[str, Worker], layers: int, rounds: int, goal_ms: float) -> Row:
    """Milliseconds over the ideal to the first answer token."""
    over: dict[str, list[float]] = {name: [] for name in workers}
    for _ in range(rounds):
        for name, worker in workers.items():
            over[name] += [(s - ideal_s(layers)) * 1000 for s in worker.measure(layers=layers)["first_s"]]
    median = {name: statistics.median(values) for name, values in over.items()}
    shown = {name: f"{ms:.1f} ms" for name, ms in median.items()}
    what = f"first answer token over the ideal, {layers} layers"
    return Row(what, shown, f"≤ {goal_ms:g} ms", median[ENGINE] <= goal_ms)


def cpu(workers: dict[str, Worker], rounds: int) -> Iterator[Row]:
    """CPU of a run of 7 calls and 646 chunks, everything streamed."""
    spent: dict[str, list[float]] = {name: [] for name in workers}
    for _ in range(rounds):
        for name, worker in workers.items():
            spent[name].append(worker.measure(runs=4, at_once=1)["cpu_s"] / 4 * 1000)
    median = {name: statistics.median(values) for name, values in spent.items()}
    ratio = median[ENGINE] / median[FLOOR]
    yield Row("CPU a run", {n: f"{ms:.0f} ms" for n, ms in median.items()}, "≤ 75 ms", median[ENGINE] <= 75)
    shown = {n: f"{ms / median[FLOOR]:.2f}" for n, ms in median.items()}
    yield Row("CPU a run, floor = 1", shown, "≤ 1.5", ratio <= 1.5)


def throughput(workers: dict[str, Worker], rounds: int) -> Iterator[Row]:
    """Runs a second when models take no time."""
    rates: dict[tuple[str, int], list[float]] = {}
    for _ in range(rounds):
        for at_once in (1, 10, 50):
            for name, worker in workers.items():
                runs = 20 if name == BASELINE else 100
                wall = worker.measure(runs=runs, at_once=at_once, fast=True)["wall_s"]
                rates.setdefault((name, at_once), []).append(runs / wall)
    median = {key: statistics.median(values) for key, values in rates.items()}
    for at_once in (1, 10, 50):
        shown = {name: f"{median[name, at_once]:.0f}/s" for name in workers}
        faster = median[ENGINE, at_once] / median[BASELINE, at_once]
        yield Row(f"runs a second without model time, {at_once} at once", shown, "≥ 3 × baseline", faster >= 3)
    kept = {name: f"{median[name, 50] / median[name, 1]:.2f}" for name in workers}
    yield Row("the same, 50 at once against 1", kept, "≥ 0.85", median[ENGINE, 50] >= 0.85 * median[ENGINE, 1])


def crowd(workers: dict[str, Worker], rounds: int, history: int, goal: float) -> Row:
    """25 users at once: 95th percentile of time to the first answer token, ideal = 1."""
    times: dict[str, list[float]] = {name: [] for name in workers}
    for _ in range(rounds):
        for name, worker in workers.items():
            times[name] += worker.measure(runs=50, at_once=25, history=history)["first_s"]
    worst = {name: statistics.quantiles(values, n=20)[-1] / ideal_s(2) for name, values in times.items()}
    with_history = f", {history} turns of history" if history else ""
    what = f"25 users, 95th percentile of first answer token, ideal = 1{with_history}"
    return Row(what, {n: f"{v:.3f}" for n, v in worst.items()}, f"≤ {goal}", worst[ENGINE] <= goal)


def memory(workers: dict[str, Worker]) -> Iterator[Row]:
    """Resident memory after all of that, and after 1,000 more runs."""
    before = {name: worker.measure(runs=20, at_once=10, fast=True)["rss_mib"] for name, worker in workers.items()}
    after = workers[ENGINE].measure(runs=GROWTH_RUNS, at_once=10, fast=True)["rss_mib"]
    yield Row("resident memory", {n: f"{m:.0f} MiB" for n, m in before.items()}, "≤ 85 MiB", before[ENGINE] <= 85)
    grown = after - before[ENGINE]
    yield Row(f"growth over {GROWTH_RUNS:,} runs", {ENGINE: f"{grown:.1f} MiB"}, "none (< 1 MiB)", grown < 1)


def table(rows: Sequence[Row], names: Sequence[str]) -> str:
    """The rows as Markdown."""
    lines = [f"| | {' | '.join(names)} | goal | |", "|---|" + "---|" * len(names) + "---|---|"]
    for row in rows:
        cells = " | ".join(row.values.get(name, "") for name in names)
        lines.append(f"| {row.what} | {cells} | {row.goal} | {'reached' if row.reached else 'missed'} |")
    return "\n".join(lines)


def _pipes(process: subprocess.Popen[bytes]) -> tuple[IO[bytes], IO[bytes]]:
    assert process.stdin is not None
    assert process.stdout is not None
    return process.stdin, process.stdout


@contextmanager
def _started(*arguments: str) -> Iterator[tuple[Worker, str]]:
    """A module run as a process of its own, with its first line; it ends when its standard input closes."""
    command = [sys.executable, "-m", *arguments]
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said) as process,
    ):
        stdin, stdout = _pipes(process)
        yield Worker(process, said), stdout.readline().decode().strip()
        stdin.close()


def main() -> int:
    """Measure and print. Exit code 0 whatever the figures are: it judges nothing but shows the goals."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds of each measurement (5)")
    rounds = parser.parse_args().rounds
    with ExitStack() as stack:
        _, port = stack.enter_context(_started("tests.bench.mock"))
        url = f"http://127.0.0.1:{port}/v1"
        workers = {
            name: stack.enter_context(_started("tests.bench.worker", name, url))[0]
            for name in (ENGINE, BASELINE, FLOOR)
        }
        for worker in workers.values():
            worker.measure(runs=3, fast=True)
        rows = [
            first_token(workers, 2, rounds, 8),
            first_token(workers, 3, rounds, 14),
            *cpu(workers, rounds),
            *throughput(workers, min(rounds, 3)),
            crowd(workers, 1, 0, 1.12),
            crowd(workers, 1, 20, 1.15),
            *memory(workers),
        ]
        sys.stdout.write(table(rows, list(workers)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

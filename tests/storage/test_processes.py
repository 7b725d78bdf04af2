"""What is known of the process that carries a run out."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from storage.processes import is_gone, this_process
from tests.support.processes import ELSEWHERE, dead_process, named

ROOT = Path(__file__).parents[2]
NAME = "from storage.processes import this_process; print(this_process(), flush=True); input()"


def test_a_process_has_one_name_and_another_one_a_name_of_its_own() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", NAME], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        name = other.stdout.readline().strip()
        assert name != this_process() == this_process()
        assert name.split(".")[:2] == [this_process().split(".")[0], str(other.pid)]
        assert not is_gone(name)
        other.stdin.close()
        other.wait()
        assert is_gone(name) or os.name != "posix"


@pytest.mark.skipif(os.name != "posix", reason="Windows doesn't tell whether a process is there")
def test_a_number_that_no_process_has_is_one_that_is_gone() -> None:
    assert is_gone(dead_process())
    assert not is_gone(named(os.getppid()))


def test_this_number_under_another_name_is_an_earlier_process() -> None:
    assert is_gone(named(os.getpid()))
    assert not is_gone(this_process())


@pytest.mark.parametrize("name", [None, "", "x", ELSEWHERE, ELSEWHERE.replace(".7.", ".999999999."), "..", "a.b.c"])
def test_nothing_is_known_of_a_process_elsewhere(name: str | None) -> None:
    assert not is_gone(name)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_is_another_process() -> None:
    code = "import os; from storage.processes import this_process as name; mine = name(); pid = os.fork()\n"
    code += "if pid: os.waitpid(pid, 0)\nelse: print(int(name() != mine), flush=True); os._exit(0)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert told.stdout.strip() == "1"

"""What a machine has, what a model needs, and who makes room."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moa.core.errors import FinalCall
from moa.providers.embedded_gguf import GgufHead, read_head
from moa.providers.embedded_machine import available_memory_bytes, threads
from moa.providers.embedded_room import Need, Plan, Resident, make_room, need_of
from tests.support import gguf

linux = pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's files")


def machine(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


@linux
def test_memory_is_what_the_machine_and_each_cgroup_above_leave(tmp_path: Path) -> None:
    root = machine(
        tmp_path,
        {
            "proc/meminfo": "MemTotal: 16000000 kB\nMemAvailable: 8000000 kB\n",
            "proc/self/cgroup": "0::/docker/app\n",
            "sys/fs/cgroup/docker/app/memory.max": "max\n",
            "sys/fs/cgroup/docker/memory.max": "2000000000\n",
            "sys/fs/cgroup/docker/memory.current": "1500000000\n",
            "sys/fs/cgroup/docker/memory.stat": "anon 1\ninactive_file 300000000\n",
        },
    )
    assert available_memory_bytes(root) == 800_000_000


@linux
def test_memory_without_a_limit_is_the_machines_and_unknown_without_figures(tmp_path: Path) -> None:
    assert available_memory_bytes(tmp_path) is None
    assert available_memory_bytes(machine(tmp_path, {"proc/meminfo": "MemAvailable: 5 kB\n"})) == 5120


@linux
@pytest.mark.parametrize(("quota", "most"), [("100000 100000", 1), ("50000 100000", 1), ("max 100000", 8)])
def test_threads_stay_within_the_quota(tmp_path: Path, quota: str, most: int) -> None:
    root = machine(tmp_path, {"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": quota + "\n"})
    assert 1 <= threads(root) <= most


def test_this_machine_answers() -> None:
    assert threads() >= 1
    assert (available_memory_bytes() or 1) > 0


def test_a_models_memory_follows_from_its_head(tmp_path: Path) -> None:
    head = read_head(gguf.write(tmp_path / "model.gguf", 98_000_000))
    assert head == GgufHead(98_000_000, 8192, 30 * 3 * (64 + 64) * 2)
    assert need_of(head, 16_384).other_bytes > 30 * 3 * 128 * 2 * 16_384


def test_a_head_is_read_past_arrays_and_without_walking_through_the_vocabulary(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    words: dict[str, gguf.Value] = {"tokenizer.ggml.tokens": ["x"] * 9, "tokenizer.ggml.model": "gpt2"}
    path.write_bytes(gguf.head({"general.tags": ["a", "b"], **words, **gguf.LLAMA}))
    assert read_head(path).kv_bytes_per_token == 30 * 3 * 128 * 2
    path.write_bytes(gguf.head({**gguf.LLAMA, **words})[:-60])  # cut short after what matters
    assert read_head(path).context_tokens == 8192


def test_key_value_heads_may_differ_by_block(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(gguf.head({**gguf.LLAMA, "llama.attention.head_count_kv": [1, 3, 2]}))
    assert read_head(path).kv_bytes_per_token == 30 * 3 * 128 * 2


@given(st.integers(0, len(gguf.head()) - 1))
def test_a_head_cut_anywhere_is_a_plain_sentence(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    path = tmp_path_factory.mktemp("cut") / "model.gguf"
    path.write_bytes(gguf.head()[:cut])
    with pytest.raises(FinalCall, match=r"damaged or cut short|is not a GGUF"):
        read_head(path)


@given(st.binary(max_size=300))
def test_noise_behind_the_magic_never_raises_anything_else(
    tmp_path_factory: pytest.TempPathFactory, noise: bytes
) -> None:
    path = tmp_path_factory.mktemp("noise") / "model.gguf"
    path.write_bytes(gguf.head()[:24] + noise)
    with pytest.raises(FinalCall):
        read_head(path)


def resident(name: str, size: int, used_s: float, *, busy: bool = False, default: bool = False) -> Resident:
    return Resident(name, Need(size // 2, size - size // 2), used_s, busy, default)


A, B, C = resident("a", 10, 1.0), resident("b", 10, 2.0), resident("default", 10, 0.0, default=True)


@pytest.mark.parametrize(
    ("size", "free", "residents", "plan"),
    [
        (10, 10, [A, B], Plan("fits")),
        (11, 10, [A, B], Plan("fits", ("a",))),
        (21, 10, [B, A], Plan("fits", ("a", "b"))),
        (11, 10, [B, C], Plan("fits", ("b",))),
        (25, 10, [B, C], Plan("fits", ("b", "default"))),
        (31, 10, [A, B], Plan("never")),
        (20, 10, [resident("a", 10, 1.0, busy=True)], Plan("wait")),
        (21, 10, [resident("a", 10, 1.0, busy=True)], Plan("never")),
        (5, -3, [A], Plan("fits", ("a",))),
        (1, 0, [], Plan("never")),
    ],
)
def test_the_least_recently_used_idle_model_makes_room(
    size: int, free: int, residents: list[Resident], plan: Plan
) -> None:
    assert make_room(Need(0, size), free, residents) == plan


names = st.lists(
    st.builds(Resident, st.uuids().map(str), st.builds(Need, st.integers(0, 50), st.integers(0, 50)),
              st.floats(0, 9), st.booleans(), st.booleans()),
    max_size=6,
)  # fmt: skip


@given(st.integers(0, 200), st.integers(-50, 100), names)
def test_nobody_busy_is_stopped_and_nobody_in_vain(size: int, free: int, residents: list[Resident]) -> None:
    plan = make_room(Need(0, size), free, residents)
    by_name = {r.model_id: r for r in residents}
    freed = [by_name[name].need.total for name in plan.stop]
    assert not any(by_name[name].busy for name in plan.stop)
    assert (plan.verdict == "fits") == (size <= free + sum(r.need.total for r in residents if not r.busy))
    if plan.stop:
        assert plan.verdict == "fits"
        assert free + sum(freed[:-1]) < size <= free + sum(freed)

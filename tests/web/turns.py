"""Turns as the page gets them, built for the browser tests: realistic text, every status, any number of proposers."""

from __future__ import annotations

from typing import Any, Literal, get_args

from moa.ui.contract import (
    ColumnJson,
    ComparisonJson,
    LayerJson,
    PanelJson,
    PanelStatusJson,
    Side,
    TotalsJson,
    TurnJson,
    VoteJson,
)

ANSWER = r"""## Which sort to use

All three proposers agree that **merge sort** is the safe choice: it never takes more than $O(n \log n)$
comparisons, while quicksort's worst case is $\Theta(n^2)$. The recurrence is

$$T(n) = 2\,T\!\left(\tfrac{n}{2}\right) + cn \quad\Rightarrow\quad T(n) = c\,n\log_2 n + c\,n$$

| Sort | Best | Average | Worst | Stable | Memory |
|:-----|:----:|:-------:|:-----:|:------:|-------:|
| Merge | $n\log n$ | $n\log n$ | $n\log n$ | yes | $n$ |
| Quick | $n\log n$ | $n\log n$ | $n^2$ | no | $\log n$ |
| Insertion | $n$ | $n^2$ | $n^2$ | yes | 1 |

```python
def merge_sort(items: list[int]) -> list[int]:
    # Split, sort both halves, then merge: stable, because ties take the left one.
    if len(items) < 2:
        return items
    middle = len(items) // 2
    left, right = merge_sort(items[:middle]), merge_sort(items[middle:])
    merged = []
    while left and right:
        merged.append((left if left[0] <= right[0] else right).pop(0))
    return merged + left + right  # a long comment that does not fit into a narrow column and has to scroll sideways
```

1. Use it when the order of equal items matters.
2. Prefer `sorted()` in practice: Timsort is a merge sort that notices runs.
   - It is in C, and stable.
   - See [the documentation](https://docs.python.org/3/howto/sorting.html).

> Two of three proposers add that insertion sort wins below about 32 items.
"""

CJK = """### 归并排序

归并排序的时间复杂度是 $O(n \\log n)$，而且是**稳定**的。
日本語では「マージソート」と呼ばれ、한국어로는 병합 정렬입니다。

- 优点：最坏情况下仍然很快
- 缺点：需要额外的内存空间，所以在嵌入式设备上要小心使用，特别是当数据量很大的时候
"""

PROPOSAL = """Merge sort splits the list, sorts each half and merges them. It is **stable**, and its worst case is as
good as its average.

- Time: $O(n \\log n)$
- Memory: $O(n)$

```python
result = sorted(items, key=lambda item: item.rank)
```

Quicksort is often faster in memory because it works in place and its inner loop is tight, but an unlucky pivot
makes it quadratic. Introsort starts as quicksort and switches to heapsort when the recursion gets too deep.
"""

MODELS = (
    ("SmolLM2 135M", "Careful"),
    ("SmolLM2 135M", "Lively"),
    ("Llama 3.3 70B Instruct Turbo", None),
    ("Qwen2.5 72B Instruct", "Sceptic"),
    ("DeepSeek V3.1", None),
    ("Mixtral 8x22B Instruct v0.1", "Teacher"),
)


def panel(slot: str, status: PanelStatusJson = "done", **changes: Any) -> PanelJson:
    """One slot with figures that fit its status."""
    model, label = MODELS[(int(slot.split(".")[1]) - 1) % len(MODELS)]
    ended = status in ("done", "failed", "stopped")
    made = PanelJson(
        slot=slot,
        model=model,
        label=label,
        status=status,
        text="" if status == "waiting" else PROPOSAL,
        reasoning="",
        seconds=None if status == "waiting" else 4.2,
        tokens=312 if ended else None,
        estimated=False,
        cost="$0.0012" if status == "done" else None,
        note=None,
        error=None,
    )
    made.update(changes)  # type: ignore[typeddict-item]  # a test may set any field
    return made


def layer(number: int, count: int = 3, status: PanelStatusJson = "done", **changes: Any) -> LayerJson:
    """``count`` panels of one status."""
    panels = [panel(f"{number}.{position}", status, **changes) for position in range(1, count + 1)]
    return LayerJson(number=number, kind="proposers", panels=panels)


def turn(number: int = 1, **changes: Any) -> TurnJson:
    """A complete turn with three proposers, in its place by its number; ``changes`` replace whole fields."""
    made = TurnJson(
        id=f"turn{number}",
        run=f"run{number}",
        position=number,
        attempts=[f"run{number}"],
        siblings=[f"turn{number}"],
        question="Which sorting algorithm should I use, and why? Show one in Python.",
        recipe="Local mixture",
        status="complete",
        layers=[layer(1)],
        answer=panel("2.1", text=ANSWER, label=None),
        notice=None,
        totals=TotalsJson(seconds=12.3, first=None, calls=4, tokens=1934, estimated=True, cost="$0.0049"),
        mend=None,
        comparison=None,
    )
    made.update(changes)  # type: ignore[typeddict-item]  # as above
    return made


def running(number: int = 1, *, text: str = "", answer: str | None = None, **changes: Any) -> TurnJson:
    """A turn while its proposers write ``text``, or, with ``answer``, while the aggregator writes that."""
    status: PanelStatusJson = "running" if answer is None else "done"
    written = panel("2.1", "waiting" if answer is None else "running", text=answer or "", label=None)
    return turn(
        number,
        **{
            "status": "running",
            "layers": [layer(1, status=status, text=text)],
            "answer": written,
            "totals": TotalsJson(seconds=2.1, first=None, calls=3, tokens=None, estimated=False, cost=None),
            **changes,
        },
    )


NAMES = ("Three and a writer", "Qwen2.5 72B Instruct", "Paper's mixture", "DeepSeek V3.1")
SIDES: tuple[Side, ...] = get_args(Side)


def column(side: Side, **changes: Any) -> ColumnJson:
    """A column that is done: those of A and C are mixtures, the others single models."""
    at = SIDES.index(side)
    mixture = at % 2 == 0
    totals = TotalsJson(
        seconds=12.3 - at, first=9.4 - 3 * at, calls=4 - at, tokens=1934, estimated=True, cost="$0.0049"
    )
    made = turn(
        **{
            "run": f"run-{side}",
            "recipe": NAMES[at],
            "layers": [layer(1)] if mixture else [],
            "answer": panel("2.1", model=NAMES[at], label=None, text=f"From {side}: merge sort.\n\n{PROPOSAL}"),
            "totals": totals,
            **changes,
        },
    )
    return ColumnJson(side=side, turn=made)


def writing(side: Side, text: str = "", **changes: Any) -> ColumnJson:
    """A column whose answer is being written; without a ``text`` its proposers write."""
    status: PanelStatusJson = "running" if text else "waiting"
    layers = [
        {**one, "panels": layer(1, status="done" if text else "running", text="So far")["panels"]}
        for one in column(side)["turn"]["layers"]
    ]
    answer = panel("2.1", status, model=NAMES[SIDES.index(side)], label=None, text=text)
    totals = TotalsJson(seconds=2.1, first=None, calls=3, tokens=None, estimated=False, cost=None)
    return column(side, **{"status": "running", "layers": layers, "answer": answer, "totals": totals, **changes})


def veiled(told: ColumnJson) -> ColumnJson:
    """A column as it is sent before the vote: what it says, and how far it is."""
    known, side = told["turn"], told["side"]
    status = "running" if known["status"] == "running" else "complete" if known["answer"] else "failed"
    said = known["answer"]
    nameless = {"model": "", "label": None, "seconds": None, "tokens": None, "estimated": False, "cost": None}
    return column(
        side, run=f"turn1-{side}", recipe="", status=status, layers=[], notice=None,
        answer=said and {**said, **nameless},
        totals=TotalsJson(seconds=None, first=None, calls=0, tokens=None, estimated=False, cost=None),
    )  # fmt: skip


def compared(number: int = 1, *columns: ColumnJson, **changes: Any) -> TurnJson:
    """A turn with answers side by side, two unless ``columns`` are given. ``changes`` are those of the comparison."""
    asked = columns or (column("A"), column("B"))
    runs = [one["turn"]["status"] == "running" for one in asked]
    hidden = changes.get("hidden", False)
    comparison = ComparisonJson(
        hidden=hidden,
        votable=not any(runs),
        columns=[veiled(one) if hidden else one for one in asked],
        vote=None,
        tags=[],
    )
    comparison.update(changes)  # type: ignore[typeddict-item]  # as above
    return turn(
        number, status="running" if any(runs) else "complete", layers=[], answer=None, recipe="", comparison=comparison,
        run=asked[0]["turn"]["run"],
    )  # fmt: skip


def vote(choice: Side | Literal["tie", "bad"], *, blind: bool = True, stale: bool = False) -> VoteJson:
    """What the user thinks."""
    return VoteJson(choice=choice, blind=blind, stale=stale)


def settled(
    *turns: TurnJson, conversation: str | None = "talk1", welcome: Any = None, focus: str | None = None
) -> dict[str, Any]:
    """The settled component's value."""
    return {"conversation": conversation, "turns": list(turns), "welcome": welcome, "focus": focus}


def live(made: TurnJson | None, *, ended: bool = False, conversation: str | None = "talk1") -> dict[str, Any]:
    """The live component's value."""
    return {"conversation": conversation, "turn": made, "ended": ended}

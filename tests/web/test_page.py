from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from typing import Any

import pytest

from moa.chat.values import Actor, ConversationView
from moa.core.domain import Slot
from moa.core.errors import Busy, Conflict, StoreBusy
from moa.core.view import RunView
from moa.ui.identity import Identity
from moa.ui.state import PageState
from tests.support.page import NOW, FakeChat, FakeModels, Page, served, turn_view

STATE = PageState._fields


def conversation() -> ConversationView:
    return ConversationView("c1", "Sky", "t1", (turn_view("t1", "r1"),))


@pytest.fixture
def chat() -> FakeChat:
    return FakeChat({"c1": conversation()})


@pytest.fixture
async def page(chat: FakeChat) -> AsyncIterator[Page]:
    async with served(chat) as opened:
        yield opened


def state(message: dict[str, Any]) -> dict[str, Any]:
    """The page's new state, by name; events that also change the composer have it first."""
    assert message["success"], message
    return dict(zip(STATE, message["output"]["data"][-len(STATE) :], strict=True))


def refusal(messages: list[dict[str, Any]]) -> str:
    """What the page shows of a refused event."""
    assert messages[-1]["success"] is False
    return str(messages[-1]["output"]["error"])


async def test_every_event_is_private_unlimited_and_checked_by_its_handler(page: Page) -> None:
    for fn in page.blocks.fns.values():
        if fn.fn is not None:
            assert (fn.concurrency_limit, fn.api_visibility, fn.preprocess) == (None, "private", False), fn.name
    assert not any(block.get_block_name() == "state" for block in page.blocks.blocks.values())


async def test_the_names_that_others_rely_on_are_on_the_page(page: Page) -> None:
    components = (await page.client.get("/config")).json()["components"]
    props = [c["props"] for c in components]
    assert {"Send", "Stop", "New chat"} <= {p.get("value") for p in props if c_is_text(p.get("value"))}
    assert "Message" in {p.get("label") for p in props}
    ids = {p.get("elem_id") for p in props}
    assert {"moa-settled", "moa-live", "moa-history", "moa-mixer", "moa-composer", "moa-message"} <= ids


def c_is_text(value: object) -> bool:
    return isinstance(value, str)


async def test_send_stores_the_question_and_shows_the_new_conversation(page: Page, chat: FakeChat) -> None:
    (message,) = await page.fire("start", page.start_inputs("Why?"))
    assert message["output"]["data"][0] == ""
    shown = state(message)
    assert (shown["conversation"], shown["head"], shown["run"]) == ("new", "turn", "run")
    assert shown["settled"] == {"conversation": "new", "turns": [], "welcome": None, "focus": None}
    assert shown["stop"]["visible"] is True
    assert shown["send"]["interactive"] is False
    (sent,) = chat.named("send")
    assert (sent["actor"], sent["question"], sent["recipe"].id) == (Actor("local"), "Why?", "local")
    assert (sent["conversation_id"], sent["expected_head"]) == (None, None)
    assert sent["request_key"] == "0123456789abcdef0123456789abcdef"


async def test_F23_a_follow_up_names_the_head_that_the_page_saw(page: Page, chat: FakeChat) -> None:
    await page.fire("start", page.start_inputs("And?", "c1", "t1"))
    (sent,) = chat.named("send")
    assert (sent["conversation_id"], sent["expected_head"]) == ("c1", "t1")


@pytest.mark.parametrize(
    "fault", [Conflict("This conversation has gone on elsewhere: reload."), Busy("Busy.", retry_after_s=3)]
)
async def test_a_refused_question_changes_nothing_on_the_page(page: Page, chat: FakeChat, fault: Exception) -> None:
    chat.fault = fault
    messages = await page.fire("start", page.start_inputs("Why?", "c1", "t1"))
    assert refusal(messages) == str(fault)


async def test_what_is_not_ours_is_one_sentence_and_no_traceback(page: Page, chat: FakeChat) -> None:
    chat.fault = RuntimeError("password=hunter2")
    messages = await page.fire("start", page.start_inputs("Why?"))
    assert "hunter2" not in str(messages)
    assert refusal(messages).startswith("Something went wrong on our side.")


async def test_the_settings_reach_the_recipe(page: Page) -> None:
    inputs = page.start_inputs("Why?")
    inputs[5:10] = [{"picked": [{"model": "far/big", "count": 3}]}, "far/big", 3.0, 0.5, " Be brief. "]
    await page.fire("start", inputs)
    (made,) = page.made
    assert [(p.model, p.count, p.label) for p in made.picked] == [("far/big", 3, None)]
    assert (made.base, made.aggregator, made.layers, made.temperature) == ("local", "far/big", 3, 0.5)
    assert (made.system, made.calls) == ("Be brief.", 7)


async def test_load_opens_the_conversation_of_the_address(page: Page) -> None:
    (message,) = await page.fire("load", ["c1"])
    shown = state(message)
    assert (shown["conversation"], shown["head"], shown["run"]) == ("c1", "t1", "")
    assert [turn["id"] for turn in shown["settled"]["turns"]] == ["t1"]
    assert shown["history"] == {
        "entries": [
            {
                "id": "c1",
                "title": "Sky",
                "at": NOW.isoformat(timespec="microseconds"),
                "running": False,
                "pinned": False,
            }
        ],
        "current": "c1",
        "next": None,
    }
    assert shown["settled"]["focus"] is None


async def test_B08_any_other_address_opens_the_first_screen(page: Page, chat: FakeChat) -> None:
    for n, address in enumerate(("", "gone", "../../etc", "c1\x00", None, 7, ["c1"], {"a": 1}, "a" * 100)):
        (message,) = await page.fire("load", [address], session=f"page-{n}")
        shown = state(message)
        assert (shown["conversation"], shown["settled"]["turns"]) == ("", [])
        assert len(shown["settled"]["welcome"]["examples"]) == 3
    assert [told["conversation_id"] for told in chat.named("open")] == ["gone"]


async def test_F22_load_finds_the_run_that_goes_on(chat: FakeChat) -> None:
    turns = (turn_view("t1", "r1"), turn_view("t2", "r2", live=True))
    chat.conversations["c1"] = ConversationView("c1", "Sky", "t2", turns)
    async with served(chat) as page:
        shown = state((await page.fire("load", ["c1"]))[0])
    assert (shown["run"], shown["live"]["turn"]["id"]) == ("r2", "t2")
    assert [turn["id"] for turn in shown["settled"]["turns"]] == ["t1"]
    assert shown["stop"]["visible"] is True


async def test_watch_gives_each_view_and_marks_the_last(page: Page, chat: FakeChat) -> None:
    chat.views = [turn_view("t2", "r2", RunView(seq=1), live=True), turn_view("t2", "r2", RunView(seq=2))]
    chat.gate.set()
    first, *_ = await page.fire("watch", ["r2"])
    assert first["output"]["data"][0]["turn"]["id"] == "t2"
    assert first["output"]["data"][0]["ended"] is False


async def test_a_page_that_turned_elsewhere_stops_following(page: Page, chat: FakeChat) -> None:
    chat.views = [turn_view("t2", "r2", live=True), turn_view("t2", "r2")]
    await page.join("watch", ["r2"])
    stream = page.messages()
    first = await anext(stream)
    assert first["msg"] == "process_generating"
    await page.join("first_screen", ["@7.5"])
    left = await anext(stream)
    assert state(left)["conversation"] == ""
    chat.gate.set()
    rest = [message async for message in stream]
    assert not any(str(message["output"].get("data")).count("'ended', True") for message in rest)


async def test_what_ends_after_the_page_turned_elsewhere_does_not_come_back(page: Page) -> None:
    await page.fire("load", ["c1"])
    await page.fire("first_screen", ["@7"])
    (late,) = await page.fire("finish", ["r1", "c1"])
    assert "value" not in state(late)["settled"]
    (other,) = await page.fire("finish", ["r1", "c1"], session="page-2")
    assert state(other)["conversation"] == "c1"


async def test_watching_nothing_changes_nothing_on_the_screen(page: Page, chat: FakeChat) -> None:
    messages = await page.fire("watch", [""])
    assert not {"value", "turn"} & messages[0]["output"]["data"][0].keys()
    assert chat.named("watch") == []


async def test_what_is_asked_to_be_watched_late_does_not_end_the_stream_of_what_is_shown(
    page: Page, chat: FakeChat
) -> None:
    chat.views = [turn_view("turn", "run", live=True), turn_view("turn", "run")]
    await page.fire("start", page.start_inputs("Why?"))
    await page.join("watch", ["run"])
    stream = page.messages()
    first = await anext(stream)
    assert first["output"]["data"][0]["turn"]["run"] == "run"
    await page.join("watch", [""])  # the first screen's own, or of what the page showed before
    await page.join("watch", ["another"])
    chat.gate.set()
    rest = [message async for message in stream]
    assert "True" in str([m["output"] for m in rest if "ended" in str(m["output"])])
    assert [told["run_id"] for told in chat.named("watch")] == ["run"]


async def test_a_question_is_not_taken_off_the_screen_by_what_was_chosen_before_it(page: Page) -> None:
    """Gradio carries out what came at about the same time in any order."""
    await page.fire("start", page.start_inputs("Why?", at="@30.5"))
    (late,) = await page.fire("first_screen", ["@30.25"])
    assert "value" not in state(late)["settled"]
    (loaded,) = await page.fire("load", [""])
    assert "value" not in state(loaded)["settled"]
    (later,) = await page.fire("first_screen", ["@30.75"])
    assert state(later)["conversation"] == ""


async def test_finish_shows_what_the_store_holds_and_only_after_a_run(page: Page, chat: FakeChat) -> None:
    await page.fire("finish", ["", "c1"])
    assert chat.named("open") == []
    (message,) = await page.fire("finish", ["r1", "c1"])
    assert state(message)["settled"]["turns"][0]["id"] == "t1"


async def test_a_conversation_that_was_deleted_while_it_wrote_leaves_the_first_screen(
    page: Page, chat: FakeChat
) -> None:
    await page.fire("load", ["c1"])
    del chat.conversations["c1"]
    (message,) = await page.fire("finish", ["r1", "c1"])
    shown = state(message)
    assert (shown["conversation"], shown["send"]["interactive"]) == ("", True)


async def test_F27_a_page_whose_run_has_ended_can_be_typed_in_though_the_store_refuses(
    page: Page, chat: FakeChat
) -> None:
    await page.fire("load", ["c1"])
    chat.fault = StoreBusy("The database is locked.")
    message = (await page.fire("finish", ["r1", "c1"]))[-1]
    shown = state(message)
    assert (shown["run"], shown["send"]["interactive"], shown["stop"]["visible"]) == ("", True, False)
    assert "value" not in shown["settled"]


async def test_a_stream_that_breaks_is_followed_by_what_the_store_holds(page: Page) -> None:
    ends = [fn for fn in page.blocks.fns.values() if fn.name == "finish"]
    assert {fn.trigger_after for fn in ends} <= {n for n, fn in page.blocks.fns.items() if fn.name == "watch"}
    assert [fn.trigger_only_on_failure for fn in ends].count(True) == len(ends) // 2


async def test_what_was_chosen_last_is_shown_also_when_it_comes_first(chat: FakeChat) -> None:
    chat.conversations["c2"] = ConversationView("c2", "Sea", None, ())
    slow = asyncio.Event()
    opened = chat.open

    async def open_slowly(actor: Actor, conversation_id: str) -> ConversationView:
        if conversation_id == "c2":
            await slow.wait()
        return await opened(actor, conversation_id)

    chat.open = open_slowly  # type: ignore[method-assign]  # the answer to the first click is held back
    async with served(chat) as page:
        await page.join("open", ["@10"], event={"id": "c2"})
        await page.join("open", ["@20"], event={"id": "c1"})
        messages = page.messages()
        first = await anext(messages)
        assert state(first)["conversation"] == "c1"
        slow.set()
        late = [message async for message in messages]
        assert "value" not in state(late[-1])["settled"]


async def test_stop_reaches_the_run(page: Page, chat: FakeChat) -> None:
    chat.views = [turn_view("t1", "r1")]
    await page.fire("stop", ["r1"])
    assert chat.named("stop") == [{"actor": Actor("local"), "run_id": "r1"}]


async def test_regenerate_asks_again_with_the_settings_of_now(page: Page, chat: FakeChat) -> None:
    inputs = [*page.settings("single"), "fedcba9876543210fedcba9876543210"]
    (message,) = await page.fire("regenerate", inputs, event={"turn": "t1"})
    (again,) = chat.named("regenerate")
    assert (again["turn_id"], again["recipe"].id) == ("t1", "single")
    assert state(message)["conversation"] == "c1"


async def test_a_place_that_was_found_is_put_on_the_path_and_scrolled_to(page: Page, chat: FakeChat) -> None:
    (message,) = await page.fire("open", [""], event={"id": "c1", "turn": "t1"})
    assert chat.named("show_turn") == [{"actor": Actor("local"), "turn_id": "t1"}]
    assert state(message)["settled"]["focus"] == "t1"


async def test_another_question_in_a_turns_place_is_asked_with_the_settings_of_now(page: Page, chat: FakeChat) -> None:
    inputs = [*page.settings("single"), None, "fedcba9876543210fedcba9876543210"]
    (message,) = await page.fire("edit", inputs, event={"turn": "t1", "question": "Why not?"})
    (edited,) = chat.named("edit")
    assert (edited["turn_id"], edited["question"], edited["recipe"].id) == ("t1", "Why not?", "single")
    assert state(message)["conversation"] == "c1"


@pytest.mark.parametrize(
    ("name", "event", "told"),
    [
        ("regenerate_answer", {}, {}),
        ("resume", {}, {}),
        ("retry_slot", {"slot": "1.2", "model": None}, {"slot": Slot(1, 2), "model": None}),
        ("retry_slot", {"slot": "1.2", "model": "far/big"}, {"slot": Slot(1, 2), "model": "far/big"}),
    ],
)
async def test_what_mends_an_answer_reaches_its_turn(
    page: Page, chat: FakeChat, name: str, event: dict[str, Any], told: dict[str, Any]
) -> None:
    key = "fedcba9876543210fedcba9876543210"
    (message,) = await page.fire(name, [key], event={"turn": "t1", **event})
    assert chat.named(name) == [{"actor": Actor("local"), "turn_id": "t1", "request_key": key, **told}]
    assert state(message)["conversation"] == "c1"


async def test_B19_a_model_that_is_not_in_the_list_replaces_none(page: Page, chat: FakeChat) -> None:
    messages = await page.fire("retry_slot", ["f" * 32], event={"turn": "t1", "slot": "1.2", "model": "http://evil/"})
    assert refusal(messages) == "Choose a model from the list."
    assert chat.named("retry_slot") == []


async def test_attempts_and_branches_are_stepped_through(page: Page, chat: FakeChat) -> None:
    (message,) = await page.fire("show_run", ["c1", ""], event={"turn": "t1", "run": "r1"})
    assert state(message)["settled"]["turns"][0]["id"] == "t1"
    await page.fire("show_turn", ["c1", ""], event={"turn": "t1"})
    assert chat.named("show_run") == [{"actor": Actor("local"), "turn_id": "t1", "run_id": "r1"}]
    assert chat.named("show_turn") == [{"actor": Actor("local"), "turn_id": "t1"}]


async def test_the_next_question_branches_off_where_it_was_said_to(page: Page, chat: FakeChat) -> None:
    (forked,) = await page.fire("fork", ["c1"], event={"turn": "t1"})
    fork = forked["output"]["data"][0]
    assert fork == {"turn": "t1", "question": "Question t1"}
    inputs = page.start_inputs("And?", "c1", "t9")
    inputs[3] = fork
    chat.fault = None
    await page.fire("start", inputs)
    assert chat.named("send")[0]["after"] == "t1"
    (cancelled,) = await page.fire("unfork", [])
    assert cancelled["output"]["data"][0] == {"turn": None, "question": None}


async def test_answer_now_reaches_the_run(page: Page, chat: FakeChat) -> None:
    chat.views = [turn_view("t1", "r1")]
    await page.fire("answer_now", ["r1"])
    assert chat.named("answer_now") == [{"actor": Actor("local"), "run_id": "r1"}]


async def test_B09_foreign_ids_read_as_missing_ones_everywhere(chat: FakeChat) -> None:
    chat.owner = Actor("somebody else")
    chat.views = [turn_view("t1", "r1")]
    again = [*Page.settings(), ""]
    cases: list[tuple[str, list[Any], dict[str, Any] | None]] = [
        ("open", [""], {"id": "ID"}), ("open", [""], {"id": "c1", "turn": "ID"}),
        ("stop", ["ID"], None), ("answer_now", ["ID"], None), ("watch", ["ID"], None),
        ("regenerate", again, {"turn": "ID"}),
        ("edit", [*again[:-1], None, ""], {"turn": "ID", "question": "Mine?"}),
        ("regenerate_answer", [""], {"turn": "ID"}), ("resume", [""], {"turn": "ID"}),
        ("retry_slot", [""], {"turn": "ID", "slot": "1.1"}), ("show_turn", ["c1", ""], {"turn": "ID"}),
        ("show_run", ["c1", ""], {"turn": "ID", "run": "r1"}),
        ("vote", ["c1", ""], {"turn": "ID", "choice": "A"}), ("tag", ["c1", ""], {"turn": "ID", "tags": []}),
        ("regenerate_column", [""], {"turn": "ID", "side": "A"}), ("fork", ["ID"], {"turn": "t1"}),
    ]  # fmt: skip
    known = {"fork": "c1", "stop": "r1", "answer_now": "r1", "watch": "r1"}
    async with served(chat) as page:
        for name, data, event in cases:
            said = [
                refusal(await page.fire(name, filled(data, value), event=filled(event, value)))
                for value in (known.get(name, "c1" if event == {"id": "ID"} else "t1"), "missing")
            ]
            assert said[0] == said[1]
            assert said[0].endswith("doesn't exist any more.")
        ended = [
            state((await page.fire("finish", ["r1", id_], session=f"fresh-{id_}"))[0]) for id_ in ("c1", "missing")
        ]
        assert ended[0] == ended[1]
        assert (ended[0]["conversation"], ended[0]["settled"]["turns"]) == ("", [])
    assert list(chat.conversations) == ["c1"]


def filled(value: Any, instead: str) -> Any:
    if isinstance(value, dict):
        return {key: filled(part, instead) for key, part in value.items()}
    if isinstance(value, list):
        return [filled(part, instead) for part in value]
    return instead if value == "ID" else value


HOSTILE: list[Any] = [
    None, True, -1, 10**30, 1.5, "", "\x00", "a" * 5_000, "'; DROP TABLE turn;--", "<img src=x onerror=alert(1)>",
    [], ["x"] * 50, {}, {"picked": "x"}, {"picked": [{"model": 1}]}, {"picked": [{"model": "m", "count": 10**9}]},
    {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}},
]  # fmt: skip


async def test_B10_wrong_types_and_sizes_are_refused_in_plain_words(
    page: Page, chat: FakeChat, capsys: pytest.CaptureFixture[str]
) -> None:
    names = {str(fn.name): len(fn.inputs) for fn in page.blocks.fns.values() if fn.fn is not None}

    at_once = asyncio.Semaphore(30)  # each holds a connection

    async def fire(number: int, name: str, value: Any) -> list[dict[str, Any]]:
        async with at_once:
            return await page.fire(name, [value] * names[name], event=value, session=f"page-{number}")

    cases = enumerate(itertools.product(names, HOSTILE))
    for messages in await asyncio.gather(*(fire(number, *case) for number, case in cases)):
        assert "Traceback" not in str(messages)
        if not messages[-1]["success"]:
            assert len(refusal(messages)) < 200
    captured = capsys.readouterr()
    assert "DROP TABLE" not in captured.out + captured.err
    assert {name for name, _ in chat.calls} <= {"open", "stop", "answer_now", "watch"}
    assert list(chat.conversations) == ["c1"]


async def test_B10_missing_and_extra_fields_are_refused(page: Page, chat: FakeChat) -> None:
    for count in (0, 3, 40):
        messages = await page.fire("start", ["x"] * count)
        assert messages[-1]["success"] is False
        assert "Traceback" not in str(messages)
    assert chat.named("send") == []


async def test_B10_each_setting_is_checked_by_itself(page: Page, chat: FakeChat) -> None:
    for position, value in itertools.product(range(4, 10), HOSTILE):
        inputs = page.start_inputs("Why?")
        inputs[position] = value
        messages = await page.fire("start", inputs)
        if messages[-1]["success"]:
            made = page.made[-1]
            assert (made.base, made.layers, len(made.picked)) == ("local", 2, 2)
            assert made.temperature is None or 0 <= made.temperature <= 2
            assert isinstance(made.system, str)
            assert isinstance(made.aggregator, str)


async def test_B10_an_unknown_event_is_refused(page: Page) -> None:
    for index in (-1, 10_000, "x", None, [1]):
        body = {"fn_index": index, "data": [], "session_hash": "s"}
        answer = await page.client.post("/gradio_api/queue/join", json=body)
        assert 400 <= answer.status_code < 600
        assert "Traceback" not in answer.text


async def test_B07_a_question_of_a_megabyte_is_for_the_service_to_refuse(page: Page, chat: FakeChat) -> None:
    await page.fire("start", page.start_inputs("a" * 1_000_000))
    assert len(chat.named("send")[0]["question"]) == 1_000_000


async def test_B23_a_browser_without_its_cookie_is_asked_to_reload(chat: FakeChat) -> None:
    async with served(chat, identity=Identity(single_owner=False)) as page:
        assert "Reload" in refusal(await page.fire("load", [""]))
        assert "Reload" in refusal(await page.fire("start", page.start_inputs("Why?")))
        assert chat.calls == []
        await page.client.get("/")
        (message,) = await page.fire("load", [""])
        assert state(message)["history"]["entries"] == []


async def test_a_recipe_fills_the_panel_and_a_change_makes_it_the_users_own(page: Page) -> None:
    (picked,) = await page.fire("pick", ["single"])
    recipe, calls, summary, base, mixer, aggregator, layers, temperature, system, _ = picked["output"]["data"]
    assert (recipe["value"], base, aggregator["value"]) == ("single", "single", "embedded/small")
    assert (mixer["picked"], layers, temperature, system) == ([], 1, 0.2, "")
    assert (calls, summary) == ("<span>1 call</span>", "One model · 1 call")
    (changed,) = await page.fire("change", [*page.settings()[:3], 4, None, ""])
    assert changed["output"]["data"] == ["custom", "<span>7 calls</span>", "Custom mixture · 7 calls"]
    event = {"picked": [{"model": "far/big", "count": 5}]}
    (mixed,) = await page.fire("change_mixer", page.settings(), event=event)
    assert mixed["output"]["data"][1] == "<span>6 calls</span>"
    assert mixed["output"]["data"][3]["picked"] == [{"model": "far/big", "label": None, "count": 5}]


async def test_a_model_that_lacks_its_key_is_listed_with_the_keys_name(page: Page) -> None:
    (filled_in,) = await page.fire("pick", ["local"])
    data = filled_in["output"]["data"]
    assert [c["needs"] for c in data[4]["choices"]] == [None, "FAR_API_KEY"]
    assert ["Big (needs FAR_API_KEY)", "far/big"] in data[5]["choices"]


async def test_the_status_line_follows_the_model_until_it_is_ready(chat: FakeChat) -> None:
    models = FakeModels(["Loading model", "<b>Loading</b>"])
    async with served(chat, models=models) as page:
        messages = await page.fire("model_status", [])
    assert "Loading model" in messages[0]["output"]["data"][0]
    assert "<b>" not in str(messages)
    assert models.trouble == []

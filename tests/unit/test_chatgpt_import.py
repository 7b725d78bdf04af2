"""ChatGPT's conversations.json: what a reader saw there is what is seen here."""

from __future__ import annotations

import datetime as dt
from typing import Any

import orjson
import pytest

from moa.chat.chatgpt_import import NO_ANSWER
from moa.chat.imports import EMPTY, read
from moa.chat.values import ConversationTree, TurnRecord
from moa.core.domain import Failure, FailureKind, Finish, Proposal, Status
from moa.core.errors import InputRefused
from moa.core.policy import Caps

NOW = dt.datetime(2026, 1, 2, tzinfo=dt.UTC)
BEGAN = 1_700_000_000.5

Node = dict[str, Any]


def said(role: str, *parts: Any, parent: str | None, **more: Any) -> Node:
    """A node as the export has it. ``more`` goes to the message."""
    content = {"content_type": "text", "parts": list(parts)}
    message = {"author": {"role": role, "metadata": {}}, "content": content, "metadata": {}, "recipient": "all"} | more
    return {"message": message, "parent": parent, "children": []}


def user(text: str, parent: str | None, **more: Any) -> Node:
    return said("user", text, parent=parent, **more)


def model(text: str, parent: str, **more: Any) -> Node:
    return said("assistant", text, parent=parent, **({"metadata": {"model_slug": "gpt-4o"}} | more))


def chat(nodes: dict[str, Node], **more: Any) -> dict[str, Any]:
    """A conversation of these nodes below the root that every export has; children in the order given."""
    mapping: dict[str, Node] = {"root": {"message": None, "parent": None, "children": []}, **nodes}
    for key, node in nodes.items():
        node["parent"] = node["parent"] or "root"
        mapping[node["parent"]]["children"].append(key)
    began = {"title": "Skies", "create_time": BEGAN, "update_time": BEGAN + 60, "mapping": mapping}
    return began | {"current_node": list(mapping)[-1], "conversation_id": "c-1", "id": "c-1"} | more


def conversations(*chats: Any) -> bytes:
    return orjson.dumps(list(chats))


def imported(nodes: dict[str, Node], caps: Caps = Caps(), **more: Any) -> ConversationTree:
    [tree] = read(conversations(chat(nodes, **more)), now=NOW, caps=caps)
    return tree


def texts(tree: ConversationTree) -> list[tuple[str, list[str]]]:
    return [(turn.question, [answer_of(turn, n) for n in range(len(turn.runs))]) for turn in tree.turns]


def answer_of(turn: TurnRecord, number: int = -1) -> str:
    result = turn.runs[number].result
    assert result is not None
    return result.answer


BRANCHED = chat(
    {
        "s": said("system", "", parent=None, metadata={"is_visually_hidden_from_conversation": True}),
        "q1": user("Why is the sky blue?", "s", create_time=BEGAN),
        "a1": model("Rayleigh.", "q1", create_time=BEGAN + 5),
        "a2": model("Scattering.", "q1", metadata={"model_slug": "o3"}, create_time=BEGAN + 9),
        "q2": user("And red?", "a1"),
        "b2": model("Dust.", "q2"),
        "q2x": user("And red at dusk?", "a1"),
        "b2x": model("A longer way.", "q2x"),
        "q3": user("Thanks!", "a2"),
    },
    current_node="b2",
)


def test_branches_are_turns_side_by_side_and_regenerated_answers_runs() -> None:
    [tree] = read(conversations(BRANCHED), now=NOW)
    assert texts(tree) == [
        ("Why is the sky blue?", ["Rayleigh.", "Scattering."]),
        ("And red?", ["Dust."]),
        ("And red at dusk?", ["A longer way."]),
        ("Thanks!", [""]),
    ]
    first, second, edited, thanks = tree.turns
    assert (second.parent_id, edited.parent_id, thanks.parent_id) == (first.id,) * 3
    assert second.siblings == (second.id, edited.id, thanks.id)
    assert (first.position, second.position) == (1, 2)


@pytest.mark.parametrize(
    ("current", "head", "answer"),
    [
        ("b2", "And red?", "Rayleigh."),
        ("q2", "And red?", "Rayleigh."),
        ("b2x", "And red at dusk?", "Rayleigh."),
        ("q3", "Thanks!", "Scattering."),
        ("a1", "Why is the sky blue?", "Rayleigh."),
        ("a2", "Why is the sky blue?", "Scattering."),
        ("s", "Thanks!", "Scattering."),
        ("gone", "Thanks!", "Scattering."),
        (None, "Thanks!", "Scattering."),
        (["a1"], "Thanks!", "Scattering."),
    ],
)
def test_the_current_node_says_which_path_is_shown(current: Any, head: str, answer: str) -> None:
    [tree] = read(conversations(BRANCHED | {"current_node": current}), now=NOW)
    assert next(turn.question for turn in tree.turns if turn.id == tree.head) == head
    shown = tree.turns[0].shown.result
    assert shown is not None
    assert shown.answer == answer


def test_what_is_known_of_an_answer_and_what_is_not() -> None:
    [tree] = read(conversations(BRANCHED), now=NOW)
    run = tree.turns[0].runs[1]
    assert (run.recipe.title, run.recipe.layers, run.recipe.aggregator.model) == (
        "Imported from ChatGPT", (), "chatgpt/o3",
    )  # fmt: skip
    assert run.result is not None
    assert (run.result.status, run.result.usage, run.result.cost_microusd) == (Status.COMPLETE, None, None)
    [outcome] = run.outcomes
    assert isinstance(outcome, Proposal)
    assert (outcome.usage, outcome.cost_microusd, outcome.first_token_ms) == (None, None, None)
    assert run.calls[0].messages == ()


def test_times_are_utc_and_missing_ones_the_conversations() -> None:
    [tree] = read(conversations(BRANCHED), now=NOW)
    began = dt.datetime(2023, 11, 14, 22, 13, 20, 500_000, tzinfo=dt.UTC)
    assert (tree.created_at, tree.updated_at) == (began, began + dt.timedelta(minutes=1))
    assert tree.turns[0].runs[0].started_at == began + dt.timedelta(seconds=5)
    assert tree.turns[1].created_at == began


@pytest.mark.parametrize("nonsense", [None, True, "soon", -5, 0, 1e300, [], {}])
def test_times_that_are_none_count_as_missing(nonsense: Any) -> None:
    nodes = {"q": user("Hi", None, create_time=nonsense), "a": model("Hello", "q", create_time=BEGAN)}
    tree = imported(nodes, create_time=nonsense, update_time=nonsense)
    assert tree.created_at == tree.updated_at == tree.turns[0].created_at == dt.datetime.fromtimestamp(BEGAN, dt.UTC)
    assert imported({"q": user("Hi", None, create_time=nonsense)}, create_time=None).created_at == NOW


def test_hidden_system_and_tool_messages_are_not_shown_and_what_the_model_says_around_them_is_joined() -> None:
    nodes = {
        "sys": said("system", "You are ChatGPT.", parent=None),
        "about": said(
            "user", parent="sys", metadata={"is_visually_hidden_from_conversation": True},
            content={"content_type": "user_editable_context", "user_profile": "Secret"},
        ),
        "q": user("Plot it", "about"),
        "t": model("", "q", content={"content_type": "thoughts", "thoughts": [{"summary": "Plan", "content": "Axes"}]}),
        "r": model("", "t", content={"content_type": "reasoning_recap", "content": "Thought for 8 seconds"}),
        "a": model("Let me see.", "r"),
        "search": model("search('x')", "a", recipient="browser"),
        "code": model("", "search", recipient="python", content={
            "content_type": "code", "language": "python", "text": "print('```')",
        }),
        "out": said("tool", "42", parent="code"),
        "hidden": model("Not for you.", "out", metadata={"is_visually_hidden_from_conversation": True}),
        "end": model("It is 42.", "hidden"),
    }  # fmt: skip
    tree = imported(nodes)
    assert texts(tree) == [
        ("Plot it", ["Let me see.\n\n````python\nprint('```')\n````\n\nIt is 42."]),
    ]
    assert tree.turns[0].shown.outcomes[0].reasoning == "Plan\n\nAxes"


def test_pictures_sounds_and_files_are_told_in_a_word() -> None:
    picture = {"content_type": "image_asset_pointer", "asset_pointer": "file-service://x"}
    sound = {"content_type": "audio_asset_pointer"}
    heard = {"content_type": "audio_transcription", "text": "Hello there"}
    attached = {"attachments": [{"name": "a\nb.pdf"}, {"name": "c.png", "mime_type": "image/png"}, 5, {}]}

    def multimodal(*parts: Any) -> dict[str, Any]:
        return {"content": {"content_type": "multimodal_text", "parts": list(parts)}}

    nodes = {
        "q": user("", None, **multimodal(picture, "What is this?", None, 7), metadata=attached),
        "a": model("", "q", **multimodal("A sky", picture)),
        "q2": user("", "a", **multimodal(heard, sound)),
        "q3": user("", "q2", **multimodal(sound)),
        "q4": user("", "q3", **multimodal({"content_type": "real_time_user_audio_video_asset_pointer"})),
        "q5": user("", "q4", **multimodal({"content_type": "hologram"})),
    }
    assert [question for question, _ in texts(imported(nodes))] == [
        "[image]\n\nWhat is this?\n\n[file: a b.pdf]", "Hello there", "[audio]", "[audio]", "[file]",
    ]  # fmt: skip
    assert answer_of(imported(nodes).turns[0]) == "A sky\n\n[image]"


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ({"content_type": "code", "language": "unknown", "text": "x = 1"}, "```\nx = 1\n```"),
        ({"content_type": "code", "language": "a`b", "text": "x"}, "```\nx\n```"),
        ({"content_type": "execution_output", "text": "42"}, "42"),
        ({"content_type": "tether_quote", "title": "T", "text": "Quoted", "url": "https://x"}, "Quoted"),
        ({"content_type": "tether_browsing_display", "result": "Found", "summary": None}, "Found"),
        ({"content_type": "system_error", "text": "Oops"}, "Oops"),
        ({"content_type": "text", "parts": ["Blue\ue200cite\ue202turn0search1\ue201.\ue203"]}, "Blue."),
        ({"content_type": "text", "parts": ['In \ue200entity\ue202["city","Paris","France"]\ue201']}, "In Paris"),
        ({"content_type": "model_editable_context", "model_set_context": "x"}, ""),
        ({"content_type": "text", "parts": {}}, ""),
        ({"content_type": None}, ""),
        ({}, ""),
        (None, ""),
    ],
)
def test_each_kind_of_content(content: Any, text: str) -> None:
    tree = imported({"q": user("Hi", None), "a": model("", "q", content=content)})
    assert answer_of(tree.turns[0]) == text


def test_a_question_without_an_answer_is_a_failed_run() -> None:
    nodes = {"q": user("Hello?", None), "q2": user("Anyone?", "q"), "a": model("  ", "q2")}
    tree = imported(nodes)
    assert texts(tree) == [("Hello?", [""]), ("Anyone?", [""])]
    for turn in tree.turns:
        assert turn.shown.status is Status.FAILED
        [outcome] = turn.shown.outcomes
        assert isinstance(outcome, Failure)
        assert (outcome.kind, outcome.public) == (FailureKind.EMPTY, NO_ANSWER)


def test_an_answer_stopped_or_cut_is_told_as_such() -> None:
    stopped = {"metadata": {"finish_details": {"type": "interrupted"}}}
    cut = {"metadata": {"finish_details": {"type": "max_tokens"}}}
    nodes = {"q": user("Tell", None), "a": model("Once", "q", **stopped), "b": model("Twice", "q", **cut)}
    first, second = imported(nodes).turns[0].runs
    assert first.status is Status.CANCELLED
    assert isinstance(first.outcomes[0], Failure)
    assert first.outcomes[0].partial == "Once"
    assert isinstance(second.outcomes[0], Proposal)
    assert second.outcomes[0].finish is Finish.LENGTH


def test_a_greeting_before_the_first_question_is_passed_over() -> None:
    nodes = {"hi": said("assistant", "How can I help?", parent=None), "q": user("Hi", "hi"), "a": model("Yes?", "q")}
    assert texts(imported(nodes)) == [("Hi", ["Yes?"])]


def test_an_answer_that_a_question_and_more_follow_is_there_both_ways() -> None:
    nodes = {
        "q": user("Go", None), "a": model("One", "q"), "q2": user("Stop", "a"), "b": model("Two", "a"),
        "q3": user("On", "b"),
    }  # fmt: skip
    tree = imported(nodes, current_node="q2")
    assert texts(tree)[0] == ("Go", ["One", "One\n\nTwo"])
    assert answer_of(tree.turns[0], 0) == "One"
    assert tree.turns[0].shown == tree.turns[0].runs[0]


def test_conversations_in_which_nobody_asks_are_left_out() -> None:
    empty = chat({"hi": said("assistant", "Hello", parent=None)})
    good = chat({"q": user("Hi", None)})
    assert [tree.title for tree in read(conversations(empty, good, chat({})), now=NOW)] == ["Skies"]
    with pytest.raises(InputRefused, match=EMPTY):
        read(conversations(empty), now=NOW)


def test_one_conversation_alone_is_recognised() -> None:
    [tree] = read(orjson.dumps(BRANCHED), now=NOW)
    assert len(tree.turns) == 4


def test_long_texts_are_cut_with_a_mark() -> None:
    nodes = {"q": user("q" * 50, None), "a": model("a" * 30, "q"), "b": model("b" * 30, "a")}
    tree = imported(nodes, Caps(question_chars=20, output_chars=40))
    assert tree.turns[0].question == "q" * 16 + " […]"
    assert answer_of(tree.turns[0]) == "a" * 30 + "\n\n" + "b" * 4 + " […]"
    [outcome] = tree.turns[0].shown.outcomes
    assert isinstance(outcome, Proposal)
    assert outcome.finish is Finish.LENGTH


def test_halves_of_emoji_and_controls_are_repaired() -> None:
    data = conversations(chat({"q": user("X", None)})).replace(b'"X"', b'"cut \\ud83d\\u0000"')
    assert read(data, now=NOW)[0].turns[0].question == "cut \ufffd"


@pytest.mark.parametrize("slug", [None, 5, "", "../../x", "a" * 81, "gpt 4", "<b>"])
def test_a_models_name_that_is_none_is_unknown(slug: Any) -> None:
    tree = imported({"q": user("Hi", None), "a": model("Yo", "q", metadata={"model_slug": slug})})
    assert tree.turns[0].shown.recipe.aggregator.model == "chatgpt/unknown"


def test_the_conversations_model_stands_in() -> None:
    nodes = {"q": user("Hi", None), "a": model("Yo", "q", metadata={})}
    assert imported(nodes, default_model_slug="gpt-4").turns[0].shown.recipe.aggregator.model == "chatgpt/gpt-4"


# -- hostile files


def refusal(*chats: Any) -> str:
    with pytest.raises(InputRefused) as caught:
        read(conversations(*chats), now=NOW)
    return caught.value.public


def test_circles_are_refused() -> None:
    nodes = {"a": user("A", "b"), "b": model("B", "a")}
    mapping = {key: {"message": node["message"], "parent": node["parent"]} for key, node in nodes.items()}
    told = refusal(BRANCHED, {"title": "Round", "mapping": mapping})
    assert told == ('Conversation 2 of 2 "Round" can\'t be imported: its messages follow each other in a circle.')
    assert "circle" in refusal({"mapping": {"a": {"parent": "a"}}})


def test_messages_without_parents_begin_paths_of_their_own() -> None:
    mapping = {
        "q": {"message": user("One", None)["message"], "parent": "gone"},
        "r": {"message": user("Two", None)["message"], "parent": {}, "children": ["q", 5, None, {}]},
        "x": 5,
        "y": None,
        "z": {"message": 7, "children": 7},
        "w": {"message": {"author": 1, "content": [], "metadata": 5}},
    }
    [tree] = read(conversations({"mapping": mapping}), now=NOW)
    assert {turn.question for turn in tree.turns} == {"One", "Two"}
    assert all(turn.parent_id is None for turn in tree.turns)


@pytest.mark.parametrize("raw", [5, None, [], {"mapping": 5}, {"mapping": None}, {}])
def test_what_is_no_conversation_is_refused_with_its_number(raw: Any) -> None:
    assert refusal(BRANCHED, raw) == "Conversation 2 of 2 can't be imported: it has no messages."


def chain(length: int, below: dict[str, Node]) -> dict[str, Any]:
    nodes = {"q": user("Hi", None)}
    nodes |= {f"n{n}": model(f"{n}", f"n{n - 1}" if n else "q") for n in range(length)}
    return chat(nodes | below)


def test_ten_thousand_messages_in_a_row_are_one_answer() -> None:
    [tree] = read(conversations(chain(10_000, {})), now=NOW, caps=Caps())
    assert answer_of(tree.turns[0]).startswith("0\n\n1\n\n2")
    assert len(answer_of(tree.turns[0])) == 32_000


def test_many_messages_answers_and_questions_are_refused() -> None:
    assert "more than 20,000 messages" in refusal(chain(20_001, {}))
    many = {f"x{n}": model("x", "q") for n in range(4_001)}
    assert "more than 4,000 answers" in refusal(chain(0, many))
    asked = {f"x{n}": user("x", "q") for n in range(2_001)}
    assert "more than 2,000 questions" in refusal(chain(0, asked))


def test_answers_that_begin_alike_cannot_make_a_small_file_large() -> None:
    ends = {f"x{n}": model("x", "n0") for n in range(3_000)}
    long = chain(1, ends)
    long["mapping"]["n0"]["message"]["content"]["parts"] = ["y" * 30_000]
    assert "begin alike" in refusal(long)
    assert "begin alike" in refusal(chain(10_000, {f"x{n}": model("x", "n9999") for n in range(3_000)}))

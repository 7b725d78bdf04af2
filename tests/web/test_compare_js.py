"""Answers side by side: columns, what stays hidden until the vote, voting and tags."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Locator, expect

from tests.web.harness import Harness, StaticServer
from tests.web.turns import NAMES, SIDES, column, compared, layer, live, panel, running, settled, turn, vote, writing

pytestmark = pytest.mark.browser


def answer(harness: Harness, side: str, number: int = 1) -> Locator:
    """One column of a turn."""
    return harness.turn(number).get_by_role("region", name=f"Answer {side}", exact=True)


def button(harness: Harness, name: str, number: int = 1) -> Locator:
    """A button of a turn."""
    return harness.turn(number).get_by_role("button", name=name, exact=True)


def votes(harness: Harness) -> list[tuple[str, str]]:
    """What was voted: the turn and the choice."""
    return [(told["turn"], told["choice"]) for event, told in harness.told() if event == "vote"]


# -- columns


def test_answers_stream_side_by_side_and_each_keeps_its_own_element(harness: Harness) -> None:
    harness.live(live(compared(1, writing("A"), writing("B", "Half"))))
    left, right = answer(harness, "A"), answer(harness, "B")
    expect(left.get_by_text("Reads the proposals next")).to_be_visible()
    expect(left.locator('[data-slot="1.1"]')).to_contain_text("So far")
    expect(right.locator(".moa-layer")).to_have_count(0)
    harness.page.evaluate("window.kept = [...document.querySelectorAll('.moa-turn, .moa-column, .moa-column .moa-md')]")
    harness.live(live(compared(1, writing("A", "Now A"), writing("B", "Half of B"))))
    expect(left.locator(".moa-md").last).to_have_text("Now A")
    expect(right.locator(".moa-md")).to_have_text("Half of B")
    expect(left.get_by_text("Layer 1 · 3 proposers")).to_be_visible()
    harness.live(live(compared(1), ended=True))
    harness.settled(settled(compared(1)))
    assert harness.page.evaluate("window.kept.every((node) => document.querySelector('#moa-settled').contains(node))")
    expect(harness.page.locator(".moa-turn")).to_have_count(1)
    boxes = [one.bounding_box() for one in (left, right)]
    assert all(boxes)
    assert boxes[0]["y"] == boxes[1]["y"]  # type: ignore[index]
    assert boxes[0]["x"] < boxes[1]["x"]  # type: ignore[index]


def test_a_column_tells_what_it_is_and_what_it_took(harness: Harness) -> None:
    harness.settled(settled(compared(1, column("A", notice="2 of 3 proposers"), column("B"))))
    left = answer(harness, "A")
    expect(left.locator(".moa-column-name")).to_have_text(NAMES[0])
    expect(left.locator(".moa-column-foot .moa-figures")).to_have_text(
        "first words after 9.4 s · 12.3 s · 4 calls · ~1,934 tokens · $0.0049"
    )
    expect(left.get_by_text("2 of 3 proposers")).to_be_visible()
    expect(answer(harness, "B").locator(".moa-column-foot .moa-figures")).to_contain_text("3 calls")
    for name in ("Why this answer", "Regenerate", "Answer now"):
        expect(harness.turn().get_by_role("button", name=name)).to_have_count(0)
    assert left.get_by_role("button").evaluate_all("all => all.map((one) => one.ariaLabel)").count("Copy answer A") == 1


def test_a_layers_texts_are_loaded_into_each_column(harness: Harness, server: StaticServer) -> None:
    bare = [layer(1, text=None)]
    known = {"tags": ["mine"], "vote": vote("A")}
    harness.settled(settled(compared(1, column("A", layers=bare), column("C", layers=bare), **known)))
    whole = compared(1, column("A", layers=[layer(1, text="By A")]), column("C", layers=[layer(1, text="By C")]))
    server.turns["turn1"] = json.loads(json.dumps(whole))
    answer(harness, "A").locator(".moa-layer > summary").click()
    expect(answer(harness, "A").locator('[data-slot="1.2"] .moa-md')).to_have_text("By A")
    answer(harness, "C").locator(".moa-layer > summary").click()
    expect(answer(harness, "C").locator('[data-slot="1.2"] .moa-md')).to_have_text("By C")
    expect(button(harness, "A is better")).to_have_attribute("aria-pressed", "true")  # of a state that is older
    harness.settled(settled(compared(1, column("A", layers=bare), column("C", layers=bare), **known)))
    expect(answer(harness, "C").locator('[data-slot="1.2"] .moa-md')).to_have_text("By C")
    assert server.asked.count("turn1") == 1


def test_a_plain_turn_and_a_compared_one_can_take_each_others_place(harness: Harness) -> None:
    harness.settled(settled(turn(1)))
    harness.settled(settled(compared(1)))
    expect(harness.answer()).to_have_count(0)
    expect(answer(harness, "A")).to_be_visible()
    harness.settled(settled(turn(1)))
    expect(harness.answer()).to_be_visible()
    expect(harness.turn().locator(".moa-compare")).to_have_count(0)


@pytest.mark.parametrize(
    ("notice", "error", "shown"),
    [
        ("No answer came. The provider refused the key.", "The provider refused the key.", [True, False]),
        ("No answer.", "No answer. The provider refused the key.", [False, True]),
        ("2 of 3 proposers", "The provider refused the key.", [True, True]),
    ],
)
def test_what_went_wrong_is_said_once(harness: Harness, notice: str, error: str, shown: list[bool]) -> None:
    failed = column("B", status="failed", notice=notice, answer=panel("2.1", "failed", text="", error=error))
    harness.settled(settled(compared(1, column("A"), failed)))
    said = answer(harness, "B")
    assert [said.locator(where).is_visible() for where in (".moa-notice", ".moa-writing > .moa-error")] == shown


def test_one_answer_is_written_again_while_nothing_else_runs(harness: Harness) -> None:
    harness.settled(settled(compared(1), compared(2, hidden=True)))
    expect(button(harness, "Write again answer A", 2)).to_have_count(0)
    button(harness, "Write again answer B").press("Enter")
    assert harness.told() == [("regenerate_column", {"turn": "turn1", "side": "B"})]
    harness.live(live(compared(1, column("A"), writing("B", run="run-B2"))))
    expect(harness.turn().get_by_role("button", name="Write again")).to_have_count(0)
    expect(harness.turn()).to_be_focused()
    expect(answer(harness, "A").get_by_text("From A: merge sort.")).to_be_visible()


def test_the_next_question_can_follow_an_earlier_comparison(harness: Harness) -> None:
    harness.settled(settled(compared(1), turn(2)))
    harness.turn().locator(".moa-compare").hover()
    expect(button(harness, "Continue from here")).to_have_css("opacity", "1")
    button(harness, "Continue from here").click()
    assert harness.told() == [("fork", {"turn": "turn1"})]
    harness.live(live(running(3)))
    expect(button(harness, "Continue from here")).to_be_disabled()
    harness.live(live(None))
    harness.settled(settled(compared(1, hidden=True), turn(2)))
    expect(button(harness, "Continue from here")).to_have_count(0)


# -- hidden


def test_B30_nothing_tells_whose_an_answer_is_before_the_vote(harness: Harness) -> None:
    """Also where the server were to send more than it does."""
    secrets = {
        "recipe": "SECRET recipe", "layers": [layer(1, model="SECRET proposer")], "notice": "SECRET notice",
        "answer": panel("2.1", text="Said.", model="SECRET model", label="SECRET label", note="SECRET note",
                        reasoning="SECRET thought", error="SECRET error", cost="$66.66"),
        "totals": {"seconds": 66.6, "first": 66.6, "calls": 66, "tokens": 66, "estimated": False, "cost": "$66.66"},
    }  # fmt: skip
    told = [column("A", **secrets), column("B", **{**secrets, "status": "degraded"})]
    one = compared(1, *told)
    assert one["comparison"] is not None
    one["comparison"] = {**one["comparison"], "hidden": True}
    one["totals"] = column("A", **secrets)["turn"]["totals"]
    harness.settled(settled({**one, "notice": "SECRET"}))
    expect(answer(harness, "B").get_by_text("Said.")).to_be_visible()
    for seen in (harness.page.content(), harness.page.locator("body").aria_snapshot()):
        assert [word for word in ("SECRET", "66.6", "run-", "Layer") if word in seen] == []
    left, right = (
        answer(harness, side)
        .evaluate("node => node.outerHTML")
        .replace(f"answer {side}", "")
        .replace(f"Answer {side}", "")
        for side in "AB"
    )
    assert left.replace('data-side="A"', "").replace(">A<", "") == right.replace('data-side="B"', "").replace(">B<", "")


@pytest.mark.parametrize(
    ("status", "shown"),
    [
        ("running", "Writing"),
        ("complete", "Done"),
        ("degraded", "Done"),
        ("failed", "Not finished"),
        ("cancelled", "Not finished"),
    ],
)
def test_a_hidden_answer_is_writing_done_or_not_finished(harness: Harness, status: str, shown: str) -> None:
    for text in ("", "Begun"):
        said = panel("2.1", "waiting" if status == "running" and not text else "done", text=text)
        one = compared(1, column("A", status=status, answer=said), column("B"), hidden=False)
        assert one["comparison"] is not None
        harness.settled(settled({**one, "comparison": {**one["comparison"], "hidden": True}}))
        expect(answer(harness, "A").locator(".moa-status")).to_have_text(shown)


def test_a_hidden_answer_that_was_not_finished_can_be_written_again_or_voted_on(harness: Harness) -> None:
    stopped = column("B", status="cancelled", answer=panel("2.1", "stopped", text="Begun"))
    one = compared(1, column("A"), stopped)
    assert one["comparison"] is not None
    harness.settled(settled({**one, "comparison": {**one["comparison"], "hidden": True}}))
    expect(button(harness, "Write again answer A")).to_have_count(0)
    button(harness, "Write again answer B").click()
    button(harness, "A is better").click()
    assert harness.told() == [
        ("regenerate_column", {"turn": "turn1", "side": "B"}),
        ("vote", {"turn": "turn1", "choice": "A"}),
    ]
    harness.live(live(running(2)))
    expect(button(harness, "Write again answer B")).to_have_count(0)
    harness.live(live(None))
    harness.settled(settled(compared(1, column("A"), stopped, vote=vote("A"))))
    expect(answer(harness, "B").locator(".moa-status")).to_have_text("Stopped")


# -- voting


def test_nobody_votes_before_all_answers_are_there(harness: Harness) -> None:
    harness.live(live(compared(1, column("A"), writing("B", "Half"))))
    expect(harness.turn().get_by_text("Vote when all answers are there")).to_be_visible()
    for name in ("A is better", "B is better", "Tie", "Both bad"):
        expect(button(harness, name)).to_be_disabled()
    harness.page.keyboard.press("a")
    assert votes(harness) == []
    harness.live(live(compared(1), ended=True))
    expect(harness.turn().get_by_role("status").get_by_text("Which answer is better?")).to_be_visible()
    expect(harness.turn().get_by_text("Keys: A, B, T, X")).to_be_visible()
    harness.page.keyboard.press("a")
    assert votes(harness) == [("turn1", "A")]


def test_each_choice_has_a_button_and_a_key(harness: Harness) -> None:
    harness.settled(settled(compared(1, *(column(side) for side in SIDES))))
    for name in ("A is better", "B is better", "C is better", "D is better", "Tie", "All bad"):
        button(harness, name).click()
    clicked = votes(harness)
    harness.page.evaluate("document.activeElement.blur()")
    for key in "abcdtx":
        harness.page.keyboard.press(key)
    assert clicked == [("turn1", choice) for choice in ("A", "B", "C", "D", "tie", "bad")]
    assert votes(harness)[6:] == clicked


def test_a_vote_tells_what_was_what_and_can_be_changed(harness: Harness) -> None:
    harness.settled(settled(compared(1, hidden=True)))
    button(harness, "A is better").press("Enter")
    harness.settled(settled(compared(1, vote=vote("A"))))
    said = harness.turn().locator(".moa-vote [role=status]")
    expect(said).to_have_text(f"You chose A: {NAMES[0]}. B was {NAMES[1]}.")
    expect(button(harness, "A is better")).to_have_attribute("aria-pressed", "true")
    expect(button(harness, "A is better")).to_be_focused()
    expect(harness.turn().get_by_text("Keys: A, B, T, X")).to_be_hidden()
    harness.page.keyboard.press("b")  # a vote that is given is not changed by a key
    button(harness, "Both bad").click()
    assert votes(harness) == [("turn1", "A"), ("turn1", "bad")]
    harness.settled(settled(compared(1, vote=vote("bad", blind=False))))
    expect(button(harness, "A is better")).to_have_attribute("aria-pressed", "false")
    expect(button(harness, "Both bad")).to_have_attribute("aria-pressed", "true")
    expect(said).to_have_text(f"You chose “Both bad”. A was {NAMES[0]}, B was {NAMES[1]}.")


def test_a_vote_for_other_texts_than_those_shown_is_asked_for_again(harness: Harness) -> None:
    harness.settled(settled(compared(1, vote=vote("A"))))
    expect(answer(harness, "A")).to_have_attribute("data-chosen", "")
    again = (column("A"), column("B", run="again"))
    harness.live(live(compared(1, column("A"), writing("B", run="again"), vote=vote("A", stale=True))))
    expect(button(harness, "A is better")).to_have_attribute("aria-pressed", "false")
    harness.live(live(compared(1, *again, vote=vote("A", stale=True)), ended=True))
    harness.settled(settled(compared(1, *again, vote=vote("A", stale=True))))
    said = harness.turn().locator(".moa-vote [role=status]")
    expect(said).to_have_text("Your vote was for the earlier answers. Vote again?")
    expect(answer(harness, "A")).not_to_have_attribute("data-chosen", "")
    expect(answer(harness, "A").locator(".moa-column-name")).to_have_text(NAMES[0])
    expect(harness.turn().get_by_text("Keys: A, B, T, X")).to_be_visible()
    harness.page.keyboard.press("a")
    assert votes(harness) == [("turn1", "A")]
    harness.settled(settled(compared(1, *again, vote=vote("A"))))
    expect(said).to_have_text(f"You chose A: {NAMES[0]}. B was {NAMES[1]}.")
    expect(answer(harness, "A")).to_have_attribute("data-chosen", "")


def test_the_vote_bar_stays_where_it_is_when_the_names_come(harness: Harness) -> None:
    place = "() => document.querySelector('.moa-vote').getBoundingClientRect().top"
    harness.settled(settled(compared(1, hidden=True), turn(2), turn(3)))
    harness.turn().locator(".moa-vote").scroll_into_view_if_needed()
    before = harness.page.evaluate(place)
    button(harness, "A is better").click()
    harness.settled(settled(compared(1, vote=vote("A")), turn(2), turn(3)))
    expect(answer(harness, "A").get_by_text("Layer 1 · 3 proposers")).to_be_visible()
    assert abs(harness.page.evaluate(place) - before) <= 1


def test_the_way_to_the_newest_never_covers_a_vote(harness: Harness) -> None:
    page = harness.page
    page.set_viewport_size({"width": 390, "height": 600})
    jump = page.get_by_role("button", name="Jump to newest")
    harness.settled(settled(compared(1), turn(2)))
    page.evaluate("scrollTo(0, 0)")
    expect(jump).to_be_visible()
    page.evaluate("scrollBy(0, document.querySelector('.moa-vote').getBoundingClientRect().bottom - 540)")
    expect(jump).to_be_hidden()
    page.evaluate("scrollBy(0, 200)")
    expect(jump).to_be_visible()


def test_a_vote_by_key_goes_to_the_newest_in_sight_that_waits_for_one(harness: Harness) -> None:
    harness.page.set_viewport_size({"width": 1280, "height": 500})
    harness.settled(settled(compared(1), compared(2), compared(3, vote=vote("tie")), turn(4)))
    press = harness.page.keyboard.press
    harness.page.evaluate("document.activeElement.blur(), scrollTo(0, 0)")
    press("b")
    harness.turn(2).locator(".moa-column").first.scroll_into_view_if_needed()
    press("x")
    harness.page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    press("t")
    assert votes(harness) == [("turn1", "B"), ("turn2", "bad")]


def test_letters_that_are_meant_for_something_else_are_no_votes(harness: Harness) -> None:
    harness.page.set_viewport_size({"width": 1280, "height": 2000})
    harness.settled(settled(compared(1, vote=vote("A")), compared(2)))
    press = harness.page.keyboard.press
    harness.page.get_by_label("Message").press("a")
    harness.turn(1).get_by_label("Tags").press("b")
    harness.page.get_by_role("searchbox").first.press("x")
    harness.page.evaluate("document.activeElement.blur()")
    for keys in ("Control+b", "Alt+t", "Meta+x", "Shift+A", "c", "z", "Enter"):
        press(keys)
    harness.page.evaluate("document.body.append(Object.assign(document.createElement('dialog'), {id: 'over'}))")
    harness.page.evaluate("document.getElementById('over').showModal()")
    press("a")
    harness.page.evaluate("document.getElementById('over').remove()")
    button(harness, "A is better", 1).focus()  # of another turn
    press("a")
    assert votes(harness) == []
    button(harness, "Copy answer A", 2).focus()
    press("a")
    assert votes(harness) == [("turn2", "A")]


# -- tags


def test_tags_are_told_once_when_they_changed(harness: Harness) -> None:
    harness.settled(settled(compared(1)))
    expect(harness.turn().get_by_label("Tags")).to_be_hidden()
    harness.settled(settled(compared(1, vote=vote("A"), tags=["code"])))
    field = harness.turn().get_by_label("Tags")
    expect(field).to_have_value("code")
    field.press("Enter")
    field.fill(f" code,  short  one,code,,{'x' * 30}, d, e, f")
    field.press("Enter")
    field.blur()
    tags = ["code", "short one", "x" * 24, "d", "e"]
    assert harness.told() == [("tag", {"turn": "turn1", "tags": tags})]
    expect(field).to_have_value(", ".join(tags))
    field.fill("")
    field.blur()
    assert harness.told()[1:] == [("tag", {"turn": "turn1", "tags": []})]
    expect(harness.turn().get_by_role("link", name="Results")).to_have_attribute(
        "href", f"{harness.server.url}/results"
    )


def test_a_draft_of_tags_outlives_an_update(harness: Harness) -> None:
    harness.settled(settled(compared(1, vote=vote("A"))))
    field = harness.turn().get_by_label("Tags")
    field.press_sequentially("co")
    harness.settled(settled(compared(1, vote=vote("B"), tags=["other"])))
    expect(field).to_have_value("co")
    expect(field).to_be_focused()


def test_a_reader_of_a_shared_comparison_votes_on_nothing(harness: Harness) -> None:
    harness.page.evaluate(
        """async (turn) => {
          const { TurnView } = await import('/moa-static/js/turn.js');
          const view = new TurnView(turn.id, null, false);
          view.update(turn);
          document.getElementById('moa-settled').firstElementChild.firstElementChild.append(view.element);
        }""",
        compared(1, vote=vote("A"), tags=["code"]),
    )
    expect(answer(harness, "B").get_by_text("From B: merge sort.")).to_be_visible()
    for name in ("is better", "Tie", "Write again", "Continue"):
        expect(harness.turn().get_by_role("button", name=name)).to_have_count(0)
    expect(harness.turn().get_by_label("Tags")).to_have_count(0)
    harness.page.evaluate("document.querySelector('.moa-turn').remove()")


# -- narrow


def test_on_a_phone_the_letters_lead_to_the_answers(harness: Harness) -> None:
    harness.page.set_viewport_size({"width": 390, "height": 800})
    harness.settled(settled(compared(1, *(column(side) for side in SIDES[:3]))))
    assert harness.page.evaluate("document.documentElement.scrollWidth") == 390
    letters = harness.turn().get_by_role("group", name="Go to an answer").get_by_role("button")
    top = "node => node.querySelector('.moa-column-head').offsetTop - node.offsetTop"
    assert answer(harness, "A").evaluate(top) <= 2
    assert [text.split() for text in letters.all_inner_texts()] == [
        [side, *name.split()] for side, name in zip("ABC", NAMES, strict=False)
    ]
    expect(letters.nth(0)).to_have_attribute("aria-current", "true")
    expect(answer(harness, "C")).not_to_be_in_viewport()
    letters.nth(2).click()
    expect(answer(harness, "C")).to_be_in_viewport(ratio=0.1)
    expect(letters.nth(2)).to_have_attribute("aria-current", "true")
    expect(letters.nth(0)).not_to_have_attribute("aria-current", "true")
    letters.nth(2).press("ArrowLeft")
    expect(letters.nth(1)).to_be_focused()
    expect(letters.nth(1)).to_have_attribute("aria-current", "true")


LONG = "\n\n".join(["Words and words."] * 100)


def long(harness: Harness) -> None:
    """A comparison of two long answers, with the window's top amid them."""
    said = panel("2.1", text=LONG)
    harness.settled(settled(compared(1, column("A", answer=said), column("B", answer=said))))
    harness.page.evaluate("scrollTo(0, 1500)")


def test_whose_a_long_answer_is_stays_in_sight(harness: Harness) -> None:
    long(harness)
    expect(answer(harness, "A").locator(".moa-column-head")).to_be_in_viewport(ratio=1)
    harness.page.set_viewport_size({"width": 390, "height": 800})
    expect(harness.turn().get_by_role("button", name=f"Answer B: {NAMES[1]}")).to_be_in_viewport(ratio=1)


def test_on_a_phone_an_answer_is_as_high_as_its_text(harness: Harness) -> None:
    harness.page.set_viewport_size({"width": 390, "height": 800})
    short = column("A", layers=[], answer=panel("2.1", text="Short."))
    harness.settled(settled(compared(1, short, column("B", answer=panel("2.1", text=LONG)))))
    heights = [answer(harness, side).evaluate("node => node.offsetHeight") for side in "AB"]
    assert heights[0] < 300 < heights[1]


@pytest.mark.parametrize(("width", "count"), [(1280, 4), (1000, 3), (760, 2)])
def test_where_all_have_room_no_letters_are_needed(harness: Harness, width: int, count: int) -> None:
    harness.page.set_viewport_size({"width": width, "height": 800})
    harness.settled(settled(compared(1, *(column(side) for side in SIDES[:count]))))
    expect(harness.turn().get_by_role("group", name="Go to an answer")).to_be_hidden()
    row = harness.turn().locator(".moa-columns")
    assert row.evaluate("node => node.scrollWidth - node.clientWidth") == 0

"""Conversations that last, in a browser: mended, branched, found, shared and taken along."""

from __future__ import annotations

import json
import re
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.e2e.conftest import Watched
from tests.support.server import Answer, Gate, HttpError, ProviderServer

if sys.platform == "linux":
    import resource


def answered(page: Page, text: str, status: str = "done") -> Locator:
    """The newest answer, once it holds the text."""
    answer = page.locator("[data-answer]").last
    expect(answer).to_contain_text(text)
    expect(answer).to_have_attribute("data-status", status)
    return answer


def asked(watched: Watched, question: str, answer: str) -> None:
    watched.ask(question)
    answered(watched.page, answer)


def entry(page: Page, title: str) -> Locator:
    return page.locator("#moa-history .moa-entry").filter(has_text=title)


def choose(page: Page, title: str, action: str) -> None:
    """Pick an action in the menu of a conversation."""
    entry(page, title).get_by_role("button", name=re.compile("^More")).click()
    page.get_by_role("menuitem", name=action).click()


def test_an_edited_question_branches_and_both_ways_stay(watched: Watched, provider: ProviderServer) -> None:
    page = watched.page
    provider.script("writer", Answer("One."), Answer("Two."), Answer("Other."), Answer("Follow-up."))
    watched.open()
    asked(watched, "First?", "One.")
    asked(watched, "Second?", "Two.")
    turn = page.locator("[data-turn]").nth(1)
    turn.hover()
    turn.get_by_role("button", name="Edit question").click()
    page.get_by_role("textbox", name="Edit question").fill("Another second?")
    page.get_by_role("button", name="Ask again").click()
    answered(page, "Other.")
    expect(page.locator("[data-turn]")).to_have_count(2)
    expect(page.locator(".moa-question").nth(1)).to_have_text("Another second?")
    asked(watched, "Third?", "Follow-up.")
    sent = [m["content"] for m in provider.requests_for("a")[-1].messages]
    assert sent == ["First?", "One.", "Another second?", "Other.", "Third?"]
    page.get_by_role("button", name="Earlier version").click()
    expect(page.locator(".moa-question").nth(1)).to_have_text("Second?")
    expect(page.locator("[data-turn]")).to_have_count(2)
    watched.reload()
    expect(page.locator(".moa-question").nth(1)).to_have_text("Second?")
    page.get_by_role("button", name="Later version").click()
    expect(page.locator("[data-turn]")).to_have_count(3)


def test_a_question_goes_on_from_an_earlier_answer(watched: Watched, provider: ProviderServer) -> None:
    page = watched.page
    provider.script("writer", Answer("One."), Answer("Two."), Answer("From the first."))
    watched.open()
    asked(watched, "First?", "One.")
    asked(watched, "Second?", "Two.")
    turn = page.locator("[data-turn]").first
    turn.hover()
    turn.get_by_role("button", name="Continue from here").click()
    expect(page.locator("#moa-fork")).to_contain_text("Continuing from: “First?”")
    asked(watched, "Instead?", "From the first.")
    expect(page.locator("#moa-fork")).not_to_contain_text("Continuing")
    expect(page.locator("[data-turn]")).to_have_count(2)
    sent = [m["content"] for m in provider.requests_for("a")[-1].messages]
    assert sent == ["First?", "One.", "Instead?"]


def test_one_proposer_is_asked_again_and_the_others_are_not_paid_twice(
    watched: Watched, provider: ProviderServer
) -> None:
    page = watched.page
    provider.script("b", HttpError(500), Answer("Here now."))
    provider.script("writer", Answer("Of two."), Answer("Of three."))
    watched.open()
    watched.ask("Who is here?")
    answered(page, "Of two.")
    expect(page.locator("[data-answer]").last).to_contain_text("2 of 3 proposers")
    page.locator('[data-layer="1"] > summary').click()
    page.locator('[data-slot="1.2"]').get_by_role("button", name=re.compile("^More")).click()
    page.get_by_role("menuitem", name="Ask again").click()
    answered(page, "Of three.")
    assert [len(provider.requests_for(name)) for name in ("a", "b", "c", "writer")] == [1, 2, 1, 2]
    expect(page.locator("[data-turn]")).to_have_count(1)
    page.get_by_role("button", name="Earlier attempt").click()
    answered(page, "Of two.")
    page.get_by_role("button", name="Later attempt").click()
    answered(page, "Of three.")
    page.get_by_role("button", name="Other ways to answer again").click()
    page.get_by_role("menuitem", name="Answer only").click()
    expect(page.get_by_text("3/3")).to_be_visible()
    answered(page, "Of three.")
    assert [len(provider.requests_for(name)) for name in ("a", "b", "c", "writer")] == [1, 2, 1, 3]


def test_another_model_is_asked_in_a_proposers_place(watched: Watched, provider: ProviderServer) -> None:
    page = watched.page
    provider.script("writer", Answer("Of these."), Answer("Of those."))
    watched.open()
    asked(watched, "Who is here?", "Of these.")
    page.locator('[data-layer="1"] > summary').click()
    page.locator('.moa-panel[data-slot="1.2"]').get_by_role("button", name=re.compile("^More")).click()
    page.get_by_role("menuitem", name="Ask another model…").click()
    page.get_by_role("option", name=re.compile("^Model A")).click()
    answered(page, "Of those.")
    expect(page.locator('.moa-panel[data-slot="1.2"]')).to_contain_text("Model A")
    assert [len(provider.requests_for(name)) for name in ("a", "b", "c", "writer")] == [2, 1, 1, 2]


def test_the_answer_can_be_had_before_the_slowest_proposer_is_done(watched: Watched, provider: ProviderServer) -> None:
    page, gate = watched.page, Gate()
    provider.script("c", Answer("It never ends.", gate=gate, hold=(2,)))
    provider.script("writer", Answer("From two of them."))
    watched.open()
    watched.ask("Now?")
    expect(page.locator('[data-slot="1.3"]')).to_contain_text("It never")
    expect(page.locator('[data-slot="1.2"]')).to_have_attribute("data-status", "done")
    page.get_by_role("button", name="Answer now").click()
    answered(page, "From two of them.")
    expect(page.locator("[data-answer]").last).to_contain_text("2 of 3 proposers · missing Model C")


def test_F26_after_a_crash_resume_calls_only_what_is_missing(
    alone: Callable[..., Watched], provider: ProviderServer
) -> None:
    gate = Gate()
    provider.script("b", Answer("Half and no more.", gate=gate, hold=(2,)), Answer("All of it."))
    provider.script("writer", Answer("The whole answer."))
    watched = alone()
    page, app = watched.page, watched.app
    watched.open()
    watched.ask("Are you there?")
    expect(page.locator('[data-slot="1.1"]')).to_have_attribute("data-status", "done")
    expect(page.locator('[data-slot="1.3"]')).to_have_attribute("data-status", "done")
    expect(page).to_have_url(re.compile(r"\?c="))
    address = page.url.removeprefix(app.url)
    app.stop(signal.SIGKILL)
    gate.open()
    app.start()
    watched.open(address)
    expect(page.locator("[data-answer]").last).to_contain_text("The app stopped while this was written.")
    page.get_by_role("button", name="Resume").click()
    answered(page, "The whole answer.")
    assert [len(provider.requests_for(name)) for name in ("a", "b", "c", "writer")] == [1, 2, 1, 1]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits another process's files")
def test_F28_on_a_full_disk_history_is_read_and_a_question_waits_in_the_composer(
    alone: Callable[..., Watched], provider: ProviderServer
) -> None:
    watched = alone()
    page, app = watched.page, watched.app
    watched.open()
    asked(watched, "While there was room", "Hello from writer.")
    expect(page.get_by_role("button", name="Send")).to_be_enabled()  # its end is stored
    calls = len(provider.requests)
    assert app.pid is not None
    _, most = resource.prlimit(app.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(app.pid, resource.RLIMIT_FSIZE, (16_384, most))
    watched.ask("On a full disk")
    expect(page.get_by_text("the disk is full")).to_be_visible()
    expect(page.get_by_label("Message")).to_have_value("On a full disk")
    assert len(provider.requests) == calls
    watched.reload()
    expect(page.locator(".moa-question")).to_have_text("While there was room")
    resource.prlimit(app.pid, resource.RLIMIT_FSIZE, (most, most))
    page.get_by_label("Message").fill("")
    asked(watched, "There is room again", "Hello from writer.")
    expect(page.locator("[data-turn]")).to_have_count(2)


def test_a_run_goes_on_while_another_conversation_is_open_and_its_dot_says_so(
    watched: Watched, provider: ProviderServer
) -> None:
    page, gate = watched.page, Gate()
    provider.script("a", Answer("Slowly it comes.", gate=gate, hold=(2,)), Answer("Fast."))
    provider.script("writer", Answer("Fast answer."), Answer("Slow answer."))
    watched.open()
    watched.ask("A slow one")
    expect(page.locator('[data-slot="1.1"]')).to_contain_text("Slowly")
    page.get_by_role("button", name="New chat").click()
    asked(watched, "A fast one", "Fast answer.")
    expect(entry(page, "A slow one").locator(".moa-running")).to_be_visible()
    gate.open()
    expect(entry(page, "A slow one").locator(".moa-running")).to_be_hidden()
    entry(page, "A slow one").get_by_role("button", name="A slow one", exact=True).click()
    answered(page, "Slow answer.")


def test_a_conversation_that_still_writes_is_deleted_and_the_next_question_can_be_asked(
    watched: Watched, provider: ProviderServer
) -> None:
    page, gate = watched.page, Gate()
    provider.script("a", Answer("It never ends.", gate=gate, hold=(2,)), Answer("At once."))
    watched.open()
    watched.ask("Delete me while I write")
    expect(page.locator('[data-slot="1.1"]')).to_contain_text("It never")
    choose(page, "Delete me while I write", "Delete")
    expect(page.locator("[data-turn]")).to_have_count(0)
    expect(page.get_by_role("button", name="Stop", exact=True)).to_be_hidden()
    asked(watched, "And now?", "Hello from writer.")
    expect(page.get_by_text("Not done")).to_have_count(0)


def test_the_aggregator_names_the_conversation(alone: Callable[..., Watched], provider: ProviderServer) -> None:
    provider.script("writer", Answer("Scattering."), Answer("**Title: Blue sky**"))
    watched = alone(MOA_TITLES="1")
    watched.open()
    asked(watched, "Why is the sky blue?", "Scattering.")
    expect(watched.page.locator(".moa-entry-title")).to_have_text("Blue sky")


def test_words_are_found_in_any_proposal_from_the_keyboard(watched: Watched, provider: ProviderServer) -> None:
    page = watched.page
    provider.script("b", Answer("강아지가 마당에서 뛰어요."), Answer("Nothing."))
    watched.open()
    asked(watched, "Dogs, please", "Hello from writer.")
    page.get_by_role("button", name="New chat").click()
    asked(watched, "Cats, please", "Hello from writer.")
    page.keyboard.press("Control+k")
    expect(page.get_by_role("searchbox", name="Search")).to_be_focused()
    page.keyboard.type("강아지")
    expect(page.locator("#moa-history mark")).to_have_text("강아지")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator(".moa-question").last).to_have_text("Dogs, please")
    expect(page.locator("[data-turn]")).to_be_focused()
    page.keyboard.press("Control+k")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")  # the same place again
    expect(page.locator("[data-turn]")).to_be_focused()


def test_a_conversation_is_pinned_archived_deleted_and_brought_back(watched: Watched) -> None:
    page = watched.page
    watched.open()
    asked(watched, "Keep this forever", "Hello from writer.")
    choose(page, "Keep this forever", "Pin")
    expect(page.locator("#moa-history").get_by_role("heading", name="Pinned")).to_be_visible()
    choose(page, "Keep this forever", "Archive")
    expect(entry(page, "Keep this forever")).to_have_count(0)
    page.locator("#moa-history").get_by_role("button", name="Undo").click()
    expect(entry(page, "Keep this forever")).to_have_count(1)
    choose(page, "Keep this forever", "Delete")
    expect(entry(page, "Keep this forever")).to_have_count(0)
    expect(page.locator("[data-turn]")).to_have_count(0)
    page.locator("#moa-history").get_by_role("button", name="Undo").click()
    entry(page, "Keep this forever").get_by_role("button", name="Keep this forever", exact=True).click()
    expect(page.locator(".moa-question")).to_have_text("Keep this forever")


def test_a_shared_link_reads_alone_can_be_copied_and_ends_when_revoked(
    watched: Watched, browser: Browser, provider: ProviderServer
) -> None:
    page = watched.page
    provider.script("writer", Answer("A **shared** answer."), Answer("Later."))
    watched.open()
    asked(watched, "Share me", "A shared answer.")
    choose(page, "Share me", "Share…")
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Create link").click()
    link = dialog.get_by_role("textbox", name="Link").input_value()
    assert re.fullmatch(rf"{watched.app.url}/s/[A-Za-z0-9_-]{{43}}", link)
    page.keyboard.press("Escape")
    asked(watched, "Not shared", "Later.")
    reader = browser.new_context().new_page()
    answer = reader.goto(link)
    assert answer is not None
    assert "noindex" in (answer.header_value("x-robots-tag") or "")
    expect(reader.locator("#moa-shared-turns .moa-turn")).to_have_count(1)
    expect(reader.locator("#moa-shared-turns strong")).to_have_text("shared")
    reader.locator('[data-layer="1"] > summary').click()
    expect(reader.locator('[data-slot="1.1"]')).to_contain_text("Hello from a.")
    reader.locator("#moa-continue").click()
    expect(reader.get_by_label("Message")).to_be_editable()
    expect(reader.locator(".moa-question")).to_have_text("Share me")
    mine = page.locator("#moa-history .moa-entry[data-current]")  # the copy has the same title, and the same owner here
    mine.get_by_role("button", name=re.compile("^More")).click()
    page.get_by_role("menuitem", name="Share…").click()
    page.get_by_role("dialog").get_by_role("button", name=re.compile("^Revoke")).click()
    expect(page.get_by_role("dialog")).to_contain_text("Link revoked")
    gone = reader.goto(link)
    assert gone is not None
    assert gone.status == 404
    expect(reader.locator("body")).to_contain_text("This link doesn't work any more.")
    reader.context.close()


def test_a_conversation_is_downloaded_and_imported_again(watched: Watched, tmp_path: Path) -> None:
    page = watched.page
    watched.open()
    asked(watched, "Take me along", "Hello from writer.")
    with page.expect_download() as markdown:
        choose(page, "Take me along", "Download Markdown")
    assert re.fullmatch(r"moa-\d{4}-\d\d-\d\d-\w+\.md", markdown.value.suggested_filename)
    assert "Hello from b." in markdown.value.path().read_text("utf-8")
    with page.expect_download() as downloaded:
        choose(page, "Take me along", "Download JSON")
    document = json.loads(downloaded.value.path().read_text("utf-8"))
    assert document["title"] == "Take me along"
    file = tmp_path / "again.json"
    file.write_text(json.dumps({**document, "title": "Came back"}), "utf-8")
    brought(page, file)
    expect(entry(page, "Came back")).to_have_count(1)
    expect(page.locator(".moa-question")).to_have_text("Take me along")


def brought(page: Page, file: Path) -> None:
    """Import a file of one conversation, which is then shown."""
    page.get_by_role("button", name="Archive, import and export").click()
    with page.expect_file_chooser() as chooser:
        page.get_by_role("menuitem", name="Import…").click()
    chooser.value.set_files(file)


def test_chatgpts_export_comes_in_and_its_model_is_not_run(
    watched: Watched, provider: ProviderServer, tmp_path: Path
) -> None:
    page = watched.page
    said = {"user": "Moved from elsewhere?", "assistant": "Yes, **all** of it."}
    nodes: dict[str, dict[str, object]] = {
        "root": {"id": "root", "message": None, "parent": None, "children": ["user"]}
    }
    for role, parent, children in (("user", "root", ["assistant"]), ("assistant", "user", [])):
        content = {"content_type": "text", "parts": [said[role]]}
        message = {"id": role, "author": {"role": role}, "content": content, "metadata": {"model_slug": "gpt-4o"}}
        nodes[role] = {"id": role, "message": message, "parent": parent, "children": children}
    talk = {"title": "From ChatGPT", "create_time": 1_760_000_000.0, "mapping": nodes, "current_node": "assistant"}
    file = tmp_path / "conversations.json"
    file.write_text(json.dumps([talk]), "utf-8")
    watched.open()
    brought(page, file)
    expect(page.locator(".moa-question")).to_have_text("Moved from elsewhere?")
    expect(page.locator("[data-answer] strong")).to_have_text("all")
    page.get_by_role("button", name="Other ways to answer again").click()
    page.get_by_role("menuitem", name="Ask another model…").click()
    page.get_by_role("option", name=re.compile("^Writer")).click()
    answered(page, "Hello from writer.")
    page.get_by_role("button", name="Earlier attempt").click()
    answered(page, "Yes, all of it.")
    asked(watched, "And what else?", "Hello from writer.")
    sent = [m["content"] for m in provider.requests_for("a")[-1].messages]
    assert sent == ["Moved from elsewhere?", "Yes, **all** of it.", "And what else?"]


def test_B19_an_imported_mixture_that_names_what_is_not_offered_is_not_run(
    watched: Watched, provider: ProviderServer, tmp_path: Path
) -> None:
    page = watched.page
    provider.script("writer", Answer("Theirs."), Answer("Mine."))
    watched.open()
    asked(watched, "Mend me", "Theirs.")
    with page.expect_download() as downloaded:
        choose(page, "Mend me", "Download JSON")
    text = downloaded.value.path().read_text("utf-8")
    file = tmp_path / "other.json"
    file.write_text(text.replace("test/writer", "test/dear-one").replace('"Mend me"', '"Mend me too"'), "utf-8")
    brought(page, file)
    expect(page.locator(".moa-question")).to_have_text("Mend me too")
    calls = len(provider.requests)
    page.get_by_role("button", name="Other ways to answer again").click()
    page.get_by_role("menuitem", name="Answer only").click()
    expect(page.get_by_text("test/dear-one is not offered here")).to_be_visible()
    assert len(provider.requests) == calls
    page.get_by_role("button", name="Regenerate").click()
    answered(page, "Mine.")


def test_an_answer_tells_which_proposal_it_leaned_on(watched: Watched, provider: ProviderServer) -> None:
    page = watched.page
    leaned_on = "The sky is blue because air scatters short waves of light far more than long ones."
    provider.script("a", Answer("I have no idea whatsoever about colours up there, sorry to say."))
    provider.script("b", Answer(leaned_on))
    provider.script("c", Answer("Perhaps somebody painted it on a Tuesday morning in late spring."))
    provider.script("writer", Answer(leaned_on))
    watched.open()
    asked(watched, "Why is the sky blue?", leaned_on)
    page.get_by_role("button", name="Why this answer").click()
    why = page.get_by_role("region", name="Why this answer")
    expect(why.get_by_role("table", name="How alike the proposals are")).to_be_visible()
    expect(why.get_by_role("group", name="Only one said")).to_contain_text("painted it on a Tuesday")
    page.locator('[data-layer="1"] > summary').click()
    bar = page.locator('.moa-panel[data-slot="1.2"]').get_by_role("img", name=re.compile("^Overlap with the answer"))
    expect(bar).to_have_accessible_name(re.compile(r"(9\d|100) %$"))

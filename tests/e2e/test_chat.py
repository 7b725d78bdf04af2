"""The page in a browser, its models played by a scripted provider."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.e2e.conftest import CLOSED, SCRIPTED, Watched
from tests.support.app import App
from tests.support.server import Answer, Gate, ProviderServer

ADDRESS = re.compile(r"\?c=[A-Za-z0-9_-]{22}$")


def status(page: Page, place: str, wanted: str) -> Locator:
    found = page.locator(place).last
    expect(found).to_have_attribute("data-status", wanted)
    return found


def choose(page: Page, title: str) -> None:
    page.locator("#moa-summary").click()
    recipe = page.get_by_label("Recipe")
    recipe.click()
    page.get_by_role("option", name=title).click()
    expect(page.locator("#moa-summary")).to_contain_text(title)
    page.locator("#moa-summary").click()


def test_three_panels_fill_while_they_write_and_the_answer_follows(watched: Watched, provider: ProviderServer) -> None:
    page, gate = watched.page, Gate()
    for name in "abc":
        provider.script(name, Answer(f"The first words of {name}. The rest.", gate=gate, hold=(5,)))
    provider.script("writer", Answer("**The** answer of all three."))
    watched.open()
    watched.ask("What do you say?")
    for position, name in enumerate("abc", start=1):
        panel = status(page, f'[data-slot="1.{position}"]', "running")
        expect(panel).to_contain_text(f"The first words of {name}")
        expect(panel).to_contain_text(f"Model {name.upper()}")
    status(page, "[data-answer]", "waiting")
    expect(page.get_by_role("button", name="Stop", exact=True)).to_be_visible()
    gate.open()
    answer = status(page, "[data-answer]", "done")
    expect(answer.locator("strong")).to_have_text("The")
    expect(answer).to_contain_text("4 calls")
    expect(page.locator('[data-layer="1"]')).to_contain_text("3 proposers")
    expect(page.get_by_role("button", name="Stop", exact=True)).to_be_hidden()
    expect(page).to_have_url(ADDRESS)


def test_a_follow_up_sends_questions_and_answers_and_no_proposal(watched: Watched, provider: ProviderServer) -> None:
    provider.script("writer", Answer("My name is Ada."), Answer("You asked Ada."))
    watched.open()
    watched.ask("What is your name?")
    status(watched.page, "[data-answer]", "done")
    watched.ask("Whom did I ask?")
    expect(watched.page.locator("[data-turn]")).to_have_count(2)
    expect(status(watched.page, "[data-answer]", "done")).to_contain_text("You asked Ada.")
    history = [
        {"role": "user", "content": "What is your name?"}, {"role": "assistant", "content": "My name is Ada."},
        {"role": "user", "content": "Whom did I ask?"},
    ]  # fmt: skip
    for name in "abc":
        assert provider.requests_for(name)[1].messages == history
    system, *rest = provider.requests_for("writer")[1].messages
    assert rest == history
    assert "Hello from a." in system["content"]


def test_a_reload_and_another_browser_find_the_run_going_on(watched: Watched, provider: ProviderServer) -> None:
    page, gate = watched.page, Gate()
    provider.script("b", Answer("Slowly, slowly it comes.", gate=gate, hold=(2,)))
    watched.open()
    watched.ask("Are you there?")
    expect(page.locator('[data-slot="1.2"]')).to_contain_text("Slowly, slowly")
    expect(page).to_have_url(ADDRESS)
    watched.reload()
    expect(page.locator('[data-slot="1.2"]')).to_contain_text("Slowly, slowly")
    expect(page.locator('[data-slot="1.2"]')).to_have_attribute("data-status", "running")
    second = page.context.new_page()
    second.goto(page.url)
    expect(second.locator('[data-slot="1.2"]')).to_have_attribute("data-status", "running")
    gate.open()
    for each in (page, second):
        status(each, "[data-answer]", "done")
        expect(each.locator("[data-turn]")).to_have_count(1)


def test_stop_keeps_what_has_come_and_retry_asks_again(watched: Watched, provider: ProviderServer) -> None:
    page, gate = watched.page, Gate()
    provider.script("c", Answer("Half of it, and more.", gate=gate, hold=(3,)), Answer("All of it."))
    watched.open()
    watched.ask("Tell me all.")
    expect(page.locator('[data-slot="1.3"]')).to_contain_text("Half of it")
    page.get_by_role("button", name="Stop", exact=True).click()
    status(page, '[data-slot="1.3"]', "stopped")
    status(page, '[data-slot="1.1"]', "done")
    expect(page.locator("[data-answer]")).to_contain_text("Stopped.")
    expect(page.get_by_role("button", name="Send")).to_be_enabled()
    watched.reload()
    expect(page.locator("[data-answer]")).to_contain_text("Stopped.")
    page.get_by_role("button", name="Resume").click()
    status(page, "[data-answer]", "done")
    expect(page.locator("[data-turn]")).to_have_count(1)
    assert len(provider.requests_for("c")) == 2


def test_one_proposer_can_be_stopped_and_the_others_answer(watched: Watched, provider: ProviderServer) -> None:
    page, gate = watched.page, Gate()
    provider.script("c", Answer("It never ends.", gate=gate, hold=(2,)))
    watched.open()
    watched.ask("Are you done?")
    expect(page.locator('[data-slot="1.3"]')).to_contain_text("It never")
    status(page, '[data-slot="1.2"]', "done")
    page.get_by_role("button", name="Stop Model C").click()
    expect(status(page, "[data-answer]", "done")).to_contain_text("2 of 3 proposers · missing Model C")
    status(page, '[data-slot="1.3"]', "stopped")


def test_F24_a_double_click_is_one_run(watched: Watched, provider: ProviderServer) -> None:
    page = watched.page
    watched.open()
    page.get_by_label("Message").fill("Once, please.")
    page.get_by_role("button", name="Send").dblclick()
    status(page, "[data-answer]", "done")
    expect(page.locator("[data-conversation]", has_text="Once, please.")).to_have_count(1)
    expect(page.locator("[data-turn]")).to_have_count(1)
    assert len(provider.requests_for("writer")) == 1


def test_the_same_question_in_two_new_chats_makes_two_conversations(watched: Watched) -> None:
    page = watched.page
    watched.open()
    for _ in range(2):
        watched.ask("Twice, please.")
        status(page, "[data-answer]", "done")
        page.get_by_role("button", name="New chat").click()
        expect(page.locator("[data-turn]")).to_have_count(0)
    expect(page.locator("[data-conversation]", has_text="Twice, please.")).to_have_count(2)


def test_a_dead_proposer_is_named_and_the_others_answer(watched: Watched) -> None:
    page = watched.page
    watched.open()
    choose(page, "One is dead")
    watched.ask("Who is left?")
    answer = status(page, "[data-answer]", "done")
    expect(answer).to_contain_text("2 of 3 proposers · missing Gone")
    page.locator('[data-layer="1"] > summary').click()
    expect(status(page, '[data-slot="1.2"]', "failed")).to_contain_text("The provider can't be reached.")


def test_when_everything_is_dead_it_is_said_and_the_question_is_kept(watched: Watched) -> None:
    page = watched.page
    watched.open()
    choose(page, "All are dead")
    watched.ask("Is anybody there?")
    expect(status(page, "[data-answer]", "failed")).to_contain_text("can't be reached")
    expect(page.get_by_role("button", name="Retry")).to_be_visible()
    watched.reload()
    expect(page.locator("[data-turn]")).to_contain_text("Is anybody there?")
    expect(page.get_by_role("button", name="Retry")).to_be_visible()


def test_regenerate_replaces_the_answer(watched: Watched, provider: ProviderServer) -> None:
    page = watched.page
    provider.script("writer", Answer("The first try."), Answer("The second try."))
    watched.open()
    watched.ask("Try twice.")
    expect(status(page, "[data-answer]", "done")).to_contain_text("The first try.")
    page.get_by_role("button", name="Regenerate").click()
    expect(page.locator("[data-answer]")).to_contain_text("The second try.")
    status(page, "[data-answer]", "done")
    expect(page.locator("[data-turn]")).to_have_count(1)
    watched.reload()
    expect(page.locator("[data-answer]")).to_contain_text("The second try.")


def test_conversations_are_opened_renamed_and_deleted_from_the_list(watched: Watched) -> None:
    page = watched.page
    watched.open()
    for question in ("Apples or pears?", "Rain or snow?"):
        watched.ask(question)
        status(page, "[data-answer]", "done")
        page.get_by_role("button", name="New chat").click()
    entry = page.locator("[data-conversation]", has_text="Apples or pears?")
    entry.locator("button").first.click()
    expect(page.locator("[data-turn]")).to_contain_text("Apples or pears?")
    expect(page).to_have_url(ADDRESS)
    page.get_by_role("button", name="More for Apples or pears?").click()
    page.get_by_role("menuitem", name="Rename").click()
    page.get_by_label("New title").fill("Fruit")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("[data-conversation]", has_text="Fruit")).to_be_visible()
    page.get_by_role("button", name="More for Fruit").click()
    page.get_by_role("menuitem", name="Delete").click()
    expect(page.locator("[data-conversation]", has_text="Fruit")).to_have_count(0)
    expect(page.locator("[data-turn]")).to_have_count(0)
    expect(page.locator("[data-conversation]", has_text="Rain or snow?")).to_have_count(1)


def test_another_conversation_can_be_asked_while_one_goes_on(watched: Watched, provider: ProviderServer) -> None:
    page, gate = watched.page, Gate()
    provider.script("a", Answer("It takes its time.", gate=gate, hold=(2,)), Answer("At once."))
    watched.open()
    watched.ask("The slow one.")
    expect(page.locator('[data-slot="1.1"]')).to_contain_text("It takes")
    page.get_by_role("button", name="New chat").click()
    expect(page.locator("[data-turn]")).to_have_count(0)
    watched.ask("The quick one.")
    expect(status(page, "[data-answer]", "done")).to_be_visible()
    expect(page.locator("[data-turn]")).to_contain_text("The quick one.")
    page.locator("[data-conversation]", has_text="The slow one.").locator("button").first.click()
    expect(page.locator('[data-slot="1.1"]')).to_contain_text("It takes")
    gate.open()
    status(page, "[data-answer]", "done")
    expect(page.locator("[data-turn]")).to_have_count(1)


def test_an_example_is_asked_by_a_click(watched: Watched, provider: ProviderServer) -> None:
    page = watched.page
    watched.open()
    example = page.locator(".moa-example").first
    words = example.inner_text()
    example.click()
    status(page, "[data-answer]", "done")
    assert provider.requests_for("a")[0].messages == [{"role": "user", "content": words}]


def test_B07_what_cannot_be_taken_is_said_and_the_draft_stays(watched: Watched, provider: ProviderServer) -> None:
    page = watched.page
    watched.open()
    watched.ask("x" * 32_001)
    expect(page.get_by_text("A question has at most 32,000 characters")).to_be_visible()
    assert len(page.get_by_label("Message").input_value()) == 32_001
    assert [request for request in provider.requests if request.method == "POST"] == []


def test_settings_make_the_mixture_the_users_own(watched: Watched, provider: ProviderServer) -> None:
    page = watched.page
    watched.open()
    page.locator("#moa-summary").click()
    settings = page.locator("#moa-settings")
    settings.get_by_role("button", name="One more Model A").click()
    expect(page.locator("#moa-summary")).to_contain_text("Custom mixture · 5 calls")
    page.get_by_label("Layers").first.fill("3")
    page.get_by_label("Layers").first.press("Tab")
    expect(page.locator("#moa-summary")).to_contain_text("Custom mixture · 9 calls")
    settings.get_by_label("System prompt").fill("Be brief.")
    expect(page.get_by_label("Recipe")).to_have_value("Custom mixture")
    page.locator("#moa-summary").click()
    watched.ask("How many are you?")
    expect(status(page, "[data-answer]", "done")).to_contain_text("9 calls")
    assert len(provider.requests_for("a")) == 4
    assert provider.requests_for("a")[0].messages[0] == {"role": "system", "content": "Be brief."}


def test_a_phone_shows_everything_without_scrolling_sideways(watched: Watched) -> None:
    page = watched.page
    page.set_viewport_size({"width": 390, "height": 844})
    watched.open()
    expect(page.locator(".moa-example").first).to_be_in_viewport()
    width = "document.documentElement.scrollWidth"
    assert page.evaluate(width) <= 390
    watched.ask("Does it fit? " + "Antidisestablishmentarianism" * 8)
    status(page, "[data-answer]", "done")
    assert page.evaluate(width) <= 390
    expect(page.get_by_role("button", name="Send")).to_be_in_viewport()
    page.locator('[data-layer="1"] > summary').click()
    expect(page.locator('[data-slot="1.1"]')).to_be_visible()
    assert page.evaluate(width) <= 390


def test_light_and_dark_are_switched_and_remembered(watched: Watched) -> None:
    page = watched.page
    watched.open()
    dark = re.compile(r"\bdark\b")
    expect(page.locator("body")).not_to_have_class(dark)
    page.locator("#moa-theme").click()
    expect(page.locator("body")).to_have_class(dark)
    watched.reload()
    expect(page.locator("body")).to_have_class(dark)


def test_F25_asked_to_end_it_lets_the_answer_come_first(
    context: BrowserContext, provider: ProviderServer, tmp_path: Path
) -> None:
    ending = App(tmp_path, SCRIPTED.format(base_url=provider.base_url, closed=CLOSED))
    ending.start()
    try:
        watched, gate = Watched(context.new_page(), ending), Gate()
        provider.script("writer", Answer("Only this is left to say.", gate=gate, hold=(2,)))
        watched.open()
        watched.ask("Any last words?")
        expect(watched.page.locator("[data-answer]")).to_contain_text("Only this")
        ending.tell()
        gate.open()
        expect(status(watched.page, "[data-answer]", "done")).to_contain_text("left to say.")
    finally:
        assert ending.stop() == 0
    assert "Traceback" not in ending.log


def test_B01_what_models_and_users_write_stays_text(watched: Watched, provider: ProviderServer) -> None:
    page = watched.page
    evil = '<img src=x onerror="window.hit=1"><script>window.hit=1</script> ![i](https://evil.example/i.png) **fine**'
    for name in ("a", "b", "c", "writer"):
        provider.script(name, Answer(evil))
    watched.open()
    watched.ask(evil)
    answer = status(page, "[data-answer]", "done")
    expect(answer.locator("strong")).to_have_text("fine")
    watched.reload()
    expect(page.locator("[data-answer]")).to_contain_text("fine")
    assert page.evaluate("window.hit") is None

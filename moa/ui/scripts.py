"""The few lines of JavaScript that stand in Gradio's events. What is longer is in ``static/js/page.js``."""

from __future__ import annotations

# Reads the conversation's id from the address; needs nothing that may still be loading.
FROM_ADDRESS = "() => [new URLSearchParams(location.search).get('c') || '']"

# What the address asks for, for a page that opens on no conversation.
LINKED = (
    "() => { const asked = new URLSearchParams(location.search), names = ['q', 'recipe', 'vs', 'blind'];"
    " return [asked.has('c') ? {} : Object.fromEntries(names.map((name) => [name, asked.get(name)]))]; }"
)

# Keeps the address in step with the conversation shown, and closes the sidebar on a phone.
TO_ADDRESS = "(id) => { window.moa?.shown(id); }"

# Says when something was chosen, in ms of the page's clock: events may reach the server in another order.
_NOW = "'@' + performance.now()"
CHOSEN = f"() => [{_NOW}]"
CHOSEN_IN = f"(conversation) => [conversation, {_NOW}]"

# No conversation, no head, no run.
NOWHERE = "() => ['', '', '']"

# The button under the composer opens and closes the settings.
OPEN_SETTINGS = "() => { document.querySelector('#moa-settings .toggle-button')?.click(); }"

TOGGLE_THEME = "() => { window.moa?.toggleTheme(); }"


def keyed(count: int, *, binding: int) -> str:
    """Put a request key into the last of ``count`` inputs. The first ``binding`` inputs name the submit: while they
    are the same, so is the key, and a double click or a repeat after a lost reply is one run. Lists of what can be
    picked stay in the browser: they may be long, and the server has them."""
    slim = "(value) => value?.choices ? { ...value, choices: [] } : value"
    return f"(...all) => window.moa.keyed(all.slice(0, {count}).map({slim}), {binding})"

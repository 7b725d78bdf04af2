"""Every text that the page says by itself, in one place. Plain and short; names of buttons are hooks of tests."""

from __future__ import annotations

from collections.abc import Sequence

TITLE = "MoA Chat"
SENTENCE = "Several models answer your question, then one of them writes the best answer from all of theirs."
EXAMPLES = (
    "Explain why the sky is blue to a curious child.",
    "Give me three ideas for a rainy afternoon with friends.",
    "What are the good and the bad sides of working from home?",
)
EMBEDDED_HINT = (
    "The model inside this app is tiny (135 million parameters): it shows how a mixture works, not how good one is. "
    "For better answers stop the app and add a provider, for example:\n"
    "echo 'TOGETHER_API_KEY=your-key' >> .env\n"
    "make run"
)

NEW_CHAT = "New chat"
SEND = "Send"
STOP = "Stop"
MESSAGE = "Message"
MESSAGE_PLACEHOLDER = "Ask anything"
THEME = "Light or dark"
RESULTS = "Results"

SETTINGS = "Mixture"
RECIPE = "Recipe"
CUSTOM_ID = "custom"
CUSTOM_TITLE = "Custom mixture"
PROPOSERS = "Proposers"
AGGREGATOR = "Aggregator"
LAYERS = "Layers"
LAYERS_INFO = "Counted with the aggregator's. One layer asks the aggregator alone."
TEMPERATURE = "Temperature"
TEMPERATURE_INFO = "From 0, exact, to 2, wild. Empty: each model keeps the recipe's own."
TEMPERATURE_OWN = "as the recipe says"
SYSTEM = "System prompt"
AGGREGATOR_ALONE = "Its own aggregator alone"
CHOOSE_OPPONENT = "Compare: choose what answers beside the mixture from the list."
COMPARISON = "Comparison"
REFRESH = "Look for models again"
SYSTEM_PLACEHOLDER = "Instructions for every model (optional)"

RELOAD = "This page is out of date. Reload it, then try again."
NOT_DONE = "Not done"
WENT_WRONG = "Something went wrong on our side. Your text is still here: try again."

STOPPED = "Stopped."
INTERRUPTED = "The app stopped while this was written."
NOT_SAVED = "Not saved yet: the database refuses for now. Saving is tried again."
NO_ANSWER = "No answer came."
CUT = "cut at its limit"
ALONE = "the aggregator answered alone"
BEST_SINGLE = "shown: the best single proposal"
REUSED = "reused"


def calls(count: int) -> str:
    """How many calls one question makes when nothing fails."""
    return "1 call" if count == 1 else f"{count} calls"


def summary(title: str, count: int) -> str:
    """What will answer the next question, on the button that opens the settings."""
    return f"{title} · {calls(count)}"


def estimate(title: str, count: int, tokens: int, cost: str | None) -> str:
    """The same with what a question is likely to take: tokens rounded to two digits, and dollars where known."""
    digits = max(0, len(str(tokens)) - 2)
    about = round(tokens, -digits)
    return f"{title} · {calls(count)} · about {about:,} tokens · {cost or 'price unknown'}"


def comparison(titles: Sequence[str], *, blind: bool) -> str:
    """What will answer in the columns of a comparison. A blind one names nobody."""
    return f"{COMPARISON} of {len(titles)}, blind" if blind else " / ".join(titles)


def not_offered(names: Sequence[str]) -> str:
    """A link named what can't answer here, or not beside the others."""
    return f"Left out of what the link asks for: {', '.join(names)}."


def proposers(got: int, total: int) -> str:
    """How many of a run's proposers have answered."""
    return f"{got} of {total} proposer{'' if total == 1 else 's'}"


def missing(label: str, why: str) -> str:
    """One proposer that is missing from an answer."""
    return f"{label} ({why})"


def waiting(seconds: int) -> str:
    """A call is made again after this long."""
    return f"waiting {seconds} s" if seconds else "trying again"


def left_out(turns: int, chars: int) -> str:
    """What was trimmed so that a prompt fits a model's window."""
    parts = []
    if turns:
        parts.append(f"{turns} turn{'' if turns == 1 else 's'}")
    if chars:
        parts.append(f"{chars:,} characters of proposals")
    return "left out: " + " and ".join(parts)

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moa.core.domain import Price
from moa.providers.discovery import MOST_MODELS, models_in


def names(listing: Any) -> list[str]:
    return [model.wire_name for model in models_in(listing, "p")]


def test_openai_lists_chat_models_among_others() -> None:
    ids = [
        "gpt-4o", "gpt-5.1-mini", "o3", "gpt-4o-audio-preview", "gpt-4o-realtime-preview", "gpt-4o-transcribe",
        "tts-1-hd", "whisper-1", "dall-e-3", "gpt-image-1", "text-embedding-3-large", "omni-moderation-latest",
        "davinci-002", "gpt-3.5-turbo-instruct", "sora-2", "o3-deep-research", "gpt-5-codex",
        "gpt-4o-search-preview",
    ]  # fmt: skip
    found = names({"object": "list", "data": [{"id": i, "object": "model"} for i in ids]})
    assert found == ["gpt-4o", "gpt-4o-search-preview", "gpt-5.1-mini", "o3"]


def test_together_sends_a_bare_list_with_types_and_dollars_a_million() -> None:
    listing = [
        {
            "id": "a/chat",
            "type": "chat",
            "display_name": "A Chat",
            "context_length": 131072,
            "pricing": {"input": 0.88, "output": 1.2},
        },
        {"id": "b/free", "type": "chat", "pricing": {"input": 0, "output": 0}},
        {"id": "c/embed", "type": "embedding"},
        {"id": "d/base", "type": "language"},
        {"id": "e/picture", "type": "image"},
    ]
    chat, free = models_in(listing, "together")
    assert (chat.id, chat.label, chat.context_tokens) == ("together/a/chat", "A Chat", 131072)
    assert chat.price == Price(880_000, 1_200_000)
    assert free.price is None


def test_openrouter_tells_dollars_a_token_modalities_and_reasoning() -> None:
    listing = {
        "data": [
            {
                "id": "x/think",
                "name": "X: Think",
                "context_length": 200_000,
                "pricing": {"prompt": "0.000003", "completion": "0.000015", "request": "0"},
                "architecture": {"output_modalities": ["text"]},
                "supported_parameters": ["reasoning", "temperature"],
            },
            {"id": "x/free:free", "pricing": {"prompt": "0", "completion": "0"}, "supported_parameters": []},
            {"id": "x/auto", "pricing": {"prompt": "-1", "completion": "-1"}},
            {"id": "x/paint", "architecture": {"output_modalities": ["image", "text"]}},
        ]
    }
    found = {model.wire_name: model for model in models_in(listing, "openrouter")}
    assert set(found) == {"x/think", "x/free:free", "x/auto"}
    assert found["x/think"].price == Price(3_000_000, 15_000_000)
    assert found["x/think"].reasoning
    assert found["x/free:free"].price == Price(0, 0)
    assert found["x/auto"].price is None


def test_google_prefixes_its_names() -> None:
    ids = ["gemini-2.5-flash", "gemini-2.5-flash-image", "text-embedding-004", "veo-3.0", "aqa"]
    (model,) = models_in({"data": [{"id": f"models/{i}", "object": "model"} for i in ids]}, "google")
    assert (model.id, model.wire_name) == ("google/gemini-2.5-flash", "gemini-2.5-flash")


@pytest.mark.parametrize(
    ("entry", "tokens"),
    [
        ({"id": "m", "object": "model", "max_model_len": 8192}, 8192),
        ({"id": "m", "context_window": 131072, "active": True}, 131072),
        ({"id": "m", "max_context_length": 32768, "capabilities": {"completion_chat": True}}, 32768),
        ({"id": "m", "max_context_length": 32768, "loaded_context_length": 4096, "type": "llm"}, 4096),
        ({"id": "m", "meta": {"n_ctx": 2048, "n_ctx_train": 8192}}, 2048),
        ({"id": "m", "context_length": -5}, None),
        ({"id": "m", "context_length": "big"}, None),
        ({"id": "m"}, None),
    ],
)
def test_the_window_is_found_under_each_servers_name(entry: dict[str, Any], tokens: int | None) -> None:
    (model,) = models_in({"data": [entry]}, "p")
    assert model.context_tokens == tokens


def test_ollama_names_are_taken_as_they_are() -> None:
    assert names({"data": [{"id": "llama3.2:1b"}, {"id": "nomic-embed-text:latest"}]}) == ["llama3.2:1b"]
    assert names({"models": [{"name": "gemma3:latest"}]}) == ["gemma3:latest"]


def test_what_a_provider_marks_as_unusable_is_left_out() -> None:
    assert names([{"id": "a", "active": False}, {"id": "b", "capabilities": {"completion_chat": False}}]) == []


@pytest.mark.parametrize(
    "name", ["deepseek-reasoner", "o3-mini", "gpt-5.1", "qwen/qwq-32b", "deepseek-r1:7b", "magistral-small"]
)
def test_models_that_think_first_are_known_by_name(name: str) -> None:
    assert models_in([{"id": name}], "p")[0].reasoning


@pytest.mark.parametrize("name", ["gpt-4o", "co3d", "claude-sonnet-4", "llama-3.1-8b"])
def test_other_names_are_not_taken_for_reasoning(name: str) -> None:
    assert not models_in([{"id": name}], "p")[0].reasoning


@pytest.mark.parametrize("name", ["", "a b", "a\nb", "x" * 200, "<script>", "ä", None, 7])
def test_hostile_names_are_left_out(name: Any) -> None:
    assert names([{"id": name}]) == []


def test_hostile_labels_give_way_to_the_name_and_doubles_to_the_first() -> None:
    listing = [{"id": "m", "name": "evil\u202e\n"}, {"id": "m", "name": "second"}]
    (model,) = models_in(listing, "p")
    assert model.label == "m"


def test_a_list_is_bounded() -> None:
    assert len(models_in([{"id": f"m{i}"} for i in range(MOST_MODELS + 50)], "p")) == MOST_MODELS


KEYS = ["id", "data", "models", "type", "pricing", "prompt", "completion", "input", "meta", "capabilities"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=12,
)


@given(JSON)
def test_no_json_raises(listing: Any) -> None:
    models_in(listing, "p")

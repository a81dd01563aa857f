"""litellm to hosts of one's own, where its handlers do not say to the request whose it is."""

import asyncio
from typing import Any

import pytest
from tests.support.aws import Reply, bedrock
from tests.support.form_bodies import RESPONSE
from tests.support.stub import stub
from tests.support.wire import Kept

litellm = pytest.importorskip("litellm", reason="litellm is not installed: `uv sync --group frameworks`")

pytestmark = [
    pytest.mark.usefixtures("collected", "layers"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # litellm's own
    pytest.mark.filterwarnings("ignore::UserWarning:pydantic"),  # of types that litellm makes when first used
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # its clients stay open in a cache of its own
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),  # likewise
]
EMBEDDED = {
    "object": "list",
    "model": "m",
    "data": [{"object": "embedding", "index": 0, "embedding": [0.1]}],
    "usage": {"prompt_tokens": 7, "total_tokens": 7},
}
RANKED = {
    "id": "r1",
    "results": [{"index": 0, "relevance_score": 0.5}],
    "meta": {"billed_units": {"search_units": 1}},
}
COMPACTED = {**RESPONSE, "object": "response.compaction"}
OLLAMAS = {"model": "m", "embeddings": [[0.1]], "prompt_eval_count": 7}
EMBED, RANK = {"input": ["a"]}, {"query": "a", "documents": ["b"]}
SEVEN, MANY = {"input": 7}, {"input": 1000, "output": 100}
# litellm's function and model, what it is asked, the answer -> whose it is, what was used
FORMS: dict[tuple[str, str], tuple[dict[str, Any], Any, str, dict[str, int]]] = {
    ("embedding", "voyage/m"): (EMBED, EMBEDDED, "voyage", SEVEN),
    ("embedding", "hosted_vllm/m"): (EMBED, EMBEDDED, "vllm", SEVEN),
    ("embedding", "ollama/m"): (EMBED, OLLAMAS, "ollama", SEVEN),
    ("rerank", "cohere/m"): (RANK, RANKED, "cohere", {"search_units": 1}),
    ("responses", "openai/m"): (EMBED, RESPONSE, "openai", MANY),
    ("compact_responses", "openai/m"): (EMBED, COMPACTED, "openai", MANY),
}


@pytest.mark.parametrize(("name", "model"), FORMS)
@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
def test_a_request_to_a_host_of_ones_own_is_one_record(
    name: str,
    model: str,
    asynchronous: bool,  # noqa: FBT001 - a parameter of the test
    kept: Kept,
) -> None:
    more, body, provider, units = FORMS[name, model]
    with bedrock(Reply(body)) as (url, paths):
        base = f"{url}/v2/rerank" if name == "rerank" else url  # of those the whole address is asked for
        asked = {"model": model, "api_base": base, "api_key": "k", "timeout": 30, **more}
        if asynchronous:
            asyncio.run(getattr(litellm, f"a{name}")(**asked))
        else:
            getattr(litellm, name)(**asked)
        assert len(paths) == 1
    assert (kept.only.provider, kept.only.status, kept.only.usage.units) == (provider, "success", units)


def test_a_stream_from_a_host_of_ones_own_is_one_record(kept: Kept) -> None:
    with stub() as server:
        asked = {"model": "openai/m", "api_base": f"{server.url('a')}/v1", "api_key": "k", "input": "a"}
        for _ in litellm.responses(stream=True, **asked):
            pass
    assert (kept.only.provider, kept.only.usage.units) == ("openai", MANY)


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
def test_whom_such_a_request_is_for_is_what_litellm_was_told(
    asynchronous: bool,  # noqa: FBT001 - a parameter of the test
    kept: Kept,
) -> None:
    with bedrock(Reply(EMBEDDED)) as (url, _paths):
        asked = {"model": "voyage/m", "api_base": url, "api_key": "k", "metadata": {"user_id": "u1"}, **EMBED}
        if asynchronous:
            asyncio.run(litellm.aembedding(**asked))
        else:
            litellm.embedding(**asked)
    assert kept.only.user == "u1"


def test_a_request_of_the_programs_own_is_not_taken_for_one_of_the_last_call(kept: Kept) -> None:
    """It goes by litellm's own client to a host that no call of this task was made to."""
    handler = litellm.llms.custom_httpx.http_handler.HTTPHandler()
    with bedrock(Reply(EMBEDDED)) as (url, _paths), bedrock(Reply(EMBEDDED)) as (other, _others):
        litellm.embedding(model="voyage/m", api_base=url, api_key="k", **EMBED)
        made = litellm.litellm_core_utils.litellm_logging.Logging
        told = made("m", [], False, "embedding", 0.0, "1", "f")  # noqa: FBT003 - litellm's own parameters
        told.model_call_details["additional_args"] = {"api_base": url}
        handler.post(f"{other}/embeddings", json={"model": "m"})
    assert len(kept.records) == 1

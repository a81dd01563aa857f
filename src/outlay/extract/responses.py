"""OpenAI's responses and their copies: usage as in chat, hosted tools beside it."""

from collections.abc import Mapping, Sequence
from typing import Any

from outlay.core.usage import Usage, changed, ordered
from outlay.extract.answers import finish, finish_common, inner, missing, split, tier_in, tier_terms, usage_in
from outlay.extract.chat import count_chat
from outlay.extract.common import RESPONSES, common_usage
from outlay.extract.drawing import count_images, drafts_in
from outlay.extract.held import held
from outlay.extract.hosted import are_calls_alone, calls_of, charged_items, images_in, search_unit
from outlay.extract.plain import fields_of, name_of, rows_of
from outlay.extract.streams import cut_off, peek
from outlay.extract.table import FINAL_RESPONSES
from outlay.extract.tally import Tally
from outlay.extract.usual import searches_of

# docs.x.ai/developers/pricing: one tool under OpenAI's name and under its own. The rest keep theirs.
_XAI_TOOLS = {"code_interpreter_calls": "code_execution", "file_search_calls": "collections_search"}

# docs.perplexity.ai, pricing: tools of the Agent API.
_PERPLEXITY_TOOLS = {"search_web": "web_search", "fetch_url": "web_fetch"}

_TOOLS = frozenset({"web_search", "image_gen"})
_SIDES = ("input_tokens", "output_tokens", "prompt_tokens", "completion_tokens")


def read_responses(body: Mapping[str, Any], provider: str) -> Usage:
    """Read a response object; its reasoning is inside of output_tokens everywhere, xAI included."""
    tools = usage_in(body.get("tool_usage"))
    charged = charged_items(body.get("output"))
    if (usual := _in_one_go(body, provider, tools, charged)) is not None:
        return usual
    usage = usage_in(body.get("usage"))
    if usage is None:
        return _not_yet(body)
    tally = Tally()
    count_chat(tally, usage, "")
    if all(usage.get(name) is None for name in _SIDES):
        tally.note("partial", "the usage does not tell input and output tokens apart")
    drawn = [*_drawn(inner(tools or {}, "image_gen"), body), *drafts_in(charged)]
    if "server_side_tool_usage_details" in usage or "num_server_side_tools_used" in usage:
        _count_xai_tools(tally, usage)
    elif "tool_calls_details" in usage:
        _count_perplexity_tools(tally, inner(usage, "tool_calls_details"))
    else:
        searches = tally.count(inner(tools or {}, "web_search"), "num_requests")
        for unit, calls in calls_of(charged, search_unit(body, provider), searches):
            tally.put(unit, calls)
        tally.put("image_generation", 0 if drawn else images_in(charged))
    if tools is not None:
        if any(_says_a_count(used) for tool, used in tools.items() if tool not in _TOOLS):
            tally.flags.add("unknown_keys")
        usage["tool_usage"] = tools
    whole = finish(tally, body, usage, provider, tier_terms(body))
    return split(whole, (changed(whole, raw=None), *drawn)) if drawn else _with_context(whole, usage)


def _in_one_go(
    body: Mapping[str, Any], provider: str, tools: dict[str, Any] | None, charged: Sequence[Any]
) -> Usage | None:
    """Read a response of the common shape; None for one that needs a closer look."""
    searches = 0 if tools is None else searches_of(tools)
    if searches is None or (charged and not are_calls_alone(charged)):
        return None
    if (common := common_usage(body.get("usage"), RESPONSES)) is None:
        return None
    tier, (items, copied) = tier_in(body), common
    if tools is not None:
        copied["tool_usage"] = tools
    if charged or searches:
        stated = None if tools is None else searches
        called = dict(calls_of(charged, search_unit(body, provider), stated))
        items += ordered({**called, "image_generation": images_in(charged)})
    return finish_common(items, copied, body, (("service_tier", tier),) if tier else (), provider)


def _says_a_count(used: object) -> bool:
    """Whether what a tool used holds a number other than 0."""
    if isinstance(used, (dict, list)):
        return any(_says_a_count(each) for each in (used.values() if isinstance(used, dict) else used))
    return isinstance(used, (int, float)) and not isinstance(used, bool) and used != 0


def _not_yet(body: Mapping[str, Any]) -> Usage:
    status = name_of(body.get("status"))
    waiting = status in {"queued", "in_progress"}
    usage = missing(body, f"the response is {status}: its usage comes when it is done" if waiting else None)
    return cut_off(usage, "") if waiting else usage


def _count_xai_tools(tally: Tally, usage: Mapping[str, Any]) -> None:
    """Count calls of hosted tools by kind; those whose kind is not told have no rate, and are not free."""
    details = inner(usage, "server_side_tool_usage_details")
    for key in details:
        tally.called(_XAI_TOOLS.get(key, key.removesuffix("_calls")), tally.count(details, key))
    used = tally.count(usage, "num_server_side_tools_used")
    if not details:
        tally.put("server_side_tools", used)
    elif used is not None:
        tally.check(used, sum(tally.count(details, key) or 0 for key in details))


def _count_perplexity_tools(tally: Tally, details: Mapping[str, Any]) -> None:
    """Count what Perplexity's agents called, by the names of its price list."""
    for name in details:
        tally.called(_PERPLEXITY_TOOLS.get(name, name), tally.count(inner(details, name), "invocation"))


def _with_context(usage: Usage, stated: Mapping[str, Any]) -> Usage:
    """Take xAI's size of the last context, where input_tokens sums several calls of server-side tools."""
    context = inner(stated, "context_details").get("input_tokens")
    if isinstance(context, int) and 0 < context < usage.input_tokens:
        return changed(usage, context_tokens=context)
    return usage


def _drawn(drawing: Mapping[str, Any], body: Mapping[str, Any]) -> list[Usage]:
    """Read the image tool's tokens, if any: they are another model's, and not in the total."""
    if not (drawing.get("input_tokens") or drawing.get("output_tokens")):
        return []
    tally = Tally()
    count_images(tally, drawing)
    return [tally.usage(model=_image_model(body))]


def _image_model(body: Mapping[str, Any]) -> str | None:
    tools = body.get("tools")
    for tool in rows_of(tools):
        if peek(tool, "type") == "image_generation":
            return name_of(peek(tool, "model"))
    return None


class ResponsesStream:
    """A collector of response events: the terminal event holds the whole response."""

    __slots__ = ("_error", "_final", "_first", "_provider")

    def __init__(self, provider: str) -> None:
        self._provider = provider
        self._first: Any = None
        self._final: Any = None
        self._error: Any = None

    def add(self, event: Any) -> None:
        """Keep the first event, the terminal one and an error."""
        if self._first is None:
            self._first = event
        kind = event.get("type") if type(event) is dict else getattr(event, "type", None)
        if kind in FINAL_RESPONSES:
            self._final = event
        elif kind == "error":
            self._error = event

    @property
    def complete(self) -> bool:
        """Whether the terminal event was seen."""
        return self._final is not None

    def hold(self) -> None:
        """Copy the usage of the terminal event's response."""
        if self._final is not None:
            self._final = {"response": held(peek(self._final, "response"), "responses")}

    def as_body(self) -> Mapping[str, Any] | None:
        """Give the terminal event's response; None where none was seen."""
        return None if self._final is None else fields_of(peek(self._final, "response"))

    def usage(self) -> Usage:
        """Read the terminal event's response, or what the first event tells."""
        if self._final is not None:
            return read_responses(fields_of(peek(self._final, "response")) or {}, self._provider)
        known = dict(fields_of(peek(self._first, "response")) or {})
        known["status"] = None
        if self._error is not None:
            known["error"] = peek(self._error, "error") or {"code": peek(self._error, "code")}
        return cut_off(
            changed(
                read_responses(known, self._provider), reason=missing(known).reason if self._error else None
            ),
            "the stream ended before its usage",
        )

"""Streams of ``/responses`` made from the answer they tell, in any of the ways that gateways tell one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

from flash_integrations import Completion
from flash_integrations._core.completion.completion import ChatDelta
from flash_integrations._core.endpoints.reader import AnswerContext
from flash_integrations._core.endpoints.responses.reader import ResponsesReader
from flash_integrations._core.environment import Environment
from flash_integrations.errors import APIConnectionError

USAGE = {"input_tokens": 9, "input_tokens_details": {"cached_tokens": 4}, "output_tokens": 2, "total_tokens": 11}
HEAD = {"id": "resp_1", "object": "response", "created_at": 1767000000, "model": "gpt-5.2", "service_tier": "default"}


def event(kind: str, **fields: Any) -> bytes:
    """One event as OpenAI frames it."""
    body = json.dumps({"type": f"response.{kind}", **fields})
    return f"event: response.{kind}\ndata: {body}\n\n".encode()


def response(output: Any = (), *, status: str = "completed", **fields: Any) -> dict[str, Any]:
    """A response object."""
    output = list(output) if isinstance(output, tuple) else output
    return {**HEAD, "status": status, "output": output, "usage": USAGE, **fields}


def end(output: Any = (), *, kind: str = "completed", **fields: Any) -> bytes:
    """A terminal event."""
    return event(kind, response=response(output, **fields))


CREATED = event("created", sequence_number=0, response={**HEAD, "status": "in_progress", "output": [], "usage": None})


def message(*texts: str, refusal: str = "", **fields: Any) -> dict[str, Any]:
    """A message item."""
    content = [{"type": "output_text", "text": text, "annotations": []} for text in texts]
    content += [{"type": "refusal", "refusal": refusal}] if refusal else []
    return {"type": "message", "role": "assistant", "status": "completed", "content": content, **fields}


def reasoning(*texts: str, raw: bool = False, **fields: Any) -> dict[str, Any]:
    """A reasoning item, of summaries or of raw text."""
    parts = [{"type": "reasoning_text" if raw else "summary_text", "text": text} for text in texts]
    return {"type": "reasoning", "summary": [], ("content" if raw else "summary"): parts, **fields}


def call(name: str, arguments: str, **fields: Any) -> dict[str, Any]:
    """A function's call."""
    return {"type": "function_call", "status": "completed", "name": name, "arguments": arguments, **fields}


def custom(name: str, text: str, **fields: Any) -> dict[str, Any]:
    """A custom tool's call."""
    return {"type": "custom_tool_call", "status": "completed", "name": name, "input": text, **fields}


def env() -> Environment:
    """Surroundings that make up ids in turn."""
    numbers = count(1)
    return Environment(clock=float, unix_time=float, random=float, new_id=lambda: f"made_up_{next(numbers)}")


def reading(*segments: bytes, accepts_done: bool = False, headers: dict[str, str] | None = None) -> ResponsesReader:
    """A body read so far."""
    context = AnswerContext(headers or {}, streamed=True, accepts_done=accepts_done, env=env())
    reader = ResponsesReader(context, model="gpt-5.2")
    for segment in segments:
        reader.feed(segment)
    return reader


def read(*segments: bytes, lost: APIConnectionError | None = None, **params: Any) -> tuple[list[ChatDelta], Completion]:
    """(the deltas, the completion) of a body."""
    reader = reading(**params)
    deltas = [delta for segment in segments for delta in reader.feed(segment)]
    deltas += reader.close(lost)
    return deltas, reader.result(retries=0)


def completion(*segments: bytes, **params: Any) -> Completion:
    """The completion of a body."""
    return read(*segments, **params)[1]


def plain(*output: dict[str, Any], **fields: Any) -> Completion:
    """The completion of a whole response object."""
    return completion(json.dumps(response(tuple(output), **fields)).encode())


@dataclass(frozen=True)
class Way:
    """How a server tells an answer.

    Attributes:
        names: how events name their items: "both" id and index, "ids" alone, "indexes" alone, "random" ids that change
            with each event, "shifted" indexes, "nothing".
        announces: whether ``output_item.added`` comes.
        pieces: how long a delta is, in characters; 0: no deltas.
        ends_parts: whether the events that end texts and arguments come.
        ends_items: whether ``output_item.done`` comes.
        lists: the final ``output``: "all", "renamed" (all, under other ids), "empty", "null".
        twice: whether each event comes twice, under its one sequence number.
    """

    names: str = "both"
    announces: bool = True
    pieces: int = 2
    ends_parts: bool = True
    ends_items: bool = True
    lists: str = "all"
    twice: bool = False


def stream(items: list[dict[str, Any]], way: Way) -> list[bytes]:
    """The events that tell these items, after the handshake, with the terminal one."""
    numbers, fresh = count(2), count(1)
    told = [CREATED]

    def tell(kind: str, **fields: Any) -> None:
        number = {} if way.names == "nothing" and not way.twice else {"sequence_number": next(numbers)}
        told.extend([event(kind, **number, **fields)] * (2 if way.twice else 1))

    def name(index: int, *, of_item: bool = False) -> dict[str, Any]:
        item_id = f"r{next(fresh)}" if way.names == "random" else f"item_{index}"
        fields = {"item_id": item_id} if way.names not in ("nothing", "indexes") else {}
        if way.names in ("both", "indexes", "random"):
            fields["output_index"] = index
        elif way.names == "shifted":
            fields["output_index"] = index + (0 if of_item else 1)
        return fields

    def whole(index: int, item: dict[str, Any], fields: dict[str, Any]) -> dict[str, Any]:
        return {**item, "id": fields["item_id"]} if "item_id" in fields else item

    for index, item in enumerate(items):
        if way.announces:
            fields = name(index, of_item=True)
            bare = {key: [] if isinstance(value, list) else value for key, value in item.items()}
            bare |= {key: "" for key in ("arguments", "input") if key in item}
            tell("output_item.added", item=whole(index, bare, fields), **_without_id(fields))
        for kind, text, where in _texts_of(item):
            places = {} if way.names == "nothing" else where
            for piece in _pieces(text, way.pieces):
                tell(f"{kind}.delta", delta=piece, **name(index), **places)
            if way.ends_parts:
                field = {
                    "refusal": "refusal",
                    "function_call_arguments": "arguments",
                    "custom_tool_call_input": "input",
                }
                tell(f"{kind}.done", **{field.get(kind, "text"): text}, **name(index), **places)
        if way.ends_items:
            fields = name(index)
            tell("output_item.done", item=whole(index, item, fields), **_without_id(fields))
    ids = {"all": "item_", "renamed": "other_"}.get(way.lists)
    listed = [{**item, "id": f"{ids}{index}"} for index, item in enumerate(items)] if ids else []
    told.append(end(None if way.lists == "null" else listed))
    return told


def _without_id(fields: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if key != "item_id"}


def _texts_of(item: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, int]]]:
    """(event kind, text, place) of what is written of an item."""
    match item["type"]:
        case "message":
            for index, part in enumerate(item["content"]):
                kind = "refusal" if part["type"] == "refusal" else "output_text"
                yield kind, part.get("text") or part.get("refusal"), {"content_index": index}
        case "reasoning":
            for index, part in enumerate(item["summary"]):
                yield "reasoning_summary_text", part["text"], {"summary_index": index}
            for index, part in enumerate(item.get("content", ())):
                yield "reasoning_text", part["text"], {"content_index": index}
        case "function_call":
            yield "function_call_arguments", item["arguments"], {}
        case "custom_tool_call":
            yield "custom_tool_call_input", item["input"], {}


def _pieces(text: str, size: int) -> list[str]:
    """A text cut into deltas; in UTF-16, so that halves of characters part as they do at token boundaries."""
    units = text.encode("utf-16-le")
    cuts = range(0, len(units), 2 * size) if size else ()
    return [units[at : at + 2 * size].decode("utf-16-le", "surrogatepass") for at in cuts]

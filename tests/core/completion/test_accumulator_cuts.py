"""Any completion, cut into any chunks and any bytes, adds up to the plain answer."""

from __future__ import annotations

import json
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from flash_integrations._core.completion.accumulator import Accumulator
from flash_integrations._core.completion.merging import merge
from flash_integrations._core.endpoints.chat.chunks import read_chunk
from flash_integrations._core.framing.body import DONE, BodyDecoder

CHANCE = st.builds(Random, st.integers(0, 2**32))
TEXT = st.text(st.characters(codec="utf-8") | st.sampled_from("😀👩‍🚀你好\u2028\x00"), max_size=20)
SOME_TEXT = TEXT.filter(bool)
WORD = st.text("abcXYZ_", min_size=1, max_size=8)
TOKEN = st.fixed_dictionaries(
    {"token": WORD, "logprob": st.floats(-9, 0), "bytes": st.none(), "top_logprobs": st.just([])}
)
CITATION = st.fixed_dictionaries(
    {"type": st.just("url_citation"), "url_citation": st.fixed_dictionaries({"url": WORD})}
)
CALL = st.tuples(WORD, st.dictionaries(TEXT, TEXT | st.integers(), max_size=3))
AUDIO = st.fixed_dictionaries(
    {"id": WORD, "expires_at": st.integers(1, 2**31), "data": st.text("A/+9=", max_size=12), "transcript": TEXT}
)
COUNT = st.integers(0, 10**6)
DETAILS = st.fixed_dictionaries({}, optional={"cached_tokens": COUNT, "reasoning_tokens": COUNT, "audio_tokens": COUNT})


@st.composite
def usages(draw):
    """A usage object."""
    prompt, completion = draw(COUNT), draw(COUNT)
    usage = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
    for name in ("prompt_tokens_details", "completion_tokens_details"):
        if draw(st.booleans()):
            usage[name] = draw(DETAILS)
    return usage


def maybe(draw, strategy):
    """Something, or nothing."""
    return draw(st.none() | strategy)


@st.composite
def choices(draw, index):
    """A choice of a plain answer, as the plain endpoint writes it."""
    calls = [
        {
            "id": f"call_{index}_{at}",
            "type": "function",
            "function": {"name": name, "arguments": json.dumps(value, ensure_ascii=at % 2)},
        }
        for at, (name, value) in enumerate(draw(st.lists(CALL, max_size=3)))
    ]
    legacy = maybe(draw, CALL)
    fields = {
        draw(st.sampled_from(["reasoning_content", "reasoning"])): maybe(draw, SOME_TEXT),
        "refusal": maybe(draw, SOME_TEXT),
        "tool_calls": calls,
        "function_call": legacy and {"name": legacy[0], "arguments": json.dumps(legacy[1])},
        "audio": maybe(draw, AUDIO),
        "annotations": draw(st.lists(CITATION, max_size=2, unique_by=lambda citation: citation["url_citation"]["url"])),
        "vendor": maybe(draw, st.fixed_dictionaries({"mark": WORD})),
    }
    fields = {name: value for name, value in fields.items() if value}
    silent = fields.keys() & {"refusal", "tool_calls", "function_call", "audio"}
    text = draw(TEXT)
    reasons = ["length", "content_filter", "tool_calls" if calls else "stop"]
    choice = {
        "index": index,
        "message": {"role": "assistant", "content": None if silent and not text else text, **fields},
        "finish_reason": draw(st.sampled_from(reasons)),
    }
    tokens = maybe(draw, st.lists(TOKEN, min_size=1, max_size=5))
    if tokens:
        choice["logprobs"] = {"content": tokens, "refusal": None}
    if draw(st.booleans()):
        choice["content_filter_results"] = {"hate": {"filtered": False}}
    return choice


@st.composite
def completions(draw):
    """The JSON of a plain answer."""
    body = {"id": draw(WORD), "object": "chat.completion", "created": draw(st.integers(1, 2**31)), "model": draw(WORD)}
    body["choices"] = [draw(choices(index)) for index in range(draw(st.integers(1, 3)))]
    optional = {
        "usage": maybe(draw, usages()),
        "system_fingerprint": maybe(draw, WORD),
        "service_tier": maybe(draw, WORD),
        "provider": maybe(draw, WORD),
        "citations": maybe(draw, st.lists(WORD, min_size=1)),
    }
    return body | {name: value for name, value in optional.items() if value is not None}


def pieces(text, chance):
    """A text cut anywhere in UTF-16: halves of a character may go apart."""
    raw = text.encode("utf-16-le", "surrogatepass")
    start, found = 0, []
    while start < len(raw):
        end = start + 2 * chance.randint(1, 6)
        found.append(raw[start:end].decode("utf-16-le", "surrogatepass"))
        start = end
    return found


def call_pieces(at, call, chance):
    """One tool call's deltas."""
    function = call["function"]
    head = {"index": at, "id": call["id"], "type": "function", "function": {"name": function["name"], "arguments": ""}}
    rest = [{"index": at, "function": {"arguments": piece}} for piece in pieces(function["arguments"], chance)]
    return [{"tool_calls": [each]} for each in (head, *rest)]


def tracks(message, chance):
    """The message's deltas; those of one track keep their order."""
    for name in ("content", "reasoning_content", "reasoning", "refusal"):
        yield [{name: piece} for piece in pieces(message.get(name) or "", chance)]
    yield [piece for at, call in enumerate(message.get("tool_calls", ())) for piece in call_pieces(at, call, chance)]
    if legacy := message.get("function_call"):
        parts = [{"arguments": piece} for piece in pieces(legacy["arguments"], chance)]
        yield [{"function_call": each} for each in ({"name": legacy["name"], "arguments": ""}, *parts)]
    if audio := message.get("audio"):
        parts = [{name: piece} for name in ("data", "transcript") for piece in pieces(audio[name], chance)]
        empty = {name: "" for name in ("data", "transcript") if not audio[name]}
        parts = [{"id": audio["id"], **empty}, *parts, {"expires_at": audio["expires_at"]}]
        yield [{"audio": each} for each in parts]
    yield [{"annotations": [citation]} for citation in message.get("annotations", ())]
    if vendor := message.get("vendor"):
        yield [{"vendor": vendor}]


def cut_choice(choice, chance):
    """A choice in pieces."""
    deltas = [{"role": "assistant", "content": ""}]
    lanes = list(tracks(choice["message"], chance))
    while any(lanes):
        deltas.append(chance.choice([lane for lane in lanes if lane]).pop(0))
    found = [{"index": choice["index"], "delta": delta, "finish_reason": None} for delta in deltas]
    if tokens := choice.get("logprobs", {}).get("content"):
        half = chance.randrange(len(tokens))
        found[len(found) // 2]["logprobs"] = {"content": tokens[:half], "refusal": None}
        found.append({**found[0], "delta": {}, "logprobs": {"content": tokens[half:], "refusal": None}})
    extra = {key: value for key, value in choice.items() if key == "content_filter_results"}
    return [*found, {"index": choice["index"], "delta": {}, "finish_reason": choice["finish_reason"], **extra}]


def cut_completion(body, chance):
    """A plain answer as the chunks of a stream: choices in turns, or several in one chunk; usage last, or growing."""
    lanes = [cut_choice(choice, chance) for choice in body["choices"]]
    top = {key: value for key, value in body.items() if key not in ("choices", "usage", "citations", "object")}
    chunks = []
    while any(lanes):
        taken = chance.sample([lane for lane in lanes if lane], k=1 if chance.random() < 0.7 else sum(map(bool, lanes)))
        chunks.append({**top, "object": "chat.completion.chunk", "choices": [lane.pop(0) for lane in taken]})
    if "citations" in body:
        chunks[chance.randrange(len(chunks))]["citations"] = body["citations"]
    if "usage" in body:
        if chance.random() < 0.5:
            chunks.append({**top, "choices": []})
        chunks[-1]["usage"] = body["usage"]
        if chance.random() < 0.3:
            chunks[0]["usage"] = {key: value // 2 for key, value in body["usage"].items() if isinstance(value, int)}
    return chunks


def read_whole(body):
    """The completion of a plain answer."""
    answer = Accumulator(new_id=lambda: "made-up", choices=len(body["choices"]))
    answer.add_chunk(read_chunk(body))
    answer.finish()
    return answer.result()


def through_the_wire(chunks, chance, choices):
    """(the deltas, the completion) of chunks sent as bytes, cut anywhere."""
    body = (
        b"".join(b"data: %s\n\n" % json.dumps(chunk, ensure_ascii=True).encode() for chunk in chunks)
        + b"data: [DONE]\n\n"
    )
    decoder, answer, deltas = BodyDecoder(), Accumulator(new_id=lambda: "made-up", choices=choices), []
    start, items = 0, []
    while start < len(body):
        end = start + chance.randint(1, 400)
        items += decoder.feed(body[start:end])
        start = end
    for item in items + decoder.close():
        if item is not DONE:
            deltas += answer.add_chunk(read_chunk(item), item)
    return deltas + answer.finish(), answer.result()


EXAMPLES = settings(max_examples=80)


@EXAMPLES
@given(completions())
def test_a_plain_answer_comes_out_as_it_went_in(body):
    """The JSON of a plain answer is read and written without loss."""
    whole = read_whole(body)
    assert whole.as_dict() == body


@EXAMPLES
@given(completions(), CHANCE)
def test_any_cut_of_a_completion_adds_up_to_the_plain_answer(body, chance):
    """Any completion, cut into any chunks and any bytes, equals what the plain endpoint would have returned."""
    _, streamed = through_the_wire(cut_completion(body, chance), chance, len(body["choices"]))
    plain = read_whole(body)
    assert streamed.as_dict() == plain.as_dict()


def sum_of(deltas):
    """What a caller of the stream has put together: by choice, and the usage."""
    sums, usages = {}, []
    for at, delta in enumerate(deltas):
        if delta.usage is not None:
            usages.append((at, dict(delta.usage)))
        one = sums.setdefault(
            delta.index,
            {"text": "", "reasoning": "", "refusal": "", "calls": [], "logprobs": [], "audio": {}, "finish": []},
        )
        one["text"] += delta.text
        one["reasoning"] += delta.reasoning
        one["refusal"] += delta.refusal
        one["logprobs"] += (delta.logprobs or {}).get("content") or []
        one["audio"] = merge(one["audio"], delta.audio or {})
        one["finish"].append(delta.finish_reason)
        for piece in delta.tool_calls:
            if piece.index == len(one["calls"]):
                one["calls"].append([piece.id, piece.name, ""])
            one["calls"][piece.index][2] += piece.arguments
    return sums, usages


@EXAMPLES
@given(completions(), CHANCE)
def test_the_sum_of_the_deltas_is_the_completion(body, chance):
    """What was handed out is all there is: texts, calls, logprobs, audio; finish reason and usage once, at the end."""
    deltas, whole = through_the_wire(cut_completion(body, chance), chance, len(body["choices"]))
    sums, usages = sum_of(deltas)
    assert usages == ([(len(deltas) - 1, dict(whole.usage))] if whole.usage is not None else [])
    assert sorted(sums) == [choice.index for choice in whole.choices]
    for choice in whole.choices:
        one = sums[choice.index]
        assert (one["text"], one["reasoning"], one["refusal"] or None) == (
            choice.text,
            choice.reasoning,
            choice.refusal,
        )
        assert one["calls"] == [[call.id, call.name, call.arguments] for call in choice.tool_calls]
        assert one["logprobs"] == ((choice.logprobs or {}).get("content") or [])
        assert (one["audio"] or None) == choice.audio
        assert one["finish"] == [None] * (len(one["finish"]) - 1) + [choice.finish_reason]

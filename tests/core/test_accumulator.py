"""Chunks added up are the plain answer."""

from __future__ import annotations

import json
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flash_integrations._core.accumulator import Accumulator, merge
from flash_integrations._core.body import DONE, BodyDecoder
from flash_integrations._core.chunks import read_chunk

USAGE = {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11}


def add_up(*bodies):
    """(the deltas, the completion) of these chunks."""
    answer = Accumulator(new_id=lambda: "made-up")
    deltas = [delta for body in bodies for delta in answer.add(read_chunk(body), body)]
    return deltas + answer.end(), answer.result()


def said(delta=None, finish=None, index=0, **top):
    """A chunk of one choice."""
    return {"id": "c", "choices": [{"index": index, "delta": delta or {}, "finish_reason": finish}], **top}


# --- any completion, cut into any chunks ----------------------------------------------------------------------------

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
        "annotations": draw(st.lists(CITATION, max_size=2)),
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
    for citation in message.get("annotations", ()):
        yield [{"annotations": [citation]}]
    if vendor := message.get("vendor"):
        yield [{"vendor": vendor}]


def cut_choice(choice, chance):
    """A choice in pieces."""
    deltas = [[{"role": "assistant", "content": ""}]]
    lanes = [lane for lane in tracks(choice["message"], chance) if lane]
    annotations = [lane for lane in lanes if "annotations" in lane[0]]
    lanes = [lane for lane in lanes if lane not in annotations] + ([sum(annotations, [])] if annotations else [])
    while any(lanes):
        deltas[0].append(chance.choice([lane for lane in lanes if lane]).pop(0))
    found = [{"index": choice["index"], "delta": delta, "finish_reason": None} for delta in deltas[0]]
    for token in choice.get("logprobs", {}).get("content", ()):
        # Tokens go with the pieces in their order; what is left over goes with the last one.
        place = found[-1] if chance.random() < 0.5 else found[len(found) // 2]
        place.setdefault("logprobs", {"content": [], "refusal": None})["content"].append(token)
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


def ordered(body):
    """A plain answer whose tokens stand in the order in which its pieces carried them."""
    for choice in body["choices"]:
        if "logprobs" in choice:
            choice["logprobs"]["content"].sort(key=json.dumps)
    return body


def through_the_wire(chunks, chance):
    """(the deltas, the completion) of chunks sent as bytes, cut anywhere."""
    body = (
        b"".join(b"data: %s\n\n" % json.dumps(chunk, ensure_ascii=True).encode() for chunk in chunks)
        + b"data: [DONE]\n\n"
    )
    decoder, answer, deltas = BodyDecoder(), Accumulator(new_id=lambda: "made-up"), []
    start, items = 0, []
    while start < len(body):
        end = start + chance.randint(1, 400)
        items += decoder.feed(body[start:end])
        start = end
    for item in items + decoder.close():
        if item is not DONE:
            deltas += answer.add(read_chunk(item), item)
    return deltas + answer.end(), answer.result()


EXAMPLES = settings(max_examples=80)


@EXAMPLES
@given(completions())
def test_a_plain_answer_comes_out_as_it_went_in(body):
    """The JSON of a plain answer is read and written without loss."""
    _, whole = add_up(body)
    assert whole.as_dict() == body


@EXAMPLES
@given(completions(), CHANCE)
def test_any_cut_of_a_completion_adds_up_to_the_plain_answer(body, chance):
    """Any completion, cut into any chunks and any bytes, equals what the plain endpoint would have returned."""
    _, streamed = through_the_wire(cut_completion(body, chance), chance)
    _, plain = add_up(body)
    assert ordered(streamed.as_dict()) == ordered(plain.as_dict())


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
    deltas, whole = through_the_wire(cut_completion(body, chance), chance)
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


# --- one by one -----------------------------------------------------------------------------------------------------


def test_text_is_handed_out_at_once():
    """Each piece of text is a delta of its own, with the wire's chunk beside it."""
    bodies = [said({"content": "Hel"}), said({"content": "lo"})]
    deltas, _ = add_up(*bodies)
    assert [(delta.text, delta.raw) for delta in deltas] == [("Hel", bodies[0]), ("lo", bodies[1]), ("", {})]


@pytest.mark.parametrize(
    "body", [said({"role": "assistant"}), said({"content": ""}), said({}, "stop"), said(usage=USAGE)]
)
def test_a_chunk_that_says_nothing_new_is_no_delta(body):
    """Roles, empty texts, finish reasons and usage make no delta of their own while the stream runs."""
    assert Accumulator(new_id=str).add(read_chunk(body)) == []


def test_half_a_character_at_the_end_is_handed_out_marked():
    """What never became whole comes last, as U+FFFD, in every kind of text."""
    deltas, whole = add_up(said({"content": "a\ud83d", "reasoning": "b\ud83d", "refusal": "c\ud83d"}))
    assert (deltas[-1].text, deltas[-1].reasoning, deltas[-1].refusal) == ("\ufffd", "\ufffd", "\ufffd")
    assert (whole.text, whole.reasoning, whole.choices[0].refusal) == ("a\ufffd", "b\ufffd", "c\ufffd")


def test_held_arguments_come_out_at_the_end():
    """Arguments that could have been `{}` or `null` to the last are in the last delta."""
    deltas, _ = add_up(said({"tool_calls": [{"index": 0, "id": "c1", "function": {"name": "f", "arguments": "{"}}]}))
    assert [piece.arguments for delta in deltas for piece in delta.tool_calls] == ["", "{"]


@pytest.mark.parametrize(
    ("calls", "wire", "reason"),
    [(True, "stop", "tool_calls"), (True, "length", "length"), (True, None, None), (False, "stop", "stop")],
)
def test_stop_beside_tool_calls_is_tool_calls(calls, wire, reason):
    """T18: the finish reason says that tools are called; the wire's word stays."""
    delta = {"tool_calls": [{"index": 0, "id": "c1", "function": {"name": "f", "arguments": "{}"}}]} if calls else {}
    deltas, whole = add_up(said(delta), said({}, wire))
    assert (deltas[-1].finish_reason, whole.finish_reason, whole.choices[0].raw_finish_reason) == (reason, reason, wire)


def test_a_legacy_function_call_is_kept():
    """T22: the call in the format before tools is put together, and is no tool call."""
    pieces_ = [{"name": "f", "arguments": ""}, {"arguments": '{"a"'}, {"arguments": ":1}"}]
    _, whole = add_up(*(said({"function_call": piece}) for piece in pieces_), said({}, "function_call"))
    assert whole.choices[0].function_call == {"name": "f", "arguments": '{"a":1}'}
    assert (whole.tool_calls, whole.finish_reason) == ((), "function_call")


def test_the_usage_is_the_last_deltas():
    """With several choices only the very last delta has the usage."""
    deltas, _ = add_up(said({"content": "a"}, "stop", 1), said({"content": "b"}, "stop", 0), said(usage=USAGE))
    assert [(delta.index, delta.finish_reason, delta.usage) for delta in deltas[-2:]] == [
        (0, "stop", None),
        (1, "stop", USAGE),
    ]


def test_usage_alone_is_taken_after_the_end_mark():
    """F21: of what comes after [DONE] only the counts are taken."""
    answer = Accumulator(new_id=str)
    answer.add(read_chunk(said({"content": "a"}, "stop")))
    answer.add_usage(read_chunk(said({"content": "b"}, usage=USAGE)))
    assert (answer.result().text, answer.result().usage) == ("a", USAGE)


@pytest.mark.parametrize(
    ("bodies", "began", "finished"),
    [
        ([], False, False),
        ([said(usage=USAGE) | {"choices": []}], False, False),
        ([said({"role": "assistant"})], True, False),
        ([said({}, "stop", 0)], True, True),
        ([said({}, "stop", 0), said({"content": "x"}, None, 1)], True, False),
    ],
)
def test_an_answer_is_whole_when_all_that_began_has_ended(bodies, began, finished):
    """A role begins a choice; each choice that began needs its finish reason."""
    answer = Accumulator(new_id=str)
    for body in bodies:
        answer.add(read_chunk(body))
    assert (answer.began, answer.finished) == (began, finished)


def test_the_whole_message_once_more_doubles_nothing():
    """C4: a last chunk that tells the whole message again adds nothing to what came in pieces."""
    message = {
        "content": "Hello",
        "reasoning": "think",
        "refusal": "no",
        "audio": {"id": "a", "data": "AAAA"},
        "annotations": [{"x": 1}],
        "tool_calls": [{"id": "c1", "function": {"name": "f", "arguments": '{"a":1}'}}],
    }
    first = said({**message, "content": "Hel"}) | {}
    first["choices"][0]["logprobs"] = {"content": [1]}
    last = {"choices": [{"message": message, "finish_reason": "stop", "logprobs": {"content": [1]}}]}
    (choice,) = add_up(first, last)[1].choices
    assert choice.message == {
        "role": "assistant",
        **message,
        "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}],
    }
    assert choice.logprobs == {"content": [1]}


def test_equal_messages_in_a_row_are_two_pieces():
    """C4: a gateway that writes `message` for `delta` may say the same syllable twice."""
    bodies = [{"choices": [{"message": {"content": "ha"}}]}] * 2
    assert add_up(*bodies)[1].text == "haha"


def test_equal_pieces_of_audio_are_two_pieces():
    """Silence is written as equal pieces, and none is lost."""
    bodies = [said({"audio": {"id": "a", "data": "AAAA"}})] * 3
    assert add_up(*bodies)[1].choices[0].audio == {"id": "a", "data": "AAAA" * 3}


@pytest.mark.parametrize(
    ("old", "new", "both"),
    [
        ({"a": "x"}, {"a": "y"}, {"a": "xy"}),
        ({"a": "x"}, {"a": "x"}, {"a": "x"}),
        ({"a": {"b": [1]}}, {"a": {"b": [2], "c": 3}}, {"a": {"b": [1, 2], "c": 3}}),
        ({"id": "1", "type": "t"}, {"id": "2", "type": ""}, {"id": "2", "type": "t"}),
        ({"a": 1}, {"a": 2}, {"a": 2}),
        ({"a": 1}, {"a": None}, {"a": 1}),
        ({"a": "x\ud83d"}, {"a": "\ude00y"}, {"a": "x😀y"}),
        ({"a": "x"}, {"a": 1}, {"a": 1}),
    ],
)
def test_objects_in_pieces_are_merged(old, new, both):
    """Texts and lists go on, objects merge by key, ids and numbers replace."""
    assert merge(old, new) == both


def test_logprobs_of_odd_shapes_are_kept():
    """Log probabilities that are no lists replace each other, and break nothing."""
    bodies = [said({"content": "x"}) for _ in range(3)]
    for body, logprobs in zip(bodies, [{"content": "?"}, {"content": None}, {"content": [1]}], strict=True):
        body["choices"][0]["logprobs"] = logprobs
    assert add_up(*bodies)[1].choices[0].logprobs == {"content": [1]}


def test_a_result_does_not_change_afterwards():
    """A completion taken early stays as it was while the stream goes on."""
    answer = Accumulator(new_id=str)
    token = {
        "logprobs": {"content": [1]},
        "index": 0,
        "delta": {"content": "a", "audio": {"data": "A"}, "x": {"y": "z"}},
    }
    answer.add(read_chunk({"choices": [token], "usage": USAGE}))
    early = answer.result()
    before = json.dumps(early.as_dict())
    answer.add(read_chunk({"choices": [token], "usage": {**USAGE, "prompt_tokens": 99}}))
    assert json.dumps(early.as_dict()) == before

"""Objects of an answer, however odd, row by row of docs/wire-quirks.md (C, U, R, N)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flash_integrations._core.completion.accumulator import Accumulator
from flash_integrations._core.completion.chunk import Chunk, Part
from flash_integrations._core.completion.usage import read_usage
from flash_integrations._core.endpoints.chat.chunks import REASONING_FIELDS, read_chunk, unwrap


def part(choice):
    """What a chunk says about its only choice."""
    (only,) = read_chunk({"choices": [choice]}).parts
    return only


def chunk(*choices, **top):
    """A chunk of a stream."""
    return {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [*choices], **top}


def said(delta=None, finish=None, index=0):
    """A choice of a chunk."""
    return {"index": index, "delta": delta or {}, "finish_reason": finish}


def answer(*bodies, choices=1):
    """The completion that these chunks make."""
    accumulator = Accumulator(new_id=lambda: "made-up", choices=choices)
    for body in bodies:
        accumulator.add_chunk(read_chunk(body))
    accumulator.finish()
    return accumulator.result()


HEL, LO, STOP = said({"content": "Hel"}), said({"content": "lo"}), said(finish="stop")
TEXT = {
    "documented": [chunk(said({"role": "assistant", "content": ""})), chunk(HEL), chunk(LO), chunk(STOP)],
    "C1 no choices first": [chunk(prompt_filter_results=[{}]), chunk(HEL), chunk(LO), chunk(STOP)],
    "C2 choices null": [{"choices": None, "usage": None}, chunk(HEL), chunk(LO), chunk(STOP)],
    "C2 choices missing": [{"id": "c1"}, chunk(HEL), chunk(LO), chunk(STOP)],
    "C2 one choice for a list": [{"choices": HEL}, {"choices": LO}, {"choices": STOP}],
    "C3 delta null": [chunk(HEL), chunk(LO), chunk({"index": 0, "delta": None, "finish_reason": "stop"})],
    "C3 delta missing": [chunk(HEL), chunk(LO), chunk({"index": 0, "finish_reason": "stop"})],
    "C4 message for delta": [chunk({"message": {"content": "Hello"}, "finish_reason": "stop"})],
    "C4 message in pieces": [
        chunk({"message": {"content": "Hel"}}),
        chunk({"message": {"content": "lo"}, "finish_reason": "stop"}),
    ],
    "C4 message so far": [
        chunk({"message": {"content": "Hel"}}),
        chunk({"message": {"content": "Hello"}}),
        chunk({"message": {"content": "Hello"}, "finish_reason": "stop"}),
    ],
    "C4 whole message at the end": [chunk(HEL), chunk(LO), chunk({"message": {"content": "Hello"}, **STOP})],
    "C4 delta beside the message": [
        chunk({"delta": {"role": "assistant", "content": ""}, "message": {"content": "Hello"}, "finish_reason": "stop"})
    ],
    "C5 a whole answer": [{"choices": [{"index": 0, "message": {"content": "Hello"}, "finish_reason": "stop"}]}],
    "C6 content as a list": [
        chunk(said({"content": [{"type": "text", "text": "Hel"}]})),
        chunk(said({"content": ["l", {"text": "o"}]})),
        chunk(STOP),
    ],
    "C6 content as an object": [chunk(said({"content": {"type": "text", "text": "Hello"}}, "stop"))],
    "C7 content null, empty, missing": [
        chunk(said({"role": "assistant", "content": None})),
        chunk(HEL),
        chunk(said({"content": ""})),
        chunk(LO),
        chunk(said({})),
        chunk(STOP),
    ],
    "C8 odd roles": [
        chunk(said({"role": "", "content": "Hel"})),
        chunk(said({"role": None, "content": "l"})),
        chunk(said({"role": "model", "content": "o"}, "stop")),
    ],
    "C9 finish reason empty": [chunk(said({"content": "Hel"}, "")), chunk(said({"content": "lo"}, "")), chunk(STOP)],
    "C10 finish reason repeated": [chunk(said({"content": "Hel"}, "stop")), chunk(said({"content": "lo"}, "stop"))],
    "C12 finish reason beside text": [chunk(HEL), chunk(said({"content": "lo"}, "stop"))],
    "C15 no index": [chunk({"delta": {"content": "Hello"}}), chunk({"delta": {}, "finish_reason": "stop"})],
    "index as text": [chunk({"index": "0", "delta": {"content": "Hello"}, "finish_reason": "stop"})],
    "legacy text": [chunk({"index": 0, "text": "Hel"}), chunk({"index": 0, "text": "lo", "finish_reason": "stop"})],
}


@pytest.mark.parametrize("bodies", TEXT.values(), ids=TEXT)
def test_odd_chunks_say_the_same(bodies):
    """Each shape of chunk seen at gateways gives the documented answer."""
    (choice,) = answer(*bodies).choices
    assert (choice.index, choice.text, choice.finish_reason) == (0, "Hello", "stop")


@pytest.mark.parametrize(
    ("wire", "reason"),
    [
        *((word, word) for word in ("stop", "length", "tool_calls", "content_filter", "function_call")),
        ("STOP", "stop"),
        ("MAX_TOKENS", "length"),
        ("SAFETY", "content_filter"),
        ("eos_token", "stop"),
        ("end_turn", "stop"),
        ("max_tokens", "length"),
        ("tool_use", "tool_calls"),
        ("FinishReason.STOP", "stop"),
        ("Odd", "Odd"),
        ("Odd.Word", "Odd.Word"),
        ("", None),
        (None, None),
        (7, None),
    ],
)
def test_finish_reasons_have_openais_names(wire, reason):
    """C11: known synonyms are mapped; other words stay as they are."""
    assert part(said({}, wire)).finish_reason == reason


def test_the_wires_finish_reason_is_kept():
    """C11: the gateway's own word stays in raw_finish_reason."""
    assert answer(chunk(said({}, "end_turn"))).choices[0].raw_finish_reason == "end_turn"


def test_no_finish_reason_is_none():
    """C13: where none came, none is made up."""
    assert answer(chunk(HEL)).finish_reason is None


@pytest.mark.parametrize(("created", "time"), [(1.9, 1), (7, 7), (None, None), (0, None), (True, None), ("1", None)])
def test_created_is_whole_seconds_or_nothing(created, time):
    """C14: a float is cut, what is no time is None."""
    assert answer(chunk(HEL, created=created)).created == time


def test_the_first_id_and_model_stand():
    """C14: ids and models that change, or are empty at first, change nothing."""
    bodies = [chunk(HEL, id="", model=""), chunk(HEL, id="a", model="m1"), chunk(LO, id="b", model="m2", object=None)]
    whole = answer(*bodies)
    assert (whole.id, whole.model) == ("a", "m1")


def test_an_id_without_choices_is_not_the_answers():
    """C1: LiteLLM's metadata chunk does not give its id to the answer, unless no other came."""
    metadata = chunk(id="litellm-fallback-metadata")
    assert [answer(metadata, chunk(HEL)).id, answer(metadata, {"choices": [HEL]}).id] == ["c1", metadata["id"]]


def test_choices_are_told_apart_by_index():
    """C16: choices that were asked for and come in turns stay apart."""
    texts = [chunk(said({"content": text}, index=index)) for index, text in ((0, "A"), (1, "a"), (0, "B"), (1, "b"))]
    assert [choice.text for choice in answer(*texts, choices=2).choices] == ["AB", "ab"]


def test_two_choices_in_one_chunk_are_both_read():
    """C17: every choice of a chunk counts; without indexes their places do."""
    both = [{"delta": {"content": "A"}}, {"delta": {"content": "B"}}]
    assert [choice.text for choice in answer(chunk(*both), choices=2).choices] == ["A", "B"]


def test_unknown_fields_are_kept():
    """C18: extra fields of the answer, the choice and the message are kept where they stood."""
    image = {"type": "image_url", "image_url": {"url": "data:,"}}
    choice = {**said({"content": "x", "images": [image]}, "stop"), "native_finish_reason": "STOP"}
    whole = answer(chunk(choice, provider="p", citations=["u"], obfuscation="zz", service_tier="flex"))
    assert whole.extra == {"provider": "p", "citations": ["u"]}
    assert whole.service_tier == "flex"
    assert whole.choices[0].extra == {"native_finish_reason": "STOP"}
    assert whole.choices[0].message["images"] == [image]


@pytest.mark.parametrize("body", [{"type": "ping"}, {"id": "x", "type": "ping"}, {"a": 1}, {}])
def test_a_ping_says_nothing(body):
    """F6: an object without choices and usage adds nothing to an answer."""
    read = read_chunk(body)
    assert (read.parts, read.usage, read.extra) == ([], None, None)


# --- usage ----------------------------------------------------------------------------------------------------------

TEN_FIVE = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
USAGE = {
    "in a chunk of its own": [chunk(STOP), chunk(usage=TEN_FIVE)],
    "U2 growing in every chunk": [
        chunk(HEL, usage={"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 12}),
        chunk(LO, usage={"prompt_tokens": 10, "completion_tokens": 4, "total_tokens": 14}),
        chunk(STOP, usage=TEN_FIVE),
    ],
    "U3 in the finish chunk": [chunk(HEL), chunk(STOP, usage=TEN_FIVE)],
    "U4 twice": [chunk(STOP, usage=TEN_FIVE), chunk(usage=TEN_FIVE), chunk(usage=TEN_FIVE)],
    "U6 in the choice": [chunk({**STOP, "usage": TEN_FIVE})],
    "U7 no choices": [chunk(STOP), {"usage": TEN_FIVE}],
    "U9 no total": [chunk(STOP, usage={"prompt_tokens": 10, "completion_tokens": 5})],
    "U9 null at first": [chunk(HEL, usage=None), chunk(STOP, usage={}), chunk(usage=TEN_FIVE)],
    "U9 one by one": [
        chunk(HEL, usage={"prompt_tokens": 10, "completion_tokens": 0, "total_tokens": 10}),
        chunk(STOP, usage={"completion_tokens": 5}),
    ],
    "counts as text": [chunk(STOP, usage={"prompt_tokens": "10", "completion_tokens": 5.0, "total_tokens": None})],
}


@pytest.mark.parametrize("bodies", USAGE.values(), ids=USAGE)
def test_usage_counts_once(bodies):
    """Wherever and however often the counts come, they are told once."""
    assert answer(*bodies).usage == TEN_FIVE


def test_unasked_usage_does_no_harm():
    """U5: a usage chunk nobody asked for is read like any other."""
    assert answer(chunk(HEL), chunk(STOP), chunk(usage=TEN_FIVE)).text == "Hel"


@pytest.mark.parametrize("usage", [None, {}, [], "5", {"prompt_tokens": None}, {"cost": 1.5}, {"prompt_tokens": True}])
def test_no_counts_are_no_usage(usage):
    """U1, U9: where nothing was counted usage is None, never zeros."""
    assert answer(chunk(STOP, usage=usage)).usage is None


def test_other_names_of_the_counts_are_read():
    """U8: Anthropic's and the Responses API's names are OpenAI's, and stay beside them."""
    usage = {"input_tokens": 10, "output_tokens": 5, "output_tokens_details": {"reasoning_tokens": 3}}
    assert read_usage(usage) == usage | TEN_FIVE | {"completion_tokens_details": {"reasoning_tokens": 3}}


def test_a_count_that_was_not_told_is_not_made_up():
    """U9: half a usage stays half."""
    assert read_usage({"prompt_tokens": 10, "completion_tokens": None}) == {"prompt_tokens": 10}


def test_odd_details_of_usage_are_kept():
    """U10, U11: what else the gateway counts stays as it came."""
    odd = {
        **TEN_FIVE,
        "prompt_cache_hit_tokens": 4,
        "cost": 0.1,
        "prompt_tokens_details": {"cached_creation_tokens": 2},
    }
    assert answer(chunk(STOP, usage=odd)).usage == odd


def test_details_of_usage_grow_too():
    """U2: of counts inside the details the largest stands as well."""
    details = [{"prompt_tokens": 1, "prompt_tokens_details": {"cached_tokens": count}} for count in (0, 7, 3)]
    usage = answer(*(chunk(HEL, usage=each) for each in details)).usage
    assert usage["prompt_tokens_details"] == {"cached_tokens": 7}


# --- reasoning ------------------------------------------------------------------------------------------------------

DETAILS = [{"type": "reasoning.text", "text": "think", "index": 0}]
REASONING = {
    "R1 reasoning_content": {"content": None, "reasoning_content": "think"},
    "R2 reasoning": {"content": "", "reasoning": "think"},
    "R3 reasoning and its details": {"reasoning": "think", "reasoning_details": DETAILS},
    "R3 details alone": {"reasoning_details": DETAILS},
    "R3 a summary": {"reasoning_details": [{"type": "reasoning.summary", "summary": "think"}]},
    "both names": {"reasoning_content": "think", "reasoning": "think"},
    "thinking part": {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "think"}]}]},
    "thinking text": {"content": [{"type": "thinking", "thinking": "think"}]},
}


@pytest.mark.parametrize("delta", REASONING.values(), ids=REASONING)
def test_reasoning_is_read_once_under_any_name(delta):
    """Reasoning is told once, whatever names it comes under."""
    (choice,) = answer(chunk(said(delta))).choices
    assert (choice.reasoning, choice.text) == ("think", "")


def test_reasoning_details_are_kept_for_sending_back():
    """R3: the details stay raw, and pieces of one are put together."""
    pieces = [[{"type": "reasoning.text", "text": text, "index": 0}] for text in ("th", "i", "i", "nk")]
    signed = [{"type": "reasoning.text", "text": "", "signature": "s", "index": 0}]
    (choice,) = answer(*(chunk(said({"reasoning_details": each})) for each in [*pieces, signed])).choices
    assert choice.message["reasoning_details"] == [
        {"type": "reasoning.text", "text": "thiink", "signature": "s", "index": 0}
    ]


def test_blank_reasoning_keeps_its_place():
    """R8: separators of summaries are part of the reasoning."""
    deltas = [{"reasoning_content": text} for text in ("a", "\n\n", "b")]
    assert answer(*(chunk(said(delta)) for delta in deltas)).reasoning == "a\n\nb"


def test_reasoning_goes_back_under_its_own_name():
    """The answer's JSON has the name the gateway used."""
    assert answer(chunk(said({"reasoning": "x"}))).choices[0].message["reasoning"] == "x"


# --- plain answers --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("choice", "text", "finish"),
    [
        pytest.param({"message": None, "finish_reason": "content_filter"}, "", "content_filter", id="N8 message null"),
        pytest.param({"message": {"content": [{"type": "text", "text": "x"}]}}, "x", None, id="N9 content list"),
        pytest.param({"message": {"content": "x"}}, "x", None, id="N10 minimal"),
    ],
)
def test_plain_answers_may_be_odd(choice, text, finish):
    """A plain answer is read as tolerantly as a chunk."""
    whole = answer({"choices": [choice]})
    assert (whole.text, whole.finish_reason) == (text, finish)


@pytest.mark.parametrize("choices", [None, [], {}, "x", [None], [1]])
def test_an_answer_without_choices_has_none(choices):
    """N6, N7: choices that are none begin no answer."""
    assert not any(read.text for read in read_chunk({"choices": choices}).parts)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                "id index created model choices delta message content text role finish_reason "
                "usage logprobs refusal audio reasoning reasoning_content reasoning_details tool_calls function_call "
                "function name arguments type prompt_tokens total_tokens annotations data thinking".split()
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(st.lists(st.dictionaries(st.sampled_from(["choices", "usage", "id", "x"]), JSON)))
def test_no_shape_raises(bodies):
    """Whatever JSON comes, it is read and added up, and has a form as JSON again."""
    answer(*bodies).as_dict()


def test_empty_parts_share_nothing():
    """What one chunk says never shows in another."""
    assert (read_chunk({}), Part()) == (Chunk([]), Part())


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        (["$", 0.005, " [", 1, "]"], "$0.005 [1]"),
        ([True, " ", False], "true false"),
        ([["a", 1]], "a1"),
        ([{"a": "\u4f60"}], '{"a":"\u4f60"}'),
        ([[{"a": 1}, {"a": 2}]], '[{"a":1},{"a":2}]'),
        ([[[1, 2]]], "[[1,2]]"),
        ([{"type": "text", "text": "x"}], "x"),
        ([{"text": "x"}], "x"),
        ([None, "x", 0], "x0"),
    ],
)
def test_content_that_is_no_str_is_not_lost(pieces, text):
    """Numbers are their text (cloudflare/ai#651); an object in JSON mode is its JSON; parts are the text in them."""
    assert answer(*(chunk(said({"content": piece})) for piece in pieces)).text == text


@pytest.mark.parametrize("field", REASONING_FIELDS)
def test_reasoning_is_read_under_every_name(field):
    """Each vendor's field is reasoning, its numbers too, and keeps its name in the message."""
    whole = answer(chunk(said({field: "so "})), chunk(said({field: 4})), chunk(said({"content": "x"}, "stop")))
    assert (whole.reasoning, whole.choices[0].message[field]) == ("so 4", "so 4")


@pytest.mark.parametrize(
    "body",
    [
        {"code": 0, "msg": "ok", "data": chunk(HEL)},
        {"success": True, "result": chunk(HEL)},
        {"data": chunk(HEL)},
    ],
)
def test_an_answer_in_an_envelope_is_unwrapped(body):
    """A relay's own object around the answer is taken off."""
    assert unwrap(body) == chunk(HEL)


@pytest.mark.parametrize("body", [chunk(HEL, data={"choices": []}), {"data": [1]}, {"data": {"x": 1}}, {"data": None}])
def test_other_objects_are_left_as_they_are(body):
    """Only what lacks choices, and holds an object that has them, is an envelope."""
    assert unwrap(body) is body


COUNTS = {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11}
GEMINI = {"promptTokenCount": 9, "candidatesTokenCount": 2, "totalTokenCount": 11}


@pytest.mark.parametrize("body", [chunk(HEL, x_groq={"id": "r", "usage": COUNTS}), chunk(HEL, usageMetadata=GEMINI)])
def test_usage_is_found_where_vendors_put_it(body):
    """Groq's and Gemini's places count like `usage`."""
    usage = answer(body).usage
    assert {name: usage[name] for name in COUNTS} == COUNTS


def test_what_is_cited_again_is_cited_once():
    """Gateways repeat citations with every piece."""
    note = {"type": "url_citation", "url_citation": {"url": "u"}}
    whole = answer(*[chunk(said({"content": "x", "annotations": [note]}))] * 3)
    assert whole.choices[0].annotations == (note,)


@pytest.mark.parametrize(
    ("reasons", "reason"),
    [
        (["length", "stop"], "length"),
        (["content_filter", "STOP"], "content_filter"),
        (["stop", "length"], "length"),
        (["stop", "tool_calls"], "tool_calls"),
    ],
)
def test_a_late_stop_takes_nothing_back(reasons, reason):
    """An answer that was cut stays cut."""
    assert answer(*(chunk(said(finish=word)) for word in reasons)).finish_reason == reason


def test_a_finish_reason_in_camel_case_counts():
    """`finishReason` alone ends an answer."""
    assert answer(chunk({"index": 0, "delta": {}, "finishReason": "STOP"})).finish_reason == "stop"

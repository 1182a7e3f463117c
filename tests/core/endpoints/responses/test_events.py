"""Whom to believe, where the events of an answer contradict each other."""

from __future__ import annotations

import pytest
from response_stream import (
    CREATED,
    HEAD,
    USAGE,
    call,
    completion,
    custom,
    end,
    event,
    message,
    plain,
    read,
    reading,
    reasoning,
    response,
)

from flash_integrations._core.completion.completion import Completion


def delta(text, **fields):
    """A text delta."""
    return event(
        "output_text.delta", **{"item_id": "m", "output_index": 0, "content_index": 0, "delta": text, **fields}
    )


def arguments(text, **fields):
    """A delta of arguments."""
    return event("function_call_arguments.delta", **{"item_id": "c", "output_index": 0, "delta": text, **fields})


def added(item, index=0):
    """The announcement of an item."""
    return event("output_item.added", output_index=index, item=item)


def done(item, index=0):
    """An item told whole."""
    return event("output_item.done", output_index=index, item=item)


def calls(answer: Completion):
    """(id, name, arguments) of an answer's calls."""
    return [(one.id, one.name, one.arguments) for one in answer.tool_calls]


# --- texts


@pytest.mark.parametrize("whole", ["", "b", "Another text", None, 5, "a"])
def test_a_whole_text_that_does_not_begin_with_the_deltas_is_not_believed(whole):
    """Empty ones, and other ones; the deltas are (S1)."""
    ended = event("output_text.done", item_id="m", output_index=0, content_index=0, text=whole)
    assert completion(delta("a"), delta("b"), ended, end(None)).text == "ab"


def test_a_snapshot_in_the_middle_is_not_told_twice():
    """A done event after the first delta (OmniRoute#13693) (S2)."""
    ended = event("output_text.done", item_id="m", output_index=0, content_index=0, text="abc")
    assert completion(delta("a"), ended, done(message("abc", id="m")), end([message("abc", id="m")])).text == "abc"


def test_a_tail_behind_which_something_was_written_is_left_out():
    """Text in the middle cannot be mended."""
    late = [done(message("abc", id="m")), end([message("abc", id="m"), message("x", id="n")])]
    assert completion(delta("a"), delta("x", item_id="n", output_index=1), *late).text == "ax"


@pytest.mark.parametrize("way", ["part", "item", "list"])
def test_half_a_character_gets_its_other_half_from_the_whole_text(way):
    """Where the deltas end inside it."""
    ends = {
        "part": event("output_text.done", item_id="m", output_index=0, content_index=0, text="a😀b"),
        "item": done(message("a😀b", id="m")),
        "list": b"",
    }[way]
    assert completion(delta("a"), delta("\ud83d"), ends, end([message("a😀b", id="m")])).text == "a😀b"


def test_deltas_under_another_part_than_their_whole_text_are_one_text():
    """Indexes of contents shift, too."""
    ended = event("output_text.done", item_id="m", output_index=0, content_index=1, text="ab")
    assert completion(delta("a"), delta("b"), ended, end(None)).text == "ab"


def test_log_probabilities_come_from_the_deltas():
    """As the chat wire has them; else from the whole text."""
    one, two = ({"token": token, "logprob": -0.1, "top_logprobs": []} for token in "ab")
    pieces = [delta("a", logprobs=[one]), delta("b", logprobs=[two])]
    ended = event("output_text.done", item_id="m", output_index=0, content_index=0, text="ab", logprobs=[one, two])
    for body in (pieces, [*pieces, ended], [ended]):
        assert completion(*body, end(None)).choices[0].logprobs == {"content": [one, two]}
    assert completion(pieces[0], ended, end(None)).choices[0].logprobs == {"content": [one]}


def test_equal_deltas_are_two_and_a_repeated_event_is_one():
    """Told by the sequence number, where that counts up (S8)."""
    assert completion(CREATED, *(delta("ha", sequence_number=n) for n in (4, 5, 5, 4)), end()).text == "haha"
    assert completion(CREATED, *(delta("ha", sequence_number=0) for _ in range(3)), end()).text == "hahaha"
    assert completion(CREATED, delta("ha"), delta("ha"), end()).text == "haha"


def test_a_citation_stands_where_its_text_stands():
    """Its places count from the answer's beginning; each of them once; the nested form stays nested."""
    flat = {"type": "url_citation", "url": "u", "start_index": 0, "end_index": 1}
    nested = {"type": "url_citation", "url_citation": {"url": "v", "start_index": 0, "end_index": 1}}
    second = message("x😀", "yz", id="n")
    second["content"][1]["annotations"] = [flat, nested]
    early = {**flat, "title": "U"}
    note = event("output_text.annotation.added", item_id="n", output_index=1, content_index=1, annotation=early)
    texts = [delta("x😀", item_id="n", output_index=1), delta("yz", item_id="n", output_index=1, content_index=1)]
    for body in ([delta("😀a"), *texts, note, done(second, 1), end(None)], [end([message("😀a"), second])]):
        cited = [cite["url_citation"] for cite in completion(*body).choices[0].annotations]
        assert [(cite["url"], cite["start_index"], cite["end_index"]) for cite in cited] == [("u", 4, 5), ("v", 4, 5)]


def test_other_annotations_stay_flat():
    """Files have no form of their own on the chat wire."""
    item = message("ab")
    item["content"][0]["annotations"] = [{"type": "file_citation", "file_id": "f", "index": 1}, "odd"]
    assert plain(message("x"), item).choices[0].annotations == ({"type": "file_citation", "file_id": "f", "index": 2},)


def test_a_part_that_ended_is_not_the_next_one():
    """Two parts that are told whole may be equal, or one the other's beginning."""
    ends = [
        event("output_text.done", item_id="m", output_index=0, content_index=n, text=text)
        for n, text in enumerate(["a", "a", "ab"])
    ]
    assert completion(*ends, end(None)).text == "aaab"
    begun = event("content_part.added", item_id="m", output_index=0, content_index=1, part={"type": "output_text"})
    assert completion(delta("a"), begun, ends[1], end(None)).text == "aa"


def test_a_tail_of_a_part_in_the_middle_is_left_out():
    """Behind it the next part was written."""
    ended = event("output_text.done", item_id="m", output_index=0, content_index=0, text="abc")
    assert completion(delta("a"), delta("x", content_index=1), ended, end(None)).text == "ax"


@pytest.mark.parametrize(("whole", "text"), [("x🧀", "x\ufffd"), ("x\ufffdy", "x\ufffdy")])
def test_half_a_character_takes_no_other_characters_half(whole, text):
    """It is lost, as in the whole text perhaps."""
    assert completion(delta("x"), delta("\ud83d"), end([message(whole, id="m")])).text == text


def test_a_message_that_the_stream_left_out_is_handed_out_at_the_end():
    """The one that was streamed is known by its text, where the ids are new."""
    assert completion(delta("B", output_index=1), end([message("A", id="x"), message("B", id="y")])).text == "BA"


# --- reasoning


def test_reasoning_items_that_nothing_names_are_parted():
    """By their announcements."""
    items = [event("output_item.added", item=reasoning()), event("reasoning_text.delta", delta="hm")] * 2
    assert completion(*items, end(None)).reasoning == "hm\n\nhm"


def test_a_tail_of_reasoning_in_the_middle_is_left_out():
    """Of a part, and of an item."""
    one, two = (event("reasoning_text.delta", item_id=r, output_index=n, delta=r) for n, r in enumerate("ab"))
    ended = event("reasoning_text.done", item_id="a", output_index=0, text="abc")
    assert completion(one, two, ended, done(reasoning("abc", raw=True, id="a")), end(None)).reasoning == "a\n\nb"


def test_a_summary_that_two_events_end_is_one():
    """Without an index, too."""
    text = event("reasoning_summary_text.done", item_id="r", text="one")
    part = event("reasoning_summary_part.done", item_id="r", part={"type": "summary_text", "text": "one"})
    assert completion(text, part, end(None)).reasoning == "one"


def test_summaries_without_indexes_are_parted_by_their_ends():
    """one-hub leaves summary_index out (S11)."""
    events = [
        event(f"reasoning_summary_text.{kind}", item_id="r", **{field: text})
        for text in ("one", "two")
        for kind, field in (("delta", "delta"), ("done", "text"))
    ]
    assert completion(*events, end(None)).reasoning == "one\n\ntwo"


def test_of_summary_and_raw_text_the_first_kind_counts():
    """In one item."""
    raw = event("reasoning_text.delta", item_id="r", output_index=0, content_index=0, delta="raw")
    summary = event("reasoning_summary_text.delta", item_id="r", output_index=0, summary_index=0, delta="summary")
    both = {**reasoning("summary"), "content": [{"type": "reasoning_text", "text": "raw"}], "id": "r"}
    assert completion(raw, summary, done(both), end(None)).reasoning == "raw"
    assert completion(summary, raw, done(both), end(None)).reasoning == "summary"


@pytest.mark.parametrize(
    "content",
    [[{"type": "output_text", "text": "hm"}], [{"type": "reasoning_text", "text": "hm"}], "hm", ["hm"]],
)
def test_a_reasoning_part_may_have_any_type(content):
    """LocalAI#9658 (S13)."""
    assert plain({"type": "reasoning", "summary": [], "content": content}).reasoning == "hm"


def test_reasoning_may_have_the_id_of_a_message():
    """As vLLM sends it (PR 24788) (S7)."""
    hm = event("reasoning_text.delta", item_id="m", output_index=0, content_index=0, delta="hm")
    answer = completion(hm, delta("a", output_index=1), end([reasoning("hm", raw=True, id="m"), message("a", id="m")]))
    assert (answer.reasoning, answer.text) == ("hm", "a")


# --- calls


@pytest.mark.parametrize("given", ["", "null", None, {}, "{}"])
def test_no_arguments_are_an_empty_object(given):
    """However a server says so (S10)."""
    assert calls(plain(call("now", given, call_id="c1"))) == [("c1", "now", "{}")]


def test_arguments_may_be_an_object():
    """A translator's."""
    assert calls(plain(call("f", {"a": 1}, call_id="c1"))) == [("c1", "f", '{"a":1}')]


@pytest.mark.parametrize(
    ("announced", "deltas", "whole", "expected"),
    [
        ('{"a":1}', [], "", '{"a":1}'),  # a last resort
        ('{"a":1}', ['{"b":', "2}"], '{"a":1}{"b":2}', '{"b":2}'),
        ("", ["null"], '{"a":1}', '{"a":1}'),
        ("", ["a: 1"], '{"a":1}', '{"a":1}'),
        ("", [" ", "\n", '{"a"', ":1}"], '{"a":1}', '{"a":1}'),
        ("", ['{"a"'], '{"a":1}', '{"a":1}'),
        ("", ['{"a":1}'], '{"a":1}{"a":1}', '{"a":1}'),
        ("", [], '{"a":1}{"a":1}', '{"a":1}'),
        ("", ["not json"], "", "not json"),
        ("", ["null"], "", "{}"),
    ],
)
def test_the_deltas_are_believed_if_they_are_an_object(announced, deltas, whole, expected):
    """Else a whole text, else what was announced (S9)."""
    item = call("f", whole, call_id="c1", id="c")
    body = [added({**item, "arguments": announced}), *map(arguments, deltas), done(item), end(None)]
    assert calls(completion(*body)) == [("c1", "f", expected)]


def test_arguments_are_handed_on_as_they_come():
    """Once they begin with a brace and the call has its name."""
    reader = reading(added(call("f", "", call_id="c1", id="c")))
    pieces = [
        piece for text in ('{"a":', '"b', '"}') for one in reader.feed(arguments(text)) for piece in one.tool_calls
    ]
    assert [(piece.id, piece.name, piece.arguments) for piece in pieces] == [
        ("c1", "f", '{"a":'),
        (None, None, '"b'),
        (None, None, '"}'),
    ]


def test_a_name_may_come_late():
    """With the whole item; the arguments wait for it."""
    body = [arguments('{"a":1}'), done(call("f", "", call_id="c1", id="c")), end(None)]
    assert calls(completion(*body)) == [("c1", "f", '{"a":1}')]


def test_an_id_may_come_late():
    """The arguments wait for it, too."""
    body = [added(call("f", "", id="c")), arguments('{"a":1}'), done(call("f", "", call_id="c1", id="c")), end(None)]
    assert calls(completion(*body)) == [("c1", "f", '{"a":1}')]
    body = [added(call("f", "", id="i")), added(call("g", "", id="j", call_id="c1"), 1)]
    listed = [call("g", "", call_id="c1", id="x"), call("f", "", call_id="c2", id="y")]
    assert calls(completion(*body, end(listed))) == [("c1", "g", "{}"), ("c2", "f", "{}")]


def test_a_whole_text_that_is_no_object_waits_for_one():
    """The end of the arguments may be cut, and the item whole."""
    ended = event("function_call_arguments.done", item_id="c", output_index=0, arguments='{"a"')
    item = call("f", '{"a":1}', call_id="c1", id="c")
    assert calls(completion(added({**item, "arguments": ""}), ended, done(item), end(None))) == [("c1", "f", '{"a":1}')]


@pytest.mark.parametrize(
    ("items", "ids"),
    [
        ([call("f", "{}", id="i1")], ["i1"]),
        ([call("f", "{}")], ["made_up_1"]),
        ([call("f", "{}", id="i1", call_id="c"), call("g", "{}", id="i2", call_id="c")], ["c", "i2"]),
    ],
)
def test_a_call_without_an_id_of_its_own_gets_another(items, ids):
    """The item's, else one of ours; two calls never share one."""
    assert [one.id for one in plain(*items).tool_calls] == ids
    streamed = [event for n, item in enumerate(items) for event in (added(item, n), done(item, n))]
    assert [one.id for one in completion(*streamed, end(None)).tool_calls] == ids


def test_calls_announced_together_are_written_in_that_order():
    """Where nothing says whose the arguments are."""
    announced = [added(call(name, "", call_id=name), None) for name in "fg"]
    texts = [event("function_call_arguments.delta", delta=text) for text in ('{"a"', ":1}", '{"b"', ":2}")]
    assert calls(completion(*announced, *texts, end(None))) == [("f", "f", '{"a":1}'), ("g", "g", '{"b":2}')]


def test_a_custom_tools_call_has_the_chat_wires_form():
    """Its input is any text."""
    (made,) = plain(custom("sql", "select 1", call_id="c1")).tool_calls
    assert (made.id, made.type, made.extra) == ("c1", "custom", {"custom": {"name": "sql", "input": "select 1"}})
    item = custom("sql", "", call_id="c1", id="c")
    texts = [
        event("custom_tool_call_input.delta", item_id="c", output_index=0, delta=text) for text in ("select", " 1")
    ]
    ended = event("custom_tool_call_input.done", item_id="c", output_index=0, input="select 1;")
    assert completion(added(item), *texts, ended, end(None)).tool_calls[0].extra["custom"]["input"] == "select 1;"


# --- other items and the answer as a whole


def test_the_providers_own_tools_are_no_calls_of_ours():
    """Their progress is no news; a picture is shown as on the chat wire."""
    picture = {"type": "image_generation_call", "id": "ig_1", "status": "completed", "result": "iVBO"}
    search = {"type": "web_search_call", "id": "ws_1", "status": "completed"}
    progress = event("web_search_call.searching", output_index=0, item_id="ws_1")
    answer = completion(added(search), progress, done(search), done(picture, 1), end([search, picture, message("a")]))
    assert (answer.text, answer.tool_calls, answer.finish_reason) == ("a", (), "stop")
    url = {"url": "data:image/png;base64,iVBO"}
    assert answer.choices[0].message_extra["images"] == [{"type": "image_url", "image_url": url}]


def test_the_answer_says_who_gave_it():
    """The last event that says so counts; a time may be a float."""
    late = {"id": "resp_2", "model": "gpt-5.2-late", "created_at": 5.7, "service_tier": "flex"}
    early = event("created", response={**HEAD, "usage": {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}})
    answer = completion(early, delta("a"), end(None, **late))
    assert (answer.id, answer.model, answer.created, answer.service_tier) == ("resp_2", "gpt-5.2-late", 5, "flex")
    answer = completion(early, delta("a"), event("completed", response={"status": "completed"}))
    assert (answer.id, answer.model, answer.created) == ("resp_1", "gpt-5.2", 1767000000)
    assert answer.usage is None


def test_usage_has_the_chat_wires_names():
    """Whatever names it came under, and beside the response too."""
    expected = {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11}
    expected["prompt_tokens_details"] = {"cached_tokens": 4}
    assert plain(message("a")).usage == expected
    assert plain(message("a"), usage=expected).usage == expected
    assert completion(event("completed", response={"status": "completed"}, usage=USAGE)).usage == expected


@pytest.mark.parametrize(
    ("kind", "fields", "expected"),
    [
        ("completed", {}, ("stop", "completed")),
        ("incomplete", {"incomplete_details": {"reason": "max_output_tokens"}}, ("length", "max_output_tokens")),
        ("incomplete", {"incomplete_details": {"reason": "content_filter"}}, ("content_filter", "content_filter")),
        ("incomplete", {"incomplete_details": {"reason": "other"}}, ("length", "other")),
        ("incomplete", {"incomplete_details": None}, ("length", "incomplete")),
        ("completed", {"status": "incomplete"}, ("length", "incomplete")),
        ("incomplete", {"status": ""}, ("length", "incomplete")),
        ("done", {"status": None}, ("stop", "completed")),
        ("completed", {"status": "in_progress"}, ("stop", "completed")),
    ],
)
def test_why_an_answer_ended(kind, fields, expected):
    """The status inside counts, not the event's name; an empty one goes by the name (S15, S16)."""
    status = {"status": "incomplete" if kind == "incomplete" else "completed"}
    body = event(kind, response=response([message("a")], **{**status, **fields}))
    choice = completion(body).choices[0]
    assert (choice.finish_reason, choice.raw_finish_reason) == expected


def test_an_incomplete_answer_that_is_all_reasoning_is_empty():
    """No error: it hit its length."""
    answer = plain(reasoning("hm"), status="incomplete")
    assert (answer.text, answer.reasoning, answer.finish_reason) == ("", "hm", "length")


def test_the_deltas_carry_their_event_and_the_end_its_usage():
    """As on the chat wire."""
    deltas, answer = read(CREATED, delta("a"), end(None))
    assert deltas[0].raw["type"] == "response.output_text.delta"
    assert [one.usage for one in deltas] == [None, answer.usage]

"""Token counts without a tokenizer."""

from __future__ import annotations

import pytest

from flash_integrations._core.policy.token_estimate import count_messages, count_text

# Tokens by the tokenizer of Qwen2.5, asked of llama.cpp's server.
MEASURED = {
    "The gateway answers only to streaming requests, so the client asks for a stream and puts the pieces together "
    "again. What comes of it equals the plain answer, field by field.": 35,
    "网关只回答流式请求，所以客户端以流式方式发出请求，"
    "再把收到的片段重新拼成完整的回答。得到的结果与普通接口逐字段一致。": 37,
    "ゲートウェイはストリーミング要求にのみ応答します。クライアントは断片を集めて完全な回答に戻します。": 33,
    "게이트웨이는 스트리밍 요청에만 응답하므로 클라이언트가 조각을 다시 합칩니다.": 31,
    'def add(a: int, b: int) -> int:\n    """Return the sum."""\n    return a + b\n\n\nfor i in range(10):\n'
    "    print(add(i, 2 * i))\n": 43,
    '{"name": "get_weather", "arguments": {"city": "Paris", "days": 3, "units": ["C", "F"]}}': 32,
    "Шлюз отвечает только на потоковые запросы, поэтому клиент собирает ответ из частей.": 23,
}


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("Hello", 1),
        ("Hello there", 2),
        ("internationalization", 4),
        ("你好，世界", 5),
        ("こんにちは", 5),
        ("안녕", 2),
        ("2026", 2),
        ("привет", 3),
        ("a\n\nb", 3),
        ("x = {'a': 1}", 7),
        ("👍", 2),
    ],
)
def test_texts_have_their_counts(text, count):
    """Words, CJK characters, digits, signs and emoji count by their rules."""
    assert count_text(text) == count


@pytest.mark.parametrize(("text", "measured"), MEASURED.items(), ids=["en", "zh", "ja", "ko", "py", "json", "ru"])
def test_estimates_lean_to_the_high_side_of_a_real_tokenizer(text, measured):
    """In prose and code the estimate is never below a real tokenizer's count, and below twice as much."""
    assert measured <= count_text(text) < 2 * measured


CALL = {"id": "c", "type": "function", "function": {"name": "look", "arguments": '{"a":1}'}}


@pytest.mark.parametrize(
    ("body", "count"),
    [
        ({"role": "user", "content": "Hello"}, 4 + 1),
        ({"role": "user", "content": None}, 4),
        ({"role": "user", "content": "Hello", "name": "ann"}, 4 + 1 + 1),
        ({"role": "assistant", "content": "Hello", "reasoning_content": "so be it"}, 4 + 1 + 3),
        ({"role": "assistant", "content": None, "tool_calls": [CALL]}, 4 + 4 + 1 + count_text('{"a":1}')),
        ({"role": "user", "content": [{"type": "text", "text": "Hello there"}]}, 4 + 2),
        ({"role": "user", "content": [{"type": "image_url", "image_url": {"url": "u"}}]}, 4 + 765),
        ({"role": "user", "content": [{"type": "image_url", "image_url": {"url": "u", "detail": "low"}}]}, 4 + 85),
        ({"role": "user", "content": [{"type": "image_url", "image_url": "u"}]}, 4 + 765),
        ({"role": "user", "content": [{"type": "file", "file": {}}, {"type": "text", "text": "Hi"}]}, 4 + 1000 + 1),
    ],
)
def test_a_message_counts_its_frame_and_all_it_holds(body, count):
    """Images and files at a flat rate; three tokens more for the request."""
    assert count_messages([body], []) == 3 + count
    assert count_messages([body, body], []) == 3 + 2 * count


def test_tools_count_as_the_json_they_are():
    """Non-ASCII as it is."""
    tool = {"type": "function", "function": {"name": "\u67e5"}}
    assert count_messages([], [tool]) == 3 + count_text('{"type": "function", "function": {"name": "\u67e5"}}')


def test_a_tokenizer_of_ones_own_counts_the_texts():
    """Frames and flat rates stay."""
    assert count_messages([{"role": "user", "content": "abc"}], [], count=len) == 3 + 4 + 3

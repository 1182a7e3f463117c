"""Token counts without a tokenizer."""

from __future__ import annotations

import pytest

from flash_integrations._core.policy.token_estimate import count_text

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

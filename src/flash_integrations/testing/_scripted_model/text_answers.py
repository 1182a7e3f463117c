"""What the scripted model says in words: it answers from what it was given, and says so when there is nothing."""

from __future__ import annotations

from collections.abc import Sequence

from .prompt import Prompt
from .text import has_cjk, word_stems

__all__ = ["speak"]


def speak(prompt: Prompt) -> str:
    """The answer to a prompt: the tools' results, else the sentence of the context that fits, else an honest echo."""
    chinese = has_cjk(prompt.question)
    if prompt.results:
        lines = [f"{name} 的结果：{text}" if chinese else f"{name} says: {text}" for name, text in prompt.results]
        return "\n".join(lines)
    found = fitting(prompt.question, prompt.context)
    if found is not None:
        return found
    if chinese:
        return f"这里是本地网关的脚本应答，没有接真正的模型。你说的是：“{prompt.question}”"
    return f'This is the scripted model of the local gateway; no model is behind it. You said: "{prompt.question}"'


def fitting(question: str, context: Sequence[str]) -> str | None:
    """The sentence that shares most words with the question, the first of equals; None where too few are shared."""
    wanted = word_stems(question)
    shared = [len(wanted & word_stems(sentence)) for sentence in context]
    most = max(shared, default=0)
    # One word in three must be there, or "You are a helpful assistant" would answer questions about assistants.
    if not most or most * 3 < len(wanted):
        return None
    return context[shared.index(most)]

"""Reasoning that stands in the content between tags, split from the answer: a text in pieces, cut anywhere.

Engines without a reasoning parser (vLLM, llama.cpp, Ollama's relays) leave ``<think>…</think>`` in the content. The
templates of DeepSeek's R1 and of Qwen's thinking models write the opening tag themselves, so that only ``</think>``
comes (deepseek-ai/DeepSeek-R1#352, ggml-org/llama.cpp#11861): a text that begins without a tag may yet turn out to be
reasoning and is held back until a tag or the end comes.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

TAG_NAMES = ("think", "thinking", "thought")
"""Qwen, DeepSeek and most others; Claude's imitators; Gemma's and Gemini's relays."""

Place: TypeAlias = Literal["beginning", "reasoning", "answer"]

_OPENING = {f"<{name}>": f"</{name}>" for name in TAG_NAMES}
_CLOSING = tuple(_OPENING.values())
_TAGS: dict[Place, tuple[str, ...]] = {
    "beginning": (*_OPENING, *_CLOSING),
    "answer": tuple(_OPENING),
}
_NEWLINES = "\r\n"
_QUOTES = ("`", '"', "'")
"""Behind one of these an opening tag is spoken of, not meant."""


class ThinkTags:
    """Splits one choice's content. What :meth:`split` and :meth:`flush` give adds up to the same, however it is cut.

    The tags vanish, with the line breaks on both sides of the reasoning and before an answer that begins behind it.
    Several blocks are one reasoning, a line each. A tag that is not closed holds all the rest.
    """

    __slots__ = ("_block_begun", "_closing", "_held", "_last", "_place", "_searched", "_thought")

    def __init__(self) -> None:
        self._place: Place = "beginning"
        self._held = ""  # what came and is not given out yet
        self._searched = 0  # how much of that was searched for tags
        self._closing = _CLOSING  # the tags that end the reasoning it is in
        self._last = ""  # the last character given out as text
        self._thought = False  # whether any reasoning was given out
        self._block_begun = False  # whether any of this block was given out

    def split(self, piece: str) -> tuple[str, str]:
        """Take a piece of the content; give the text and the reasoning that are settled."""
        self._held += piece
        text = reasoning = ""
        while True:
            more_text, more_reasoning, goes_on = self._step()
            text, reasoning = text + more_text, reasoning + more_reasoning
            if not goes_on:
                return text, reasoning

    def skip_beginning(self) -> None:
        """Take what comes for the answer: the gateway sent the reasoning in a field of its own."""
        if self._place == "beginning" and not self._held:
            self._place = "answer"

    def rest(self) -> tuple[str, str]:
        """The text and the reasoning that are held back, as they are if nothing more comes."""
        if self._place == "reasoning":
            return "", self._reasoning(self._held.rstrip(_NEWLINES))
        return self._text(self._held), ""

    def flush(self) -> tuple[str, str]:
        """End the content; give what is held back."""
        rest = self.rest()
        self._held = ""
        return rest

    def _step(self) -> tuple[str, str, bool]:
        """Give out what is settled, up to the next tag; and whether there was one."""
        tags = self._closing if self._place == "reasoning" else _TAGS[self._place]
        at, tag = self._find(tags)
        if tag:
            before, self._held = self._held[:at], self._held[at + len(tag) :]
            self._searched = 0
            return (*self._pass(tag, before), True)
        self._searched = len(self._held)
        if self._place == "beginning":
            return "", "", False
        settled = len(self._held) - _begun(self._held, tags)
        if self._place == "reasoning":
            settled = len(self._held[:settled].rstrip(_NEWLINES))
        elif not self._last:
            # Line breaks before the answer go; others may stand before the next block.
            settled = settled if self._held[:settled].strip() else 0
        given, self._held, self._searched = self._held[:settled], self._held[settled:], 0
        if self._place == "reasoning":
            return "", self._add_reasoning(given), False
        return self._add_text(given), "", False

    def _pass(self, tag: str, before: str) -> tuple[str, str]:
        """Go through a tag; what stood before it."""
        if tag in _OPENING:
            text = self._add_text(before) if before.strip() or self._last else ""
            self._place, self._closing, self._block_begun = "reasoning", (_OPENING[tag],), False
            return text, ""
        reasoning = self._add_reasoning(before.rstrip(_NEWLINES))
        self._place = "answer"
        return "", reasoning

    def _find(self, tags: tuple[str, ...]) -> tuple[int, str]:
        """Where the first of some tags stands, and which; no opening tag that is only spoken of."""
        held, found = self._held, (len(self._held), "")
        for tag in tags:
            at = held.find(tag, max(0, self._searched - len(tag)))
            while at >= 0 and tag in _OPENING and (held[at - 1] if at else self._last) in _QUOTES:
                at = held.find(tag, at + 1)
            if 0 <= at < found[0]:
                found = at, tag
        return found

    def _text(self, text: str) -> str:
        """A text as it is given out: an answer behind reasoning begins with its first word."""
        return text.lstrip() if self._place == "answer" and not self._last else text

    def _add_text(self, text: str) -> str:
        text = self._text(text)
        self._last = text[-1:] or self._last
        return text

    def _reasoning(self, reasoning: str) -> str:
        """Reasoning as it is given out: a block begins with its first word, on a line of its own."""
        if not self._block_begun:
            reasoning = reasoning.lstrip(_NEWLINES)
            return f"\n{reasoning}" if reasoning and self._thought else reasoning
        return reasoning

    def _add_reasoning(self, reasoning: str) -> str:
        reasoning = self._reasoning(reasoning)
        self._block_begun = self._block_begun or bool(reasoning)
        self._thought = self._thought or self._block_begun
        return reasoning


def _begun(text: str, tags: tuple[str, ...]) -> int:
    """The length of the longest end of a text that one of the tags may begin with."""
    start = text.rfind("<")
    end = text[start:] if start >= 0 else ""
    return len(end) if end and any(tag.startswith(end) for tag in tags) else 0

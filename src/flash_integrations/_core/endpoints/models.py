"""``/models``: what a gateway offers to a key."""

from __future__ import annotations

from typing import Any

from ...errors import APIConnectionError, MalformedResponseError
from ..completion.completion import ChatDelta
from ..failures import error_body
from ..failures.error_mapping import BASE_URL_HINT, refusal
from ..framing.body import BodyDecoder, Item, NonJSON
from .call import Call
from .reader import AnswerContext, Reader

MODELS_PATH = "/models"


class ModelsReader(Reader[list[str]]):
    """Reads the list of models: an object with ``data`` or ``models``, or a bare list."""

    def __init__(self, answer: AnswerContext) -> None:
        self._headers = answer.headers
        self._env = answer.env
        self._decoder = BodyDecoder(answer.headers.get("content-encoding", ""))
        self._items: list[Item] = []

    def feed(self, data: bytes) -> list[ChatDelta]:
        """Take bytes."""
        self._items += self._decoder.feed(data)
        return []

    def close(self, lost: APIConnectionError | None) -> list[ChatDelta]:
        """End the body.

        Raises:
            MalformedResponseError: it is empty, or no JSON.
            APIConnectionError: ``lost``.
            APIStatusError: it is an error.
        """
        if lost is not None:
            raise lost
        self._items += self._decoder.close()
        unread = next((item for item in self._items if isinstance(item, NonJSON)), None)
        if unread is not None and unread.text.strip() != "[]":
            facts = error_body.read(unread.text)
            hint = f". {BASE_URL_HINT}" if facts.is_page else ""
            raise MalformedResponseError(f"the gateway sent no JSON: {facts.message[:200]!r}{hint}")
        if not self._items:
            raise MalformedResponseError("the gateway sent nothing in place of an answer", empty=True)
        for item in self._items:
            if isinstance(item, dict) and error_body.is_error(item) and item.get("data") is None:
                raise refusal(200, self._headers, item, now=self._env.unix_time())
        return []

    def result(self, *, retries: int) -> list[str]:  # noqa: ARG002 - nobody asks of a list how it came
        """The ids of the models."""
        found: list[Any] = []
        for body in (item for item in self._items if isinstance(item, dict)):
            listed = body.get("data", body.get("models"))
            found += listed if isinstance(listed, list) else [body]
        names = [item.get("id") or item.get("name") if isinstance(item, dict) else item for item in found]
        return [name for name in names if isinstance(name, str)]


def models_call() -> Call[list[str]]:
    """The call for the ids of the models."""
    return Call(MODELS_PATH, ModelsReader)

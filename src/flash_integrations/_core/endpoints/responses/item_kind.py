"""What every kind of output item has: its items, and what its events add to the answer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Generic, TypeAlias

from ...completion.chunk import Part
from .output_items import C, OutputItem, OutputItems

EventReader: TypeAlias = Callable[[dict[str, Any]], Part | None]


class ItemKind(ABC, Generic[C]):
    """The items of one kind.

    Args:
        new: makes the content of a new item.
        next_place: gives the place of a new item among all.

    Attributes:
        items: those that have appeared.
        readers: what reads each type of event that belongs to this kind.
    """

    def __init__(self, new: Callable[[], C], next_place: Callable[[], int]) -> None:
        self.items = OutputItems(new, next_place)
        self.readers: dict[str, EventReader] = {}

    def announce(self, item: OutputItem[C], body: dict[str, Any]) -> Part | None:  # noqa: ARG002 - of calls alone
        """Take what ``output_item.added`` says; most items say nothing there that is believed."""
        return None

    @abstractmethod
    def end_item(self, item: OutputItem[C], body: dict[str, Any]) -> Part:
        """Take a whole item; gives what it adds, perhaps nothing."""

    def finish(self) -> list[dict[str, Any]]:
        """End all items; gives the entries of calls that were held back."""
        return []

    def to_body(self, item: OutputItem[C]) -> dict[str, Any] | None:
        """The item whole, with what was handed out of it where whole events say less; None where nothing is."""
        return item.body


class DeltaNumbers:
    """Tells deltas that come twice (Fabric#1686) by their ``sequence_number``; ones that do not grow say nothing."""

    __slots__ = ("_deltas", "_highest")

    def __init__(self) -> None:
        self._highest: int | None = None
        self._deltas: dict[int, str] = {}

    def delta_of(self, event: dict[str, Any]) -> str:
        """An event's delta, "" where it has none that is new."""
        delta, number = event.get("delta"), event.get("sequence_number")
        if not isinstance(delta, str) or not delta or type(number) is not int:
            return delta if isinstance(delta, str) else ""
        if self._highest is None:
            self._highest = number
        elif number > self._highest:
            self._highest = number
            self._deltas[number] = delta
        elif self._deltas.get(number) == delta:
            return ""
        return delta

    def see(self, event: dict[str, Any]) -> None:
        """Take the number of an event that is no delta."""
        number = event.get("sequence_number")
        if type(number) is int and (self._highest is None or number > self._highest):
            self._highest = number


class _Unread:
    """The content of an item of the provider's own tools, of which only the whole item counts."""

    is_whole = settled = False

    def fits(self, body: dict[str, Any]) -> bool:  # noqa: ARG002 - as other contents
        """Nothing comes before the whole item."""
        return False


class ProviderItems(ItemKind[_Unread]):
    """Items of one type that the provider's own tools make; of those only pictures are shown."""

    def __init__(self, next_place: Callable[[], int]) -> None:
        super().__init__(_Unread, next_place)

    def end_item(self, item: OutputItem[_Unread], body: dict[str, Any]) -> Part:  # noqa: ARG002 - as other kinds
        """A picture, in the form that pictures have on the chat wire."""
        result, kind = body.get("result"), body.get("output_format")
        if body.get("type") != "image_generation_call" or not isinstance(result, str) or not result:
            return Part()
        url = result if ":" in result[:8] else f"data:image/{kind if isinstance(kind, str) else 'png'};base64,{result}"
        return Part(message_extra={"images": [{"type": "image_url", "image_url": {"url": url}}]})

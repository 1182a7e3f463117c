"""Tool calls put together in tests: what is handed out, and what comes of it, held against each other."""

from __future__ import annotations

from itertools import count

from flash_integrations._core.completion.tool_calls import ToolCallAssembler


def assemble(entries, *, cut=False):
    """(the deltas, the calls) of these entries."""
    numbers = count(1)
    assembler = ToolCallAssembler(lambda: f"new_{next(numbers)}")
    deltas = [delta for entry in entries for delta in assembler.add_entry(entry)]
    deltas += assembler.finish(cut=cut)
    return deltas, assembler.calls()


def summed(deltas):
    """The calls that the deltas make; each id and name comes once, whole, before the call's arguments."""
    calls = []
    for delta in deltas:
        if delta.index == len(calls):
            calls.append([delta.id, delta.name, delta.arguments])
            assert delta.id is not None
            assert delta.name is not None
        else:
            assert (delta.id, delta.name) == (None, None)
            calls[delta.index][2] += delta.arguments
    return [tuple(call) for call in calls]


def calls_of(entries, *, cut=False):
    """(id, name, arguments) of the calls, which the handed-out deltas make too."""
    deltas, calls = assemble(entries, cut=cut)
    found = [(call.id, call.name, call.arguments) for call in calls]
    assert summed(deltas) == found
    return found


def entry(arguments=None, name=None, **top):
    """One element of a delta's `tool_calls`."""
    function = {key: value for key, value in {"name": name, "arguments": arguments}.items() if value is not None}
    return {**top, "function": function} if function else top

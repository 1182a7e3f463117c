"""Both colours of a client, called alike."""

from __future__ import annotations

import asyncio

import pytest

from flash_integrations._transport import process


class Calls:
    """Calls a client's verbs in one colour, each in an event loop of its own where it needs one."""

    def __init__(self, colour):
        self.colour = colour

    def __repr__(self):
        return self.colour

    def chat(self, client, text="Hi", *, model="m", **params):
        """A whole answer."""
        words = {"model": model, "messages": [{"role": "user", "content": text}], **params}
        return client.chat(**words) if self.colour == "sync" else asyncio.run(client.to_async().chat(**words))

    def stream(self, client, text="Hi", *, model="m", **params):
        """The deltas of a stream, and its completion."""
        words = {"model": model, "messages": [{"role": "user", "content": text}], **params}
        if self.colour == "sync":
            stream = client.stream_chat(**words)
            return list(stream), stream.completion

        async def collect():
            stream = client.to_async().stream_chat(**words)
            return [delta async for delta in stream], stream.completion

        return asyncio.run(collect())

    def embed(self, client, texts, **words):
        """The vectors of texts."""
        return (
            client.embed(texts, **words)
            if self.colour == "sync"
            else asyncio.run(client.to_async().embed(texts, **words))
        )

    def models(self, client):
        """The gateway's models."""
        return client.models() if self.colour == "sync" else asyncio.run(client.to_async().models())


@pytest.fixture(params=["sync", "async"])
def calls(request):
    """Every test that takes this runs in both colours."""
    return Calls(request.param)


@pytest.fixture(autouse=True)
def _fresh_process():
    """Each test begins with what a fresh process knows: nothing learned, nothing counted. Ports come round again."""
    process.process.renew()

"""A client, sync and async, called alike."""

from __future__ import annotations

import asyncio

import pytest

from flash_integrations._transport import process


class Calls:
    """Calls a client's verbs sync or async, each in an event loop of its own where it needs one."""

    def __init__(self, mode):
        self.mode = mode

    def __repr__(self):
        return self.mode

    def chat(self, client, text="Hi", *, model="m", **params):
        """A whole answer."""
        options = {"model": model, "messages": [{"role": "user", "content": text}], **params}
        return client.chat(**options) if self.mode == "sync" else asyncio.run(client.to_async().chat(**options))

    def stream(self, client, text="Hi", *, model="m", **params):
        """The deltas of a stream, and its completion."""
        options = {"model": model, "messages": [{"role": "user", "content": text}], **params}
        if self.mode == "sync":
            stream = client.stream_chat(**options)
            return list(stream), stream.completion

        async def collect():
            stream = client.to_async().stream_chat(**options)
            return [delta async for delta in stream], stream.completion

        return asyncio.run(collect())

    def embed(self, client, texts, **options):
        """The vectors of texts."""
        return (
            client.embed(texts, **options)
            if self.mode == "sync"
            else asyncio.run(client.to_async().embed(texts, **options))
        )

    def models(self, client):
        """The gateway's models."""
        return client.models() if self.mode == "sync" else asyncio.run(client.to_async().models())


@pytest.fixture(params=["sync", "async"])
def calls(request):
    """Every test that takes this runs sync and async."""
    return Calls(request.param)


@pytest.fixture(autouse=True)
def _fresh_process():
    """Each test begins with what a fresh process knows: nothing learned, nothing counted. Ports come round again."""
    process.process.renew()

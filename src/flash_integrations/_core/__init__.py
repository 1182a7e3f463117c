"""The transport core: what to do, decided without I/O, clock or chance of its own.

Reading order: ``wire`` (shapes), ``call`` (requests), ``sse`` and ``body`` (bytes to objects), ``chunks``,
``tool_calls`` and ``completion`` (objects to answers), ``refusals`` and ``retry`` (errors and what to do about
them), ``limits``, ``learning``, and ``flow``, which puts them together.
"""

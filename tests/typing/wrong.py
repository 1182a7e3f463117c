"""Calls that type checkers must refuse, each marked; nothing runs them."""

from __future__ import annotations

from flash_integrations import FlashClient
from flash_integrations.langchain import ChatFlash, FlashEmbeddings
from flash_integrations.llama_index import FlashEmbedding, FlashLLM

ChatFlash(model="gpt-5.2", nonsense=1)  # wrong
ChatFlash(model="gpt-5.2", timeout="long")  # wrong
ChatFlash(model="gpt-5.2", api_key=7)  # wrong
ChatFlash(model="gpt-5.2", client="flashapi")  # wrong
ChatFlash(model="gpt-5.2", rate_limit=60)  # wrong
FlashEmbeddings(model="text-embedding-3-large", dimensions="256")  # wrong
FlashLLM(model="gpt-5.2", max_retries="2")  # wrong
FlashEmbedding(model_name=7)  # wrong
FlashClient(timeout="long")  # wrong
FlashClient().chat(model="gpt-5.2")  # wrong
FlashClient().chat(model="gpt-5.2", messages=[], temperature="hot")  # wrong
FlashClient().embed("a text", batch_size=None)  # wrong

"""What the LangChain and LlamaIndex adapters share."""

"""An agent with two tools, whose words and tool calls are shown as they come.

::

    python examples/agent_with_tools.py
    python examples/agent_with_tools.py "What is 17 plus 25? Use add."

Needs ``pip install 'flash-integrations[langchain,gateway]' langchain``.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from key_or_gateway import key_or_gateway
from langchain.agents import create_agent
from langchain_core.messages import AIMessageChunk, ToolMessage

from flash_integrations.langchain import ChatFlash

FABLES = Path(__file__).parent / "corpus" / "texts" / "fables.en.md"
QUESTION = 'What is 17 plus 25? Use add. And tell me the fable "The Two Crabs": use read_fable.'


def add(first: float, second: float) -> float:
    """Add two numbers."""
    return first + second


def read_fable(title: str) -> str:
    """Read one of Æsop's fables by its title, such as "The Fox and the Grapes"."""
    texts = FABLES.read_text(encoding="utf-8").split("\n## ")[1:]
    found = [text for text in texts if title.casefold() in text.partition("\n")[0].casefold()]
    return found[0].strip() if found else f"There is no fable called {title!r}."


def main() -> None:
    """Ask the agent, and print what it does."""
    parser = argparse.ArgumentParser(description="An agent with two tools, token by token.")
    parser.add_argument("question", nargs="?", default=QUESTION)
    parser.add_argument("--model", default="gpt-5.2")
    words = parser.parse_args()
    with key_or_gateway():
        agent = create_agent(ChatFlash(model=words.model), [add, read_fable], system_prompt="Use the tools. Be short.")
        asked = {"messages": [("user", words.question)]}
        for message, _ in agent.stream(asked, stream_mode="messages"):
            if isinstance(message, ToolMessage):
                print(f"[{message.name} gave: {message.text}]")
            elif isinstance(message, AIMessageChunk):
                for call in message.tool_call_chunks:
                    print(f"\n[{call['name']}] " if call["name"] else call["args"], end="", flush=True)
                # The last chunk of a message tells why it ended.
                ended = message.chunk_position == "last"
                print(message.text, end="\n" if ended else "", flush=True)


if __name__ == "__main__":
    main()

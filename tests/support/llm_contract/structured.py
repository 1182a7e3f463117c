"""Structured output: objects of a class, whole and growing."""

from __future__ import annotations

import pytest
from llama_index.core.prompts import PromptTemplate
from pydantic import BaseModel

from .scenario import Scenarios, last_of

PROMPT = PromptTemplate("The weather in {city} is {degrees} degrees.")
PARIS = {"city": "Paris", "degrees": 20}


class Weather(BaseModel):
    """The weather in a city."""

    city: str
    degrees: int


class StructuredScenarios(Scenarios):
    """By every way the object comes."""

    def meets(self, found):
        """Whether what was found is the object, or for models of little wit one of its class."""
        return found == Weather(**PARIS) if self.understands else isinstance(found, Weather)

    @pytest.mark.parametrize("name", ["structured_predict", "stream_structured_predict"])
    def test_structured_predict(self, llm, call, name):
        """A prompt gives an object of the class, which in a stream grows and is whole in the end."""
        self.need("structured_output")
        assert self.meets(last_of(call(llm, name, Weather, PROMPT, **PARIS)))

    @pytest.mark.parametrize("name", ["chat", "stream_chat"])
    def test_as_structured_llm(self, llm, call, name):
        """as_structured_llm answers in the class: as JSON in the message and as the object in raw."""
        self.need("structured_output")
        last = last_of(call(llm.as_structured_llm(Weather), name, PROMPT.format_messages(**PARIS)))
        assert self.meets(last.raw)
        assert Weather.model_validate_json(last.message.content) == last.raw

"""Later values added to earlier ones."""

import pytest

from flash_integrations._core.completion.merging import merge


@pytest.mark.parametrize(
    ("old", "new", "both"),
    [
        ({"a": "x"}, {"a": "y"}, {"a": "xy"}),
        ({"a": "x"}, {"a": "x"}, {"a": "x"}),
        ({"a": {"b": [1]}}, {"a": {"b": [2], "c": 3}}, {"a": {"b": [1, 2], "c": 3}}),
        ({"id": "1", "type": "t"}, {"id": "2", "type": ""}, {"id": "2", "type": "t"}),
        ({"a": 1}, {"a": 2}, {"a": 2}),
        ({"a": 1}, {"a": None}, {"a": 1}),
        ({"a": "x\ud83d"}, {"a": "\ude00y"}, {"a": "x😀y"}),
        ({"a": "x"}, {"a": 1}, {"a": 1}),
        ({"citations": ["u", "v"]}, {"citations": ["v", "w"]}, {"citations": ["u", "v", "w"]}),
        ({"citations": []}, {"citations": ["u", "u"]}, {"citations": ["u"]}),
        ({"images": [{"url": "u"}]}, {"images": [{"url": "u"}]}, {"images": [{"url": "u"}]}),
    ],
)
def test_objects_in_pieces_are_merged(old, new, both):
    """Texts and lists go on, objects merge by key, ids and numbers replace; what is cited twice is one citation."""
    assert merge(old, new) == both

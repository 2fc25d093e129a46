"""The maximum depth of a document is the same on every Python."""

from __future__ import annotations

import json
import sys

import pytest
from pydantic_core import from_json

from migrate.codecs.config_directory.yaml_text import InvalidYaml
from migrate.codecs.config_directory.yaml_text import parse_yaml as read_yaml
from migrate.endpoints.http.openai_transport import json_object
from migrate.errors import InvalidResponse
from migrate.model.input_limits import MAX_JSON_DEPTH, JSONTooDeep, loads

MOST = MAX_JSON_DEPTH.maximum


def levels(number: int, opening: str = "[", closing: str = "]", inside: str = "1") -> str:
    return opening * number + inside + closing * number


@pytest.mark.parametrize("frames", [300, 1_000, 5_000])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}"), ('[{"a":', "}]")])
def test_the_number_of_levels_decides_and_not_the_interpreter(
    opening: str, closing: str, frames: int
) -> None:
    each = opening.count("[") + opening.count("{")
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(frames, 300))
    try:
        loads(levels(MOST // each, opening, closing))
        for number in (MOST // each + 1, MOST * 2, 100_000):
            with pytest.raises(JSONTooDeep, match=f"more than {MOST} levels"):
                loads(levels(number, opening, closing))
    finally:
        sys.setrecursionlimit(before)


@pytest.mark.parametrize(
    "text",
    [
        json.dumps("[" * 1000),
        json.dumps({"a": "{[" * 500, "b": 'quoted " and \\'}),
        json.dumps(["\\" * n + '"[' for n in range(300)]),
        "[" + ",".join(["[]"] * 1000) + "]",
        levels(MOST, inside='"[[["'),
    ],
)
def test_brackets_in_texts_and_side_by_side_are_no_levels(text: str) -> None:
    assert loads(text) == json.loads(text)


@pytest.mark.parametrize("text", ['"' + "[" * 500, "]" * 500, '[{"' * 300, "\\" * 300 + "[" * 300])
def test_invalid_json_is_reported_and_never_hangs(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        loads(text)


def test_the_faster_reader_stops_where_we_do() -> None:
    """It parses first; the depth of its result is not counted again."""
    from_json(levels(MOST))
    with pytest.raises(ValueError, match="recursion"):
        from_json(levels(MOST + 2))


def test_an_answer_that_is_nested_too_deeply_is_reported() -> None:
    json_object(f'{{"a": {levels(MOST - 1)}}}'.encode(), str)
    for number in (MOST + 2, 900, 100_000):
        for odd in ("1", '"\\ud83d"'):  # half of a surrogate pair is parsed by the slower one
            with pytest.raises(InvalidResponse, match="nested too deeply"):
                json_object(f'{{"a": {levels(number, inside=odd)}}}'.encode(), str)


@pytest.mark.parametrize("block", [True, False])
def test_yaml_that_is_nested_too_deeply_is_reported(block: bool) -> None:
    def text(number: int) -> str:
        return "".join(f"{' ' * n}a:\n" for n in range(number)) if block else levels(number)

    read_yaml(text(MOST - 1))
    for number in (MOST + 1, 400, 900):
        with pytest.raises(InvalidYaml, match=f"more than {MOST} levels"):
            read_yaml(text(number))

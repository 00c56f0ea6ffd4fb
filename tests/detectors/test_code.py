"""Invented imports and names in Python code, and citations that the request does not hold."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from evaluation.data import own

from detectors.asking import answer, checked, flags, request
from farebox.detectors import Answer, Choice, examine
from farebox.detectors import _names as names
from farebox.detectors.names import main
from farebox.errors import SettingError


def code(source: str, prompt: str = "Write a script.") -> Answer:
    return answer(f"Here it is:\n\n```python\n{source}\n```\n", prompt)


@pytest.mark.parametrize("row", own("imports"), ids=lambda row: f"{row['detector']}-{str(row['code'])[:30]}")
def test_invented_names_are_told_from_real_ones(row: dict[str, str | bool]) -> None:
    """Imports and names of modules that do not exist are flagged; real, former, own and guarded ones are not."""
    found = flags(code(str(row["code"]), str(row["prompt"])))

    assert (row["detector"] in found) == row["flag"]


def test_code_that_does_not_parse_still_has_imports() -> None:
    """A block cut off in the middle is read by its import lines."""
    assert flags(code("import quantum_teleport_lib\ndef f(:\n")) == ["unknown_import"]


def test_only_python_is_read() -> None:
    """Other languages import too, but not from Python's index."""
    judged = answer("```javascript\nimport quantum_teleport_lib from 'x';\n```")

    assert not {"unknown_import", "unknown_stdlib_attr"} & set(checked(judged))
    assert "unknown_import" in checked(answer("import json\n\nprint(json.dumps({}))\n"))


def test_a_module_that_the_answer_itself_writes_is_known() -> None:
    """A file that the answer names, or a class it defines, is not invented."""
    text = "Save as `weather_forecasting.py`:\n```python\nx = 1\n```\nThen:\n```python\nimport weather_forecasting\n```"

    assert flags(answer(text)) == []


def test_the_code_is_parsed_never_run(tmp_path: Path) -> None:
    """Nothing in an answer is executed or imported."""
    mark = tmp_path / "ran"
    source = f"import antigravity, this\nopen({str(mark)!r}, 'w').close()\nraise SystemExit"

    flags(code(source))

    assert not mark.exists()
    assert "antigravity" not in sys.modules


def test_a_list_of_ones_own_is_looked_up_beside_the_shipped_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FAREBOX_IMPORT_NAMES names a sorted file, made from any lists, of any size."""
    own_list, made = tmp_path / "own.txt", tmp_path / "names.txt"
    own_list.write_text("# ours\nAcme-Billing-Machinery\nzebra.crossing\n")
    assert main(["--imports", str(made), str(own_list)]) == 0
    assert flags(code("import acme_billing_machinery")) == ["unknown_import"]

    monkeypatch.setenv("FAREBOX_IMPORT_NAMES", str(made))
    assert flags(code("import acme_billing_machinery")) == []
    assert flags(code("import quantum_teleport_lib")) == ["unknown_import"]
    assert made.read_text().startswith("# importable names, made 20")


def test_a_list_that_cannot_be_read_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, swallowed: list[BaseException]
) -> None:
    """A missing file is logged with the remedy; the detector is `not_checked`."""
    monkeypatch.setenv("FAREBOX_IMPORT_NAMES", str(tmp_path / "none.txt"))

    assert flags(code("import quantum_teleport_lib")) == ["not_checked.unknown_import"]
    assert isinstance(swallowed[0], SettingError)
    assert "make it with python -m farebox.detectors.names" in str(swallowed[0])


@pytest.mark.parametrize("count", [0, 1, 2, 3, 1000])
def test_a_name_file_is_searched_exactly(count: int, tmp_path: Path) -> None:
    """Every name in the file is found, and nothing else is."""
    inside = [f"name{number:04d}" for number in range(0, 2 * count, 2)]
    names.write_names(tmp_path / "n.txt", inside, "made for a test")

    found = names.NameFile.open(tmp_path / "n.txt")

    assert all(name in found for name in inside)
    assert not any(name in found for name in ("", "name", "name0001", "zzz", "#", "made", "name00000"))


def test_the_shipped_lists_say_when_they_were_made() -> None:
    """Each list begins with its date, is sorted as it is searched, and holds what everyone imports."""
    shipped = names.import_names()[0]
    lines = bytes(shipped._data).decode().splitlines()

    assert lines[0].startswith("# importable names, made 20")
    assert lines[1:] == sorted(lines[1:], key=str.encode)
    assert all(name in shipped for name in ("numpy", "requests", "django", "bs4", "cv2", "yaml", "PIL", "anthropic"))


def cited(text: str, prompt: str = "Where is that from?", **fields: object) -> int | None:
    return examine(Answer(request(prompt, **fields), (Choice(text, stop_reason="stop"),))).get(
        "farebox.unsupported_citations"
    )


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("No source at all, version 10.5 of 2024.", 0),
        ("See https://example.org/a/b.", 1),
        ("See [this](https://example.org/a_(b)), and www.example.net/x; also https://example.org/a_(b).", 2),
        ("doi:10.1000/xyz123 and https://doi.org/10.1000/XYZ123", 1),
        ("arXiv:2301.00001 and https://arxiv.org/abs/2301.00001v2 and arXiv 2302.00002", 2),
        ("```sh\ncurl https://api.example.org/v1\n```", 0),
    ],
)
def test_references_that_the_request_lacks_are_counted_once(text: str, count: int) -> None:
    """Each distinct URL, DOI and arXiv id counts once, whatever its trimmings; code does not count."""
    assert cited(text) == count
    assert ("unsupported_citation" in flags(answer(text))) == (count > 0)


@pytest.mark.parametrize(
    "given", ["http://www.example.org/a/b/", "https://EXAMPLE.org/a/b#part", '{"url": "https://example.org/a/b"}']
)
def test_references_that_the_request_holds_are_supported(given: str) -> None:
    """Scheme, www, case, fragment and a last slash make no difference; tool results and documents count."""
    assert cited("See https://example.org/a/b.", f"Look at {given} please") == 0
    body = request()
    body["messages"].append(
        {"role": "user", "content": [{"type": "tool_result", "content": [{"type": "text", "text": given}]}]}
    )
    attributes = examine(Answer(body, (Choice("See https://example.org/a/b.", stop_reason="stop"),)))

    assert attributes["farebox.unsupported_citations"] == 0


@pytest.mark.parametrize(
    "fields",
    [
        {"tools": [{"type": "web_search_20260318", "name": "web_search"}]},
        {"tools": [{"type": "web_search"}]},
        {"web_search_options": {}, "model": "gpt-4o-search-preview"},
        {"model": "x/y:online"},
        {"model": "sonar-pro"},
    ],
)
def test_calls_with_web_search_are_not_checked(fields: dict[str, Sequence[object]]) -> None:
    """What the provider looked up cannot stand in the request."""
    assert cited("See https://example.org/a/b.", **fields) is None

"""The documents with examples, typed as they stand."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

DOCUMENTS = sorted(Path(__file__).parent.glob("*.rst"))
DIRECTIVE = re.compile(r"#\s*doctest:")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.stem)
def test_every_example_answers_as_it_is_written(document: Path) -> None:
    result = doctest.testfile(
        str(document), module_relative=False, globs={}, optionflags=0, encoding="utf-8"
    )
    assert result.attempted > 0
    assert result.failed == 0


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.stem)
def test_no_example_is_skipped_or_loosened(document: Path) -> None:
    assert DIRECTIVE.search(document.read_text("utf-8")) is None

"""The public names: all there, in any order, and none costs an import before."""

from __future__ import annotations

import subprocess
import sys

import pytest

import qtool


def python(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("name", qtool.__all__)
def test_each_public_name_resolves(name: str) -> None:
    assert getattr(qtool, name) is not None
    assert name in dir(qtool)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = qtool.nothing


def test_importing_qtool_imports_nothing_else() -> None:
    printed = python(
        "import sys, __future__; before = set(sys.modules); import qtool;"
        "print(sorted(set(sys.modules) - before))"
    )
    assert eval(printed) == ["qtool"]


@pytest.mark.parametrize(
    "imports",
    [
        "import qtool.settings, qtool.tui; from qtool import config",
        "import qtool.tui, qtool.settings; from qtool import config",
        "from qtool import config; import qtool.settings, qtool.tui",
        "import qtool.tui; from qtool import config; import qtool.settings",
        "import qtool; config = qtool.config; import qtool.installation",
    ],
)
def test_config_is_the_configuration_in_every_import_order(imports: str) -> None:
    assert python(f"{imports}; print(config.push.__name__)") == "push\n"

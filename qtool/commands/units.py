"""``qtool units``: write systemd units for the site."""

from __future__ import annotations

import os
import pwd
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from qtool.commands.cull_units import cull_units
from qtool.commands.emptying import started
from qtool.commands.output import DONE, put, put_json, tell
from qtool.commands.search import configuration_file
from qtool.commands.unit_files import units_of
from qtool.errors import Refused, SettingsError
from qtool.installation import load_settings
from qtool.settings import SiteKind
from qtool.untrusted import visible

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterable, Mapping

    from qtool.commands.arguments import Parser
    from qtool.settings import Settings

_EXAMPLES = """\
examples:
  qtool --config /etc/qtool/qtool.cfg units --dir /etc/systemd/system
  qtool units --dir /etc/systemd/system --mode timer --user list
  qtool units --dir /etc/systemd/system --cull bad:30d --cull shunt:90d
"""


def options(parser: Parser) -> None:
    """Add the arguments of the command."""
    parser.epilog = _EXAMPLES
    parser.add_argument("--dir", metavar="DIR", required=True, type=Path,
                        help="where to write: /etc/systemd/system")  # fmt: skip
    parser.add_argument("--user", metavar="USER",
                        help="whom to run as; else who owns the spool")  # fmt: skip
    parser.add_argument("--mode", choices=("daemon", "timer", "path"), default="daemon",
                        help="run always, every quarter of an hour, or when there is"
                        " mail; else daemon")  # fmt: skip
    parser.add_argument("--cull", metavar="QUEUE:AGE", action="append", default=[],
                        help="instead, discard once a day what is older; may be"
                        " repeated")  # fmt: skip
    parser.add_json("one JSON object a unit, one a line")


def run(options: Namespace) -> int:
    """Write the units, all or none; say which are new."""
    settings = _settings(options)
    folder = Path(options.dir)
    if not folder.is_dir():
        raise Refused(f"{folder}: no such folder")
    user = _user(options.user, settings)
    if options.cull:
        units = cull_units(settings, options.cull, user)
    else:
        _refuse_without_runners(settings)
        units = units_of(settings, options.mode, user)
    enabled = [n for n, text in units.items() if "[Install]" in text]
    for name, state in _written(folder, units).items():
        path = str(folder / name)
        if options.json:
            put_json({"path": path, "state": state, "enable": name in enabled})
        else:
            put(f"{path}: {state}")
    words = " ".join(map(quote, enabled))
    tell(f"to use them: systemctl daemon-reload; systemctl enable --now {words}")
    return DONE


# --- What the units are about


def _settings(options: Namespace) -> Settings:
    path = options.config
    if path is None and options.root is None:
        path = configuration_file(os.environ)
    if path is None:
        raise Refused(
            "units are for a site with a configuration: name it, --config FILE"
        )
    return load_settings(Path(os.path.abspath(path)))  # noqa: PTH100 - keeps links


def _refuse_without_runners(settings: Settings) -> None:
    if started(settings):
        return
    if settings.kind is not SiteKind.OWN:
        raise Refused(
            "this is a Mailman site, and its runners are Mailman's: so are its units"
        )
    raise Refused(f"there is nothing to run: {settings.source} starts no runner")


def _user(name: str | None, settings: Settings) -> str:
    """Return whom to run as: by default who owns the spool, where root does not."""
    if name is not None:
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            raise Refused(f"there is no user {visible(name, 80)}") from None
    place = settings.queue_root
    while not place.exists():
        place = place.parent
    owner = place.stat().st_uid
    if not owner:
        return ""
    try:
        return pwd.getpwuid(owner).pw_name
    except KeyError:
        return str(owner)


# --- Writing


def _written(folder: Path, units: Mapping[str, str]) -> dict[str, str]:
    """Write those that are not there, unless another text stands in one of them."""
    there = {name: _text(folder / name) for name in units}
    _refuse_others(folder, (n for n in units if there[n] not in (None, units[n])))
    for name, text in units.items():
        if there[name] is None:
            try:
                with (folder / name).open("x", encoding="utf-8") as stream:
                    stream.write(text)
            except FileExistsError:
                _refuse_others(folder, [name])
    return {name: "unchanged" if there[name] else "written" for name in units}


def _refuse_others(folder: Path, names: Iterable[str]) -> None:
    others = [str(folder / name) for name in names]
    if others:
        raise Refused(f"{', '.join(others)}: there already, with another text")


def _text(path: Path) -> str | None:
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        raise SettingsError(f"{path}: expected text in UTF-8") from None

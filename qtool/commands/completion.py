"""``qtool completion``: what has a shell complete the words of ``qtool``."""

from __future__ import annotations

import argparse
import os
import re
from typing import TYPE_CHECKING, Any

from qtool.commands.output import DONE, put

if TYPE_CHECKING:
    from argparse import Action, Namespace
    from collections.abc import Iterator

    from qtool.commands.arguments import Parser
    from qtool.settings import Settings

_EXAMPLES = """\
examples:
  qtool completion bash > ~/.local/share/bash-completion/completions/qtool
  qtool completion zsh > ~/.zfunc/_qtool    with ~/.zfunc in your fpath
  eval "$(qtool completion bash)"           for this shell alone
  qtool completion queues                   the names that are completed
"""

_NAMES = ("queues", "runners")
_SAFE = re.compile(r"[\w.@%+-]+", re.ASCII)
"""Names that no shell reads anything else into."""

_BASH = """\
# $1: queues or runners, $2: how the name begins
_qtool_names() {
  local site=() index name
  for ((index = 1; index < COMP_CWORD; index++)); do
    case ${COMP_WORDS[index]} in
      -C | --config | --root)
        site+=("${COMP_WORDS[index]}" "${COMP_WORDS[index + 1]/#\\~\\//$HOME/}") ;;
    esac
  done
  while IFS= read -r name; do
    [[ $name == "$2"* ]] && printf '%s\\n' "$name"
  done < <("${COMP_WORDS[0]/#\\~\\//$HOME/}" "${site[@]}" completion "$1" 2>/dev/null)
}
_qtool_queues() { _qtool_names queues "$1"; }
_qtool_runners() {
  [[ " ${COMP_WORDS[*]} " == *' --all '* ]] || _qtool_names runners "$1"
}
"""

_ZSH = """\
# $1: queues or runners
_qtool_names() {
  local -a all site
  local index
  all=(${(z)BUFFER})
  for ((index = 2; index < $#all; index++)); do
    case $all[index] in
      -C | --config | --root) site+=($all[index] ${(Q)all[index+1]/#\\~\\//$HOME/}) ;;
    esac
  done
  compadd -- ${(f)"$(qtool $site completion $1 2>/dev/null)"}
}
_qtool_queues() { _qtool_names queues }
_qtool_runners() { [[ $words[(r)--all] == --all ]] || _qtool_names runners }
"""


def options(parser: Parser) -> None:
    """Add the arguments of the command."""
    parser.epilog = _EXAMPLES
    parser.add_argument("what", metavar="bash|zsh", choices=("bash", "zsh", *_NAMES),
                        help="which shell; or which names it may ask for: queues,"
                        " runners")  # fmt: skip


def run(options: Namespace) -> int:
    """Print the script, or the names that it asks for."""
    if options.what in _NAMES:
        for name in _names(options):
            put(name)
    else:
        put(_script(options.what).removesuffix("\n"))
    return DONE


def _script(shell: str) -> str:
    import shtab

    from qtool.commands.arguments import whole

    parser = whole()
    for each in _parsers(parser):
        for action in each._actions:
            _complete(action)
    names = {"bash": _BASH, "zsh": _ZSH}[shell]
    script = shtab.complete(parser, shell=shell, preamble=names)
    # Else bash offers files wherever there is nothing to offer.
    return script.replace("complete -o bashdefault ", "complete ").replace(
        "compopt -o filenames ", "compopt -o filenames -o bashdefault "
    )


def _parsers(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for each in action.choices.values():
                yield from _parsers(each)


def _complete(action: Action) -> None:
    """Have an argument be completed as what it is called in the help."""
    import shtab

    word = re.match(r"\w*", str(action.metavar or ""))
    queues, runners = (dict.fromkeys(("bash", "zsh"), f"_qtool_{w}") for w in _NAMES)
    found: dict[str, Any] = {
        "QUEUE": queues,
        "TO": queues,
        "RUNNER": runners,
        "DIR": shtab.DIRECTORY,
        **dict.fromkeys(("FILE", "QFILE", "PATH", "SCRIPT"), shtab.FILE),
    }
    kind = found.get(word[0] if word else "")
    if kind is not None and action.choices is None:
        action.complete = kind  # type: ignore[attr-defined]  # shtab looks for it
    if action.metavar is not None and not isinstance(action.metavar, tuple):
        action.metavar = re.sub(r"\W.*", "", action.metavar)  # zsh divides at colons


def _names(options: Namespace) -> list[str]:
    """Return the names of a site that a shell may ask for."""
    from qtool.commands.search import configuration_file
    from qtool.installation import default_root, load_settings
    from qtool.settings import default, from_root

    config = options.config
    if config is None and options.root is None:
        config = configuration_file(os.environ)
    if config is not None:  # not by way of Control, which takes longer to import
        settings = load_settings(config)
    elif options.root is not None:
        settings = from_root(options.root)
    else:
        settings = default(default_root())
    return [name for name in _of_kind(settings, options.what) if _SAFE.fullmatch(name)]


def _of_kind(settings: Settings, what: str) -> Iterator[str]:
    for name, runner in settings.runners.items():
        if runner.served if what == "runners" else runner.queue_directory is not None:
            yield name

"""Hostile files that try to run code, or to misuse the classes that are known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.qfile.assemble import (
    MESSAGE,
    METADATA,
    POLICY,
    STATE,
    Raw,
    called,
    message,
    named,
    named_in_text,
    new,
    old_value,
    pickled,
    qfile,
    text,
    value,
    with_metadata,
)
from tests.qfile.hostile import Hostile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_CALLABLES = (
    ("os", "mkdir", "{}"),
    ("posix", "mkdir", "{}"),
    ("os", "system", "mkdir {}"),
    ("subprocess", "check_output", ["mkdir", "{}"]),
    ("builtins", "eval", "__import__('os').mkdir('{}')"),
    ("builtins", "exec", "__import__('os').mkdir('{}')"),
    ("__builtin__", "eval", "__import__('os').mkdir('{}')"),
    ("email.utils", "os.mkdir", "{}"),
    ("qtool.qfile.codec", "read", "{}"),
    ("qtool.qfile.values", "Values", "{}"),
    ("pickle", "loads", "{}"),
    ("_io", "FileIO", "{}"),
)


def _argument(pattern: object, marker: str) -> object:
    if isinstance(pattern, list):
        return [str(part).format(marker) for part in pattern]
    return str(pattern).format(marker)


def _reduced(module: str, name: str, argument: object) -> bytes:
    return pickled(called(named(module, name), argument))


def _reduced_in_text(module: str, name: str, argument: object) -> bytes:
    opcodes = named_in_text(module, name) + old_value((argument,)) + b"R"
    return pickled(opcodes, 0)


def _instance(module: str, name: str, argument: object) -> bytes:
    return pickled(b"(" + old_value(argument) + f"i{module}\n{name}\n".encode(), 0)


def _object(module: str, name: str, argument: object) -> bytes:
    return pickled(b"(" + named_in_text(module, name) + old_value(argument) + b"o", 1)


def _allocated(module: str, name: str, argument: object) -> bytes:
    return pickled(named(module, name) + value((argument,)) + b"\x81")


def _header(module: str, name: str, argument: object) -> bytes:
    payload = called(named(module, name), argument)
    return pickled(message(_headers=[("Subject", payload)]))


def _state(module: str, name: str, argument: object) -> bytes:
    return pickled(message(payload=called(named(module, name), argument)))


_FORMS: dict[str, Callable[[str, str, object], bytes]] = {
    "reduce": _reduced,
    "reduce-text": _reduced_in_text,
    "inst": _instance,
    "obj": _object,
    "newobj": _allocated,
    "header": _header,
    "state": _state,
}


def code() -> Iterator[Hostile]:
    """Yield files that call something, in every form a call can have."""
    metadata = pickled(value(METADATA))
    number = 0
    for module, name, pattern in _CALLABLES:
        for form, build in _FORMS.items():
            number += 1
            marker = f"marker/code-{number}"
            first = build(module, name, _argument(pattern, marker))
            yield Hostile(
                id=f"code/{form}-{module}.{name}",
                expect="reject",
                content=first + metadata,
                marker=marker,
            )
        marker = f"marker/code-in-metadata-{number}"
        payload = called(named(module, name), _argument(pattern, marker))
        yield Hostile(
            id=f"code/metadata-{module}.{name}",
            expect="reject",
            content=with_metadata(x=payload),
            marker=marker,
        )
    trailer = pickled(called(named("os", "mkdir"), "marker/code-third"))
    yield Hostile(
        id="code/third-pickle",
        expect="survive",
        content=qfile() + trailer,
        marker="marker/code-third",
    )
    yield from _code_by_detours()


def _code_by_detours() -> Iterator[Hostile]:
    marker = "marker/code-detour"
    computed = called(named("builtins", "str.__add__"), "o", "s")
    mkdir = called(named("builtins", "getattr"), named("os", "path"), "mkdir")
    detours = {
        "computed-name": computed + text("mkdir") + b"\x93" + value((marker,)) + b"R",
        "getattr": Raw(mkdir + value((marker,)) + b"R"),
        "dup": Raw(named("os", "mkdir") + b"2" + value((marker,)) + b"R"),
        "newobj-ex": named("os", "mkdir") + value((marker,)) + b"}\x92",
        "setstate-in-state": Raw(
            new(MESSAGE, {"__setstate__": named("os", "mkdir")}) + text(marker) + b"b"
        ),
        "slot-state": Raw(MESSAGE + value((None, {"get": POLICY})) + b"b"),
        "append-to-instance": Raw(new(MESSAGE) + text(marker) + b"a"),
        "set-item-of-instance": Raw(new(MESSAGE) + text("a") + text(marker) + b"s"),
        "add-to-instance": Raw(new(MESSAGE) + b"(" + text(marker) + b"\x90"),
        "environ": named("os", "environ") + text("A") + text("b") + b"s",
        "path": named("sys", "path") + text(marker) + b"a",
        "extension": Raw(b"\x82\x01"),
        "persistent": Raw(text(marker) + b"Q"),
        "persistent-text": Raw(f"P{marker}\n".encode()),
        "buffer": Raw(b"\x97"),
        "read-only-buffer": Raw(text("a") + b"\x98"),
        "case": new(named("Email.Message", "Message"), STATE),
        "space": new(named("email.message ", "Message"), STATE),
        "nul": new(named("email.message\0", "Message"), STATE),
        "relative": new(named(".email.message", "Message"), STATE),
        "number-as-module": Raw(b"K\x01" + text("a") + b"\x93"),
        "long-name": called(named("email." * 20_000, "a"), marker),
    }
    for name, opcodes in detours.items():
        yield Hostile(
            id=f"code/{name}", expect="reject", content=qfile(opcodes), marker=marker
        )


# --- Classes that are known -------------------------------------------------

_VALUES = (
    ("datetime", "datetime"),
    ("datetime", "date"),
    ("datetime", "time"),
    ("datetime", "timedelta"),
    ("datetime", "timezone"),
    ("_codecs", "encode"),
    ("builtins", "set"),
    ("builtins", "frozenset"),
    ("builtins", "complex"),
    ("builtins", "bytearray"),
    ("__builtin__", "set"),
    ("__builtin__", "bytes"),
)
_KNOWN = (
    *_VALUES,
    ("email.message", "Message"),
    ("mailman.email.message", "UserNotification"),
    ("email._policybase", "Compat32"),
    ("email.header", "Header"),
    ("email.charset", "Charset"),
    ("email.errors", "MissingHeaderBodySeparatorDefect"),
    ("mailman.interfaces.action", "Action"),
)
_ARGUMENTS: tuple[tuple[Any, ...], ...] = (
    (),
    (None,),
    (b"\xff" * 10,),
    (b"\0" * 10,),
    ("\xff" * 10,),
    (1 << 62,),
    (-1, -1, -1),
    (1e308, 1e308),
    ("a" * 3000, "punycode"),
    ("a", "latin1", "no-such-handler"),
    ([[]],),
    ({"a": 1},),
    (b"\x07\xe8\x01\x01\0\0\0\0\0\0", "no zone"),
)


def classes() -> Iterator[Hostile]:
    """Yield files that misuse the classes a mail queue needs."""
    for module, name in _KNOWN:
        kind = named(module, name)
        odd = {
            "class-as-value": kind,
            "state-of-class": Raw(kind + value({"a": 1}) + b"b"),
            "slots-of-class": Raw(kind + value((None, {"a": 1})) + b"b"),
            "items": Raw(new(kind) + b"(" + text("a") + b"e"),
            "new": new(kind),
            "state": new(kind, {"a": 1}),
            "class-as-state": new(kind, named("email.header", "Header")),
        }
        for number, arguments in enumerate(_ARGUMENTS):
            odd[f"called-{number}"] = called(kind, *arguments)
        for what, opcodes in odd.items():
            expect = "reject" if "class" in what or what == "items" else "survive"
            yield Hostile(
                id=f"classes/{module}.{name}-{what}",
                expect=expect,
                content=with_metadata(x=opcodes),
            )
    yield Hostile(
        id="classes/latest-datetime",
        expect="ok",
        content=with_metadata(
            x=called(
                named("datetime", "datetime"),
                b"\x27\x0f\x0c\x1f\x17\x3b\x3b\x0f\x42\x3f",
            )
        ),
    )

"""The outline of a message: what a pickled one says, checked field by field.

Making it needs nothing of the ``email`` package, so that a file can be looked
at, and be found in order, before anybody asks for its message.
"""

from __future__ import annotations

from qtool.errors import CorruptQFile, UnsafeQFile
from qtool.msgdata import show_value
from qtool.qfile.inert import Inert, Role

TYPE_CHECKING = False  # as type checkers know it; importing typing costs 3 ms

if TYPE_CHECKING:
    from typing import Any

    from qtool.qfile.values import Values

MAX_PARTS_DEEP = 60
"""A message within a message, and so on, deeper than this is refused."""

_FIELDS = frozenset(
    (
        "policy", "_headers", "_payload", "_unixfrom", "_charset", "preamble",
        "epilogue", "defects", "_default_type", "__version__",
    )
)  # fmt: skip


class CharsetOutline:
    """A character set as a message names it."""

    __slots__ = ("encodings", "names")

    def __init__(self, names: dict[str, str | None], encodings: dict[str, int | None]):
        self.names = names
        self.encodings = encodings


class HeaderOutline:
    """A header's value in chunks, each in its character set."""

    __slots__ = ("charset", "chunks", "settings")

    def __init__(
        self,
        chunks: list[tuple[str | bytes, CharsetOutline]],
        charset: CharsetOutline,
        settings: dict[str, Any],
    ) -> None:
        self.chunks = chunks
        self.charset = charset
        self.settings = settings


class Outline:
    """A message, or a part of one."""

    __slots__ = (
        "charset",
        "default_type",
        "defects",
        "epilogue",
        "extras",
        "headers",
        "payload",
        "preamble",
        "unixfrom",
    )

    def __init__(self) -> None:
        self.headers: list[tuple[str, str | HeaderOutline]] = []
        self.payload: str | list[Outline] | None = None
        self.unixfrom: str | None = None
        self.charset: CharsetOutline | str | None = None
        self.preamble: str | None = None
        self.epilogue: str | None = None
        self.default_type = "text/plain"
        self.defects: list[tuple[str, str]] = []
        self.extras: dict[str, Any] = {}
        """Attributes that Mailman keeps on its messages, by name."""


class Outliner:
    """Checks one pickled message."""

    __slots__ = ("_depth", "_strict", "_values")

    def __init__(self, values: Values, *, strict: bool) -> None:
        self._values = values
        self._strict = strict
        self._depth = 0

    def outline(self, value: Any) -> Outline:
        """Return the outline of what was unpickled in the place of a message."""
        if not isinstance(value, Inert) or value.role not in (
            Role.MESSAGE,
            Role.SYMBOL,
        ):
            return self._no_message(value)
        if value.built is not None:
            return self._shared(value)
        self._depth += 1
        if self._depth > MAX_PARTS_DEEP:
            raise UnsafeQFile("its message is nested too deep")
        value.built = value  # found again within itself, it is a cycle
        outline = value.built = self._message(value)
        self._depth -= 1
        return outline

    def _shared(self, value: Inert) -> Outline:
        if isinstance(value.built, Outline) and not isinstance(
            value.built.payload, list
        ):
            return value.built
        raise UnsafeQFile("its message contains a part of it again and again")

    def _no_message(self, value: Any) -> Outline:
        if self._strict:
            raise CorruptQFile("its first half is not a message")
        outline = Outline()
        outline.payload = show_value(self._values.plain(value))
        return outline

    def _wrong(self, what: str) -> CorruptQFile:
        return CorruptQFile(f"its message is malformed: {what}")

    def _message(self, value: Inert) -> Outline:
        state = value.state
        if value.args or type(state) is not dict:
            raise self._wrong("it has no state")
        fields = self._fields(state)
        outline = Outline()
        outline.headers = self._headers(fields.get("_headers", []))
        outline.payload = self._payload(fields.get("_payload"))
        outline.unixfrom = self._text(fields.get("_unixfrom"), "its From line")
        outline.preamble = self._text(fields.get("preamble"), "its preamble")
        outline.epilogue = self._text(fields.get("epilogue"), "its epilogue")
        outline.charset = self._message_charset(fields.get("_charset"))
        kind = self._text(fields.get("_default_type"), "its default type")
        outline.default_type = kind or "text/plain"
        outline.defects = self._defects(fields.get("defects", []))
        self._check_policy(fields.get("policy"))
        for name, item in fields.items():
            if name not in _FIELDS:
                outline.extras[name] = self._extra(name, item)
        return outline

    def _fields(self, state: dict[Any, Any]) -> dict[str, Any]:
        if set(map(type, state)) == {str}:
            return state
        return {self._key(key): item for key, item in state.items()}

    def _key(self, key: Any) -> str:
        if type(key) is bytes:
            key = key.decode("ascii", "backslashreplace")
        if type(key) is str:
            return key
        if self._strict:
            raise self._wrong("it has a field without a name")
        return show_value(self._values.plain(key))

    def _extra(self, name: str, value: Any) -> Any:
        if self._strict and (not name.isidentifier() or name.startswith("__")):
            raise self._wrong("it has a strange field")
        return self._values.plain(value)

    def _text(self, value: Any, what: str) -> str | None:
        if value is None or type(value) is str:
            return value
        if type(value) is bytes:
            return value.decode("ascii", "surrogateescape")
        if self._strict:
            raise self._wrong(f"{what} is no text")
        return show_value(self._values.plain(value))

    # --- Headers

    def _headers(self, pairs: Any) -> list[tuple[str, str | HeaderOutline]]:
        if type(pairs) is not list:
            if self._strict:
                raise self._wrong("its headers are no list")
            pairs = [("", pairs)]
        headers: list[tuple[str, str | HeaderOutline]] = []
        for pair in pairs:
            if type(pair) is tuple and len(pair) == 2:
                name, value = pair
            elif self._strict:
                raise self._wrong("a header is no pair")
            else:
                name, value = "", pair
            if type(name) is not str:
                name = self._text(name, "a header's name") or ""
            if type(value) is not str:
                value = self._header_value(value)
            headers.append((name, value))
        return headers

    def _header_value(self, value: Any) -> str | HeaderOutline:
        if not isinstance(value, Inert) or value.role is not Role.HEADER:
            return self._text(value, "a header's value") or ""
        if value.built is None:
            value.built = self.header(value)
        if not isinstance(value.built, HeaderOutline):
            raise self._wrong("a header contains itself")
        return value.built

    def header(self, value: Inert) -> HeaderOutline:
        """Return the outline of a header's value."""
        state = self._state_of(value, "a header")
        chunks = state.get("_chunks")
        if type(chunks) is not list:
            raise self._wrong("a header has no chunks")
        outlined: list[tuple[str | bytes, CharsetOutline]] = []
        for chunk in chunks:
            if type(chunk) not in (tuple, list) or len(chunk) != 2:
                raise self._wrong("a header's chunk is no pair")
            if type(chunk[0]) not in (str, bytes):
                raise self._wrong("a header's chunk is no text")
            outlined.append((chunk[0], self._charset(chunk[1])))
        settings: dict[str, Any] = {}
        for name in ("_maxlinelen", "_headerlen"):
            if type(number := state.get(name)) is int and 0 <= number < 1 << 31:
                settings[name] = number
        space = self._text(state.get("_continuation_ws"), "a header's space")
        settings["_continuation_ws"] = space if space in (" ", "\t") else " "
        return HeaderOutline(outlined, self._charset(state.get("_charset")), settings)

    def _state_of(self, value: Inert, what: str) -> dict[str, Any]:
        if value.args or type(value.state) is not dict:
            raise self._wrong(f"{what} has no state")
        return self._fields(value.state)

    # --- Character sets

    def _message_charset(self, value: Any) -> CharsetOutline | str | None:
        if isinstance(value, Inert) and value.role is Role.CHARSET:
            return self._charset(value)
        return self._text(value, "its character set")

    def _charset(self, value: Any) -> CharsetOutline:
        if not isinstance(value, Inert) or value.role is not Role.CHARSET:
            name = self._text(value, "a character set") or "us-ascii"
            return CharsetOutline({"input_charset": name}, {})
        if value.built is None:
            value.built = self._new_charset(self._state_of(value, "a character set"))
        built: CharsetOutline = value.built
        return built

    def _new_charset(self, state: dict[str, Any]) -> CharsetOutline:
        names = {
            name: self._text(state.get(name), "a character set")
            for name in (
                "input_charset", "output_charset", "input_codec", "output_codec"
            )
        }  # fmt: skip
        names["input_charset"] = names["input_charset"] or "us-ascii"
        encodings: dict[str, int | None] = {}
        for name in ("header_encoding", "body_encoding"):
            encoding = state.get(name)
            if encoding is not None and (
                type(encoding) is not int or not 1 <= encoding <= 3
            ):
                raise self._wrong("a character set has a strange encoding")
            encodings[name] = encoding
        return CharsetOutline(names, encodings)

    # --- The rest

    def _payload(self, value: Any) -> str | list[Outline] | None:
        if type(value) is list:
            return [self.outline(part) for part in value]
        return self._text(value, "its payload")

    def _defects(self, value: Any) -> list[tuple[str, str]]:
        defects: list[tuple[str, str]] = []
        if type(value) is not list:
            return defects
        for defect in value:
            if isinstance(defect, Inert) and defect.role is Role.DEFECT:
                said = defect.args[0] if defect.args else ""
                text = said if type(said) is str else ""
                defects.append((defect.name.rpartition(".")[2], text))
            elif type(defect) is str:
                defects.append(("MessageDefect", defect))
            elif self._strict:
                raise self._wrong("it has a strange defect")
        return defects

    def _check_policy(self, value: Any) -> None:
        known = isinstance(value, Inert) and value.role is Role.POLICY
        if self._strict and value is not None and not known:
            raise self._wrong("it has a strange policy")

"""Avro's binary form for flat records, in plain Python, because that is the faster way here.

Measured on this project's positions (34 fields, eight of them nullable; `python -m bench streams`): less than
half of fastavro's time out, about two thirds in; fastavro spends it on unions. This module knows flat records
only: text, numbers, true and false, each possibly null. Tests hold its bytes against fastavro's, which reads
everything else.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from textwrap import indent
from typing import Any, cast

REMEMBERED = 20_000
INT_BITS, LONG_BITS = 31, 63
DOUBLE = struct.Struct("<d")
PRESENT_DOUBLE = struct.Struct("<bd")
NULL, PRESENT = b"\x00", b"\x02"
Write = Callable[[Any], bytes]


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a flat record. kind: string, int, long, double or boolean; in JSON also strings, a list of them.

    A field with a default is not required.
    """

    name: str
    kind: str
    nullable: bool
    required: bool
    default: Any = None


class Malformed(ValueError):
    """The bytes are not a record of the schema, or the schema cannot hold the record."""


class _Remembered(dict[Any, bytes]):
    """A cache of encoded values. Names, codes, laps and ticks repeat, so most lookups end in C."""

    def __init__(self, write: Write, known: Iterable[tuple[Any, bytes]] = ()) -> None:
        super().__init__(known)
        self._write = write

    def __missing__(self, value: Any) -> bytes:
        data = self._write(value)
        if len(self) >= REMEMBERED:
            self.clear()
        self[value] = data
        return data


class _Nullable(dict[Any, bytes]):
    def __init__(self, write: Write) -> None:
        super().__init__({None: NULL})
        self._write = write

    def __missing__(self, value: Any) -> bytes:
        return self._write(value)


def _varint(number: int) -> bytes:
    zigzag, out = (number << 1) ^ (number >> LONG_BITS), bytearray()
    while zigzag > 127:
        out.append(zigzag & 127 | 128)
        zigzag >>= 7
    out.append(zigzag)
    return bytes(out)


def _whole(bits: int) -> Write:
    def write(number: int) -> bytes:
        if not -1 << bits <= number < 1 << bits:
            raise Malformed(f"{number} does not fit")
        return _varint(number)

    return write


def _text(text: str) -> bytes:
    data = text.encode()
    return _varint(len(data)) + data


_BOOLEANS = {False: b"\x00", True: b"\x01"}
_WRITERS: dict[str, Callable[[], Write]] = {
    "string": lambda: _Remembered(_text).__getitem__,
    "int": lambda: _Remembered(_whole(INT_BITS)).__getitem__,
    "long": lambda: _Remembered(_whole(LONG_BITS)).__getitem__,
    "double": lambda: DOUBLE.pack,
    "boolean": lambda: _BOOLEANS.__getitem__,
}


def _writer(field: Field) -> Write:
    if not field.nullable:
        return _WRITERS[field.kind]()
    if field.kind == "double":
        return _Nullable(lambda number: PRESENT_DOUBLE.pack(2, number)).__getitem__
    write = _WRITERS[field.kind]()
    return _Nullable(lambda value: PRESENT + write(value)).__getitem__


def make_encoder(fields: tuple[Field, ...]) -> Callable[[dict[str, Any], bytes], bytes]:
    """Compiles a function of (record, header) that returns the bytes. It raises KeyError, TypeError, ValueError,
    AttributeError or struct.error for a record that does not fit.
    """
    writers = {f"write{number}": _writer(field) for number, field in enumerate(fields)}
    parts = ", ".join(f"write{number}(record[{field.name!r}])" for number, field in enumerate(fields))
    whole = _compiled("write", "record, header", f"return header + b''.join(({parts},))", writers)
    defaults = {field.name: field.default for field in fields if not field.required}

    def encode(record: dict[str, Any], header: bytes) -> bytes:
        try:
            return cast(bytes, whole(record, header))
        except KeyError:
            return cast(bytes, whole({**defaults, **record}, header))

    return encode


def _compiled(name: str, arguments: str, body: str, names: dict[str, Any]) -> Callable[..., Any]:
    """Compiles a function from source, as the standard library does for named tuples. A loop over the fields of each
    record would take half as long again.
    """
    namespace = dict(names)
    exec(f"def {name}({arguments}):\n" + indent(body, "    "), namespace)  # noqa: S102 (our own schemas)
    return cast(Callable[..., Any], namespace[name])


def _long_at(data: bytes, at: int) -> tuple[int, int]:
    """Decodes a number. Returns (number, offset of the next field)."""
    zigzag = shift = 0
    while True:
        byte = data[at]
        at += 1
        zigzag |= (byte & 127) << shift
        if byte < 128:
            break
        shift += 7
        if shift > LONG_BITS:
            raise Malformed("a number longer than 64 bits")
    if zigzag >> 64:
        raise Malformed("a number longer than 64 bits")
    return (zigzag >> 1) ^ -(zigzag & 1), at


def _text_at(data: bytes, at: int) -> tuple[str, int]:
    length, at = _long_at(data, at)
    if length < 0:
        raise Malformed("a text of negative length")
    end = at + length
    return data[at:end].decode(), end


def _boolean_at(data: bytes, at: int) -> tuple[bool, int]:
    if data[at] > 1:
        raise Malformed("neither true nor false")
    return data[at] == 1, at + 1


# Source that decodes one field, by kind. It sets VALUE and moves `at` behind the field.
_READ = {
    "double": "VALUE, at = double_at(data, at)[0], at + 8",
    "string": """
byte = data[at]
if byte < 128 and not byte & 1:
    start, at = at + 1, at + 1 + (byte >> 1)
    VALUE = data[start:at].decode()
else:
    VALUE, at = text_at(data, at)""",
    "boolean": "VALUE, at = boolean_at(data, at)",
    "int": """
byte = data[at]
if byte < 128:
    VALUE, at = (byte >> 1) ^ -(byte & 1), at + 1
else:
    VALUE, at = long_at(data, at)""",
}
_READ["long"] = _READ["int"]
_NULLABLE = """
byte, at = data[at], at + 1
if byte == 0:
    VALUE = None
elif byte != 2:
    raise Malformed("neither null nor a value")
else:
"""
_END = """
if at != len(data):
    raise Malformed(f"{len(data) - at} bytes too many")
return """
_NAMES = {
    "double_at": DOUBLE.unpack_from, "text_at": _text_at, "long_at": _long_at, "boolean_at": _boolean_at,
    "Malformed": Malformed,
}  # fmt: skip


def make_decoder(fields: tuple[Field, ...]) -> Callable[[bytes, int], dict[str, Any]]:
    """Compiles a function of (data, offset of the record) that returns the record. It raises ValueError, IndexError
    or struct.error. It never allocates more than the data's own size, whatever the bytes say.
    """
    lines = []
    for number, field in enumerate(fields):
        read = _READ[field.kind].strip()
        text = _NULLABLE.strip() + "\n" + indent(read, "    ") if field.nullable else read
        lines.append(text.replace("VALUE", f"v{number}"))
    record = ", ".join(f"{field.name!r}: v{number}" for number, field in enumerate(fields))
    body = "\n".join(lines) + _END + "{" + record + "}"
    return _compiled("decode", "data, at", body, _NAMES)

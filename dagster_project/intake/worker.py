"""The process that opens workbooks: a damaged one may ask for 800 GB or bring the parser down, and then only this process dies.

Belongs here: bytes of an xlsx or xls → sheets of text, as JSON over pipes. Runs as a program of its own with limits on memory; the
parent (``workbooks``) holds the clock. Imports only the standard library and the parsers, so that it starts in a tenth of a second.
Does not belong here: layouts, numbers, or any judgement on a cell.

Request: eight bytes of length, the file. Answer: eight bytes of length, ``{"sheets": …, "remarks": …}`` or ``{"error": [code, message]}``.
"""

from __future__ import annotations

import io
import json
import re
import resource
import struct
import sys
import zipfile
from datetime import date, datetime, time, timedelta
from typing import Any
from xml.etree import ElementTree

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
DEFAULT_PASSWORD = "VelvetSweatshop"  # Excel writes it into write-protected workbooks that open without asking
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
SEPARATOR = "\x7f"  # between the cells of a column on the way to the parent; JSON has no need to spell it out
# A ROW record whose option flags say hidden: without any, the records need not be walked.
_HIDDEN_ROW = re.compile(rb"\x08\x02\x10\x00.{12}[\x20-\x3f\x60-\x7f\xa0-\xbf\xe0-\xff]", re.DOTALL)
_DOCTYPE = re.compile(rb"<\x00?!\x00?(?:D\x00?O\x00?C\x00?T\x00?Y\x00?P\x00?E|E\x00?N\x00?T\x00?I\x00?T\x00?Y)", re.IGNORECASE)
_DAMAGED = "not a workbook that Excel would open (damaged): open it in Excel, save it again and drop it in"
_PASSWORD = "the workbook asks for a password: save it without one and drop it in again"
_SPREAD = "Delete the empty rows and columns behind the table (Excel counts them as part of the sheet) and save it again"


class Refused(Exception):
    """A workbook that is not read: a stable code and what to do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def text(value: object) -> str:
    """A cell as its digits: a number cell has no more than the fifteen that Excel shows."""
    if isinstance(value, float):
        shortest = repr(value)
        if len(shortest) > 16:
            shortest = repr(float(f"{value:.15g}"))
        return shortest.removesuffix(".0")
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(sep=" ")
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value)
    return str(value)


def _texts(column: tuple[object, ...]) -> list[str]:
    """:func:`text` of each; numbers, which are nearly all of a table, without a call for each."""
    texts = [
        value if type(value) is str else (shown[:-2] if (shown := repr(value))[-2:] == ".0" else shown) if type(value) is float else text(value)
        for value in column
    ]
    return texts if max(map(len, texts), default=0) <= 16 else [value if type(value) is str else text(value) for value in column]


def _joined(texts: list[str]) -> str:
    """A column as one text: ten times faster to hand over than its cells."""
    joined = SEPARATOR.join(texts)
    return joined if joined.count(SEPARATOR) == len(texts) - 1 else SEPARATOR.join(text.replace(SEPARATOR, " ") for text in texts)


def _checked_archive(data: bytes, limits: dict[str, int]) -> zipfile.ZipFile:
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        members = archive.infolist()
    except Exception as error:
        raise Refused("workbook", _DAMAGED) from error
    names = {member.filename for member in members}
    if any(name.startswith("META-INF/") for name in names) or "mimetype" in names:
        raise Refused("ods", "an OpenDocument file: save it as .xlsx and drop it in again")
    if "xl/workbook.bin" in names:
        raise Refused("xlsb", "a binary workbook (.xlsb): save it as .xlsx and drop it in again")
    if not any(name.startswith("xl/") for name in names):
        raise Refused("zip", "an archive or another kind of document, not a workbook: unpack it and drop the tables in")
    size = sum(member.file_size for member in members)
    if size > limits["unpacked_bytes"]:
        raise Refused("bomb", f"the workbook unpacks to {size} bytes: over the limit of {limits['unpacked_bytes']}")
    if size > 1 << 24 and size > limits["unpacked_ratio"] * len(data):
        raise Refused("bomb", f"the workbook unpacks to {size // max(len(data), 1)} times its size: over the limit of {limits['unpacked_ratio']}")
    return archive


def _xlsx_facts(archive: zipfile.ZipFile) -> dict[str, dict[str, Any]]:
    """By sheet: hidden rows and the formulas that have no value. Raises Refused for XML that defines entities."""
    parts: dict[str, bytes] = {}
    for member in archive.infolist():
        if member.filename.endswith((".xml", ".rels")):
            try:
                parts[member.filename] = archive.read(member)
            except Exception as error:
                raise Refused("workbook", _DAMAGED) from error
            if _DOCTYPE.search(parts[member.filename]):
                raise Refused(
                    "entities", f"its part {member.filename} defines XML entities, which no spreadsheet program writes: save it again from Excel"
                )
    facts: dict[str, dict[str, Any]] = {}
    try:
        targets = {node.get("Id"): node.get("Target", "") for node in ElementTree.fromstring(parts["xl/_rels/workbook.xml.rels"])}
        book = ElementTree.fromstring(parts["xl/workbook.xml"])
    except (KeyError, ElementTree.ParseError):
        return facts  # the parser will say what is wrong
    for sheet in book.iter():
        if not sheet.tag.endswith("}sheet"):
            continue
        relation = next((value for key, value in sheet.attrib.items() if key.endswith("}id")), "")
        target = targets.get(relation, "").lstrip("/").removeprefix("xl/")
        body = parts.get(f"xl/{target}", b"")
        if re.search(rb"<(?:\w+:)?f[ >/]", body) or re.search(rb"\shidden=", body):
            facts[sheet.get("name", "")] = _sheet_facts(body)
    return facts


def _sheet_facts(body: bytes) -> dict[str, Any]:
    hidden: list[int] = []
    formulas: dict[str, str] = {}
    number = 0
    try:
        for _event, node in ElementTree.iterparse(io.BytesIO(body)):
            tag = node.tag.rpartition("}")[2]
            if tag == "row":
                number = int(node.get("r") or number + 1)
                if node.get("hidden") in ("1", "true"):
                    hidden.append(number)
                node.clear()
            elif tag == "c":
                kinds = {child.tag.rpartition("}")[2]: child for child in node}
                valued = "v" in kinds and (kinds["v"].text or node.get("t") == "str")  # an empty text is a value too
                if "f" in kinds and not valued:
                    formulas[node.get("r") or ""] = "=" + (kinds["f"].text or "")
    except (ElementTree.ParseError, ValueError):
        return {}
    return {"hidden_rows": hidden, "formulas": formulas}


def _xls_facts(data: bytes) -> tuple[dict[str, dict[str, Any]], bool]:
    """By sheet: hidden rows; and whether the workbook carries macros."""
    import olefile

    facts: dict[str, dict[str, Any]] = {}
    try:
        with olefile.OleFileIO(io.BytesIO(data)) as container:
            macros = any("VBA" in part.upper() for path in container.listdir(streams=False, storages=True) for part in path)
            name = next((name for name in ("Workbook", "Book") if container.exists(name)), "")
            stream = container.openstream(name).read() if name else b""
    except Exception:
        return facts, False
    if not _HIDDEN_ROW.search(stream):
        return facts, macros
    starts: dict[int, str] = {}
    position, end = 0, len(stream) - 4
    header = struct.Struct("<HH").unpack_from
    hidden: list[int] | None = None
    while position <= end:
        kind, length = header(stream, position)
        if kind == 0x0208:  # ROW
            if hidden is not None and length >= 14 and stream[position + 4 + 12] & 0x20:
                hidden.append(int.from_bytes(stream[position + 4 : position + 6], "little") + 1)
        elif kind == 0x0809:  # BOF
            hidden = facts.setdefault(starts[position], {"hidden_rows": []})["hidden_rows"] if position in starts else None
        elif kind == 0x0085 and length > 8:  # BOUNDSHEET
            body = stream[position + 4 : position + 4 + length]
            wide = body[7] & 1
            size = body[6] * (2 if wide else 1)
            starts[int.from_bytes(body[:4], "little")] = body[8 : 8 + size].decode("utf-16-le" if wide else "latin-1", "replace")
        position += 4 + length
    return facts, macros


def _unlocked(data: bytes) -> tuple[bytes, Any]:
    """The bytes behind Excel's own default password, or those given; and the workbook, where opening it was the test.

    Raises Refused where another password is needed.
    """
    from python_calamine import CalamineError, CalamineWorkbook

    if data[:8] != OLE:
        return data, None
    damaged: Exception | None = None
    if _ENCRYPTED not in data:
        try:
            return data, CalamineWorkbook.from_filelike(io.BytesIO(data))
        except CalamineError as error:
            damaged = error
    import msoffcrypto

    plain = io.BytesIO()
    try:
        locked = msoffcrypto.OfficeFile(io.BytesIO(data))
        encrypted = locked.is_encrypted()
    except Exception:
        encrypted = damaged is None
    if damaged is not None and not encrypted:
        raise damaged
    try:
        locked.load_key(password=DEFAULT_PASSWORD, **({"verify_password": True} if locked.format == "ooxml" else {}))
        locked.decrypt(plain)
    except Exception as error:
        raise Refused("password", _PASSWORD) from error
    return plain.getvalue(), None


def read(data: bytes, limits: dict[str, int]) -> dict[str, Any]:
    """Sheets as columns of text. Raises :class:`Refused`, or whatever a damaged file makes the parser raise."""
    from python_calamine import CalamineWorkbook

    remarks: list[list[str]] = []
    plain, book = _unlocked(data)
    if plain is not data:
        remarks.append(["", "write_protected", "opens with Excel's default password"])
    if plain[:8] == OLE:
        facts, macros = _xls_facts(plain)
    else:
        archive = _checked_archive(plain, limits)
        facts, macros = _xlsx_facts(archive), "xl/vbaProject.bin" in archive.namelist()
    book = book or CalamineWorkbook.from_filelike(io.BytesIO(plain))
    if macros:
        remarks.append(["", "macros", "the workbook carries macros; they were not run"])
    sheets = []
    total = 0
    for meta in book.sheets_metadata:
        if not str(meta.typ).endswith("WorkSheet"):
            remarks.append([meta.name, "no_table", "a chart or macro sheet: it holds no cells"])
            continue
        sheet = book.get_sheet_by_name(meta.name)
        if sheet.start is None:
            continue
        total += sheet.height * sheet.width
        if sheet.width > limits["columns"] or sheet.height > limits["rows"] or total > limits["cells"]:
            raise Refused(
                "cells",
                f"sheet {meta.name!r} spans {sheet.height} rows and {sheet.width} columns: over the limit of {limits['cells']} cells. {_SPREAD}",
            )
        rows = sheet.to_python(skip_empty_area=True)
        own = facts.get(meta.name, {})
        columns = [_joined(_texts(column)) for column in zip(*rows, strict=True)]
        formulas = own.get("formulas", {})
        sheets.append(
            {
                "name": meta.name,
                "start": sheet.start,
                "columns": columns,
                "hidden": not str(meta.visible).endswith(".Visible"),
                "hidden_rows": own.get("hidden_rows", []),
                "formulas": formulas,
                "merged": [[top[0], top[1], bottom[0], bottom[1]] for top, bottom in sheet.merged_cell_ranges or []],
            }
        )
    return {"kind": "xls" if plain[:8] == OLE else "xlsx", "sheets": sheets, "remarks": remarks}


def answer(data: bytes, limits: dict[str, int]) -> dict[str, Any]:
    """What :func:`read` gives or why not; nothing that a file does to the parser goes further."""
    try:
        return read(data, limits)
    except Refused as refusal:
        return {"error": [refusal.code, str(refusal)]}
    except MemoryError:
        return {"error": ["memory", f"reading it takes more than {limits['memory_bytes'] >> 20} MB of memory. {_SPREAD}"]}
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # a panic of the parser is no Exception
        name = type(error).__name__
        return {"error": ["password", _PASSWORD] if name == "PasswordError" else ["workbook", _DAMAGED]}


def main() -> None:
    """Answer files until the parent closes the pipe."""
    limits: dict[str, int] = json.loads(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_AS, (limits["memory_bytes"], limits["memory_bytes"]))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    while len(length := source.read(8)) == 8:
        data = source.read(struct.unpack("<Q", length)[0])
        body = json.dumps(answer(data, limits), ensure_ascii=False).encode("utf-8", "replace")
        sink.write(struct.pack("<Q", len(body)) + body)
        sink.flush()


if __name__ == "__main__":
    main()

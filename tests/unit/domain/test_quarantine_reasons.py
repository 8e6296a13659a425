"""Every reason that code can give is explained in both languages, with a remedy."""

from __future__ import annotations

import ast
from pathlib import Path

from chalicelib.domain.quarantine import REASONS


def given_reasons():
    """First arguments of Unreadable(...) and Refused(...) that are written out."""
    for path in Path("chalicelib").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
                first = node.args[0]
                if node.func.id in ("Unreadable", "Refused") and isinstance(first, ast.Constant):
                    yield first.value


def test_every_reason_is_explained():
    found = set(given_reasons())
    assert {"truncated", "not_dicom"} <= found
    assert found <= set(REASONS)


def test_explanations_are_in_their_language():
    for name, reason in REASONS.items():
        for text in (reason.en, reason.remedy_en):
            assert text.isascii(), name
            assert text.endswith("."), name
        for text in (reason.zh, reason.remedy_zh):
            assert any("\u4e00" <= char <= "\u9fff" for char in text), name
            assert text.endswith("。"), name

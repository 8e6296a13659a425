"""How a use case tells of a fault of ours that it contains to one record: by kind and line, never by content."""

from __future__ import annotations

import logging
import traceback

_log = logging.getLogger(__name__)


def note(fault: Exception) -> None:
    """Log that something is left to be tried again. An exception's own text may quote data: it is not logged."""
    frames = traceback.extract_tb(fault.__traceback__)
    ours = [frame for frame in frames if "chalicelib" in frame.filename]
    where = f"{ours[-1].filename.rpartition('chalicelib/')[2]}:{ours[-1].lineno}" if ours else "outside"
    _log.warning("left to be tried again: %s at %s", type(fault.__cause__ or fault).__name__, where)

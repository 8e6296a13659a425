"""Two commands that start in one moment on a new spool both get it."""

import sqlite3
import threading

from infra.hospital.imaging_hospital import state


def test_a_spool_that_another_command_is_making_is_waited_for(tmp_path):
    path = tmp_path / "state.sqlite3"
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN EXCLUSIVE")
    release = threading.Timer(0.3, lambda: other.execute("COMMIT"))
    release.start()
    mine = sqlite3.connect(path, timeout=0, isolation_level=None)
    state.write_ahead(mine)
    assert mine.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    release.join()
    mine.close()
    other.close()

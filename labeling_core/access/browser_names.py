"""The name that somebody has typed in a browser, in local use: it comes back after a reload."""

from __future__ import annotations

from labeling_core.store.database import Database


def remember(database: Database, browser: str, name: str) -> None:
    """Keep ``name`` for a browser (see media.browser_of); an empty one is forgotten."""
    if not browser:
        return
    with database.transaction() as cursor:
        cursor.execute("DELETE FROM labeling.names WHERE browser = ?", [browser])
        if name:
            cursor.execute("INSERT INTO labeling.names VALUES (?, ?)", [browser, name])


def remembered(database: Database, browser: str) -> str:
    """The name kept for a browser; empty if there is none."""
    with database.read() as cursor:
        row = cursor.execute(
            "SELECT name FROM labeling.names WHERE browser = ?", [browser]
        ).fetchone()
    return str(row[0]) if row else ""

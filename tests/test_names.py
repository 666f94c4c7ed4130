"""Names typed in a browser come back, there and nowhere else."""

from __future__ import annotations

from labeling_core import names
from labeling_core.database import Database


def test_a_name_comes_back_in_its_own_browser_after_a_restart_too(database):
    names.remember(database, "one", "eva")
    names.remember(database, "two", "tom")
    names.remember(database, "one", "éva")
    path = database.path
    database.close()
    again = Database(path)
    found = [names.remembered(again, each) for each in ("one", "two", "three")]
    again.close()
    assert found == ["éva", "tom", ""]


def test_an_emptied_name_is_forgotten_and_no_browser_shares_one(database):
    names.remember(database, "one", "eva")
    names.remember(database, "one", "")
    names.remember(database, "", "nobody")
    assert names.remembered(database, "one") == names.remembered(database, "") == ""

"""Names typed in a browser come back, there and nowhere else."""

from __future__ import annotations

from labeling_core.access import browser_names
from labeling_core.store.database import Database


def test_a_name_comes_back_in_its_own_browser_after_a_restart_too(database):
    browser_names.remember(database, "one", "eva")
    browser_names.remember(database, "two", "tom")
    browser_names.remember(database, "one", "éva")
    path = database.path
    database.close()
    again = Database(path)
    found = [browser_names.remembered(again, each) for each in ("one", "two", "three")]
    again.close()
    assert found == ["éva", "tom", ""]


def test_an_emptied_name_is_forgotten_and_no_browser_shares_one(database):
    browser_names.remember(database, "one", "eva")
    browser_names.remember(database, "one", "")
    browser_names.remember(database, "", "nobody")
    assert browser_names.remembered(database, "one") == browser_names.remembered(database, "") == ""

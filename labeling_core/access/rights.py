"""Who may do what: the one table, for the pages, the tests and docs/teams.md.

Each thing needs an action (people.ACTIONS) in the project that it is about. What is not named
here needs the most. ``label_*`` are the labeling pages, one for each kind of sample.
"""

from __future__ import annotations

from fnmatch import fnmatchcase

from labeling_core.people import ACTIONS, ROLES

PAGES = {
    "home": "see",
    "session_progress": "see",
    "label_*": "label",
    "query_sampler": "label",
    "review": "label",
    "simulation": "manage",
    "log": "label",
    "settings": "manage",
    "people": "manage",
    "storage": "manage",
}
ROUTES = {
    "POST /labeling/exchange": "label",
    "POST /labeling/review": "label",
    "POST /labeling/adjudication": "manage",
    "GET /labeling/media/{token}": "label",
    "GET /labeling/text/{token}": "label",
    "GET /labeling/export/{token}": "manage",
}
# Functions that take the person who acts (``by: Person``), as room.module.name.
USE_CASES = {
    "access.roles.Roles.remove_role": "manage",
    "access.roles.Roles.set_role": "manage",
    "integrity.checks.look": "manage",
    "integrity.checks.look_open": "manage",
    "integrity.checks.mend": "manage",
    "integrity.checks.mend_open": "manage",
    "integrity.remains.drop": "manage",
    "integrity.remains.forget": "manage",
    "integrity.remains.forget_and_drop": "manage",
    "integrity.storage.clear": "manage",
    "integrity.storage.look": "manage",
    "labeling.adjudicating.disputes": "manage",
    "labeling.adjudicating.submit": "manage",
    "labeling.category_changes.merge": "manage",
    "labeling.category_changes.offer": "manage",
    "labeling.category_changes.rename": "manage",
    "labeling.category_changes.retire": "manage",
    "labeling.label_import.bring_in": "manage",
    "labeling.label_import.plan": "manage",
    "labeling.label_import.take_back": "manage",
    "labeling.restoring.restore": "label",
    "labeling.reviewing.submit": "label",
    "live_sql.service.LiveSql.told": "manage",
    "models.final_model.train": "manage",
    "sessions.label_errors.look": "label",
    "sessions.label_errors.scope": "label",
    "simulation.data_sources.folder": "manage",
    "simulation.data_sources.project": "manage",
    "simulation.data_sources.table": "manage",
    "simulation.data_sources.upload": "manage",
    "simulation.data_sources.wine_colour": "manage",
    "simulation.simulations.Simulations.delete": "manage",
    "simulation.simulations.Simulations.listed": "manage",
    "simulation.simulations.Simulations.start": "manage",
    "simulation.simulations.Simulations.stop": "manage",
    "sources.sql_queries.query_table": "manage",
    "store.backups.Backups.make": "manage",
    "store.put_back.restore": "manage",
    "store.eventlog.annotators": "label",
    "store.eventlog.count": "label",
    "store.eventlog.export": "label",
    "store.eventlog.read": "label",
    "use_cases.add_rows": "manage",
    "use_cases.bring_in_labels": "manage",
    "use_cases.create_from_upload": "manage",
    "use_cases.create_project": "manage",
    "use_cases.delete_project": "manage",
    "use_cases.delete_with_tables": "manage",
    "use_cases.export_final_model": "manage",
    "use_cases.export_model": "manage",
    "use_cases.export_predictions": "manage",
    "use_cases.merge_category": "manage",
    "use_cases.offer_category": "manage",
    "use_cases.plan_at_start": "manage",
    "use_cases.plan_labels": "manage",
    "use_cases.read_files": "manage",
    "use_cases.refresh_source": "manage",
    "use_cases.rename_category": "manage",
    "use_cases.retire_category": "manage",
    "use_cases.run_session": "label",
    "use_cases.stop_reading": "manage",
    "use_cases.take_back_import": "manage",
    "use_cases.update_project": "manage",
    "use_cases.visible_projects": "see",
    "web.adjudication_exchange.answer": "manage",
    "web.exports.export": "manage",
    "web.exports.listed": "see",
    "web.label_exchange.answer": "label",
    "web.review_exchange.answer": "label",
    "web.review_exchange.issue": "label",
}
# Commands, by where they do their work. Whoever does it there is an admin: to open the database
# file is to own it, and the app asks the system who comes through its door.
THROUGH, STOPPED, WITHOUT = "through the app", "with the app stopped", "without a database"
COMMANDS = {
    "projects": THROUGH,
    "create": THROUGH,
    "delete": THROUGH,
    "import": THROUGH,
    "next": THROUGH,
    "label": THROUGH,
    "sample": THROUGH,
    "progress": THROUGH,
    "export": THROUGH,
    "backup": THROUGH,
    "check": THROUGH,
    "restore": STOPPED,
    "serve": STOPPED,
    "storage": THROUGH,
    "simulate": WITHOUT,
    "predict": WITHOUT,
}
KINDS = {"page": PAGES, "route": ROUTES, "use case": USE_CASES}


def page_action(page: str) -> str:
    """The action that a page needs; a page that is not in the table is for admins."""
    return next((PAGES[each] for each in PAGES if fnmatchcase(page, each)), "manage")


def markdown() -> str:
    """The table as it stands in docs/teams.md; who has not logged in has no column of yeses."""
    roles = ROLES[1:]
    lines = [f"| | no login | {' | '.join(roles)} | annotator of another project |"]
    lines.append("|---" * (len(roles) + 3) + "|")
    for kind, things in KINDS.items():
        for thing, action in things.items():
            allowed = [
                "yes" if ROLES.index(r) >= ROLES.index(ACTIONS[action]) else "" for r in roles
            ]
            lines.append(f"| {kind} `{thing}` | | {' | '.join(allowed)} | |")
    return "\n".join(lines)


def commands_markdown() -> str:
    """The table of commands as it stands in docs/teams.md."""
    lines = ["| command | owner of the database, and root | another user of the machine |"]
    lines.append("|---" * 3 + "|")
    for name, where in COMMANDS.items():
        lines.append(f"| `{name}` | {where} | {where if where == WITHOUT else ''} |")
    return "\n".join(lines)

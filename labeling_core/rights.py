"""Who may do what: the one table, for the pages, the tests and the README.

Each thing needs an action (people.ACTIONS) in the project that it is about. What is not named
here needs the most.
"""

from __future__ import annotations

from labeling_core.people import ACTIONS, ROLES

PAGES = {
    "home": "see",
    "session_progress": "see",
    "label_tabular": "label",
    "label_images": "label",
    "label_sounds": "label",
    "query_sampler": "label",
    "review": "label",
    "simulation": "manage",
    "log": "label",
    "settings": "manage",
    "people": "manage",
}
ROUTES = {
    "POST /labeling/exchange": "label",
    "POST /labeling/review": "label",
    "POST /labeling/adjudication": "manage",
    "GET /labeling/media/{token}": "label",
}
# Functions that take the person who acts (``by: Person``), as module.name.
USE_CASES = {
    "adjudication.disputes": "manage",
    "adjudication.submit": "manage",
    "adjudication_exchange.answer": "manage",
    "backups.Backups.make": "manage",
    "backups.restore": "manage",
    "category_changes.merge": "manage",
    "category_changes.offer": "manage",
    "category_changes.rename": "manage",
    "category_changes.retire": "manage",
    "eventlog.annotators": "label",
    "eventlog.count": "label",
    "eventlog.export": "label",
    "eventlog.read": "label",
    "exchange.answer": "label",
    "final_model.train": "manage",
    "label_review.look": "label",
    "label_review.scope": "label",
    "permitted.export_final_model": "manage",
    "permitted.export_model": "manage",
    "permitted.export_predictions": "manage",
    "permitted.export_table": "manage",
    "permitted.exports": "see",
    "permitted.read_files": "manage",
    "permitted.run_session": "label",
    "permitted.stop_reading": "manage",
    "permitted.visible_projects": "see",
    "restoring.restore": "label",
    "review_exchange.answer": "label",
    "review_exchange.issue": "label",
    "reviewing.submit": "label",
    "roles.Roles.remove_role": "manage",
    "roles.Roles.set_role": "manage",
    "simulation_data.folder": "manage",
    "simulation_data.project": "manage",
    "simulation_data.table": "manage",
    "simulation_data.upload": "manage",
    "simulation_data.wine_colour": "manage",
    "simulations.delete": "manage",
    "simulations.listed": "manage",
    "simulations.start": "manage",
    "simulations.stop": "manage",
    "workspace.Workspace.create_project": "manage",
    "workspace.Workspace.delete_project": "manage",
    "workspace.Workspace.refresh_source": "manage",
    "workspace.Workspace.update_project": "manage",
}
KINDS = {"page": PAGES, "route": ROUTES, "use case": USE_CASES}


def page_action(page: str) -> str:
    """The action that a page needs; a page that is not in the table is for admins."""
    return PAGES.get(page, "manage")


def markdown() -> str:
    """The table as it stands in the README; who has not logged in has no column of yeses."""
    roles = ROLES[1:]
    lines = [f"| | no login | {' | '.join(roles)} | annotator of another project |"]
    lines.append("|---" * (len(roles) + 3) + "|")
    for kind, things in KINDS.items():
        for thing, action in things.items():
            held = ["yes" if ROLES.index(r) >= ROLES.index(ACTIONS[action]) else "" for r in roles]
            lines.append(f"| {kind} `{thing}` | | {' | '.join(held)} | |")
    return "\n".join(lines)

"""The fields of the settings page that have to do with files, and what the model sees."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from labeling_core.errors import LabelingError
from labeling_core.modalities import own_features
from labeling_core.modalities.registry import SUFFIXES, TOGETHER, Modality, missing_for_now, offered
from labeling_core.settings import Project, Settings, named_after
from labeling_core.sources import uploads
from labeling_core.sources.folders import Listing, Refusal, allowed_places, chosen_folder
from labeling_core.sources.left_out import groups, look_through
from labeling_core.sources.uploads import Staged
from labeling_core.workspace import Workspace
from pages.forms.fields import Fields
from pages.shell.plain_text import escaped

UPLOAD, FOLDER = "Upload files", "Use a folder on the server"


def source(
    fields: Fields, workspace: Workspace, modality: str, base: Settings, old: Project | None
) -> tuple[str, Staged | None]:
    """The folder to label: one on the server, or an upload of many files or of a zip."""
    way = FOLDER
    if old is None:
        way = st.segmented_control(
            "Samples from", [UPLOAD, FOLDER], default=UPLOAD, key=fields.key("media_way"),
            required=True,
        )  # fmt: skip
    home = workspace.database.path.parent
    if way == UPLOAD:
        return _uploaded(fields, home, modality)
    known = base.source if base.modality == modality else ""
    folder = fields.text(
        "source", "Folder", known,
        "Its sub-folders belong to it. It lies below one of: "
        + ", ".join(f"`{each}`" for each in allowed_places()),
    )  # fmt: skip
    if folder:
        try:
            with st.spinner("Looking through the folder …"):
                found = listing(chosen_folder(folder, home), modality)
            _preview(len(found.files), found.refusals, modality)
        except (LabelingError, OSError) as error:
            fields.tell("source", str(error))
    return folder, None


@st.cache_data(ttl=30, max_entries=16, show_spinner=False)
def listing(folder: Path, modality: str) -> Listing:
    """The files of a folder; looked through again after half a minute."""
    return look_through(folder, SUFFIXES[modality])


def _uploaded(fields: Fields, home: Path, modality: str) -> tuple[str, Staged | None]:
    kinds = sorted(SUFFIXES[modality])
    files = st.file_uploader(
        f"{modality.capitalize()}, or a zip of them", type=[*kinds, ".zip"],
        accept_multiple_files=True, key=fields.key(f"files_{modality}"),
        help="Folders inside of a zip are kept. Names become the ids; those that some system "
        "cannot store are changed, and told.",
    )  # fmt: skip
    fields.slot("source", "Samples")
    if not files:
        return "", None
    staged = _stage(files, home, modality)
    _preview(staged.files, staged.refusals, modality)
    _told("stored under another name", staged.renamed)
    name = fields.text(
        "folder", "Name of the new folder", "", "The files are kept beside the database under it.",
        default=named_after(Path(files[0].name).stem if len(files) == 1 else modality),
    )  # fmt: skip
    return uploads.free_source(home, named_after(name)), staged


def _stage(files: list[Any], home: Path, modality: str) -> Staged:
    """Unpack an upload once; reruns find it there, and another upload takes its place."""
    ids = (modality, *(each.file_id for each in files))
    kept = st.session_state.get("staged")
    if kept is not None and kept[0] == ids and kept[1].folder.exists():
        return kept[1]
    if kept is not None:
        uploads.discard(kept[1])
    with st.spinner("Unpacking …"):
        staged = uploads.stage(home, [(each.name, each) for each in files], SUFFIXES[modality])
    st.session_state["staged"] = (ids, staged)
    return staged


def _preview(count: int, refusals: list[Refusal], modality: str) -> None:
    """How many files there are, and which were not taken: by kind, and each with its reason."""
    st.caption(f"{count:,} {modality}.")
    _told("not taken", refusals)


def _told(what: str, files: Sequence[Refusal]) -> None:
    if not files:
        return
    number = f"{len(files):,} file{'s' * (len(files) != 1)}"
    with st.expander(f"{number} {what}", icon=":material/warning:"):
        kinds = groups(files)
        st.dataframe(
            {"files": [each.files for each in kinds],
             "what they are, and what would help": [each.reason for each in kinds],
             "for example": [each.example for each in kinds]},
            hide_index=True,
        )  # fmt: skip
        st.dataframe(
            {"file": [each.name for each in files], "reason": [each.reason for each in files]},
            hide_index=True,
        )


def windows(fields: Fields, modality: Modality, base: Settings) -> dict[str, Any]:
    """How recordings are cut, as keywords of Settings; nothing is asked where they cannot be."""
    if not modality.source.may_be_cut:
        return {"window_seconds": 0.0, "window_overlap": 0.0}
    places = st.columns(3)
    with places[0]:
        seconds = fields.seconds(
            "window_seconds", "Window (seconds)", base.window_seconds,
            "Long recordings are cut into windows of so many seconds, and each of them is labeled; "
            "0: every recording is one sample.",
        )  # fmt: skip
    with places[1]:
        overlap = fields.seconds(
            "window_overlap", "Overlap (seconds)", base.window_overlap,
            "So much of a window is in the next one, too.",
        )  # fmt: skip
    with places[2]:
        context = fields.seconds(
            "window_context", "Shown around (seconds)", base.window_context,
            "So much before and behind a window is seen and heard with it.",
        )  # fmt: skip
    return {
        "window_seconds": seconds,
        "window_overlap": overlap if seconds else 0.0,
        "window_context": context,
    }


def chosen_features(fields: Fields, modality: Modality, base: Settings) -> dict[str, Any]:
    """What samples are turned into for the model, as keywords of Settings: one or several; and how
    to install what is missing for it, and what is wrong with what people have brought along.
    Nothing is asked of a table for which there are no vectors."""
    listed, faults = offered(modality), own_features.found().faults
    gone = missing_for_now(base.features, listed) if modality.name == base.modality else []
    if not modality.reads_files and len(listed) + len(gone) == 1:
        return {}
    titles = {key: each.title for key, each in listed.items()}
    titles |= {each: f"{each.partition('_')[2]}, which is missing for now" for each in gone}
    before = [each for each in base.features.split(TOGETHER) if each in titles]
    chosen = fields.several(
        "features", "What the model sees", titles, before or [next(iter(listed))],
        "Of several, each counts as much. They are computed once a file; a simulation of a labeled "
        "folder tells which of them learns from the fewest labels."
        if modality.reads_files else
        "Vectors that were computed elsewhere are joined to the table by a column that both have, "
        "and stand beside the table’s columns; a simulation of a labeled table tells which learns "
        "from the fewest labels.",
    )  # fmt: skip
    for each in (one for key, one in listed.items() if one.together and len(chosen) == 1):
        if each.extra is None or each.extra.installed():
            st.caption(
                f"Suggested: {next(iter(titles.values()))} and {each.title}; {each.together}."
            )
    for each in (listed[key] for key in chosen if key in listed):
        if each.cost:
            st.caption(f"{each.title}: {each.cost}.")
        if each.extra and not each.extra.installed():
            st.info(
                f"The {each.extra.name} is an extra. This installs it; then start the app again:"
            )
            st.code(f"python -m {each.extra.command}", language="bash")
    for name, reason in faults.items():
        st.warning(f"{escaped(name)} in the folder of models is left out: {escaped(reason)}")
    return {"features": TOGETHER.join(chosen)}

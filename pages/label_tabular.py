"""Label the rows of a table."""

from pages import frame

frame.label("tabular")

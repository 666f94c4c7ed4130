"""Label the rows of a table."""

from pages.blocks.labeling import label

label("tabular")

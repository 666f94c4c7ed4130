"""Label sounds."""

from pages.blocks.labeling import label

label("sounds")

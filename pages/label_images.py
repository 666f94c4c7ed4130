"""Label images."""

from pages.blocks.labeling import label

label("images")

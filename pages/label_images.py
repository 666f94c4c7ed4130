"""Label images."""

from pages import frame

frame.label("images")

"""Label sounds."""

from pages import frame

frame.label("sounds")

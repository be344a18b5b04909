"""Charts drawn on the server: pure functions from numbers to SVG.

Widths are percentages, so a chart fills its card at any width without stretching its text; colours are CSS
classes, so one drawing serves light and dark. Nothing here reads a database or a clock.
"""

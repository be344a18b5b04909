"""Doors: read the address, ask one function, render. One module per noun."""

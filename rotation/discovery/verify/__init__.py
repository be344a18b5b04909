"""Verification: what a model was seen to be able to do, by asking it. Read `suite.py` for what, `runs.py` for when."""

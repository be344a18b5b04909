"""The data plane: the only package that sends to providers and the only one that holds health in memory.

Read `complete.py` first. Nothing here awaits Postgres or Valkey.
"""

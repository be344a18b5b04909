"""Faithful fake providers: a product part of its own, for starts without a key, for tests, drills and benchmarks.

It knows nothing of the gateway or of the adapters it exercises, and imports neither them nor Django.
"""

"""Discovery: what providers list, what new models prove to be able to do, and how they come into the rotation."""

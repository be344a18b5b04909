"""What each kind says when something goes wrong, as tables: one row per trouble."""

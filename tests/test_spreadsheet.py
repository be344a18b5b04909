from __future__ import annotations

import pytest

from rotation.spreadsheet import FORMULA, harmless


@pytest.mark.parametrize("first", FORMULA)
def test_what_a_spreadsheet_would_run_is_made_text(first: str):
    assert harmless(f"{first}cmd|' /C calc'!A0") == f"'{first}cmd|' /C calc'!A0"


@pytest.mark.parametrize("cell", ["", "llama-3.3", "12", " =1", "a=b"])
def test_what_is_text_stays_as_it_is(cell: str):
    assert harmless(cell) == cell

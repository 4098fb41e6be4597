"""Values of keys that several kinds of rules share."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from riskseg.rules.keys import DayCount

DAYS: TypeAdapter[int] = TypeAdapter(DayCount)


@pytest.mark.parametrize("written", ["14 days", 14, "14 day"])
def test_days_are_a_number_with_the_word_or_without(written: object) -> None:
    assert DAYS.validate_python(written) == 14


@pytest.mark.parametrize("written", ["soon", "14", ["x"], True, 1.5, {"days": 14}])
def test_what_is_no_number_of_days_is_reported_how_to_write_it(written: object) -> None:
    with pytest.raises(ValidationError, match="a number of days, such as `14 days`"):
        DAYS.validate_python(written)

"""The names of time zones that riskseg.toml may give."""

from __future__ import annotations

from difflib import get_close_matches
from zoneinfo import ZoneInfo, available_timezones

# The zone of the machine, which is what `timezone` is there to be independent of.
_OF_THE_MACHINE = "localtime"


def check_timezone(name: str | None) -> str | None:
    """The name of a time zone of the IANA database, or None as it is. Raises ValueError for any
    other."""
    if name is None:
        return None
    try:
        if name != _OF_THE_MACHINE:
            ZoneInfo(name)
            return name
    except (OSError, ValueError, KeyError):
        pass
    near = get_close_matches(name, sorted(available_timezones() - {_OF_THE_MACHINE}), n=1)
    known = near[0] if near else "Europe/London"
    raise ValueError(f'it is not the name of a time zone, as "{known}" is')

"""Whether a database refuses the user, or is held by another program, as drivers say it."""

from __future__ import annotations

import pytest

from riskseg.store.database_refusals import is_of_a_lock, is_of_login


@pytest.mark.parametrize(
    ("refusal", "expected"),
    [
        ('FATAL:  password authentication failed for user "reader"', True),
        ('FATAL:  Peer authentication failed for user "ann"', True),
        ('FATAL:  role "ann" does not exist', True),
        ("fe_sendauth: no password supplied", True),
        ("(1045, \"Access denied for user 'ann'@'localhost' (using password: YES)\")", True),
        ("Login failed for user 'ann'.", True),
        ('connection to server at "127.0.0.1", port 5999 failed: Connection refused', False),
        ('could not translate host name "db.internal" to address', False),
        ('schema "mart" does not exist', False),
    ],
)
def test_whether_it_is_of_the_login(refusal: str, expected: bool) -> None:
    assert is_of_login(refusal) is expected


@pytest.mark.parametrize(
    ("refusal", "expected"),
    [
        ("database is locked", True),
        ("deadlock detected", True),
        ("canceling statement due to lock timeout", True),
        ("(1205, 'Lock wait timeout exceeded; try restarting transaction')", True),
        ('could not obtain lock on row in relation "decisions"', True),
        ("permission denied for schema mart", False),
        ("unable to open database file", False),
    ],
)
def test_whether_another_program_holds_it(refusal: str, expected: bool) -> None:
    assert is_of_a_lock(refusal) is expected

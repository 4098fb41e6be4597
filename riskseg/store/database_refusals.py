"""Why a database refuses, by what its driver says."""

from __future__ import annotations


def is_of_login(refusal: str) -> bool:
    """Whether a database refuses the user or the password, as drivers say it."""
    signs = ("authentication failed", "password", "access denied", "login failed", 'role "')
    return any(sign in refusal.lower() for sign in signs)


def is_of_a_lock(refusal: str) -> bool:
    """Whether a database refuses because another program holds it, or a table of it."""
    signs = ("is locked", "deadlock", "lock timeout", "lock wait timeout", "could not obtain lock")
    return any(sign in refusal.lower() for sign in signs)

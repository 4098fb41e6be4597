"""Addresses of databases: shown without their secrets, and the drivers that they need."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote, quote_plus

import sqlalchemy as sa

from riskseg.domain.addresses import HARMLESS, HIDDEN, without_secrets
from riskseg.domain.problems import problem

# Packages of drivers that are not called as what they bring.
_PACKAGES = {"psycopg": "'riskseg[postgres]'", "MySQLdb": "mysqlclient", "cx_Oracle": "cx-Oracle"}


def rendered(url: sa.URL) -> str:
    """An address as it may be shown."""
    return without_secrets(url.render_as_string())


def hide(text: str, url: sa.URL) -> str:
    """What a driver says, less the secrets of the address."""
    values = [str(url.password)] if url.password else []
    for name, value in url.query.items():
        listed = [value] if isinstance(value, str) else value
        values += [
            query_value for query_value in listed if not HARMLESS.fullmatch(f"{name}={query_value}")
        ]
    for value in values:
        for secret in {value, quote(value), quote_plus(value)}:
            text = text.replace(secret, HIDDEN) if secret else text
    return without_secrets(text) if "://" in text else text


@contextmanager
def driver_of(url: sa.URL) -> Iterator[None]:
    """Within it an engine for the address is made: RS010 where its dialect or driver is not
    there."""
    try:
        yield
    except sa.exc.NoSuchModuleError as error:
        raise problem(
            "RS010",
            f'"{url.drivername}" is not a kind of database that is known here.',
            file=rendered(url),
            hint="Correct the beginning of the URL, or install the dialect's package. The name of "
            "a file in an object store has no # in it.",
        ) from error
    except ModuleNotFoundError as error:
        raise problem(
            "RS024",
            f'The driver "{error.name}" is not installed.',
            file=rendered(url),
            hint=f"Install it with: pip install {_PACKAGES.get(error.name or '', error.name)}. "
            "Or name another driver in the URL.",
        ) from error

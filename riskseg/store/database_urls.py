"""Addresses of databases: shown without their secrets, and the drivers that they need."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote, quote_plus

import sqlalchemy as sa

from riskseg.domain.problems import problem

_HIDDEN = "***"
# Packages of drivers that are not called as what they bring.
_PACKAGES = {"psycopg": "'riskseg[postgres]'", "MySQLdb": "mysqlclient", "cx_Oracle": "cx-Oracle"}
# Words of a query that are no secret; whatever else one holds is hidden.
_HARMLESS = re.compile(
    r"(user|host|port|dbname|database|schema|driver|charset|encoding|sslmode|timeout|mode|cache"
    r"|connect_timeout|application_name)=[\w .+-]*",
    re.IGNORECASE,
)


def without_secrets(target: str) -> str:
    """An address less its passwords, whether or not it can be read as a URL: what stands between
    the user and the last `@`, and whatever in its query is not known to be harmless."""
    address, mark, table = target.rpartition("#")
    if not mark:
        address, table = target, ""
    scheme, slashes, after_scheme = address.partition("://")
    if not slashes:
        return target
    if "@" in after_scheme:
        user, _, after_scheme = after_scheme.rpartition("@")
        user_name, colon, _ = user.partition(":")
        after_scheme = f"{user_name}{colon and ':' + _HIDDEN}@{after_scheme}"
    location, question_mark, query = after_scheme.partition("?")
    shown_query = "&".join(map(_shown_part, query.split("&"))) if question_mark else ""
    return f"{scheme}://{location}{question_mark}{shown_query}{mark}{table}"


def _shown_part(part: str) -> str:
    name, equals, _ = part.partition("=")
    if _HARMLESS.fullmatch(part):
        return part
    return f"{name}={_HIDDEN}" if equals and re.fullmatch(r"[\w-]+", name) else _HIDDEN


def rendered(url: sa.URL) -> str:
    """An address as it may be shown."""
    return without_secrets(url.render_as_string())


def hide(text: str, url: sa.URL) -> str:
    """What a driver says, less the secrets of the address."""
    values = [str(url.password)] if url.password else []
    for name, value in url.query.items():
        listed = [value] if isinstance(value, str) else value
        values += [
            query_value
            for query_value in listed
            if not _HARMLESS.fullmatch(f"{name}={query_value}")
        ]
    for value in values:
        for secret in {value, quote(value), quote_plus(value)}:
            text = text.replace(secret, _HIDDEN) if secret else text
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
            f'"{url.drivername}" is no kind of database known here.',
            file=rendered(url),
            hint="Correct the beginning of the URL, or install the dialect's package.",
        ) from error
    except ModuleNotFoundError as error:
        raise problem(
            "RS010",
            f'The driver "{error.name}" is not installed.',
            file=rendered(url),
            hint=f"Install it with: pip install {_PACKAGES.get(error.name or '', error.name)}. "
            "Or name another driver in the URL.",
        ) from error

"""Addresses as they may be shown: without what they keep secret."""

from __future__ import annotations

import re

HIDDEN = "***"
# Words of a query that are no secret; whatever else one holds is hidden.
HARMLESS = re.compile(
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
        after_scheme = f"{user_name}{colon and ':' + HIDDEN}@{after_scheme}"
    location, question_mark, query = after_scheme.partition("?")
    shown_query = "&".join(map(_shown_part, query.split("&"))) if question_mark else ""
    return f"{scheme}://{location}{question_mark}{shown_query}{mark}{table}"


def _shown_part(part: str) -> str:
    name, equals, _ = part.partition("=")
    if HARMLESS.fullmatch(part):
        return part
    return f"{name}={HIDDEN}" if equals and re.fullmatch(r"[\w-]+", name) else HIDDEN


_OF_A_FILE = re.compile(r"(file|local)://", re.IGNORECASE)


def is_of_a_file(address: str) -> bool:
    """Whether an address is a URL of a file of this machine."""
    return _OF_A_FILE.match(address) is not None


def file_name(address: str) -> str:
    """The path of a file of this machine, which may be named by a URL."""
    return _OF_A_FILE.sub("", address, count=1) if is_of_a_file(address) else address


SPARK = "spark://"


def is_elsewhere(address: str) -> bool:
    """Whether an address is of a database or an object store: neither of Spark nor of a file."""
    return "://" in address and not (address.startswith(SPARK) or is_of_a_file(address))


def spark_master(address: str) -> str:
    """The master of the Spark that `spark://MASTER` names; nothing where it names none, and Spark's
    own settings say which. A host and a port are those of a cluster of Spark's own kind."""
    master = address.removeprefix(SPARK)
    return f"{SPARK}{master}" if re.fullmatch(r"[\w.-]+:\d+(,[\w.-]+:\d+)*", master) else master

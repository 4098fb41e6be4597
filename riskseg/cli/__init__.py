"""The command line: parse, one call into run/, show."""

from riskseg.cli.app import app

__all__ = ["app"]

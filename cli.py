"""Runs the riskseg command from a checkout: `python cli.py --help`."""

from riskseg.cli import app

if __name__ == "__main__":
    app()

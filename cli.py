"""Runs the riskseg command from a checkout: `python cli.py --help`."""

from riskseg.cli import main

if __name__ == "__main__":
    main()

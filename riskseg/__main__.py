"""`python -m riskseg`: the command, whatever the PATH."""

from riskseg.cli import main

main("riskseg")

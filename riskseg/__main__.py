"""`python -m riskseg`: the command, whatever the PATH."""

from riskseg.cli import app

app(prog_name="riskseg")

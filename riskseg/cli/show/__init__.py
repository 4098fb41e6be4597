"""How results are shown to a person. The same results go to machines with --json."""

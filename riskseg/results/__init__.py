"""What use cases return: typed results, which `--json` prints and the Python API hands over.

The JSON form of each is declared here and nowhere else; docs/reference/results.schema.json
publishes it. A key may be added; one that is there keeps its name and its meaning.
"""

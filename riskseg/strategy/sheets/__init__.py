"""Decision tables as sheets: segments.yaml and each scheme of tiers.yaml, in CSV or Excel.

`cells` is what one cell says, `tables` what a sheet says, `files` the bytes that hold sheets,
`layout` the YAML an import writes.
"""

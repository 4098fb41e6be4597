"""What outlives a run: the journal, files that are whole or absent, output tables.

Modules are loaded one by one: `files` and `lock` need the standard library only, `sinks` loads
pyarrow, `journal` loads sqlalchemy.
"""

"""The strategy language: read with line numbers, check everything at once, compile to SQL.

Three types, one a stage: authored (what the files say), checked (a `Strategy`), compiled
(relations). Only a checked strategy compiles. Nothing here runs anything.
"""

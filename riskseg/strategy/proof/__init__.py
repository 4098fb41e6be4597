"""What is proved of a strategy, for every account there could be.

`account` makes an account of which only the catalogue's bounds are known, `decision` what the
strategy decides for it, `ask` puts questions to z3. Each kind of property has a file of its own;
`prove` lists them all. `regions` says which accounts a condition applies to, in cells of
`dimensions`. Nothing here runs a strategy: `run/prove.py` tries each counterexample on the engine.
"""

"""One module a use case: its list of stages, and what each of them does.

Only here do the rooms meet: they give SQL and plain objects, and `run/` has the engine carry
them out.
"""

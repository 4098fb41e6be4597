"""The catalogue of features, their point-in-time SQL, snapshots and labels.

Returns SQL and plain objects; `run/` carries them out.
"""

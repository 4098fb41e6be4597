"""One module for each use case. Use cases do not import each other: what they share is in
`pipeline/`.
"""

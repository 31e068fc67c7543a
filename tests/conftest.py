"""
Makes `tests/` importable, so that tests share what is in `fakes/`.
"""

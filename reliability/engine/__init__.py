"""
The engine: which attempt runs when, and what follows from its end.
"""

"""
How reliable is this agent? Run it N times, grade every trial, say what that proves.
"""

__version__ = "1.0.0"

"""
How alike the trials of a case are: pure functions on answers, tools and numbers.

None of it says whether an answer is right, and none of it gates.
"""

"""Says whether a review names the line that it should, and how many others it names."""

import json
import re
import sys

wanted = int(sys.argv[1])
answer = json.load(sys.stdin)["answer"]
named = [int(number) for number in re.findall(r"(?i)\bline\s*(\d+)", answer)]
others = sorted(set(named) - {wanted})
if wanted not in named:
    print(f"line {wanted} is not named; named: {named or 'none'}")
    sys.exit(1)
print(f"line {wanted} is named")
print(f"score: {1 / (1 + len(others)):.3f}")

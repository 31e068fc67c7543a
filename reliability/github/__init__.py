"""
The door to GitHub Actions: what a step says to the runner and leaves behind.

`commands` speaks through the console, `files` through the files that the runner
reads after the step, `excerpt` fits a summary into its budget, `ownership` gives
results back to the workspace's owner. All of them work, or do nothing, away
from GitHub: none asks whether it runs there.
"""

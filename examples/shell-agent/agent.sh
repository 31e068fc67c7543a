#!/usr/bin/env bash
# Counts the words of the prompt, and keeps the count in a file.
set -euo pipefail
count=$(grep -oE '[[:alnum:]]+' | wc -l || true)
echo "$count" | tee last-count.txt

"""
From a suite file to a `Suite`: read under limits, checked whole, expanded visibly.

- `loader.load_suite`, `loader.suite_of`: the ways in.
- `selection.select`: some of the cases, by name and tag.
- `schema.json_schema`: what editors complete and check a suite file by.

A file may come from a checkout that nobody trusts. Reading it starts nothing, reads
nothing but the files that it names, and takes bounded time and memory: the file's
size, depth, nodes and aliases are limited, and so is all that is made of them. Every
problem is told at once, with line and path to the key.

Nothing is imported here: a run without a suite file needs neither YAML nor pydantic.
"""

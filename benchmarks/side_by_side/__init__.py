"""
Runs this project and its peers side by side against one server, and writes it down.

`scenario` says what is measured, `contenders` who takes part and how each one is
started, `adapters/` is what runs inside them. `serving` starts a fresh server for every
run, `tree` measures one process tree, `machine` says what else used the cores, `rows`
keeps what was measured, and `document` writes it for people from `figures`.
"""

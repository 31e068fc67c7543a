"""
A Messages API on loopback: a real HTTP server for the demo, tests and benchmarks.

It answers with a seeded mixture of right and wrong texts, latency, rate limits,
overloads, errors and dropped connections, or by a script of steps. The same seed
gives the same outcome trial by trial, whatever the order in which requests arrive.

Nothing is imported here, so that asking for a `Profile` or for `is_simulator` does
not load asyncio:

- `profile.Profile`, `script.Step`: what the server does; values, checked when made.
- `embedded.Simulator`: a server in a thread of its own.
- `server.serve_forever`: a server in the foreground, until SIGINT or SIGTERM.
- `probe.is_simulator`: whether a base URL is one of these servers.

It promises the shapes that clients rely on, not the content: no model runs here, and
whatever is shown of it must say that it was simulated.
"""

# The image of the action, and of `docker run` on a laptop. A plain `docker build` makes it,
# because that is what GitHub's runner calls: no BuildKit syntax. Nothing here is compiled
# from source, and every Python package is checked against its hash.

# The release passes this name with its digest; a tag keeps `uses: ./` and laptops current.
ARG BASE_IMAGE=python:3.13-slim-trixie

FROM ${BASE_IMAGE} AS app
COPY requirements/run.lock /tmp/
RUN python3 -m pip install --quiet --no-cache-dir --root-user-action ignore --no-compile \
      --no-deps --require-hashes --only-binary :all: --target /app -r /tmp/run.lock \
 && rm -rf /app/bin
COPY entrypoint.py LICENSE /app/
COPY reliability /app/reliability
# Bytecode that is not checked against its source: nothing is written when the action runs, so
# start-up would compile again each time; and file times do not survive every registry.
RUN python3 -m compileall -q --invalidation-mode unchecked-hash /app

FROM ${BASE_IMAGE} AS claude
COPY requirements/claude.lock /tmp/
# The wheel carries the Claude Code CLI as one binary; its Python part is not needed.
RUN python3 -m pip install --quiet --no-cache-dir --root-user-action ignore --no-compile \
      --no-deps --require-hashes --only-binary :all: --target /tmp/wheel -r /tmp/claude.lock \
 && install -m 755 /tmp/wheel/claude_agent_sdk/_bundled/claude /usr/local/bin/claude \
 && rm -rf /tmp/wheel

FROM ${BASE_IMAGE}
LABEL org.opencontainers.image.title="reliability-action" \
      org.opencontainers.image.description="Measures how reliable an AI agent is: N graded trials, one locked log, an honest verdict." \
      org.opencontainers.image.source="https://github.com/org/reliability-action" \
      org.opencontainers.image.licenses="Apache-2.0"

# git: agents and the Claude Code CLI call it. tini: process 1 ignores a signal that it has no
# handler for, so without it a cancel during our start-up would be lost; and it reaps whatever
# else the image is used to start. ca-certificates: for what agents call.
# Not pinned: Debian keeps one version of each in a release, and removes it when it is mended.
# hadolint ignore=DL3008
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends ca-certificates git tini \
 && apt-get clean && rm -rf /var/lib/apt/lists/* \
 # The checkout belongs to the runner's user and git would refuse it. In the system's file,
 # because GitHub replaces HOME.
 && git config --system --add safe.directory '*' \
 # Some Python images come without the bytecode of the standard library: 0.2 s at each start.
 && python3 -m compileall -q -x '/(test|tests|idlelib|ensurepip|site-packages|dist-packages)/' \
      "$(python3 -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')" \
 && printf '%s\n' '#!/usr/local/bin/python3' 'import sys' 'sys.path[0] = "/app"' \
      'from reliability.cli import main' 'sys.exit(main())' >/usr/local/bin/reliability \
 && chmod 755 /usr/local/bin/reliability \
 # Where GitHub mounts the checkout. Writable for all: `docker run --user` without a mount.
 && mkdir -p /github/workspace && chmod 1777 /github/workspace

COPY --from=claude /usr/local/bin/claude /usr/local/bin/claude
COPY --from=app /app /app

# PYTHONUNBUFFERED: a workflow's log shows a line when it is printed, not when the step ends.
# PYTHONDONTWRITEBYTECODE: no root-owned __pycache__ in the user's checkout.
# IS_SANDBOX: the CLI refuses `--permission-mode bypassPermissions` to root without it, and
# an action runs as root. It grants nothing by itself.
# The rest: the CLI stays at the pinned version and calls nothing but the API.
ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    IS_SANDBOX=1 \
    DISABLE_AUTOUPDATER=1 \
    DISABLE_TELEMETRY=1 \
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1

# No USER: GitHub asks for root in a container action, since the checkout and the files for
# outputs belong to the runner's user. The results are given back to the checkout's owner at
# the end; on a laptop `docker run --user "$(id -u):$(id -g)"` works as well.

WORKDIR /github/workspace

# Without -g: a signal goes to our process alone, which ends its agents in its own order.
ENTRYPOINT ["/usr/bin/tini", "--", "/usr/local/bin/python3", "/app/entrypoint.py"]

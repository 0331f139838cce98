# A pod: the `sagalog` command with everything locked. A team builds its own image from it and adds its app:
#   FROM sagalog
#   COPY orders.py .
#   CMD ["run", "orders:app"]
# Written where no Docker daemon runs, so it has NOT been built there: suspect it first.
FROM python:3.13-slim AS build
COPY --from=ghcr.io/astral-sh/uv:0.13.9 /uv /bin/uv
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never
WORKDIR /sagalog
COPY pyproject.toml uv.lock ./
RUN uv sync --frozen --no-default-groups --all-extras --no-install-project
COPY . .
RUN uv sync --frozen --no-default-groups --all-extras --no-editable

FROM python:3.13-slim
RUN useradd --create-home --uid 10001 sagalog
COPY --from=build /sagalog/.venv /sagalog/.venv
ENV PATH=/sagalog/.venv/bin:$PATH PYTHONUNBUFFERED=1
USER sagalog
WORKDIR /app
ENTRYPOINT ["sagalog"]
CMD ["--help"]

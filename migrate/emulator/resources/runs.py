"""Runs and their steps: only read, since creating a run executes a model."""

from __future__ import annotations

from migrate.emulator import pagination
from migrate.emulator.errors import not_found, refuse
from migrate.emulator.resources import messages
from migrate.emulator.router import Call
from migrate.emulator.state import Json, Table


def forbid(call: Call, *_variables: str) -> Json:
    """A migration must never get here, so the estate remembers that one did."""
    attempt = f"{call.http.method} {call.http.url.path}"
    call.estate.forbidden.append(attempt)
    raise refuse(f"The emulator runs no models: {attempt} was refused.", code="runs_not_emulated")


def page(call: Call, thread_id: str) -> Json:
    return pagination.page(_runs(call, thread_id), call.query)


def read(call: Call, thread_id: str, run_id: str) -> Json:
    try:
        return _runs(call, thread_id)[run_id]
    except KeyError:
        raise not_found("run", run_id) from None


def steps(call: Call, thread_id: str, run_id: str) -> Json:
    read(call, thread_id, run_id)
    return pagination.page(call.estate.run_steps[run_id], call.query)


def step(call: Call, thread_id: str, run_id: str, step_id: str) -> Json:
    read(call, thread_id, run_id)
    try:
        return call.estate.run_steps[run_id][step_id]
    except KeyError:
        raise not_found("run step", step_id) from None


def _runs(call: Call, thread_id: str) -> Table:
    messages.thread_of(call, thread_id)
    return call.estate.runs[thread_id]

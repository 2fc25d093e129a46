"""A model given by the full path of its deployment: how it is recognized, and what the message advises."""

from __future__ import annotations

from dataclasses import replace

import pytest

from migrate.codecs import Target
from tests.codecs.adaptation import AZURE, CLASSIC, FOUNDRY, OPENAI, adapted, assistant

PATH = (
    "/subscriptions/0000/resourceGroups/r/providers/Microsoft.CognitiveServices/accounts/a/deployments/gpt-4o"
)
each_target = pytest.mark.parametrize(
    "target", [AZURE, OPENAI, CLASSIC, FOUNDRY], ids=lambda one: one.capabilities.service
)


@each_target
@pytest.mark.parametrize(("there", "new"), [("gpt-4o", "gpt-4o"), ("gpt-5", "DEPLOYMENT")])
def test_a_full_path_is_blocked_with_the_option_that_maps_it(target: Target, there: str, new: str) -> None:
    _, losses = adapted(assistant(model=PATH), replace(target, deployments=frozenset({there})))
    (reported,) = (loss for loss in losses if loss.field == "model")
    assert (reported.grade, "full ARM path" in reported.reason) == ("blocked", True)
    assert f'--models "{PATH}={new}"' in reported.way_out
    assert (f"it has: {there}" in reported.reason) == (new != there)


@each_target
def test_where_deployments_cannot_be_seen_it_is_tried(target: Target) -> None:
    fitted, losses = adapted(assistant(model=PATH), replace(target, deployments=None))
    (reported,) = (loss for loss in losses if loss.field == "model")
    assert (fitted.fields["model"], reported.grade, "full ARM path" in reported.reason) == (
        PATH,
        "adapted",
        True,
    )


@each_target
def test_a_mapped_path_is_the_deployment(target: Target) -> None:
    given = replace(target, models={PATH: "gpt-4o"}, deployments=frozenset({"gpt-4o"}))
    fitted, losses = adapted(assistant(model=PATH), given)
    (reported,) = (loss for loss in losses if loss.field == "model")
    assert (fitted.fields["model"], reported.grade) == ("gpt-4o", "adapted")

"""The scripts of both drift gates, taken from their pages, with substitutes for gh, curl and az."""

from __future__ import annotations

import json
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from migrate.emulator import Emulator
from tests.e2e.projects import add, assistant, change, project
from tests.e2e.shell import Shell
from tests.recipes import step

HOSTILE = (
    "Nice $(touch owned) `touch owned` ${{ github.token }} </details> ::error::x\n"
    "##vso[task.setvariable variable=x]y\n::add-mask::a"
)
MARK = "<!-- assistants-migrate: drift -->"

RECORDER = """#!/usr/bin/env python3
# Keeps what it was asked, with the content of files that it was given, and answers as told.
import json, pathlib, sys
here = pathlib.Path({here!r})
given = {{}}
for before, word in zip(sys.argv, sys.argv[1:]):
    if before in ("--input", "--body-file") or word.startswith("@"):
        given = pathlib.Path(word.removeprefix("@")).read_text(encoding="utf-8")
standard = sys.stdin.read() if "--config" in sys.argv else ""
with open(here / "asked.jsonl", "a", encoding="utf-8") as out:
    print(json.dumps({{"words": sys.argv[1:], "given": given, "stdin": standard}}), file=out)
answer = json.loads((here / "answer.json").read_text(encoding="utf-8"))
words = sys.argv[1:]
if "--jq" in words:
    import subprocess
    done = subprocess.run(["jq", "-r", words[words.index("--jq") + 1]], input=json.dumps(answer), text=True)
    sys.exit(done.returncode)
print(json.dumps(answer))
"""


@dataclass
class Gate:
    """A checkout of a repository, and the live estate it describes; steps are run one by one."""

    shell: Shell
    live: Emulator

    @property
    def asked(self) -> list[Any]:
        path = self.shell.bin / "asked.jsonl"
        return (
            [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
            if path.exists()
            else []
        )

    def answer(self, program: str, answer: Any) -> None:
        """Let a substitute program give this answer to every call."""
        (self.shell.bin / "asked.jsonl").unlink(missing_ok=True)
        (self.shell.bin / "answer.json").write_text(json.dumps(answer), encoding="utf-8")
        self.shell.put(program, RECORDER.format(here=str(self.shell.bin)))

    def drift(self) -> None:
        change(self.live, f"asst_{1:024}", instructions=HOSTILE)


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    with Emulator(project("SOURCE_KEY")) as live:
        add(live, assistant(1, "Clerk"), assistant(2, "Gardener"))
        shell = Shell(tmp_path / "checkout", {"ESTATE": "prod", "REPO": "acme/agents", "NUMBER": "7"})
        shell.configure({"prod": ("foundry-classic", live)}, "base/estates.toml")
        shell.ok("assistants-migrate export prod base/agents --config base/estates.toml")
        shell.ok("cp -r base head && mkdir out")
        shell.write("out/code", "5\n")
        yield Gate(shell, live)


COMPARE = step("github.md", "Compare the main branch with the live estate")
PULL = step("github.md", "Compare the live estate with the pull request")
VERDICT = step("github.md", "Gate")
MESSAGE = step("github.md", "Write the message")


def github(gate: Gate) -> Any:
    """Run the job that compares, to its result."""
    for text in (COMPARE, PULL):
        assert gate.shell.ok(text) == "", "nothing of an estate belongs in a log"
    return gate.shell(VERDICT)


def test_no_drift_passes_and_shows_what_would_change(gate: Gate) -> None:
    file = gate.shell.folder / "head/agents/assistants/Clerk.md"
    file.write_text(file.read_text().replace("number 1.", "number one."))
    assert github(gate).code == 0
    gate.shell.ok(MESSAGE)
    body = gate.shell.read("out/body.md")
    assert body.startswith(MARK)
    assert "No drift." in body
    assert "one" in body
    assert "Clerk" in body


def test_drift_fails_and_texts_of_the_estate_are_never_run(gate: Gate) -> None:
    gate.drift()
    said = github(gate)
    assert said.code == 1
    assert "::error::Drift" in said.out
    assert "add-mask" not in said.out + said.err
    assert "##" not in said.out + said.err
    gate.shell.ok(MESSAGE)
    body = gate.shell.read("out/body.md")
    assert "touch owned" in body
    for suffix in ("html", "xml"):
        assert (gate.shell.folder / f"out/drift.{suffix}").stat().st_size > 0
    for held, method, path in (
        ([], "POST", "issues/7/comments"),
        ([MARK + " old"], "PATCH", "issues/comments/1"),
    ):
        rows = [{"id": 9, "user": {"login": "somebody"}, "body": MARK}]
        rows += [{"id": 1, "user": {"login": "github-actions[bot]"}, "body": text} for text in held]
        gate.answer("gh", rows)
        gate.shell.ok(step("github.md", "Comment"))
        listed, written = gate.asked
        assert "--paginate" in listed["words"]
        assert (written["words"][3], written["words"][4]) == (method, f"repos/acme/agents/{path}")
        assert json.loads(written["given"]) == {"body": body}
    assert not list(gate.shell.folder.rglob("owned"))


def test_the_issue_is_opened_brought_up_to_date_and_closed(gate: Gate) -> None:
    gate.drift()
    gate.shell.ok(COMPARE)
    gate.shell.ok(MESSAGE)
    body = gate.shell.read("out/body.md")
    issue = step("github.md", "Issue")
    for held, verb in (([], "create"), ([{"number": 3}], "edit")):
        gate.answer("gh", held)
        gate.shell.ok(issue)
        assert gate.asked[-1]["words"][:2] == ["issue", verb]
        assert gate.asked[-1]["given"] == body
    gate.shell.write("out/code", "0\n")
    for held, verb in (([{"number": 3}], "close"), ([], "list")):
        gate.answer("gh", held)
        gate.shell.ok(issue)
        assert gate.asked[-1]["words"][:2] == ["issue", verb]


def test_a_wrong_sign_in_is_not_drift(gate: Gate) -> None:
    assert "Not reached" in gate.shell(VERDICT).out, "nothing was read yet"
    said_to_be_wrong = gate.shell(COMPARE, SOURCE_KEY="wrong")
    assert said_to_be_wrong.code == 0
    said = gate.shell(VERDICT)
    assert said.code == 5
    assert "::error::Not reached" in said.out
    assert "| error: " in said.out
    gate.shell.ok(MESSAGE)
    assert "says nothing about drift" in gate.shell.read("out/body.md")


def test_an_incomplete_reading_is_not_drift(gate: Gate) -> None:
    gate.shell.put("assistants-migrate", "#!/bin/sh\nexit 3\n")
    gate.shell.ok(COMPARE)
    said = gate.shell(VERDICT)
    assert said.code == 3
    assert "Incomplete" in said.out


def test_mistakes_in_a_pull_request_fail_it(gate: Gate) -> None:
    gate.shell.write("head/agents/assistants/Bad.md", "---\nname: Bad\nmodle: gpt-4o\n---\n\nx\n")
    said = github(gate)
    assert said.code == 2
    assert "did you mean model?" in said.out
    gate.shell.ok(MESSAGE)
    assert "have mistakes" in gate.shell.read("out/body.md")


AZURE = {
    "BUILD_REASON": "PullRequest",
    "SYSTEM_COLLECTIONURI": "https://dev.azure.com/acme/",
    "SYSTEM_TEAMPROJECTID": "p-1",
    "BUILD_REPOSITORY_ID": "r-1",
    "SYSTEM_PULLREQUEST_PULLREQUESTID": "7",
    "SYSTEM_PULLREQUEST_TARGETBRANCH": "refs/heads/main",
    "SYSTEM_ACCESSTOKEN": "secret-of-azure",
}
THREADS = "https://dev.azure.com/acme/p-1/_apis/git/repositories/r-1/pullRequests/7/threads"


@pytest.fixture
def pipeline(gate: Gate) -> Gate:
    """The same with the layout of Azure Pipelines: the pull request is the checkout itself."""
    gate.shell.ok("cp -r head/agents agents")
    return gate


def test_the_pipeline_distinguishes_exit_codes(pipeline: Gate) -> None:
    compare = step("azure-pipelines.md", "Compare")
    assert pipeline.shell(compare, **AZURE).code == 0
    assert pipeline.shell(compare, **{**AZURE, "SOURCE_KEY": "wrong"}).code == 5
    pipeline.shell.write("agents/assistants/Bad.md", "---\nname: Bad\nmodle: gpt-4o\n---\n\nx\n")
    assert pipeline.shell(compare, **AZURE).code == 2
    assert pipeline.shell(compare, **{**AZURE, "BUILD_REASON": "Schedule"}).code == 0
    pipeline.drift()
    said = pipeline.shell(compare, **AZURE)
    assert said.code == 1
    ours = [line for line in said.out.splitlines() if "##" in line]
    assert len(ours) == 2
    assert all(line.startswith("##vso[task.logissue type=error]") for line in ours)


@pytest.mark.parametrize("drifted", [True, False])
def test_the_pipeline_keeps_one_thread(pipeline: Gate, drifted: bool) -> None:
    if drifted:
        pipeline.drift()
    pipeline.shell(step("azure-pipelines.md", "Compare"), **AZURE)
    comment = step("azure-pipelines.md", "Comment")
    status = "active" if drifted else "closed"
    pipeline.answer(
        "curl", {"value": [{"id": 4, "comments": [{"content": "LGTM"}]}, {"id": 5, "comments": []}]}
    )
    pipeline.shell.ok(comment, **AZURE)
    listed, made = pipeline.asked
    assert "GET" in listed["words"]
    assert f"{THREADS}?api-version=7.1" in made["words"]
    body = pipeline.shell.read("out/body.md")
    assert ("touch owned" in body) is drifted
    thread = json.loads(made["given"])
    assert (thread["status"], thread["comments"][0]["content"]) == (status, body)
    pipeline.answer(
        "curl", {"value": [{"id": 6, "isDeleted": False, "comments": [{"content": MARK + "\nold"}]}]}
    )
    pipeline.shell.ok(comment, **AZURE)
    _, text, state = pipeline.asked
    assert f"{THREADS}/6/comments/1?api-version=7.1" in text["words"]
    assert json.loads(text["given"]) == {"content": body}
    assert (f"{THREADS}/6?api-version=7.1" in state["words"], json.loads(state["given"])) == (
        True,
        {"status": status},
    )
    for asked in (listed, made, text, state):
        assert "secret-of-azure" not in " ".join(asked["words"])
        assert "Bearer secret-of-azure" in asked["stdin"]
    assert not list(pipeline.shell.folder.rglob("owned"))


def test_the_target_branch_is_what_is_compared(pipeline: Gate, tmp_path: Path) -> None:
    shell = pipeline.shell
    for words in (
        "init -q -b main remote",
        "-C remote commit -q --allow-empty -m one",
        "clone -q remote clone",
    ):
        git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.com", *shlex.split(words)]
        subprocess.run(git, cwd=shell.folder, check=True)
    shell.put("python", "#!/bin/sh\nexit 0\n")
    install = step("azure-pipelines.md", "Install, and get the target branch")
    shell.ok(f"cd clone\n{install}", **AZURE, ASSISTANTS_MIGRATE="x")
    assert (shell.folder / "clone/base/.git").is_file()
    assert shell.read("clone/out/code") == "5\n"


def test_entra_takes_the_login_of_az(pipeline: Gate) -> None:
    """As both pages document: DefaultAzureCredential can be configured to use only `az`."""
    shell = pipeline.shell
    token = pipeline.live.options.key
    document = {"accessToken": token, "expiresOn": "2099-01-01 00:00:00.000000", "expires_on": 4070908800}
    asked = shell.bin / "az.txt"
    shell.put("az", f"#!/bin/sh\necho \"$@\" >>{shlex.quote(str(asked))}\necho '{json.dumps(document)}'\n")
    text = shell.read("base/estates.toml")
    shell.write("base/estates.toml", text.split("auth = ")[0] + 'auth = "entra"\n')
    assert shell(COMPARE, AZURE_TOKEN_CREDENTIALS="AzureCliCredential").code == 0
    assert shell.read("out/code") == "0\n", shell.read("out/drift.log")
    assert "get-access-token" in asked.read_text()
    assert "https://ai.azure.com" in asked.read_text()
    (shell.bin / "az").write_text("#!/bin/sh\nexit 1\n")
    shell(COMPARE, AZURE_TOKEN_CREDENTIALS="AzureCliCredential")
    assert shell.read("out/code") == "5\n"

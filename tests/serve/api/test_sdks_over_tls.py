"""The SDKs over https with a certificate of one's own: keys and tokens, as applications send them."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from migrate.serve.settings import load_tls
from tests.serve.api.archives import Made, MadeSnapshot, make_archive, named
from tests.serve.certificates import make_certificate
from tests.serve.client import KEY, served

PROJECT = "https://acme.services.ai.azure.com/api/projects/garden"


class ArchiveKey:
    """A credential whose token is the key."""

    def __init__(self, key: str) -> None:
        self.key = key

    def get_token(self, *scopes: str, **options: Any) -> Any:
        from azure.core.credentials import AccessToken

        return AccessToken(self.key, int(time.time()) + 3600)


def trust_in(certificate: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(certificate))


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory, certificate: tuple[Path, Path]) -> Iterator[str]:
    agent = {"object": "agent", "id": "desk", "name": "desk", "versions": {"latest": {"version": "1"}}}
    path = make_archive(
        tmp_path_factory.mktemp("archive") / "a.db",
        MadeSnapshot([Made("assistant", "", named("asst_1", name="of Azure"))]),
        MadeSnapshot(
            [Made("assistant", "", named("asst_2", name="classic"))], "foundry-classic", PROJECT, "v1"
        ),
        MadeSnapshot(
            [
                Made("assistant", "", [agent]),
                Made("thread", "", named("conv_1")),
                Made("message", "conv_1", named("item", type="message", role="user", content=[])),
            ],
            "foundry",
            PROJECT,
            "v1",
        ),
    )
    with served(path, certificate=certificate[0], tls=load_tls(*certificate)) as client:
        yield f"https://127.0.0.1:{client.port}"


@pytest.mark.parametrize("way", ["api_key", "azure_ad_token", "azure_ad_token_provider"])
def test_openai_for_azure(address: str, certificate: tuple[Path, Path], way: str) -> None:
    from openai import AuthenticationError, AzureOpenAI

    for key in (KEY, "another-key-0123456789"):
        given: Any = (lambda key=key: key) if way.endswith("provider") else key
        with (
            httpx.Client(verify=trust_in(certificate[0])) as transport,
            AzureOpenAI(
                azure_endpoint=address, api_version="2025-03-01-preview", http_client=transport,
                max_retries=0, **{way: given},
            ) as client,
        ):  # fmt: skip
            if key == KEY:
                assert [row.name for row in client.beta.assistants.list()] == ["of Azure"]
            else:
                with pytest.raises(AuthenticationError, match="wrong key"):
                    client.beta.assistants.list()


def test_azure_sdks_with_a_token_credential(address: str, certificate: tuple[Path, Path]) -> None:
    from azure.ai.agents import AgentsClient
    from azure.ai.projects import AIProjectClient
    from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError

    endpoint, trust = f"{address}/api/projects/garden", str(certificate[0])
    with AgentsClient(endpoint, credential=ArchiveKey(KEY), connection_verify=trust) as agents:
        assert [agent.name for agent in agents.list_agents()] == ["classic"]
    with AIProjectClient(endpoint, credential=ArchiveKey(KEY), connection_verify=trust) as project:
        assert [agent.name for agent in project.agents.list()] == ["desk"]
        with (
            httpx.Client(verify=trust_in(certificate[0])) as transport,
            project.get_openai_client(http_client=transport) as client,
        ):
            assert [item.type for item in client.conversations.items.list("conv_1")] == ["message"]
    with (
        AgentsClient(endpoint, credential=ArchiveKey("wrong" * 5), connection_verify=trust) as agents,
        pytest.raises(ClientAuthenticationError),
    ):
        list(agents.list_agents())
    with (
        AgentsClient(endpoint, credential=ArchiveKey(KEY), retry_total=0) as agents,
        pytest.raises(ServiceRequestError, match="certificate"),
    ):
        list(agents.list_agents())


def test_a_cookie_over_tls_is_for_tls_only(address: str, certificate: tuple[Path, Path]) -> None:
    with httpx.Client(verify=trust_in(certificate[0])) as client:
        answer = client.get(f"{address}/?key={KEY}")
        assert answer.status_code == 303
        assert "Secure" in answer.headers["set-cookie"]
        assert client.get(f"{address}{answer.headers['location']}").status_code in (200, 303)
        head = client.head(f"{address}/snapshots/1/")
        assert (head.status_code, head.content) == (200, b"")
        conditions = {
            "range": "bytes=0-9",
            "if-none-match": "*",
            "if-modified-since": "Tue, 01 Dec 2026 00:00:00 GMT",
        }
        whole = client.get(f"{address}/snapshots/1/", headers=conditions)
        assert (whole.status_code, len(whole.content)) == (200, int(head.headers["content-length"]))

"""Which host is which service in which cloud, and where a token for which audience is requested."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest

from migrate.cli.config import Config, EstateConfig
from migrate.cli.estate_argument import configured_service
from migrate.endpoints.auth import EntraTokenProvider
from migrate.endpoints.settings import Settings, service_of_host
from migrate.errors import BadUsage, SignInFailed
from migrate.model.known_secrets import redact, register_secret

HOSTS = {
    "acme.openai.azure.com": "azure-openai", "acme.cognitiveservices.azure.com": "azure-openai",
    "acme.services.ai.azure.com": "foundry", "api.openai.com": "openai",
    "acme.openai.azure.us": "azure-openai", "acme.cognitiveservices.azure.us": "azure-openai",
    "acme.services.ai.azure.us": "foundry", "acme.openai.azure.cn": "azure-openai",
    "acme.cognitiveservices.azure.cn": "azure-openai", "acme.services.ai.azure.cn": "foundry",
    "ACME.OpenAI.Azure.US": "azure-openai", "acme.openai.azure.com.": "azure-openai",
    "acme.openai.azure.com.evil.example": None, "openai.azure.com.example": None, "evilapi.openai.com": None,
    "acme.openai.azure.de": None, "openai.azure.us": None,
}  # fmt: skip
AZURE, GOV, CHINA = (f"https://cognitiveservices.azure.{end}/.default" for end in ("com", "us", "cn"))
AI, AI_GOV, AI_CHINA = (f"https://ai.azure.{end}/.default" for end in ("com", "us", "cn"))
PUBLIC_SIGN_IN, GOV_SIGN_IN, CHINA_SIGN_IN = (
    "login.microsoftonline.com", "login.microsoftonline.us", "login.chinacloudapi.cn"
)  # fmt: skip

ASKED = [
    ("azure-openai", "acme.openai.azure.com", {}, AZURE, PUBLIC_SIGN_IN),
    ("azure-openai", "acme.openai.azure.us", {}, GOV, GOV_SIGN_IN),
    ("azure-openai", "acme.cognitiveservices.azure.us", {}, GOV, GOV_SIGN_IN),
    ("azure-openai", "acme.openai.azure.cn", {}, CHINA, CHINA_SIGN_IN),
    ("foundry", "acme.services.ai.azure.com", {}, AI, PUBLIC_SIGN_IN),
    ("foundry", "acme.services.ai.azure.us", {}, AI_GOV, GOV_SIGN_IN),
    ("foundry-classic", "acme.services.ai.azure.cn", {}, AI_CHINA, CHINA_SIGN_IN),
    ("azure-openai", "gateway.example", {}, AZURE, PUBLIC_SIGN_IN),
    ("azure-openai", "gateway.example", {"cloud": "usgov"}, GOV, GOV_SIGN_IN),
    ("foundry", "gateway.example", {"cloud": "china"}, AI_CHINA, CHINA_SIGN_IN),
    ("azure-openai", "acme.openai.azure.us", {"cloud": "public"}, AZURE, PUBLIC_SIGN_IN),
    ("azure-openai", "gateway.example", {"scope": "api://m/.default"}, "api://m/.default", PUBLIC_SIGN_IN),
    ("foundry", "acme.services.ai.azure.us", {"scope": "api://x/.default"}, "api://x/.default", GOV_SIGN_IN),
]  # fmt: skip


@pytest.mark.parametrize("host", HOSTS)
def test_a_host_identifies_its_service(host: str) -> None:
    assert service_of_host(host) == HOSTS[host]
    config = Config()
    if HOSTS[host] is None:
        with pytest.raises(BadUsage, match="does not show its type"):
            configured_service(f"https://{host}/x", config)
    else:
        found = configured_service(f"https://{host}/x", config)
        assert found == EstateConfig(type=HOSTS[host], endpoint=f"https://{host}/x")  # type: ignore[arg-type]


class Identity:
    """A substitute for azure-identity that records its calls."""

    made: dict[str, Any]
    scopes: tuple[str, ...]
    tenant = ""

    def __init__(self, **options: Any) -> None:
        Identity.made = options

    def get_token(self, *scopes: str, **options: Any) -> Any:
        Identity.scopes, Identity.tenant = scopes, options.get("tenant_id", "")
        return SimpleNamespace(token="token-of-this-test", expires_on=10**12)


@pytest.fixture
def identity(monkeypatch: pytest.MonkeyPatch) -> type[Identity]:
    monkeypatch.delenv("AZURE_AUTHORITY_HOST", raising=False)
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setitem(sys.modules, "azure.identity", SimpleNamespace(DefaultAzureCredential=Identity))  # type: ignore[arg-type]
    return Identity


@pytest.mark.parametrize(("type_", "host", "set_", "scope", "authority"), ASKED)
def test_a_token_is_asked_for_the_audience_of_the_cloud(
    identity: type[Identity], type_: str, host: str, set_: dict[str, str], scope: str, authority: str
) -> None:
    settings = Settings(type_, f"https://{host}/x", auth="entra", tenant="t-1", **set_)
    assert EntraTokenProvider(settings)() == "token-of-this-test"
    assert identity.scopes == (scope,)
    assert identity.made["authority"] == authority
    assert identity.tenant == "t-1"


def test_the_authority_of_the_environment_holds_where_no_cloud_is_set(identity: type[Identity]) -> None:
    with patch.dict("os.environ", {"AZURE_AUTHORITY_HOST": "login.example"}):
        EntraTokenProvider(Settings("azure-openai", "https://gateway.example", auth="entra"))
        assert "authority" not in identity.made
        EntraTokenProvider(Settings("azure-openai", "https://gateway.example", auth="entra", cloud="usgov"))
        assert identity.made["authority"] == GOV_SIGN_IN


@pytest.mark.parametrize("type_", ["foundry", "foundry-classic"])
def test_what_nobody_verified_is_marked_so(type_: str) -> None:
    there = f"{type_} in another cloud"
    (remark,) = Settings(type_, "https://a.services.ai.azure.us/api/projects/p", auth="entra").remarks
    assert "unverified" in remark, there
    assert "ai.azure.us" in remark
    public = Settings(type_, "https://a.services.ai.azure.com/api/projects/p", auth="entra")
    set_ = Settings(type_, "https://a.services.ai.azure.us/p", auth="entra", scope="api://x/.default")
    with_token = Settings(type_, "https://a.services.ai.azure.us/p", auth="token", secret="t" * 20)
    assert public.remarks == set_.remarks == with_token.remarks == ()


SIGNS = {"a line feed": "\n", "a carriage return": "\r", "a blank": " ", "DEL": "\x7f", "an umlaut": "ü"}


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize("place", ["before", "within", "behind"])
def test_a_token_with_a_sign_that_no_header_takes(
    identity: type[Identity], monkeypatch: pytest.MonkeyPatch, sign: str, place: str
) -> None:
    odd, first, second = SIGNS[sign], "hidden-4711-aa", "hidden-0815-bb"
    token = {"before": odd + first + second, "within": first + odd + second, "behind": first + second + odd}
    given = SimpleNamespace(token=token[place], expires_on=10**12)
    monkeypatch.setattr(identity, "get_token", lambda self, *scopes, **options: given)
    entra = EntraTokenProvider(Settings("azure-openai", "https://east.openai.azure.com", auth="entra"))
    if place != "within" and sign in ("a line feed", "a carriage return", "a blank"):
        assert entra() == first + second
    else:
        with pytest.raises(SignInFailed, match="cannot be sent") as failed:
            entra()
        assert not [part for part in (first, second) if part in " ".join(failed.value.lines())]
    assert redact(f"Illegal header value {token[place].encode()!r}").count("hidden") == 0


def test_the_message_of_a_failed_sign_in_is_shown_without_secrets(
    identity: type[Identity], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Identity, *scopes: str, **options: Any) -> Any:
        raise ValueError("client secret hidden-client-secret-4711 is wrong")

    register_secret("hidden-client-secret-4711")
    monkeypatch.setattr(identity, "get_token", fail)
    with pytest.raises(SignInFailed, match="cannot sign in") as failed:
        EntraTokenProvider(Settings("azure-openai", "https://east.openai.azure.com", auth="entra"))()
    assert "hidden-client-secret" not in failed.value.why


NOT_SET_UP = """DefaultAzureCredential failed to retrieve a token from the included credentials.
Attempted credentials:
\tEnvironmentCredential: EnvironmentCredential authentication unavailable. Variables are not fully configured.
Visit https://learn.example/troubleshoot to troubleshoot this issue.
\tManagedIdentityCredential: ManagedIdentityCredential authentication unavailable.
\tAzureCliCredential: {}
To mitigate this issue, please refer to the guidelines."""


@pytest.mark.parametrize(
    ("cli", "why"),
    [
        ("Azure CLI not found on path", "no way to sign in is set up on this machine"),
        (
            "ERROR: AADSTS50020: user of another tenant",
            "AzureCliCredential: ERROR: AADSTS50020: user of another",
        ),
        ("Please run 'az login' to set up an account", "AzureCliCredential: Please run 'az login' to set up"),
    ],
)
def test_the_way_to_sign_in_that_was_tried_is_shown_first(
    identity: type[Identity], monkeypatch: pytest.MonkeyPatch, cli: str, why: str
) -> None:
    def fail(self: Identity, *scopes: str, **options: Any) -> Any:
        raise ValueError(NOT_SET_UP.format(cli))

    monkeypatch.setattr(identity, "get_token", fail)
    with pytest.raises(SignInFailed) as failed:
        EntraTokenProvider(Settings("azure-openai", "https://east.openai.azure.com", auth="entra"))()
    assert failed.value.why.startswith(why)


@pytest.mark.parametrize(
    ("url", "says", "says_not"),
    [
        ("https://a.openai.azure.com", "run `az login`; or use a key", "az cloud set"),
        (
            "https://a.openai.azure.us",
            "run `az cloud set --name AzureUSGovernment && az login`",
            "unverified",
        ),
        ("https://a.services.ai.azure.us/api/projects/p", "unverified: tokens are requested", "use a key"),
        ("https://a.services.ai.azure.cn/api/projects/p", "az cloud set --name AzureChinaCloud", "use a key"),
    ],
)
def test_the_next_step_after_a_failed_sign_in_fits_the_cloud(
    identity: type[Identity], monkeypatch: pytest.MonkeyPatch, url: str, says: str, says_not: str
) -> None:
    def fail(self: Identity, *scopes: str, **options: Any) -> Any:
        raise ValueError("no")

    monkeypatch.setattr(identity, "get_token", fail)
    kind: Any = "azure-openai" if "openai" in url else "foundry"
    with pytest.raises(SignInFailed) as failed:
        EntraTokenProvider(Settings(kind, url, auth="entra"))()
    assert says in failed.value.todo
    assert says_not not in failed.value.todo


def test_the_sign_in_trusts_the_same_certificates(identity: type[Identity], tmp_path: Path) -> None:
    folder = str(tmp_path)
    for named, own in (({"REQUESTS_CA_BUNDLE": folder}, ""), ({"SSL_CERT_FILE": folder}, ""), ({}, folder)):
        with patch.dict("os.environ", named):
            EntraTokenProvider(
                Settings("azure-openai", "https://east.openai.azure.com", auth="entra", ca_file=own)
            )
        assert identity.made["connection_verify"] == folder
    EntraTokenProvider(Settings("azure-openai", "https://east.openai.azure.com", auth="entra"))
    assert "connection_verify" not in identity.made

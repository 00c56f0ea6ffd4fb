"""Every method of the SDKs is recorded, free, or named in INSTRUMENT.md as not recorded; a new one fails here."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest

import farebox
from farebox._endpoints import endpoint_of
from farebox._sockets import watched_resources
from farebox.testing import Captured
from instrumentation.provider import Provider
from instrumentation.sdk_methods import Method, sdk_methods, socket_resources, with_async

PAGE = (Path(__file__).parents[2] / "instrumentation" / "INSTRUMENT.md").read_text(encoding="utf-8")

# What costs nothing. Administration, of any kind:
ADMINISTRATION = re.compile(r"\w+ /(organizations?|projects|webhook_endpoints|webhook_event_types)(/.*)?")
# Reading and deleting, of these resources:
KEPT = (
    "agents|assistants|audio|batches|chat|chatkit|containers|conversations|deployment_runs|deployments|dreams|environments|"
    "evals|files|fine_tuning|live|memory_stores|messages|models|responses|safety|sessions|skills|threads|tunnels|"
    "user_profiles|vaults|vector_stores|videos"
)
READING = re.compile(rf"(GET|DELETE) /({KEPT})(/.*)?")
# Writing, of these; x1 stands for an id:
WRITING = """
# Definitions and what they are given.
/agents /agents/x1 /agents/x1/archive /assistants /assistants/x1 /evals /evals/x1 /skills /skills/x1
/skills/x1/versions /agents/environments /agents/environments/templates /agents/environments/templates/x1
/agents/environments/x1/files /environments /environments/x1 /environments/x1/archive /user_profiles
/user_profiles/x1 /user_profiles/x1/action_urls /user_profiles/x1/enrollment_url /files /uploads /uploads/x1/cancel
/uploads/x1/complete /uploads/x1/parts /vaults /vaults/x1 /vaults/x1/archive /vaults/x1/credentials
/vaults/x1/credentials/x1 /vaults/x1/credentials/x1/archive /vaults/x1/credentials/x1/mcp_oauth_validate /tunnels
/tunnels/x1/archive /tunnels/x1/certificates /tunnels/x1/certificates/x1/archive /tunnels/x1/reveal_token
/tunnels/x1/rotate_token /memory_stores /memory_stores/x1 /memory_stores/x1/archive /memory_stores/x1/memories
/memory_stores/x1/memories/x1 /memory_stores/x1/memory_versions/x1/redact /fine_tuning/checkpoints/x1/permissions
/fine_tuning/alpha/graders/validate /audio/voice_consents /audio/voice_consents/x1 /containers/x1/files
# Conversations, until a model is asked.
/conversations /conversations/x1 /conversations/x1/items /chat/completions/x1 /threads /threads/x1
/threads/x1/messages /threads/x1/messages/x1 /threads/x1/runs/x1 /sessions/x1 /sessions/x1/archive
/sessions/x1/resources /sessions/x1/resources/x1 /sessions/x1/threads/x1/archive /agents/sessions/x1
# Stopping, and going on with what was billed when it began.
/agents/automations/x1/pause /deployments/x1/archive /deployments/x1/pause /dreams/x1/archive /dreams/x1/cancel
/evals/x1/runs/x1 /evals/x1/runs/x1/cancel /fine_tuning/jobs/x1/cancel /fine_tuning/jobs/x1/pause
/fine_tuning/jobs/x1/resume
/threads/x1/runs/x1/cancel /threads/x1/runs/x1/submit_tool_outputs /vector_stores/x1/file_batches/x1/cancel
/chatkit/sessions/x1/cancel /live/sessions/x1/hangup /live/sessions/x1/refer /live/sessions/x1/reject
/realtime/calls/x1/hangup /realtime/calls/x1/refer /realtime/calls/x1/reject
# Free of charge.
/moderations
"""
# A worker that takes tasks from the provider.
WORKER = re.compile(r"POST /environments/x1/(work)/x1(/(ack|heartbeat|stop))?")
FREE = frozenset(f"POST {path}" for path in re.sub("#.*", "", WRITING).split())
# What costs money that no call of this client tells: its words in INSTRUMENT.md.
NOT_RECORDED = {
    "scheduled agents": "/agents/automations /agents/automations/x1 /agents/automations/x1/resume "
    "/deployments /deployments/x1 /deployments/x1/unpause",
    "sessions that a browser opens with a client secret": "/chatkit/sessions /realtime/client_secrets "
    "/realtime/sessions /realtime/transcription_sessions /realtime/translations/client_secrets",
    "storage": "/vector_stores /vector_stores/x1 /vector_stores/x1/file_batches /vector_stores/x1/files "
    "/vector_stores/x1/files/x1",
    "custom voices": "/audio/voices",
}
# Methods that send nothing themselves, or what other methods here send.
SILENT = {
    "anthropic beta.messages.thread",
    "anthropic beta.webhooks.parse_unverified",
    "anthropic beta.webhooks.unwrap",
    "openai beta.agents.environments.files.prepare",
    "openai beta.agents.environments.files.prepare_directory",
    "openai beta.agents.sessions.artifacts.for_result",
    "openai uploads.upload_file_chunked",
    "openai webhooks.unwrap",
    "openai webhooks.verify_signature",
}


ONE_SIDED = {
    "anthropic beta.environments.work.poller",
    "anthropic beta.environments.work.worker",
    "anthropic beta.sessions.events.tool_runner",
}


def class_of(method: Method) -> str:
    """Say which class a method is in, "" if none."""
    if method.request is None:
        return "silent" if method.name in SILENT else ""
    verb, path = method.request
    request = f"{verb} {path}"
    if endpoint_of(verb, path) is not None:
        return "recorded"
    if request in FREE or any(each.fullmatch(request) for each in (ADMINISTRATION, READING, WORKER)):
        return "free"
    unrecorded = {f"POST {each}" for paths in NOT_RECORDED.values() for each in paths.split()}
    return "not recorded" if request in unrecorded else ""


@pytest.fixture(scope="module")
def methods() -> list[Method]:
    return list(sdk_methods())


def test_every_method_of_the_sdks_is_in_a_class(methods: list[Method]) -> None:
    """A method that an SDK adds is looked at before it passes: does it cost money, and is that recorded?"""
    strangers = [(each.name, each.request) for each in methods if not class_of(each)]

    assert strangers == []


def test_enough_methods_were_found(methods: list[Method]) -> None:
    """The walk through the SDKs has not quietly come to see less of them."""
    by_class = {each: sum(class_of(method) == each for method in methods) for each in ("recorded", "free", "silent")}

    assert by_class["recorded"] >= 60
    assert by_class["free"] >= 300
    assert by_class["silent"] <= len(SILENT)


def test_async_clients_have_the_same_methods() -> None:
    """What holds of the sync clients' methods holds of the async ones: they have the same names.

    Only one of the two has some helpers, which send what other methods here send.
    """
    odd = {f"{name}.{method}" for name, missing in with_async() for method in missing}

    assert odd <= ONE_SIDED


def test_every_socket_is_watched() -> None:
    """A resource that opens a WebSocket is one that is watched."""
    assert set(socket_resources()) <= set(watched_resources())


@pytest.mark.parametrize("words", NOT_RECORDED)
def test_what_is_not_recorded_is_said(words: str) -> None:
    """The page names each surface that costs money and is not recorded."""
    (row,) = re.findall(r"^\| Anthropic messages .*$", PAGE, re.MULTILINE)

    assert words in row.split("|")[3]


A = anthropic.Anthropic
O = openai.OpenAI  # noqa: E741
UNKNOWN: dict[str, tuple[type, Callable[[Any], Any]]] = {
    "session": (A, lambda c: c.beta.sessions.create(agent="a", environment_id="e")),
    "session events": (A, lambda c: c.beta.sessions.events.send("s", events=[])),
    "deployment": (A, lambda c: c.beta.deployments.run("d")),
    "dream": (A, lambda c: c.beta.dreams.create(inputs=[], model="claude-haiku-4-5")),
    "agent session": (O, lambda c: c.beta.agents.sessions.create(agent_id="a", environment={})),
    "agent session events": (O, lambda c: c.beta.agents.sessions.events.create("s", events=[])),
    "run": (O, lambda c: c.beta.threads.runs.create("t", assistant_id="a")),
    "thread and run": (O, lambda c: c.beta.threads.create_and_run(assistant_id="a")),
    "evaluation": (O, lambda c: c.evals.runs.create("e", data_source={})),
    "fine-tuning": (O, lambda c: c.fine_tuning.jobs.create(model="m", training_file="f")),
    "grader": (O, lambda c: c.fine_tuning.alpha.graders.run(grader={}, model_sample="x")),
    "container": (O, lambda c: c.containers.create(name="c")),
    "search": (O, lambda c: c.vector_stores.search("v", query="x")),
    "provenance": (O, lambda c: c.content_provenance_checks.create(file=("a.png", b"x"))),
    "call": (O, lambda c: c.realtime.calls.accept("c", type="realtime")),
    "live session": (O, lambda c: c.live.create(session={}, transport={})),
}
COSTLESS: dict[str, Callable[[Any], Any]] = {
    "message of a thread": lambda c: c.beta.threads.messages.create("t", role="user", content="hi"),
    "end of an upload": lambda c: c.uploads.complete("u", part_ids=["p"]),
    "client secret": lambda c: c.realtime.client_secrets.create(),
    "moderation": lambda c: c.moderations.create(input="x"),
}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("name", UNKNOWN)
def test_what_is_billed_and_not_understood_is_missing(name: str, provider: Provider, captured: Captured) -> None:
    """A call that sets something costly going leaves a span whose usage is missing, rather than nothing."""
    make, does = UNKNOWN[name]
    with farebox.wrap(make(api_key="k", base_url=f"{provider.base}/v1", max_retries=0)) as client:
        try:
            does(client)
        except AttributeError:
            pytest.skip("this release of the SDK has no such method")

    (attempt,) = captured.attempts()
    assert (attempt["farebox.usage.state"], attempt["farebox.outcome"]) == ("missing", "ok")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("name", COSTLESS)
def test_what_is_free_leaves_nothing(name: str, provider: Provider, captured: Captured) -> None:
    """A free call is no span, even where its address ends like a costly one."""
    with farebox.wrap(openai.OpenAI(api_key="k", base_url=f"{provider.base}/v1", max_retries=0)) as client:
        COSTLESS[name](client)

    assert captured.attempts() == []

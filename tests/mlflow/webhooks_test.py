"""Webhooks of MLflow 3: managed with the client, delivered with the payloads that its types describe, and signed."""
import base64
import hashlib
import hmac
import http.server
import json
import queue
import threading
import uuid

import mlflow
import pytest
from clients import refused, requires_3

pytestmark = requires_3
ARRIVAL_S = 60
SECRET = "a secret of the receiver"


class Receiver(http.server.ThreadingHTTPServer):
    """Keeps what arrives, in its order."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.arrived = queue.Queue()
        self.url = f"http://127.0.0.1:{self.server_address[1]}/hook"

    def next(self):
        """(headers, body) of the next delivery."""
        return self.arrived.get(timeout=ARRIVAL_S)


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.server.arrived.put((self.headers, self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.send_header("Content-Length", "4")
        self.end_headers()
        self.wfile.write(b"seen")

    def log_message(self, *arguments):
        pass


@pytest.fixture
def receiver():
    with Receiver() as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def listen(client, receiver):
    """Makes webhooks, and removes them at the end."""
    made = []

    def make(*events, **options):
        made.append(client.create_webhook(f"hook-{uuid.uuid4().hex[:8]}", receiver.url, list(events), **options))
        return made[-1]

    yield make
    for webhook in made:
        client.delete_webhook(webhook.webhook_id)


def test_a_webhook_reads_back(client, listen):
    made = listen("registered_model.created", "model_version.created", description="tells the team", secret=SECRET)
    got = client.get_webhook(made.webhook_id)
    assert (got.name, got.url, got.description) == (made.name, made.url, "tells the team")
    assert {str(event) for event in got.events} == {"registered_model.created", "model_version.created"}
    assert got.status == "ACTIVE"
    assert got.secret is None, "secrets are not told"
    client.update_webhook(made.webhook_id, status="DISABLED", events=["prompt.created"], description="quiet")
    got = client.get_webhook(made.webhook_id)
    assert (got.status, [str(event) for event in got.events], got.description) == (
        "DISABLED", ["prompt.created"], "quiet")
    assert got.last_updated_timestamp >= got.creation_timestamp


def test_webhooks_come_in_pages(client, listen):
    made = {listen("registered_model.created").webhook_id for _ in range(3)}
    listed, token = [], None
    while True:
        page = client.list_webhooks(max_results=2, page_token=token)
        listed += [webhook.webhook_id for webhook in page]
        token = page.token
        if not token:
            break
    assert made <= set(listed) and len(listed) == len(set(listed))


def check_delivery(delivery, entity, action):
    """The headers and the signature are right; returns the event's data."""
    from mlflow.entities.webhook import WebhookEvent
    from mlflow.webhooks.types import get_example_payload_for_event

    headers, body = delivery
    signed = f"{headers['X-MLflow-Delivery-Id']}.{headers['X-MLflow-Timestamp']}.".encode() + body
    digest = base64.b64encode(hmac.new(SECRET.encode(), signed, hashlib.sha256).digest()).decode()
    assert headers["X-MLflow-Signature"] == f"v1,{digest}"
    told = json.loads(body)
    assert (told["entity"], told["action"]) == (entity, action)
    assert set(told["data"]) == set(get_example_payload_for_event(WebhookEvent(entity, action)))
    return told["data"]


def test_what_happens_in_the_registry_is_told(client, receiver, listen, run, model_name):
    listen("registered_model.created", "model_version.created", "model_version_tag.set", "model_version_tag.deleted",
           "model_version_alias.created", "model_version_alias.deleted", secret=SECRET)
    client.create_registered_model(model_name, tags={"k": "v"}, description="d")
    data = check_delivery(receiver.next(), "registered_model", "created")
    assert data == {"name": model_name, "tags": {"k": "v"}, "description": "d"}
    client.create_model_version(model_name, f"{run.info.artifact_uri}/m", run.info.run_id, description="first")
    data = check_delivery(receiver.next(), "model_version", "created")
    assert (data["name"], data["version"], data["run_id"], data["description"]) == (
        model_name, "1", run.info.run_id, "first")
    client.set_model_version_tag(model_name, "1", "a", "b")
    data = check_delivery(receiver.next(), "model_version_tag", "set")
    assert data == {"name": model_name, "version": "1", "key": "a", "value": "b"}
    client.delete_model_version_tag(model_name, "1", "a")
    assert check_delivery(receiver.next(), "model_version_tag", "deleted")["key"] == "a"
    client.set_registered_model_alias(model_name, "best", "1")
    data = check_delivery(receiver.next(), "model_version_alias", "created")
    assert data == {"name": model_name, "alias": "best", "version": "1"}
    client.delete_registered_model_alias(model_name, "best")
    assert check_delivery(receiver.next(), "model_version_alias", "deleted")["alias"] == "best"


def test_what_happens_to_prompts_is_told(client, receiver, listen):
    listen("prompt.created", "prompt_version.created", "prompt_alias.created", secret=SECRET)
    name = f"prompt-{uuid.uuid4().hex[:8]}"
    mlflow.genai.register_prompt(name, "Hello {{who}}")
    first, second = receiver.next(), receiver.next()
    if json.loads(first[1])["entity"] != "prompt":  # two deliveries on their way at once
        first, second = second, first
    assert check_delivery(first, "prompt", "created")["name"] == name
    data = check_delivery(second, "prompt_version", "created")
    assert (data["name"], data["version"], data["template"]) == (name, "1", "Hello {{who}}")
    mlflow.genai.set_prompt_alias(name, "live", 1)
    assert check_delivery(receiver.next(), "prompt_alias", "created")["alias"] == "live"


def test_a_webhook_can_be_tried(client, receiver, listen):
    webhook = listen("model_version.created", secret=SECRET)
    result = client.test_webhook(webhook.webhook_id)
    assert (result.success, result.response_status, result.response_body) == (True, 200, "seen")
    check_delivery(receiver.next(), "model_version", "created")


def test_webhooks_that_are_refused(client, listen):
    with refused("RESOURCE_DOES_NOT_EXIST", "not found"):
        client.get_webhook(str(uuid.uuid4()))
    for name, url in (("", "https://127.0.0.1/x"), ("-x", "https://127.0.0.1/x"), ("ok", "ftp://127.0.0.1/x")):
        with refused("INVALID_PARAMETER_VALUE", ""):
            client.create_webhook(name, url, ["model_version.created"])
    webhook = listen("model_version.created")
    with refused("INVALID_PARAMETER_VALUE", ""):
        client.update_webhook(webhook.webhook_id, url="nonsense")

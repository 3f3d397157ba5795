#!/usr/bin/env python3
"""Webhooks against receivers on loopback: what arrives, in which order, how often, and what strange answers do.

Usage: run_webhooks.py FOLDER_OF_BINARIES [PART_OF_A_CASE'S_NAME]
"""
import base64
import collections
import contextlib
import datetime
import hashlib
import hmac
import http.client
import http.server
import itertools
import json
import os
import random
import re
import socket
import ssl
import stat
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from cases import case, check, run_cases  # noqa: E402
from daemon import Daemon, binary  # noqa: E402

DEADLINE_S = 60
LOOPBACK = ("--webhook-allowed-schemes", "http,https", "--webhook-allow-private-addresses")
V1 = "/api/trackerd/v1/webhooks/"
MODEL_CREATED = {"entity": "REGISTERED_MODEL", "action": "CREATED"}

Received = collections.namedtuple("Received", "path headers body time")


def wait_until(condition, what):
    """The first true value of the condition."""
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError(f"not in time: {what}")


class Receiver:
    """An HTTP server that notes what it gets and answers what `answer` says: (status, headers, body)."""

    def __init__(self, port=0, tls=None):
        self.received = []
        self.answer = lambda request: (200, {}, b"")
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                request = Received(self.path, self.headers, body, time.monotonic())
                receiver.received.append(request)
                status, headers, reply = receiver.answer(request)
                with contextlib.suppress(OSError):
                    self.send_response(status)
                    for name, value in headers.items():
                        self.send_header(name, value)
                    self.send_header("Content-Length", str(len(reply)))
                    self.end_headers()
                    self.wfile.write(reply)

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        if tls:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    @property
    def port(self):
        return self.server.server_address[1]

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/hook"

    def wait(self, count):
        wait_until(lambda: len(self.received) >= count, f"{count} requests, there were {len(self.received)}")
        return self.received[:count]

    def names(self):
        return [json.loads(request.body)["data"]["name"] for request in self.received]

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()


class RawReceiver:
    """Accepts connections and hands each, after the request's head, to a function with the socket."""

    def __init__(self, serve):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.serve = serve
        self.accepted = 0
        self.closing = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}/hook"

    def _accept(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            self.accepted += 1
            threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    def _serve(self, peer):
        with peer, contextlib.suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head:
                piece = peer.recv(65536)
                if not piece:
                    return
                head += piece
            self.serve(peer, self.closing)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.closing.set()
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


def hang(peer, closing):
    """Never answers."""
    closing.wait(DEADLINE_S)


def make_hook(client, url, events=(MODEL_CREATED,), **fields):
    body = {"name": "hook", "url": url, "events": list(events), **fields}
    return client.call("POST", "webhooks", body)["webhook"]["webhook_id"]


def make_model(client, name, **fields):
    client.call("POST", "registered-models/create", {"name": name, **fields})


def deliveries(client, hook):
    return client.call("GET", V1 + hook + "/deliveries?max_results=1000").get("deliveries", [])


def wait_state(client, hook, state, attempts=1):
    """The newest delivery, once it has that state after so many attempts."""
    def look():
        newest = deliveries(client, hook)[0]
        return newest if newest["state"] == state and len(newest.get("attempts", [])) >= attempts else None
    return wait_until(look, f"{state}; there is {deliveries(client, hook)[:1]}")


def check_signature(request, secret):
    """As a receiver would: HMAC over id, time and body."""
    delivery_id, timestamp = request.headers["X-MLflow-Delivery-Id"], request.headers["X-MLflow-Timestamp"]
    signed = f"{delivery_id}.{timestamp}.".encode() + request.body
    digest = hmac.new(secret.encode(), signed, hashlib.sha256).digest()
    check(request.headers["X-MLflow-Signature"] == "v1," + base64.b64encode(digest).decode(), "wrong signature")
    check(abs(int(timestamp) - time.time()) < DEADLINE_S, f"timestamp {timestamp}")
    check(re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", delivery_id),
          f"delivery id {delivery_id}")


# ---- what arrives --------------------------------------------------------------------------------------------------

@case
def an_event_arrives_signed_and_in_mlflows_shape(program):
    """An event arrives signed and in MLflow's shape, and the log tells of it."""
    with Daemon(program, options=LOOPBACK) as daemon, Receiver() as receiver:
        client = daemon.connect()
        receiver.answer = lambda request: (202, {}, b"thanks \xff\x00")
        hook = make_hook(client, receiver.url, secret="sécret")
        make_model(client, "m", description="dé\"s\n", tags=[{"key": "k", "value": "1"}, {"key": "k", "value": "2"}])
        request, = receiver.wait(1)
        check_signature(request, "sécret")
        check(request.headers["Content-Type"] == "application/json", request.headers["Content-Type"])
        check(request.headers["User-Agent"].startswith("trackerd/"), request.headers["User-Agent"])
        body = json.loads(request.body)
        told = datetime.datetime.fromisoformat(body.pop("timestamp"))
        check(abs(told.timestamp() - time.time()) < DEADLINE_S, f"told {told}")
        check(body == {"entity": "registered_model", "action": "created",
                       "data": {"name": "m", "description": "dé\"s\n", "tags": {"k": "2"}}}, body)
        logged = wait_state(client, hook, "DELIVERED")
        check(logged["delivery_id"] == request.headers["X-MLflow-Delivery-Id"], logged)
        check(logged["entity"] == "REGISTERED_MODEL" and logged["action"] == "CREATED", logged)
        check(logged["attempts"][0]["response_status"] == 202, logged)
        check(logged["attempts"][0]["response_body"] == "thanks ??", logged)


ALL_EVENTS = [
    ("REGISTERED_MODEL", "CREATED"), ("MODEL_VERSION", "CREATED"), ("MODEL_VERSION_TAG", "SET"),
    ("MODEL_VERSION_TAG", "DELETED"), ("MODEL_VERSION_ALIAS", "CREATED"), ("MODEL_VERSION_ALIAS", "DELETED"),
    ("PROMPT", "CREATED"), ("PROMPT_VERSION", "CREATED"), ("PROMPT_TAG", "SET"), ("PROMPT_TAG", "DELETED"),
    ("PROMPT_VERSION_TAG", "SET"), ("PROMPT_VERSION_TAG", "DELETED"), ("PROMPT_ALIAS", "CREATED"),
    ("PROMPT_ALIAS", "DELETED"), ("BUDGET_POLICY", "EXCEEDED")]
PROMPT = {"key": "mlflow.prompt.is_prompt", "value": "true"}


def change_all(client, name, source, tags, text):
    """Everything of the registry that can be told of, once."""
    version = {"name": name, "version": "1"}
    make_model(client, name, tags=tags)
    client.call("POST", "model-versions/create", {"name": name, "source": source, "tags": tags + text})
    client.call("POST", "registered-models/set-tag", {"name": name, "key": "k", "value": "v"})
    client.call("DELETE", "registered-models/delete-tag", {"name": name, "key": "k"})
    client.call("POST", "model-versions/set-tag", {**version, "key": "k"})
    client.call("DELETE", "model-versions/delete-tag", {**version, "key": "k"})
    client.call("POST", "registered-models/alias", {**version, "alias": "a"})
    client.call("DELETE", "registered-models/alias", {"name": name, "alias": "a"})


@case
def every_event_arrives_in_order(program):
    """Every change of models and of prompts is told of, in order and with its own data."""
    with Daemon(program, options=LOOPBACK) as daemon, Receiver() as receiver:
        client = daemon.connect()
        make_hook(client, receiver.url, [{"entity": e, "action": a} for e, a in ALL_EVENTS])
        change_all(client, "m", "mlflow-artifacts:/0/x", [{"key": "t", "value": "1"}], [])
        change_all(client, "p", "dummy-source", [PROMPT, {"key": "_mlflow_prompt_type", "value": "text"}],
                   [{"key": "mlflow.prompt.text", "value": "Hello"}])
        bodies = [json.loads(request.body) for request in receiver.wait(14)]
        told = [(body["entity"], body["action"], body["data"]) for body in bodies]
        check(told == [
            ("registered_model", "created", {"name": "m", "tags": {"t": "1"}, "description": ""}),
            ("model_version", "created", {"name": "m", "version": "1", "source": "mlflow-artifacts:/0/x",
                                          "run_id": None, "tags": {"t": "1"}, "description": None}),
            ("model_version_tag", "set", {"name": "m", "version": "1", "key": "k", "value": ""}),
            ("model_version_tag", "deleted", {"name": "m", "version": "1", "key": "k"}),
            ("model_version_alias", "created", {"name": "m", "alias": "a", "version": "1"}),
            ("model_version_alias", "deleted", {"name": "m", "alias": "a"}),
            ("prompt", "created", {"name": "p", "tags": {}, "description": ""}),
            ("prompt_version", "created", {"name": "p", "version": "1", "template": "Hello", "tags": {},
                                           "description": None}),
            ("prompt_tag", "set", {"name": "p", "key": "k", "value": "v"}),
            ("prompt_tag", "deleted", {"name": "p", "key": "k"}),
            ("prompt_version_tag", "set", {"name": "p", "version": "1", "key": "k", "value": ""}),
            ("prompt_version_tag", "deleted", {"name": "p", "version": "1", "key": "k"}),
            ("prompt_alias", "created", {"name": "p", "alias": "a", "version": "1"}),
            ("prompt_alias", "deleted", {"name": "p", "alias": "a"}),
        ], told)


@case
def promotions_and_rollbacks_arrive_like_moves(program):
    """An alias that is promoted or rolled back is told, signed, as one that is set is; what is refused is not."""
    with Daemon(program, options=LOOPBACK) as daemon, Receiver() as receiver:
        client = daemon.connect()
        make_hook(client, receiver.url, [{"entity": "MODEL_VERSION_ALIAS", "action": "CREATED"}], secret="s3cret")
        make_model(client, "m")
        for _ in range(3):
            client.call("POST", "model-versions/create", {"name": "m", "source": "mlflow-artifacts:/0/x"})
        model = "/api/trackerd/v1/models/m/"
        client.call("POST", "registered-models/alias", {"name": "m", "alias": "champion", "version": "1"})
        client.call("POST", model + "promote", {"version": "2", "alias": "champion", "reason": "better"})
        client.call("PUT", model + "rules", {"requirements": ["rmse_val <= 1"], "protected_aliases": ["champion"]})
        client.call("POST", model + "promote", {"version": "3", "alias": "champion", "reason": "x"}, expect=409)
        client.call("POST", "registered-models/alias", {"name": "m", "alias": "champion", "version": "3"}, expect=403)
        forced = {"version": "3", "alias": "champion", "reason": "urgent", "force": True}
        client.call("POST", model + "promote", forced)
        client.call("POST", model + "rollback", {"alias": "champion", "reason": "worse"})
        client.call("POST", model + "rollback", {"alias": "champion", "version": "1", "reason": "much worse"})
        client.call("POST", "registered-models/alias", {"name": "m", "alias": "last", "version": "3"})
        requests = receiver.wait(6)
        for request in requests:
            check_signature(request, "s3cret")
        bodies = [json.loads(request.body) for request in requests]
        check({(body["entity"], body["action"]) for body in bodies} == {("model_version_alias", "created")}, bodies)
        check([body["data"] for body in bodies] == [
            {"name": "m", "alias": alias, "version": version} for alias, version in (
                ("champion", "1"), ("champion", "2"), ("champion", "3"), ("champion", "2"), ("champion", "1"),
                ("last", "3"))], bodies)


@case
def only_what_was_asked_for_and_what_happened(program):
    """Others' events, changes that failed and disabled webhooks bring nothing."""
    with Daemon(program, options=LOOPBACK) as daemon, Receiver() as receiver, Receiver() as off:
        client = daemon.connect()
        make_hook(client, receiver.url, [{"entity": "MODEL_VERSION_ALIAS", "action": "CREATED"}])
        hook = make_hook(client, off.url, status="DISABLED")
        make_model(client, "m")
        client.call("POST", "registered-models/create", {"name": "m"}, expect=400)
        client.call("POST", "model-versions/create", {"name": "m", "source": "mlflow-artifacts:/0/x"})
        client.call("POST", "registered-models/alias", {"name": "m", "alias": "a", "version": "7"}, expect=404)
        client.call("POST", "registered-models/alias", {"name": "m", "alias": "b", "version": "1"})
        request, = receiver.wait(1)
        check(json.loads(request.body)["data"]["alias"] == "b", request.body)
        check("X-MLflow-Signature" not in request.headers, "signed without a secret")
        check(off.received == [] and deliveries(client, hook) == [], "a disabled webhook was told")


# ---- failures ------------------------------------------------------------------------------------------------------

@case
def failures_are_tried_again_in_order(program):
    """After 500 and 429 the same delivery comes again, and those behind it wait their turn."""
    with Daemon(program, options=LOOPBACK) as daemon, Receiver() as receiver:
        client = daemon.connect()
        answers = [(500, {}, b"oops"), (429, {"Retry-After": "2"}, b"")]
        receiver.answer = lambda request: answers.pop(0) if answers else (200, {}, b"")
        hook = make_hook(client, receiver.url)
        for i in range(20):
            make_model(client, f"m{i}")
        requests = receiver.wait(22)
        check(receiver.names() == ["m0", "m0"] + [f"m{i}" for i in range(20)], receiver.names())
        ids = [request.headers["X-MLflow-Delivery-Id"] for request in requests]
        check(len(set(ids[:3])) == 1 and len(set(ids)) == 20, ids)
        check(requests[1].time - requests[0].time > 0.4, "no pause after 500")
        check(requests[2].time - requests[1].time > 1.9, "Retry-After was not honoured")
        wait_until(lambda: all(d["state"] == "DELIVERED" for d in deliveries(client, hook)), "all delivered")
        statuses = [attempt["response_status"] for attempt in deliveries(client, hook)[-1]["attempts"]]
        check(statuses == [500, 429, 200], statuses)


@case
def a_receiver_that_was_down_gets_everything(program):
    """What happened while the receiver was down arrives when it is back."""
    with Daemon(program, options=LOOPBACK) as daemon:
        client = daemon.connect()
        with Receiver() as away:
            port = away.port
        hook = make_hook(client, f"http://127.0.0.1:{port}/hook")
        make_model(client, "a")
        make_model(client, "b")
        wait_until(lambda: len(deliveries(client, hook)[-1].get("attempts", [])) >= 2, "two attempts")
        first = deliveries(client, hook)[-1]
        check(first["state"] == "PENDING" and "next_attempt_timestamp" in first, first)
        check("response_status" not in first["attempts"][0] and first["attempts"][0]["error_message"], first)
        with Receiver(port) as receiver:
            receiver.wait(2)
            check(receiver.names() == ["a", "b"], receiver.names())


@case
def a_refusal_is_final_until_it_is_replayed(program):
    """404 is not tried again; a replay is, under the same id, after what else waits; so is one that was delivered."""
    with Daemon(program, options=LOOPBACK) as daemon, Receiver() as receiver:
        client = daemon.connect()
        receiver.answer = lambda request: (404, {}, b"")
        hook = make_hook(client, receiver.url)
        make_model(client, "a")
        failed = wait_state(client, hook, "FAILED")
        receiver.answer = lambda request: (200, {}, b"")
        make_model(client, "b")
        receiver.wait(2)
        path = V1 + f"{hook}/deliveries/{failed['delivery_id']}/replay"
        reply = client.call("POST", path)
        check(reply["delivery"]["state"] == "PENDING", reply)
        receiver.wait(3)
        wait_state(client, hook, "DELIVERED", attempts=2)
        client.call("POST", path)
        requests = receiver.wait(4)
        check(receiver.names() == ["a", "b", "a", "a"], receiver.names())
        check(len({requests[i].headers["X-MLflow-Delivery-Id"] for i in (0, 2, 3)}) == 1, "the id changed")


@case
def a_replay_hurries_what_waits(program):
    """A delivery that waits for its next attempt is tried at once when it is replayed."""
    with Daemon(program, options=LOOPBACK) as daemon, Receiver() as receiver:
        client = daemon.connect()
        receiver.answer = lambda request: (503, {"Retry-After": "3600"}, b"")
        hook = make_hook(client, receiver.url)
        make_model(client, "a")
        waiting = wait_state(client, hook, "PENDING")
        check(waiting["next_attempt_timestamp"] - waiting["attempts"][0]["timestamp"] > 3000_000, waiting)
        receiver.answer = lambda request: (200, {}, b"")
        client.call("POST", V1 + f"{hook}/deliveries/{waiting['delivery_id']}/replay")
        wait_state(client, hook, "DELIVERED", attempts=2)


@case
def a_disabled_webhook_keeps_what_waits(program):
    """Disabling holds deliveries back, enabling lets them go; deleting drops them."""
    with Daemon(program, options=LOOPBACK) as daemon, Receiver() as receiver:
        client = daemon.connect()
        receiver.answer = lambda request: (503, {"Retry-After": "3600"}, b"")
        hook = make_hook(client, receiver.url)
        make_model(client, "a")
        waiting = wait_state(client, hook, "PENDING")
        client.call("PATCH", f"webhooks/{hook}", {"status": "DISABLED"})
        client.call("POST", V1 + f"{hook}/deliveries/{waiting['delivery_id']}/replay")
        make_model(client, "b")
        receiver.answer = lambda request: (200, {}, b"")
        client.call("PATCH", f"webhooks/{hook}", {"status": "ACTIVE"})
        wait_state(client, hook, "DELIVERED", attempts=2)
        check(receiver.names() == ["a", "a"], receiver.names())
        client.call("DELETE", f"webhooks/{hook}")
        client.call("GET", V1 + f"{hook}/deliveries", expect=404)


# ---- crashes and stops ---------------------------------------------------------------------------------------------

@case
def a_crash_loses_nothing(program):
    """Killed between the change and the answer, the daemon delivers after its restart, under the same id."""
    with Daemon(program, options=LOOPBACK) as daemon, Receiver() as receiver:
        client = daemon.connect()
        release = threading.Event()

        def hold(request):
            release.wait(DEADLINE_S)
            return 200, {}, b""
        receiver.answer = hold
        make_hook(client, receiver.url)
        for name in ("a", "b", "c"):
            make_model(client, name)
        receiver.wait(1)
        daemon.kill()
        release.set()
        receiver.answer = lambda request: (200, {}, b"")
        daemon.start()
        requests = receiver.wait(4)
        check(receiver.names() == ["a", "a", "b", "c"], receiver.names())
        check(requests[0].headers["X-MLflow-Delivery-Id"] == requests[1].headers["X-MLflow-Delivery-Id"], "another id")


@case
def many_crashes_lose_nothing(program):
    """Killed again and again while models are made, the daemon tells of each that it acknowledged, in order."""
    with Daemon(program, options=LOOPBACK) as daemon, Receiver() as receiver:
        hook = make_hook(daemon.connect(), receiver.url)
        acknowledged = []
        for life in range(5):
            killer = threading.Timer(random.uniform(0.05, 0.3), daemon.kill)
            killer.start()
            with contextlib.suppress(OSError, http.client.HTTPException):
                client = daemon.connect()
                for i in itertools.count():
                    make_model(client, f"{life}-{i}")
                    acknowledged.append(f"{life}-{i}")
            killer.join()
            daemon.start()
        wait_until(lambda: set(acknowledged) <= set(receiver.names()), "all that was acknowledged")
        client = daemon.connect()
        wait_until(lambda: all(d["state"] == "DELIVERED" for d in deliveries(client, hook)), "all recorded")
        first = list(dict.fromkeys(receiver.names()))
        check([name for name in first if name in set(acknowledged)] == acknowledged, "out of order")
        by_id = {request.headers["X-MLflow-Delivery-Id"] for request in receiver.received}
        check(len(by_id) == len(first), f"{len(first)} events under {len(by_id)} ids")


@case
def stopping_does_not_wait_for_receivers(program):
    """SIGTERM ends deliveries and test calls under way at once, and what was not answered is sent again."""
    options = (*LOOPBACK, "--webhook-timeout-ms", "60000", "--drain-timeout-ms", "60000")
    with Daemon(program, options=options) as daemon, RawReceiver(hang) as receiver:
        client = daemon.connect()
        hook = make_hook(client, receiver.url)
        make_model(client, "a")
        results = []
        tester = threading.Thread(target=lambda: results.append(
            daemon.connect().call("POST", f"webhooks/{hook}/test", {})))
        tester.start()
        wait_until(lambda: receiver.accepted == 2, "both requests")
        begin = time.monotonic()
        daemon.stop()
        took = time.monotonic() - begin
        check(took < 30, f"stopping took {took:.1f} s")
        tester.join(DEADLINE_S)
        check(results and not results[0]["result"]["success"], results)
        daemon.start()
        wait_until(lambda: receiver.accepted == 3, "the delivery comes again")


# ---- strangers -----------------------------------------------------------------------------------------------------

@case
def private_addresses_are_refused_when_connecting(program):
    """A URL whose text looks harmless and leads to loopback makes no connection, and is not tried again."""
    with Daemon(program, options=LOOPBACK[:2]) as daemon, Receiver() as receiver:
        client = daemon.connect()
        url = f"http://127%2e0%2e0%2e1:{receiver.port}/hook"
        hook = make_hook(client, url)
        make_model(client, "a")
        refused = wait_state(client, hook, "FAILED")
        check("127.0.0.1 is not a public address" in refused["attempts"][0]["error_message"], refused)
        result = client.call("POST", f"webhooks/{hook}/test", {})["result"]
        check(not result["success"] and "not a public address" in result["error_message"], result)
        check(receiver.received == [], "it was connected to")


def make_certificate(folder, name):
    """A certificate for `name` that signs itself. → (file of it and its key, the receiver's side of TLS)"""
    file = os.path.join(folder, name + ".pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-days", "2", "-subj", "/CN=" + name, "-addext", "subjectAltName=DNS:" + name,
                    "-keyout", file + ".key", "-out", file], check=True, capture_output=True)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(file, file + ".key")
    return file, tls


@case
def certificates_are_checked(program):
    """https: a certificate is trusted when --webhook-ca-file says so and the name is right; else nothing is sent."""
    with tempfile.TemporaryDirectory(prefix="trackerd-test-") as folder:
        file, tls = make_certificate(folder, "localhost")
        other_file, other_tls = make_certificate(folder, "elsewhere.example")
        for trusted, side, arrives in ((file, tls, True), (None, tls, False), (other_file, tls, False),
                                       (other_file, other_tls, False)):
            options = ["--webhook-allow-private-addresses", *(["--webhook-ca-file", trusted] if trusted else [])]
            with Daemon(program, options=options) as daemon, Receiver(tls=side) as receiver:
                client = daemon.connect()
                hook = make_hook(client, f"https://localhost:{receiver.port}/hook", secret="s3cret")
                result = client.call("POST", f"webhooks/{hook}/test", {})["result"]
                check(result["success"] == arrives, (trusted, result))
                check(len(receiver.received) == int(arrives), receiver.received)
                check(arrives or "certificate" in result["error_message"].lower(), result)


@case
def redirects_are_not_followed(program):
    """A redirect is an answer like any other that is no success."""
    with Daemon(program, options=LOOPBACK) as daemon, Receiver() as receiver, Receiver() as target:
        client = daemon.connect()
        receiver.answer = lambda request: (307, {"Location": target.url}, b"")
        hook = make_hook(client, receiver.url)
        make_model(client, "a")
        failed = wait_state(client, hook, "FAILED")
        check(failed["attempts"][0]["response_status"] == 307, failed)
        check(target.received == [], "it was followed")


def endless_body(peer, closing):
    peer.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while not closing.is_set():
        peer.sendall(b"x" * 65536)


def slow_body(peer, closing):
    peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    while not closing.wait(0.05):
        peer.sendall(b"x")


def cut_body(peer, closing):
    peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhello")


def endless_head(peer, closing):
    peer.sendall(b"HTTP/1.1 200 OK\r\n")
    while not closing.is_set():
        peer.sendall(b"X-Header: " + b"y" * 1000 + b"\r\n")


def endless_interim_answers(peer, closing):
    while not closing.is_set():
        peer.sendall(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)


def slow_head(peer, closing):
    peer.sendall(b"HTTP/1.1 200 OK\r\n")
    hang(peer, closing)


def garbage(peer, closing):
    peer.sendall(os.urandom(1000) + b"\r\n\r\n")


def nothing(peer, closing):
    pass


# (what the receiver does, the state after one attempt)
HOSTILE = [(endless_body, "DELIVERED"), (slow_body, "DELIVERED"), (cut_body, "DELIVERED"), (endless_head, "PENDING"),
           (endless_interim_answers, "PENDING"), (slow_head, "PENDING"), (garbage, "PENDING"), (nothing, "PENDING"),
           (hang, "PENDING")]


@case
def hostile_answers_do_no_harm(program):
    """Endless, slow, cut and senseless answers end in time and in bounds; others are served meanwhile."""
    options = (*LOOPBACK, "--webhook-timeout-ms", "1500")
    with Daemon(program, options=options) as daemon, contextlib.ExitStack() as stack, Receiver() as good:
        client = daemon.connect()
        hooks = []
        for serve, state in HOSTILE:
            receiver = stack.enter_context(RawReceiver(serve))
            hooks.append((serve.__name__, make_hook(client, receiver.url), state))
        make_hook(client, good.url)
        make_model(client, "a")
        good.wait(1)
        for name, hook, state in hooks:
            outcome = wait_state(client, hook, state)
            attempt = outcome["attempts"][0]
            check(attempt["duration_ms"] < 10_000, f"{name}: {outcome}")
            check(("response_status" in attempt) == (state == "DELIVERED"), f"{name}: {outcome}")
            check(len(attempt.get("response_body", "")) <= 4096, f"{name}: a long body was kept")
        check(client.raw("GET", "/health")[0] == 200, "not healthy")


@case
def slow_receivers_hold_nobody_up(program):
    """While 20 webhooks hang, writes are quick and another webhook gets its events."""
    with Daemon(program, options=LOOPBACK) as daemon, RawReceiver(hang) as slow, Receiver() as good:
        client = daemon.connect()
        make_hook(client, good.url)
        for _ in range(20):
            make_hook(client, slow.url)
        begin = time.monotonic()
        for i in range(50):
            make_model(client, f"m{i}")
        took = time.monotonic() - begin
        check(took < 20, f"50 writes took {took:.1f} s")
        good.wait(50)
        check(good.names() == [f"m{i}" for i in range(50)], good.names())


# ---- the test call, secrets, cost ----------------------------------------------------------------------------------

@case
def the_test_call_tells_what_was_answered(program):
    """The test call sends the example of the event that is asked for, signed, and leaves no trace in the log."""
    with Daemon(program, options=LOOPBACK) as daemon, Receiver() as receiver:
        client = daemon.connect()
        hook = make_hook(client, receiver.url, secret="s", status="DISABLED")
        receiver.answer = lambda request: (200, {}, b"fine")
        for entity, action in ALL_EVENTS:
            reply = client.call("POST", f"webhooks/{hook}/test", {"event": {"entity": entity, "action": action}})
            check(reply == {"result": {"success": True, "response_status": 200, "response_body": "fine"}}, reply)
            body = json.loads(receiver.received[-1].body)
            check((body["entity"], body["action"]) == (entity.lower(), action.lower()), body)
            check_signature(receiver.received[-1], "s")
        client.call("POST", f"webhooks/{hook}/test")
        check(json.loads(receiver.received[-1].body)["data"]["name"] == "example_model", receiver.received[-1].body)
        receiver.answer = lambda request: (500, {}, b"no")
        result = client.call("POST", f"webhooks/{hook}/test", {})["result"]
        check(result == {"success": False, "response_status": 500, "response_body": "no"}, result)
        check(deliveries(client, hook) == [], "a test is in the log")
    with Daemon(program, options=LOOPBACK) as daemon:
        client = daemon.connect()
        hook = make_hook(client, receiver.url)
        result = client.call("POST", f"webhooks/{hook}/test", {})["result"]
        check(not result["success"] and result["error_message"].startswith("Failed to test webhook: "), result)


@case
def secrets_stay_inside(program):
    """No reply and no log line shows a secret, and only the owner may read the database."""
    with Daemon(program, options=(*LOOPBACK, "--log-level", "debug")) as daemon, Receiver() as receiver:
        client = daemon.connect()
        secret = "a-secret-that-nobody-may-see"
        body = {"name": "hook", "url": receiver.url, "events": [MODEL_CREATED], "secret": secret}
        hook = client.call("POST", "webhooks", body)["webhook"]["webhook_id"]
        make_model(client, "a")
        wait_state(client, hook, "DELIVERED")
        for method, path in (("GET", "webhooks"), ("GET", f"webhooks/{hook}"), ("PATCH", f"webhooks/{hook}"),
                             ("POST", f"webhooks/{hook}/test"), ("GET", V1 + f"{hook}/deliveries")):
            reply = client.call(method, path, {} if method != "GET" else None)
            check(secret not in json.dumps(reply), f"{method} {path} shows the secret")
        check(secret not in "".join(daemon.log_lines), "the log shows the secret")
        for name in os.listdir(daemon.data):
            mode = stat.S_IMODE(os.stat(os.path.join(daemon.data, name)).st_mode)
            check(mode & 0o077 == 0, f"{name} has mode {mode:o}")


@case
def without_deliveries_nothing_is_loaded(program):
    """libcurl and its thread come with the first request, not with the daemon."""
    with Daemon(program, options=LOOPBACK) as daemon, Receiver() as receiver:
        client = daemon.connect()

        def state():
            process = f"/proc/{daemon.process.pid}"
            with open(process + "/maps", encoding="ascii") as maps:
                return "libcurl" in maps.read(), len(os.listdir(process + "/task"))
        has_curl, threads = state()
        check(not has_curl, "libcurl is loaded at start")
        hook = make_hook(client, receiver.url, [{"entity": "PROMPT", "action": "CREATED"}])
        make_model(client, "a")
        check(state() == (False, threads), f"loaded for nothing: {state()}")
        client.call("POST", f"webhooks/{hook}/test", {})
        check(state()[0] and state()[1] > threads, f"not loaded: {state()}")


if __name__ == "__main__":
    run_cases(binary(sys.argv), only=sys.argv[2] if len(sys.argv) > 2 else "")

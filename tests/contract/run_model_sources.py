#!/usr/bin/env python3
"""Which sources model versions and prompts may have, and what the server says of others.

Usage: run_model_sources.py FOLDER_OF_BINARIES
"""
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from cases import case, check, run_cases  # noqa: E402
from daemon import Daemon, binary  # noqa: E402

LOCAL = "To use a local path as a model version source, the run_id request parameter has to be specified and the local " \
        "path has to be contained within the artifact directory of the run specified by the run_id."
UNSAFE = "If supplying a source as an http, https, local file path, ftp, objectstore, or mlflow-artifacts uri, an " \
         "absolute path must be provided without relative path references present. Please provide an absolute path."
ELSEWHERE = "The run_id request parameter must identify the resource that contains the source."
PROMPT = {"key": "mlflow.prompt.is_prompt", "value": "true"}


def create(client, source, expect=200, name="m", **fields):
    return client.call("POST", "model-versions/create", {"name": name, "source": source, **fields}, expect)


def refuse(client, source, why, **fields):
    reply = create(client, source, 400, **fields)
    wanted = f"Invalid model version source: '{source}'." + (f" {why}" if why else "")
    check(reply == {"error_code": "INVALID_PARAMETER_VALUE", "message": wanted}, f"{source} {fields}: {reply}")


def new_run(client, experiment_id="0"):
    return client.call("POST", "runs/create", {"experiment_id": experiment_id})["run"]["info"]


@case
def local_paths(client):
    """A local path needs a run whose artifact directory contains it."""
    experiments = {scheme: client.call("POST", "experiments/create", {"name": scheme, "artifact_location": root})
                   for scheme, root in (("path", "/srv/runs"), ("file", "file:///srv/my%20runs"))}
    for scheme, experiment in experiments.items():
        run = new_run(client, experiment["experiment_id"])
        inside = run["artifact_uri"]
        run_id = run["run_id"]
        for source in (inside, inside + "/model", inside + "//a/./b/../c/", inside + "/.."+ inside[inside.rindex("/"):]):
            version = create(client, source, run_id=run_id)["model_version"]
            check(version["source"] == source, f"{version}")
        for source in (inside + "/..", inside + "/../other", inside + "x", "/etc/passwd", "model", "./model", "../m",
                       "file:///etc", "file:etc", "1file:/x", "/"):
            refuse(client, source, LOCAL, run_id=run_id)
        refuse(client, inside, LOCAL)
        refuse(client, inside, LOCAL, run_id="0" * 32)
        refuse(client, inside, LOCAL, run_id=new_run(client)["run_id"])
    run = new_run(client, experiments["file"]["experiment_id"])
    plain = run["artifact_uri"].replace("file://", "").replace("%20", " ")
    for source in (plain, "file:" + plain, "file://localhost" + plain, "FILE://127.0.0.1" + plain):
        create(client, source, run_id=run["run_id"])
    reply = create(client, "file://elsewhere/x", 500, run_id=run["run_id"])
    check(reply["message"].startswith("file://elsewhere/x is not a valid remote uri."), f"{reply}")


@case
def remote_uris(client):
    """A URI of another scheme is absolute and says where it points, however often it is encoded."""
    for source in ("s3://bucket/a/b", "s3:/bucket/a", "dbfs:/x", "https://host/x?y=z#w", "ftp://h/a//b", "hdfs://h/x%20y",
                   "mlflow-artifacts:/0/x", "mlflow-artifacts://host:5000/0/x", "gs://b/..a/b..", "s3://b/x+y"):
        create(client, source)
    for source in ("s3://bucket/a/../b", "s3:/b/..", "https://host/api/%2e%2e/x", "mlflow-artifacts://host:1/..%2f..%2fx",
                   "mlflow-artifacts:/%252e%252e/x", "mlflow-artifacts:/a%2f%2E%2E", "s3://b/x%00", "s3://b/%2500",
                   "s3://b/a%5c..%5cb", "s3://b/./x", "s3://bucket", "s3://bucket/", "mlflow-artifacts:x", "models:m",
                   "https://../x", "s3://b/%25252e%25252e/x"):
        refuse(client, source, UNSAFE)


@case
def sources_of_runs(client):
    """A run that is named contains the source."""
    run, other = new_run(client), new_run(client)
    uri = run["artifact_uri"]
    for source in (uri + "/model", uri, uri.replace(":/", "://host:5000/"), f"runs:/{run['run_id']}/model"):
        create(client, source, run_id=run["run_id"])
        create(client, source)  # clients of MLflow 2 may name none
        refuse(client, source, ELSEWHERE, run_id=other["run_id"])
    refuse(client, uri + "x", ELSEWHERE, run_id=run["run_id"])
    refuse(client, uri, ELSEWHERE, run_id="0" * 32)
    create(client, f"runs:/{'0' * 32}/m", 404)


@case
def sources_of_versions(client):
    """A version of a version has its files, and its run unless another is named."""
    run, other = new_run(client), new_run(client)
    client.call("POST", "registered-models/create", {"name": "first"})
    create(client, run["artifact_uri"] + "/m", name="first", run_id=run["run_id"])
    version = create(client, "models:/first/1")["model_version"]
    check(version["run_id"] == run["run_id"], f"{version}")
    uri = client.call("GET", f"model-versions/get-download-uri?name=m&version={version['version']}")["artifact_uri"]
    check(uri == run["artifact_uri"] + "/m", uri)
    create(client, "models:/first/1", run_id=run["run_id"])
    refuse(client, "models:/first/1", "The run_id and model_id request parameters must match the referenced model version.",
           run_id=other["run_id"])
    refuse(client, "models:/first/x", "Expected models:/NAME/VERSION.")
    create(client, "models:/first/2", 404)
    client.call("POST", "registered-models/create", {"name": "words", "tags": [PROMPT]})
    create(client, "dummy-source", name="words", tags=[PROMPT])
    refuse(client, "models:/words/1", "Prompt versions cannot be used as model version sources.")


@case
def prompts(client):
    """A prompt has no files, and its name is no model's."""
    client.call("POST", "registered-models/create", {"name": "ask", "tags": [PROMPT]})
    for source in ("dummy-source", "prompt-template"):
        create(client, source, name="ask", tags=[PROMPT, {"key": "mlflow.prompt.text", "value": "{{x}}"}])
    for source in ("/etc/passwd", "file:///etc", "s3://b/x", "other"):
        reply = create(client, source, 400, name="ask", tags=[PROMPT])
        check(reply["message"] == f"Invalid prompt source: '{source}'. Prompt sources must use an MLflow placeholder.",
              f"{reply}")
    client.call("POST", "registered-models/create", {"name": "weights"})
    clash = "Tried to create a {} with name '{}', but the name is already taken by a {}. MLflow does not allow creating " \
            "a model and a prompt with the same name."
    rows = (("ask", [], clash.format("registered model", "ask", "prompt")),
            ("weights", [PROMPT], clash.format("prompt", "weights", "registered model")),
            ("ask", [PROMPT], "Prompt (name=ask) already exists."),
            ("weights", [], "Registered Model (name=weights) already exists."))
    for name, tags, message in rows:
        reply = client.call("POST", "registered-models/create", {"name": name, "tags": tags}, 400)
        check(reply == {"error_code": "RESOURCE_ALREADY_EXISTS", "message": message}, f"{name} {tags}: {reply}")
    models = [m["name"] for m in client.call("GET", "registered-models/search")["registered_models"]]
    check("weights" in models and "ask" not in models, f"{models}")


@case
def the_operators_expression(client):
    """--model-source-regex refuses other sources, and stops the start when it cannot be read."""
    with Daemon(binary(sys.argv), options=["--model-source-regex", "^(mlflow-artifacts|s3):/|^dummy"]) as daemon:
        other = daemon.connect()
        other.call("POST", "registered-models/create", {"name": "m"})
        create(other, "s3://bucket/x")
        create(other, "mlflow-artifacts:/0/x")
        create(other, "dummy-source", tags=[PROMPT])
        refuse(other, "gs://bucket/s3:/x", "")
        refuse(other, "s3", "")
    with tempfile.TemporaryDirectory() as data:
        done = subprocess.run([binary(sys.argv), "--data", data, "--listen", "127.0.0.1:0", "--model-source-regex", "a("],
                              capture_output=True, text=True, timeout=60)
        check(done.returncode != 0 and '--model-source-regex: "a(" is not a POSIX' in done.stderr, done.stderr)


def main():
    with Daemon(binary(sys.argv)) as daemon:
        client = daemon.connect()
        client.call("POST", "registered-models/create", {"name": "m"})
        run_cases(client, only=sys.argv[2] if len(sys.argv) > 2 else "")


if __name__ == "__main__":
    main()

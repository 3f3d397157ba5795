"""Fixtures of the suites: one daemon for a session, an experiment and a working folder of its own for each test."""
import os
import sys
import uuid

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))

from daemon import Daemon  # noqa: E402

# The receivers of webhooks are on loopback.
OPTIONS = ("--webhook-allowed-schemes", "http,https", "--webhook-allow-private-addresses")


def pytest_addoption(parser):
    parser.addoption("--binaries", required=True, help="folder with the trackerd to test")
    parser.addoption("--server", help="URL of a server that runs already: to try the suites against MLflow's own")


@pytest.fixture(scope="session")
def trackerd(request):
    """The program under test."""
    return os.path.join(request.config.getoption("--binaries"), "trackerd")


@pytest.fixture(scope="session")
def server(request, trackerd):
    """The base URL of a daemon that lives as long as the session."""
    url = request.config.getoption("--server")
    if url:
        yield url
        return
    with Daemon(trackerd, options=OPTIONS) as daemon:
        yield daemon.url


@pytest.fixture(autouse=True)
def clean_client(server, monkeypatch, tmp_path):
    """The client points at the server, works in an empty folder, and leaves no run open behind it."""
    import mlflow

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server)  # for the programs that a test starts
    mlflow.set_tracking_uri(server)
    mlflow.set_registry_uri(server)
    yield
    while mlflow.active_run() is not None:
        mlflow.end_run()


@pytest.fixture
def client(server):
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri=server, registry_uri=server)


@pytest.fixture
def experiment(client, request):
    """The id of a fresh experiment, in which the fluent functions work."""
    import mlflow

    name = f"{request.node.name} {uuid.uuid4().hex[:8]}"
    return mlflow.set_experiment(name).experiment_id


@pytest.fixture
def run(client, experiment):
    """A fresh run, to be written to with `client`."""
    return client.create_run(experiment)


@pytest.fixture
def model_name():
    """A name that no registered model has yet."""
    return f"model-{uuid.uuid4().hex[:12]}"

"""What users see when something is wrong: the exception's code and words. MLflow's own server says the same."""
import socket

import mlflow
import pytest
import requests
from clients import refused, requires_3
from mlflow.entities import Metric, Param, RunTag
from mlflow.exceptions import MlflowException

NO_RUN = "0123456789abcdef0123456789abcdef"


def test_a_run_that_is_not_there(client):
    calls = [
        lambda: client.get_run(NO_RUN),
        lambda: client.log_metric(NO_RUN, "m", 1),
        lambda: client.log_param(NO_RUN, "p", 1),
        lambda: client.set_tag(NO_RUN, "t", 1),
        lambda: client.log_batch(NO_RUN, [Metric("m", 1.0, 1, 1)]),
        lambda: client.update_run(NO_RUN, status="FINISHED"),
        lambda: client.delete_run(NO_RUN),
        lambda: client.restore_run(NO_RUN),
        lambda: mlflow.start_run(run_id=NO_RUN),
        lambda: client.log_text(NO_RUN, "x", "x.txt"),
    ]
    for call in calls:
        with refused("RESOURCE_DOES_NOT_EXIST", f"Run with id={NO_RUN} not found"):
            call()


def test_an_experiment_that_is_not_there(client):
    for call in (client.get_experiment, client.create_run, client.delete_experiment, client.restore_experiment):
        with refused("RESOURCE_DOES_NOT_EXIST", "No Experiment with id=987654321 exists"):
            call("987654321")
    assert client.get_experiment_by_name("never made") is None
    assert mlflow.get_experiment_by_name("never made") is None


def test_an_id_that_is_none(client):
    with refused("INVALID_PARAMETER_VALUE", "Invalid experiment ID 'abc'"):
        client.get_experiment("abc")


def test_names_that_are_taken(client, model_name, experiment):
    name = client.get_experiment(experiment).name
    with refused("RESOURCE_ALREADY_EXISTS", "already exists"):
        client.create_experiment(name)
    other = client.create_experiment(name + " 2")
    with refused("RESOURCE_ALREADY_EXISTS", ""):
        client.rename_experiment(other, name)
    client.create_registered_model(model_name)
    with refused("RESOURCE_ALREADY_EXISTS", f"Registered Model (name={model_name}) already exists."):
        client.create_registered_model(model_name)
    client.create_registered_model(model_name + "2")
    with refused("RESOURCE_ALREADY_EXISTS", "already exists"):
        client.rename_registered_model(model_name + "2", model_name)


def test_the_name_of_a_deleted_experiment_is_taken(client, experiment):
    name = client.get_experiment(experiment).name
    client.delete_experiment(experiment)
    with refused("RESOURCE_ALREADY_EXISTS", "already exists"):
        client.create_experiment(name)
    with refused("INVALID_PARAMETER_VALUE", "deleted experiment"):
        mlflow.set_experiment(name)


def test_a_parameter_cannot_change(client, run):
    run_id = run.info.run_id
    client.log_param(run_id, "p", "a")
    client.log_param(run_id, "p", "a")
    with refused("INVALID_PARAMETER_VALUE", "Changing param values is not allowed. Param with key='p' was already "
                 f"logged with value='a' for run ID='{run_id}'. Attempted logging new value 'b'."):
        client.log_param(run_id, "p", "b")
    with refused("INVALID_PARAMETER_VALUE", "Changing param values is not allowed. Params were already logged="):
        client.log_batch(run_id, params=[Param("p", "b")])
    assert client.get_run(run_id).data.params == {"p": "a"}


def test_a_batch_with_one_key_twice(client, run):
    with refused("INVALID_PARAMETER_VALUE", "Duplicate parameter keys have been submitted: ['p']"):
        client.log_batch(run.info.run_id, params=[Param("p", "1"), Param("p", "2")])


def test_a_deleted_run_takes_nothing(client, run):
    run_id = run.info.run_id
    client.delete_run(run_id)
    calls = [
        lambda: client.log_metric(run_id, "m", 1),
        lambda: client.log_param(run_id, "p", 1),
        lambda: client.set_tag(run_id, "t", 1),
        lambda: client.log_batch(run_id, tags=[RunTag("t", "1")]),
        lambda: client.set_terminated(run_id),
    ]
    for call in calls:
        with refused("INVALID_PARAMETER_VALUE",
                     f"The run {run_id} must be in the 'active' state. Current state is deleted."):
            call()
    with pytest.raises(MlflowException, match="because it is in the deleted state"):
        mlflow.start_run(run_id=run_id)


def test_a_deleted_experiment_takes_nothing(client, experiment):
    client.delete_experiment(experiment)
    with refused("INVALID_PARAMETER_VALUE", f"The experiment {experiment} must be in the 'active' state"):
        client.create_run(experiment)
    with refused("INVALID_PARAMETER_VALUE", "must be in the 'active' state"):
        client.set_experiment_tag(experiment, "k", "v")
    with refused("RESOURCE_DOES_NOT_EXIST", f"No Experiment with id={experiment} exists"):
        client.delete_experiment(experiment)
    client.restore_experiment(experiment)
    with refused("RESOURCE_DOES_NOT_EXIST", f"No Experiment with id={experiment} exists"):
        client.restore_experiment(experiment)


def test_a_tag_that_is_not_there(client, run):
    with refused("RESOURCE_DOES_NOT_EXIST", f"No tag with name: t in run with id {run.info.run_id}"):
        client.delete_tag(run.info.run_id, "t")


@pytest.mark.parametrize("key", ["", "a//b", "../a", "/a", "a/", ".", "semi;colon", "a\nb", "k" * 251])
def test_keys_that_are_none(client, run, key):
    """The clients check most keys themselves; the server must not depend on it."""
    for path, body in (
        ("log-metric", {"key": key, "value": 1, "timestamp": 1}),
        ("log-parameter", {"key": key, "value": "1"}),
        ("set-tag", {"key": key, "value": "1"}),
        ("log-batch", {"metrics": [{"key": key, "value": 1, "timestamp": 1, "step": 0}]}),
    ):
        reply = requests.post(f"{mlflow.get_tracking_uri()}/api/2.0/mlflow/runs/{path}",
                              json={"run_id": run.info.run_id, **body}, timeout=10)
        assert reply.status_code == 400, (path, reply.text)
        assert reply.json()["error_code"] == "INVALID_PARAMETER_VALUE"


def test_names_and_values_that_are_refused(client, run, model_name):
    with refused("INVALID_PARAMETER_VALUE", ""):
        client.create_experiment("")
    with refused("INVALID_PARAMETER_VALUE", ""):
        client.create_registered_model("")
    for name in ("a/b", "a:b"):
        with refused("INVALID_PARAMETER_VALUE", "Names cannot contain"):
            client.create_registered_model(name)
    with refused("INVALID_PARAMETER_VALUE", "exceeds"):
        client.log_metric(run.info.run_id, "m" * 251, 1)
    with refused("INVALID_PARAMETER_VALUE", ""):
        client.create_experiment("x", artifact_location="s3://bucket/#fragment")


def test_too_much_in_one_batch(client, run):
    def post(body):
        return requests.post(f"{mlflow.get_tracking_uri()}/api/2.0/mlflow/runs/log-batch",
                             json={"run_id": run.info.run_id, **body}, timeout=10).json()

    metric = {"key": "m", "value": 1, "timestamp": 1}
    assert post({"params": [{"key": f"p{i}", "value": "1"} for i in range(100)]}) == {}
    assert post({"metrics": [{**metric, "step": i} for i in range(1000)]}) == {}
    reply = post({"params": [{"key": f"q{i}", "value": "1"} for i in range(101)]})
    assert reply["error_code"] == "INVALID_PARAMETER_VALUE"
    assert reply["message"].startswith("A batch logging request can contain at most 100 params. Got 101 params.")
    reply = post({"metrics": [{**metric, "step": i} for i in range(1001)]})
    assert reply["message"].startswith("A batch logging request can contain at most 1000 metrics. Got 1001 metrics.")


def test_versions_that_are_not_there(client, model_name):
    with refused("RESOURCE_DOES_NOT_EXIST", f"Registered Model with name={model_name} not found"):
        client.get_registered_model(model_name)
    with refused("RESOURCE_DOES_NOT_EXIST", f"Registered Model with name={model_name} not found"):
        client.create_model_version(model_name, "s3://bucket/model")
    client.create_registered_model(model_name)
    for call in (client.get_model_version, client.delete_model_version, client.get_model_version_download_uri):
        with refused("RESOURCE_DOES_NOT_EXIST", f"Model Version (name={model_name}, version=1) not found"):
            call(model_name, "1")
    with refused("RESOURCE_DOES_NOT_EXIST", f"Model Version (name={model_name}, version=1) not found"):
        client.set_registered_model_alias(model_name, "a", "1")
    with refused("INVALID_PARAMETER_VALUE", "must be an integer"):
        client.get_model_version(model_name, "one")


def test_an_endpoint_that_is_not_there(server):
    from mlflow.utils.rest_utils import MlflowHostCreds, http_request, verify_rest_response

    response = http_request(MlflowHostCreds(server), "/api/2.0/mlflow/made/up", "POST", json={})
    assert response.status_code == 404
    with pytest.raises(MlflowException) as caught:
        verify_rest_response(response, "/api/2.0/mlflow/made/up")
    assert caught.value.error_code == "ENDPOINT_NOT_FOUND"


@requires_3
def test_a_feature_that_the_server_lacks(server):
    """The workspaces of MLflow 3 are not served: the client says so instead of guessing."""
    from mlflow.store.workspace.rest_store import RestWorkspaceStore
    from mlflow.utils.rest_utils import MlflowHostCreds

    with pytest.raises(MlflowException) as caught:
        RestWorkspaceStore(lambda: MlflowHostCreds(server)).list_workspaces()
    assert caught.value.error_code == "ENDPOINT_NOT_FOUND"
    assert "/api/3.0/mlflow/workspaces" in caught.value.message


def test_the_server_is_away(monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with socket.socket() as silent:  # has a port, but does not listen
        silent.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(MlflowException, match=url):
            mlflow.MlflowClient(url).get_run(NO_RUN)

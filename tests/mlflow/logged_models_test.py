"""Logged models of MLflow 3: entities of their own, with parameters, tags, metrics of datasets, and a search."""
import uuid

import mlflow
import pandas as pd
import pytest
from clients import refused, requires_3

pytestmark = requires_3


def test_a_logged_model_reads_back(client, experiment):
    with mlflow.start_run() as active:
        model = mlflow.initialize_logged_model(name="agent", params={"lr": "0.1"}, tags={"k": "v"}, model_type="chat")
    got = client.get_logged_model(model.model_id)
    assert got.model_id.startswith("m-")
    assert (got.name, got.model_type, got.experiment_id) == ("agent", "chat", experiment)
    assert got.source_run_id == active.info.run_id
    assert (got.params["lr"], got.tags["k"], got.status) == ("0.1", "v", "PENDING")
    assert got.artifact_location == f"mlflow-artifacts:/{experiment}/models/{got.model_id}/artifacts"
    assert got.creation_timestamp <= got.last_updated_timestamp
    mlflow.finalize_logged_model(model.model_id, "READY")
    assert client.get_logged_model(model.model_id).status == "READY"


def test_many_parameters(client, experiment):
    params = {f"p{index}": "x" * 50 for index in range(250)}
    model = client.create_logged_model(experiment, name="wide", params=params)
    assert client.get_logged_model(model.model_id).params == params


def test_tags_of_a_logged_model(client, experiment):
    model = client.create_logged_model(experiment, tags={"a": "1"})
    assert model.name, "a name is made up when none was given"
    mlflow.set_logged_model_tags(model.model_id, {"a": "2", "b.c d": "3"})
    assert {key: client.get_logged_model(model.model_id).tags[key] for key in ("a", "b.c d")} == {"a": "2", "b.c d": "3"}
    mlflow.delete_logged_model_tag(model.model_id, "b.c d")
    assert "b.c d" not in client.get_logged_model(model.model_id).tags
    with refused("RESOURCE_DOES_NOT_EXIST", "b.c d"):
        client.delete_logged_model_tag(model.model_id, "b.c d")


def test_metrics_belong_to_a_model_and_a_dataset(client, experiment):
    dataset = mlflow.data.from_pandas(pd.DataFrame({"x": [1, 2]}), name="holdout")
    with mlflow.start_run() as active:
        model = mlflow.create_external_model(name="outside")
        mlflow.log_metric("acc", 0.25, step=0, model_id=model.model_id)
        mlflow.log_metric("acc", 0.5, step=1, model_id=model.model_id)
        mlflow.log_metrics({"f1": 0.75}, step=1, model_id=model.model_id, dataset=dataset)
    got = client.get_logged_model(model.model_id)
    values = {(m.key, m.dataset_name, m.dataset_digest): m.value for m in got.metrics}
    assert values[("acc", None, None)] == 0.5
    assert values[("f1", "holdout", dataset.digest)] == 0.75
    assert all(m.run_id == active.info.run_id and m.model_id == model.model_id for m in got.metrics)
    assert client.get_run(active.info.run_id).data.metrics == {"acc": 0.5, "f1": 0.75}
    history = client.get_metric_history(active.info.run_id, "acc")
    assert [(point.step, point.value) for point in history] == [(0, 0.25), (1, 0.5)]


def test_an_active_model_collects_metrics(client, experiment):
    with mlflow.start_run():
        with mlflow.set_active_model(name="active") as active:
            model_id = active.model_id
            mlflow.log_metric("m", 1.5, model_id=model_id)
            mlflow.log_model_params({"depth": "3"}, model_id=model_id)
    got = client.get_logged_model(model_id)
    assert ({m.key: m.value for m in got.metrics}, got.params["depth"]) == ({"m": 1.5}, "3")


@pytest.fixture
def shelf(client, experiment):
    """Four models called a to d; returns the id of their experiment."""
    with mlflow.start_run():
        for name, params, tags, loss in (("a", {"lr": "0.1"}, {"team": "red"}, 3.0), ("b", {"lr": "0.2"}, {}, 1.0),
                                         ("c", {}, {"team": "blue"}, 2.5), ("d", {}, {}, None)):
            model = client.create_logged_model(experiment, name=name, params=params, tags=tags, model_type="t-" + name)
            if loss is not None:
                mlflow.log_metric("loss", loss, model_id=model.model_id)
            client.finalize_logged_model(model.model_id, "READY" if name != "d" else "FAILED")
    return experiment


@pytest.mark.parametrize(("condition", "expected"), [
    ("name = 'a'", "a"),
    ("attributes.name != 'a'", "bcd"),
    ("name LIKE '%'", "abcd"),
    ("model_type IN ('t-a', 't-d')", "ad"),
    ("params.lr = '0.2'", "b"),
    ("tags.team = 'blue'", "c"),
    ("metrics.loss < 2", "b"),
    ("metrics.loss >= 1 AND params.lr = '0.1'", "a"),
    ("creation_timestamp > 0", "abcd"),
    ("name = 'nobody'", ""),
])
def test_logged_models_are_found(client, shelf, condition, expected):
    found = client.search_logged_models([shelf], filter_string=condition)
    assert "".join(sorted(model.name for model in found)) == expected


@pytest.mark.parametrize(("field", "ascending", "expected"), [
    ("metrics.loss", True, "bcad"),  # a missing one is last,
    ("metrics.loss", False, "acbd"),  # whichever way
    ("name", True, "abcd"),
    ("name", False, "dcba"),
    ("model_type", False, "dcba"),
])
def test_logged_models_are_ordered(client, shelf, field, ascending, expected):
    order_by = [{"field_name": field, "ascending": ascending}]
    assert "".join(model.name for model in client.search_logged_models([shelf], order_by=order_by)) == expected


def test_the_metric_of_one_dataset_orders(client, experiment):
    datasets = [mlflow.data.from_pandas(pd.DataFrame({"x": [index]}), name=f"set{index}") for index in range(2)]
    with mlflow.start_run():
        for name, values in (("a", (1.0, 4.0)), ("b", (2.0, 3.0))):
            model = client.create_logged_model(experiment, name=name)
            for dataset, value in zip(datasets, values):
                mlflow.log_metric("loss", value, model_id=model.model_id, dataset=dataset)
    for dataset, expected in zip(datasets, ("ab", "ba")):
        order_by = [{"field_name": "metrics.loss", "ascending": True, "dataset_name": dataset.name,
                     "dataset_digest": dataset.digest}]
        found = client.search_logged_models([experiment], order_by=order_by,
                                            datasets=[
                                                {"dataset_name": dataset.name, "dataset_digest": dataset.digest}])
        assert "".join(model.name for model in found) == expected


def test_logged_models_come_in_pages(client, experiment):
    names = [f"m{index}" for index in range(5)]
    for name in names:
        client.create_logged_model(experiment, name=name)
    order_by = [{"field_name": "name", "ascending": True}]
    got, token = [], None
    while True:
        page = client.search_logged_models([experiment], order_by=order_by, max_results=2, page_token=token)
        got += [model.name for model in page]
        token = page.token
        if not token:
            break
    assert got == names


def test_a_deleted_model_is_gone(client, experiment):
    model = client.create_logged_model(experiment, name="gone")
    client.delete_logged_model(model.model_id)
    assert list(client.search_logged_models([experiment])) == []
    with refused("RESOURCE_DOES_NOT_EXIST", "not found"):
        client.get_logged_model(model.model_id)


def test_files_of_a_logged_model(client, experiment):
    model = client.create_logged_model(experiment, name="files")
    with open("weights.txt", "w", encoding="ascii") as file:
        file.write("1 2 3")
    client.log_model_artifact(model.model_id, "weights.txt")
    assert [info.path for info in client.list_logged_model_artifacts(model.model_id)] == ["weights.txt"]
    assert mlflow.artifacts.load_text(f"{model.artifact_location}/weights.txt") == "1 2 3"


def test_a_version_made_from_a_model_is_told_to_it(client, experiment, model_name):
    from sklearn.linear_model import LinearRegression

    with mlflow.start_run() as active:
        info = mlflow.sklearn.log_model(LinearRegression().fit([[0], [1]], [0, 1]), name="model",
                                        pip_requirements=["scikit-learn"])
        mlflow.log_metric("loss", 0.5, model_id=info.model_id)
    version = mlflow.register_model(info.model_uri, model_name)
    assert (version.source, version.run_id) == (info.model_uri, active.info.run_id)
    assert f'"{model_name}"' in client.get_logged_model(info.model_id).tags["mlflow.modelVersions"]
    uri = client.get_model_version_download_uri(model_name, "1")
    assert uri == f"mlflow-artifacts:/{experiment}/models/{info.model_id}/artifacts"


def test_the_last_logged_model(experiment):
    model = mlflow.create_external_model(name=f"x{uuid.uuid4().hex[:4]}")
    assert mlflow.last_logged_model().model_id == model.model_id


def test_models_that_are_not_there(client, experiment):
    with refused("RESOURCE_DOES_NOT_EXIST", "not found"):
        client.get_logged_model("m-" + "0" * 32)
    for name in ("a/b", "a:b", "a.b", "50%"):
        with refused("INVALID_PARAMETER_VALUE", "Invalid"):
            client.create_logged_model(experiment, name=name)


def test_a_model_is_the_input_of_one_run_and_the_output_of_another(client, experiment):
    from mlflow.entities import LoggedModelInput, LoggedModelOutput

    maker, user = client.create_run(experiment).info.run_id, client.create_run(experiment).info.run_id
    model = client.create_logged_model(experiment, name="shared", source_run_id=maker).model_id
    client.log_outputs(maker, models=[LoggedModelOutput(model, step=4)])
    client.log_inputs(user, models=[LoggedModelInput(model)])
    client.log_inputs(user, models=[LoggedModelInput(model)])
    assert [(output.model_id, output.step) for output in client.get_run(maker).outputs.model_outputs] == [(model, 4)]
    assert [used.model_id for used in client.get_run(user).inputs.model_inputs] == [model]
    found, = client.search_logged_models([experiment], filter_string=f"source_run_id = '{maker}'")
    assert found.model_id == model

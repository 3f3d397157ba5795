"""Datasets: logged as inputs of runs, read back, and searched by."""
import json

import mlflow
import numpy as np
import pandas as pd
import pytest
from clients import requires_3
from mlflow.entities import Dataset, DatasetInput, InputTag


@pytest.fixture(scope="module")
def table():
    return pd.DataFrame({"x": [1.0, 2.0, 3.0], "name": ["a", "b", "c"], "y": [0, 1, 0]})


def test_a_table_is_an_input(client, experiment, table):
    with mlflow.start_run() as active:
        dataset = mlflow.data.from_pandas(table, source="somewhere.csv", name="rows", targets="y")
        mlflow.log_input(dataset, context="training", tags={"split": "a"})
    logged, = client.get_run(active.info.run_id).inputs.dataset_inputs
    assert (logged.dataset.name, logged.dataset.digest) == ("rows", dataset.digest)
    assert logged.dataset.source_type == dataset.source._get_source_type()
    assert json.loads(logged.dataset.source) == json.loads(dataset.source.to_json())
    assert json.loads(logged.dataset.profile) == {"num_rows": 3, "num_elements": 9}
    columns = json.loads(logged.dataset.schema)["mlflow_colspec"]
    assert [(column["name"], column["type"]) for column in columns] == [("x", "double"), ("name", "string"), ("y", "long")]
    assert {tag.key: tag.value for tag in logged.tags} == {"mlflow.data.context": "training", "split": "a"}
    source = mlflow.data.get_source(logged)
    assert source.to_dict() == dataset.source.to_dict()


def test_arrays_are_inputs_and_one_dataset_can_serve_many_runs(client, experiment):
    dataset = mlflow.data.from_numpy(np.arange(12.0).reshape(4, 3), targets=np.array([0, 1, 0, 1]), name="grid")
    ids = []
    for context in ("training", "testing"):
        with mlflow.start_run() as active:
            mlflow.log_input(dataset, context=context)
            mlflow.log_input(dataset, context=context)  # the same again
        ids.append(active.info.run_id)
    for run_id, context in zip(ids, ("training", "testing")):
        logged, = client.get_run(run_id).inputs.dataset_inputs
        assert (logged.dataset.name, logged.dataset.digest) == ("grid", dataset.digest)
        assert [(tag.key, tag.value) for tag in logged.tags] == [("mlflow.data.context", context)]


def dataset_input(name, digest, context):
    return DatasetInput(Dataset(name, digest, "local", "{}"), [InputTag("mlflow.data.context", context)])


@pytest.fixture
def shelf(client, experiment):
    """Three runs called a, b and c; returns the ids of the experiment that holds them."""
    for name, inputs in {
        "a": [dataset_input("iris", "d1", "train")],
        "b": [dataset_input("iris", "d2", "train"), dataset_input("wine", "d1", "eval")],
        "c": [dataset_input("Wine", "d3", "test")],
    }.items():
        run = client.create_run(experiment, run_name=name)
        client.log_inputs(run.info.run_id, inputs)
    client.create_run(experiment, run_name="none")
    return [experiment]


@pytest.mark.parametrize(("condition", "expected"), [
    ("dataset.name = 'iris'", "ab"),
    ("datasets.name != 'iris'", "bc"),
    ("dataset.digest = 'd1'", "ab"),
    ("dataset.name = 'iris' AND dataset.digest = 'd2'", "b"),
    ("dataset.context = 'eval'", "b"),
    ("dataset.name LIKE '%ine'", "bc"),
    ("dataset.name ILIKE 'WINE'", "bc"),
    ("dataset.name IN ('Wine', 'none')", "c"),
    ("dataset.context = 'test' AND tags.mlflow.runName = 'c'", "c"),
    ("dataset.name = 'none'", ""),
])
def test_runs_are_found_by_their_datasets(client, shelf, condition, expected):
    assert "".join(sorted(run.info.run_name for run in client.search_runs(shelf, condition))) == expected


def test_found_runs_bring_their_datasets(client, shelf):
    found, = client.search_runs(shelf, "run_name = 'b'")
    assert sorted((i.dataset.name, i.dataset.digest) for i in found.inputs.dataset_inputs) == [
        ("iris", "d2"), ("wine", "d1")]


def test_the_datasets_of_an_experiment(client, server, shelf):
    """What the web page asks for; the Python client has no function for it."""
    import requests

    reply = requests.post(f"{server}/ajax-api/2.0/mlflow/experiments/search-datasets",
                          json={"experiment_ids": shelf}, timeout=10)
    assert reply.status_code == 200, reply.text
    got = {(row["name"], row["digest"], row["context"]) for row in reply.json()["dataset_summaries"]}
    assert got == {("iris", "d1", "train"), ("iris", "d2", "train"), ("wine", "d1", "eval"), ("Wine", "d3", "test")}


@requires_3
def test_metrics_name_their_dataset(client, experiment, table):
    dataset = mlflow.data.from_pandas(table, name="rows")
    with mlflow.start_run() as active:
        mlflow.log_metric("accuracy", 0.5, dataset=dataset)
    assert client.get_run(active.info.run_id).data.metrics == {"accuracy": 0.5}
    logged, = client.get_run(active.info.run_id).inputs.dataset_inputs
    assert logged.dataset.name == "rows"

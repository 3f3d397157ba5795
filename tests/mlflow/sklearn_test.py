"""scikit-learn: models that are logged, registered, loaded and served from what the server kept; autologging."""
import json

import mlflow
import numpy as np
import pandas as pd
import pytest
from clients import MAJOR, requires_2, requires_3
from mlflow.models import Model, infer_signature
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV

REQUIREMENTS = ["scikit-learn"]  # given, since finding them out takes the client ten seconds for each model


@pytest.fixture(scope="module")
def table():
    return pd.DataFrame({"a": [0.0, 1.0, 2.0, 3.0, 4.0], "b": [1.0, 0.0, 1.0, 0.0, 1.0]})


@pytest.fixture(scope="module")
def line(table):
    """y = 2a - b + 1, learned exactly."""
    return LinearRegression().fit(table, 2 * table["a"] - table["b"] + 1)


def log_model(model, name, **options):
    """`name` is the 3.x word for what 2.x calls `artifact_path`."""
    place = {"name": name} if MAJOR >= 3 else {"artifact_path": name}
    return mlflow.sklearn.log_model(model, pip_requirements=REQUIREMENTS, **place, **options)


def test_a_model_is_logged_and_loaded(experiment, line, table):
    with mlflow.start_run() as active:
        info = log_model(line, "model", signature=infer_signature(table, line.predict(table)), input_example=table[:2])
    assert info.run_id == active.info.run_id
    for uri in (f"runs:/{active.info.run_id}/model", info.model_uri):
        loaded = mlflow.sklearn.load_model(uri)
        assert (loaded.coef_ == line.coef_).all()
        served = mlflow.pyfunc.load_model(uri)
        assert np.allclose(served.predict(table), line.predict(table))
    signature = served.metadata.signature
    assert [(column.name, column.type.name) for column in signature.inputs] == [("a", "double"), ("b", "double")]
    assert served.metadata.run_id == active.info.run_id
    with pytest.raises(mlflow.MlflowException, match="(?i)schema|missing inputs"):
        served.predict(pd.DataFrame({"a": [1.0]}))


def test_an_input_example_comes_back(experiment, line, table):
    with mlflow.start_run():
        info = log_model(line, "model", input_example=table[:2])
    meta = Model.load(info.model_uri)
    assert meta.signature is not None, "inferred from the example"
    loaded = mlflow.pyfunc.load_model(info.model_uri)
    pd.testing.assert_frame_equal(loaded.input_example, table[:2])


def test_a_signature_is_added_later(experiment, line, table):
    with mlflow.start_run():
        info = log_model(line, "model")
    assert mlflow.models.get_model_info(info.model_uri).signature is None
    signature = infer_signature(table, line.predict(table))
    mlflow.models.set_signature(info.model_uri, signature)
    assert mlflow.models.get_model_info(info.model_uri).signature == signature
    with open(mlflow.pyfunc.get_model_dependencies(info.model_uri), encoding="utf-8") as file:
        assert file.read().split()[1:] == REQUIREMENTS  # behind mlflow itself


def test_a_model_is_registered_while_it_is_logged(client, experiment, line, table, model_name):
    for number in (1, 2):
        with mlflow.start_run() as active:
            info = log_model(line, "model", registered_model_name=model_name)
        assert str(info.registered_model_version) == str(number)
    version = client.get_model_version(model_name, "2")
    assert (version.status, version.run_id) == ("READY", active.info.run_id)
    client.set_registered_model_alias(model_name, "champion", "2")
    for uri in (f"models:/{model_name}/2", f"models:/{model_name}@champion", f"models:/{model_name}/latest"):
        assert np.allclose(mlflow.sklearn.load_model(uri).predict(table), line.predict(table))
    assert mlflow.models.get_model_info(f"models:/{model_name}/2").run_id == active.info.run_id


def test_a_run_logs_its_model_anew_for_each_version(client, experiment, line, table, model_name):
    """Before 3.x both are at one path; the second has other bytes, in MLmodel at least."""
    with mlflow.start_run():
        for number in (1, 2):
            info = log_model(line, "model", registered_model_name=model_name)
            assert str(info.registered_model_version) == str(number)
    assert np.allclose(mlflow.sklearn.load_model(f"models:/{model_name}/2").predict(table), line.predict(table))


def test_a_logged_model_is_registered_later(client, experiment, line, table, model_name):
    with mlflow.start_run() as active:
        info = log_model(line, "model")
    version = mlflow.register_model(f"runs:/{active.info.run_id}/model", model_name)
    assert (str(version.version), version.run_id) == ("1", active.info.run_id)
    version = mlflow.register_model(info.model_uri, model_name)
    assert str(version.version) == "2"
    for number in ("1", "2"):
        assert np.allclose(mlflow.pyfunc.load_model(f"models:/{model_name}/{number}").predict(table),
                           line.predict(table))


@requires_2
def test_a_run_remembers_its_models(client, experiment, line):
    with mlflow.start_run() as active:
        log_model(line, "one")
        log_model(line, "two")
    history = json.loads(client.get_run(active.info.run_id).data.tags["mlflow.log-model.history"])
    assert [entry["artifact_path"] for entry in history] == ["one", "two"]
    assert all(entry["run_id"] == active.info.run_id for entry in history)
    assert "sklearn" in history[0]["flavors"]
    assert "one/MLmodel" in [info.path for info in client.list_artifacts(active.info.run_id, "one")]


@requires_3
def test_a_run_lists_its_models(client, experiment, line):
    with mlflow.start_run() as active:
        one = log_model(line, "one", step=3)
        two = log_model(line, "two")
    outputs = client.get_run(active.info.run_id).outputs.model_outputs
    assert {(output.model_id, output.step) for output in outputs} == {(one.model_id, 3), (two.model_id, 0)}
    assert "one/MLmodel" in [info.path for info in client.list_artifacts(active.info.run_id, "one")]


@pytest.mark.parametrize("kind", ["regression", "classification"])
def test_autolog_keeps_what_a_training_says(client, experiment, table, kind):
    mlflow.sklearn.autolog(log_models=False, silent=True)
    try:
        with mlflow.start_run() as active:
            if kind == "regression":
                model = LinearRegression(fit_intercept=True).fit(table, table["a"] * 2)
            else:
                model = LogisticRegression(C=0.5).fit(table, [0, 0, 0, 1, 1])
            score = model.score(table, table["a"] * 2 if kind == "regression" else [0, 0, 0, 1, 1])
    finally:
        mlflow.sklearn.autolog(disable=True, silent=True)
    got = client.get_run(active.info.run_id)
    assert got.data.tags["estimator_name"] == type(model).__name__
    dataset, = got.inputs.dataset_inputs
    assert json.loads(dataset.dataset.profile) == {"num_rows": 5, "num_elements": 10}
    if kind == "regression":
        assert got.data.params["fit_intercept"] == "True"
        assert got.data.metrics["training_r2_score"] == pytest.approx(score)
    else:
        assert got.data.params["C"] == "0.5"
        assert got.data.metrics["training_score"] == pytest.approx(score)
        names = {info.path for info in client.list_artifacts(active.info.run_id)}
        assert {"estimator.html", "training_confusion_matrix.png"} <= names


def test_autolog_makes_children_of_a_search(client, experiment):
    mlflow.sklearn.autolog(log_models=False, log_datasets=False, silent=True, max_tuning_runs=None)
    try:
        with mlflow.start_run() as active:
            x = np.arange(24.0).reshape(12, 2)
            GridSearchCV(Ridge(), {"alpha": [0.1, 1.0, 10.0]}, cv=2).fit(x, x[:, 0] - x[:, 1] / 3)
    finally:
        mlflow.sklearn.autolog(disable=True, silent=True)
    got = client.get_run(active.info.run_id)
    children = client.search_runs([experiment], f"tags.mlflow.parentRunId = '{active.info.run_id}'",
                                  order_by=["params.alpha"])
    assert [child.data.params["alpha"] for child in children] == ["0.1", "1.0", "10.0"]
    scores = [child.data.metrics["mean_test_score"] for child in children]
    assert got.data.metrics["best_cv_score"] == max(scores)
    assert got.data.params["best_alpha"] == children[scores.index(max(scores))].data.params["alpha"]
    assert {child.info.status for child in children} == {"FINISHED"}
    assert "cv_results.csv" in [info.path for info in client.list_artifacts(active.info.run_id)]


def test_autolog_logs_the_model_too(client, experiment, table):
    mlflow.sklearn.autolog(silent=True, log_input_examples=True, log_datasets=False)
    try:
        model = LinearRegression().fit(table, table["a"] * 2)  # makes its own run
    finally:
        mlflow.sklearn.autolog(disable=True, silent=True)
    found, = client.search_runs([experiment])
    assert found.info.status == "FINISHED"
    loaded = mlflow.pyfunc.load_model(f"runs:/{found.info.run_id}/model")
    assert np.allclose(loaded.predict(table), model.predict(table))
    assert loaded.metadata.signature is not None and loaded.input_example is not None


def test_a_model_of_ones_own(experiment, table):
    class Doubler(mlflow.pyfunc.PythonModel):
        def load_context(self, context):
            with open(context.artifacts["factor"], encoding="ascii") as file:
                self.factor = float(file.read())

        def predict(self, context, model_input, params=None):
            return model_input["a"] * self.factor

    with open("factor.txt", "w", encoding="ascii") as file:
        file.write("2.5")
    place = {"name": "doubler"} if MAJOR >= 3 else {"artifact_path": "doubler"}
    with mlflow.start_run():
        info = mlflow.pyfunc.log_model(python_model=Doubler(), artifacts={"factor": "factor.txt"},
                                       pip_requirements=REQUIREMENTS, signature=infer_signature(table, table["a"]),
                                       **place)
    loaded = mlflow.pyfunc.load_model(info.model_uri)
    assert list(loaded.predict(table)) == [0.0, 2.5, 5.0, 7.5, 10.0]

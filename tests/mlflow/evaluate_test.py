"""mlflow.evaluate and mlflow.models.evaluate: metrics, plots and tables of a model's judgement, kept in a run."""
import mlflow
import numpy as np
import pandas as pd
import pytest
from clients import MAJOR, requires_3
from mlflow.models import infer_signature
from sklearn.linear_model import LinearRegression, LogisticRegression

# Explanations would need one more package, and a minute.
CONFIG = {"log_model_explainability": False}


@pytest.fixture(scope="module")
def table():
    generator = np.random.default_rng(3)
    x = generator.normal(size=(60, 2))
    return pd.DataFrame({"a": x[:, 0], "b": x[:, 1], "label": (x.sum(axis=1) > 0).astype(int)})


def log_model(model, table):
    place = {"name": "model"} if MAJOR >= 3 else {"artifact_path": "model"}
    features = table[["a", "b"]]
    return mlflow.sklearn.log_model(model, pip_requirements=["scikit-learn"],
                                    signature=infer_signature(features, model.predict(features)), **place)


def test_a_classifier_is_judged(client, experiment, table):
    model = LogisticRegression().fit(table[["a", "b"]], table["label"])
    with mlflow.start_run() as active:
        info = log_model(model, table)
        result = mlflow.models.evaluate(info.model_uri, table, targets="label", model_type="classifier",
                                        evaluator_config=CONFIG)
    accuracy = float((model.predict(table[["a", "b"]]) == table["label"]).mean())
    assert result.metrics["accuracy_score"] == pytest.approx(accuracy)
    got = client.get_run(active.info.run_id)
    assert got.data.metrics["accuracy_score"] == pytest.approx(accuracy)
    assert {"f1_score", "roc_auc", "log_loss", "true_positives"} <= set(got.data.metrics)
    names = {info.path for info in client.list_artifacts(active.info.run_id)}
    assert {"confusion_matrix.png", "roc_curve_plot.png", "precision_recall_curve_plot.png"} <= names
    assert len(got.inputs.dataset_inputs) == 1
    assert len(result.artifacts) >= 2


def test_a_regressor_is_judged(client, experiment, table):
    target = table["a"] * 3 + table["b"]
    model = LinearRegression().fit(table[["a", "b"]], target)
    data = table[["a", "b"]].assign(y=target)
    with mlflow.start_run() as active:
        info = log_model(model, table)
        result = mlflow.evaluate(info.model_uri, data, targets="y", model_type="regressor", evaluator_config=CONFIG)
    assert result.metrics["r2_score"] == pytest.approx(1.0)
    metrics = client.get_run(active.info.run_id).data.metrics
    assert metrics["r2_score"] == pytest.approx(1.0)
    assert metrics["mean_absolute_error"] == pytest.approx(0.0, abs=1e-9)


def test_predictions_are_judged_without_a_model(client, experiment):
    data = pd.DataFrame({"truth": [1.0, 2.0, 3.0], "guess": [1.0, 2.0, 5.0]})
    with mlflow.start_run() as active:
        dataset = mlflow.data.from_pandas(data, targets="truth", predictions="guess", name="guesses")
        mlflow.models.evaluate(data=dataset, model_type="regressor", evaluator_config=CONFIG)
    got = client.get_run(active.info.run_id)
    assert got.data.metrics["max_error"] == 2.0
    assert got.data.metrics["mean_absolute_error"] == pytest.approx(2 / 3)
    assert got.inputs.dataset_inputs[0].dataset.name == "guesses"


@requires_3
def test_the_judgement_belongs_to_the_model(client, experiment, table):
    model = LogisticRegression().fit(table[["a", "b"]], table["label"])
    with mlflow.start_run():
        info = log_model(model, table)
        mlflow.models.evaluate(info.model_uri, table, targets="label", model_type="classifier",
                               evaluator_config=CONFIG)
    metrics = {metric.key: metric for metric in client.get_logged_model(info.model_id).metrics}
    assert metrics["accuracy_score"].value > 0.8
    assert metrics["accuracy_score"].dataset_name == "dataset"


@requires_3
def test_answers_are_judged_by_scorers(client, experiment):
    """mlflow.genai.evaluate: each row becomes a trace with its judgements, and the run has their means."""
    from mlflow.genai.scorers import scorer

    @scorer
    def exact(outputs, expectations):
        return outputs == expectations["answer"]

    @scorer
    def length(outputs):
        return len(outputs)

    data = [{"inputs": {"question": "a"}, "expectations": {"answer": "A"}},
            {"inputs": {"question": "bb"}, "expectations": {"answer": "wrong"}}]
    result = mlflow.genai.evaluate(data=data, predict_fn=lambda question: question.upper(), scorers=[exact, length])
    assert client.get_run(result.run_id).data.metrics == {"exact/mean": 0.5, "length/mean": 1.5}
    traces = mlflow.search_traces(run_id=result.run_id, return_type="list")
    got = {trace.data.response: {a.name: a.value for a in trace.info.assessments} for trace in traces}
    assert got == {'"A"': {"exact": True, "length": 1, "answer": "A"},
                   '"BB"': {"exact": False, "length": 2, "answer": "wrong"}}

"""XGBoost: autologging of a training with its curves, models that are logged and loaded."""

import mlflow
import numpy as np
import pytest
import xgboost
from clients import MAJOR

ROUNDS = 5


@pytest.fixture(scope="module")
def data():
    generator = np.random.default_rng(7)
    x = generator.normal(size=(80, 3))
    return x, (x[:, 0] - x[:, 1] > 0).astype(int)


def place(name):
    return {"name": name} if MAJOR >= 3 else {"artifact_path": name}


def test_autolog_keeps_curves_and_the_model(client, experiment, data):
    matrix = xgboost.DMatrix(data[0], label=data[1], feature_names=["a", "b", "c"])
    evals = {}
    mlflow.xgboost.autolog(silent=True, log_datasets=True)
    try:
        with mlflow.start_run() as active:
            model = xgboost.train({"objective": "binary:logistic", "max_depth": 2, "eta": 0.25}, matrix, ROUNDS,
                                  evals=[(matrix, "train")], evals_result=evals, verbose_eval=False)
    finally:
        mlflow.xgboost.autolog(disable=True, silent=True)
    run_id = active.info.run_id
    got = client.get_run(run_id)
    assert (got.data.params["max_depth"], got.data.params["eta"]) == ("2", "0.25")
    assert got.data.params["num_boost_round"] == str(ROUNDS)
    history = client.get_metric_history(run_id, "train-logloss")
    assert [(point.step, point.value) for point in history] == list(enumerate(evals["train"]["logloss"]))
    assert got.data.metrics["train-logloss"] == evals["train"]["logloss"][-1]
    names = {info.path for info in client.list_artifacts(run_id)}
    assert {"feature_importance_weight.json", "feature_importance_weight.png"} <= names
    weights = mlflow.artifacts.load_dict(f"runs:/{run_id}/feature_importance_weight.json")
    assert weights == model.get_score(importance_type="weight")
    loaded = mlflow.xgboost.load_model(f"runs:/{run_id}/model")
    assert np.allclose(loaded.predict(matrix), model.predict(matrix))
    assert sorted(tag.value for i in got.inputs.dataset_inputs for tag in i.tags) == ["eval", "train"]


def test_a_classifier_is_logged_and_served(client, experiment, data, model_name):
    model = xgboost.XGBClassifier(n_estimators=3, max_depth=2).fit(*data)
    with mlflow.start_run() as active:
        info = mlflow.xgboost.log_model(model, registered_model_name=model_name, input_example=data[0][:2],
                                        model_format="json", pip_requirements=["xgboost"], **place("model"))
    assert info.run_id == active.info.run_id
    loaded = mlflow.xgboost.load_model(f"models:/{model_name}/1")
    assert isinstance(loaded, xgboost.XGBClassifier)
    assert (loaded.predict_proba(data[0]) == model.predict_proba(data[0])).all()
    served = mlflow.pyfunc.load_model(f"runs:/{active.info.run_id}/model")
    assert (served.predict(data[0]) == model.predict(data[0])).all()
    flavor = mlflow.models.get_model_info(f"models:/{model_name}/1").flavors["xgboost"]
    assert (flavor["data"], flavor["model_format"]) == ("model.json", "json")

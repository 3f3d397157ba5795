"""Searching runs and experiments: filters, orders, pages, and where missing values and NaN belong."""
import math
import time
import uuid

import mlflow
import pytest
from clients import MAJOR, refused
from mlflow.entities import Metric, Param, RunTag, ViewType


@pytest.fixture(scope="module")
def zoo(server):
    """Five runs; returns the experiment's id. Run "e" has almost nothing."""
    mlflow.set_tracking_uri(server)
    client = mlflow.MlflowClient()
    experiment = client.create_experiment(f"zoo {uuid.uuid4().hex}")
    rows = [
        ("a", 100, {"loss": 0.1, "acc": 0.9}, {"model": "Tree", "depth": "3"}, {"team": "blue"}, "FINISHED"),
        ("b", 200, {"loss": 0.5, "acc": math.nan}, {"model": "tree", "depth": "10"}, {"team": "red"}, "FAILED"),
        ("c", 300, {"loss": -2.0, "acc": 0.5}, {"model": "forest"}, {"team": "Blue", "note.x": "100%"}, "FINISHED"),
        ("d", 400, {"loss": 1e10, "big loss/x": 7}, {"model": "net_2"}, {"team": "green"}, "KILLED"),
        ("e", 500, {}, {}, {}, "RUNNING"),
    ]
    for name, start_time, metrics, params, tags, status in rows:
        run = client.create_run(experiment, start_time=start_time, run_name=name, tags=tags)
        client.log_batch(run.info.run_id, [Metric(key, value, 1, 0) for key, value in metrics.items()],
                         [Param(key, value) for key, value in params.items()])
        if status != "RUNNING":
            client.set_terminated(run.info.run_id, status, end_time=start_time + 50)
    return experiment


def names(runs):
    return "".join(run.info.run_name for run in runs)


FILTERS = [
    ("", "edcba"),
    ("metrics.loss < 0.5", "ca"),
    ("metrics.loss <= 0.5", "cba"),
    ("metrics.loss = -2", "c"),
    ("metric.loss != 0.1", "dcb"),
    ("metrics.loss > 1e9", "d"),
    ("metrics.acc > 0", "ca"),  # NaN matches nothing
    ("metrics.`big loss/x` = 7", "d"),
    ('metrics."big loss/x" >= 7.0', "d"),
    ("params.model = 'tree'", "b"),
    ('params.model = "Tree"', "a"),
    ("params.model != 'tree'", "dca"),  # a run without the key is not unequal
    ("params.model LIKE '%tree%'", "b"),
    ("parameter.model ILIKE 'TREE'", "ba"),
    ("params.model LIKE 'net_2'", "d"),
    ("params.depth = '10' AND metrics.loss > 0", "b"),
    ("tags.team ILIKE 'blue'", "ca"),
    ("tag.team = 'blue' and attributes.status = 'FINISHED'", "a"),
    ("tags.`note.x` = '100%'", "c"),
    ("tags.note.x LIKE '%\\%'", ""),
    ("attributes.status != 'FINISHED'", "edb"),
    ("status = 'RUNNING'", "e"),
    ("attributes.start_time >= 300", "edc"),
    ("start_time < 200", "a"),
    ("created > 400", "e"),
    ("attributes.end_time = 250", "b"),
    ("run_name = 'c'", "c"),
    ("attributes.`run name` != 'c'", "edba"),
    ("tags.mlflow.runName = 'd'", "d"),
    ("run_name LIKE '%'", "edcba"),
    ("params.missing = 'x'", ""),
]


@pytest.mark.parametrize(("condition", "expected"), FILTERS, ids=[row[0] or "empty" for row in FILTERS])
def test_a_filter_finds(client, zoo, condition, expected):
    assert names(client.search_runs([zoo], condition)) == expected


@pytest.mark.skipif(MAJOR < 3, reason="the language has it since 3.0")
@pytest.mark.parametrize(("condition", "expected"), [
    ("params.depth IS NULL", "edc"),
    ("params.depth IS NOT NULL", "ba"),
    ("tags.team is null", "e"),
])
def test_a_filter_for_missing_keys(client, zoo, condition, expected):
    assert names(client.search_runs([zoo], condition)) == expected


ORDERS = [
    (["start_time ASC"], "abcde"),
    (["attributes.start_time DESC"], "edcba"),
    (["Created"], "abcde"),
    (["metrics.loss"], "cabde"),  # a missing one is last,
    (["metrics.loss DESC"], "dbace"),  # whichever way
    (["metrics.acc ASC"], "cabed"),  # NaN after all numbers and before the missing, which the start time orders
    (["metrics.acc DESC"], "acbed"),
    (["metrics.`big loss/x`"], "decba"),
    (["params.model"], "acdbe"),
    (["params.depth DESC", "start_time"], "abcde"),
    (["tags.team", "metrics.loss"], "cadbe"),  # by bytes: capitals first
    (["attributes.status", "start_time DESC"], "bcade"),
    (["attributes.end_time DESC"], "dcbae"),
    (["run_name DESC"], "edcba"),
    (["tag.mlflow.runName ASC"], "abcde"),
]


@pytest.mark.parametrize(("order_by", "expected"), ORDERS, ids=[", ".join(row[0]) for row in ORDERS])
def test_an_order_sorts(client, zoo, order_by, expected):
    assert names(client.search_runs([zoo], order_by=order_by)) == expected


@pytest.mark.parametrize("size", [1, 2, 4, 5, 6])
@pytest.mark.parametrize("order_by", [[], ["metrics.acc DESC"], ["params.depth"], ["tags.team DESC", "start_time"]])
def test_pages_add_up_to_the_whole(client, zoo, order_by, size):
    whole = names(client.search_runs([zoo], order_by=order_by))
    paged, token, pages = "", None, 0
    while pages == 0 or token:
        page = client.search_runs([zoo], order_by=order_by, max_results=size, page_token=token)
        assert len(page) <= size
        paged, token, pages = paged + names(page), page.token, pages + 1
    assert paged == whole
    assert pages == -(-len(whole) // size), "no empty page at the end"


def test_a_search_over_experiments_and_lifecycles(client, zoo, experiment):
    kept, deleted = client.create_run(experiment), client.create_run(experiment)
    client.delete_run(deleted.info.run_id)

    def count(view):
        return len(client.search_runs([zoo, experiment], run_view_type=view))

    assert (count(ViewType.ACTIVE_ONLY), count(ViewType.DELETED_ONLY), count(ViewType.ALL)) == (6, 1, 7)
    assert [run.info.run_id for run in client.search_runs([experiment])] == [kept.info.run_id]
    assert client.search_runs([]) == []


def test_runs_by_id(client, zoo):
    ids = {run.info.run_name: run.info.run_id for run in client.search_runs([zoo])}
    assert names(client.search_runs([zoo], f"attributes.run_id = '{ids['b']}'")) == "b"
    assert names(client.search_runs([zoo], f"attributes.run_id IN ('{ids['b']}', '{ids['d']}')")) == "db"
    assert names(client.search_runs([zoo], f"run_id != '{ids['b']}'")) == "edca"


def test_the_fluent_search_makes_a_table(zoo):
    table = mlflow.search_runs([zoo], "metrics.loss < 1", order_by=["metrics.loss"])
    assert list(table["tags.mlflow.runName"]) == ["c", "a", "b"]
    assert list(table["metrics.loss"]) == [-2.0, 0.1, 0.5]
    assert list(table["params.depth"].isna()) == [True, False, False] and table["params.depth"][1] == "3"
    assert list(table["metrics.acc"].isna()) == [False, False, True]
    assert list(table["status"]) == ["FINISHED", "FINISHED", "FAILED"]
    name = mlflow.get_experiment(zoo).name
    runs = mlflow.search_runs(experiment_names=[name], output_format="list", max_results=2)
    assert names(runs) == "ed"


def test_found_runs_are_whole(client, experiment):
    with mlflow.start_run() as active:
        mlflow.log_params({"p": 1})
        mlflow.log_metric("m", 2, step=3)
    found, = client.search_runs([experiment])
    assert found.to_dictionary() == client.get_run(active.info.run_id).to_dictionary()


@pytest.mark.parametrize(("condition", "words"), [
    ("metrics.loss = 'a'", "Expected numeric value type for metric"),
    ("metrics.loss LIKE '1'", "Expected numeric value type for metric"),
    ("params.model > 'a'", "Invalid comparator"),
    ("params.model = tree", "value is either not quoted or unidentified quote types used for string value tree"),
    ("flavor.x = 'y'", "Invalid entity type"),
    ("attributes.nothing = 'y'", "Invalid attribute key 'nothing' specified"),
    ("attributes.start_time = 'x'", "Expected numeric value type for"),
    ("metrics.loss", "Invalid"),
])
def test_a_wrong_filter_is_refused(client, zoo, condition, words):
    with refused("INVALID_PARAMETER_VALUE", words):
        client.search_runs([zoo], condition)


@pytest.mark.parametrize("order_by", ["flavor.x", "attributes.nothing", "metrics.loss SIDEWAYS", ""])
def test_a_wrong_order_is_refused(client, zoo, order_by):
    with refused("INVALID_PARAMETER_VALUE", "Invalid"):
        client.search_runs([zoo], order_by=[order_by])


def test_a_wrong_page_is_refused(client, zoo):
    with refused("INVALID_PARAMETER_VALUE", "max_results"):
        client.search_runs([zoo], max_results=50_001)
    with refused("INVALID_PARAMETER_VALUE", ""):
        client.search_runs([zoo], page_token="not a token")


@pytest.fixture(scope="module")
def herd(server):
    """Names of three experiments with one prefix, which is returned."""
    client = mlflow.MlflowClient(server)
    prefix = f"herd-{uuid.uuid4().hex}"
    for name, tags in (("a", {"k": "v"}), ("B", {"k": "V", "x.y": "1"}), ("c", {})):
        client.create_experiment(f"{prefix} {name}", tags=tags)
        time.sleep(0.002)  # creation times differ: they are what the default order goes by
    return prefix


EXPERIMENT_SEARCHES = [
    ("name LIKE '{}%'", None, "cBa"),
    ("name LIKE '{}%'", ["name ASC"], "Bac"),
    ("name LIKE '{}%'", ["name DESC"], "caB"),
    ("name LIKE '{}%'", ["creation_time ASC"], "aBc"),
    ("name LIKE '{}%'", ["experiment_id DESC"], "cBa"),
    ("name LIKE '{}%'", ["last_update_time"], "aBc"),
    ("name = '{} a'", None, "a"),
    ("attribute.name ILIKE '{} b'", None, "B"),
    ("name LIKE '{}%' AND name != '{} a'", None, "cB"),
    ("name LIKE '{}%' AND tags.k = 'v'", None, "a"),
    ("name LIKE '{}%' AND tags.k ILIKE 'v'", None, "Ba"),
    ("name LIKE '{}%' AND tag.`x.y` = '1'", None, "B"),
    ("name LIKE '{}%' AND creation_time > 0", None, "cBa"),
    ("name LIKE '{}%' AND creation_time < 1", None, ""),
]


@pytest.mark.parametrize(("condition", "order_by", "expected"), EXPERIMENT_SEARCHES)
def test_experiments_are_found(client, herd, condition, order_by, expected):
    found = client.search_experiments(filter_string=condition.replace("{}", herd), order_by=order_by)
    assert "".join(experiment.name[-1] for experiment in found) == expected


def test_experiments_come_in_pages(client, herd):
    condition = f"name LIKE '{herd}%'"
    first = client.search_experiments(filter_string=condition, max_results=2)
    second = client.search_experiments(filter_string=condition, max_results=2, page_token=first.token)
    assert [experiment.name[-1] for experiment in first + second] == ["c", "B", "a"]
    assert not second.token


def test_deleted_experiments_are_found_when_asked_for(client, herd):
    name = f"{herd} gone"
    client.delete_experiment(client.create_experiment(name))

    def count(view):
        return len(client.search_experiments(view, filter_string=f"name = '{name}'"))

    assert (count(ViewType.ACTIVE_ONLY), count(ViewType.DELETED_ONLY), count(ViewType.ALL)) == (0, 1, 1)


def test_a_run_tag_that_changes_is_found_by_its_new_value(client, experiment, run):
    client.log_batch(run.info.run_id, tags=[RunTag("t", "old")])
    client.set_tag(run.info.run_id, "t", "new")
    assert client.search_runs([experiment], "tags.t = 'old'") == []
    assert len(client.search_runs([experiment], "tags.t = 'new'")) == 1

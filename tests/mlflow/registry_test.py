"""The model registry: models, versions, aliases, stages, tags, searches, downloads, deletion."""
from concurrent.futures import ThreadPoolExecutor

import mlflow
import pytest
from clients import refused, requires_2
from mlflow.entities.model_registry.model_version_status import ModelVersionStatus


@pytest.fixture
def source(client, run):
    """A run's folder of files that versions are made from."""
    client.log_text(run.info.run_id, "weights", "model/data.txt")
    return f"{run.info.artifact_uri}/model"


@pytest.fixture
def version(client, run, source, model_name):
    """Version 1 of a fresh model."""
    client.create_registered_model(model_name)
    return client.create_model_version(model_name, source, run.info.run_id)


def test_a_model_reads_back(client, model_name):
    made = client.create_registered_model(model_name, tags={"k": "v"}, description="a größe")
    got = client.get_registered_model(model_name)
    assert (got.name, got.description, got.tags) == (model_name, "a größe", {"k": "v"})
    assert got.creation_timestamp == made.creation_timestamp == made.last_updated_timestamp
    assert got.latest_versions == [] and got.aliases == {}


def test_a_model_is_renamed_and_described(client, model_name, version):
    client.update_registered_model(model_name, "now with words")
    client.rename_registered_model(model_name, model_name + "-b")
    got = client.get_registered_model(model_name + "-b")
    assert got.description == "now with words"
    assert got.last_updated_timestamp >= got.creation_timestamp
    assert client.get_model_version(model_name + "-b", "1").run_id == version.run_id
    with refused("RESOURCE_DOES_NOT_EXIST", f"Registered Model with name={model_name} not found"):
        client.get_registered_model(model_name)


def test_a_version_reads_back(client, run, source, model_name):
    client.create_registered_model(model_name)
    client.create_model_version(model_name, source, run.info.run_id, tags={"a": "1"}, description="first")
    second = client.create_model_version(model_name, source, run.info.run_id)
    got = client.get_model_version(model_name, "1")
    assert (str(got.version), got.source, got.run_id, got.tags) == ("1", source, run.info.run_id, {"a": "1"})
    assert (got.description, got.current_stage, got.aliases) == ("first", "None", [])
    assert ModelVersionStatus.from_string(got.status) == ModelVersionStatus.READY
    assert str(second.version) == "2"
    client.update_model_version(model_name, "1", "described")
    assert client.get_model_version(model_name, "1").description == "described"


@requires_2  # since 3.0 a run's folder is registered only when a logged model is behind it
def test_registering_what_a_run_logged(client, run, source, model_name):
    made = mlflow.register_model(f"runs:/{run.info.run_id}/model", model_name, tags={"how": "fluent"})
    assert (str(made.version), made.run_id, made.tags["how"]) == ("1", run.info.run_id, "fluent")
    assert str(mlflow.register_model(f"runs:/{run.info.run_id}/model", model_name).version) == "2"
    for version in ("1", "2"):
        assert client.get_model_version_download_uri(model_name, version) == source


def test_the_files_of_a_version_come_down(client, model_name, version):
    client.set_registered_model_alias(model_name, "best", "1")
    assert client.get_model_version_download_uri(model_name, "1") == version.source
    for uri in (f"models:/{model_name}/1", f"models:/{model_name}@best", f"models:/{model_name}/latest"):
        assert mlflow.artifacts.load_text(f"{uri}/data.txt") == "weights"


def test_aliases(client, run, source, model_name, version):
    client.create_model_version(model_name, source, run.info.run_id)
    client.set_registered_model_alias(model_name, "champion", "1")
    client.set_registered_model_alias(model_name, "champion", "2")
    client.set_registered_model_alias(model_name, "fallback", "1")
    assert str(client.get_model_version_by_alias(model_name, "champion").version) == "2"
    assert {k: str(v) for k, v in client.get_registered_model(model_name).aliases.items()} == {
        "champion": "2", "fallback": "1"}
    assert client.get_model_version(model_name, "2").aliases == ["champion"]
    client.delete_registered_model_alias(model_name, "champion")
    client.delete_registered_model_alias(model_name, "champion")  # once more changes nothing
    with refused("INVALID_PARAMETER_VALUE", "Registered model alias champion not found."):
        client.get_model_version_by_alias(model_name, "champion")
    client.delete_model_version(model_name, "1")
    assert client.get_registered_model(model_name).aliases == {}


@pytest.mark.parametrize("alias", ["latest", "Latest", "v1", "V20", "", "a b", "a" * 256])
def test_an_alias_that_is_none(client, model_name, version, alias):
    with refused("INVALID_PARAMETER_VALUE", ""):
        client.set_registered_model_alias(model_name, alias, "1")


def test_tags(client, model_name, version):
    client.set_registered_model_tag(model_name, "a", "1")
    client.set_registered_model_tag(model_name, "a", "2")
    client.set_model_version_tag(model_name, "1", "b", "x" * 100_000)
    client.set_model_version_tag(model_name, "1", "c", 5)
    assert client.get_registered_model(model_name).tags == {"a": "2"}
    assert client.get_model_version(model_name, "1").tags == {"b": "x" * 100_000, "c": "5"}
    client.delete_registered_model_tag(model_name, "a")
    client.delete_model_version_tag(model_name, "1", "b")
    assert client.get_registered_model(model_name).tags == {}
    assert client.get_model_version(model_name, "1").tags == {"c": "5"}


@pytest.mark.filterwarnings("ignore")
def test_stages(client, run, source, model_name, version):
    client.create_model_version(model_name, source, run.info.run_id)
    client.create_model_version(model_name, source, run.info.run_id)
    client.transition_model_version_stage(model_name, "1", "production")
    client.transition_model_version_stage(model_name, "2", "Staging")

    def latest(stages=None):
        return {got.current_stage: str(got.version) for got in client.get_latest_versions(model_name, stages)}

    assert latest() == {"None": "3", "Staging": "2", "Production": "1"}
    assert latest(["Production"]) == {"Production": "1"}
    client.transition_model_version_stage(model_name, "2", "Production", archive_existing_versions=True)
    assert latest() == {"None": "3", "Production": "2", "Archived": "1"}
    assert mlflow.artifacts.load_text(f"models:/{model_name}/Production/data.txt") == "weights"
    with refused("INVALID_PARAMETER_VALUE", "Invalid Model Version stage: Prod. Value must be one of"):
        client.transition_model_version_stage(model_name, "1", "Prod")
    latest_versions = client.get_registered_model(model_name).latest_versions
    assert sorted(str(got.version) for got in latest_versions) == ["1", "2", "3"]


def test_searching_models(client, model_name):
    for letter, tags in (("a", {"k": "v"}), ("b", {"k": "w"}), ("C", {})):
        client.create_registered_model(model_name + letter, tags=tags)

    def search(condition, **options):
        found = client.search_registered_models(condition.replace("{}", model_name), **options)
        return "".join(model.name[-1] for model in found)

    assert search("name LIKE '{}%'") == "Cab"
    assert search("name LIKE '{}%'", order_by=["name DESC"]) == "baC"
    assert search("name LIKE '{}%'", order_by=["last_updated_timestamp ASC", "name ASC"]) in ("abC", "Cab", "aCb")
    assert search("name ILIKE '{}c'") == "C"
    assert search("name = '{}a'") == "a"
    assert search("name LIKE '{}%' AND name != '{}a'") == "Cb"
    assert search("name LIKE '{}%' AND tags.k = 'v'") == "a"
    assert search("name LIKE '{}%' AND tag.`k` != 'v'") == "b"
    first = client.search_registered_models(f"name LIKE '{model_name}%'", max_results=2)
    second = client.search_registered_models(f"name LIKE '{model_name}%'", max_results=2, page_token=first.token)
    assert [model.name[-1] for model in first + second] == ["C", "a", "b"]
    assert not second.token
    with refused("INVALID_PARAMETER_VALUE", "Invalid attribute key"):
        client.search_registered_models("colour = 'red'")


def test_searching_versions(client, experiment, run, source, model_name, version):
    other = client.create_run(experiment)
    client.create_model_version(model_name, source, run.info.run_id, tags={"k": "v"})
    client.create_model_version(model_name, f"{other.info.artifact_uri}/m", other.info.run_id)

    def search(condition, **options):
        found = client.search_model_versions(f"name = '{model_name}'{condition}", **options)
        return [int(got.version) for got in found]

    assert sorted(search("")) == [1, 2, 3]
    assert search("", order_by=["version_number ASC"]) == [1, 2, 3]
    assert search(f" AND run_id = '{other.info.run_id}'") == [3]
    assert sorted(search(f" AND run_id IN ('{run.info.run_id}')")) == [1, 2]
    assert sorted(search(f" AND source_path = '{source}'")) == [1, 2]
    assert search(" AND tags.k = 'v'") == [2]
    assert search(" AND version_number = 1") == [1]
    page = client.search_model_versions(f"name = '{model_name}'", max_results=2)
    rest = client.search_model_versions(f"name = '{model_name}'", max_results=2, page_token=page.token)
    assert sorted(int(got.version) for got in page + rest) == [1, 2, 3]
    assert not rest.token


def test_a_version_is_deleted_and_its_number_never_used_again(client, run, source, model_name, version):
    second = client.create_model_version(model_name, source, run.info.run_id)
    client.delete_model_version(model_name, second.version)
    with refused("RESOURCE_DOES_NOT_EXIST", f"Model Version (name={model_name}, version=2) not found"):
        client.get_model_version(model_name, "2")
    assert str(client.create_model_version(model_name, source, run.info.run_id).version) == "3"
    assert [str(got.version) for got in client.get_latest_versions(model_name)] == ["3"]


def test_a_model_goes_with_its_versions(client, model_name, version):
    client.delete_registered_model(model_name)
    with refused("RESOURCE_DOES_NOT_EXIST", "not found"):
        client.get_model_version(model_name, "1")
    assert client.search_model_versions(f"name = '{model_name}'") == []
    client.create_registered_model(model_name)


def test_versions_made_at_once_get_numbers_of_their_own(client, run, source, model_name):
    client.create_registered_model(model_name)
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: client.create_model_version(model_name, source, run.info.run_id), range(16)))
    assert sorted(int(version.version) for version in made) == list(range(1, 17))


def test_a_version_is_copied_to_another_model(client, model_name, version):
    copy = client.copy_model_version(f"models:/{model_name}/1", model_name + "-prod")
    assert (copy.name, str(copy.version), copy.source) == (model_name + "-prod", "1", f"models:/{model_name}/1")
    assert mlflow.artifacts.load_text(f"models:/{model_name}-prod/1/data.txt") == "weights"


def test_what_a_version_needs_is_not_deleted(client, run, model_name, version):
    client.set_registered_model_alias(model_name, "champion", version.version)
    why = f"version {version.version} of model '{model_name}' (champion) needs it"
    with refused("RESOURCE_CONFLICT", f"Run {run.info.run_id} cannot be deleted: {why}"):
        client.delete_run(run.info.run_id)
    with refused("RESOURCE_CONFLICT", why):
        client.delete_experiment(run.info.experiment_id)
    assert client.get_run(run.info.run_id).info.lifecycle_stage == "active"
    client.delete_model_version(model_name, version.version)
    client.delete_run(run.info.run_id)
    assert client.get_run(run.info.run_id).info.lifecycle_stage == "deleted"


def test_what_a_version_in_use_needs_is_not_overwritten(client, run, model_name, version):
    client.set_registered_model_alias(model_name, "champion", version.version)
    with pytest.raises(Exception, match="409"):  # 3.x adds the sentence that names the version
        client.log_text(run.info.run_id, "other weights", "model/data.txt")
    client.log_text(run.info.run_id, "weights", "model/data.txt")
    client.log_text(run.info.run_id, "more", "model/notes.txt")
    assert mlflow.artifacts.load_text(f"models:/{model_name}/{version.version}/data.txt") == "weights"
    client.delete_registered_model_alias(model_name, "champion")
    client.log_text(run.info.run_id, "other weights", "model/data.txt")  # as who logs a model anew for each version
    assert mlflow.artifacts.load_text(f"models:/{model_name}/{version.version}/data.txt") == "other weights"

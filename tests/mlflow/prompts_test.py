"""Prompts: versions of a text, kept in the registry, found by name, version and alias, and hidden among the models."""
import json
import uuid

import mlflow
import pytest
from clients import refused, requires_3

pytestmark = requires_3


@pytest.fixture
def name():
    return f"prompt-{uuid.uuid4().hex[:12]}"


def test_a_prompt_is_registered_and_loaded(name):
    first = mlflow.genai.register_prompt(name, "Hello {{who}}", commit_message="first", tags={"tone": "warm"})
    second = mlflow.genai.register_prompt(name, "Good day, {{who}}.")
    assert (first.version, second.version) == (1, 2)
    got = mlflow.genai.load_prompt(name, version=1)
    assert (got.template, got.commit_message, got.tags["tone"]) == ("Hello {{who}}", "first", "warm")
    assert got.variables == {"who"}
    assert got.format(who="Ada") == "Hello Ada"
    assert mlflow.genai.load_prompt(f"prompts:/{name}/2").template == "Good day, {{who}}."
    assert mlflow.genai.load_prompt(name).version == 2, "the latest without a version"


def test_a_chat_prompt_keeps_its_messages(name):
    messages = [{"role": "system", "content": "Be {{how}}."}, {"role": "user", "content": "{{question}}"}]
    mlflow.genai.register_prompt(name, messages)
    got = mlflow.genai.load_prompt(f"prompts:/{name}/1")
    assert got.template == messages
    assert got.format(how="brief", question="Why?")[1] == {"role": "user", "content": "Why?"}


def test_an_alias_moves(name):
    for text in ("one", "two"):
        mlflow.genai.register_prompt(name, text)
    mlflow.genai.set_prompt_alias(name, alias="production", version=1)
    assert mlflow.genai.load_prompt(f"prompts:/{name}@production").template == "one"
    mlflow.genai.set_prompt_alias(name, alias="production", version=2)
    got = mlflow.genai.load_prompt(f"prompts:/{name}@production", cache_ttl_seconds=0)
    assert (got.template, got.aliases) == ("two", ["production"])
    mlflow.genai.delete_prompt_alias(name, alias="production")
    with pytest.raises(mlflow.MlflowException, match="production"):
        mlflow.genai.load_prompt(f"prompts:/{name}@production", allow_missing=False, cache_ttl_seconds=0)


def test_prompts_and_models_do_not_mix(client, name):
    mlflow.genai.register_prompt(name, "text", tags={"team": "blue"})
    assert client.search_registered_models(f"name = '{name}'") == []
    assert client.search_model_versions(f"name = '{name}'") == []
    assert name not in [model.name for model in client.search_registered_models(max_results=1000)]
    found = mlflow.genai.search_prompts(f"name = '{name}'")
    assert [prompt.name for prompt in found] == [name]
    with refused("RESOURCE_ALREADY_EXISTS", name):
        client.create_registered_model(name)


def test_a_model_cannot_become_a_prompt(client, model_name):
    client.create_registered_model(model_name)
    with pytest.raises(mlflow.MlflowException, match=model_name):
        mlflow.genai.register_prompt(model_name, "text")


def test_tags_of_prompts(client, name):
    mlflow.genai.register_prompt(name, "text")
    client.set_prompt_tag(name, "owner", "ada")
    assert client.get_prompt(name).tags["owner"] == "ada"
    client.delete_prompt_tag(name, "owner")
    assert "owner" not in client.get_prompt(name).tags
    client.set_prompt_version_tag(name, "1", "checked", "yes")
    assert mlflow.genai.load_prompt(name, version=1, cache_ttl_seconds=0).tags["checked"] == "yes"


def test_the_versions_of_a_prompt(client, name):
    for text in ("one", "two", "three"):
        mlflow.genai.register_prompt(name, text)
    assert [prompt.version for prompt in client.search_prompt_versions(name)] == [3, 2, 1]
    client.delete_prompt_version(name, "3")
    assert mlflow.genai.load_prompt(name, allow_missing=True, version=3, cache_ttl_seconds=0) is None


def test_a_text_at_the_limit_and_beyond(name):
    mlflow.genai.register_prompt(name, "x" * 100_000)
    assert len(mlflow.genai.load_prompt(name, version=1).template) == 100_000
    with refused("INVALID_PARAMETER_VALUE", ""):
        mlflow.genai.register_prompt(name, "x" * 100_001)


def test_a_prompt_that_is_not_there(name):
    assert mlflow.genai.load_prompt(name, version=1, allow_missing=True) is None
    with pytest.raises(mlflow.MlflowException, match=name):
        mlflow.genai.load_prompt(f"prompts:/{name}/1")


def test_a_prompt_loaded_in_a_run_is_linked_to_it(client, experiment, name):
    mlflow.genai.register_prompt(name, "one")
    mlflow.genai.register_prompt(name, "two")
    with mlflow.start_run() as active:
        mlflow.genai.load_prompt(name, version=2)
    linked = json.loads(client.get_run(active.info.run_id).data.tags["mlflow.linkedPrompts"])
    assert linked == [{"name": name, "version": "2"}]

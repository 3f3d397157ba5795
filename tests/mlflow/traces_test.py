"""Tracing: spans by decorator and context manager, reading back, searching, tags, assessments, links, deletion."""
import json
import time

import mlflow
import pytest
import requests
from clients import MAJOR, refused, requires_3


@mlflow.trace
def double(x):
    return 2 * x


@mlflow.trace(name="outer", span_type="CHAIN", attributes={"colour": "green"})
def outer(x):
    return double(x) + 1


def flush():
    """What the exporter still holds is sent."""
    if hasattr(mlflow, "flush_trace_async_logging"):
        mlflow.flush_trace_async_logging()


def last_trace_id():
    flush()
    if hasattr(mlflow, "get_last_active_trace_id"):
        return mlflow.get_last_active_trace_id()
    return mlflow.get_last_active_trace().info.request_id


@pytest.fixture
def trace_id(experiment):
    """A finished trace of two spans."""
    assert outer(3) == 7
    return last_trace_id()


def found(client, experiment, **query):
    """The ids that a search finds, in its order."""
    return [trace.info.request_id for trace in search(client, experiment, **query)]


def search(client, experiment, **query):
    return client.search_traces(**{"locations" if MAJOR >= 3 else "experiment_ids": [experiment]}, **query)


def make(client, experiment, name, *, tags=None, status="OK"):
    """A trace of one span."""
    span = client.start_trace(name, inputs={"question": name}, tags=tags, experiment_id=experiment)
    client.end_trace(span.request_id, outputs={"answer": name.upper()}, status=status)
    flush()
    return span.request_id


def test_spans_come_back_as_they_were(client, trace_id, experiment):
    trace = client.get_trace(trace_id)
    assert trace.info.request_id == trace_id
    assert trace.info.experiment_id == experiment
    assert trace.info.status == "OK"
    assert trace.info.tags["mlflow.traceName"] == "outer"
    assert trace.info.tags["mlflow.artifactLocation"] == f"mlflow-artifacts:/{experiment}/traces/{trace_id}/artifacts"
    spans = {span.name: span for span in trace.data.spans}
    assert set(spans) == {"outer", "double"}
    assert spans["double"].parent_id == spans["outer"].span_id
    assert spans["outer"].inputs == {"x": 3} and spans["outer"].outputs == 7
    assert spans["outer"].span_type == "CHAIN" and spans["outer"].get_attribute("colour") == "green"
    assert spans["double"].outputs == 6
    assert trace.info.execution_time_ms >= 0
    assert abs(trace.info.timestamp_ms - time.time() * 1000) < 60_000


def test_an_exception_makes_the_trace_an_error(client, experiment):
    with pytest.raises(ValueError), mlflow.start_span("failing") as span:
        span.set_inputs({"a": 1})
        raise ValueError("no such thing")
    trace = client.get_trace(last_trace_id())
    assert trace.info.status == "ERROR"
    assert "no such thing" in json.dumps([event.attributes for event in trace.data.spans[0].events])


def test_a_trace_under_a_run_is_found_by_the_run(client, experiment):
    with mlflow.start_run() as run:
        outer(1)
        inside = last_trace_id()
    outer(2)
    last_trace_id()
    assert found(client, experiment, filter_string=f"attributes.run_id = '{run.info.run_id}'") == [inside]
    assert found(client, experiment, run_id=run.info.run_id) == [inside]
    assert len(found(client, experiment)) == 2


FILTERS = [
    ("attributes.name = 'red'", "r"),
    ("attributes.name != 'red'", "gb"),
    ("attributes.name LIKE '%e%'", "rgb"),
    ("name IN ('red', 'blue')", "rb"),
    ("name RLIKE '^(red|blue)$'", "rb"),
    ("tags.kind RLIKE '^c.l?'", "gb"),
    ("attributes.status = 'ERROR'", "g"),
    ("status != 'ERROR'", "rb"),
    ("tags.kind = 'warm'", "r"),
    ("tag.kind = 'cold' AND status = 'OK'", "b"),
    ("tags.`two words` = 'yes'", "b"),
    ("tags.mlflow.traceName = 'green'", "g"),
    ("request_metadata.`mlflow.trace_schema.version` LIKE '_'", "rgb"),
    ("attributes.timestamp_ms > 0 AND timestamp < 99999999999999", "rgb"),
    ("execution_time >= 0", "rgb"),
    ("execution_time > 86400000", ""),
]


def test_filters_mean_what_they_say(client, experiment):
    ids = {"r": make(client, experiment, "red", tags={"kind": "warm"}),
           "g": make(client, experiment, "green", tags={"kind": "cold"}, status="ERROR"),
           "b": make(client, experiment, "blue", tags={"kind": "cold", "two words": "yes"})}
    for text, expected in FILTERS:
        assert set(found(client, experiment, filter_string=text)) == {ids[i] for i in expected}, text


def test_orders_and_pages_are_exact(client, experiment):
    made = [make(client, experiment, f"n{i}", tags={"rank": str(9 - i)}) for i in range(5)]
    assert set(found(client, experiment)) == set(made)
    assert found(client, experiment, order_by=["attributes.name ASC"]) == made
    assert found(client, experiment, order_by=["tags.rank ASC"]) == made[::-1]
    first = search(client, experiment, max_results=2, order_by=["name DESC"])
    second = search(client, experiment, max_results=2, order_by=["name DESC"], page_token=first.token)
    third = search(client, experiment, max_results=2, order_by=["name DESC"], page_token=second.token)
    assert [t.info.request_id for page in (first, second, third) for t in page] == made[::-1]
    assert third.token is None


def test_bad_searches_are_refused(client, experiment):
    for text, words in [("attributes.nothing = 'x'", "Invalid attribute key"), ("x.y = 'z'", "Invalid entity type"),
                        ("tags.a = 5", "Expected a quoted string value")]:
        with refused("INVALID_PARAMETER_VALUE", words):
            search(client, experiment, filter_string=text)
    with refused("INVALID_PARAMETER_VALUE", "max_results"):
        search(client, experiment, max_results=501)


def test_a_table_of_traces(experiment, trace_id):
    table = mlflow.search_traces(experiment_ids=[experiment])
    assert list(table["trace_id" if MAJOR >= 3 else "request_id"]) == [trace_id]


def test_tags_are_set_and_deleted(client, trace_id):
    client.set_trace_tag(trace_id, "mood", "bright")
    client.set_trace_tag(trace_id, "mood", "dark")
    assert client.get_trace(trace_id).info.tags["mood"] == "dark"
    client.delete_trace_tag(trace_id, "mood")
    assert "mood" not in client.get_trace(trace_id).info.tags
    with refused("RESOURCE_DOES_NOT_EXIST", "No trace tag with key 'mood'"):
        client.delete_trace_tag(trace_id, "mood")


def test_an_unknown_trace_is_refused(client, experiment):
    with refused("RESOURCE_DOES_NOT_EXIST", "not found"):
        client.get_trace("tr-nothing")


def test_deletion_by_id_takes_the_spans_along(client, experiment):
    keep, drop = make(client, experiment, "keep"), make(client, experiment, "drop")
    location = client.get_trace(drop).info.tags["mlflow.artifactLocation"]
    assert mlflow.artifacts.list_artifacts(location)
    ids = {"trace_ids" if MAJOR >= 3 else "request_ids": [drop, "tr-nothing"]}
    assert client.delete_traces(experiment, **ids) == 1
    assert found(client, experiment) == [keep]
    assert not mlflow.artifacts.list_artifacts(location)
    assert client.get_trace(keep).data.spans


def test_deletion_by_age_begins_with_the_oldest(client, experiment):
    made = []
    for i in range(4):
        made.append(make(client, experiment, f"n{i}"))
        time.sleep(0.002)  # their times differ
    later = int(time.time() * 1000) + 60_000
    assert client.delete_traces(experiment, max_timestamp_millis=later, max_traces=1) == 1
    assert set(found(client, experiment)) == set(made[1:])
    assert client.delete_traces(experiment, max_timestamp_millis=later) == 3
    assert client.delete_traces(experiment, max_timestamp_millis=later) == 0


def test_a_deletion_of_many_is_counted_exactly(client, experiment, server):
    """More than the server deletes at once; what began later stays, with its spans."""
    session = requests.Session()
    for i in range(230):
        body = {"experiment_id": experiment, "timestamp_ms": 1000 + i, "tags": [{"key": "n", "value": str(i)}]}
        assert session.post(f"{server}/api/2.0/mlflow/traces", json=body, timeout=30).status_code == 200
    keep = make(client, experiment, "keep")
    assert client.delete_traces(experiment, max_timestamp_millis=1229, max_traces=105) == 105
    assert client.delete_traces(experiment, max_timestamp_millis=1228) == 124
    assert client.delete_traces(experiment, max_timestamp_millis=1229) == 1
    assert found(client, experiment) == [keep]
    assert client.get_trace(keep).data.spans


def test_a_deleted_experiment_takes_no_traces(client, experiment):
    make(client, experiment, "before")
    client.delete_experiment(experiment)
    assert len(found(client, experiment)) == 1
    if MAJOR < 3:
        with refused("INVALID_PARAMETER_VALUE", "must be in the 'active' state"):
            client._tracking_client.store.start_trace(experiment, 1, {}, {})


@requires_3
def test_feedback_of_every_kind_comes_back(trace_id):
    values = [True, False, 5, 0.25, "good", ["a", "b"], {"x": 1.5, "y": "z"}, None]
    for i, value in enumerate(values):
        error = None if value is not None else ValueError("judge fell asleep")
        mlflow.log_feedback(trace_id=trace_id, name=f"f{i}", value=value, error=error, rationale=f"r{i}",
                            metadata={"n": str(i)})
    assessments = mlflow.get_trace(trace_id).info.assessments
    assert [a.value for a in assessments] == values
    assert [a.rationale for a in assessments] == [f"r{i}" for i in range(len(values))]
    assert assessments[0].metadata == {"n": "0"} and assessments[0].valid
    assert assessments[-1].feedback.error.error_message == "judge fell asleep"
    assert assessments[0].source.source_type == "CODE"


@requires_3
def test_expectations_of_every_kind_come_back(trace_id):
    values = [True, 42, 0.5, "yes", ["a", 1, None], {"deep": {"er": [1, 2]}}, []]
    for i, value in enumerate(values):
        mlflow.log_expectation(trace_id=trace_id, name=f"e{i}", value=value)
    assert [a.value for a in mlflow.get_trace(trace_id).info.assessments] == values


@requires_3
def test_an_assessment_is_read_changed_and_deleted(trace_id):
    from mlflow.entities import AssessmentSource, Expectation, Feedback

    source = AssessmentSource(source_type="HUMAN", source_id="someone")
    made = mlflow.log_feedback(trace_id=trace_id, name="f", value=1, rationale="before", source=source,
                               metadata={"a": "1", "b": "2"})
    changed = mlflow.update_assessment(trace_id, made.assessment_id,
                                       Feedback(name="g", value=2, metadata={"b": "3", "c": "4"}))
    read = mlflow.get_assessment(trace_id, made.assessment_id)
    for a in (changed, read):
        assert (a.name, a.value, a.rationale) == ("g", 2, "before")
        assert a.metadata == {"a": "1", "b": "3", "c": "4"}
        assert (a.source.source_type, a.source.source_id) == ("HUMAN", "someone")
        assert a.create_time_ms == made.create_time_ms and a.last_update_time_ms >= made.last_update_time_ms
    with refused("INVALID_PARAMETER_VALUE", "Cannot update expectation value on a Feedback assessment."):
        mlflow.update_assessment(trace_id, made.assessment_id, Expectation(name="f", value=1))
    mlflow.delete_assessment(trace_id, made.assessment_id)
    mlflow.delete_assessment(trace_id, made.assessment_id)
    assert mlflow.get_trace(trace_id).info.assessments == []
    with refused("RESOURCE_DOES_NOT_EXIST", "not found for trace"):
        mlflow.get_assessment(trace_id, made.assessment_id)
    with refused("RESOURCE_DOES_NOT_EXIST", "not found"):
        mlflow.log_feedback(trace_id="tr-nothing", name="f", value=1)


@requires_3
def test_an_override_hides_the_other_until_it_is_deleted(trace_id):
    first = mlflow.log_feedback(trace_id=trace_id, name="f", value="bad")
    second = mlflow.override_feedback(trace_id=trace_id, assessment_id=first.assessment_id, value="good")
    assert second.overrides == first.assessment_id
    assert not mlflow.get_assessment(trace_id, first.assessment_id).valid
    mlflow.delete_assessment(trace_id, second.assessment_id)
    assert mlflow.get_assessment(trace_id, first.assessment_id).valid


@requires_3
def test_assessments_logged_inside_a_span_come_with_the_trace(experiment):
    with mlflow.start_span("judged") as span:
        mlflow.log_feedback(trace_id=span.trace_id, name="inner", value=0.75)
    [assessment] = mlflow.get_trace(last_trace_id()).info.assessments
    assert (assessment.name, assessment.value) == ("inner", 0.75)
    assert assessment.trace_id == span.trace_id


ASSESSMENT_FILTERS = [
    ("feedback.score > 0.5", "b"),
    ("feedback.score <= 0.5", "a"),
    ("feedback.verdict = 'good'", "b"),
    ("feedback.verdict != 'good'", "a"),
    ("feedback.right = 'true'", "b"),
    ("feedback.score = '0.25'", "a"),
    ("feedback.verdict LIKE '%ba%'", "a"),
    ("feedback.score IS NOT NULL", "ab"),
    ("feedback.nothing IS NULL", "abc"),
    ("feedback.score IS NULL", "c"),
    ("expectation.answer = '42'", "c"),
    ("expectation.answer > 41.5", "c"),
    ("feedback.answer > 0", ""),
]


@requires_3
def test_traces_are_found_by_their_assessments(client, experiment):
    ids = {name: make(client, experiment, name) for name in "abc"}
    mlflow.log_feedback(trace_id=ids["a"], name="score", value=0.25)
    mlflow.log_feedback(trace_id=ids["b"], name="score", value=1)
    mlflow.log_feedback(trace_id=ids["a"], name="verdict", value="bad")
    mlflow.log_feedback(trace_id=ids["b"], name="verdict", value="good")
    mlflow.log_feedback(trace_id=ids["a"], name="right", value=False)
    mlflow.log_feedback(trace_id=ids["b"], name="right", value=True)
    mlflow.log_expectation(trace_id=ids["c"], name="answer", value=42)
    for text, expected in ASSESSMENT_FILTERS:
        assert set(found(client, experiment, filter_string=text)) == {ids[i] for i in expected}, text


@requires_3
def test_metadata_and_previews_of_the_current_trace(client, experiment):
    @mlflow.trace
    def work(x):
        mlflow.update_current_trace(tags={"fruit": "apple"}, client_request_id="req-7", request_preview="asked",
                                    response_preview="answered",
                                    metadata={"mlflow.trace.session": "s1", "mlflow.trace.user": "u1"})
        return x

    work(1)
    info = mlflow.get_trace(last_trace_id()).info
    assert (info.client_request_id, info.request_preview, info.response_preview) == ("req-7", "asked", "answered")
    assert info.tags["fruit"] == "apple" and info.trace_metadata["mlflow.trace.session"] == "s1"
    for text in ("client_request_id = 'req-7'", "metadata.`mlflow.trace.session` = 's1'",
                 "request_metadata.`mlflow.trace.user` = 'u1'", "trace.client_request_id LIKE 'req%'"):
        assert found(client, experiment, filter_string=text) == [info.trace_id], text


@requires_3
def test_the_server_gives_out_the_spans_too(client, experiment):
    """What other clients ask the server for is what this one reads from the artifact."""
    attributes = {"flag": True, "none": None, "list": [1, 2.5, "x", [None, {}]], "deep": {"a": {"b": [True]}}, "n": -7,
                  "text": "{not json", "json": '{"a": 1}', "größe": "ü"}
    with pytest.raises(ValueError), mlflow.start_span("parent", attributes=attributes) as span:
        with mlflow.start_span("child") as child:
            child.add_event(mlflow.entities.SpanEvent("event", attributes={"q": "w", "i": 3, "d": 0.5}))
        raise ValueError("é")
    trace_id = last_trace_id()
    expected = client.get_trace(trace_id).data.to_dict()
    store = client._tracing_client.store
    assert store.get_trace(trace_id).data.to_dict() == expected
    [one] = store.batch_get_traces([trace_id, "tr-nothing"])
    assert one.data.to_dict() == expected
    assert span.trace_id == one.info.trace_id
    with refused("RESOURCE_DOES_NOT_EXIST", "is not found"):
        store.get_trace("tr-nothing")


@requires_3
def test_traces_are_linked_to_a_run(client, experiment, run):
    ids = [make(client, experiment, name) for name in ("linked", "alone")]
    client.link_traces_to_run(ids[:1], run.info.run_id)
    client.link_traces_to_run(ids[:1], run.info.run_id)
    assert found(client, experiment, filter_string=f"run_id = '{run.info.run_id}'") == ids[:1]
    with pytest.raises(Exception, match="100"):
        client.link_traces_to_run([f"tr-{i}" for i in range(101)], run.info.run_id)


@requires_3
def test_a_prompt_used_in_a_trace_is_linked_to_it(client, experiment, model_name):
    mlflow.genai.register_prompt(name=model_name, template="Say {{word}}")

    @mlflow.trace
    def ask():
        return mlflow.genai.load_prompt(f"prompts:/{model_name}/1").format(word="hello")

    assert ask() == "Say hello"
    trace = mlflow.get_trace(last_trace_id())
    assert model_name in trace.info.tags["mlflow.linkedPrompts"]
    deadline = time.monotonic() + 20
    while found(client, experiment, filter_string=f"prompt = '{model_name}/1'") != [trace.info.trace_id]:
        assert time.monotonic() < deadline, "the link did not come"
        time.sleep(0.05)

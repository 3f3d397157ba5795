"""Makes SQLite databases as MLflow's releases made them, table by table, without MLflow. Standard library only."""
import math
import os
import sqlite3

# What each era's tables had. A later era has what the earlier ones had.
ERAS = ("1.0", "1.20", "2.10", "3.0")
TIME = 1700000000000
LARGEST = 1.7976931348623157e308


def since(era, first):
    return ERAS.index(era) >= ERAS.index(first)


def tables(era):
    """The CREATE statements of an era."""
    times = ", creation_time BIGINT, last_update_time BIGINT" if since(era, "2.10") else ""
    deleted = ", deleted_time BIGINT" if since(era, "2.10") else ""
    step = ", step BIGINT DEFAULT '0' NOT NULL, is_nan BOOLEAN DEFAULT '0' NOT NULL" if since(era, "1.20") else ""
    space = ", workspace VARCHAR(63) DEFAULT 'default' NOT NULL" if since(era, "3.0") else ""
    yield "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"
    yield f"""CREATE TABLE experiments (experiment_id INTEGER NOT NULL PRIMARY KEY, name VARCHAR(256) NOT NULL UNIQUE,
        artifact_location VARCHAR(256), lifecycle_stage VARCHAR(32){times}{space})"""
    yield f"""CREATE TABLE runs (run_uuid VARCHAR(32) NOT NULL PRIMARY KEY, name VARCHAR(250), source_type VARCHAR(20),
        source_name VARCHAR(500), entry_point_name VARCHAR(50), user_id VARCHAR(256), status VARCHAR(9), start_time BIGINT,
        end_time BIGINT{deleted}, source_version VARCHAR(50), lifecycle_stage VARCHAR(20), artifact_uri VARCHAR(200),
        experiment_id INTEGER)"""
    for name, size in (("tags", 8000), ("params", 8000)):
        yield f"""CREATE TABLE {name} (key VARCHAR(250) NOT NULL, value VARCHAR({size}), run_uuid VARCHAR(32) NOT NULL,
            PRIMARY KEY (key, run_uuid))"""
    yield f"CREATE TABLE metrics (key VARCHAR(250) NOT NULL, value FLOAT, timestamp BIGINT, run_uuid VARCHAR(32){step})"
    if since(era, "1.20"):
        yield "CREATE TABLE experiment_tags (key VARCHAR(250), value VARCHAR(5000), experiment_id INTEGER)"
        yield f"""CREATE TABLE registered_models (name VARCHAR(256) NOT NULL, creation_time BIGINT, last_updated_time BIGINT,
            description VARCHAR(5000){space})"""
        location = ", storage_location VARCHAR(500)" if since(era, "2.10") else ""
        yield f"""CREATE TABLE model_versions (name VARCHAR(256) NOT NULL, version INTEGER NOT NULL, creation_time BIGINT,
            last_updated_time BIGINT, description VARCHAR(5000), user_id VARCHAR(256), current_stage VARCHAR(20),
            source VARCHAR(500), run_id VARCHAR(32), run_link VARCHAR(500), status VARCHAR(20),
            status_message VARCHAR(500){location}{space})"""
        yield f"CREATE TABLE registered_model_tags (key VARCHAR(250), value VARCHAR(5000), name VARCHAR(256){space})"
        yield f"CREATE TABLE model_version_tags (key VARCHAR(250), value TEXT, name VARCHAR(256), version INTEGER{space})"
    if since(era, "2.10"):
        yield "CREATE INDEX index_metrics_run_uuid ON metrics (run_uuid)"
        yield "CREATE INDEX index_params_run_uuid ON params (run_uuid)"
        yield "CREATE INDEX index_tags_run_uuid ON tags (run_uuid)"
        yield f"CREATE TABLE registered_model_aliases (name VARCHAR(256), alias VARCHAR(256), version INTEGER{space})"
        yield """CREATE TABLE datasets (dataset_uuid VARCHAR(36), experiment_id INTEGER, name VARCHAR(500), digest VARCHAR(36),
            dataset_source_type VARCHAR(36), dataset_source TEXT, dataset_schema TEXT, dataset_profile TEXT)"""
        input_step = ", step BIGINT DEFAULT '0' NOT NULL" if since(era, "3.0") else ""
        yield f"""CREATE TABLE inputs (input_uuid VARCHAR(36), source_type VARCHAR(36), source_id VARCHAR(36),
            destination_type VARCHAR(36), destination_id VARCHAR(36){input_step})"""
        yield "CREATE TABLE input_tags (input_uuid VARCHAR(36), name VARCHAR(255), value VARCHAR(500))"
    if since(era, "3.0"):
        yield """CREATE TABLE logged_models (model_id VARCHAR(36) PRIMARY KEY, experiment_id INTEGER, name VARCHAR(500),
            artifact_location VARCHAR(1000), creation_timestamp_ms BIGINT, last_updated_timestamp_ms BIGINT, status INTEGER,
            lifecycle_stage VARCHAR(32), model_type VARCHAR(500), source_run_id VARCHAR(32), status_message VARCHAR(1000))"""
        yield """CREATE TABLE logged_model_metrics (model_id VARCHAR(36), metric_name VARCHAR(500),
            metric_timestamp_ms BIGINT, metric_step BIGINT, metric_value FLOAT, experiment_id INTEGER, run_id VARCHAR(32),
            dataset_uuid VARCHAR(36), dataset_name VARCHAR(500), dataset_digest VARCHAR(36))"""
        yield """CREATE TABLE logged_model_params (model_id VARCHAR(36), experiment_id INTEGER, param_key VARCHAR(255),
            param_value TEXT)"""
        yield """CREATE TABLE logged_model_tags (model_id VARCHAR(36), experiment_id INTEGER, tag_key VARCHAR(255),
            tag_value TEXT)"""
        yield "CREATE TABLE trace_info (request_id VARCHAR(50) PRIMARY KEY, experiment_id INTEGER)"


class Database:
    """An MLflow database of an era, to be filled with rows; columns that the era has not are passed over."""

    def __init__(self, path, era="3.0"):
        self.path, self.era = path, era
        self.connection = sqlite3.connect(path)
        for statement in tables(era):
            self.connection.execute(statement)
        self.commit()

    def insert(self, table, **row):
        known = [r[1] for r in self.connection.execute(f"PRAGMA table_info({table})")]
        if not known:
            return
        row = {k: v for k, v in row.items() if k in known}
        marks = ",".join("?" * len(row))
        self.connection.execute(f"INSERT INTO {table} ({','.join(row)}) VALUES ({marks})", list(row.values()))

    def execute(self, *words):
        return self.connection.execute(*words)

    def commit(self):
        self.connection.commit()

    def close(self):
        self.commit()
        self.connection.close()

    def experiment(self, number, name, location="", deleted=False, tags=None):
        self.insert("experiments", experiment_id=number, name=name, artifact_location=location,
                    lifecycle_stage="deleted" if deleted else "active", creation_time=TIME + number,
                    last_update_time=TIME + number + 1)
        for key, value in (tags or {}).items():
            self.insert("experiment_tags", key=key, value=value, experiment_id=number)

    def run(self, run_id, experiment, uri="", name="", status="FINISHED", deleted=False, tags=None, params=None, points=()):
        """points: (key, value, timestamp, step)"""
        self.insert("runs", run_uuid=run_id, name=name, source_type="LOCAL", source_name="", entry_point_name="",
                    user_id="ann", status=status, start_time=TIME + 10, source_version="",
                    end_time=TIME + 20 if status in ("FINISHED", "FAILED", "KILLED") else None,
                    deleted_time=TIME + 30 if deleted else None, lifecycle_stage="deleted" if deleted else "active",
                    artifact_uri=uri, experiment_id=experiment)
        for table, pairs in (("tags", tags), ("params", params)):
            for key, value in (pairs or {}).items():
                self.insert(table, key=key, value=value, run_uuid=run_id)
        self.points(run_id, points)

    def points(self, run_id, points):
        has_flag = since(self.era, "1.20")
        for key, value, timestamp, step in points:
            is_nan = math.isnan(value)
            self.insert("metrics", key=key, timestamp=timestamp, step=step, run_uuid=run_id, is_nan=is_nan,
                        value=(0 if has_flag else None) if is_nan else value)

    def dataset(self, run_id, experiment, name, digest, tags):
        uuid = f"d-{name}-{digest}"
        self.insert("datasets", dataset_uuid=uuid, experiment_id=experiment, name=name, digest=digest,
                    dataset_source_type="local", dataset_source="f.csv", dataset_schema='{"a": 1}', dataset_profile=None)
        self.insert("inputs", input_uuid="i-" + uuid, source_type="DATASET", source_id=uuid, destination_type="RUN",
                    destination_id=run_id)
        for key, value in tags.items():
            self.insert("input_tags", input_uuid="i-" + uuid, name=key, value=value)

    def model(self, name, description="", tags=None, aliases=None):
        self.insert("registered_models", name=name, creation_time=TIME, last_updated_time=TIME + 1, description=description)
        for key, value in (tags or {}).items():
            self.insert("registered_model_tags", name=name, key=key, value=value)
        for alias, version in (aliases or {}).items():
            self.insert("registered_model_aliases", name=name, alias=alias, version=version)

    def version(self, name, number, source, run_id="", stage="None", tags=None):
        self.insert("model_versions", name=name, version=number, creation_time=TIME + number, last_updated_time=TIME + 100,
                    description=f"version {number}", user_id="ann", current_stage=stage, source=source, run_id=run_id,
                    status="READY", storage_location=source)
        for key, value in (tags or {}).items():
            self.insert("model_version_tags", name=name, version=number, key=key, value=value)

    def logged_model(self, model_id, experiment, uri, run_id):
        self.insert("logged_models", model_id=model_id, experiment_id=experiment, name="net", artifact_location=uri,
                    creation_timestamp_ms=TIME, last_updated_timestamp_ms=TIME + 5, status=2, lifecycle_stage="active",
                    model_type="sklearn", source_run_id=run_id)
        self.insert("logged_model_metrics", model_id=model_id, metric_name="acc", metric_timestamp_ms=TIME, metric_step=1,
                    metric_value=0.5, experiment_id=experiment, run_id=run_id)
        self.insert("logged_model_params", model_id=model_id, experiment_id=experiment, param_key="depth", param_value="3")
        self.insert("logged_model_tags", model_id=model_id, experiment_id=experiment, tag_key="k", tag_value="v")
        self.insert("inputs", input_uuid="o-" + model_id, source_type="RUN_OUTPUT", source_id=run_id,
                    destination_type="MODEL_OUTPUT", destination_id=model_id, step=4)


def write_file(path, content):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(content)

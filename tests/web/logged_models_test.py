"""Logged models of MLflow 3 clients: the list of an experiment, one of them, where a run mentions them; datasets."""
import seed
from page_site import PageTest
from webdriver import wait_until

HOSTILE_NAME = "<img src=x onerror=window[1]=1>"


def log_models(rest, now_ms):
    """An experiment with a run that logs two models, and a run that uses one. → experiment, run, user, model ids."""
    experiment = rest.post("experiments/create", name="logged")["experiment_id"]
    run = rest.create_run(experiment, "logger", now_ms - seed.HOUR_MS)
    user = rest.create_run(experiment, "evaluator", now_ms - seed.HOUR_MS // 2)
    ids = {}
    for name, rmse, kind in (("ridge", 7.5, "sklearn"), (HOSTILE_NAME, 8.5, "agent")):
        model = rest.post("logged-models", experiment_id=experiment, name=name, model_type=kind, source_run_id=run,
                          params=[{"key": "alpha", "value": "0.3"}], tags=[{"key": "team", "value": "routes"}])["model"]
        ids[rmse] = model["info"]["model_id"]
        rest.post("runs/log-metric", run_id=run, key="rmse", value=rmse, timestamp=now_ms, step=3, model_id=ids[rmse],
                  dataset_name="taxi-train", dataset_digest="4f06d445")
    rest.post("runs/outputs", run_id=run, models=[{"model_id": m, "step": 3} for m in ids.values()])
    rest.post("runs/log-inputs", run_id=user, models=[{"model_id": ids[7.5]}], datasets=[{
        "dataset": {"name": "taxi-train", "digest": "4f06d445", "source_type": "local", "source": "{}"}}])
    rest.put_file(f"{experiment}/models/{ids[7.5]}/artifacts/MLmodel", b"flavors: {}\n")
    rest.json("PATCH", f"/api/2.0/mlflow/logged-models/{ids[7.5]}", {"status": "LOGGED_MODEL_READY"})
    rest.post("registered-models/create", name="logged-ridge")
    rest.post("model-versions/create", name="logged-ridge", source=f"models:/{ids[7.5]}", model_id=ids[7.5], run_id=run)
    return experiment, run, user, ids


class LoggedModels(PageTest):
    logged = None

    def setUp(self):
        super().setUp()
        if LoggedModels.logged is None:
            LoggedModels.logged = log_models(self.site.rest(), self.site.now)
        self.experiment, self.run_id, self.user_run, self.ids = LoggedModels.logged

    def open_list(self, more=""):
        self.open(f"#/logged-models?exp={self.experiment}{more}")
        self.b.wait("tr[data-model]")

    def listed(self):
        return [e for e in self.b.run("return [...document.querySelectorAll('tr[data-model]')].map(r => r.dataset.model)")]

    def test_the_runs_of_an_experiment_lead_to_its_logged_models(self):
        self.open(f"#/runs?exp={self.experiment}")
        self.b.click_text("a.button", "Logged models")
        self.b.wait(f"tr[data-model='{self.ids[7.5]}']")
        row = self.b.text(f"tr[data-model='{self.ids[7.5]}']")
        for part in ("ridge", "sklearn", "Ready", "7.5"):
            self.assertIn(part, row)
        self.assertIn("2 logged models", self.b.text("main"))
        self.shot("logged-models")

    def test_they_are_ordered_by_a_metric(self):
        self.open_list()
        self.b.click_text(".th-sort", "rmse")
        wait_until(lambda: self.listed() == [self.ids[7.5], self.ids[8.5]], "smallest first")
        self.b.click_text(".th-sort", "rmse")
        wait_until(lambda: self.listed() == [self.ids[8.5], self.ids[7.5]], "greatest first")

    def test_they_are_filtered_and_a_mistake_is_shown(self):
        self.open_list("&filter=metrics.rmse%20%3C%208")
        wait_until(lambda: self.listed() == [self.ids[7.5]], "the good one")
        self.b.type(".filter-input", "metrics.rmse <\n")
        self.b.wait(".filter-error:not([hidden])")

    def test_one_shows_metrics_parameters_registrations_and_files(self):
        self.open(f"#/logged-model/{self.ids[7.5]}")
        self.b.wait("tr[data-metric='rmse']")
        page = self.b.text("main")
        for part in ("ridge", "Ready", "taxi-train", "4f06d445", "alpha", "0.3", "team: routes", "logged-ridge v1"):
            self.assertIn(part, page)
        self.b.wait_text(".run-facts", "logger")
        self.shot("logged-model")
        self.b.click_text(".tabs a", "Artifacts")
        self.b.wait_text(".tree", "MLmodel")
        self.b.click(".tree-item[data-path='MLmodel']")
        self.b.wait_text(".preview-body", "flavors: {}")

    def test_a_name_of_markup_stays_a_text(self):
        self.open(f"#/logged-model/{self.ids[8.5]}")
        self.b.wait_text("h1", "<img src=x")
        self.assertIsNone(self.b.run("return window[1] ?? null"))

    def test_one_that_is_not_there_says_so(self):
        self.open("#/logged-model/m-00000000000000000000000000000000")
        self.b.wait_text(".error-state", "not found")

    def test_tags_are_set_and_deleted_on_the_server(self):
        self.open(f"#/logged-model/{self.ids[8.5]}")
        self.b.wait("h1")
        self.b.click_text(".tag-list .button", "Tag")
        self.b.type("#field-key", "reviewed/by")
        self.b.type("#field-value", "ada")
        self.b.click_text("dialog .button", "Add")
        self.b.wait_text(".tag-list", "reviewed/by: ada")
        self.b.click("[aria-label='Delete the tag reviewed/by']")
        wait_until(lambda: "reviewed/by" not in self.b.text(".tag-list"), "the tag is gone")
        model = self.site.rest().json("GET", f"/api/2.0/mlflow/logged-models/{self.ids[8.5]}")["model"]
        self.assertEqual([{"key": "team", "value": "routes"}], model["info"]["tags"])

    def test_a_run_names_the_models_it_logged_and_used(self):
        self.open(f"#/run/{self.run_id}")
        self.b.wait_text(".side", "logged at step 3")
        self.b.wait_text(".side", "sklearn · Ready")
        self.open(f"#/run/{self.user_run}")
        self.b.wait_text(".side", "used")
        self.b.click_text(".side a", "ridge")
        self.b.wait("tr[data-metric='rmse']")

    def test_a_dataset_leads_to_the_runs_that_used_it(self):
        self.open(f"#/run/{self.user_run}")
        self.b.click_text(".side a", "taxi-train")
        wait_until(lambda: "evaluator" in self.b.text("main") and "1 run" in self.b.text(".count-line"), "the run of the dataset")

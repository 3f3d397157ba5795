"""Logged models of MLflow 3 clients: the list of an experiment, one of them, where a run mentions them; datasets."""
from page_site import PageTest
from webdriver import wait_until

class LoggedModels(PageTest):
    def setUp(self):
        super().setUp()
        self.experiment, self.run_id, self.user_run, self.ids = self.site.logged

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

"""The registry: list, register from a run, aliases, stages, tags, lineage."""
import io
import tarfile

from page_site import PageTest
from webdriver import wait_until


class Models(PageTest):
    def test_the_list_shows_latest_versions_and_aliases(self):
        self.open("#/models")
        self.b.wait("tr[data-name='taxi-duration']")
        row = self.b.text("tr[data-name='taxi-duration']")
        for part in ("v3", "@champion → v3", "Minutes of a green taxi trip."):
            self.assertIn(part, row)
        self.shot("models")

    def test_a_model_shows_versions_metrics_and_where_they_came_from(self):
        self.open("#/model/taxi-duration")
        self.b.wait("tr[data-version='3'].selected")
        self.assertIn("7.45194", self.b.text("tr[data-version='3']"))
        lineage = wait_until(lambda: "green-taxi-duration" in self.b.text(".lineage") and self.b.text(".lineage"), "the lineage")
        for part in ("ridge-alpha-0.3", "4f06d445", "green_tripdata_train", "model", "taxi-duration v3"):
            self.assertIn(part, lineage)
        self.b.wait_text("main", "3 files")
        self.assertIn("models get taxi-duration@champion --to DIR", self.b.text(".snippet"))
        self.shot("model")
        self.b.click_text(".versions a", "v1")
        self.b.wait_text(".lineage", "ridge-alpha-1")
        self.assertIn("version=1", self.b.url())

    def test_a_version_is_downloaded(self):
        self.open("#/model/taxi-duration?version=2")
        self.b.click("[aria-label='Download the model']")
        self.b.click_text("[role=menuitem]", "as tar.gz")
        with tarfile.open(fileobj=io.BytesIO(self.downloaded("model.tar.gz")), mode="r:gz") as tar:
            self.assertEqual(["README.md", "columns.json", "weights.bin"], sorted(m.name for m in tar if m.isfile()))

    def test_a_run_is_registered_named_staged_tagged_and_described(self):
        self.open(f"#/run/{self.site.runs[0.1]}?tab=artifacts&path=model")
        self.b.click_text(".preview-head .button", "Register")
        self.b.type("#field-name", "from-the-page")
        self.assertEqual("model", self.b.run("return document.querySelector('#field-path').value"))
        self.b.type("#field-alias", "candidate")
        self.b.click_text("dialog .button", "Register")
        self.b.wait("tr[data-version='1']")
        self.b.wait_text("tr[data-version='1']", "@candidate")

        self.b.click_text(".version-head .button", "Alias")
        self.b.type("#field-alias", "champion")
        self.b.click_text("dialog .button", "Set")
        self.b.wait_text("tr[data-version='1']", "@champion")
        self.b.click("[aria-label='Remove the alias candidate']")
        self.b.click_text("dialog .button", "Remove")
        wait_until(lambda: "@candidate" not in self.b.text("tr[data-version='1']"), "the alias is gone")

        self.b.run("""const s = document.querySelector('.version-head select'); s.value = 'Archived';
            s.dispatchEvent(new Event('change', {bubbles: true}))""")
        self.b.wait_text("tr[data-version='1']", "Archived")
        self.b.click("[aria-label='Edit the description of the version']")
        self.b.type("textarea", "Second best.")
        self.b.click_text(".version-head .button", "Save")
        self.b.wait_text(".version-head", "Second best.")
        self.b.click_text(".version-head .button", "Add a tag")
        self.b.type("#field-key", "approved")
        self.b.type("#field-value", "no")
        self.b.click_text("dialog .button", "Add")
        self.b.wait_text(".version-head", "approved: no")

        rest = self.site.rest()
        version = rest.json("GET", "/api/2.0/mlflow/model-versions/get?name=from-the-page&version=1")["model_version"]
        self.assertEqual((self.site.runs[0.1], "Archived", "Second best.", ["champion"]),
                         (version["run_id"], version["current_stage"], version["description"], version["aliases"]))
        self.assertTrue(version["source"].endswith(f"{self.site.runs[0.1]}/artifacts/model"))

    def test_a_model_is_made_and_deleted(self):
        self.open("#/models")
        self.b.click_text(".button", "New model")
        self.b.type("#field-name", "short-lived")
        self.b.click_text("dialog .button", "Create")
        self.b.wait_text(".empty", "No versions yet")
        self.b.click("[aria-label='Actions for this model']")
        self.b.click_text("[role=menuitem]", "Delete the model")
        self.b.click_text("dialog .button", "Delete")
        self.b.wait_text("h1", "Models")
        wait_until(lambda: not self.b.exists("tr[data-name='short-lived']"), "the model is gone")

    def test_an_error_of_the_server_is_shown_in_the_dialog(self):
        self.open("#/models")
        self.b.click_text(".button", "New model")
        self.b.type("#field-name", "taxi-duration")
        self.b.click_text("dialog .button", "Create")
        self.b.wait_text("dialog .field-error", "already exists")

    def test_a_search_by_name(self):
        self.open("#/models?q=nothing-like-that")
        self.b.wait_text(".empty", "No model has such a name")

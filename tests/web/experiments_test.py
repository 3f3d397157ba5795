"""The list of experiments."""
from page_site import PageTest
from webdriver import wait_until


class Experiments(PageTest):
    def names(self):
        return self.b.texts("tbody a.strong")

    def test_the_list_shows_names_notes_and_the_last_run(self):
        self.open("")
        self.b.wait_text("tbody", "green-taxi-duration")
        row = f"tr[data-id='{self.site.taxi}']"
        self.b.wait_text(row, "Failed")
        self.assertIn("Ridge regression of the duration", self.b.text(row))
        self.assertIn("Default", self.names())
        self.shot("experiments")
        self.b.click_text("tbody a.strong", "green-taxi-duration")
        self.b.wait_text("h1", "green-taxi-duration")

    def test_an_experiment_shows_its_last_run_also_where_others_are_busier(self):
        rest = self.site.rest()
        busy = rest.post("experiments/create", name="busy")["experiment_id"]
        self.addCleanup(rest.post, "experiments/delete", experiment_id=busy)
        for i in range(101):
            rest.create_run(busy, f"now-{i}", self.site.now + i)
        self.open("#/experiments")
        self.b.wait_text(f"tr[data-id='{busy}']", "100+ running")
        self.b.wait_text(f"tr[data-id='{self.site.many}']", "Finished")
        self.b.wait_text(f"tr[data-id='{self.site.taxi}']", "Failed")

    def test_a_search_by_name_is_in_the_address(self):
        self.open("#/experiments")
        self.b.wait("tbody")
        self.b.type("input[type=search]", "TAXI")
        wait_until(lambda: self.names() == ["green-taxi-duration"], "the match alone")
        self.assertIn("q=TAXI", self.b.url())

    def test_an_order_by_name(self):
        self.open("#/experiments?order=name")
        wait_until(lambda: len(self.names()) >= 4, "the list")
        names = self.names()
        self.assertEqual(sorted(names), names)

    def test_an_experiment_is_made_renamed_deleted_and_restored(self):
        self.open("")
        self.b.click_text(".button", "New experiment")
        self.b.type("#field-name", "page-made")
        self.b.click_text("dialog .button", "Create")
        self.b.wait_text(".empty", "No runs yet")
        self.open("#/experiments?q=page-")
        self.b.click("[aria-label='Actions for page-made']")
        self.b.click_text("[role=menuitem]", "Rename")
        self.b.clear("#field-name")
        self.b.type("#field-name", "page-renamed")
        self.b.click_text("dialog .button", "Rename")
        wait_until(lambda: self.names() == ["page-renamed"], "the new name")
        self.b.click("[aria-label='Actions for page-renamed']")
        self.b.click_text("[role=menuitem]", "Delete")
        self.b.click_text("dialog .button", "Delete")
        self.b.wait_text(".empty", "No experiment has such a name")
        self.b.click_text(".segmented button", "Deleted")
        wait_until(lambda: self.names() == ["page-renamed"], "the deleted one")
        self.b.click("[aria-label='Actions for page-renamed']")
        self.b.click_text("[role=menuitem]", "Restore")
        self.b.wait_text(".empty", "No experiment has such a name")
        self.b.click_text(".segmented button", "Active")
        wait_until(lambda: self.names() == ["page-renamed"], "the restored one")

    def test_two_experiments_are_opened_together(self):
        self.open("#/experiments?order=name")
        self.b.click("[aria-label='Pick green-taxi-duration']")
        self.b.click("[aria-label='Pick sweep-of-many']")
        self.b.click_text(".button", "Open together")
        self.b.wait_text("h1", "green-taxi-duration + sweep-of-many")

    def test_keys_walk_through_the_rows(self):
        self.open("#/experiments?q=taxi")
        self.b.wait("tbody tr")
        self.b.press("j", "Enter")
        self.b.wait_text("h1", "green-taxi-duration")

"""What the registry remembers: the timeline of a model, and the model as it was at a moment."""
import datetime
import itertools

import seed
from page_site import PageTest
from webdriver import wait_until

numbers = itertools.count(1)


def moment(time_ms):
    return datetime.datetime.fromtimestamp(time_ms / 1000, datetime.timezone.utc).isoformat().replace("+00:00", "Z")


class HistoryTest(PageTest):
    def make_model(self, losses=(0.5, 0.4, 0.3)):
        """A model of its own for a test. → name"""
        name = f"remembered-{next(numbers)}"
        seed.versions(self.site.rest(), self.site.now, name, losses)
        return name

    def set_alias(self, name, version, user, reason=None, alias="champion"):
        self.site.rest().json("POST", "/api/2.0/mlflow/registered-models/alias",
                              {"name": name, "alias": alias, "version": version, "reason": reason}, user)

    def events(self, name):
        """Newest first."""
        return self.site.rest().own("GET", f"models/{name}/history?order=desc")["events"]

    def entries(self):
        return [t.split("\n")[0] for t in self.b.texts(".timeline li .event-text")]

    def aliases(self):
        """Version → aliases, as the table of versions shows them."""
        return self.b.run("""return Object.fromEntries([...document.querySelectorAll('.versions tbody tr')].map((r) =>
            [r.dataset.version, r.children[1].innerText.trim()]))""")


class Timeline(HistoryTest):
    def test_it_tells_who_did_what_and_why(self):
        name = self.make_model()
        self.set_alias(name, "1", "ana", "first that works")
        self.set_alias(name, "2", "ben", "less loss")
        rest = self.site.rest()
        rest.post("model-versions/transition-stage", name=name, version="2", stage="Production")
        rest.post("model-versions/set-tag", name=name, version="3", key="reviewed", value="yes")
        self.open(f"#/model/{name}")
        self.b.click_text(".tabs a", "History")
        self.b.wait(".timeline")
        self.assertEqual(["Someone set the tag reviewed of v3 to yes", "Someone moved v2 from None to Production",
                          "ben moved @champion from v1 to v2", "ana set @champion to v1",
                          "Someone made v3", "Someone made v2", "Someone made v1", "Someone made the model"],
                         [t.replace("“", "").replace("”", "").replace('"', "") for t in self.entries()])
        self.assertIn("less loss", self.b.text(".timeline li[data-kind='alias.set']"))
        self.shot("history")

    def test_it_is_filtered_by_kind_and_alias_in_the_address(self):
        name = self.make_model((0.5,))
        self.set_alias(name, "1", "ana")
        self.set_alias(name, "1", "ana", alias="beta")
        self.open(f"#/model/{name}?tab=history&kind=alias")
        wait_until(lambda: self.entries() == ["ana set @beta to v1", "ana set @champion to v1"], "changes of aliases")
        self.b.run("""const s = document.querySelector("[aria-label='All aliases']"); s.value = 'beta';
            s.dispatchEvent(new Event('change', {bubbles: true}))""")
        wait_until(lambda: self.entries() == ["ana set @beta to v1"], "changes of one alias")
        self.assertIn("alias=beta", self.b.url())

    def test_files_that_were_replaced_are_told_of(self):
        name = self.make_model((0.5,))
        version = self.site.rest().json("GET", f"/api/2.0/mlflow/model-versions/get?name={name}&version=1")["model_version"]
        path = version["source"].removeprefix("mlflow-artifacts:/") + "/tree.txt"
        self.site.rest().put_file(path, b"other leaves")
        self.open(f"#/model/{name}?tab=history&kind=guard")
        wait_until(lambda: self.entries() == ["Someone replaced files that v1 needs"], "what was replaced")
        self.assertIn(path, self.b.text(".timeline li[data-kind='guard.replaced'] .event-change"))
        self.b.run("location.hash = arguments[0]", f"#/model/{name}?tab=history&kind=version")
        wait_until(lambda: self.entries() == ["Someone made v1"], "changes of versions only")

    def test_what_happens_appears_by_itself(self):
        name = self.make_model((0.5,))
        self.open(f"#/model/{name}?tab=history")
        self.b.wait(".timeline")
        self.set_alias(name, "1", "ana", "it is the only one")
        self.b.wait_text(".timeline li", "ana set @champion to v1")

    def test_the_chain_of_digests_is_verified(self):
        name = self.make_model((0.5,))
        self.open(f"#/model/{name}?tab=history")
        self.b.click_text(".history-filters .button", "Verify")
        self.b.wait_text("#toasts", "none was altered, none is missing")

    def test_a_deleted_version_is_restored(self):
        name = self.make_model((0.5, 0.4))
        self.site.rest().json("DELETE", "/api/2.0/mlflow/model-versions/delete", {"name": name, "version": "1"}, "ana")
        self.open(f"#/model/{name}?tab=history")
        self.b.wait_text(".timeline li", "ana deleted v1")
        self.b.click_text(".timeline .button", "Restore")
        self.b.click_text("dialog .button", "Restore")
        self.b.wait_text(".timeline li", "restored v1")
        self.b.click_text(".tabs a", "Versions2")
        self.b.wait("tr[data-version='1']")

    def test_a_deleted_model_still_shows_what_happened_and_comes_back(self):
        name = self.make_model((0.5,))
        self.site.rest().json("DELETE", "/api/2.0/mlflow/registered-models/delete", {"name": name}, "ana")
        self.open(f"#/model/{name}")
        self.b.wait_text(".page-head", "Deleted")
        self.b.wait_text(".timeline li", "ana deleted the model")
        self.b.click_text(".timeline .button", "Restore")
        self.b.click_text("dialog .button", "Restore")
        self.b.wait("tr[data-version='1']")


class TimeTravel(HistoryTest):
    def setUp(self):
        super().setUp()
        self.name = self.make_model()
        self.set_alias(self.name, "1", "ana", "first that works")
        self.set_alias(self.name, "2", "ben", "less loss")
        self.moves = [e for e in self.events(self.name) if e["kind"] == "alias.set"][::-1]

    def test_each_entry_leads_to_the_model_as_it_was_then(self):
        self.open(f"#/model/{self.name}?tab=history")
        self.b.click(f".timeline li[data-seq='{self.moves[0]['seq']}'] .event-more a")
        self.b.wait_text(".past-banner", "as it was on")
        wait_until(lambda: self.aliases() == {"3": "", "2": "", "1": "@champion"}, "the alias at version 1")
        self.assertIn("ana set @champion to v1", self.b.text(".past-banner"))
        self.shot("time-travel")
        self.b.click("[aria-label='The change after']")
        wait_until(lambda: self.aliases()["2"] == "@champion", "the alias at version 2")
        self.assertIn("ben moved @champion from v1 to v2", self.b.text(".past-banner"))
        self.assertTrue(self.b.run("return document.querySelector(\"[aria-label='The change after']\").disabled"))
        self.b.back()
        wait_until(lambda: self.aliases()["1"] == "@champion", "back in the browser is back in time")
        self.b.click_text(".past-banner .button", "Back to now")
        self.b.gone(".past-banner")
        wait_until(lambda: self.aliases() == {"3": "", "2": "@champion", "1": ""}, "now")

    def test_nothing_can_be_changed_in_the_past(self):
        self.open(f"#/model/{self.name}?seq={self.moves[0]['seq']}")
        self.b.wait(".past-banner")
        self.b.wait(".versions")
        self.assertEqual(0, self.b.count("main .editable, main .version-head select, main .version-head .button, main textarea"))

    def test_a_moment_of_the_clock_is_in_the_address_and_can_be_chosen(self):
        self.open(f"#/model/{self.name}?at={moment(self.moves[1]['time_ms'] + 1000)}")
        wait_until(lambda: self.aliases()["2"] == "@champion", "the model then")
        self.b.run("""const i = document.querySelector('.past-banner input'); i.value = '2020-02-29T12:00:00';
            i.dispatchEvent(new Event('change', {bubbles: true}))""")
        self.b.wait_text(".empty", "There was no")
        self.assertIn("at=2020-02-29T", self.b.url())
        self.b.click("[aria-label='The change after']")
        self.b.wait_text(".past-banner", "made the model")

    def test_a_version_that_was_deleted_since_is_there_in_the_past(self):
        self.site.rest().json("DELETE", "/api/2.0/mlflow/model-versions/delete", {"name": self.name, "version": "3"})
        self.open(f"#/model/{self.name}")
        self.b.wait("tr[data-version='2']")
        self.assertFalse(self.b.exists("tr[data-version='3']"))
        self.open(f"#/model/{self.name}?seq={self.moves[1]['seq']}")
        self.b.wait("tr[data-version='3']")

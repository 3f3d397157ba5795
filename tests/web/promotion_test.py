"""Moving aliases with care: lost races, promotion with requirements, rolling back, rules, differences, lineage."""
from history_test import HistoryTest
from webdriver import wait_until


class Moves(HistoryTest):
    def setUp(self):
        super().setUp()
        self.name = self.make_model()
        self.b.open(self.site.url)
        self.b.run("localStorage.setItem('trackerd.user', 'carol')")
        self.addCleanup(self.b.run, "localStorage.clear()")

    def rules(self, **rules):
        self.site.rest().own("PUT", f"models/{self.name}/rules", rules)

    def holder(self, alias="champion"):
        state = self.site.rest().own("GET", f"models/{self.name}/at?time_ms=9007199254740991")
        return {a["alias"]: a["version"] for a in state["aliases"]}.get(alias)

    def version_page(self, version):
        self.open(f"#/model/{self.name}?version={version}")
        self.b.wait(f"tr[data-version='{version}'].selected")

    def test_of_two_that_move_one_alias_the_second_is_told_who_was_faster(self):
        self.set_alias(self.name, "1", "ana")
        self.version_page(3)
        self.b.click_text(".version-head .button", "Add an alias")
        self.b.type("#field-alias", "champion")
        self.set_alias(self.name, "2", "ben")
        self.b.click_text("dialog .button", "Set")
        self.b.wait_text("dialog .field-error", "ben")
        self.assertEqual("2", self.holder())
        self.shot("alias-conflict")
        self.b.click_text("dialog .button", "Set")
        self.b.gone("dialog")
        wait_until(lambda: self.aliases()["3"] == "@champion", "the alias moved at the second try")
        self.assertEqual(("carol", "web page"), tuple(self.events(self.name)[0][k] for k in ("actor", "cause")))

    def test_a_promotion_that_is_not_good_enough_is_refused_with_figures_and_can_be_forced(self):
        self.set_alias(self.name, "3", "ana")
        self.rules(requirements=["loss <= champion", "size < 1M"], protected_aliases=["champion"])
        self.version_page(1)
        self.b.click_text(".version-head .button", "Promote to @champion")
        self.b.wait("dialog .checks .not-ok")
        checks = self.b.text("dialog .checks")
        for part in ("loss <= champion", "0.5", "0.3", "size < 1"):
            self.assertIn(part, checks)
        self.assertEqual(1, self.b.count("dialog .checks .ok"))
        self.b.type("#field-reason", "v3 hurts the customers")
        self.assertTrue(self.b.run("return document.querySelector('dialog .primary').disabled"))
        self.shot("promote-refused")
        self.b.click("#field-force")
        self.b.click_text("dialog .button", "Promote by force")
        self.b.gone("dialog")
        wait_until(lambda: self.aliases()["1"] == "@champion", "it is promoted")
        self.b.click_text(".tabs a", "History")
        self.b.wait_text(".timeline li", "carol promoted v1 to @champion, which was v3 forced")
        self.assertIn("v3 hurts the customers", self.b.text(".timeline li"))

    def test_a_good_one_needs_a_reason_only(self):
        self.set_alias(self.name, "2", "ana")
        self.rules(requirements=["loss < champion"], protected_aliases=["champion"])
        self.version_page(3)
        self.b.click_text(".version-head .button", "Promote to @champion")
        self.b.wait("dialog .checks .ok")
        self.assertTrue(self.b.run("return document.querySelector('dialog .primary').disabled"))
        self.b.type("#field-reason", "less loss")
        self.b.click_text("dialog .button", "Promote")
        self.b.gone("dialog")
        self.assertEqual("3", self.holder())

    def test_a_protected_alias_that_is_typed_leads_to_the_promotion(self):
        self.rules(protected_aliases=["champion"])
        self.version_page(3)
        self.b.click_text(".version-head .button", "Add an alias")
        self.b.type("#field-alias", "champion")
        self.b.type("#field-reason", "the best so far")
        self.b.click_text("dialog .button", "Set")
        self.b.wait_text("dialog h2", "Promote v3 to @champion")
        self.assertEqual("the best so far", self.b.run("return document.querySelector('#field-reason').value"))
        self.b.click_text("dialog .button", "Promote")
        wait_until(lambda: self.holder() == "3", "it is promoted")

    def test_rolling_back_says_to_which_version_and_when_that_was_there(self):
        for version in ("1", "2", "3"):
            self.set_alias(self.name, version, "ana", f"reason {version}")
        self.version_page(3)
        self.b.click("[aria-label='Actions for @champion']")
        self.b.click_text("[role=menuitem]", "Roll back…")
        self.b.wait_text("dialog .choice", "v2 had it from")
        self.assertIn("reason 2", self.b.text("dialog .choice"))
        self.shot("rollback")
        self.b.click_text("dialog .button", "Roll back to v2")
        self.b.gone("dialog")
        wait_until(lambda: self.aliases()["2"] == "@champion", "the version before")
        self.b.click("[aria-label='Actions for @champion']")
        self.b.click_text("[role=menuitem]", "Roll back…")
        self.b.click_text("dialog .button", "Roll back to v1")
        wait_until(lambda: self.holder() == "1", "further back")
        self.assertEqual("alias.rolled_back", self.events(self.name)[0]["kind"])

    def test_rules_are_set_and_bad_ones_are_explained(self):
        self.open(f"#/model/{self.name}?tab=rules")
        self.b.click_text("main .button", "Add a requirement")
        self.b.type("#field-requirement", "loss <=")
        self.b.click_text("dialog .button", "Add")
        wait_until(lambda: len(self.b.text("dialog .field-error")) > 10, "what is wrong with it")
        self.b.type("#field-requirement", " champion + 5%")
        self.b.click_text("dialog .button", "Add")
        self.b.wait_text(".rules", "loss <= champion + 5%")
        self.b.click_text("main .button", "Protect an alias")
        self.b.type("#field-alias", "champion")
        self.b.click_text("dialog .button", "Protect")
        self.b.wait("[aria-label='Unprotect champion']")
        rules = self.site.rest().own("GET", f"models/{self.name}/rules")
        self.assertEqual((["loss <= champion + 5%"], ["champion"]), (rules["requirements"], rules["protected_aliases"]))
        self.b.click("[aria-label='Remove the requirement loss <= champion + 5%']")
        self.b.click_text("dialog .button", "Remove")
        self.b.gone(".rules")


class Needed(HistoryTest):
    def test_a_run_that_a_version_needs_is_deleted_by_force_only(self):
        name = self.make_model((0.5,))
        rest = self.site.rest()
        run = rest.json("GET", f"/api/2.0/mlflow/model-versions/get?name={name}&version=1")["model_version"]["run_id"]
        self.open(f"#/run/{run}")
        self.b.click("[aria-label='Actions for this run']")
        self.b.click_text("[role=menuitem]", "Delete")
        self.b.click_text("dialog .button", "Delete")
        self.b.wait_text("dialog", f"version 1 of model '{name}'")
        self.b.click_text("dialog .button", "Delete by force")
        self.b.wait_text(".page-head", "Deleted")
        self.assertEqual("guard.forced", self.events(name)[0]["kind"])


class Differences(HistoryTest):
    def test_two_versions_are_compared(self):
        name = self.make_model()
        self.set_alias(name, "1", "ana")
        self.open(f"#/model/{name}?tab=compare")
        self.b.wait(".diff")
        self.assertIn("0.5", self.b.text("tr[data-key='loss']"))
        self.assertIn("−40 %", self.b.text("tr[data-key='loss']"))
        self.assertEqual(["depth", "3", "5"], self.b.texts("tr[data-key='depth'] td")[:3])
        self.assertIn("changed", self.b.text("tr[data-key='tree.txt']"))
        self.assertFalse(self.b.exists("tr[data-key='kind']"), "what is the same is not shown")
        self.shot("model-compare")
        self.b.run("""const s = document.querySelector("[aria-label='Compare to']"); s.value = '2';
            s.dispatchEvent(new Event('change', {bubbles: true}))""")
        wait_until(lambda: self.b.texts("tr[data-key='depth'] td")[:3] == ["depth", "3", "4"], "the other version")
        self.assertIn("to=2", self.b.url())

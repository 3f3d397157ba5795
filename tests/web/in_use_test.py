"""What somebody is doing goes on while the page changes by itself: focus, selected text, what is unfolded or open."""
from deployments_test import DeploymentsTest
from live_test import wait_live
from webdriver import wait_until

FOCUSED = "const e = document.activeElement; return e.ariaLabel ?? e.innerText"
SELECTED = "return getSelection().toString()"


class InUse(DeploymentsTest):
    def select(self, selector):
        """→ the text of an element, now selected."""
        text = self.b.run("""const e = document.querySelector(arguments[0]); getSelection().selectAllChildren(e);
            return getSelection().toString()""", selector)
        self.assertTrue(text)
        return text

    def test_the_focus_stays_in_a_row_whose_target_changes(self):
        id = self.deploy("web-2")
        self.open(f"#/deployments?q={self.name}")
        self.b.wait(self.row(id))
        wait_live(self.b)
        self.b.run("document.querySelector(arguments[0]).focus()", f"{self.row(id)} a")
        self.deploy("web-1")
        self.deploy("web-2", id=id, state="failed", reason="the hook exited with 3")
        self.b.wait(f"{self.row(id)}[data-state=failed]")
        wait_until(lambda: self.b.count(".deployments tbody tr") == 2, "the other one")
        self.assertEqual("web-2", self.b.run(FOCUSED))

    def test_of_a_target_that_is_forgotten_the_focus_goes_to_its_neighbour(self):
        self.deploy("web-1")
        id = self.deploy("web-2")
        self.open(f"#/deployments?q={self.name}")
        self.b.wait(self.row(id))
        wait_live(self.b)
        self.b.run("document.querySelector(arguments[0]).focus()", f"{self.row(id)} a")
        self.forget(id)
        self.b.gone(self.row(id))
        self.assertEqual("web-1", self.b.run(FOCUSED))

    def test_selected_text_stays_selected(self):
        self.site.rest().json("PATCH", "/api/2.0/mlflow/registered-models/update", {"name": self.name, "description": "What to copy."})
        self.open(f"#/model/{self.name}")
        wait_live(self.b)
        for selector in (".description .editable-text", "tr[data-version='2'] a", ".aliases tr[data-alias=champion] td", ".lineage li:last-child"):
            with self.subTest(selector):
                self.b.wait(selector)
                text = self.select(selector)
                alias = f"beside-{len(selector)}"
                self.set_alias(self.name, "2", "ana", alias=alias)
                self.b.wait(f".aliases tr[data-alias={alias}]")
                self.assertEqual(text, self.b.run(SELECTED))

    def test_what_is_unfolded_in_the_history_stays_unfolded(self):
        self.site.rest().own("PUT", f"models/{self.name}/rules", {"requirements": ["loss < 1"], "protected_aliases": ["best"]})
        self.site.rest().own("POST", f"models/{self.name}/promote", {"version": "2", "alias": "best", "reason": "it is"})
        self.open(f"#/model/{self.name}?tab=history")
        self.b.click(".timeline summary")
        wait_live(self.b)
        self.set_alias(self.name, "1", "ana", "by the way", alias="other")
        self.b.wait_text(".timeline li", "by the way")
        self.assertTrue(self.b.exists(".timeline li[data-kind='alias.promoted'] details[open]"))

    def test_a_dialog_stays_open_with_what_was_typed_and_the_page_catches_up_after_it(self):
        self.open(f"#/model/{self.name}?version=1")
        self.b.wait("tr[data-version='1'].selected")
        wait_live(self.b)
        self.b.click_text(".version-head .button", "Alias")
        self.b.type("#field-alias", "half-typed")
        self.js(f"""const {{ follow }} = await import('/js/live.js');
            const changed = () => {{ window.isTold = true; }};
            follow({{ topics: ['model:{self.name}'], changed, everyMs: 1e6 }}, new AbortController().signal);""")
        self.set_alias(self.name, "2", "ben")
        wait_until(lambda: self.b.run("return window.isTold"), "the page to be told")
        self.assertEqual("half-typed", self.b.run("return document.activeElement.value"))
        self.b.press("Escape")
        self.b.gone("dialog")
        wait_until(lambda: self.aliases()["2"] == "@champion", "what came meanwhile")

    def test_lists_of_a_select_stay_open(self):
        """A select that is replaced closes; so it is the same element afterwards."""
        self.open(f"#/model/{self.name}?tab=compare&from=1&to=2")
        self.b.wait(".diff")
        wait_live(self.b)
        self.b.run("window.before = document.querySelector('.diff-bar select'); window.before.focus()")
        self.site.rest().post("registered-models/set-tag", name=self.name, key="team", value="routes")
        self.b.wait_text(".tag-list", "team: routes")
        self.assertTrue(self.b.run("return window.before === document.activeElement"))

    def test_menus_are_used_by_keys_alone(self):
        self.open(f"#/model/{self.name}")
        self.b.wait("[aria-label='Actions for @champion']")
        wait_live(self.b)
        self.b.run("""document.querySelector("[aria-label='Actions for @champion']").focus()""")
        self.b.press("Enter")
        wait_until(lambda: self.b.run(FOCUSED) == "Roll back…", "the first item")
        self.set_alias(self.name, "2", "ben")
        self.b.press("Down", "Down")
        self.assertEqual("Remove", self.b.run(FOCUSED))
        self.b.press("Escape")
        wait_until(lambda: self.aliases()["2"] == "@champion", "what came meanwhile")
        self.assertEqual("Actions for @champion", self.b.run(FOCUSED))

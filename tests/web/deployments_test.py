"""What runs where: the list, filters, differences from the alias, targets that turn stale, one target's history."""
from history_test import HistoryTest, numbers
from live_test import wait_live
from webdriver import wait_until

HEARTBEAT_MS = 1000  # the shortest there is: three missed ones make a target stale


class DeploymentsTest(HistoryTest):
    def setUp(self):
        super().setUp()
        self.name = self.make_model((0.5, 0.4))
        self.set_alias(self.name, "1", "ana")

    def deploy(self, target, environment="prod", version="1", state="active", heartbeat_ms=0, id=None, **more):
        """A new one, or what one of this id reports. → id"""
        if not id:
            id = f"{1000 + next(numbers):032x}"  # beside those of the seed
            self.addCleanup(self.forget, id)
        self.site.rest().own("PUT", f"deployments/{id}", {
            "model": self.name, "version": version, "alias": "champion", "environment": environment, "target": target,
            "host": f"{target}.example", "path": f"/srv/{target}", "state": state, "heartbeat_ms": heartbeat_ms, **more})
        return id

    def forget(self, id):
        self.site.rest().send("DELETE", f"/api/trackerd/v1/deployments/{id}")

    def row(self, id):
        return f"tr[data-deployment='{id}']"


class Deployments(DeploymentsTest):
    def test_they_are_listed_by_environment_with_what_differs(self):
        same = self.deploy("web-1")
        other = self.deploy("web-2", version="2", reason="deployed by hand")
        failed = self.deploy("lab-1", environment="staging", state="failed", reason="health check exited with 1")
        self.open(f"#/deployments?q={self.name}")
        self.b.wait(self.row(other))
        self.assertEqual(["prod2", "staging1"], [t.replace("\n", "") for t in self.b.texts(".environment h2")])
        self.assertIn("@champion says v1", self.b.text(self.row(other)))
        self.assertNotIn("says", self.b.text(self.row(same)))
        self.assertIn("health check exited with 1", self.b.text(self.row(failed)))
        self.assertEqual(["Active", "Active", "Failed"], self.b.texts(".deployments .pill"))
        self.shot("deployments")
        self.set_alias(self.name, "2", "ben")
        self.b.wait_text(self.row(same), "@champion says v2")
        wait_until(lambda: "says" not in self.b.text(self.row(other)), "what the alias says runs there now")

    def test_a_target_with_nothing_in_place_says_so(self):
        id = self.deploy("web-1", version="", state="failed", reason="no answer from the server")
        self.open(f"#/deployments?q={self.name}")
        self.b.wait_text(self.row(id), "nothing")
        self.assertNotIn("deleted", self.b.text(self.row(id)))

    def test_filters_are_in_the_address(self):
        self.deploy("web-1")
        failed = self.deploy("web-2", state="failed")
        self.open(f"#/deployments?q={self.name}")
        self.b.wait(self.row(failed))
        self.b.click("[data-chip=failed]")
        wait_until(lambda: self.b.count(".deployments tbody tr") == 1, "those that failed")
        self.assertIn("state=failed", self.b.url())
        self.open(f"#/deployments?q={self.name}&env=nowhere")
        self.b.wait_text(".empty", "No deployment is like that")

    def test_a_target_that_is_silent_turns_stale_and_comes_back(self):
        id = self.deploy("web-1", heartbeat_ms=HEARTBEAT_MS)
        rest = self.site.rest()

        def is_shown_as_active():
            rest.own("POST", f"deployments/{id}/heartbeat", {})
            return self.b.exists(f"{self.row(id)}[data-state=active]")

        self.open(f"#/deployments?q={self.name}")
        wait_until(is_shown_as_active, "the target while it sends heartbeats")
        self.b.wait(f"{self.row(id)}[data-state=stale]")
        self.shot("deployment-stale")
        wait_until(is_shown_as_active, "the target that came back")

    def test_a_model_shows_where_it_runs(self):
        id = self.deploy("web-1", version="2")
        self.open(f"#/model/{self.name}")
        self.b.wait(".tabs .count.warning")
        self.b.click_text(".tabs a", "Where it runs1")
        self.b.wait_text(self.row(id), "@champion says v1")
        self.shot("model-deployments")
        later = self.deploy("web-2")
        self.b.wait(self.row(later))

    def test_one_target_shows_what_happened_there_and_is_forgotten(self):
        id = self.deploy("web-1", state="deploying")
        self.site.rest().own("PUT", f"deployments/{id}", {
            "model": self.name, "version": "2", "alias": "champion", "environment": "prod", "target": "web-1",
            "host": "web-1.example", "path": "/srv/web-1", "state": "rolled_back", "reason": "the hook exited with 3",
            "heartbeat_ms": 0}, user="ana")
        self.open("#/deployments")
        self.b.click(f"{self.row(id)} a")
        self.b.wait_text("h1", "web-1")
        self.assertEqual(["Rolled back", "Deploying"], self.b.texts(".panel .pill"))
        page = self.b.text("main")
        for part in ("the hook exited with 3", "ana", "/srv/web-1", "web-1.example", "sends no heartbeats"):
            self.assertIn(part, page)
        self.shot("deployment")
        self.b.click("[aria-label='Actions for this deployment']")
        self.b.click_text("[role=menuitem]", "Forget this target")
        self.b.click_text("dialog .button", "Forget")
        self.b.wait_text("h1", "Deployments")
        wait_until(lambda: not self.b.exists(self.row(id)), "it is gone")

    def test_many_events_leave_no_trace_but_the_last(self):
        """The page does not grow, and rows whose target did not change are left alone."""
        ids = [self.deploy(f"web-{i}") for i in range(20)]
        self.open(f"#/deployments?q={self.name}")
        self.b.wait(self.row(ids[-1]))
        wait_live(self.b)
        self.b.cdp("Performance.enable")
        self.addCleanup(self.b.cdp, "Performance.disable")
        self.b.run("window.before = document.querySelector(arguments[0])", self.row(ids[5]))
        sizes = [self.size_after(ids[:5], part) for part in range(3)]
        self.assertTrue(self.b.run("return window.before === document.querySelector(arguments[0])", self.row(ids[5])))
        for kind in ("Nodes", "JSEventListeners"):
            self.assertLessEqual(sizes[2][kind], 1.05 * sizes[1][kind], sizes)
        self.assertLess(sizes[2]["JSHeapUsedSize"] - sizes[1]["JSHeapUsedSize"], 500e3, sizes)

    def size_after(self, ids, part):
        """What the page holds after a hundred changes."""
        for i in range(100):
            self.deploy(f"web-{i % 5}", id=ids[i % 5], reason=f"no. {100 * part + i}")
        self.b.wait_text(self.row(ids[4]), f"no. {100 * part + 99}")
        self.b.cdp("HeapProfiler.collectGarbage")
        return {m["name"]: m["value"] for m in self.b.cdp("Performance.getMetrics")["metrics"]}

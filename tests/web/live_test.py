"""What changes appears by itself: through the stream of events, without it, and after the tab was away."""
import re

from page_site import PageTest
from webdriver import wait_until


def wait_live(browser, how="stream"):
    wait_until(lambda: browser.attribute("html", "data-live") == how, f"the page follows by {how}")


class LiveTest(PageTest):
    def make_run(self, name, isEnded=False):
        """A run with ten points, in an experiment of its own. → experiment, run."""
        rest = self.site.rest()
        experiment = rest.post("experiments/create", name=f"live {name}")["experiment_id"]
        self.addCleanup(lambda: self.site.rest().post("experiments/delete", experiment_id=experiment))
        run = rest.create_run(experiment, name, self.site.now - 5000)
        self.log(run, 0, 10)
        if isEnded:
            rest.finish(run, self.site.now)
        return experiment, run

    def log(self, run, begin, end):
        self.site.rest().log(run, [("loss", 1 / (i + 1), i, self.site.now + i) for i in range(begin, end)])

    def label(self):
        return self.b.attribute(".chart-card[data-metric=loss] .chart", "aria-label") or ""

    def hide(self, isHidden):
        """The tab, as the page sees it."""
        self.b.run("""Object.defineProperty(document, 'hidden', {configurable: true, get: () => arguments[0]});
            document.dispatchEvent(new Event('visibilitychange'))""".replace("arguments[0]", "true" if isHidden else "false"))


class Stream(LiveTest):
    def test_charts_grow_with_the_run_without_asking_again_and_again(self):
        _, run = self.make_run("charts")
        self.open(f"#/run/{run}?tab=charts")
        wait_until(lambda: "10 points" in self.label(), "the first points")
        wait_live(self.b)
        self.log(run, 10, 25)
        wait_until(lambda: "25 points" in self.label(), "the later points")
        asked = "return performance.getEntriesByType('resource').filter((e) => e.name.includes('runs/get')).length"
        before = self.b.run(asked)
        self.log(run, 25, 40)
        wait_until(lambda: "40 points" in self.label(), "the last points")
        self.assertLessEqual(self.b.run(asked) - before, 3, "one question for each change")

    def test_a_run_that_ended_is_followed_too(self):
        _, run = self.make_run("ended", isEnded=True)
        self.open(f"#/run/{run}")
        self.b.wait_text("h1", "ended")
        wait_live(self.b)
        rest = self.site.rest()
        rest.post("runs/update", run_id=run, run_name="ended well")
        self.b.wait_text("h1", "ended well")
        rest.post("runs/set-tag", run_id=run, key="checked", value="by hand")
        self.b.wait_text(".side", "by hand")
        rest.post("runs/delete", run_id=run)
        self.b.wait_text(".page-head", "Deleted")

    def test_the_table_of_an_experiment_gains_changes_and_loses_runs(self):
        experiment, run = self.make_run("first", isEnded=True)
        rest = self.site.rest()
        self.open(f"#/runs?exp={experiment}&cols=status,m.loss,t.note")
        self.wait_rows(["first"])
        wait_live(self.b)
        rest.post("runs/set-tag", run_id=run, key="note", value="of a run that ended")
        self.b.wait_text(".vt-row", "of a run that ended")
        second = rest.create_run(experiment, "second", self.site.now)
        self.wait_rows(["second", "first"])
        rest.post("runs/delete", run_id=run)
        self.wait_rows(["second"])
        rest.post("runs/restore", run_id=run)
        self.wait_rows(["second", "first"])
        self.log(second, 0, 1)
        self.b.wait_text(".vt-row", "1")

    def test_new_files_appear_in_the_tree(self):
        experiment, run = self.make_run("files", isEnded=True)
        rest = self.site.rest()
        rest.put_file(f"{experiment}/{run}/artifacts/a.txt", b"a")
        self.open(f"#/run/{run}?tab=artifacts&path=a.txt")
        self.b.wait("[data-path='a.txt']")
        wait_live(self.b)
        rest.put_file(f"{experiment}/{run}/artifacts/b.txt", b"b")
        self.b.wait("[data-path='b.txt']")
        self.assertEqual("true", self.b.attribute("[data-path='a.txt']", "aria-selected"))

    def test_the_list_of_models_follows(self):
        rest = self.site.rest()
        self.open("#/models?q=live-model")
        self.b.wait(".empty")
        wait_live(self.b)
        rest.post("registered-models/create", name="live-model")
        self.addCleanup(rest.json, "DELETE", "/api/2.0/mlflow/registered-models/delete", {"name": "live-model"})
        self.b.wait("tr[data-name='live-model']")

    def test_lists_follow_also_after_a_further_page(self):
        rest = self.site.rest()
        experiment = rest.post("experiments/create", name="many logged")["experiment_id"]
        self.addCleanup(lambda: self.site.rest().post("experiments/delete", experiment_id=experiment))
        for i in range(60):
            rest.post("logged-models", experiment_id=experiment, name=f"logged-{i}")
        self.open(f"#/logged-models?exp={experiment}")
        self.b.wait_text(".count-line", "50 logged models so far")
        self.b.click_text(".more .button", "Load more")
        self.b.wait_text(".count-line", "60 logged models")
        wait_live(self.b)
        rest.post("logged-models", experiment_id=experiment, name="the-last")
        self.b.wait_text("tr[data-model]", "the-last")
        self.assertEqual(61, self.b.count("tr[data-model]"))

    def test_a_tab_that_nobody_looks_at_has_no_stream_and_misses_nothing(self):
        experiment, run = self.make_run("looked at", isEnded=True)
        self.open(f"#/runs?exp={experiment}")
        self.wait_rows(["looked at"])
        wait_live(self.b)
        self.hide(True)
        wait_live(self.b, "asking")
        self.site.rest().post("runs/update", run_id=run, run_name="renamed meanwhile")
        self.assertEqual(["looked at"], self.rows())
        self.hide(False)
        self.wait_rows(["renamed meanwhile"])

    def test_after_a_restart_of_the_daemon_it_goes_on(self):
        experiment, run = self.make_run("before", isEnded=True)
        self.open(f"#/runs?exp={experiment}")
        self.wait_rows(["before"])
        wait_live(self.b)
        self.site.daemon.stop()
        self.site.daemon.start()
        self.site.rest().post("runs/update", run_id=run, run_name="after")
        self.wait_rows(["after"])
        wait_live(self.b)


class FirstRead(LiveTest):
    def asked(self, part):
        return self.b.run("""return performance.getEntriesByType('resource').filter((e) =>
            new URL(e.name).pathname.endsWith(arguments[0])).length""", part)

    def settle(self):
        """Until a second look would have been taken, too."""
        wait_live(self.b)
        now = self.b.run("return performance.now()")
        wait_until(lambda: self.b.run("return performance.now()") > now + 700, "the page's clock to go on")

    def test_a_view_is_read_once_also_after_one_of_another_kind(self):
        experiment, run = self.make_run("read once", isEnded=True)
        steps = ((f"#/run/{run}", "/runs/get"), ("#/deployments", "/v1/deployments"), ("#/model/taxi-duration?tab=rules", "/rules"),
                 (f"#/runs?exp={experiment}", "/runs/search"), ("#/deployments?q=x", "/v1/deployments"))
        self.open(steps[0][0])
        for address, path in steps:
            self.b.run("performance.clearResourceTimings(); location.hash = arguments[0]", address)
            self.settle()
            with self.subTest(address):
                self.assertLessEqual(self.asked(path), 1)

    def test_what_changes_between_the_views_first_look_and_its_stream_is_seen(self):
        _, run = self.make_run("earlier", isEnded=True)
        self.open("#/models")
        wait_live(self.b)
        self.b.run("location.hash = arguments[0]", f"#/run/{run}")
        self.site.rest().post("runs/update", run_id=run, run_name="at once")
        self.b.wait_text("h1", "at once")


class Windows(LiveTest):
    COUNT = 7  # one more than the connections that a browser gives a server

    def test_many_windows_in_sight_leave_each_other_connections(self):
        rest = self.site.rest()
        first = self.b.call("GET", "window")
        self.addCleanup(self.b.call, "POST", "window", {"handle": first})
        windows = [first] + [self.b.call("POST", "window/new", {"type": "window"})["handle"] for _ in range(self.COUNT - 1)]
        for window in windows:
            self.b.call("POST", "window", {"handle": window})
            if window != first:
                self.addCleanup(self.close, window)
            self.open("#/models")
            self.b.wait("tr[data-name='taxi-duration']")
            self.assertFalse(self.b.run("return document.hidden"))
        wait_until(lambda: self.streams() == 3, "those that were looked at last have a stream")
        rest.post("registered-models/create", name="in-all-windows")
        self.addCleanup(rest.json, "DELETE", "/api/2.0/mlflow/registered-models/delete", {"name": "in-all-windows"})
        for window in windows:
            self.b.call("POST", "window", {"handle": window})
            self.b.wait("tr[data-name='in-all-windows']")
        self.b.run("window.dispatchEvent(new Event('focus'))")
        wait_live(self.b)
        wait_until(lambda: self.streams() == 3, "one of the others gave its stream away")

    def streams(self):
        status, metrics = self.site.rest().send("GET", "/metrics")
        self.assertEqual(200, status)
        return int(re.search(r"^trackerd_live_streams (\d+)", metrics.decode(), re.M)[1])

    def close(self, window):
        self.b.call("POST", "window", {"handle": window})
        self.b.call("DELETE", "window")


class NoStream(LiveTest):
    def test_behind_a_proxy_that_cannot_stream_the_page_asks_again_and_again(self):
        for holds_back in (False, True):
            with self.subTest(holds_back=holds_back), self.site.proxy(holds_back) as address:
                _, run = self.make_run(f"asked {holds_back}")
                self.b.open(f"{address}/#/run/{run}?tab=charts")
                wait_until(lambda: "10 points" in self.label(), "the first points")
                self.log(run, 10, 25)
                wait_until(lambda: "25 points" in self.label(), "the later points")
                self.assertEqual("asking", self.b.attribute("html", "data-live"))
                self.b.open("about:blank")

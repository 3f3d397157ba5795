"""One run: overview, charts, artifacts, editing, live."""
import io
import json
import tarfile
import zipfile

import seed
from page_site import PageTest
from webdriver import wait_until


class RunPage(PageTest):
    def run_page(self, run_id, more=""):
        self.open(f"#/run/{run_id}{more}")
        self.b.wait("h1")

    def label(self, metric):
        return self.b.attribute(f".chart-card[data-metric='{metric}'] .chart", "aria-label") or ""

    def drawn_pixels(self, metric):
        """Pixels of a chart's canvas that have about the colour of the first series."""
        return self.b.run("""
            const canvas = document.querySelector(`.chart-card[data-metric='${arguments[0]}'] canvas`);
            const probe = document.createElement('i');
            probe.className = 'series-0';
            document.body.append(probe);
            const want = getComputedStyle(probe).color.match(/\\d+/g).map(Number);
            probe.remove();
            const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
            let n = 0;
            for (let i = 0; i < data.length; i += 4)
                if (data[i + 3] > 128 && want.every((v, k) => Math.abs(v - data[i + k]) < 24)) n++;
            return n;""", metric)

    def columns_with_ink_in_the_upper_half(self, metric):
        """Of a chart's canvas, in CSS pixels: where the first series' blue is seen."""
        return self.b.run("""
            const canvas = document.querySelector(`.chart-card[data-metric='${arguments[0]}'] canvas`);
            const { data, width, height } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
            let n = 0;
            for (let x = 0; x < width; x++)
                for (let y = 0; y < height * 0.4; y++) {
                    const i = 4 * (y * width + x);
                    if (data[i + 3] > 60 && data[i + 2] > data[i] + 60) { n++; break; }
                }
            return n / devicePixelRatio;""", metric)

    def test_overview_shows_parameters_metrics_tags_and_datasets(self):
        self.run_page(self.site.runs[0.3])
        self.b.wait("[data-metric='rmse_val'] .sparkline")
        cells = self.b.texts("tr[data-metric='rmse_val'] td")
        self.assertEqual(["7.45194", "7.45194"], [cells[2], cells[3]])
        self.assertEqual("7.451939", self.b.attribute("tr[data-metric='rmse_val'] .strong .number", "title"))
        page = self.b.text("main")
        for part in ("ridge-alpha-0.3", "Finished", "carol", "taxi-train", "4f06d445", "conjugate-gradient",
                     "green_tripdata_validation", "11aa02bb45cd", "<b>Not markup.</b>", "taxi-duration v3", "@champion"):
            self.assertIn(part, page)
        self.shot("run")

    def test_curves_are_drawn_from_the_logged_points(self):
        self.run_page(self.site.runs[0.3], "?tab=charts")
        wait_until(lambda: "last 7.45194" in self.label("rmse_val"), "the chart of rmse_val")
        self.assertIn("49 points", self.label("rmse_val"))
        self.assertEqual("49", self.b.attribute(".chart-card[data-metric='rmse_val'] .chart", "data-points"))
        self.assertGreater(self.drawn_pixels("rmse_val"), 200)
        self.assertEqual(["Metrics2", "solver1"], [t.replace("\n", "") for t in self.b.texts(".chart-group h2")])
        self.assertFalse(self.b.exists(".chart-card[data-metric='rmse_test']"), "one point is no curve")
        self.shot("charts")

    def test_one_spike_of_twenty_thousand_points_is_seen_and_dragging_looks_closer(self):
        self.run_page(self.site.long_run, "?tab=charts&metric=loss")
        chart = ".chart-card[data-metric='loss'] .chart"
        wait_until(lambda: "to 1000" in self.label("loss"), "the spike")
        self.assertIn("20000 points", self.label("loss"))
        self.assertEqual("false", self.b.attribute(chart, "data-exact"))
        self.assertGreater(self.drawn_pixels("loss"), 200)
        self.assertIn(round(self.columns_with_ink_in_the_upper_half("loss")), range(1, 6), "a narrow spike is drawn")
        self.shot("charts-spike")
        self.b.drag(f"{chart} .u-over", 0.495, 0.51)
        wait_until(lambda: self.b.attribute(chart, "data-exact") == "true", "all points of the visible range")
        self.assertIn("from=", self.b.url())
        self.assertIn("to 1000", self.label("loss"))
        self.assertLess(int(self.b.attribute(chart, "data-points")), 600)
        self.b.back()
        wait_until(lambda: self.b.attribute(chart, "data-exact") == "false", "the whole range again")

    def test_nan_and_infinite_values_are_shown_as_what_they_are(self):
        self.run_page(self.site.long_run)
        self.b.wait("tr[data-metric='always_nan']")
        self.assertEqual("NaN", self.b.text("tr[data-metric='always_nan'] .strong"))
        wait_until(lambda: self.b.texts("tr[data-metric='odd'] td")[2:5] == ["0.4", "0.4", "Infinity"], "last, min, max of odd")

    def test_settings_of_charts_are_in_the_address(self):
        self.run_page(self.site.runs[0.3], "?tab=charts&metric=residual")
        wait_until(lambda: "48 points" in self.label("solver/residual"), "the chart")
        self.b.click_text(".chart-settings .toggle", "Log scale")
        self.b.click_text(".chart-settings button", "Time")
        self.b.run("""const s = document.querySelector('input[type=range]'); s.value = 0.8;
            s.dispatchEvent(new Event('input', {bubbles: true}))""")
        wait_until(lambda: all(p in self.b.url() for p in ("y=log", "x=time", "smooth=0.8")), "settings in the address")
        address = self.b.url()
        self.b.open(address)
        wait_until(lambda: "48 points" in self.label("solver/residual"), "the chart of the link")
        self.assertTrue(self.b.run("return document.querySelector('.chart-settings .toggle input').checked"))
        self.assertEqual("Time", self.b.text(".chart-settings [aria-pressed=true]"))
        self.assertEqual(address, self.b.url())

    def test_the_name_notes_and_tags_can_be_edited(self):
        rest = self.site.rest()
        run = rest.create_run(self.site.taxi, "to-edit", self.site.now - 10 ** 9)
        rest.finish(run, self.site.now - 10 ** 9 + 5)
        self.addCleanup(rest.post, "runs/delete", run_id=run)
        self.run_page(run)
        self.b.click("[aria-label='Rename the run']")
        self.b.fill("input[aria-label='Rename the run']", "edited")
        self.b.wait_text("h1", "edited")
        self.b.click("[aria-label='Edit the notes']")
        self.b.type("textarea", "Looks good.\nKeep.")
        self.b.click_text(".note .button", "Save")
        self.b.wait_text(".note", "Keep.")
        self.b.click_text(".panel .button", "Add")
        self.b.type("#field-key", "stage")
        self.b.type("#field-value", "draft")
        self.b.click_text("dialog .button", "Add")
        self.b.wait("[aria-label='Delete the tag stage']")
        tags = {t["key"]: t["value"] for t in rest.json("GET", f"/api/2.0/mlflow/runs/get?run_id={run}")["run"]["data"]["tags"]}
        self.assertEqual(("edited", "Looks good.\nKeep.", "draft"),
                         (tags["mlflow.runName"], tags["mlflow.note.content"], tags["stage"]))
        self.b.click("[aria-label='Delete the tag stage']")
        self.b.gone("[aria-label='Delete the tag stage']")

    def test_a_running_run_is_followed(self):
        rest = self.site.rest()
        run = rest.create_run(self.site.taxi, "followed", self.site.now - 5000)
        self.addCleanup(rest.post, "runs/delete", run_id=run)
        rest.log(run, [("loss", 1 / (i + 1), i, self.site.now + i) for i in range(10)])
        self.run_page(run, "?tab=charts")
        wait_until(lambda: "10 points" in self.label("loss"), "the first points")
        rest.log(run, [("loss", 1 / (i + 1), i, self.site.now + i) for i in range(10, 25)] + [("new", v, v, self.site.now) for v in (1, 2)])
        wait_until(lambda: "25 points" in self.label("loss"), "the later points")
        wait_until(lambda: "2 points" in self.label("new"), "a metric that came later")
        rest.finish(run, self.site.now + 60000)
        self.b.wait_text(".page-head", "Finished")

    def test_an_unknown_run_is_not_found(self):
        self.open(f"#/run/{'0' * 32}")
        self.b.wait_text(".error-state", "Not found")


class Artifacts(PageTest):
    def artifacts(self, path="", run=None):
        self.open(f"#/run/{run or self.site.runs[0.3]}?tab=artifacts&path={path}")
        self.b.wait(".tree-item")

    def test_a_text_is_previewed_with_line_numbers(self):
        self.artifacts("model/README.md")
        self.b.wait_text(".code-text", "# Ridge regression")
        self.assertEqual("true", self.b.attribute("[data-path='model/README.md']", "aria-selected"))
        self.shot("artifacts")

    def test_a_table_is_previewed_as_a_table_and_as_text(self):
        self.artifacts("predictions.csv")
        self.b.wait(".csv")
        self.assertEqual(["pair", "distance", "predicted"], self.b.texts(".csv th"))
        self.assertEqual(60, self.b.count(".csv tbody tr"))
        self.b.click_text(".preview-bar button", "Text")
        self.b.wait_text(".code-text", "74_41,0.00,9.000")

    def test_json_is_formatted(self):
        self.artifacts("model/columns.json")
        self.b.wait_text(".code-text", '"count": 13221,\n  "first": [')

    def test_a_picture_is_shown(self):
        self.artifacts("plots/residuals.png")
        self.b.wait_text(".preview", "480 × 240")
        self.assertEqual(480, self.b.run("return document.querySelector('.preview-image').naturalWidth"))

    def test_bytes_that_are_no_text_are_shown_as_such(self):
        self.artifacts("model/weights.bin")
        self.b.wait_text(".code-text", "00000010  10 11 12 13")

    def test_the_tree_opens_with_keys(self):
        self.artifacts()
        self.b.run("document.querySelector(\"[data-path='model']\").focus()")
        self.b.press("\ue014")
        self.b.wait("[data-path='model/weights.bin']")
        self.b.press("Down", "Enter")
        self.b.wait_text(".preview-head", "columns.json")
        self.assertIn("path=model/columns.json", self.b.url())

    def test_a_directory_is_downloaded_as_one_tarball(self):
        self.artifacts("model")
        self.b.wait_text(".preview", "Digest of the tree")
        self.b.click("[aria-label='Download the directory']")
        self.b.click_text("[role=menuitem]", "as tar.gz")
        with tarfile.open(fileobj=io.BytesIO(self.downloaded("model.tar.gz")), mode="r:gz") as tar:
            got = {m.name: tar.extractfile(m).read() for m in tar if m.isfile()}
        self.assertEqual({k[len("model/"):]: v for k, v in seed.FILES.items() if k.startswith("model/")}, got)

    def test_all_artifacts_are_downloaded_as_zip(self):
        self.artifacts()
        self.b.wait_text(".preview", "Digest of the tree")
        self.b.click("[aria-label='Download the directory']")
        self.b.click_text("[role=menuitem]", "as zip")
        with zipfile.ZipFile(io.BytesIO(self.downloaded("artifacts.zip"))) as z:
            self.assertEqual(seed.FILES, {n: z.read(n) for n in z.namelist() if not n.endswith("/")})

    def test_one_file_is_downloaded(self):
        self.artifacts("model/columns.json")
        self.b.click_text(".preview-head .button", "Download")
        self.assertEqual(13221, json.loads(self.downloaded("columns.json"))["count"])

    def test_a_run_without_artifacts_says_so(self):
        self.open(f"#/run/{self.site.long_run}?tab=artifacts")
        self.b.wait_text(".empty", "No artifacts")

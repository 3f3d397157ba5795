"""Several runs beside each other."""
from page_site import PageTest
from webdriver import wait_until


class Compare(PageTest):
    def compare(self, more=""):
        self.ids = [self.site.runs[a] for a in (0.1, 0.3, 1)]
        self.open(f"#/compare?runs={','.join(self.ids)}{more}")
        self.b.wait(".legend-item")

    def label(self, metric):
        return self.b.attribute(f".chart-card[data-metric='{metric}'] .chart", "aria-label") or ""

    def test_differences_stand_out_and_can_be_shown_alone(self):
        self.compare()
        self.b.wait("tr[data-name='alpha'].differs")
        self.assertTrue(self.b.exists("tr[data-name='solver'].same"))
        self.assertEqual(["0.1", "0.3", "1"], self.b.texts("tr[data-name='alpha'] td"))
        self.assertEqual("7.45194", self.b.text("tr[data-name='rmse_val'] td.lowest"))
        self.assertEqual("7.56416", self.b.text("tr[data-name='rmse_val'] td.highest"))
        self.shot("compare")
        self.b.click_text(".toggle", "Only differences")
        self.b.gone("tr[data-name='solver']")
        self.assertTrue(self.b.exists("tr[data-name='tolerance']"))
        self.assertIn("diff=1", self.b.url())

    def test_largest_values_instead_of_last_ones(self):
        self.compare("&value=max")
        wait_until(lambda: self.b.texts("tr[data-name='rmse_train'] td")[1] == "13.7468", "the largest value")

    def test_curves_lie_over_each_other_and_a_run_can_be_hidden(self):
        self.compare("&tab=charts")
        wait_until(lambda: self.label("rmse_val").count("49 points") == 3, "three curves")
        self.assertEqual("147", self.b.attribute(".chart-card[data-metric='rmse_val'] .chart", "data-points"))
        self.assertEqual(3, self.b.count(".chart-card[data-metric='rmse_test'] .bar"), "single values are bars")
        self.shot("compare-charts")
        self.b.click_text(".legend-toggle", "ridge-alpha-0.3")
        wait_until(lambda: "ridge-alpha-0.3" not in self.label("rmse_val"), "the hidden run is gone")
        self.assertIn(f"hide={self.ids[1]}", self.b.url())
        self.b.open(self.b.url())
        wait_until(lambda: self.label("rmse_val").count("49 points") == 2, "two curves in the linked view")

    def test_relative_time_starts_at_zero_for_each_run(self):
        self.compare("&tab=charts&x=relative&metric=rmse_val")
        wait_until(lambda: self.label("rmse_val").count("49 points") == 3, "three curves")
        self.b.click("[aria-label='Enlarge rmse_val']")
        self.b.wait(".chart-card.big")
        self.b.drag(".chart-card[data-metric='rmse_val'] .u-over", 0.0, 0.5)
        wait_until(lambda: "from=" in self.b.url(), "the range in the address")
        wait_until(lambda: 0 < int(self.b.attribute(".chart-card[data-metric='rmse_val'] .chart", "data-points")) < 100,
                   "the first half of each run")

    def test_a_run_is_left_out(self):
        self.compare()
        self.b.click("[aria-label='Leave out ridge-alpha-1']")
        self.b.wait_text("h1", "Compare 2 runs")

    def test_scatter_and_parallel_plots_have_a_mark_for_each_run(self):
        self.compare("&tab=scatter")
        self.b.wait("circle.mark")
        self.assertEqual((3, 3), (self.b.count("circle.mark"), self.b.count("path.mark")))
        self.assertIn("ridge-alpha-0.1", self.b.run("return document.querySelector('circle.mark title').textContent"))
        self.shot("compare-scatter")

    def test_runs_that_do_not_exist_are_left_out_or_said(self):
        self.open(f"#/compare?runs={'0' * 32}")
        self.b.wait_text(".error-state", "None of these runs exists")
        self.open(f"#/compare?runs={self.site.runs[1]},{'0' * 32}")
        self.b.wait_text("h1", "Compare 1 run")

"""The table of runs: rows, filter, order, columns, selection, keys, live."""
import csv
import io
import re

from page_site import PageTest
from webdriver import wait_until

BY_START = ["ridge-alpha-10", "long-run", "ridge-alpha-3", "ridge-alpha-1", "ridge-alpha-0.3", "ridge-alpha-0.1", "ridge-alpha-0.01"]
BY_RMSE = ["ridge-alpha-0.3", "ridge-alpha-0.1", "ridge-alpha-0.01", "ridge-alpha-1", "ridge-alpha-3", "ridge-alpha-10", "long-run"]
FILTER = "input[aria-label='Filter runs']"


def order_of(text):
    return f"[data-column='{text}'] .vt-sort"


class RunTable(PageTest):
    def taxi(self, more=""):
        self.open(f"#/runs?exp={self.site.taxi}{more}")
        self.b.wait(".vt-row")

    def test_shows_the_newest_run_first(self):
        self.taxi()
        self.wait_rows(BY_START)
        self.b.wait_text(".count-line", "7 runs")
        self.assertEqual("green-taxi-duration · trackerd", self.b.title())
        self.shot("runs")

    def test_ten_thousand_runs_are_loaded_but_few_are_in_the_document(self):
        count = self.site.run_count
        self.open(f"#/runs?exp={self.site.many}")
        self.b.wait_text(".count-line", f"{count:,} runs", 90)
        wait_until(lambda: self.b.attribute(".vt", "aria-rowcount") == str(count + 1), "all rows counted")
        self.assertEqual(f"trial-{count - 1:05}", self.rows()[0])
        self.assertLess(self.b.count(".vt-row"), 80)
        self.b.run("document.querySelector('.vt').focus()")
        self.b.press("End")
        wait_until(lambda: self.rows()[-1] == "trial-00000", "the last row")
        self.assertLess(self.b.count(".vt-row"), 80)
        self.b.press("Home")
        wait_until(lambda: self.rows()[0] == f"trial-{count - 1:05}", "the first row again")
        self.shot("runs-many")

    def test_ten_thousand_runs_in_the_order_of_a_metric(self):
        self.open(f"#/runs?exp={self.site.many}&order=m.loss")
        self.b.wait_text(".count-line", f"{self.site.run_count:,} runs", 90)
        self.assertEqual(f"trial-{self.site.best_of_many:05}", self.rows()[0])

    def test_a_smallest_value_can_be_ordered_by(self):
        self.taxi("&cols=status,min.rmse_val&order=min.rmse_val")
        self.wait_rows(BY_RMSE)
        self.b.wait_text(".vt-row[data-index='0']", "7.45194")

    def test_a_click_on_a_head_orders_and_a_second_one_turns_it(self):
        self.taxi("&cols=status,m.rmse_val")
        self.b.click(order_of("m.rmse_val"))
        self.wait_rows(BY_RMSE)
        self.assertEqual("ascending", self.b.attribute("[data-column='m.rmse_val']", "aria-sort"))
        self.b.click(order_of("m.rmse_val"))
        self.wait_rows(BY_RMSE[-2::-1] + BY_RMSE[-1:], "largest first, missing last")
        self.assertIn("order=-m.rmse_val", self.b.url())
        self.b.back()
        self.wait_rows(BY_RMSE, "the order before")
        self.b.forward()
        self.wait_rows(BY_RMSE[-2::-1] + BY_RMSE[-1:], "the order after")

    def test_a_filter_is_in_the_address_and_can_be_cleared(self):
        self.taxi()
        self.b.fill(FILTER, "metrics.rmse_val < 7.5 AND (params.alpha = '0.3' OR params.alpha = '0.1')")
        self.wait_rows(["ridge-alpha-0.3", "ridge-alpha-0.1"])
        self.assertIn("filter=metrics.rmse_val", self.b.url())
        self.b.click("[aria-label='Clear the filter']")
        self.wait_rows(BY_START)

    def test_plain_words_look_for_names(self):
        self.taxi()
        self.b.fill(FILTER, "ALPHA-1")
        self.wait_rows(["ridge-alpha-10", "ridge-alpha-1"])

    def test_an_error_in_the_filter_stands_where_it_is(self):
        self.taxi()
        self.b.fill(FILTER, "metrics.rmse_val < 7.5 AND params.alpha ~ 3")
        self.b.wait(".filter-error p")
        shown, caret = self.b.run("return document.querySelector('.filter-caret').textContent").split("\n")
        self.assertEqual("~", shown[caret.index("^")])
        self.assertIn("position 40", self.b.text(".filter-error p"))
        self.assertEqual("true", self.b.attribute(FILTER, "aria-invalid"))
        self.assertEqual(BY_START, self.rows(), "the runs before stay")
        self.shot("filter-error")
        self.b.fill(FILTER, "params.alpha = '3'")
        self.wait_rows(["ridge-alpha-3"])
        self.assertFalse(self.b.run("return document.querySelector('.filter-error').checkVisibility()"))

    def test_no_match_says_so(self):
        self.taxi()
        self.b.fill(FILTER, "params.alpha = '77'")
        self.b.wait_text(".empty", "No run matches")

    def test_examples_of_filters_can_be_taken_over(self):
        self.taxi()
        self.b.click("[aria-label='Examples of filters']")
        self.shot("filter-help")
        self.b.click_text(".example", "attributes.status = 'RUNNING'")
        wait_until(lambda: self.b.run(f"return document.querySelector(\"{FILTER}\").value") == "attributes.status = 'RUNNING'",
                   "the example in the box")

    def test_columns_are_chosen_and_ordered_in_a_dialog(self):
        self.taxi("&cols=status,p.alpha")
        wait_until(lambda: self.heads() == ["name", "status", "p.alpha"], "the columns of the address")
        self.b.click_text(".button", "Columns")
        self.b.type("dialog input[type=search]", "rmse_val")
        self.b.click_text("dialog .metric-choice label", "min")
        self.b.click("[aria-label='Move min.rmse_val up']")
        self.shot("columns")
        self.b.click_text("dialog .button", "Done")
        wait_until(lambda: self.heads() == ["name", "status", "min.rmse_val", "p.alpha"], "the chosen columns")
        self.assertIn("cols=status,min.rmse_val,p.alpha", self.b.url())
        self.b.wait_text(".vt-row[data-index='4']", "7.45194")

    def test_a_link_shows_the_same_view(self):
        self.taxi("&cols=p.alpha,max.rmse_val&order=-p.alpha&filter=metrics.rmse_val+%3C+8"
                  f"&sel={self.site.runs[3]},{self.site.runs[0.1]}")
        self.b.wait_text(".selection-bar", "2 runs selected")
        first = (self.rows(), self.heads(), self.b.count(".vt-row.selected"), self.b.url())
        self.assertEqual(["ridge-alpha-3", "ridge-alpha-1", "ridge-alpha-0.3", "ridge-alpha-0.1", "ridge-alpha-0.01"], first[0])
        self.b.open(first[3])
        self.b.wait(".vt-row.selected")
        self.assertEqual(first, (self.rows(), self.heads(), self.b.count(".vt-row.selected"), self.b.url()))

    def test_keys_move_select_and_open(self):
        self.taxi()
        self.b.press("j", "j", "x")
        self.b.wait_text(".selection-bar", "1 run selected")
        self.b.press("J", held=["Shift"])
        self.b.wait_text(".selection-bar", "2 runs selected")
        self.assertEqual(2, len(re.search(r"sel=([0-9a-f,]*)", self.b.url())[1].split(",")))
        self.b.press("Escape")
        wait_until(lambda: not self.b.run("return document.querySelector('.selection-bar').checkVisibility()"), "no selection")
        self.b.press("/")
        wait_until(lambda: self.b.run(f"return document.activeElement.matches(\"{FILTER}\")"), "the filter has the focus")
        self.b.press("Escape")
        self.b.press("k", "Enter")
        self.b.wait_text("h1", "long-run")

    def test_the_focus_is_seen_and_the_first_tab_skips_to_the_content(self):
        self.taxi()
        self.b.press("Tab")
        self.assertEqual("Skip to content", self.b.run("return document.activeElement.textContent"))
        self.b.press("Enter")
        self.assertEqual("main", self.b.run("return document.activeElement.id"))
        self.b.run("document.querySelector('.vt').focus()")
        self.b.press("j")
        self.assertNotEqual("none", self.b.run("return getComputedStyle(document.querySelector('.vt')).outlineStyle"))
        wait_until(lambda: self.b.attribute(".vt", "aria-activedescendant") == "row-0", "the active row is announced")

    def test_question_mark_shows_the_keys(self):
        self.taxi()
        self.b.press("?")
        self.b.wait_text("dialog", "compare the selected runs")
        self.shot("help")
        self.b.press("Escape")
        self.b.gone("dialog")

    def test_a_range_is_selected_with_shift_and_compared(self):
        self.taxi("&cols=status")
        self.b.click(".vt-row[data-index='2'] input")
        self.b.run("document.querySelector(\".vt-row[data-index='5'] .vt-check\").dispatchEvent("
                   "new MouseEvent('click', {bubbles: true, shiftKey: true}))")
        self.b.wait_text(".selection-bar", "4 runs selected")
        self.b.press("c")
        self.b.wait_text("h1", "Compare 4 runs")

    def test_export_as_csv_holds_full_values(self):
        self.taxi("&cols=status,m.rmse_val,min.rmse_val,p.alpha&order=m.rmse_val")
        self.b.wait_text(".count-line", "7 runs")
        self.b.click("[aria-label='More for this table']")
        self.b.click_text("[role=menuitem]", "Export as CSV")
        rows = list(csv.reader(io.StringIO(self.downloaded(f"runs-{self.site.taxi}.csv").decode())))
        self.assertEqual(["run_id", "Run", "Status", "m.rmse_val", "min.rmse_val", "p.alpha"], rows[0])
        self.assertEqual([self.site.runs[0.3], "ridge-alpha-0.3", "FINISHED", "7.451939"], rows[1][:4])
        self.assertEqual(8, len(rows))

    def test_new_runs_appear_by_themselves_and_scroll_and_selection_stay(self):
        rest = self.site.rest()
        experiment = rest.post("experiments/create", name="live-table")["experiment_id"]
        for i in range(120):
            rest.create_run(experiment, f"old-{i:03}", self.site.now - 1000 + i)
        self.open(f"#/runs?exp={experiment}&cols=status,m.loss")
        self.b.wait_text(".count-line", "120 runs")
        self.b.click(".vt-row[data-index='1'] input")
        self.b.run("document.querySelector('.vt').scrollTop = 1600")
        selected = re.search(r"sel=([0-9a-f]+)", self.b.url())[1]
        new = rest.create_run(experiment, "the-new-one", self.site.now + 5000)
        rest.log(new, [("loss", 0.125, 1, self.site.now)])
        self.b.wait_text(".count-line", "121 runs")
        self.assertEqual(1600, self.b.run("return document.querySelector('.vt').scrollTop"))
        self.assertIn(selected, self.b.url())
        self.b.run("document.querySelector('.vt').scrollTop = 0")
        wait_until(lambda: self.rows()[0] == "the-new-one", "the new run on top")
        self.b.wait_text(".vt-row[data-index='0']", "0.125")
        rest.finish(new, self.site.now + 9000, "KILLED")
        self.b.wait_text(".vt-row[data-index='0']", "Killed")
        self.assertEqual("old-118", self.b.text(".vt-row.selected a"), "still the same run")

    def test_runs_are_deleted_after_asking_and_restored(self):
        rest = self.site.rest()
        experiment = rest.post("experiments/create", name="for-deletion")["experiment_id"]
        for name in ("stay", "go"):
            rest.create_run(experiment, name, self.site.now)
        self.open(f"#/runs?exp={experiment}&filter=run_name+=+'go'")
        self.b.wait_text(".count-line", "1 run")
        self.b.click(".vt-head input")
        self.b.click_text(".selection-bar .button", "Delete")
        self.b.click_text("dialog .button", "Delete 1 run")
        self.b.wait_text(".empty", "No run matches")
        self.open(f"#/runs?exp={experiment}&view=deleted")
        self.wait_rows(["go"])
        self.b.click(".vt-head input")
        self.b.click_text(".selection-bar .button", "Restore")
        self.b.wait_text(".empty", "No deleted runs")
        self.open(f"#/runs?exp={experiment}&order=name")
        self.wait_rows(["go", "stay"])

    def test_several_experiments_in_one_table(self):
        self.open(f"#/runs?exp={self.site.taxi},{self.site.evil_experiment}")
        self.b.wait_text(".count-line", "8 runs")
        self.assertIn("experiment", self.heads())

    def test_an_experiment_without_runs_tells_how_to_log(self):
        experiment = self.site.rest().post("experiments/create", name="still-empty")["experiment_id"]
        self.open(f"#/runs?exp={experiment}")
        self.b.wait_text(".empty", "No runs yet")
        self.assertIn("trk_run_start", self.b.text(".snippet"))
        for language, part in (("Python", 'mlflow.set_experiment("still-empty")'), ("Shell", "trk log run-start")):
            self.b.click_text(".snippets button", language)
            self.b.wait_text(".snippet", part)
        self.shot("empty")

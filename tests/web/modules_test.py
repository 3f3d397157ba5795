"""Pure functions of the page's modules, as tables, in the browser that runs them."""
import json

from page_site import PageTest

NUMBERS = [  # JavaScript, text
    ("0", "0"), ("-0.5", "−0.5"), ("7.451939", "7.45194"), ("13221", "13221"), ("1e9", "1e9"), ("123456789.5", "1.23457e8"),
    ("0.0001", "0.0001"), ("0.00001234567", "1.23457e-5"), ("NaN", "NaN"), ("Infinity", "Infinity"),
    ("-Infinity", "−Infinity"), ("999999.9", "1e6"), ("1.797e308", "1.797e308"), ("5e-324", "4.94066e-324"), ("undefined", ""),
]
DURATIONS = [(0, "0 ms"), (999, "999 ms"), (1500, "1.5 s"), (59400, "59 s"), (60000, "1 min 00 s"), (3725000, "1 h 02 min"),
             (200000000, "2 d 7 h"), (-1, "")]
BYTES = [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (10240, "10 kB"), (3400000, "3.4 MB"), (999999, "1.0 MB"),
         (5e12, "5.0 TB")]
FILTERS = [("", ""), ("  ", ""), ("ridge", "attributes.run_name ILIKE '%ridge%'"), ("it's", "attributes.run_name ILIKE '%it_s%'"),
           ("metrics.a < 1", "metrics.a < 1"), ("tags.x IS NULL", "tags.x IS NULL"), ("a = 1", "a = 1")]
CSV = [("a,b\n1,2\n", ",", [["a", "b"], ["1", "2"]]), ('"x,""y""",z', ",", [['x,"y"', "z"]]), ("a\tb\r\nc\td", "\t", [["a", "b"], ["c", "d"]]),
       ("", ",", []), ('"two\nlines",1', ",", [["two\nlines", "1"]])]
FIELDS = [("1", "1"), ("-1.5", "-1.5"), ("=SUM(A1)", "'=SUM(A1)"), ("-cmd", "'-cmd"), ("a,b", '"a,b"'), ('a"b', '"a""b"'), ("-Infinity", "-Infinity")]
ORDERS = [("m.a", "metrics.`a` ASC"), ("-p.lr", "params.`lr` DESC"), ("-m.a`b", 'metrics."a`b" DESC'), ("start", "attributes.start_time ASC"),
          ("-t.x.y z", "tags.`x.y z` DESC"), ("-max.a", None), ("duration", None)]




def moves(text):
    """"1 2 <1 -": set to 1, moved to 2, rolled back to 1, removed; at the times 0, 1, 2 …"""
    return [{"kind": "alias.rolled_back" if t[0] == "<" else "alias.set", "time_ms": i, "actor": "ana", "reason": "",
             "after": None if t == "-" else {"version": t.lstrip("<")}} for i, t in enumerate(text.split())]


WAYS_BACK = [("1", []), ("1 2", ["1"]), ("1 2 3", ["2", "1"]), ("1 2 3 <2", ["1"]), ("1 2 3 <2 4", ["2", "1"]),
             ("1 2 3 <2 4 <2", ["1"]), ("1 2 3 <1", []), ("1 - 2", ["1"]), ("1 2 1 3", ["1", "2", "1"])]
HOLDINGS = [("1 2 - 3", [["3", 3, None], ["2", 1, 2], ["1", 0, 1]]), ("-", [])]


class Modules(PageTest):
    def table(self, module, expression, rows):
        self.open("")
        self.b.wait("h1")
        inputs = "[" + ", ".join(r[0] if isinstance(r[0], str) and r[0].startswith("js:") else json.dumps(r[0]) for r in rows) + "]"
        got = self.js(f"const m = await import('/js/{module}'); return {inputs}.map((x) => {expression});")
        self.assertNotIn("error", got, got.get("error"))
        self.assertEqual([r[-1] for r in rows], got["value"])

    def test_numbers(self):
        self.table("format.js", "m.formatNumber(Number.isFinite(Number(x)) || /NaN|Infinity/.test(x) ? Number(x) : undefined)", NUMBERS)

    def test_durations(self):
        self.table("format.js", "m.formatDuration(x)", DURATIONS)

    def test_sizes(self):
        self.table("format.js", "m.formatBytes(x)", BYTES)

    def test_plain_words_become_a_filter(self):
        self.table("ui/filter_box.js", "m.toFilter(x)", FILTERS)

    def test_comma_separated_values(self):
        self.table("preview.js", "m.parseCsv(x[0], x[1], 500)", [((t, s), e) for t, s, e in CSV])

    def test_fields_of_exports(self):
        self.table("save.js", "m.csvField(x)", FIELDS)

    def test_orders(self):
        self.table("columns.js", "m.serverOrder(m.parseOrder(x))?.[0] ?? null", ORDERS)

    def test_columns_survive_the_address(self):
        ids = ["status", "m.a,b%c", "p.x/y", "t.mlflow.user", "min.loss"]
        self.table("columns.js", "m.decodeColumns(m.encodeColumns(x))", [(ids, ids), (["name", "nonsense", "z."], [])])

    def test_rolling_back_again_leads_further_back(self):
        self.table("views/model_rollback.js", "m.wayBack(x)", [(moves(text), way) for text, way in WAYS_BACK])

    def test_who_held_an_alias_when(self):
        self.table("views/model_rollback.js", "m.holdings(x).map((s) => [s.version, s.from, s.to])",
                   [(moves(text), held) for text, held in HOLDINGS])

    def test_only_web_addresses_become_links(self):
        self.table("dom.js", "m.safeUrl(x)", [("https://a.example/b", "https://a.example/b"), ("javascript:alert(1)", None),
                                              ("data:text/html,x", None), ("git@host:a.git", None), ("", None)])

    def test_smoothing_has_no_pull_of_the_start_and_keeps_gaps(self):
        self.table("curves.js", "m.smooth(x[0].map(Number), x[1]).map((v) => Number.isNaN(v) ? 'NaN' : Math.round(v * 1e6) / 1e6)", [
            (([4, 4, 4], 0.9), [4, 4, 4]), (([1, 3], 0.5), [1, 2.333333]), ((["2", "NaN", "4"], 0.5), [2, "NaN", 3.333333])])

    def test_the_nearest_point(self):
        self.table("curves.js", "m.nearest(x[0], x[1])", [(([], 1), -1), (([5], 1), 0), (([1, 3, 9], 2.4), 1), (([1, 3, 9], 1.9), 0), (([1, 3, 9], 99), 2)])

    def test_points_of_one_x_are_merged_and_marked_where_lost(self):
        curve = {"steps": [0, 1, 1, 2], "timestamps": [0, 1, 2, 3], "lasts": [1, 5, 2, 3], "mins": [1, 4, 2, 3], "maxs": [1, 6, 2, 3],
                 "nan_counts": [0, 0, 1, 0]}
        self.table("curves.js", "m.shape(x, 'step', 0)", [
            (curve, {"xs": [0, 1, 2], "lasts": [1, 2, 3], "mins": [1, 2, 3], "maxs": [1, 6, 3], "nans": [False, True, False]})])

"""What holds for every view: safety, themes, phones, a server that goes away, static hosting."""
import http.client
import os
import re
import urllib.parse

import seed
from page_site import WEB, PageTest
from webdriver import wait_until


class EveryView(PageTest):
    def views(self):
        s = self.site
        three = ",".join(s.runs[a] for a in (0.1, 0.3, 1))
        return {
            "experiments": ("", "tbody tr"), "runs": (f"#/runs?exp={s.taxi}", ".vt-row"),
            "run": (f"#/run/{s.runs[0.3]}", ".sparkline"), "charts": (f"#/run/{s.runs[0.3]}?tab=charts", "canvas"),
            "artifacts": (f"#/run/{s.runs[0.3]}?tab=artifacts&path=model/README.md", ".code-text"),
            "compare": (f"#/compare?runs={three}", ".compare td"), "compare-charts": (f"#/compare?runs={three}&tab=charts", "canvas"),
            "compare-scatter": (f"#/compare?runs={three}&tab=scatter", "circle.mark"),
            "models": ("#/models", "tbody tr"), "model": ("#/model/taxi-duration", ".lineage a"),
            "model-history": ("#/model/taxi-duration?tab=history", ".timeline li"),
            "model-past": (f"#/model/taxi-duration?seq={s.taxi_move}", ".past-banner .icon-left"),
            "model-compare": ("#/model/taxi-duration?tab=compare&from=1&to=3", ".diff"),
            "model-rules": ("#/model/taxi-duration?tab=rules", ".rules code"),
            "model-deployments": ("#/model/taxi-duration?tab=deployments", "tr[data-deployment]"),
            "deployments": ("#/deployments", "tr[data-deployment]"),
            "deployment": (f"#/deployment/{s.deployed}", ".panel .pill"),
            "logged-models": (f"#/logged-models?exp={s.logged[0]}", "tr[data-model]"),
            "logged-model": (f"#/logged-model/{s.logged[3][7.5]}", "tr[data-metric='rmse']"),
        }

    def background(self):
        rgb = self.b.run("return getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
        return sum(rgb) / 3

    def test_nothing_is_wider_than_a_phone(self):
        self.b.resize(390, 844, is_phone=True)
        self.addCleanup(self.b.resize, 1360, 860)
        for name, (address, sign) in self.views().items():
            with self.subTest(name):
                self.open(address)
                self.b.wait(sign)
                self.shot(f"phone-{name}")
                widths = "return [document.documentElement.scrollWidth, innerWidth]"
                wait_until(lambda: self.b.run(widths) == [390, 390], "a page as wide as the phone")

    def test_every_view_is_dark_where_the_system_is(self):
        self.b.cdp("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark"}])
        self.addCleanup(self.b.cdp, "Emulation.setEmulatedMedia", features=[])
        for name, (address, sign) in self.views().items():
            with self.subTest(name):
                self.open(address)
                self.b.wait(sign)
                self.shot(f"dark-{name}")
                self.assertLess(self.background(), 40)

    def test_the_theme_is_chosen_and_kept(self):
        self.open("")
        self.addCleanup(self.b.run, "localStorage.clear()")
        self.b.wait("tbody tr")
        self.assertGreater(self.background(), 220)
        self.b.click("[aria-label^='Theme']")
        self.b.click("[aria-label='Theme: light']")
        wait_until(lambda: self.background() < 40, "dark")
        self.open(f"#/run/{self.site.runs[0.3]}")
        self.b.wait("h1")
        self.assertLess(self.background(), 40)
        self.b.click("[aria-label='Theme: dark']")
        wait_until(lambda: self.background() > 220, "the system's, which is light")

    def test_text_has_enough_contrast_in_both_themes(self):
        script = """
            const lum = (c) => { const v = c.match(/[\\d.]+/g).slice(0, 3).map((x) => { x /= 255;
                return x <= .03928 ? x / 12.92 : ((x + .055) / 1.055) ** 2.4; }); return .2126 * v[0] + .7152 * v[1] + .0722 * v[2]; };
            const colour = (name) => { const p = document.createElement('i'); p.style.color = `var(${name})`; document.body.append(p);
                const c = getComputedStyle(p).color; p.remove(); return lum(c); };
            const out = [];
            for (const theme of ['light', 'dark']) { document.documentElement.dataset.theme = theme;
                for (const front of ['--text', '--muted', '--faint', '--accent', '--good', '--bad', '--warn'])
                    for (const back of ['--bg', '--panel', '--raised', '--sunken']) {
                        const [a, b] = [colour(front), colour(back)];
                        const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
                        if (ratio < 4.5) out.push(`${theme} ${front} on ${back}: ${ratio.toFixed(2)}`); } }
            delete document.documentElement.dataset.theme;
            return out;"""
        self.open("")
        self.b.wait("tbody tr")
        self.assertEqual([], self.b.run(script))

    def test_every_control_has_a_name(self):
        script = """return [...document.querySelectorAll('button, a, input, select, textarea')].filter((e) => e.checkVisibility() &&
            !(e.innerText || '').trim() && !e.getAttribute('aria-label') && !e.labels?.length && !e.querySelector('[alt]'))
            .map((e) => e.outerHTML.slice(0, 200))"""
        for name, (address, sign) in self.views().items():
            with self.subTest(name):
                self.open(address)
                self.b.wait(sign)
                self.assertEqual([], self.b.run(script))

    def test_names_that_look_like_markup_are_shown_as_text(self):
        s = self.site
        run = s.evil_run
        for address, sign in (("", "tbody tr"), (f"#/runs?exp={s.evil_experiment}&cols=status,t.evil,p.path,source", ".vt-row"),
                              (f"#/run/{run}", "tr[data-metric=loss]"), (f"#/run/{run}?tab=charts", "canvas"),
                              (f"#/compare?runs={run},{s.runs[1]}", ".compare td"), (f"#/compare?runs={run},{s.runs[1]}&tab=charts", "canvas")):
            with self.subTest(address):
                self.open(address)
                self.b.wait(sign)
                wait_until(lambda: seed.HOSTILE in self.b.run("return document.body.innerText"), "the name as text")
                self.assertEqual(0, self.b.count("main img"))
                self.assertEqual(0, self.b.count("a[href^='javascript:']"))
                self.assertIsNone(self.b.run("return window.hacked ?? null"))

    def test_files_that_hold_scripts_do_not_run_them(self):
        self.open(f"#/run/{self.site.evil_run}?tab=artifacts&path=page.html")
        self.b.wait_text(".code-text", "<script>window.hacked=3</script>")
        self.open(f"#/run/{self.site.evil_run}?tab=artifacts&path=picture.svg")
        self.b.wait_text(".preview", "40 × 40")
        self.assertIsNone(self.b.run("return window.hacked ?? null"))

    def test_the_policy_forbids_scripts_and_styles_in_the_page(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.site.daemon.port)
        connection.request("GET", "/")
        reply = connection.getresponse()
        reply.read()
        connection.close()
        policy = reply.headers["Content-Security-Policy"]
        for part in ("default-src 'none'", "script-src 'self'", "style-src 'self'", "base-uri 'none'", "form-action 'none'",
                     "frame-ancestors 'none'"):
            self.assertIn(part, policy)
        self.assertNotIn("unsafe", policy)
        self.open("")
        self.b.wait("tbody tr")
        self.b.run("const s = document.createElement('script'); s.textContent = 'window.hacked = 5'; document.body.append(s)")
        self.assertIsNone(self.b.run("return window.hacked ?? null"))
        self.assertTrue([e for e in self.b.console() if "Content Security Policy" in e["message"]], "the attempt was refused")

    def test_addresses_that_mean_nothing_are_said_to(self):
        for address in ("#/nothing", "#/run/%E0%A4%A", "#/model/no-such-model", "#/runs?exp=999999"):
            with self.subTest(address):
                self.open(address)
                self.b.wait(".error-state, .empty")


class ServerAway(PageTest):
    def test_the_page_says_that_the_server_is_away_and_goes_on_when_it_is_back(self):
        self.open("")
        self.b.wait("tbody tr")
        self.site.daemon.stop()
        try:
            self.b.run("location.hash = '#/models'")
            self.b.wait_text("#banner", "does not answer")
            self.b.wait_text(".error-state", "did not load")
            self.shot("server-away")
        finally:
            self.site.daemon.start()
        self.b.wait("tr[data-name='taxi-duration']", 40)
        wait_until(lambda: self.b.text("#banner") == "", "the banner is gone")


class StaticHost(PageTest):
    def test_the_page_works_from_another_host_and_without_charts(self):
        server = urllib.parse.quote(self.site.url)
        self.b.open(f"{self.site.static_url}/?server={server}#/runs?exp={self.site.taxi}")
        self.b.wait(".vt-row")
        self.assertIn("ridge-alpha-0.3", self.rows())
        self.b.open(f"{self.site.static_url}/?server={server}#/run/{self.site.runs[0.3]}?tab=charts")
        self.b.wait_text(".chart-note", "uPlot")
        self.b.open(f"{self.site.static_url}/?server={server}#/run/{self.site.runs[0.3]}?tab=artifacts&path=log.txt")
        self.b.wait_text(".code-text", "converged after 41 iterations")
        self.b.open(f"{self.site.static_url}/?server={server}#/run/{self.site.runs[0.3]}")
        self.b.wait("h1")
        self.b.click("[aria-label='Edit reviewed']")
        self.b.fill("input[aria-label='Edit reviewed']", "twice")
        self.b.wait_text(".side", "twice")


class Files(PageTest):
    def test_the_page_names_each_of_its_modules_once_for_preloading(self):
        with open(os.path.join(WEB, "index.html")) as f:
            named = re.findall(r'modulepreload" href="([^"]+)"', f.read())
        there = [os.path.relpath(os.path.join(folder, name), WEB) for folder, _, names in os.walk(os.path.join(WEB, "js")) for name in names]
        self.assertEqual(sorted(set(there) - {"js/main.js", "js/theme_early.js"}), sorted(named))

"""Much of everything, names that fit nowhere, and every view readable all the same."""
import urllib.parse

import seed
from page_site import PageTest
from webdriver import wait_until

UNREADABLE = """
    const channels = (c) => { const v = c.match(/[\\d.]+/g).map(Number); return v.length < 4 ? [...v, 1] : v; };
    const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
    const lum = (v) => { const [r, g, b] = v.map((x) => { x /= 255; return x <= .03928 ? x / 12.92 : ((x + .055) / 1.055) ** 2.4; });
        return .2126 * r + .7152 * g + .0722 * b; };
    const back = (e) => { const own = channels(getComputedStyle(e).backgroundColor);
        return own[3] === 1 || !e.parentElement ? own : over(own, back(e.parentElement)); };
    const found = new Set();
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const e = walker.currentNode.parentElement;
        if (!walker.currentNode.data.trim() || !e.checkVisibility() || e.closest(':disabled, svg, .loading, .skip-link')) continue;
        const ground = back(e);
        const [a, b] = [lum(over(channels(getComputedStyle(e).color), ground)), lum(ground)];
        const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
        if (ratio < 4.5) found.add(`${e.tagName}.${e.className}: ${ratio.toFixed(2)}`);
    }
    return [...found];"""

# One letter below the other.
SQUEEZED = """return [...document.querySelectorAll('main td, main p, main dd, main li, main h1')].filter((e) => {
        const text = new Range();
        text.selectNodeContents(e);
        const { width, height } = text.getBoundingClientRect();
        return e.checkVisibility() && width > 0 && Math.min(height, e.clientHeight) > 8 * width;
    }).map((e) => e.outerHTML.slice(0, 200))"""


class Plenty(PageTest):
    @classmethod
    def setUpClass(cls):
        cls.name = seed.plenty(cls.site.rest(), cls.site.now)

    def views(self):
        model = f"#/model/{urllib.parse.quote(self.name, safe='')}"
        return (("", "tbody tr"), (model, ".lineage a"), (f"{model}?tab=history", ".timeline li"), (f"{model}?tab=deployments", "tr[data-deployment]"),
                (f"{model}?tab=compare&from=1&to=2", ".diff"), (f"{model}?tab=rules", ".rules code"),
                (f"{model}?at=9999-12-31T00:00:00Z", ".past-banner .icon-left"),
                ("#/models", "tbody tr"), ("#/deployments", "tr[data-deployment]"), (f"#/deployment/{5001:032x}", ".panel .pill"),
                (f"#/deployment/{5003:032x}", ".panel .pill"))

    def check_safe(self):
        self.assertEqual(0, self.b.count("main img, main script, a[href^='javascript:']"))
        self.assertIsNone(self.b.run("return window.hacked ?? null"))

    def check_readable(self, name):
        for theme in ("light", "dark"):
            self.b.cdp("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": theme}])
            self.shot(f"{name}-{theme}")
            self.assertEqual([], self.b.run(UNREADABLE), theme)

    def check_fits(self, name, width, is_phone):
        self.b.resize(width, 844, is_phone=is_phone)
        self.shot(f"{name}-{width}")
        self.assertLessEqual(self.b.run("return document.documentElement.scrollWidth - innerWidth"), 0)
        self.assertEqual([], self.b.run(SQUEEZED))

    def test_every_view_is_safe_and_readable_in_both_themes_and_on_a_phone(self):
        self.addCleanup(self.b.resize, 1360, 860)
        self.addCleanup(self.b.cdp, "Emulation.setEmulatedMedia", features=[])
        for i, (address, sign) in enumerate(self.views()):
            with self.subTest(address):
                self.b.resize(1280, 844)
                self.open(address)
                self.b.wait(sign)
                self.check_safe()
                self.check_readable(f"plenty-{i}")
                self.check_fits(f"plenty-{i}", 1280, False)
                self.check_fits(f"plenty-{i}", 390, True)

    def test_hostile_names_in_dialogs_stay_text(self):
        self.open(f"#/model/{urllib.parse.quote(self.name, safe='')}")
        self.b.click("[aria-label='Actions for @alias-10']")
        self.b.click_text("[role=menuitem]", "Roll back…")
        self.b.wait("dialog .empty, dialog .choice")
        self.b.press("Escape")
        self.b.click_text(".version-head .button", "Promote to @alias-9")
        self.b.wait("dialog .checks li")
        self.assertEqual([], self.b.run(UNREADABLE))
        self.b.press("Escape")
        self.open(f"#/deployment/{5000:032x}")
        self.b.click("[aria-label='Actions for this deployment']")
        self.b.click_text("[role=menuitem]", "Forget this target")
        self.b.wait_text("dialog h2", seed.HOSTILE)
        self.assertEqual(0, self.b.count("dialog img"))
        self.assertIsNone(self.b.run("return window.hacked ?? null"))

    def test_a_long_description_is_unfolded_and_stays_so(self):
        self.open(f"#/model/{urllib.parse.quote(self.name, safe='')}")
        box = ".description .long-text"
        height = "return document.querySelector('.description .long-text p').clientHeight"
        self.b.wait(box)
        folded = self.b.run(height)
        self.b.click(f"{box} summary")
        self.assertGreater(self.b.run(height), 4 * folded)
        self.site.rest().post("registered-models/set-tag", name=self.name, key="new", value="one")
        self.b.wait_text(".tag-list", "new: one")
        self.assertGreater(self.b.run(height), 4 * folded)

    def test_the_chosen_one_of_many_versions_is_in_sight(self):
        in_sight = """const [box, row] = ['.tall', 'tr.selected'].map((s) => document.querySelector(s).getBoundingClientRect());
            return row.top >= box.top && row.bottom <= box.bottom"""
        for moment in ("at=9999-12-31T00:00:00Z&", ""):
            self.open(f"#/model/{urllib.parse.quote(self.name, safe='')}?{moment}version=7")
            self.b.wait("tr[data-version='7'].selected")
            wait_until(lambda: self.b.run(in_sight), "the row")
        for _ in range(3):
            self.b.press("j")
        self.b.wait("tr[data-version='4'].selected")
        self.assertTrue(self.b.run(in_sight))

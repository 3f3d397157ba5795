// The grid of charts of a run or of several: one for each metric, grouped by what stands before the first '/'.
// A chart asks for its points when it comes into sight.
import { h, replace } from './dom.js';
import { CurveChart } from './charts.js';
import { setParams } from './router.js';
import { button } from './ui/controls.js';
import { setRange, settingsKey } from './ui/chart_settings.js';

const BIG_HEIGHT = 460;
const CHARTS_MAX = 300; /* in the document at once: with thousands of metrics one searches */
const byName = (a, b) => a.localeCompare(b, 'en', { numeric: true });

/** lines(key) → [{run, color, dash, origin, hidden}] of the runs that have this metric. */
export class ChartGrid {
	constructor({ loader, lines, settings, signal }) {
		this.loader = loader;
		this.lines = lines;
		this.settings = settings;
		this.cards = new Map();
		this.element = h('div.chart-grid-groups');
		this.observer = new IntersectionObserver(
			(entries) => {
				for (const e of entries) {
					const card = this.cards.get(e.target.dataset.metric);
					if (card) {
						card.visible = e.isIntersecting;
						if (e.isIntersecting) this.refresh(card);
					}
				}
			},
			{ rootMargin: '300px' },
		);
		signal.addEventListener('abort', () => {
			this.observer.disconnect();
			for (const card of this.cards.values()) card.chart.destroy();
		});
	}

	/** Which metrics; cards that stay keep their chart. */
	setKeys(keys) {
		const found = [...keys]
			.filter((k) => k.toLowerCase().includes(this.settings.names.toLowerCase()))
			.sort(byName);
		const wanted = found.slice(0, CHARTS_MAX);
		const text = wanted.join('\n');
		if (text === this.keysText) return;
		this.keysText = text;
		for (const [key, card] of this.cards)
			if (!wanted.includes(key)) {
				this.observer.unobserve(card.element);
				card.chart.destroy();
				this.cards.delete(key);
			}
		const groups = new Map();
		for (const key of wanted) {
			const name = key.includes('/') ? key.slice(0, key.indexOf('/')) : '';
			if (!groups.has(name)) groups.set(name, []);
			groups.get(name).push(key);
		}
		const names = [...groups.keys()].sort(
			(a, b) => Number(a.startsWith('system')) - Number(b.startsWith('system')) || byName(a, b),
		);
		replace(
			this.element,
			names.map((name) =>
				h(
					'section.chart-group',
					(names.length > 1 || name) &&
						h('h2', name || 'Metrics', h('span.count', String(groups.get(name).length))),
					h(
						'div.chart-grid',
						groups.get(name).map((key) => this.card(key).element),
					),
				),
			),
			wanted.length ? null : h('p.faint.pad', 'No metric has such a name.'),
			found.length > CHARTS_MAX &&
				h('p.faint.pad', `and ${found.length - CHARTS_MAX} more metrics: search for their names`),
		);
	}

	card(key) {
		const known = this.cards.get(key);
		if (known) return known;
		const chart = new CurveChart({ title: key, zoom: setRange, syncKey: 'charts' });
		const expand = button('', {
			icon: 'expand',
			kind: 'quiet small',
			label: `Enlarge ${key}`,
			onclick: () => setParams({ big: this.settings.big === key ? '' : key }, { replace: true }),
		});
		const card = { key, chart, visible: false, drawnFor: null };
		card.element = h(
			'figure.chart-card',
			{ dataset: { metric: key } },
			h(
				'figcaption',
				h('span.chart-title', { title: key }, key),
				(card.info = h('span.faint')),
				expand,
			),
			chart.element,
		);
		this.cards.set(key, card);
		this.observer.observe(card.element);
		this.applySize(card);
		return card;
	}

	applySize(card) {
		const isBig = this.settings.big === card.key;
		card.element.classList.toggle('big', isBig);
		card.chart.setHeight(isBig ? BIG_HEIGHT : 190);
	}

	setSettings(settings) {
		this.settings = settings;
		for (const card of this.cards.values()) {
			this.applySize(card);
			if (card.visible) this.refresh(card);
		}
	}

	/** Draws again what changed: new points, hidden runs, another theme. */
	refreshAll(reload = false) {
		for (const card of this.cards.values()) {
			if (reload) card.loadedFor = null;
			card.drawnFor = null;
			if (card.visible) this.refresh(card);
		}
	}

	reloadKeys(keys) {
		for (const key of keys) {
			const card = this.cards.get(key);
			if (card) {
				card.loadedFor = null;
				card.drawnFor = null;
				if (card.visible) this.refresh(card);
			}
		}
	}

	/* What a card's points and its picture depend on. */
	keysOf(card, lines) {
		const { x, range } = this.settings;
		const load = JSON.stringify([
			x === 'step' ? 'step' : 'time',
			range,
			x === 'relative' && range,
			lines.map((l) => l.run.id),
		]);
		return {
			load,
			draw: settingsKey(this.settings) + load + lines.map((l) => (l.hidden ? 0 : 1)).join(''),
		};
	}

	async refresh(card) {
		const lines = this.lines(card.key);
		const keys = this.keysOf(card, lines);
		if (card.drawnFor === keys.draw || card.loading === keys.load) return;
		try {
			if (card.loadedFor !== keys.load) {
				card.loading = keys.load;
				card.element.classList.add('busy');
				const curves = await this.fetch(card.key, lines);
				if (card.loading !== keys.load) return;
				card.curves = curves;
				card.loadedFor = keys.load;
			}
			card.drawnFor = keys.draw;
			await card.chart.draw(
				lines.map((l) => ({ ...l, curve: card.curves.get(l.run.id) })),
				this.settings,
			);
			this.inform(card);
		} catch (e) {
			if (e.name !== 'AbortError' && card.loading === keys.load) card.chart.say(e.message);
			return;
		} finally {
			if (card.loading === keys.load) {
				card.loading = null;
				card.element.classList.remove('busy');
			}
		}
		/* The settings may have changed while the points were on their way. */
		if (this.keysOf(card, this.lines(card.key)).draw !== keys.draw) this.refresh(card);
	}

	inform(card) {
		const total = [...card.curves.values()].reduce((n, c) => n + c.point_count, 0);
		const isExact = [...card.curves.values()].every((c) => c.is_exact);
		card.info.textContent = isExact ? '' : `${total.toLocaleString('en-US')} points, min–max bands`;
	}

	/* Relative ranges differ from run to run in absolute time, so each run is asked for its own. */
	async fetch(key, lines) {
		const { x, range } = this.settings;
		if (x === 'relative' && range) {
			const found = await Promise.all(
				lines.map((l) =>
					this.loader.load(key, [l.run.id], {
						x: 'time',
						start: Math.floor(l.origin + range[0] * 1000),
						end: Math.ceil(l.origin + range[1] * 1000),
					}),
				),
			);
			return new Map(found.flatMap((m) => [...m]));
		}
		const ids = lines.map((l) => l.run.id);
		const ask = { x: x === 'step' ? 'step' : 'time' };
		if (range) {
			const unit = x === 'step' ? 1 : 1000;
			ask.start = Math.floor(range[0] * unit);
			ask.end = Math.ceil(range[1] * unit);
		}
		return this.loader.load(key, ids, ask);
	}
}

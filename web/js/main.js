// Starts the page: the frame around the views, the routes, the keys that work everywhere.
import { h, isTyping, replace } from './dom.js';
import { connection, server, system } from './api.js';
import { startFollowing } from './live.js';
import { href, onRoute, parse } from './router.js';
import { nextTheme, themeName } from './theme.js';
import { startTicking } from './format.js';
import { button } from './ui/controls.js';
import { icon } from './ui/icons.js';
import { showHelp, showServer } from './views/help.js';
import { errorState } from './ui/controls.js';
import { experimentsView } from './views/experiments.js';
import { runsView } from './views/runs.js';
import { runView } from './views/run.js';
import { compareView } from './views/compare.js';
import { modelsView } from './views/models.js';
import { modelView } from './views/model.js';
import { loggedModelsView } from './views/logged_models.js';
import { loggedModelView } from './views/logged_model.js';
import { deploymentsView } from './views/deployments.js';
import { deploymentView } from './views/deployment.js';

/* name → function(main, route, signal) → { update(route), key(event)?, retry()? } */
const VIEWS = {
	'': experimentsView,
	experiments: experimentsView,
	runs: runsView,
	run: runView,
	compare: compareView,
	models: modelsView,
	model: modelView,
	'logged-models': loggedModelsView,
	'logged-model': loggedModelView,
	deployments: deploymentsView,
	deployment: deploymentView,
};

const main = document.getElementById('main');
let current = null;

function show() {
	const route = parse();
	const identity = JSON.stringify([route.view, route.view === 'runs' ? [] : route.args]);
	markNavigation(route.view);
	if (current?.identity === identity) {
		current.view.update(route);
		return;
	}
	current?.abort.abort();
	const abort = new AbortController();
	main.replaceChildren();
	main.className = `view-${route.view || 'experiments'}`;
	scrollTo(0, 0);
	const make = VIEWS[route.view];
	current = { identity, abort, view: { update() {} } };
	if (make) current.view = make(main, route, abort.signal);
	else replace(main, errorState({ status: 404, message: `There is no view “${route.view}”.` }));
}

/* --- the frame --- */

const navigation = [
	{
		text: 'Experiments',
		path: ['experiments'],
		views: ['', 'experiments', 'runs', 'run', 'compare', 'logged-models', 'logged-model'],
	},
	{ text: 'Models', path: ['models'], views: ['models', 'model'] },
	{ text: 'Deployments', path: ['deployments'], views: ['deployments', 'deployment'] },
];

function markNavigation(view) {
	for (const a of document.querySelectorAll('.topbar nav a')) {
		if (a.dataset.views.split(',').includes(view)) a.setAttribute('aria-current', 'page');
		else a.removeAttribute('aria-current');
	}
}

const THEME_ICONS = { system: 'system', light: 'sun', dark: 'moon' };

function themeButton() {
	const b = button('', { icon: THEME_ICONS[themeName()], kind: 'quiet', label: 'Theme' });
	const label = () => {
		b.replaceChildren(icon(THEME_ICONS[themeName()]));
		b.title = `Theme: ${themeName()}`;
		b.setAttribute('aria-label', b.title);
	};
	b.addEventListener('click', () => {
		nextTheme();
		label();
	});
	label();
	return b;
}

function frame() {
	const status = h(
		'button.server-status',
		{ type: 'button', title: server, onclick: showServer },
		h('span.dot'),
		h('span.server-text', 'Server'),
	);
	replace(
		document.getElementById('topbar'),
		h(
			'a.brand',
			{ href: href([]), 'aria-label': 'trackerd, to the experiments' },
			h('img', { src: 'favicon.svg', alt: '', width: 22, height: 22 }),
			h('span', 'trackerd'),
		),
		h(
			'nav',
			{ 'aria-label': 'Main' },
			navigation.map((n) =>
				h('a', { href: href(n.path), dataset: { views: n.views.join(',') } }, n.text),
			),
		),
		h('div.spacer'),
		status,
		button('', { icon: 'help', kind: 'quiet', label: 'Help and keys (?)', onclick: showHelp }),
		themeButton(),
	);
	system.info().then(
		(info) => {
			status.querySelector('.server-text').textContent = info.version ? `v${info.version}` : 'Server';
		},
		() => {
			/* the banner says it */
		},
	);
	connection.addEventListener('unreachable', () => {
		status.classList.add('down');
		banner();
	});
	connection.addEventListener('reachable', () => {
		status.classList.remove('down');
		document.getElementById('banner').replaceChildren();
		current?.view.retry?.();
	});
}

let probing = 0;

function banner() {
	const retry = async () => {
		clearTimeout(probing);
		try {
			await system.info();
		} catch {
			probing = setTimeout(retry, 3000);
		}
	};
	replace(
		document.getElementById('banner'),
		h(
			'div.banner',
			icon('warning'),
			h(
				'span',
				'The server does not answer',
				server !== new URL('.', document.baseURI).href && ` at ${server}`,
				'. What you see may be out of date; the page tries again by itself.',
			),
			button('Try now', { kind: 'small', onclick: retry }),
		),
	);
	clearTimeout(probing);
	probing = setTimeout(retry, 3000);
}

document.querySelector('.skip-link').addEventListener('click', (e) => {
	e.preventDefault();
	main.focus();
});

document.addEventListener('keydown', (e) => {
	if (e.defaultPrevented || e.ctrlKey || e.metaKey || e.altKey || document.querySelector('dialog[open]'))
		return;
	if (isTyping(e.target)) return;
	if (e.key === '?') {
		e.preventDefault();
		showHelp();
	} else if (e.key === '/') {
		const box = main.querySelector('[data-shortcut="/"]') ?? main.querySelector('input[type=search]');
		if (box) {
			e.preventDefault();
			box.focus();
			box.select?.();
		}
	} else {
		current?.view.key?.(e);
	}
});

frame();
startTicking();
await startFollowing();
onRoute(show);

// The box for MLflow's filter language: plain words search names, errors stand under the place they are at.
import { h, replace } from '../dom.js';
import { quoteForLike } from '../api.js';
import { quoteKey } from '../columns.js';
import { button } from './controls.js';
import { icon } from './icons.js';
import { openPopover } from './dialog.js';

const LOOKS_LIKE_FILTER = /[=<>!]|\b(I?LIKE|IN|IS|NOT)\b/i;

/** What is sent for what was typed: words without any operator look for that name. */
export function toFilter(text, nameKey = 'attributes.run_name') {
	const words = text.trim();
	return words && !LOOKS_LIKE_FILTER.test(words) ? `${nameKey} ILIKE ${quoteForLike(words)}` : words;
}

/** "…at position 12…" → 12 (0-based offset into the filter as sent), or null. */
export function errorPosition(message) {
	const match = /\bposition (\d+)/i.exec(message);
	return match ? Number(match[1]) : null;
}

function example(text, meaning, use) {
	return [
		h('dt', h('button.example', { type: 'button', onclick: () => use(text) }, h('code', text))),
		h('dd', meaning),
	];
}

function helpContent(title, keys, use) {
	const metric = [...keys.metrics.keys()][0] ?? 'rmse_val';
	const param = [...keys.params.keys()][0] ?? 'alpha';
	const m = /^\w+$/.test(metric) ? metric : quoteKey(metric);
	const p = /^\w+$/.test(param) ? param : quoteKey(param);
	return h(
		'div.filter-help',
		h('h3', title),
		h(
			'p',
			'Words alone look for names. Otherwise compare, and join with AND, OR, NOT and parentheses. ' +
				'Texts stand in quotes; keys with unusual characters in backticks.',
		),
		h(
			'dl',
			example(`metrics.${m} < 7.5`, 'last value of a metric', use),
			example(`params.${p} = '0.3'`, 'a parameter; != LIKE ILIKE work too', use),
			example("attributes.status = 'RUNNING'", 'also run_name, run_id, user_id, start_time (ms)', use),
			example("tags.`mlflow.source.name` ILIKE '%train%'", 'a tag; % stands for anything', use),
			example(
				`metrics.${m} < 8 AND (params.${p} = '0.1' OR params.${p} = '0.3')`,
				'both and either',
				use,
			),
			example('tags.reviewed IS NULL', 'runs without a tag or parameter', use),
		),
	);
}

/** options: value, title, keys() → the known names, apply(text). → {element, setValue, setError, setBusy, focus} */
export function filterBox({ value, title = 'Filter runs', keys, apply }) {
	const problem = h('div.filter-error', { id: 'filter-error', role: 'alert', hidden: true });
	const input = h('input.filter-input', {
		type: 'text',
		value,
		spellcheck: 'false',
		autocomplete: 'off',
		autocapitalize: 'off',
		placeholder: "Filter: metrics.rmse < 7.5 AND params.alpha = '0.3', or part of a name",
		'aria-label': title,
		'aria-describedby': 'filter-error',
		dataset: { shortcut: '/' },
		onkeydown: (e) => {
			if (e.key === 'Enter') {
				apply(input.value.trim());
			} else if (e.key === 'Escape') {
				input.blur();
			}
		},
		onchange: () => apply(input.value.trim()),
		oninput: () => {
			clear.hidden = !input.value;
		},
	});
	const clear = button('', {
		icon: 'close',
		kind: 'quiet small',
		label: 'Clear the filter',
		hidden: !value,
		onclick: () => {
			input.value = '';
			clear.hidden = true;
			apply('');
			input.focus();
		},
	});
	const help = button('', {
		icon: 'help',
		kind: 'quiet small',
		label: 'Examples of filters',
		'aria-expanded': false,
		onclick: () => {
			const close = openPopover(
				help,
				helpContent(title, keys(), (text) => {
					input.value = input.value.trim() ? `${input.value.trim()} AND ${text}` : text;
					clear.hidden = false;
					close();
					input.focus();
				}),
				{ label: 'Examples of filters' },
			);
		},
	});
	const field = h('div.filter-field', icon('search', 14), input, clear, help);
	function setError(message, sent) {
		problem.hidden = !message;
		input.setAttribute('aria-invalid', String(Boolean(message)));
		field.classList.toggle('invalid', Boolean(message));
		const at = message ? errorPosition(message) : null;
		const shown = sent ?? input.value;
		replace(
			problem,
			message && at !== null && at <= shown.length
				? h('pre.filter-caret', { 'aria-hidden': 'true' }, `${shown}\n${' '.repeat(at)}^`)
				: null,
			message && h('p', message),
		);
	}
	return {
		element: h('div.filter-box', { role: 'search' }, field, problem),
		setValue(text) {
			if (document.activeElement !== input) input.value = text;
			clear.hidden = !input.value;
		},
		setError,
		setBusy: (busy) => field.classList.toggle('busy', busy),
		focus: () => input.focus(),
	};
}

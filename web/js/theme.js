// Light, dark or the system's: stored locally, applied as data-theme on the root.

const NAMES = ['system', 'light', 'dark'];
const KEY = 'trackerd.theme';

/** Dispatches 'change' when colours change, for canvases that hold them. */
export const theme = new EventTarget();

export function readPref(key, fallback = null) {
	try {
		return localStorage.getItem(`trackerd.${key}`) ?? fallback;
	} catch {
		return fallback;
	}
}

export function writePref(key, value) {
	try {
		if (value === null) localStorage.removeItem(`trackerd.${key}`);
		else localStorage.setItem(`trackerd.${key}`, value);
	} catch {
		/* full or forbidden: the choice lasts for this page */
	}
}

export function themeName() {
	const name = document.documentElement.dataset.theme;
	return NAMES.includes(name) ? name : 'system';
}

export function nextTheme() {
	const name = NAMES[(NAMES.indexOf(themeName()) + 1) % NAMES.length];
	if (name === 'system') delete document.documentElement.dataset.theme;
	else document.documentElement.dataset.theme = name;
	writePref(KEY.slice('trackerd.'.length), name === 'system' ? null : name);
	changed();
	return name;
}

const cache = new Map();
let probe = null;

function changed() {
	cache.clear();
	theme.dispatchEvent(new Event('change'));
}

matchMedia('(prefers-color-scheme: dark)').addEventListener('change', changed);

/** The present colour of a CSS variable, for canvas drawing. */
export function color(variable) {
	let value = cache.get(variable);
	if (value === undefined) {
		if (!probe) {
			probe = document.createElement('span');
			probe.hidden = true;
			document.body.append(probe);
		}
		probe.style.color = `var(${variable})`;
		value = getComputedStyle(probe).color;
		cache.set(variable, value);
	}
	return value;
}

/** The same with an opacity of 0 to 1. */
export function fade(rgb, alpha) {
	const numbers = rgb.match(/[\d.]+/g) ?? [0, 0, 0];
	return `rgba(${numbers[0]}, ${numbers[1]}, ${numbers[2]}, ${alpha})`;
}

export const SERIES_COLORS = 10;

export function seriesColor(index) {
	return color(`--series-${index % SERIES_COLORS}`);
}

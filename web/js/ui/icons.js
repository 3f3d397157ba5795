// The page's icons: 16×16 strokes drawn for it.
import { svg } from '../dom.js';

const PATHS = {
	search: 'M7 2.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9zM10.4 10.4 14 14',
	close: 'M4 4l8 8M12 4l-8 8',
	check: 'M3 8.5 6.5 12 13 4.5',
	plus: 'M8 3v10M3 8h10',
	minus: 'M3 8h10',
	columns: 'M2.5 3h11v10h-11zM6.2 3v10M9.8 3v10',
	download: 'M8 2.5v8M4.7 7.4 8 10.7l3.3-3.3M3 13.5h10',
	upload: 'M8 11V3M4.7 6 8 2.7 11.3 6M3 13.5h10',
	trash: 'M3 4.5h10M6.3 4.5V3h3.4v1.5M4.5 4.5l.6 8.5h5.8l.6-8.5',
	restore: 'M3 6.5h6.5a3.5 3.5 0 0 1 0 7H6M5.5 4 3 6.5 5.5 9',
	edit: 'M3 13l.6-2.7L11 2.9l2.1 2.1-7.4 7.4L3 13zM9.6 4.3l2.1 2.1',
	more: 'M3.5 8h.01M8 8h.01M12.5 8h.01',
	help: 'M6 6.2a2 2 0 1 1 2.9 1.8c-.6.3-.9.7-.9 1.4M8 11.6h.01',
	sun:
		'M8 5.2a2.8 2.8 0 1 1 0 5.6 2.8 2.8 0 0 1 0-5.6zM8 1.5v1.3M8 13.2v1.3M1.5 8h1.3M13.2 8h1.3' +
		'M3.4 3.4l.9.9M11.7 11.7l.9.9M3.4 12.6l.9-.9M11.7 4.3l.9-.9',
	moon: 'M13 9.6A5.5 5.5 0 0 1 6.4 3a5.5 5.5 0 1 0 6.6 6.6z',
	system: 'M2.5 3.5h11v7h-11zM6 13h4M8 10.5V13',
	up: 'M8 13V3.5M4.5 7 8 3.5 11.5 7',
	down: 'M8 3v9.5M4.5 9 8 12.5 11.5 9',
	right: 'M6 3.5 10.5 8 6 12.5',
	folder: 'M2 4h4.3l1.4 1.6H14v7H2z',
	file: 'M4 2h5l3 3v9H4zM9 2v3h3',
	chart: 'M2.5 2.5v11h11M5 10l2.7-3.3 2.2 1.8L13 4.5',
	compare: 'M6 3v10M10 3v10M2.5 6H6M10 10h3.5',
	expand: 'M9.5 2.5h4v4M6.5 13.5h-4v-4M13.5 2.5 9 7M2.5 13.5 7 9',
	refresh: 'M13 8a5 5 0 1 1-1.5-3.6M13 2.5v2.6h-2.6',
	model: 'M8 2l5.5 3v6L8 14l-5.5-3V5zM2.5 5 8 8l5.5-3M8 8v6',
	tag: 'M2.5 2.5h5l6 6-5 5-6-6zM5.3 5.3h.01',
	copy: 'M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3',
	link: 'M6.5 9.5l3-3M7.2 4.6l1.4-1.4a3 3 0 0 1 4.2 4.2l-1.4 1.4M8.8 11.4l-1.4 1.4a3 3 0 0 1-4.2-4.2l1.4-1.4',
	deploy: 'M2.5 9.5h11v4h-11zM5 11.5h.01M8 6.8V2.5M5.6 4.7 8 2.3l2.4 2.4',
	history: 'M2.6 8a5.4 5.4 0 1 0 1.7-3.9M2.5 2.5v2.6h2.6M8 5v3.2l2.2 1.4',
	shield: 'M8 2l5 1.8v3.7c0 3-2 5.3-5 6.5-3-1.2-5-3.5-5-6.5V3.8z',
	left: 'M10 3.5 5.5 8l4.5 4.5',
	warning: 'M8 2.5 14.5 13.5h-13zM8 6.5v3.2M8 11.7h.01',
	drag: 'M6 4h.01M10 4h.01M6 8h.01M10 8h.01M6 12h.01M10 12h.01',
	menu: 'M2.5 4.5h11M2.5 8h11M2.5 11.5h11',
};

export function icon(name, size = 16) {
	return svg(
		'svg',
		{
			viewBox: '0 0 16 16',
			width: size,
			height: size,
			class: `icon icon-${name}`,
			fill: 'none',
			stroke: 'currentColor',
			'stroke-width': 1.4,
			'stroke-linecap': 'round',
			'stroke-linejoin': 'round',
			'aria-hidden': 'true',
		},
		svg('path', { d: PATHS[name] }),
	);
}

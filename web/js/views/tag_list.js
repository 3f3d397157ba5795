// Tags as chips that can be removed, with a button to add one.
import { h } from '../dom.js';
import { attempt, button } from '../ui/controls.js';
import { formDialog } from '../ui/dialog.js';

/** set(key, value) and remove(key) → promises; changed() is called after each. */
export function tagList(tags, { set, remove, changed }) {
	const keys = Object.keys(tags).sort();
	return h(
		'div.tag-list',
		keys.map((k) =>
			h(
				'span.tag',
				{ title: `${k}: ${tags[k]}` },
				h('span.clip', `${k}: ${tags[k]}`),
				button('', {
					icon: 'close',
					kind: 'quiet tiny',
					label: `Delete the tag ${k}`,
					onclick: async () => {
						if (await attempt(() => remove(k))) changed();
					},
				}),
			),
		),
		button(keys.length ? 'Tag' : 'Add a tag', {
			icon: 'plus',
			kind: 'quiet small',
			onclick: () =>
				formDialog({
					title: 'Add a tag',
					action: 'Add',
					fields: [
						{ name: 'key', label: 'Key', required: true },
						{ name: 'value', label: 'Value' },
					],
					submit: async ({ key, value }) => {
						await set(key, value);
						changed();
					},
				}),
		}),
	);
}

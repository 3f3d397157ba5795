// What all dialogs share that move an alias: what was seen of it, and who moves it.
import { h } from '../dom.js';
import { setUserName, userName } from '../api.js';
import { registry } from '../registry.js';

export const isProtected = (ctx, alias) => ctx.rules.protected_aliases.includes(alias);

/** The aliases as they were on the screen when a dialog opened: it moves only those that nobody moved meanwhile. */
export function seenAliases(ctx) {
	let aliases = ctx.aliases;
	return {
		get: (alias) => aliases.find((a) => a.alias === alias),
		/** To send with a move; "0": it must not be there. */
		revision: (alias) => aliases.find((a) => a.alias === alias)?.revision ?? '0',
		/** Does move(). If somebody was faster, the refusal says who; from then on that is what was seen. */
		async orWhoWon(move) {
			try {
				return await move();
			} catch (e) {
				if (e.status === 412) {
					aliases = await registry.aliases(ctx.name, ctx.signal);
					ctx.reload();
					e.message += ' Once more moves it all the same.';
				}
				throw e;
			}
		},
	};
}

/** A field for the person's name, as long as nobody gave one in this browser; else none. */
export function whoField() {
	return userName()
		? []
		: [
				{
					name: 'who',
					label: 'Your name',
					hint: 'The history tells who did what. Kept in this browser.',
				},
			];
}

/** The same for dialogs of their own. → {element, keep()}. */
export function whoInput() {
	const [field] = whoField();
	if (!field) return { element: null, keep() {} };
	const input = h('input', { id: 'field-who', type: 'text', autocomplete: 'name' });
	return {
		element: h('div.field', h('label', { for: 'field-who' }, field.label), input, h('small', field.hint)),
		keep: () => keepWho({ who: input.value }),
	};
}

export function keepWho({ who }) {
	if (who?.trim()) setUserName(who);
}

// Dragging the heads of a table: to another place, or wider.

const WIDTH_MIN = 56;
let dragged = null; /* the column on its way; only one can be */

/** Lets a head be dragged by `handle` and be dropped upon: move(dragged id, id of the head below). */
export function makeMovable(cell, handle, id, move) {
	handle.draggable = true;
	handle.addEventListener('dragstart', (e) => {
		dragged = id;
		e.dataTransfer.effectAllowed = 'move';
		e.dataTransfer.setData('text/plain', id);
	});
	handle.addEventListener('dragend', () => {
		dragged = null;
	});
	cell.addEventListener('dragover', (e) => {
		if (dragged !== null && dragged !== id) {
			e.preventDefault();
			cell.classList.add('drop');
		}
	});
	cell.addEventListener('dragleave', () => cell.classList.remove('drop'));
	cell.addEventListener('drop', (e) => {
		e.preventDefault();
		cell.classList.remove('drop');
		if (dragged !== null) move(dragged, id);
		dragged = null;
	});
}

/** Follows the pointer from a pointerdown event: move(width) on the way, end() when it is let go. */
export function dragWidth(e, width, { move, end }) {
	e.preventDefault();
	const x0 = e.clientX;
	const grip = e.target;
	grip.setPointerCapture(e.pointerId);
	const follow = (m) => move(Math.max(WIDTH_MIN, Math.round(width + m.clientX - x0)));
	grip.addEventListener('pointermove', follow);
	grip.addEventListener(
		'lostpointercapture',
		() => {
			grip.removeEventListener('pointermove', follow);
			end();
		},
		{ once: true },
	);
}

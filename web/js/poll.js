// Repeats a task while the page is looked at; a failing task is asked less and less often.

const SLOWEST_MS = 60000;

/** Runs task() every `ms` after the one before ended, not while the tab is hidden. → {stop, now}. */
export function poll(task, ms, signal) {
	let timer = 0;
	let wait = ms;
	let busy = false;
	async function run() {
		clearTimeout(timer);
		if (busy || signal.aborted) return;
		if (!document.hidden) {
			busy = true;
			try {
				await task();
				wait = ms;
			} catch (e) {
				if (e.name !== 'AbortError' && e.name !== 'ApiError') console.error(e);
				wait = Math.min(wait * 2, SLOWEST_MS);
			}
			busy = false;
		}
		if (!signal.aborted) timer = setTimeout(run, wait);
	}
	const onVisible = () => {
		if (!document.hidden) run();
	};
	document.addEventListener('visibilitychange', onVisible);
	const stop = () => {
		clearTimeout(timer);
		document.removeEventListener('visibilitychange', onVisible);
	};
	signal.addEventListener('abort', stop);
	timer = setTimeout(run, ms);
	return { stop, now: run };
}
